//! Lists of sessions, and ending them one by one or all but one.

use super::*;
use futures_util::future::join_all;
use std::collections::BTreeSet;

fn backend(id: &str) -> Client {
    Client { id: id.to_owned(), administrator: false, origin: Origin::internal() }
}

/// A world with the clients `shop` and `bank`.
async fn with_clients() -> World {
    let world = world().await;
    for id in ["shop", "bank"] {
        world.issuer.ensure_client(id, Some(secret())).await.unwrap();
    }
    world
}

fn of(sub: &str) -> SessionQuery {
    SessionQuery { sub: sub.to_owned(), only_active: false, after: None, limit: 50 }
}

/// A session of `user-1` on this device.
async fn on(world: &World, client: &Client, device: &str) -> TokenAnswer {
    let request = MintRequest { device: Some(device.to_owned()), ..request() };
    world.issuer.mint(client, request).await.unwrap()
}

#[tokio::test]
async fn a_session_shows_where_it_began_and_both_its_clocks() {
    let world = with_clients().await;
    let first = on(&world, &backend("shop"), "a phone").await;
    world.clock.advance_secs(100);
    world.issuer.refresh(&backend("shop"), first.refresh_token.as_deref().unwrap(), None).await.unwrap();
    let began = start().as_secs();
    let expected = SessionView {
        sid: first.sid.clone(),
        sub: "user-1".to_owned(),
        client_id: "shop".to_owned(),
        device: Some("a phone".to_owned()),
        scope: Some("read write admin".to_owned()),
        created_at: began,
        last_refreshed_at: began + 100,
        expires_at: began + 100 + 604_800,
        ends_at: Some(began + 2_592_000),
        active: true,
        ended: None,
    };
    let world = world.reopened().await;
    assert_eq!(world.issuer.session(&world.admin, &first.sid).await, Ok(expected.clone()));
    let listed = world.issuer.sessions(&backend("shop"), of("user-1")).await.unwrap();
    assert_eq!(listed, SessionViews { items: vec![expected], next: None });
}

#[tokio::test]
async fn sessions_of_others_leave_no_trace_in_the_parts_of_a_list() {
    let world = with_clients().await;
    let (shop, bank) = (backend("shop"), backend("bank"));
    let mut ours = Vec::new();
    for number in 0..12 {
        on(&world, &bank, "theirs").await;
        if number % 4 == 0 {
            ours.push(on(&world, &shop, "ours").await.sid);
        }
    }
    ours.sort();
    let (mut seen, mut after, mut parts) = (Vec::new(), None, 0);
    loop {
        let query = SessionQuery { after, limit: 1, ..of("user-1") };
        let part = world.issuer.sessions(&shop, query).await.unwrap();
        assert!(part.next.is_none() || part.items.last().map(|view| &view.sid) == part.next.as_ref());
        seen.extend(part.items.into_iter().map(|view| view.sid));
        (after, parts) = (part.next, parts + 1);
        if after.is_none() {
            break;
        }
    }
    seen.sort();
    assert_eq!((seen, parts), (ours, 4));
    let nobody = backend("nobody");
    let none = world.issuer.sessions(&nobody, SessionQuery { limit: 1, ..of("user-1") }).await.unwrap();
    assert_eq!(none, SessionViews { items: vec![], next: None });
}

#[tokio::test]
async fn very_many_sessions_of_others_are_read_over_in_several_answers_that_name_none() {
    let world = with_clients().await;
    let (shop, bank) = (backend("shop"), backend("bank"));
    let theirs: Vec<String> =
        join_all((0..2_500).map(|_| on(&world, &bank, "theirs"))).await.into_iter().map(|pair| pair.sid).collect();
    let ours = BTreeSet::from([on(&world, &shop, "ours").await.sid, on(&world, &shop, "ours").await.sid]);
    let (mut seen, mut after, mut parts) = (Vec::new(), None, 0);
    loop {
        let query = SessionQuery { after, limit: 3, ..of("user-1") };
        let part = world.issuer.sessions(&shop, query).await.unwrap();
        assert!(part.next.as_ref().is_none_or(|next| !theirs.contains(next)), "{part:?}");
        seen.extend(part.items.into_iter().map(|view| view.sid));
        (after, parts) = (part.next, parts + 1);
        if after.is_none() {
            break;
        }
    }
    assert_eq!((seen.len(), seen.into_iter().collect(), parts), (2, ours, 3));
}

#[tokio::test]
async fn a_client_sees_and_ends_the_sessions_it_began_and_an_administrator_all() {
    let world = with_clients().await;
    let (shop, bank) = (backend("shop"), backend("bank"));
    let (ours, theirs) = (on(&world, &shop, "a").await, on(&world, &bank, "b").await);
    let sids = async |client: &Client| {
        let listed = world.issuer.sessions(client, of("user-1")).await.unwrap();
        listed.items.into_iter().map(|view| view.sid).collect::<Vec<_>>()
    };
    assert_eq!((sids(&shop).await, sids(&bank).await), (vec![ours.sid.clone()], vec![theirs.sid.clone()]));
    assert_eq!(sids(&world.admin).await.len(), 2);
    for sid in [&theirs.sid, "AAAAAAAAAAAAAAAAAAAAAA", "", "x"] {
        assert_eq!(world.issuer.session(&shop, sid).await.err(), Some(Error::UnknownSession));
        assert_eq!(world.issuer.end_session(&shop, sid).await.err(), Some(Error::UnknownSession));
    }
    assert!(world.verify(&theirs.access_token).is_ok());
    world.issuer.end_session(&shop, &ours.sid).await.unwrap();
    assert_eq!(world.verify(&ours.access_token).unwrap_err(), REVOKED);
    let ended = world.issuer.session(&shop, &ours.sid).await.unwrap();
    assert!(
        !ended.active && ended.ended.is_some_and(|ended| ended.reason == "revoked" && ended.at == start().as_secs())
    );
    assert!(world.issuer.end_session(&shop, &ours.sid).await.is_ok(), "it is over, as was asked");
    let all = world.issuer.end_sessions(&shop, "user-1".to_owned(), None).await.unwrap();
    assert_eq!(all.ended, 0);
    assert!(world.verify(&theirs.access_token).is_ok());
    assert_eq!(world.issuer.end_sessions(&world.admin, "user-1".to_owned(), None).await.unwrap().ended, 1);
    assert_eq!(world.verify(&theirs.access_token).unwrap_err(), REVOKED);
}

