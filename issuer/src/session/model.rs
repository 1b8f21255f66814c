//! Random lives of a session, judged by an oracle that knows nothing of how the state machine works: it keeps the list of
//! pairs that were handed out and says what must happen.

use super::tests::{at, begun, presented};
use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

#[derive(Debug, Clone)]
enum Act {
    /// Present the pair handed out this many pairs before the newest; more than there are: one never handed out below.
    Present {
        back: u64,
    },
    /// Present one the session has not handed out yet.
    PresentAbove {
        ahead: u64,
    },
    /// Let seconds pass.
    Pass(u64),
    /// Set the calendar back by seconds.
    Back(u64),
    /// Withdraw the key that signs; from now on the next one signs.
    Withdraw,
    Revoke,
    /// Exchange the newest token, for so many seconds.
    Exchange(u64),
    OtherClient {
        back: u64,
    },
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        12 => prop_oneof![8 => Just(0_u64), 6 => Just(1), 1 => Just(2), 1 => 3..6_u64].prop_map(|back| Act::Present { back }),
        1 => (1..3_u64).prop_map(|ahead| Act::PresentAbove { ahead }),
        8 => prop_oneof![4 => 0..40_u64, 1 => 0..4_000_u64].prop_map(Act::Pass),
        2 => (0..5_000_u64).prop_map(Act::Back),
        1 => Just(Act::Withdraw),
        1 => Just(Act::Revoke),
        3 => (1..900_u64).prop_map(Act::Exchange),
        1 => (0..3_u64).prop_map(|back| Act::OtherClient { back }),
    ];
    proptest::collection::vec(act, 1..60)
}

/// What the world outside has seen.
struct Oracle {
    /// Issue time and key of each pair handed out.
    pairs: Vec<(UnixTime, u64)>,
    /// Access tokens handed out and not revoked, with their expiry.
    out: Vec<(Jti, UnixTime)>,
    exchanged: usize,
    ended: bool,
    idle_until: UnixTime,
}

impl Oracle {
    fn expects(&self, generation: u64, now: UnixTime, withdrawn: &BTreeSet<u64>) -> Outcome {
        let newest = u64::try_from(self.pairs.len()).unwrap();
        let (issued, key) = *self.pairs.last().unwrap();
        let now = now.max(issued);
        if self.ended {
            Outcome::Refused(GrantFault::Ended)
        } else if now >= self.idle_until {
            Outcome::Refused(GrantFault::Expired)
        } else if generation > newest {
            Outcome::Refused(GrantFault::AboveNewest)
        } else if generation == newest {
            Outcome::Rotated
        } else if generation > 0 && generation == newest - 1 && now.secs_since(issued) < 30 {
            if withdrawn.contains(&key) { Outcome::Rotated } else { Outcome::Repeated }
        } else {
            Outcome::Refused(GrantFault::Reused)
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]
    #[test]
    fn every_life_of_a_session_is_the_one_the_oracle_tells(acts in acts()) {
        let (mut now, mut key, mut withdrawn) = (at(0), 1_u64, BTreeSet::new());
        let mut session = begun(now);
        session.last.kid = key.to_string();
        let mut oracle = Oracle { pairs: vec![(now, key)], out: vec![(Jti::new(at(900), 5), at(900))], exchanged: 0, ended: false, idle_until: at(3_600) };
        let mut index = 100;
        for act in acts {
            let newest = u64::try_from(oracle.pairs.len()).unwrap();
            let (generation, client) = match act {
                Act::Pass(secs) => { now = now.plus_secs(secs); continue; }
                Act::Back(secs) => { now = now.minus_secs(secs); continue; }
                Act::Withdraw => { withdrawn.insert(key); key += 1; continue; }
                Act::Revoke => {
                    let step = session.clone().revoke(now);
                    prop_assert_eq!(step.outcome, if oracle.ended { Outcome::AlreadyEnded } else { Outcome::Revoked });
                    check_end(&mut oracle, &step)?;
                    session = step.session;
                    continue;
                }
                Act::Exchange(secs) => {
                    index += 1;
                    let token = Exchanged { exp: now.plus_secs(secs), index, iat: now, client_id: "other".to_owned() };
                    let step = session.clone().exchange(token.clone(), 5, UnixTime::MIN); // nothing is forgotten
                    let held = oracle.exchanged;
                    let expected = match (oracle.ended, now >= oracle.idle_until) {
                        (true, _) => Outcome::Refused(GrantFault::Ended),
                        (false, true) => Outcome::Refused(GrantFault::Expired),
                        (false, false) if held >= MAX_EXCHANGED => step.outcome, // the seconds are another test's
                        (false, false) => Outcome::Exchanged,
                    };
                    prop_assert_eq!(step.outcome, expected);
                    if step.outcome == Outcome::Exchanged {
                        prop_assert!(held < MAX_EXCHANGED);
                        oracle.out.push((token.jti(), token.exp));
                        oracle.exchanged += 1;
                        let with = Session { exchanged: step.session.exchanged.clone(), ..session.clone() };
                        prop_assert_eq!(&step.session, &with, "nothing else changes");
                    } else {
                        prop_assert!(!step.changed && step.session == session);
                    }
                    session = step.session;
                    continue;
                }
                Act::Present { back } => (newest.saturating_sub(back), "backend"),
                Act::PresentAbove { ahead } => (newest + ahead, "backend"),
                Act::OtherClient { back } => (newest.saturating_sub(back), "other"),
            };
            index += 1;
            let mut presentation = presented(&session, generation, now);
            presentation.client_id = client.to_owned();
            presentation.kid = key.to_string();
            presentation.place.index = index;
            presentation.certain = at(0); // an uncertain clock forgets nothing
            let step = session.clone().present(&presentation, |kid| !withdrawn.contains(&kid.parse().unwrap()));
            let expected = if client == "other" { Outcome::Refused(GrantFault::WrongClient) } else { oracle.expects(generation, now, &withdrawn) };
            prop_assert_eq!(step.outcome, expected);
            match step.outcome {
                Outcome::Rotated => {
                    let last = &step.session.last;
                    prop_assert!(last.iat < last.exp && last.iat >= oracle.pairs.last().unwrap().0);
                    prop_assert!(last.exp <= at(10_000) && last.exp.secs_since(last.iat) <= 900);
                    prop_assert_eq!((last.index, &last.kid), (index, &key.to_string()));
                    oracle.out.push((Jti::new(last.exp, index), last.exp));
                    oracle.pairs.push((last.iat, key));
                    oracle.idle_until = last.iat.plus_secs(3_600).min(at(10_000));
                    prop_assert_eq!(step.session.renewal.as_ref().unwrap().generation, newest + 1);
                }
                Outcome::Refused(GrantFault::Reused | GrantFault::AboveNewest) => check_end(&mut oracle, &step)?,
                _ => prop_assert!(!step.changed && step.revoked.is_empty() && step.session == session),
            }
            session = step.session;
        }
    }
}

/// An end revokes every access token that went out, once.
fn check_end(oracle: &mut Oracle, step: &Step) -> Result<(), TestCaseError> {
    if !oracle.ended {
        let revoked: BTreeSet<Jti> = step.revoked.iter().copied().collect();
        prop_assert_eq!(revoked.len(), step.revoked.len());
        prop_assert_eq!(revoked, oracle.out.drain(..).map(|(jti, _)| jti).collect::<BTreeSet<_>>());
        oracle.ended = true;
    }
    Ok(())
}
