//! `POST /v1/revocations`: an administrator takes back what a name stands for, and not one token.

use super::App;
use super::client_auth;
use super::cors::Cors;
use super::exchange::{Endpoint, Exchange, Verb};
use super::reply::{self, Answer, Dialect, Malformed, Refusal};
use super::request::{self, JSON, Members};
use crate::operations::RevocationRequest;
use std::sync::Arc;

pub(super) const ENDPOINT: Endpoint =
    Endpoint { route: "/v1/revocations", verb: Verb::Act, dialect: Dialect::Problem, cors: Cors::None };

/// Revokes, and answers from which list on everybody is told; 200 also when there was nothing to revoke.
pub(super) async fn answer(app: Arc<App>, exchange: Exchange) -> Result<Answer, Refusal> {
    let body = request::read(&exchange.headers, exchange.body, JSON, app.body_timeout).await?;
    let client = client_auth::by_header(&app, &exchange.headers, &exchange.origin).await?;
    let request = parse(Members::parse(&body)?)?;
    Ok(reply::json(&app.issuer.revoke_by(&client, request).await?))
}

/// Exactly one member says what; `issued_before` narrows two of them.
fn parse(mut members: Members) -> Result<RevocationRequest, Malformed> {
    let subject = members.text("subject")?;
    let session = members.text("session")?;
    let client = members.text("client")?;
    let key = members.text("key")?;
    let all = members.only_true("all")?;
    let issued_before = members.seconds("issued_before")?;
    members.finish()?;
    let mut requests = [
        ("subject", subject.map(|sub| RevocationRequest::Subject { sub, issued_before })),
        ("session", session.map(|sid| RevocationRequest::Session { sid })),
        ("client", client.map(|client_id| RevocationRequest::Client { client_id })),
        ("key", key.map(|kid| RevocationRequest::Key { kid })),
        ("all", all.then_some(RevocationRequest::All { issued_before })),
    ]
    .into_iter()
    .filter_map(|(name, request)| request.map(|request| (name, request)));
    let (_, request) = requests.next().ok_or(Malformed::Missing("subject, session, client, key or all"))?;
    if let Some((name, _)) = requests.next() {
        return Err(Malformed::Member(name, "cannot be given together with another target"));
    }
    match &request {
        RevocationRequest::Subject { .. } | RevocationRequest::All { .. } => Ok(request),
        RevocationRequest::Session { .. } | RevocationRequest::Client { .. } | RevocationRequest::Key { .. } => {
            let misplaced = Malformed::Member("issued_before", "goes with subject and all only");
            issued_before.map_or(Ok(request), |_| Err(misplaced))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(body: &str) -> Result<RevocationRequest, Malformed> {
        Members::parse(body.as_bytes()).and_then(parse)
    }

    #[test]
    fn exactly_one_target_is_read() {
        let text = |text: &str| text.to_owned();
        let cases = [
            (r#"{"subject":"a"}"#, RevocationRequest::Subject { sub: text("a"), issued_before: None }),
            (
                r#"{"issued_before":7,"subject":"a"}"#,
                RevocationRequest::Subject { sub: text("a"), issued_before: Some(7) },
            ),
            (r#"{"session":"a"}"#, RevocationRequest::Session { sid: text("a") }),
            (r#"{"client":"a"}"#, RevocationRequest::Client { client_id: text("a") }),
            (r#"{"key":"a"}"#, RevocationRequest::Key { kid: text("a") }),
            (r#"{"all":true}"#, RevocationRequest::All { issued_before: None }),
            (r#"{"all":true,"issued_before":0}"#, RevocationRequest::All { issued_before: Some(0) }),
        ];
        for (body, request) in cases {
            assert_eq!(parsed(body), Ok(request), "{body}");
        }
    }

    #[test]
    fn no_target_two_of_them_and_a_time_without_use_are_refused() {
        for body in [r"{}", r#"{"issued_before":7}"#] {
            assert!(matches!(parsed(body), Err(Malformed::Missing(_))), "{body}");
        }
        for (body, name) in [
            (r#"{"subject":"a","session":"b"}"#, "session"),
            (r#"{"subject":"a","all":true}"#, "all"),
            (r#"{"key":"a","client":"b"}"#, "key"),
            (r#"{"all":false}"#, "all"),
            (r#"{"all":null}"#, "all"),
            (r#"{"all":1}"#, "all"),
            (r#"{"subject":"a","all":false}"#, "all"),
            (r#"{"session":"a","issued_before":7}"#, "issued_before"),
            (r#"{"client":"a","issued_before":7}"#, "issued_before"),
            (r#"{"key":"a","issued_before":7}"#, "issued_before"),
            (r#"{"all":true,"issued_before":"7"}"#, "issued_before"),
        ] {
            assert!(matches!(parsed(body), Err(Malformed::Member(named, _)) if named == name), "{body}");
        }
    }
}
