//! What every engine must do. `conformance!(open)` turns each function below into a test of the engine that `open`
//! opens in a directory.

mod audit;
mod backups;
mod clients;
mod revoking;
mod sessions;
mod users;

pub(crate) use audit::*;
pub(crate) use backups::*;
pub(crate) use clients::*;
pub(crate) use revoking::*;
pub(crate) use sessions::*;
pub(crate) use users::*;

use super::*;
use crate::audit::{Act, Extent, Origin, Run};
use crate::keys::{Half, KeyState};
use crate::session::{Access, Grant, Live, Outcome, Presentation, Renewal, Session, SessionId, Step};
use std::collections::BTreeSet;
use token::id::epoch;
use token::jwk::{Algorithm, Purpose};
use token::revocation::ListId;
use token::time::UnixTime;

/// Declares one test for each requirement.
macro_rules! conformance {
    ($open:expr) => {
        $crate::store::conformance::conformance! { $open,
            a_session_reads_as_it_was_stored_also_after_a_restart,
            a_second_session_of_the_same_name_is_refused,
            an_update_is_what_the_transition_says,
            sixty_four_presenters_at_once_make_one_successor,
            transitions_of_one_session_never_overlap,
            what_a_step_revokes_is_revoked_with_it,
            after_a_revocation_is_answered_no_refresh_succeeds,
            no_page_is_leased_twice_also_after_a_restart,
            pages_are_counted_by_epoch_and_swept_up_to_the_last_that_was_leased,
            sessions_are_read_in_bounded_steps_each_once,
            revocations_and_their_feed_have_no_gap,
            a_revocation_is_announced_once_and_numbers_grow_across_restarts,
            a_dropped_answer_still_happens,
            a_publication_only_goes_up,
            keys_are_kept_and_replaced,
            clients_are_read_in_bounded_steps_in_the_order_of_their_ids,
            a_client_becomes_what_is_decided_and_a_fault_changes_nothing,
            the_last_enabled_administrator_stays,
            an_assertion_is_used_once_until_it_is_forgotten_also_after_a_restart,
            only_expired_sessions_are_purged,
            only_epochs_that_left_the_list_are_purged_and_their_pages_never_come_back,
            a_closed_store_refuses_and_reopens_whole,
            the_sessions_of_a_subject_end_with_their_live_tokens_and_no_others_do,
            a_session_of_the_subject_that_began_later_stays,
            one_session_of_the_subject_can_be_kept,
            a_subject_with_many_sessions_or_tokens_ends_in_bounded_steps,
            after_a_subject_is_revoked_no_refresh_succeeds_and_no_token_lives,
            rules_only_go_up_and_their_keys_come_with_them,
            only_the_sessions_that_are_named_of_a_subject_end,
            the_sessions_of_a_subject_are_read_in_bounded_steps_each_once_and_those_of_no_other,
            a_user_reads_as_it_was_stored_by_id_and_by_both_names_also_after_a_restart,
            of_many_who_want_one_name_at_once_one_gets_it,
            a_name_that_is_given_up_is_free_and_one_that_is_taken_changes_nothing,
            attempts_at_once_are_each_counted,
            users_are_read_in_bounded_steps_and_deleted_with_their_names,
            the_binding_key_stays_what_it_was_first,
            every_change_has_its_events_in_the_order_of_the_changes_also_after_a_restart,
            a_change_that_is_not_made_tells_nothing,
            events_of_many_changes_at_once_are_one_chain,
            old_events_go_from_the_oldest_on_and_the_rest_is_still_proven,
            events_are_removed_in_bounded_steps,
            pages_hold_what_is_asked_for_in_both_directions,
            a_backup_is_the_same_rows_each_once_whatever_the_steps,
            what_was_acknowledged_before_a_backup_is_in_it_while_others_write,
            a_closed_store_gives_no_rows,
        }
    };
    ($open:expr, $($name:ident,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $name() {
                $crate::store::conformance::$name($open).await;
            }
        )*
    };
}
pub(crate) use conformance;

/// Opens an engine in a directory.
pub(crate) type Open = fn(&Path) -> Arc<dyn Store>;

pub(crate) fn at(secs: u64) -> UnixTime {
    UnixTime::from_secs(1_800_000_000 + secs).unwrap()
}

/// A session of this name that begins at 0, expires at 1,000 and has two live tokens.
pub(crate) fn session(name: u8) -> Session {
    Session {
        sid: SessionId([name; 16]),
        client_id: "backend".to_owned(),
        began: at(0),
        grant: Grant {
            sub: format!("user-{name}"),
            aud: vec!["api".to_owned(), "billing".to_owned()],
            scope: Some("read write".to_owned()),
            roles: vec!["editor".to_owned()],
            permissions: vec![],
            auth_time: Some(at(0)),
            nbf: None,
            claims: r#"{"tenant":"t-1"}"#.to_owned(),
            status: name % 2 == 1,
        },
        device: (name % 3 == 1).then(|| "a phone".to_owned()),
        access_ttl_secs: 300,
        last: Access { kid: "k1".to_owned(), iat: at(0), exp: at(300), index: u32::from(name), scope: None },
        renewal: Some(Renewal { idle_secs: 1_000, ends_at: at(5_000), generation: 1, expires_at: at(1_000) }),
        live: vec![Live { exp: at(200), index: 500 + u32::from(name) }, Live { exp: at(300), index: u32::from(name) }],
        exchanged: vec![],
        ended: None,
    }
}

