//! Lists offered in any order, at any time, by anyone: held against a few lines that say what must come of it.

use crate::claims::{at, keys, open_policy};
use crate::forge::{ATTACKER_KEY, Draft, EXP, ISSUER, LIST_KEY, NOW, TOKEN_KEY, quoted};
use crate::rice::{self, Indices};
use crate::trial::{Shown, breaks, holds, wrong};
use crate::world::{List, OTHER_ISSUER};
use proptest::collection::vec;
use proptest::prelude::*;
use token::verify::{Loaded, MAX_LIST_AHEAD_SECS, Policy, Verifier};

/// One list that is offered.
#[derive(Debug, Clone, PartialEq)]
struct Offer {
    seq: u64,
    /// Seconds after the beginning; the list lives for 300.
    iat: i64,
    /// Which of four sets is revoked: bit 0 index 0, bit 1 index 1.
    revoked: u32,
    foreign: bool,
    signer: u8,
    broken: bool,
    /// Seconds after the beginning when it is offered.
    now: u64,
}

fn offers() -> impl Strategy<Value = Vec<Offer>> {
    let ahead = i64::try_from(MAX_LIST_AHEAD_SECS).unwrap();
    let iat = prop_oneof![6 => 0..400_i64, 1 => ahead - 2..ahead + 400, 1 => -500..0_i64];
    let signer = prop_oneof![8 => Just(LIST_KEY), 1 => Just(TOKEN_KEY), 1 => Just(ATTACKER_KEY)];
    let offer =
        (1..5_u64, iat, 0..4_u32, proptest::bool::weighted(0.1), signer, proptest::bool::weighted(0.1), 0..400_u64)
            .prop_map(|(seq, iat, revoked, foreign, signer, broken, now)| Offer {
                seq,
                iat,
                revoked,
                foreign,
                signer,
                broken,
                now,
            });
    vec(offer, 1..8)
}

impl Offer {
    fn document(&self) -> Vec<u8> {
        let epoch = u32::try_from((EXP + 5000) >> 8).unwrap();
        let run: Vec<u32> = (0..2).filter(|index| self.revoked >> index & 1 == 1).collect();
        let indices = Indices::from_iter((!run.is_empty()).then_some((epoch, run)));
        let iat = NOW.checked_add_signed(self.iat).unwrap();
        let mut list = List { signer: self.signer, ..List::new(self.seq, iat, 300, rice::body(&indices, 0)) };
        if self.foreign {
            list = list.claim("iss", &quoted(OTHER_ISSUER));
        }
        let mut document = list.document();
        if self.broken {
            document.pop();
        }
        document
    }
}

/// What must come of an offer.
#[derive(Debug, PartialEq)]
enum Outcome {
    Loaded(Loaded),
    Refused,
}

/// What must come of the offers so far: the last list taken, and the latest time that a good one was signed at.
#[derive(Default)]
struct Oracle {
    held: Option<Offer>,
    floor: Option<i64>,
}

impl Oracle {
    fn offer(&mut self, offer: &Offer, takes_older: bool) -> Outcome {
        let same = |held: &Offer| held.iat == offer.iat && held.revoked == offer.revoked;
        let ahead = offer.iat > i64::try_from(offer.now + MAX_LIST_AHEAD_SECS).unwrap();
        if offer.broken || offer.signer != LIST_KEY || offer.foreign || ahead {
            return Outcome::Refused;
        }
        if self.held.as_ref().is_some_and(|held| offer.seq == held.seq && !same(held)) {
            return Outcome::Refused;
        }
        self.floor = self.floor.max(Some(offer.iat));
        match &self.held {
            Some(held) if offer.seq < held.seq && !takes_older => Outcome::Loaded(Loaded::Older),
            Some(held) if offer.seq == held.seq => Outcome::Loaded(Loaded::Same),
            Some(_) | None => {
                self.held = Some(offer.clone());
                Outcome::Loaded(Loaded::Newer)
            }
        }
    }

    /// The code that the token of index 0 or 1 gets, or none.
    fn code(&self, index: u32, now: u64) -> Option<&'static str> {
        let Some(held) = &self.held else { return Some("ERR_STATUS_STALE") };
        let now = i64::try_from(now).unwrap().max(self.floor.unwrap_or(i64::MIN));
        if now >= i64::try_from(EXP - NOW + 5000 + 5).unwrap() {
            return Some("ERR_JWT_EXPIRED");
        }
        if now >= held.iat + 300 {
            return Some("ERR_STATUS_STALE");
        }
        (held.revoked >> index & 1 == 1).then_some("ERR_TOKEN_REVOKED")
    }
}

fn agree(offers: &[Offer], takes_older: bool) -> Shown {
    let policy = Policy { issuer: Some(ISSUER.to_owned()), ..open_policy(true) };
    let mut verifier = Verifier::new(policy, keys()).unwrap();
    let mut oracle = Oracle::default();
    let tokens = [0, 1].map(|index| Draft::new().expiring(EXP + 5000, index).token());
    for (turn, offer) in offers.iter().enumerate() {
        let outcome = match verifier.load_revocations(&offer.document(), at(NOW + offer.now)) {
            Ok(loaded) => Outcome::Loaded(loaded),
            Err(_) => Outcome::Refused,
        };
        let expected = oracle.offer(offer, takes_older);
        if outcome != expected {
            return wrong(format!("offer {turn}: {outcome:?}, not {expected:?}"));
        }
        for (index, token) in (0..).zip(&tokens) {
            let verdict = verifier.verify(token, at(NOW + offer.now)).err().map(|rejection| rejection.code());
            let expected = oracle.code(index, offer.now);
            if verdict != expected {
                return wrong(format!("after offer {turn} index {index}: {verdict:?}, not {expected:?}"));
            }
        }
    }
    Ok(())
}

#[test]
fn whatever_is_offered_the_newest_good_list_decides() {
    holds(600, &offers(), |offers| agree(&offers, false));
}

#[test]
fn a_rule_that_took_older_lists_would_be_noticed() {
    breaks(600, &offers(), |offers| agree(&offers, true));
}
