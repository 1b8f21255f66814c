//! Cookies of logins (RFC 6265bis): read, written, cleared; and whether a request with them comes from a page that may send it.
//!
//! ```text
//! access    HttpOnly, sent with every request to this host       refresh   HttpOnly, sent to /v1/session only
//! csrf      scripts read it and send it back as X-CSRF-Token     device    HttpOnly, outlives the login
//! ```
//!
//! All are Secure, whatever the connection: browsers make an exception for loopback themselves. A request with cookies does
//! something only when the browser says that a page of this origin or of a listed one sends it (`Sec-Fetch-Site`, `Origin`), and when
//! it repeats the CSRF token of the very session in a header, which a page of another origin can neither read nor send.

use super::App;
use super::reply::{Answer, Malformed};
use crate::config::{Cookies, SameSite, SiteData};
use crate::operations::{LoginSession, TokenAnswer};
use http::header::{COOKIE, ORIGIN, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue};
use subtle::ConstantTimeEq as _;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const X_CSRF_TOKEN: HeaderName = HeaderName::from_static("x-csrf-token");
const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

/// Bytes of a whole `Set-Cookie` field that every browser keeps (RFC 6265bis §6.1 counts name and value only, older ones all).
const MAX_COOKIE: usize = 4096;
/// How long a device is known: browsers keep no cookie for more than 400 days.
const DEVICE_SECS: u64 = 180 * 86_400;

/// How browsers keep tokens: the settings, with what follows from the issuer's URL.
pub(super) struct Keeper {
    cookies: Cookies,
    refresh_path: String,
    /// The path of the issuer's URL, empty where it has none.
    base_path: String,
    /// The issuer's own origin, as browsers write it.
    origin: String,
}

/// The cookies of ours that came with a request.
#[derive(Default)]
pub(super) struct Jar {
    pub(super) access: Option<String>,
    pub(super) refresh: Option<String>,
    pub(super) csrf: Option<String>,
    pub(super) device: Option<String>,
}

impl Keeper {
    pub(super) fn new(cookies: Cookies, issuer: &str) -> Self {
        let (scheme, rest) = issuer.split_once("://").unwrap_or(("https", issuer));
        let (authority, path) =
            rest.split_once('/').map_or((rest, String::new()), |(host, path)| (host, format!("/{path}")));
        let authority = match scheme {
            "https" => authority.strip_suffix(":443").unwrap_or(authority),
            _ => authority.strip_suffix(":80").unwrap_or(authority),
        };
        let refresh_path = cookies.refresh_path.clone().unwrap_or_else(|| format!("{path}/v1/session"));
        Self { cookies, refresh_path, base_path: path, origin: format!("{scheme}://{authority}") }
    }

    /// Returns the path that clients put before ours, empty where the issuer's URL has none.
    pub(super) fn base_path(&self) -> &str {
        &self.base_path
    }

    /// Returns the bytes that an access token may have.
    pub(super) fn longest_token(&self) -> usize {
        MAX_COOKIE.saturating_sub(self.access("", u64::MAX).len())
    }

    /// Returns our cookies of a request. Those of others on this host may hold any bytes.
    ///
    /// # Errors
    /// [`Malformed::Cookie`] for one that is sent twice: another host of the domain may have set the second.
    pub(super) fn read(&self, headers: &HeaderMap) -> Result<Jar, Malformed> {
        let mut jar = Jar::default();
        let pairs = headers.get_all(COOKIE).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
        let texts = pairs.filter_map(|pair| std::str::from_utf8(pair).ok());
        for (name, value) in texts.filter_map(|pair| pair.trim_matches([' ', '\t']).split_once('=')) {
            let slot = if name == self.cookies.access_name {
                &mut jar.access
            } else if name == self.cookies.refresh_name {
                &mut jar.refresh
            } else if name == self.cookies.csrf_name {
                &mut jar.csrf
            } else if name == self.cookies.device_name {
                &mut jar.device
            } else {
                continue;
            };
            if slot.replace(value.to_owned()).is_some() {
                return Err(Malformed::Cookie("is sent twice"));
            }
        }
        Ok(jar)
    }

    /// Adds the cookies of a pair to its answer; the tokens' lives are theirs.
    pub(super) fn keep(&self, answer: &mut Answer, pair: &TokenAnswer, csrf_token: &str) {
        let life = pair.refresh_expires_in.unwrap_or(pair.expires_in);
        add(answer, &self.access(&pair.access_token, pair.expires_in));
        add(answer, &self.refresh(pair.refresh_token.as_deref().unwrap_or_default(), life));
        add(answer, &self.csrf(csrf_token, life));
    }

