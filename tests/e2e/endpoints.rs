//! The endpoints that take a body, each with a request that is right, and the form that every refusal of it must have.

use countersign_tests::{Daemon, Reply, Request};
use serde_json::json;

/// `Content-Type` of a form.
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";
/// `Content-Type` of JSON.
pub(crate) const JSON: &str = "application/json";
/// An endpoint that takes a body, and a request to it that is right but for the token in it.
pub(crate) struct Act {
    pub(crate) path: &'static str,
    pub(crate) media_type: &'static str,
    pub(crate) other_type: &'static str,
    pub(crate) body: &'static str,
    pub(crate) options: bool,
}

/// Every endpoint that takes a body.
pub(crate) const ACTS: [Act; 8] = [
    Act { path: "/v1/tokens", media_type: JSON, other_type: FORM, body: r#"{"sub":"a","aud":"api"}"#, options: false },
    Act {
        path: "/oauth/token",
        media_type: FORM,
        other_type: JSON,
        body: "grant_type=client_credentials",
        options: true,
    },
    Act { path: "/oauth/revoke", media_type: FORM, other_type: JSON, body: "token=x", options: true },
    Act { path: "/oauth/introspect", media_type: FORM, other_type: JSON, body: "token=x", options: false },
    Act { path: "/v1/revocations", media_type: JSON, other_type: FORM, body: r#"{"subject":"a"}"#, options: false },
    Act { path: "/v1/keys/rotate", media_type: JSON, other_type: FORM, body: r#"{"purpose":"token"}"#, options: false },
    Act { path: "/v1/sessions/revoke", media_type: JSON, other_type: FORM, body: r#"{"sub":"a"}"#, options: false },
    Act { path: "/v1/clients", media_type: JSON, other_type: FORM, body: r#"{"grants":[]}"#, options: false },
];

/// Paths that are read, and whether OPTIONS is answered there.
pub(crate) const READS: [(&str, bool); 11] = [
    ("/.well-known/jwks.json", true),
    ("/.well-known/oauth-authorization-server", true),
    ("/revocations", true),
    ("/revocations/1", true),
    ("/status", true),
    ("/status/1", true),
    ("/revocations/since/1", true),
    ("/revocations/events", true),
    ("/healthz", false),
    ("/readyz", false),
    ("/", false),
];

impl Act {
    /// Begins a request of the administrative client with this body.
    pub(crate) fn request(&self, daemon: &Daemon, body: impl Into<Vec<u8>>) -> Request {
        daemon.client().post(self.path, self.media_type, body).basic(daemon.admin())
    }

    /// Asserts the form of a refusal, and its code: ours on problem endpoints, the RFC's on OAuth ones.
    pub(crate) fn refused(&self, reply: &Reply, status: u16, code: &str, oauth: &str) {
        let text = String::from_utf8_lossy(&reply.body).into_owned();
        assert_eq!(reply.status, status, "{}: {text}", self.path);
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
        let body = reply.json();
        if self.path.starts_with("/oauth/") {
            assert_eq!(reply.header("content-type"), Some("application/json"));
            assert_eq!(body["error"], oauth, "{text}");
            assert_eq!(body.as_object().expect("an object").len(), 2, "{text}");
            let described = body["error_description"].as_str().expect("a text");
            assert!(described.bytes().all(|byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e)), "{text}");
        } else {
            assert_eq!(reply.header("content-type"), Some("application/problem+json"));
            assert_eq!(
                (&body["code"], &body["status"], &body["type"]),
                (&json!(code), &json!(status), &json!("about:blank")),
                "{text}"
            );
        }
    }
}