#[tokio::test]
async fn all_sessions_but_one_end_with_their_tokens() {
    let world = world().await;
    let (mut pairs, admin) = (Vec::new(), &world.admin);
    for device in ["one", "two", "three"] {
        pairs.push(on(&world, admin, device).await);
    }
    let ended = world.issuer.end_sessions(admin, "user-1".to_owned(), Some(&pairs[1].sid)).await.unwrap();
    assert_eq!((ended.ended, ended.revocation.seq), (2, world.issuer.revocation_list().seq));
    let accepted: Vec<bool> = pairs.iter().map(|pair| world.verify(&pair.access_token).is_ok()).collect();
    assert_eq!(accepted, [false, true, false]);
    let active = world.issuer.sessions(admin, SessionQuery { only_active: true, ..of("user-1") }).await.unwrap();
    assert_eq!(active.items.iter().map(|view| view.device.as_deref()).collect::<Vec<_>>(), [Some("two")]);
    let refused = world.issuer.end_sessions(admin, "user-1".to_owned(), Some("x")).await.err();
    assert!(matches!(refused, Some(Error::InvalidRequest { field: "except", .. })));
}

#[tokio::test]
async fn a_session_that_a_rule_or_time_has_ended_is_not_active() {
    let world = world().await;
    let pair = world.pair().await;
    let active = async || world.issuer.session(&world.admin, &pair.sid).await.unwrap().active;
    assert!(active().await);
    world.clock.advance_secs(604_800);
    assert!(!active().await);
    let pair = world.pair().await;
    let request = RevocationRequest::Client { client_id: "admin".to_owned() };
    world.issuer.revoke_by(&world.admin, request).await.unwrap();
    let view = world.issuer.session(&world.admin, &pair.sid).await.unwrap();
    assert!(!view.active && view.ended.is_none());
}

#[tokio::test]
async fn a_list_goes_on_where_it_ended_and_holds_each_session_once() {
    let world = world().await;
    for _ in 0..7 {
        world.pair().await;
    }
    let (mut sids, mut query) = (std::collections::BTreeSet::new(), SessionQuery { limit: 3, ..of("user-1") });
    loop {
        let part = world.issuer.sessions(&world.admin, query.clone()).await.unwrap();
        assert!(part.items.len() <= 3);
        part.items.into_iter().for_each(|view| assert!(sids.insert(view.sid)));
        let Some(next) = part.next else { break };
        query.after = Some(next);
    }
    assert_eq!(sids.len(), 7);
    query.after = Some("x".to_owned());
    let refused = world.issuer.sessions(&world.admin, query).await.err();
    assert!(matches!(refused, Some(Error::InvalidRequest { field: "after", .. })));
}

#[tokio::test]
async fn the_audit_log_is_for_administrators_and_tells_of_them() {
    use crate::audit::{Act, Filter};
    use crate::operations::audit::{Order, Query};
    let world = with_clients().await;
    let pair = on(&world, &backend("shop"), "a phone").await;
    let filter = Filter { sid: Some(pair.sid.clone()), act: Some(Act::TokenIssued), ..Filter::default() };
    let query = Query { filter, order: Order::OldestFirst, after: None, limit: 9 };
    assert_eq!(world.issuer.audit_page(&backend("shop"), &query).await.err(), Some(Error::UnauthorizedClient));
    let found = world.issuer.audit_page(&world.admin, &query).await.unwrap();
    assert!(matches!(&found.items[..], [(_, event)] if event.contains(r#""detail":"a phone""#)), "{found:?}");
}

#[tokio::test]
async fn old_events_go_by_the_hour_and_that_is_told() {
    use crate::audit::{Act, Filter};
    use crate::operations::audit::{Order, Query, Retention};
    let retention = Retention { secs: 1_000, events: 1_000_000 };
    let world = world_with(Settings { audit: retention, ..settings() }).await;
    world.pair().await;
    let all = Query { filter: Filter::default(), order: Order::OldestFirst, after: None, limit: 100 };
    let acts = async || {
        let found = world.issuer.audit_page(&world.admin, &all).await.unwrap();
        let act = |text: &str| Act::ALL.iter().copied().find(|act| text.contains(&format!("\"{act}\""))).unwrap();
        found.items.iter().map(|(_, text)| act(text)).collect::<Vec<_>>()
    };
    world.issuer.tick().await;
    assert!(acts().await.contains(&Act::TokenIssued));
    world.clock.advance_secs(3_599);
    world.issuer.tick().await;
    assert!(acts().await.contains(&Act::TokenIssued), "the hour is not over");
    world.clock.advance_secs(1);
    world.issuer.tick().await;
    assert_eq!(acts().await, [Act::AuditTrimmed]);
    world.issuer.tick().await;
    assert_eq!(acts().await, [Act::AuditTrimmed], "once an hour");
}