/// What is told of each session that ends with its subject.
pub(crate) fn ending() -> Event {
    Event::new(Act::SessionRevoked, &Origin::internal(), at(0))
}

fn live(session: &Session) -> Vec<Jti> {
    session.live.iter().map(|live| Jti::new(live.exp, live.index)).collect()
}

fn presentation(session: &Session, generation: u64, index: u32, now: UnixTime) -> Presentation {
    Presentation {
        client_id: "backend".to_owned(),
        generation,
        scope: None,
        fresh: None,
        place: Jti::new(session.next_times(now).exp, index),
        kid: "k1".to_owned(),
        retry_window_secs: 30,
        leeway_secs: 5,
        certain: now,
        now,
    }
}

async fn present(store: &dyn Store, sid: SessionId, generation: u64, index: u32, now: UnixTime) -> (Session, Outcome) {
    let stored = store.session(sid).await.unwrap().unwrap();
    let presented = presentation(&stored, generation, index, now);
    store
        .update_session(sid, Box::new(move |session| session.present(&presented, |_| true).into()))
        .await
        .unwrap()
        .unwrap()
}

pub(crate) fn publication(seq: u64, low: u32) -> Publication {
    Publication {
        seq,
        iat: at(0),
        exp: at(300),
        id: ListId::from_bytes([3; 16]),
        upto: 0,
        low,
        cut_all: None,
        rules: 3,
    }
}

fn reopen(store: Arc<dyn Store>, open: Open, directory: &Path) -> Arc<dyn Store> {
    drop(store);
    open(directory)
}

/// A token key of this name.
fn key(kid: &str, state: KeyState) -> SealedKey {
    SealedKey {
        kid: kid.to_owned(),
        purpose: Purpose::Token,
        algorithm: Algorithm::EdDsa,
        state,
        since: at(0),
        signed: None,
        half: Half::Private,
        nonce: [1; 24],
        sealed: [2; 48],
    }
}

pub(crate) async fn no_page_is_leased_twice_also_after_a_restart(open: Open) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let tasks: Vec<_> = (0..64).map(|_| tokio::spawn(store.lease_page(7))).collect();
    let mut pages = BTreeSet::new();
    for task in tasks {
        assert!(pages.insert(task.await.unwrap().unwrap()));
    }
    assert!(pages.into_iter().eq(0..64));
    assert_eq!(store.lease_page(8).await, Ok(0));
    let store = reopen(store, open, directory.path());
    assert_eq!((store.lease_page(7).await, store.lease_page(8).await), (Ok(64), Ok(1)));
}

pub(crate) async fn pages_are_counted_by_epoch_and_swept_up_to_the_last_that_was_leased(open: Open) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    for epoch in [7, 7, 9] {
        store.lease_page(epoch).await.unwrap();
    }
    let pages = |epoch, leased, swept| Pages { epoch, leased, swept };
    assert_eq!(store.pages(0..=u32::MAX).await, Ok(vec![pages(7, 2, 0), pages(9, 1, 0)]));
    store.sweep_pages(0..=8, 0).await.unwrap();
    store.lease_page(7).await.unwrap();
    store.sweep_pages(9..=10, 5).await.unwrap();
    assert_eq!(store.pages(7..=9).await, Ok(vec![pages(7, 3, 2), pages(9, 6, 6)]));
    let store = reopen(store, open, directory.path());
    assert_eq!(store.pages(10..=10).await, Ok(vec![pages(10, 5, 5)]));
    assert_eq!((store.lease_page(7).await, store.lease_page(9).await), (Ok(3), Ok(6)), "what was left out stays out");
    store.put_publication(publication(1, 10)).await.unwrap();
    store.purge_epochs(10, 10).await.unwrap();
    store.sweep_pages(9..=9, 1).await.unwrap();
    assert_eq!(store.pages(0..=u32::MAX).await, Ok(vec![pages(10, 5, 5)]));
}

pub(crate) async fn revocations_and_their_feed_have_no_gap(open: Open) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let epoch = epoch(at(0));
    let revoke = |from: u32| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for index in from..from + 100 {
                store.revoke(vec![Jti { epoch, index }], vec![]).await.unwrap();
            }
        })
    };
    let tasks = [revoke(0), revoke(100), revoke(200), revoke(300)];
    let Revocations { entries, mut feed, whole, damage } = store.revocations().await.unwrap();
    assert!(whole && damage.is_none());
    for task in tasks {
        task.await.unwrap();
    }
    let mut seen: Vec<Jti> = entries.into_iter().map(|(jti, _)| jti).collect();
    while let Ok(announcement) = feed.try_recv() {
        seen.extend(announcement.jtis);
    }
    let distinct: BTreeSet<_> = seen.iter().copied().collect();
    assert_eq!((seen.len(), distinct.len()), (400, 400));
}

