//! Lives of users, step by step.

use super::*;
use crate::passwords::{Costs, Password};
use proptest::prelude::*;
use std::collections::BTreeSet;

const CHEAP: Costs = Costs { memory_kib: 8, iterations: 1, parallelism: 1 };

fn at(secs: u64) -> UnixTime {
    UnixTime::from_secs(1_800_000_000 + secs).unwrap()
}

fn hash(text: &str) -> PasswordHash {
    PasswordHash::of(&Password::parse(text).unwrap(), [1; 16], CHEAP).unwrap()
}

fn user() -> User {
    let mut user = User::new(
        UserId([1; 16]),
        Name::parse("maria"),
        Name::parse("m@example.com"),
        Profile::default(),
        [0; 16],
        at(0),
    );
    user.password = Some(hash("first"));
    user
}

fn place(byte: u8) -> Place {
    Place([byte; 16])
}

#[test]
fn a_stranger_uses_up_four_fifths_and_the_owner_at_home_still_gets_in() {
    let mut now = user();
    for _ in 0..80 {
        let step = now.attempt(false, 100);
        assert_eq!((step.outcome, step.changed), (Outcome::Done, true));
        now = step.user;
    }
    let refused = now.attempt(false, 100);
    assert_eq!((refused.outcome, refused.changed, refused.user.failures), (Outcome::Closed, true, 80));
    let at_home = refused.user.attempt(true, 100);
    assert_eq!(at_home.outcome, Outcome::Done);
    let right = at_home.user.log_in(&hash("first"), None, Some(place(1)), at(5));
    assert_eq!((right.outcome, right.user.failures, right.user.last_login), (Outcome::Done, 0, Some(at(5))));
    assert_eq!(right.user.attempt(false, 100).outcome, Outcome::Done, "and the door is open again");
}

#[test]
fn no_more_than_a_hundred_fail_in_a_row_and_then_a_reset_opens() {
    let mut now = user();
    let mut tried = 0;
    for round in 0..500 {
        let step = now.attempt(round % 2 == 0, 100);
        tried += u32::from(step.outcome == Outcome::Done);
        now = step.user;
    }
    assert_eq!(tried, 100);
    let code = ResetCode { hash: [7; 32], expires_at: at(900), tries: 5 };
    now = now.give_code(code).user.try_code(&[7; 32], at(1)).user;
    now = now.redeem(&[7; 32], hash("second"), [2; 16], at(1)).user;
    assert_eq!((now.failures, now.code.is_none(), now.attempt(false, 100).outcome), (0, true, Outcome::Done));
}

#[test]
fn a_password_that_changed_while_the_old_one_was_tried_logs_nobody_in() {
    let changed = user().change_password(&hash("first"), hash("second"), None, [2; 16], at(3)).user;
    let late = changed.clone().log_in(&hash("first"), None, None, at(4));
    assert_eq!((late.outcome, late.changed), (Outcome::Overtaken, false));
    assert_eq!(
        changed.change_password(&hash("first"), hash("third"), None, [3; 16], at(4)).outcome,
        Outcome::Overtaken
    );
}

#[test]
fn a_change_of_the_password_ends_the_sessions_before_it_but_the_one_it_was_made_in() {
    let kept = SessionId([5; 16]);
    let changed = user().change_password(&hash("first"), hash("second"), Some(kept), [2; 16], at(10)).user;
    assert!(changed.ends(SessionId([6; 16]), at(9)));
    assert!(!changed.ends(kept, at(9)));
    assert!(!changed.ends(SessionId([6; 16]), at(10)), "it began afterwards, or was swept");
    assert_eq!((changed.stamp, changed.password_set), ([2; 16], Some(at(10))));
}

#[test]
fn a_code_works_once_in_its_time_and_only_so_often_wrongly() {
    let coded = || user().give_code(ResetCode { hash: [7; 32], expires_at: at(900), tries: 3 }).user;
    assert_eq!(coded().try_code(&[7; 32], at(900)).outcome, Outcome::WrongCode, "expired");
    let mut guessed = coded();
    for _ in 0..3 {
        let step = guessed.try_code(&[8; 32], at(1));
        assert_eq!((step.outcome, step.changed), (Outcome::WrongCode, true));
        guessed = step.user;
    }
    assert_eq!(guessed.try_code(&[7; 32], at(1)).outcome, Outcome::WrongCode, "used up");
    let used = coded().redeem(&[7; 32], hash("second"), [2; 16], at(1));
    assert_eq!(used.outcome, Outcome::Done);
    assert_eq!(used.user.clone().redeem(&[7; 32], hash("third"), [3; 16], at(2)).outcome, Outcome::WrongCode);
    assert_eq!(used.user.try_code(&[7; 32], at(2)).outcome, Outcome::WrongCode);
    assert_eq!(user().try_code(&[0; 32], at(2)).outcome, Outcome::WrongCode, "none is out");
}

