//! Makes what the verification benchmark judges: a key set, one access token and a revocation list. Signing is not what
//! is measured there, so it happens here, in a program of its own.
//!
//! ```text
//! bench_fixture <folder> <now: seconds since 1970>
//! writes    keys.json token.txt revocations.bin
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs;
use std::path::PathBuf;

use token::claims::AccessClaims;
use token::id::{Jti, epoch};
use token::issue::SigningKey;
use token::jwk::{Algorithm, KeySet, Purpose};
use token::revocation::codec;
use token::revocation::cut::Cut;
use token::revocation::{Head, ListId};
use token::time::UnixTime;

/// Also in verify.mjs and cold.mjs.
const ISSUER: &str = "https://id.example.com";
const AUDIENCE: &str = "api";
/// As many as the protocol's own example: 10,000 revoked among 1,000,000 live tokens.
const REVOKED: usize = 10_000;
const LIVE: u64 = 1_000_000;
const LIFETIME_SECS: u64 = 900;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, now] = arguments.as_slice() else { return Err("usage: bench_fixture <folder> <now>".into()) };
    let now = UnixTime::from_secs(now.parse()?).ok_or("now is out of range")?;
    let signer = |seed: u8, purpose| {
        SigningKey::from_seed(&[seed; 32].into(), purpose, Algorithm::EdDsa).map_err(|_| "the seed makes no key")
    };
    let (tokens, lists) = (signer(1, Purpose::Token)?, signer(2, Purpose::Revocations)?);
    let keys = KeySet::from_keys(vec![tokens.public().clone(), lists.public().clone()]).map_err(|_| "no key set")?;

    let folder = PathBuf::from(folder);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("keys.json"), keys.to_json())?;
    fs::write(folder.join("token.txt"), tokens.sign_access(&claims(now))?)?;
    fs::write(folder.join("revocations.bin"), list(&lists, now)?)?;
    Ok(())
}

/// A token as a backend would mint it: about 470 bytes signed.
fn claims(now: UnixTime) -> AccessClaims {
    // An hour, so that no round of the benchmark meets an expired token; index 0 is not in the list.
    let exp = now.plus_secs(3600);
    AccessClaims {
        iss: ISSUER.to_owned(),
        sub: "ada".to_owned(),
        aud: vec![AUDIENCE.to_owned()],
        client_id: "web".to_owned(),
        iat: now,
        exp,
        nbf: None,
        jti: Jti::new(exp, 0).to_string(),
        sid: Some("c2Vzc2lvbi1vZi1hZGEtMA".to_owned()),
        scope: Some("read write".to_owned()),
        roles: vec!["editor".to_owned()],
        permissions: Vec::new(),
        auth_time: None,
        other: serde_json::Map::new(),
    }
}

/// A list of random tokens, in the epoch of our token and in the four before it.
fn list(signer: &SigningKey, now: UnixTime) -> Result<Vec<u8>, Box<dyn Error>> {
    let newest = epoch(now.plus_secs(3600));
    let mut revoked: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    let mut state = 1_u64;
    let epochs = LIFETIME_SECS / 256 + 1;
    let mut entries = 0;
    while entries < REVOKED {
        let place = next(&mut state) % LIVE;
        let index = 1 + u32::try_from(place / epochs)?;
        let added = revoked.entry(newest - u32::try_from(place % epochs)?).or_default().insert(index);
        entries += usize::from(added);
    }
    let indices: Vec<(u32, Vec<u32>)> =
        revoked.into_iter().map(|(epoch, set)| (epoch, set.into_iter().collect())).collect();
    let body = codec::encode(indices.iter().map(|(epoch, set)| (*epoch, set.as_slice())))
        .map_err(|_| "the list is malformed")?;
    let head = Head {
        iss: ISSUER.to_owned(),
        iat: now,
        exp: now.plus_secs(3600),
        seq: now.as_secs() * 1000,
        id: ListId::of(&body),
        cut: Cut::default(),
    };
    Ok(signer.sign_list(&head, &body)?)
}

/// splitmix64: the same list every time.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}
