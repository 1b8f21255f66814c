//! `GET /v1/audit`: the audit log, for administrators.

use super::App;
use super::client_auth;
use super::cors::Cors;
use super::exchange::{Endpoint, Exchange, Verb};
use super::reply::{self, Answer, Dialect, Malformed, Refusal};
use super::request::{Form, Page};
use crate::audit::{Act, Filter};
use crate::operations::audit::{Found, Order, Query};
use std::sync::Arc;
use token::time::UnixTime;

const NAMES: &[&str] = &["sub", "sid", "client_id", "act", "from", "to", "order", "limit", "after"];

pub(super) const LIST: Endpoint =
    Endpoint { route: "/v1/audit", verb: Verb::Ask(NAMES), dialect: Dialect::Problem, cors: Cors::None };

/// Answers a part of the log. Each event is in it as it was hashed, byte for byte.
pub(super) async fn list(app: Arc<App>, mut exchange: Exchange) -> Result<Answer, Refusal> {
    let client = client_auth::by_header(&app, &exchange.headers, &exchange.origin).await?;
    let query = query(&mut exchange.query)?;
    let Found { items, next } = app.issuer.audit_page(&client, &query).await?;
    let items: Vec<String> = items.iter().map(|(link, event)| link.item(event)).collect();
    let next = next.map(|next| format!(",\"next\":\"{next}\"")).unwrap_or_default();
    Ok(reply::text(http::StatusCode::OK, "application/json", format!("{{\"items\":[{}]{next}}}", items.join(","))))
}

fn query(given: &mut Form) -> Result<Query, Malformed> {
    let page = Page::take(given)?;
    let after = page.after.map(|after| after.parse().map_err(|_| Malformed::Member("after", "must be a 'seq'")));
    let text = |value: Option<zeroize::Zeroizing<String>>| value.map(|value| value.as_str().to_owned());
    let order = match given.take("order").as_ref().map(|order| order.as_str()) {
        None | Some("oldest") => Order::OldestFirst,
        Some("newest") => Order::NewestFirst,
        Some(_) => return Err(Malformed::Member("order", "must be 'oldest' or 'newest'")),
    };
    let act =
        given.take("act").map(|name| Act::parse(&name).ok_or(Malformed::Member("act", "is not the name of an act")));
    let filter = Filter {
        sub: text(given.take("sub")),
        sid: text(given.take("sid")),
        client_id: text(given.take("client_id")),
        act: act.transpose()?,
        from: time(given, "from")?,
        to: time(given, "to")?,
    };
    Ok(Query { filter, order, after: after.transpose()?, limit: page.limit })
}

fn time(given: &mut Form, name: &'static str) -> Result<Option<UnixTime>, Malformed> {
    let parse = |text: zeroize::Zeroizing<String>| text.parse().ok().and_then(UnixTime::from_secs);
    let refused = Malformed::Member(name, "must be whole seconds since 1970");
    given.take(name).map(|text| parse(text).ok_or(refused)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Query, Malformed> {
        query(&mut super::super::request::query(text, NAMES)?)
    }

    #[test]
    fn every_filter_is_read() {
        let read =
            read("sub=a%20b&sid=s&client_id=c&act=token.reused&from=1&to=2&order=newest&limit=7&after=9").unwrap();
        let text = |text: &str| Some(text.to_owned());
        let filter = Filter {
            sub: text("a b"),
            sid: text("s"),
            client_id: text("c"),
            act: Some(Act::TokenReused),
            from: UnixTime::from_secs(1),
            to: UnixTime::from_secs(2),
        };
        assert_eq!(read, Query { filter, order: Order::NewestFirst, after: Some(9), limit: 7 });
    }

    #[test]
    fn what_cannot_be_meant_is_refused_by_its_name() {
        for (text, name) in [
            ("act=token", "act"),
            ("from=-1", "from"),
            ("to=1.5", "to"),
            ("from=253402300800", "from"),
            ("order=up", "order"),
            ("after=x", "after"),
            ("after=-1", "after"),
            ("limit=201", "limit"),
        ] {
            assert!(matches!(read(text), Err(Malformed::Member(named, _)) if named == name), "{text}");
        }
        assert_eq!(read("user=a").err(), Some(Malformed::Unknown("user".to_owned())));
    }
}
