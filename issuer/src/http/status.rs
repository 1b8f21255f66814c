//! `GET /status` and `GET /status/{epoch}`: the Token Status List view of the revocation list
//! (draft-ietf-oauth-status-list-20 §8.1 and §9).

use super::App;
use super::cors::Cors;
use super::exchange::{Endpoint, Exchange, Verb};
use super::reply::{self, Answer, Dialect, Malformed, Refusal};
use super::revocations::{matches, number};
use crate::operations::{StatusForm, StatusList};
use bytes::Bytes;
use http::header::{ACCEPT, CACHE_CONTROL, ETAG, VARY};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::json;
use std::sync::Arc;

pub(super) const ALL: Endpoint =
    Endpoint { route: "/status", verb: Verb::Read, dialect: Dialect::Problem, cors: Cors::Anyone };

pub(super) const EPOCH: Endpoint =
    Endpoint { route: "/status/{epoch}", verb: Verb::Read, dialect: Dialect::Problem, cors: Cors::Anyone };

/// The forms with their subtypes; the first is sent to a caller who does not mind.
const FORMS: [(StatusForm, &str, &str); 2] = [
    (StatusForm::Jwt, "application/statuslist+jwt", "statuslist+jwt"),
    (StatusForm::Cwt, "application/statuslist+cwt", "statuslist+cwt"),
];

/// Answers with the URIs of all lists there are (draft §9.3).
pub(super) async fn all(app: Arc<App>, _exchange: Exchange) -> Result<Answer, Refusal> {
    let mut answer = reply::json(&json!({"status_lists": app.issuer.status_lists().await?}));
    // Epochs come and go by the minute; a list that is asked for in vain costs its reader one 404.
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=15"));
    Ok(answer)
}

/// Answers with the list of an epoch, in the form that the caller likes best.
pub(super) async fn epoch(app: Arc<App>, exchange: Exchange, epoch: String) -> Result<Answer, Refusal> {
    let answered = negotiated(&app, &exchange.headers, &epoch).await;
    let mut answer = answered.unwrap_or_else(|refusal| reply::refuse(Dialect::Problem, &refusal));
    answer.headers_mut().insert(VARY, HeaderValue::from_static("Accept")); // the refusal depends on it too
    Ok(answer)
}

async fn negotiated(app: &App, headers: &HeaderMap, epoch: &str) -> Result<Answer, Refusal> {
    let epoch = number(epoch).and_then(|epoch| u32::try_from(epoch).ok()).ok_or(Malformed::NotFound)?;
    let (form, media_type) = preferred(headers).ok_or(Malformed::NotAcceptable)?;
    let StatusList { version, document } = app.issuer.status_list(epoch, form).await?.ok_or(Malformed::NotFound)?;
    let etag = format!("\"{version}\"");
    let mut answer = if matches(headers, &etag) {
        reply::empty(StatusCode::NOT_MODIFIED)
    } else {
        reply::text(StatusCode::OK, media_type, Bytes::from_owner(document))
    };
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=1"));
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        answer.headers_mut().insert(ETAG, etag);
    }
    Ok(answer)
}

/// Returns the form that `Accept` gives the highest weight, the JWT among equals; `None` when it allows neither
/// (RFC 9110 §12.5.1).
pub(super) fn preferred(headers: &HeaderMap) -> Option<(StatusForm, &'static str)> {
    let fields: Vec<&str> = headers.get_all(ACCEPT).iter().filter_map(|field| field.to_str().ok()).collect();
    let ranges: Vec<Range<'_>> = fields.iter().flat_map(|field| field.split(',')).filter_map(Range::parse).collect();
    let weighed = FORMS.map(|(form, media_type, subtype)| {
        let applying = ranges.iter().filter_map(|range| Some((range.precision(subtype)?, range.weight)));
        let weight = if ranges.is_empty() { 1_000 } else { applying.max().map_or(0, |(_, weight)| weight) };
        (weight, form, media_type)
    });
    let [jwt, cwt] = weighed;
    let best = if cwt.0 > jwt.0 { cwt } else { jwt };
    (best.0 > 0).then_some((best.1, best.2))
}

