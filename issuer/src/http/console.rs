//! `GET /`, `/www/*` and `/pkg/*`: the console and the npm package, out of the binary.
//!
//! In a debug build the files are read from the checkout instead, so that the page can be worked on. What the browser
//! may do with them is said by a Content-Security-Policy; the one inline script it allows is the page's import map.

use super::App;
use super::cors::Cors;
use super::exchange::{Endpoint, Exchange, Verb};
use super::reply::{self, Answer, Dialect, Malformed, Refusal};
use super::revocations::matches;
use base64ct::{Base64, Encoding as _};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, ETAG, REFERRER_POLICY};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use rust_embed::{EmbeddedFile, RustEmbed};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

pub(super) const PAGE: Endpoint =
    Endpoint { route: "/", verb: Verb::Read, dialect: Dialect::Problem, cors: Cors::None };

pub(super) const WWW: Endpoint =
    Endpoint { route: "/www/*", verb: Verb::Read, dialect: Dialect::Problem, cors: Cors::None };

pub(super) const PKG: Endpoint =
    Endpoint { route: "/pkg/*", verb: Verb::Read, dialect: Dialect::Problem, cors: Cors::None };

/// The console.
#[derive(RustEmbed)]
#[folder = "../www"]
#[allow_missing = true]
#[include = "*.html"]
#[include = "*.css"]
#[include = "*.js"]
#[include = "*.svg"]
#[exclude = "*test*"]
#[exclude = "node_modules/*"]
struct Www;

/// The npm package as it is published. Its wasm is generated before a release build and may be absent in others.
#[derive(RustEmbed)]
#[folder = "../pkg"]
#[allow_missing = true]
#[include = "*.js"]
#[include = "*.wasm"]
#[exclude = "*test*"]
#[exclude = "node_modules/*"]
struct Pkg;

const CROSS_ORIGIN_OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// Answers the console's page.
pub(super) async fn page(_app: Arc<App>, exchange: Exchange) -> Result<Answer, Refusal> {
    file(Www::get("index.html"), "index.html", &exchange.headers)
}

/// Answers a file of the console.
pub(super) async fn www(_app: Arc<App>, exchange: Exchange, path: String) -> Result<Answer, Refusal> {
    file(Www::get(&path), &path, &exchange.headers)
}

/// Answers a file of the npm package.
pub(super) async fn pkg(_app: Arc<App>, exchange: Exchange, path: String) -> Result<Answer, Refusal> {
    file(Pkg::get(&path), &path, &exchange.headers)
}

fn file(file: Option<EmbeddedFile>, path: &str, headers: &HeaderMap) -> Result<Answer, Refusal> {
    let (Some(file), Some(media_type)) = (file, media_type(path)) else { return Err(Malformed::NotFound.into()) };
    let etag = format!("\"{}\"", Base64::encode_string(&file.metadata.sha256_hash()));
    let mut answer = if matches(headers, &etag) {
        reply::empty(StatusCode::NOT_MODIFIED)
    } else {
        reply::text(StatusCode::OK, media_type, Bytes::from_owner(file.data.clone()))
    };
    let fields = answer.headers_mut();
    fields.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    fields.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    fields.insert(CROSS_ORIGIN_OPENER_POLICY, HeaderValue::from_static("same-origin"));
    for (name, value) in [(ETAG, etag), (CONTENT_SECURITY_POLICY, policy(&file.data))] {
        if let Ok(value) = HeaderValue::try_from(value) {
            fields.insert(name, value);
        }
    }
    Ok(answer)
}

fn media_type(path: &str) -> Option<&'static str> {
    let (_, extension) = path.rsplit_once('.')?;
    Some(match extension {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "wasm" => "application/wasm",
        _ => return None,
    })
}

/// Returns the Content-Security-Policy of `page`: nothing but our own files, and wasm (`'wasm-unsafe-eval'` compiles it).
fn policy(page: &[u8]) -> String {
    let import_map = import_map(page).map(|map| format!(" 'sha256-{}'", Base64::encode_string(&Sha256::digest(map))));
    let import_map = import_map.unwrap_or_default();
    format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'{import_map}; style-src 'self'; connect-src 'self'; \
         img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

/// Returns the text of the page's import map, exactly as the browser hashes it.
fn import_map(page: &[u8]) -> Option<&[u8]> {
    const OPEN: &[u8] = b"<script type=\"importmap\">";
    const CLOSE: &[u8] = b"</script>";
    let find = |text: &[u8], part: &[u8]| text.windows(part.len()).position(|window| window == part);
    let map = page.get(find(page, OPEN)?.checked_add(OPEN.len())?..)?;
    map.get(..find(map, CLOSE)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_allows_the_import_map_and_no_other_inline_script() {
        let page = br#"<html><script type="importmap">{"imports":{}}</script><script src="/www/main.js"></script>"#;
        let hash = Base64::encode_string(&Sha256::digest(br#"{"imports":{}}"#));
        let policy = policy(page);
        assert!(policy.contains(&format!("script-src 'self' 'wasm-unsafe-eval' 'sha256-{hash}';")), "{policy}");
        assert!(!policy.contains("unsafe-inline"));
    }

    #[test]
    fn a_page_without_an_import_map_allows_no_inline_script() {
        assert!(policy(b"<html>").contains("script-src 'self' 'wasm-unsafe-eval';"));
        assert!(policy(b"<script type=\"importmap\">{").contains("script-src 'self' 'wasm-unsafe-eval';"));
    }

    #[test]
    fn only_files_a_browser_needs_are_served() {
        for path in ["package.json", "index.d.ts", "README.md", "js", "../Cargo.toml", ".npmrc"] {
            assert_eq!(media_type(path), None, "{path}");
        }
        for path in ["../issuer/src/http/console.js", "/etc/passwd.js", "..%2fx.js", "no-such.js"] {
            assert!(Www::get(path).is_none() && Pkg::get(path).is_none(), "{path}");
        }
    }
}