    /// Adds the cookie by which the device is known.
    pub(super) fn keep_device(&self, answer: &mut Answer, device_token: &str) {
        let (name, path) = (&self.cookies.device_name, &self.refresh_path);
        add(answer, &self.cookie(name, device_token, path, DEVICE_SECS, SameSite::Strict, true));
    }

    /// Makes the browser forget the tokens; the device stays known.
    pub(super) fn clear(&self, answer: &mut Answer) {
        add(answer, &self.access("", 0));
        add(answer, &self.refresh("", 0));
        add(answer, &self.csrf("", 0));
    }

    /// Makes the browser forget what it keeps of this site besides.
    pub(super) fn clear_site_data(&self, answer: &mut Answer) {
        let kind = |kind: &SiteData| match kind {
            SiteData::Cache => "\"cache\"",
            SiteData::Cookies => "\"cookies\"",
            SiteData::Storage => "\"storage\"",
        };
        let kinds: Vec<&str> = self.cookies.clear_site_data.iter().map(kind).collect();
        if let (false, Ok(value)) = (kinds.is_empty(), HeaderValue::from_str(&kinds.join(", "))) {
            answer.headers_mut().insert(CLEAR_SITE_DATA, value);
        }
    }

    /// Checks that a browser sends this for a page that may log users in and out. What is no browser sends neither of the two
    /// fields, and no browser leaves out both in a POST.
    ///
    /// # Errors
    /// [`Malformed::CrossSite`].
    pub(super) fn check_site(&self, headers: &HeaderMap, listed: &[String]) -> Result<(), Malformed> {
        let (site, origin) = (headers.get(SEC_FETCH_SITE), headers.get(ORIGIN));
        let own = |origin: &HeaderValue| {
            let known = std::iter::once(&self.origin).chain(listed);
            known.into_iter().any(|known| known.as_bytes() == origin.as_bytes())
        };
        let allowed = match (site.map(HeaderValue::as_bytes), origin) {
            (Some(b"same-origin"), _) => true, // a page cannot set it, and a proxy may have another name than the issuer
            (_, Some(origin)) => own(origin),
            (Some(b"none") | None, None) => true,
            (Some(_), None) => false,
        };
        if allowed || !self.cookies.csrf { Ok(()) } else { Err(Malformed::CrossSite) }
    }

    fn access(&self, value: &str, life_secs: u64) -> String {
        let Cookies { access_name, access_path, access_same_site, .. } = &self.cookies;
        self.cookie(access_name, value, access_path, life_secs, *access_same_site, true)
    }

    fn refresh(&self, value: &str, life_secs: u64) -> String {
        let Cookies { refresh_name, refresh_same_site, .. } = &self.cookies;
        self.cookie(refresh_name, value, &self.refresh_path, life_secs, *refresh_same_site, true)
    }

    fn csrf(&self, value: &str, life_secs: u64) -> String {
        let Cookies { csrf_name, access_path, refresh_same_site, .. } = &self.cookies;
        self.cookie(csrf_name, value, access_path, life_secs, *refresh_same_site, false)
    }

    fn cookie(
        &self,
        name: &str,
        value: &str,
        path: &str,
        life_secs: u64,
        same_site: SameSite,
        http_only: bool,
    ) -> String {
        let same_site = match same_site {
            SameSite::Strict => "Strict",
            SameSite::Lax => "Lax",
            SameSite::None => "None",
        };
        let domain = self.cookies.domain.as_ref().map(|domain| format!("; Domain={domain}")).unwrap_or_default();
        let http_only = if http_only { "; HttpOnly" } else { "" };
        format!("{name}={value}; Path={path}{domain}; Max-Age={life_secs}; Secure{http_only}; SameSite={same_site}")
    }
}

/// Checks that a request with the cookies of this session repeats its CSRF token in a header.
///
/// # Errors
/// [`Malformed::CsrfToken`].
pub(super) fn check_token(app: &App, headers: &HeaderMap, jar: &Jar, session: LoginSession) -> Result<(), Malformed> {
    if !app.keeper.cookies.csrf {
        return Ok(());
    }
    let mut sent = headers.get_all(X_CSRF_TOKEN).iter();
    let (Some(header), None, Some(cookie)) = (sent.next(), sent.next(), &jar.csrf) else {
        return Err(Malformed::CsrfToken);
    };
    let same = bool::from(header.as_bytes().ct_eq(cookie.as_bytes()));
    if same && app.issuer.is_csrf_token(cookie, session) { Ok(()) } else { Err(Malformed::CsrfToken) }
}

fn add(answer: &mut Answer, cookie: &str) {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        answer.headers_mut().append(SET_COOKIE, value);
    }
}
