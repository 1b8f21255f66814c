//! Deltas whose claims have been changed and signed again: whatever is taken leads on, and takes nothing back.

use crate::claims::{at, json, keys, open_policy};
use crate::forge::{ATTACKER_KEY, EXP, ISSUER, LIST_KEY, NOW, TOKEN_KEY, quoted};
use crate::rice::{self, Indices};
use crate::trial::{Shown, breaks, holds, wrong};
use crate::world::{List, OTHER_ISSUER, list_id};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::BTreeSet;
use token::base64url;
use token::verify::{Loaded, Policy, Verifier};

/// Number of the list that is held.
const HELD: u64 = 5;

/// A good delta, some claims of which are others or gone.
#[derive(Debug, Clone)]
struct Changed {
    claims: Vec<(&'static str, Option<String>)>,
    signer: u8,
}

fn body(run: &[u32]) -> Vec<u8> {
    let epoch = u32::try_from(EXP >> 8).unwrap();
    rice::body(&Indices::from_iter((!run.is_empty()).then(|| (epoch, run.to_vec()))), 3)
}

fn held() -> List {
    List::new(HELD, NOW, 300, body(&[7, 300]))
}

/// Values that are right somewhere, as JSON.
fn likely() -> impl Strategy<Value = String> {
    let numbers =
        [0, 1, HELD - 1, HELD, HELD + 1, HELD + 9, NOW - 300, NOW, NOW + 300, NOW >> 8, (NOW >> 8) + 1, 1 << 53];
    let ids = [body(&[7, 300]), body(&[7, 9, 300]), body(&[])].map(|body| quoted(&list_id(&body)));
    let bodies = [body(&[]), body(&[9]), body(&[7]), vec![1, 0, 1, 0, 1]].map(|body| quoted(&base64url::encode(&body)));
    let others = [quoted(ISSUER), quoted(OTHER_ISSUER), r#"{"all":1}"#.to_owned(), r#"{"jti":[]}"#.to_owned()];
    let numbers = numbers.iter().map(u64::to_string);
    select(numbers.chain(ids).chain(bodies).chain(others).collect::<Vec<_>>())
}

fn changed() -> impl Strategy<Value = Changed> {
    let name = select(vec!["iss", "iat", "exp", "seq", "id", "cut", "base", "low", "add"]);
    let value =
        prop_oneof![1 => Just(None), 6 => likely().prop_map(Some), 1 => json().prop_map(|json| Some(json.to_string()))];
    let signer = prop_oneof![12 => Just(LIST_KEY), 1 => Just(TOKEN_KEY), 1 => Just(ATTACKER_KEY)];
    (vec((name, value), 0..4), signer).prop_map(|(claims, signer)| Changed { claims, signer })
}

impl Changed {
    fn document(&self) -> Vec<u8> {
        let mut delta = List::new(HELD + 1, NOW, 300, body(&[7, 9, 300]));
        delta.header.set("typ", "\"revdelta+jwt\"");
        let (base, add) = (quoted(&list_id(&held().body)), quoted(&base64url::encode(&body(&[9]))));
        let mut delta = delta.claim("base", &base).claim("low", "0").claim("add", &add);
        for (name, value) in &self.claims {
            match value {
                Some(value) => delta.claims.set(name, value),
                None => delta.claims.remove(name),
            }
        }
        List { signer: self.signer, ..delta }.head().into_bytes()
    }
}

/// Offers it and looks at what is held then; `taken` says whether anything may be taken at all.
fn leads_on(changed: &Changed, taken: bool) -> Shown {
    let policy = Policy { issuer: Some(ISSUER.to_owned()), ..open_policy(true) };
    let mut verifier = Verifier::new(policy, keys()).unwrap();
    verifier.load_revocations(&held().document(), at(NOW)).unwrap();
    let before = verifier.list().unwrap().clone();
    let outcome = verifier.load_revocations(&changed.document(), at(NOW));
    let after = verifier.list().unwrap();
    if outcome != Ok(Loaded::Newer) {
        return if *after == before { Ok(()) } else { wrong(format!("{outcome:?}, and the list is another one")) };
    }
    let lost = || {
        let places = |list: &token::revocation::RevocationList| list.revoked().iter().collect::<BTreeSet<_>>();
        let live = |(epoch, _): &&(u32, u32)| u64::from(*epoch) >= after.head().iat.as_secs() >> 8;
        places(&before).difference(&places(after)).any(|place| live(&place))
    };
    match after.head() {
        _ if !taken => wrong("it was taken"),
        _ if changed.signer != LIST_KEY => wrong("a stranger's delta was taken"),
        head if head.iss != ISSUER || head.seq <= HELD || head.exp <= head.iat => wrong("a wrong head was taken"),
        _ if lost() => wrong("a revocation that is not over was taken back"),
        _ => Ok(()),
    }
}

#[test]
fn whatever_a_delta_says_nothing_is_taken_back_and_nothing_older_is_taken() {
    holds(3000, &changed(), |changed| leads_on(&changed, true));
}

#[test]
fn a_verifier_that_takes_no_delta_at_all_is_noticed() {
    breaks(3000, &changed(), |changed| leads_on(&changed, false));
}
