//! What every engine must do with events.

use super::*;
use crate::audit::{Broken, Filter, Link};
use crate::store::audit::{Query, page, verify};

fn event(n: u64) -> Event {
    Event::new(Act::TokenIssued, &Origin::internal(), at(n)).subject(&format!("user-{n}"))
}

fn texts(events: &[Event]) -> Vec<String> {
    events.iter().map(|event| String::from_utf8(event.to_bytes()).unwrap()).collect()
}

/// All events that are kept, in their order; the chain is whole.
async fn kept(store: &dyn Store) -> Vec<String> {
    let extent = verify(store, vec![]).await.unwrap().unwrap();
    assert_eq!(store.audit_extent().await, Ok(extent));
    let (mut kept, mut seq) = (Vec::new(), extent.before.seq);
    while seq < extent.newest.seq {
        for (link, event) in store.event_runs(seq + 1, Order::OldestFirst, 3).await.unwrap().iter().flat_map(Run::links)
        {
            assert_eq!(link.seq, seq + 1, "none twice, none left out");
            kept.push(String::from_utf8(event.to_vec()).unwrap());
            seq = link.seq;
        }
    }
    kept
}

pub(crate) async fn every_change_has_its_events_in_the_order_of_the_changes_also_after_a_restart(open: Open) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    assert_eq!(store.audit_extent().await, Ok(Extent::default()));
    let sid = SessionId([1; 16]);
    let client = ClientRecord::administrator("x", [1; 32], at(0));
    store.create_session(session(1), vec![event(1)]).await.unwrap();
    let ends = |session: Session| Told { events: vec![event(2)], step: session.revoke(at(1)) };
    store.update_session(sid, Box::new(ends)).await.unwrap();
    let again = |session: Session| Told { events: vec![event(3)], step: session.revoke(at(1)) };
    let (_, outcome) = store.update_session(sid, Box::new(again)).await.unwrap().unwrap();
    assert_eq!(outcome, Outcome::AlreadyEnded, "a step that changes nothing is told all the same");
    store.revoke(live(&session(2)), vec![event(4)]).await.unwrap();
    store.revoke(live(&session(2)), vec![event(5)]).await.unwrap();
    store.put_keys(vec![], vec![event(6), event(7)]).await.unwrap();
    store.put_rules(Rules { version: 1, ..Rules::new([3; 16]) }, vec![], vec![event(8)]).await.unwrap();
    let put = |_| Ok((crate::clients::ClientStep::Put(Box::new(client)), vec![event(9)]));
    store.update_client("x".to_owned(), Box::new(put)).await.unwrap().unwrap();
    store.record(vec![event(10)]).await.unwrap();
    store.record(vec![]).await.unwrap();
    for name in [3, 4] {
        store.create_session(Session { sid: SessionId([name; 16]), ..session(5) }, vec![]).await.unwrap();
    }
    store
        .revoke_subject(OfSubject { until: at(0), ..OfSubject::all("user-5".to_owned()) }, None, at(1), ending())
        .await
        .unwrap();
    let told = |name| ending().session(&Session { sid: SessionId([name; 16]), ..session(5) });
    let expected: Vec<Event> = (1..=10).map(event).chain([told(3), told(4)]).collect();
    assert_eq!(kept(store.as_ref()).await, texts(&expected));
    let store = reopen(store, open, directory.path());
    store.record(vec![event(11)]).await.unwrap();
    assert_eq!(kept(store.as_ref()).await, texts(&[&expected[..], &[event(11)]].concat()));
}

pub(crate) async fn a_change_that_is_not_made_tells_nothing(open: Open) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    store.create_session(session(1), vec![event(1)]).await.unwrap();
    store.create_session(session(1), vec![event(2)]).await.unwrap_err();
    let rules = Rules { version: 7, ..Rules::new([3; 16]) };
    store.put_rules(rules.clone(), vec![], vec![event(3)]).await.unwrap();
    store.put_rules(rules, vec![], vec![event(4)]).await.unwrap_err();
    assert_eq!(store.update_session(SessionId([9; 16]), Box::new(|_| panic!("there is none"))).await, Ok(None));
    assert_eq!(kept(store.as_ref()).await, texts(&[event(1), event(3)]));
}

pub(crate) async fn events_of_many_changes_at_once_are_one_chain(open: Open) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let large = |n: u64| event(n).detail(&"\"".repeat(255)).target(&"\\".repeat(255));
    let racers = (0..8).map(|racer| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for n in 0..50 {
                store.record(vec![large(racer * 100 + n), event(racer * 100 + n)]).await.unwrap();
            }
        })
    });
    for racer in racers.collect::<Vec<_>>() {
        racer.await.unwrap();
    }
    let mut expected = Vec::new();
    (0..8).for_each(|racer| {
        (0..50).for_each(|n| expected.extend(texts(&[large(racer * 100 + n), event(racer * 100 + n)])))
    });
    let mut kept = kept(store.as_ref()).await;
    kept.sort();
    expected.sort();
    assert_eq!(kept, expected);
}