pub(crate) async fn a_revocation_is_announced_once_and_numbers_grow_across_restarts(open: Open) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let jti = |index| Jti { epoch: epoch(at(0)), index };
    let mut feed = store.revocations().await.unwrap().feed;
    store.revoke(vec![jti(1), jti(2), jti(1)], vec![]).await.unwrap();
    store.revoke(vec![jti(2)], vec![]).await.unwrap();
    store.revoke(vec![jti(2), jti(3)], vec![]).await.unwrap();
    let first = feed.try_recv().unwrap();
    let second = feed.try_recv().unwrap();
    assert_eq!((first.jtis, second.jtis), (vec![jti(1), jti(2)], vec![jti(3)]));
    assert!(first.number < second.number && feed.try_recv().is_err());
    let store = reopen(store, open, directory.path());
    let Revocations { entries, mut feed, whole, damage } = store.revocations().await.unwrap();
    assert!(whole && damage.is_none());
    assert_eq!(entries, [(jti(1), first.number), (jti(2), first.number), (jti(3), second.number)]);
    store.revoke(vec![jti(4)], vec![]).await.unwrap();
    assert!(feed.try_recv().unwrap().number > second.number);
}

pub(crate) async fn a_dropped_answer_still_happens(open: Open) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    drop(store.create_session(session(1), vec![]));
    drop(store.revoke(live(&session(1)), vec![]));
    store.lease_page(1).await.unwrap(); // queued behind the two
    assert_eq!(store.session(SessionId([1; 16])).await, Ok(Some(session(1))));
    assert_eq!(store.is_revoked(live(&session(1))[0]).await, Ok(true));
}

pub(crate) async fn a_publication_only_goes_up(open: Open) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    assert_eq!(store.publication().await, Ok(None));
    store.put_publication(publication(10, 5)).await.unwrap();
    for seq in [0, 9, 10] {
        assert_eq!(store.put_publication(publication(seq, 5)).await, Err(StoreError::Superseded));
    }
    let store = reopen(store, open, directory.path());
    assert_eq!(store.put_publication(publication(10, 5)).await, Err(StoreError::Superseded));
    store.put_publication(publication(11, 6)).await.unwrap();
    assert_eq!(store.publication().await, Ok(Some(publication(11, 6))));
}

pub(crate) async fn keys_are_kept_and_replaced(open: Open) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    assert_eq!(store.keys().await, Ok(vec![]));
    store.put_keys(vec![key("a", KeyState::Active), key("b", KeyState::Next)], vec![]).await.unwrap();
    store.put_keys(vec![key("a", KeyState::Retired)], vec![]).await.unwrap();
    store.put_keys(vec![key("c", KeyState::Kept), key("d", KeyState::Kept)], vec![]).await.unwrap();
    store.forget_keys(vec!["c".to_owned(), "d".to_owned(), "unknown".to_owned()], vec![]).await.unwrap();
    let store = reopen(store, open, directory.path());
    assert_eq!(store.keys().await, Ok(vec![key("a", KeyState::Retired), key("b", KeyState::Next)]));
}

pub(crate) async fn only_epochs_that_left_the_list_are_purged_and_their_pages_never_come_back(open: Open) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let jti = |epoch| Jti { epoch, index: 1 };
    for epoch in [10, 11, 12] {
        store.lease_page(epoch).await.unwrap();
    }
    store.revoke(vec![jti(10), jti(11), jti(12)], vec![]).await.unwrap();
    store.put_publication(publication(1, 11)).await.unwrap();
    store.purge_epochs(12, 11).await.unwrap();
    assert_eq!(store.is_revoked(jti(10)).await, Ok(false));
    assert_eq!(store.is_revoked(jti(11)).await, Ok(true), "the newest list still holds it");
    let store = reopen(store, open, directory.path());
    assert_eq!(store.lease_page(10).await, Err(StoreError::NoIndices));
    assert_eq!(store.lease_page(11).await, Ok(1));
    let mut feed = store.revocations().await.unwrap().feed;
    store.revoke(vec![jti(10)], vec![]).await.unwrap();
    assert!(feed.try_recv().is_err(), "an epoch that left takes nothing in");
}

pub(crate) async fn a_closed_store_refuses_and_reopens_whole(open: Open) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let queued: Vec<_> = (0..200).map(|name| store.create_session(session(name), vec![])).collect();
    store.close().await.unwrap();
    for answer in queued {
        answer.await.unwrap();
    }
    assert_eq!(store.create_session(session(250), vec![]).await, Err(StoreError::Closed));
    assert_eq!(store.session(SessionId([1; 16])).await, Err(StoreError::Closed));
    assert_eq!(store.lease_page(1).await, Err(StoreError::Closed));
    assert!(store.failed().borrow().is_none(), "a close is no failure");
    let store = reopen(store, open, directory.path());
    for name in 0..200 {
        assert_eq!(store.session(SessionId([name; 16])).await, Ok(Some(session(name))));
    }
}
