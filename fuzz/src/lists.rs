//! Revocation lists and deltas: any bytes, and signed ones with any claims or body.
//!
//! ```text
//! input = %x00 document             as it is: never taken
//!       / %x01 length claims body   a full list, signed whatever the claims are
//!       / %x02 body                 a full list with the claims that belong to it
//!       / %x03 claims               a delta, signed whatever the claims are
//!       / %x04 low body             a delta of the list that is held, with the claims that belong to it
//! ```

use crate::bytes::Bytes;
use crate::signer::{ISSUER, LISTS, NOW, encoded, key_set};
use token::revocation::{ListId, codec};
use token::time::UnixTime;
use token::verify::{LoadError, Loaded, Policy, Verifier};

/// Two epochs with a few indices each.
const HELD: [(u32, &[u32]); 2] = [(6_640_600, &[1, 5, 900]), (6_640_628, &[0, 7, 8, 4000])];

/// # Panics
/// When a forgery is taken, a revocation is lost, or a body that was taken says something else when it is written again.
pub fn judge(input: &[u8]) {
    let mut recipe = Bytes(input);
    let held = codec::encode(HELD).expect("a body");
    let mut verifier = verifier();
    assert_eq!(verifier.load_revocations(&full(&held, 1), now()), Ok(Loaded::Newer));
    let kind = recipe.byte() % 5;
    let low = if kind == 4 { 6_640_590 + u32::from(recipe.byte()) } else { 0 };
    let document = match kind {
        0 => recipe.0.to_vec(),
        1 => {
            let (claims, body) = recipe.parts();
            [signed("revlist+jwt", claims).as_slice(), b"\n", body].concat()
        }
        2 => full(recipe.0, 2),
        3 => signed("revdelta+jwt", recipe.0),
        _ => delta(&held, low, recipe.0),
    };
    let outcome = verifier.load_revocations(&document, now());
    match outcome {
        Ok(loaded) => {
            assert_ne!(kind, 0, "a forgery is taken");
            if loaded == Loaded::Newer {
                assert_ne!(verifier.load_revocations(&document, now()), Ok(Loaded::Newer), "taken twice");
            }
        }
        Err(error) => assert!(matches!(error, LoadError::Rejected(_))),
    }
    match kind {
        2 => body_is_the_one(&verifier, recipe.0, outcome == Ok(Loaded::Newer)),
        3 | 4 => nothing_is_lost(&verifier, kind, low),
        _ => {}
    }
}

/// A body that was taken is the list in use, entry by entry; one that was not left the list as it was.
fn body_is_the_one(verifier: &Verifier, body: &[u8], is_taken: bool) {
    let revoked = verifier.list().expect("a list").revoked();
    let Ok(decoded) = codec::decode(body) else {
        assert!(!is_taken);
        return;
    };
    assert!(is_taken);
    assert!(revoked.iter().eq(decoded.iter()));
    let entries: Vec<_> = revoked.iter().take(1000).collect();
    assert!(entries.iter().all(|(epoch, index)| revoked.contains(*epoch, *index)));
    if revoked.entries() < 100_000 {
        let map = revoked.to_map();
        let written = codec::encode(map.iter().map(|(epoch, indices)| (*epoch, indices.as_slice()))).expect("a body");
        assert!(written.len() <= body.len(), "the issuer's own body is the shortest");
        assert_eq!(codec::decode(&written).expect("our own body").to_map(), map);
    }
}

/// A delta drops the epochs below `low`, which the claims of kind 3 may name too, and nothing else.
fn nothing_is_lost(verifier: &Verifier, kind: u8, low: u32) {
    let revoked = verifier.list().expect("a list").revoked();
    for (epoch, indices) in HELD {
        let may_go = if kind == 3 { epoch <= u32::try_from(NOW / 256).expect("an epoch") } else { epoch < low };
        assert!(may_go || indices.iter().all(|index| revoked.contains(epoch, *index)), "a revocation is lost");
    }
}

fn verifier() -> Verifier {
    let policy = Policy {
        issuer: Some(ISSUER.to_owned()),
        audience: None,
        leeway_secs: 5,
        scope: Vec::new(),
        revocations: true,
        max_staleness_secs: None,
    };
    Verifier::new(policy, key_set()).expect("a policy")
}

fn full(body: &[u8], seq: u64) -> Vec<u8> {
    [signed("revlist+jwt", claims(ListId::of(body), seq, "").as_bytes()).as_slice(), b"\n", body].concat()
}

fn delta(held: &[u8], low: u32, add: &[u8]) -> Vec<u8> {
    let more = format!(r#","base":"{}","low":{low},"add":"{}""#, ListId::of(held), encoded(add));
    signed("revdelta+jwt", claims(ListId::of(add), 2, &more).as_bytes())
}

fn claims(id: ListId, seq: u64, more: &str) -> String {
    format!(r#"{{"iss":"{ISSUER}","iat":{NOW},"exp":{},"seq":{seq},"id":"{id}"{more}}}"#, NOW + 300)
}

fn signed(typ: &str, claims: &[u8]) -> Vec<u8> {
    LISTS.sign(&LISTS.header(typ), claims).into_bytes()
}

fn now() -> UnixTime {
    UnixTime::from_secs(NOW).expect("a time")
}

/// Documents of the vectors, whole and in parts.
pub(crate) fn seeds(documents: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut seeds = vec![[&[2], codec::encode(HELD).expect("a body").as_slice()].concat(), vec![4, 10, 1]];
    for document in documents {
        seeds.push([&[0], document.as_slice()].concat());
        let end = document.iter().position(|byte| *byte == b'\n');
        let (head, body) =
            end.map_or((document.as_slice(), None), |end| (&document[..end], Some(&document[end + 1..])));
        let claims = head.split(|byte| *byte == b'.').nth(1).unwrap_or_default();
        let Ok(claims) = token::base64url::decode(claims) else { continue };
        let Some(body) = body else {
            seeds.push([&[3], claims.as_slice()].concat());
            continue;
        };
        let length = u16::try_from(claims.len()).unwrap_or_default().to_le_bytes();
        seeds.push([&[1], length.as_slice(), &claims, body].concat());
        seeds.push([&[2], body].concat());
        seeds.push([&[4, 0], body].concat());
    }
    seeds
}