#[test]
fn the_newest_places_are_remembered_and_a_disabled_user_earns_none() {
    let mut now = user();
    for byte in (0..20).chain([18]) {
        now = now.log_in(&hash("first"), None, Some(place(byte)), at(1)).user;
    }
    assert_eq!(now.known.len(), MAX_KNOWN);
    assert!(now.knows(place(18)) && now.knows(place(12)) && !now.knows(place(11)));
    let off = now.amend(Amendment { disabled: Some(true), ..Amendment::default() }).user;
    let tried = off.log_in(&hash("first"), None, Some(place(99)), at(9));
    assert_eq!(
        (tried.outcome, tried.user.knows(place(99)), tried.user.last_login),
        (Outcome::Done, false, Some(at(1)))
    );
}

#[test]
fn an_amendment_changes_what_it_names_and_leaves_somebody_with_a_name() {
    let nothing = user().amend(Amendment::default());
    assert_eq!((nothing.user, nothing.changed), (user(), false));
    let off = user().amend(Amendment { email: Some(None), disabled: Some(true), ..Amendment::default() }).user;
    assert_eq!((off.email.as_ref(), off.disabled, off.keys().collect::<Vec<_>>()), (None, true, vec!["maria"]));
    let nameless = off.amend(Amendment { user_name: Some(None), ..Amendment::default() });
    assert_eq!(
        (nameless.outcome, nameless.changed, nameless.user.user_name.is_some()),
        (Outcome::Nameless, false, true)
    );
}

#[derive(Debug, Clone)]
enum Act {
    Attempt { known: bool, right: bool },
    Change,
    Code,
    Redeem { right: bool },
    Pass(u64),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        20 => (any::<bool>(), proptest::bool::weighted(0.05)).prop_map(|(known, right)| Act::Attempt { known, right }),
        1 => Just(Act::Change),
        1 => Just(Act::Code),
        2 => any::<bool>().prop_map(|right| Act::Redeem { right }),
        1 => (0..1_000_u64).prop_map(Act::Pass),
    ];
    proptest::collection::vec(act, 1..400)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// An oracle that counts tried passwords and codes by itself.
    #[test]
    fn whatever_happens_a_hundred_fail_in_a_row_and_a_code_is_redeemed_once(acts in acts()) {
        let (one, two) = (hash("first"), hash("second"));
        let (mut user, mut now, mut failed, mut redeemed, mut codes) = (user(), at(0), 0_u32, BTreeSet::new(), 0_u64);
        let (mut out, mut tries): (Option<UnixTime>, u32) = (None, 0);
        for act in acts {
            match act {
                Act::Attempt { known, right } => {
                    let step = user.attempt(known, 100);
                    let allowed = step.outcome == Outcome::Done;
                    prop_assert_eq!(allowed, failed < if known { 100 } else { 80 });
                    user = step.user;
                    failed += u32::from(allowed);
                    if allowed && right {
                        let current = user.password.clone().unwrap();
                        user = user.log_in(&current, None, None, now).user;
                        failed = 0;
                    }
                }
                Act::Change => {
                    let current = user.password.clone().unwrap();
                    let next = if current == one { two.clone() } else { one.clone() };
                    user = user.change_password(&current, next, None, [3; 16], now).user;
                    (failed, out) = (0, None);
                }
                Act::Code => {
                    codes += 1;
                    (out, tries) = (Some(now.plus_secs(900)), 5);
                    user = user.give_code(ResetCode { hash: [7; 32], expires_at: now.plus_secs(900), tries: 5 }).user;
                }
                Act::Redeem { right } => {
                    let hash = if right { [7; 32] } else { [8; 32] };
                    let usable = right && tries > 0 && out.is_some_and(|until| now < until);
                    tries = tries.saturating_sub(1);
                    let step = user.try_code(&hash, now);
                    prop_assert_eq!(step.outcome == Outcome::Done, usable);
                    user = step.user;
                    if usable {
                        user = user.redeem(&hash, one.clone(), [4; 16], now).user;
                        prop_assert!(redeemed.insert(codes), "one code, twice");
                        (failed, out, tries) = (0, None, 0);
                    }
                }
                Act::Pass(secs) => now = now.plus_secs(secs),
            }
            prop_assert_eq!(user.failures, failed);
        }
    }
}
