//! One request of a verb: what the same routes answer, over HTTP or inside this process.

use super::Failure;
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{Method, Request};
use serde_json::Value;
use zeroize::Zeroizing;

/// A request that has not been sent.
pub(super) struct Ask {
    method: Method,
    path: String,
    body: Option<(&'static str, Zeroizing<String>)>,
}

impl Ask {
    /// Asks for what is at the path of these segments, which are encoded here.
    pub(super) fn get(segments: &[&str]) -> Self {
        Self::new(Method::GET, segments)
    }

    /// Asks for something to be done.
    pub(super) fn post(segments: &[&str]) -> Self {
        Self::new(Method::POST, segments)
    }

    /// Asks for something to be changed.
    pub(super) fn patch(segments: &[&str]) -> Self {
        Self::new(Method::PATCH, segments)
    }

    /// Asks for something to be removed.
    pub(super) fn delete(segments: &[&str]) -> Self {
        Self::new(Method::DELETE, segments)
    }

    fn new(method: Method, segments: &[&str]) -> Self {
        let path = segments.iter().map(|segment| format!("/{}", encoded(segment))).collect();
        Self { method, path, body: None }
    }

    /// Adds a parameter to the query, if it has a value.
    pub(super) fn query(mut self, name: &str, value: Option<impl ToString>) -> Self {
        if let Some(value) = value {
            let mark = if self.path.contains('?') { '&' } else { '?' };
            self.path.push_str(&format!("{mark}{name}={}", encoded(&value.to_string())));
        }
        self
    }

    /// Sends `body` as JSON.
    pub(super) fn json(self, body: &Value) -> Self {
        Self { body: Some(("application/json", Zeroizing::new(body.to_string()))), ..self }
    }

    /// Sends one field as a form.
    pub(super) fn form(self, name: &str, value: &str) -> Self {
        let form = Zeroizing::new(format!("{name}={}", encoded(value)));
        Self { body: Some(("application/x-www-form-urlencoded", form)), ..self }
    }

    /// Returns the path, without what is in its query.
    pub(super) fn path(&self) -> &str {
        self.path.split('?').next().unwrap_or_default()
    }

    /// Returns the request, with the path and query below `prefix`.
    ///
    /// # Errors
    /// [`Failure::Setting`] when `prefix` is no beginning of a path.
    pub(super) fn request(&self, prefix: &str) -> Result<Request<Bytes>, Failure> {
        let mut request = Request::builder().method(self.method.clone()).uri(format!("{prefix}{}", self.path));
        request = request.header(ACCEPT, "application/json, application/problem+json, */*;q=0.1");
        let mut bytes = Bytes::new();
        if let Some((media_type, body)) = &self.body {
            request = request.header(CONTENT_TYPE, *media_type);
            bytes = Bytes::copy_from_slice(body.as_bytes());
        }
        request.body(bytes).map_err(|error| Failure::Setting(format!("there can be no request to {prefix}: {error}")))
    }
}

/// Returns `text` percent-encoded, all but letters, digits and `-._~` (RFC 3986 §2.3).
pub(super) fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_one_segment_whatever_is_in_it() {
        let ask = Ask::get(&["v1", "clients", "a/b?c#d%\u{fc}"]).query("limit", Some(5)).query("after", Some("x&y=z"));
        let request = ask.request("/below").expect("a request");
        assert_eq!(request.uri(), "/below/v1/clients/a%2Fb%3Fc%23d%25%C3%BC?limit=5&after=x%26y%3Dz");
        assert_eq!(ask.path(), "/v1/clients/a%2Fb%3Fc%23d%25%C3%BC");
    }

    #[test]
    fn what_is_absent_is_not_asked() {
        let ask = Ask::get(&["v1", "sessions"]).query("sub", None::<&str>);
        assert_eq!(ask.request("").expect("a request").uri(), "/v1/sessions");
    }
}