/// One media range of `Accept` with its weight in thousandths.
struct Range<'a> {
    kind: &'a str,
    subtype: &'a str,
    weight: u32,
}

impl<'a> Range<'a> {
    /// Reads a range; parameters other than the weight are not looked at, and what is no range is passed over.
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let (kind, subtype) = parts.next()?.split_once('/')?;
        let weight = parts.filter_map(|part| part.split_once('=')).find(|(name, _)| name.eq_ignore_ascii_case("q"));
        let weight = weight.map_or(Some(1_000), |(_, value)| thousandths(value))?;
        Some(Self { kind, subtype, weight })
    }

    /// Returns how precisely the range names `application/<subtype>`; `None` when it does not.
    fn precision(&self, subtype: &str) -> Option<u8> {
        let application = self.kind.eq_ignore_ascii_case("application");
        if application && self.subtype.eq_ignore_ascii_case(subtype) {
            Some(2)
        } else if application && self.subtype == "*" {
            Some(1)
        } else {
            (self.kind == "*" && self.subtype == "*").then_some(0)
        }
    }
}

/// Returns a weight (RFC 9110 §12.4.2) in thousandths.
fn thousandths(text: &str) -> Option<u32> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = fraction.bytes().all(|byte| byte.is_ascii_digit()) && fraction.len() <= 3;
    let fraction: u32 = if digits { format!("{fraction:0<3}").parse().ok()? } else { return None };
    match whole {
        "0" => Some(fraction),
        "1" if fraction == 0 => Some(1_000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(accept: &[&'static str]) -> Option<StatusForm> {
        let headers = accept.iter().map(|value| (ACCEPT, HeaderValue::from_static(value)));
        let mut map = HeaderMap::new();
        headers.for_each(|(name, value)| assert!(map.append(name, value) || map.len() == 1));
        preferred(&map).map(|(form, _)| form)
    }

    #[test]
    fn the_jwt_is_sent_unless_the_cwt_is_liked_better() {
        let cwt = "application/statuslist+cwt";
        for accept in [
            &[][..],
            &["*/*"],
            &["application/*;q=0.1"],
            &["application/statuslist+jwt", cwt],
            &["application/statuslist+cwt;q=0.9, */*"],
            &["application/statuslist+cwt;q=0, */*;q=0.1"],
            &["APPLICATION/StatusList+JWT; Q=0.001"],
            &["text/html, */*;q=0.8"],
        ] {
            assert_eq!(form(accept), Some(StatusForm::Jwt), "{accept:?}");
        }
        for accept in [
            &[cwt][..],
            &["application/statuslist+jwt;q=0.5", cwt],
            &["application/statuslist+jwt;q=0.5,application/*;q=0.7"],
            &["application/statuslist+jwt;q=0, */*"],
            &["text/html", "application/statuslist+cwt ; q=0.2"],
        ] {
            assert_eq!(form(accept), Some(StatusForm::Cwt), "{accept:?}");
        }
    }

    #[test]
    fn a_caller_who_allows_neither_form_gets_none() {
        for accept in [
            "text/html",
            "application/json",
            "*/*;q=0",
            "application/statuslist+jwt;q=0, application/statuslist+cwt;q=0.000",
            "application/statuslist+jwt;q=0, application/*;q=0, */*",
            "text/*",
        ] {
            assert_eq!(form(&[accept]), None, "{accept}");
        }
    }

    #[test]
    fn a_weight_has_three_digits_at_most() {
        assert_eq!(["1", "1.000", "0.5", "0.05", "0."].map(thousandths), [1000, 1000, 500, 50, 0].map(Some));
        for text in ["", "2", "1.001", "0.1234", "-1", "0.x", "+0.5", ".5", "0.+5"] {
            assert_eq!(thousandths(text), None, "{text}");
        }
    }
}