pub(crate) async fn old_events_go_from_the_oldest_on_and_the_rest_is_still_proven(open: Open) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    for n in 1..=20 {
        store.record(vec![event(n)]).await.unwrap();
    }
    let first = store.event_runs(10, Order::OldestFirst, 1).await.unwrap()[0].end();
    assert_eq!(store.trim_events(at(1), 100).await, Ok(false));
    assert_eq!(kept(store.as_ref()).await.len(), 20, "none is as old, none too much");
    store.trim_events(at(5), 100).await.unwrap();
    assert_eq!(kept(store.as_ref()).await, texts(&(5..=20).map(event).collect::<Vec<_>>()));
    store.trim_events(at(1), 10).await.unwrap();
    assert_eq!(kept(store.as_ref()).await, texts(&(11..=20).map(event).collect::<Vec<_>>()));
    let store = reopen(store, open, directory.path());
    assert_eq!(store.audit_extent().await.unwrap().before, first, "what is left begins at a place that is kept");
    let noted = |seq| verify(store.as_ref(), vec![Link { seq, hash: [0; 32] }]);
    assert_eq!(noted(5).await.unwrap(), Err(Broken::NotKept { noted: 5 }));
    assert_eq!(noted(21).await.unwrap(), Err(Broken::CutOff { noted: 21, last: 20 }));
    store.trim_events(at(1_000), 0).await.unwrap();
    assert_eq!(kept(store.as_ref()).await, Vec::<String>::new());
    store.record(vec![event(21)]).await.unwrap();
    assert_eq!(kept(store.as_ref()).await, texts(&[event(21)]));
    assert_eq!(store.audit_extent().await.unwrap().newest.seq, 21, "numbers go on");
}

pub(crate) async fn events_are_removed_in_bounded_steps(open: Open) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let many = u64::try_from(PURGE_STEP).unwrap() + 10;
    for n in 0..many {
        store.record(vec![event(n)]).await.unwrap();
    }
    assert_eq!(store.trim_events(at(many), many).await, Ok(true));
    assert_eq!(kept(store.as_ref()).await.len(), 10);
    assert_eq!(store.trim_events(at(many), many).await, Ok(false));
}

pub(crate) async fn pages_hold_what_is_asked_for_in_both_directions(open: Open) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    for group in 0..40 {
        store.record((0..5).map(|n| event(group * 1_000 + n)).collect()).await.unwrap();
    }
    let query = |order, limit| Query { filter: Filter::default(), order, after: None, limit };
    for order in [Order::OldestFirst, Order::NewestFirst] {
        let (mut query, mut seen) = (query(order, 7), Vec::new());
        loop {
            let page = page(store.as_ref(), &query).await.unwrap();
            assert!((1..=7).contains(&page.items.len()));
            seen.extend(page.items.into_iter().map(|(link, _)| link.seq));
            let Some(next) = page.next else { break };
            query.after = Some(next);
        }
        if order == Order::NewestFirst {
            seen.reverse();
        }
        assert!(seen.into_iter().eq(1..=200), "{order:?}: each once");
    }
    for order in [Order::OldestFirst, Order::NewestFirst] {
        for (from, to) in
            [(0, 40_000), (7_000, 8_000), (7_002, 7_003), (39_004, 50_000), (50_000, 60_000), (9_000, 8_000)]
        {
            let filter = Filter { from: Some(at(from)), to: Some(at(to)), ..Filter::default() };
            let found = page(store.as_ref(), &Query { filter, ..query(order, 500) }).await.unwrap();
            let expected = (0..40).flat_map(|group| (0..5).map(move |n| group * 1_000 + n));
            let mut expected: Vec<String> =
                texts(&expected.filter(|n| (from..to).contains(n)).map(event).collect::<Vec<_>>());
            if order == Order::NewestFirst {
                expected.reverse();
            }
            assert_eq!(found.items.into_iter().map(|(_, text)| text).collect::<Vec<_>>(), expected, "{from} to {to}");
            assert_eq!(found.next, None);
        }
    }
    let one = Filter { sub: Some("user-20003".to_owned()), ..Filter::default() };
    let found = page(store.as_ref(), &Query { filter: one, ..query(Order::NewestFirst, 1) }).await.unwrap();
    assert_eq!((found.items.len(), found.items[0].0.seq), (1, 104));
}
