//! For whom a request was sent on, as a trusted proxy tells it: `X-Forwarded-For`, or `Forwarded` (RFC 7239).
//!
//! One of the two is believed, as the operator chose: a proxy that writes one may pass on the other as a client sent it.
//! The list is read from its end, each entry being what the machine behind it saw: the first address that is no trusted
//! proxy is the client. What stands before that entry is anybody's invention.

use crate::config::ForwardedHeader;
use crate::server::Proxies;
use http::{HeaderMap, HeaderName};
use std::net::{IpAddr, SocketAddr};

/// The most entries of a list that are looked at.
const MOST: usize = 32;

/// Returns the client's address: that of the connection unless it is a trusted proxy's, else the one it tells.
pub(super) fn client_address(peer: IpAddr, headers: &HeaderMap, field: ForwardedHeader, proxies: &Proxies) -> IpAddr {
    let mut client = peer.to_canonical();
    if !proxies.trusts(client) {
        return client;
    }
    for entry in entries(headers, field).iter().rev().take(MOST) {
        // A machine that does not tell an address (RFC 7239 §6.2, §6.3) is where what is known ends.
        let Some(address) = entry else { break };
        client = *address;
        if !proxies.trusts(client) {
            break;
        }
    }
    client
}

/// Returns every entry of all fields of that name, in order; `None` for one that is no address.
fn entries(headers: &HeaderMap, field: ForwardedHeader) -> Vec<Option<IpAddr>> {
    let name = match field {
        ForwardedHeader::XForwardedFor => HeaderName::from_static("x-forwarded-for"),
        ForwardedHeader::Forwarded => http::header::FORWARDED,
    };
    let entries = headers.get_all(name).iter().flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    // Each by itself: what is no text is one that a client wrote, and hides no other.
    entries.map(|entry| address(std::str::from_utf8(entry).ok()?.trim(), field)).collect()
}

fn address(entry: &str, field: ForwardedHeader) -> Option<IpAddr> {
    let node = match field {
        ForwardedHeader::XForwardedFor => entry,
        ForwardedHeader::Forwarded => entry.split(';').find_map(|pair| {
            let (name, value) = pair.trim().split_once('=')?;
            name.eq_ignore_ascii_case("for").then_some(value.trim_matches('"'))
        })?,
    };
    let with_port = node.parse::<SocketAddr>().map(|address| address.ip());
    let bare = node.trim_start_matches('[').trim_end_matches(']').parse();
    with_port.or(bare).ok().map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn told(peer: &str, field: ForwardedHeader, lines: &[&str]) -> String {
        let name = if field == ForwardedHeader::Forwarded { "forwarded" } else { "x-forwarded-for" };
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(HeaderName::from_static(name), HeaderValue::from_bytes(line.as_bytes()).expect("a value"));
        }
        let proxies = Proxies::parse(&["10.0.0.0/8".to_owned(), "2001:db8::/32".to_owned()]).expect("valid");
        client_address(peer.parse().expect("an address"), &headers, field, &proxies).to_string()
    }

    #[test]
    fn nobody_is_believed_who_is_not_trusted() {
        for field in [ForwardedHeader::XForwardedFor, ForwardedHeader::Forwarded] {
            assert_eq!(told("192.0.2.1", field, &["203.0.113.9", "for=203.0.113.9"]), "192.0.2.1");
            assert_eq!(told("::ffff:192.0.2.1", field, &[]), "192.0.2.1");
            assert_eq!(told("10.0.0.1", field, &[]), "10.0.0.1");
        }
    }

    #[test]
    fn the_last_address_that_is_no_proxy_is_the_client() {
        let xff = |lines: &[&str]| told("10.0.0.1", ForwardedHeader::XForwardedFor, lines);
        assert_eq!(xff(&["203.0.113.9"]), "203.0.113.9");
        assert_eq!(xff(&["6.6.6.6, 203.0.113.9"]), "203.0.113.9", "what a client wrote in front is not believed");
        assert_eq!(xff(&["6.6.6.6, 203.0.113.9, 10.0.0.2"]), "203.0.113.9");
        assert_eq!(xff(&["6.6.6.6", "203.0.113.9", "10.0.0.2,10.0.0.3"]), "203.0.113.9");
        assert_eq!(xff(&["10.0.0.9, 10.0.0.8"]), "10.0.0.9", "all are proxies");
        assert_eq!(xff(&["203.0.113.9:1234"]), "203.0.113.9");
        assert_eq!(xff(&["[2001:db9::1]:1234"]), "2001:db9::1");
        assert_eq!(xff(&["2001:db9::1"]), "2001:db9::1");
        assert_eq!(xff(&["::ffff:203.0.113.9"]), "203.0.113.9");
        assert_eq!(xff(&["\u{e9}, 203.0.113.9"]), "203.0.113.9", "nor does it hide what a proxy wrote");
        for rubbish in ["", "\u{e9}", "unknown", "203.0.113", "x", "203.0.113.9 6.6.6.6", "6.6.6.6, unknown"] {
            assert_eq!(xff(&[rubbish]), "10.0.0.1", "{rubbish}");
        }
    }

    #[test]
    fn forwarded_is_read_by_its_grammar() {
        let forwarded = |lines: &[&str]| told("10.0.0.1", ForwardedHeader::Forwarded, lines);
        assert_eq!(forwarded(&["for=203.0.113.9;proto=https;by=10.0.0.1"]), "203.0.113.9");
        assert_eq!(forwarded(&["proto=https; For=\"[2001:db9::1]:4711\""]), "2001:db9::1");
        assert_eq!(forwarded(&["for=6.6.6.6, for=203.0.113.9", "for=10.0.0.2"]), "203.0.113.9");
        assert_eq!(forwarded(&["for=\u{e9}, for=203.0.113.9"]), "203.0.113.9");
        for hidden in ["for=_hidden", "for=unknown", "proto=https", "for=6.6.6.6, for=_x"] {
            assert_eq!(forwarded(&[hidden]), "10.0.0.1", "{hidden}");
        }
    }

    #[test]
    fn only_the_chosen_field_is_read() {
        let headers = HeaderMap::from_iter([(http::header::FORWARDED, HeaderValue::from_static("for=6.6.6.6"))]);
        let proxies = Proxies::parse(&["10.0.0.0/8".to_owned()]).expect("valid");
        let peer = "10.0.0.1".parse().expect("an address");
        let client = client_address(peer, &headers, ForwardedHeader::XForwardedFor, &proxies);
        assert_eq!(client, peer);
    }
}
