//! Where a daemon is.

use super::super::Failure;
use crate::config::Config;
use http::Uri;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// An `http` or `https` URL that paths are put behind; without user, query and fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct Url {
    host: String,
    port: u16,
    /// For whom the certificate must be; `None` without TLS.
    tls_name: Option<String>,
    authority: String,
    prefix: String,
    /// It takes this machine for a proxy, which has to say for whom it speaks.
    expects_proxy: bool,
}

impl Url {
    /// Returns the URL that the argument `--url` spells.
    ///
    /// # Errors
    /// As [`Self::named`].
    pub(in crate::cli) fn parse(text: &str) -> Result<Self, Failure> {
        Self::named("--url", text)
    }

    /// Returns the URL that `text` spells, which was given as `name`.
    ///
    /// # Errors
    /// [`Failure::Setting`] when it is none, or not one of HTTP.
    pub(super) fn named(name: &str, text: &str) -> Result<Self, Failure> {
        let wrong = |reason: &str| Failure::Setting(format!("{name} `{text}` {reason}, such as http://127.0.0.1:8080"));
        let uri: Uri = text.parse().map_err(|_| wrong("is not a URL"))?;
        let authority = uri.authority().filter(|authority| !authority.host().is_empty());
        let authority = authority.ok_or_else(|| wrong("names no host"))?;
        if text.contains(['?', '#', '@']) {
            return Err(wrong("must not have a user, a query or a fragment"));
        }
        let (port, is_tls) = match uri.scheme_str() {
            Some("http") => (80, false),
            Some("https") => (443, true),
            _ => return Err(wrong("must begin with https:// or http://")),
        };
        let named = authority.as_str().strip_prefix(authority.host()).is_some_and(|port| port.len() > 1);
        if named && uri.port_u16().is_none() {
            return Err(wrong("has a port above 65535"));
        }
        let host = bare(authority.host());
        Ok(Self {
            tls_name: is_tls.then(|| host.clone()),
            host,
            port: uri.port_u16().unwrap_or(port),
            authority: authority.to_string(),
            prefix: uri.path().trim_end_matches('/').to_owned(),
            expects_proxy: false,
        })
    }

    /// Returns where the daemon of these settings listens, as this machine reaches it.
    ///
    /// # Errors
    /// [`Failure::Setting`] when it takes any free port.
    pub(in crate::cli) fn of(config: &Config) -> Result<Self, Failure> {
        if config.listen.port() == 0 {
            let reason = "the daemon of these settings takes any free port (listen): --url must say where it is";
            return Err(Failure::Setting(reason.to_owned()));
        }
        let ip = match config.listen.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        let address = SocketAddr::new(ip, config.listen.port());
        // Its certificate is for the host of its public URL, wherever it listens.
        let public = config.issuer.as_ref().and_then(|issuer| issuer.as_str().parse::<Uri>().ok());
        let public = public.and_then(|uri| uri.host().map(bare)).unwrap_or_else(|| ip.to_string());
        let tls_name = config.tls.is_some().then_some(public);
        Ok(Self {
            host: ip.to_string(),
            port: address.port(),
            tls_name,
            authority: address.to_string(),
            prefix: String::new(),
            expects_proxy: config.proxy_protocol && config.trusted_proxies.trusts(ip),
        })
    }

    /// Returns the name or address to connect to.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// Returns the port to connect to.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Returns whether a PROXY header has to come first. Whoever connects to an address of this machine does so from it.
    pub(super) fn expects_proxy(&self) -> bool {
        self.expects_proxy
    }

    /// Returns for whom the certificate must be; `None` without TLS.
    pub(super) fn tls_name(&self) -> Option<&str> {
        self.tls_name.as_deref()
    }

    /// Returns host and port as the `Host` field has them.
    pub(super) fn authority(&self) -> &str {
        &self.authority
    }

    /// Returns what stands before each path; empty, or it begins with a slash and ends without.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// True when nobody else can read what is sent there: over TLS, or within this machine.
    pub(super) fn is_private(&self) -> bool {
        let here = self.host == "localhost" || self.host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
        self.tls_name.is_some() || here
    }

    /// Checks that a secret sent there is not read by others on its way, unless that is `allowed`.
    ///
    /// # Errors
    /// [`Failure::Setting`] with what would do.
    pub(in crate::cli) fn may_carry_secrets(&self, allowed: bool) -> Result<(), Failure> {
        if self.is_private() || allowed {
            return Ok(());
        }
        Err(Failure::Setting(format!(
            "the client's secret would go to {self} in the clear: use https, or --allow-insecure-url on a network that you trust"
        )))
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", if self.tls_name.is_some() { "https" } else { "http" }, self.authority, self.prefix)
    }
}

fn bare(host: &str) -> String {
    host.trim_start_matches('[').trim_end_matches(']').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (String, u16, String, String) {
        let Url { host, port, authority, prefix, .. } = Url::parse(text).expect("a URL");
        (host, port, authority, prefix)
    }

    #[test]
    fn a_url_is_taken_apart() {
        let expect = |host: &str, port, authority: &str, prefix: &str| {
            (host.to_owned(), port, authority.to_owned(), prefix.to_owned())
        };
        assert_eq!(parts("http://127.0.0.1:8080"), expect("127.0.0.1", 8080, "127.0.0.1:8080", ""));
        assert_eq!(parts("http://id.example.com/"), expect("id.example.com", 80, "id.example.com", ""));
        assert_eq!(parts("https://id.example.com/a"), expect("id.example.com", 443, "id.example.com", "/a"));
        assert_eq!(Url::parse("https://id.example.com").expect("a URL").tls_name(), Some("id.example.com"));
        assert_eq!(Url::parse("https://id.example.com:1/a/").expect("a URL").to_string(), "https://id.example.com:1/a");
        assert_eq!(Url::parse("http://id.example.com").expect("a URL").tls_name(), None);
        assert_eq!(parts("http://[::1]:81/below/"), expect("::1", 81, "[::1]:81", "/below"));
    }

    #[test]
    fn what_is_no_such_url_is_refused_with_an_example() {
        for text in [
            "",
            "localhost",
            "127.0.0.1:8080",
            "ftp://a",
            "http://",
            "http://a@b",
            "http://a?b",
            "http://a#b",
            "http://a:99999",
            "http://[::1]:65536/x",
        ] {
            assert!(matches!(Url::parse(text), Err(Failure::Setting(told)) if told.contains("http://127")), "{text}");
        }
    }

    #[test]
    fn a_secret_leaves_this_machine_in_the_clear_only_on_purpose() {
        for text in ["http://localhost", "http://127.0.0.2:1", "http://[::1]", "https://id.example.com"] {
            assert!(Url::parse(text).expect("a URL").may_carry_secrets(false).is_ok(), "{text}");
        }
        for text in ["http://localhost.example.com", "http://10.0.0.1", "http://[::2]"] {
            let url = Url::parse(text).expect("a URL");
            assert!(url.may_carry_secrets(false).is_err(), "{text}");
            assert!(url.may_carry_secrets(true).is_ok(), "{text}");
        }
    }
}
