//! The issuer identifier (RFC 8414 §2): a URL that is compared byte for byte, so only one spelling is let in.

use super::ConfigError;
use http::Uri;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// An `http` or `https` URL without user, query, fragment or closing slash; `http` only on loopback or by a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerUrl(String);

impl IssuerUrl {
    /// Returns the identifier that `text` spells.
    ///
    /// # Errors
    /// [`ConfigError::Setting`] when it is not such a URL, or plain http beyond loopback and not `insecure`.
    pub fn parse(text: &str, insecure: bool) -> Result<Self, ConfigError> {
        let wrong = |reason: &str| ConfigError::Setting { name: "issuer", reason: format!("`{text}` {reason}") };
        let uri: Uri = text.parse().map_err(|_| wrong("is not a URL"))?;
        let scheme = uri.scheme_str().ok_or_else(|| wrong("must begin with https://"))?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(|| wrong("names no host"))?;
        if text.contains(['?', '#', '@']) {
            return Err(wrong("must not have a user, a query or a fragment (RFC 8414 section 2)"));
        }
        let behind_host = uri.authority().and_then(|authority| authority.as_str().strip_prefix(host));
        let port = uri.port_u16().filter(|port| *port > 0).map(|port| format!(":{port}"));
        if behind_host != Some(port.as_deref().unwrap_or_default()) {
            return Err(wrong("must have a port from 1 to 65535, without zeros before it, or none"));
        }
        if text.ends_with('/') {
            return Err(wrong("must not end with a slash: it is compared byte for byte"));
        }
        let rest = text.get(..scheme.len().saturating_add(3).saturating_add(host.len()));
        if rest.is_none_or(|origin| origin.bytes().any(|byte| byte.is_ascii_uppercase())) {
            return Err(wrong("must have its scheme and host in lower case: it is compared byte for byte"));
        }
        match scheme {
            "https" => Ok(Self(text.to_owned())),
            "http" if insecure || is_loopback(host) => Ok(Self(text.to_owned())),
            "http" => {
                Err(wrong("is plain http on a host that is not loopback; use https, or set allow_insecure_issuer"))
            }
            _ => Err(wrong("must begin with https://")),
        }
    }

    /// Returns the identifier of a daemon that only this machine reaches, at the address it listens on, over TLS if it is `secure`.
    pub fn of_loopback(listen: SocketAddr, secure: bool) -> Self {
        let scheme = if secure { "https" } else { "http" };
        Self(format!("{scheme}://{listen}"))
    }

    /// True when clients reach it over TLS.
    pub fn is_secure(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// Returns the identifier as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IssuerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_and_loopback_http_are_issuers() {
        for text in [
            "https://id.example.com",
            "https://example.com:8443/tenant",
            "http://127.0.0.1:8080",
            "http://localhost",
            "http://[::1]:1",
        ] {
            assert_eq!(IssuerUrl::parse(text, false).expect(text).as_str(), text);
        }
    }

    #[test]
    fn plain_http_elsewhere_needs_the_setting() {
        for text in ["http://id.example.com", "http://10.0.0.1:8080", "http://127.0.0.1.example.com"] {
            assert!(IssuerUrl::parse(text, false).is_err(), "{text}");
            assert!(IssuerUrl::parse(text, true).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_second_spelling_of_a_url_is_refused() {
        let texts = [
            "",
            "id.example.com",
            "/path",
            "ftp://example.com",
            "https://",
            "https://example.com/",
            "https://example.com?x",
            "https://example.com#x",
            "https://user@example.com",
            "https://Example.com",
            "HTTPS://example.com",
            "https://exa mple.com",
            "https://example.com:99999",
            "https://example.com:0",
            "https://example.com:0443",
            "https://example.com:",
            "https://[::1]:65536",
        ];
        for text in texts {
            assert!(IssuerUrl::parse(text, true).is_err(), "{text}");
        }
    }
}
