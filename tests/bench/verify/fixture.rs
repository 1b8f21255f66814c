//! Writes what `cargo xtask bench verify` measures with: key sets, revocation lists and tokens. How long signing takes is
//! not what is measured there, so it happens here, in a program of its own.
//!
//! ```text
//! bench_fixture <folder> <now: seconds since 1970>
//! writes    keys.json tokens.txt revocations.bin      1,000 tokens of one key, none of them revoked
//!           refused.json                              one token that has expired, one that is revoked
//!           keys-two.json tokens-second.txt           a second key for tokens, and what it has signed
//!           claims/<bytes>.txt                        a token with claims of about that length
//!           keysets/<keys>.json                       the key of the tokens, behind so many others
//!           lists/<entries>.bin                       revocation lists; one entry in 100 live tokens
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

/// Also in fixture.mjs and in native/src/fixture.rs.
const ISSUER: &str = "https://id.example.com";
const AUDIENCE: &str = "api";
const TOKENS: u32 = 1000;
/// As many as the protocol's own example: 10,000 revoked among 1,000,000 live tokens.
const REVOKED: usize = 10_000;
const LIVE_PER_REVOKED: usize = 100;
const LIFETIME_SECS: u64 = 900;
/// No list holds an index that is a multiple of this: those are our tokens'.
const SPARED: u32 = 64;
/// Lengths of claims in bytes; the last one makes a token of nearly 8 KiB, the most that verifiers take.
const CLAIMS: [usize; 6] = [240, 500, 1000, 2000, 4000, 5900];
const KEYS: [u8; 5] = [1, 3, 10, 30, 100];
const LISTS: [usize; 7] = [0, 10, 100, 1000, 10_000, 100_000, 1_000_000];

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, now] = arguments.as_slice() else { return Err("usage: bench_fixture <folder> <now>".into()) };
    let now = UnixTime::from_secs(now.parse()?).ok_or("now is out of range")?;
    let folder = PathBuf::from(folder);
    for part in ["claims", "keysets", "lists"] {
        fs::create_dir_all(folder.join(part))?;
    }
    let (tokens, second, lists) =
        (signer(1, Purpose::Token)?, signer(2, Purpose::Token)?, signer(3, Purpose::Revocations)?);

    fs::write(folder.join("keys.json"), key_set(&[&tokens, &lists])?)?;
    fs::write(folder.join("keys-two.json"), key_set(&[&tokens, &second, &lists])?)?;
    fs::write(folder.join("tokens.txt"), signed(&tokens, now)?.join("\n"))?;
    fs::write(folder.join("tokens-second.txt"), signed(&second, now)?.join("\n"))?;
    for bytes in CLAIMS {
        fs::write(folder.join(format!("claims/{bytes}.txt")), tokens.sign_access(&claims_of(bytes, now))?)?;
    }
    for count in KEYS {
        let others = (0..count - 1).map(|at| signer(100 + at, Purpose::Token)).collect::<Result<Vec<_>>>()?;
        let all: Vec<_> = others.iter().chain([&tokens, &lists]).collect();
        fs::write(folder.join(format!("keysets/{count}.json")), key_set(&all)?)?;
    }
    for entries in LISTS {
        fs::write(folder.join(format!("lists/{entries}.bin")), list(&lists, &revoked(entries, now)?, now)?)?;
    }
    let revoked = revoked(REVOKED, now)?;
    fs::write(folder.join("revocations.bin"), list(&lists, &revoked, now)?)?;
    fs::write(folder.join("refused.json"), refused(&tokens, &revoked, now)?)?;
    Ok(())
}

fn signer(seed: u8, purpose: Purpose) -> Result<SigningKey> {
    SigningKey::from_seed(&[seed; 32].into(), purpose, Algorithm::EdDsa).map_err(|_| "the seed makes no key".into())
}

fn key_set(signers: &[&SigningKey]) -> Result<String> {
    let keys = KeySet::from_keys(signers.iter().map(|signer| signer.public().clone()).collect());
    Ok(keys.map_err(|_| "no key set")?.to_json())
}

fn signed(signer: &SigningKey, now: UnixTime) -> Result<Vec<String>> {
    // An hour, so that no round of the benchmark meets an expired token.
    let exp = now.plus_secs(3600);
    (0..TOKENS).map(|at| Ok(signer.sign_access(&claims(Jti::new(exp, at * SPARED), now, exp))?)).collect()
}

fn refused(signer: &SigningKey, revoked: &BTreeMap<u32, Vec<u32>>, now: UnixTime) -> Result<String> {
    let (over, exp) = (UnixTime::from_secs(now.as_secs() - 60).ok_or("now is too early")?, now.plus_secs(3600));
    let index = revoked.get(&epoch(exp)).and_then(|indices| indices.first()).ok_or("nothing is revoked")?;
    let expired = signer.sign_access(&claims(Jti::new(over, 0), over, over))?;
    let revoked = signer.sign_access(&claims(Jti::new(exp, *index), now, exp))?;
    Ok(serde_json::json!({ "expired": expired, "revoked": revoked }).to_string())
}

/// What a backend would mint: about 470 bytes signed.
fn claims(jti: Jti, iat: UnixTime, exp: UnixTime) -> AccessClaims {
    AccessClaims {
        iss: ISSUER.to_owned(),
        sub: "ada".to_owned(),
        aud: vec![AUDIENCE.to_owned()],
        client_id: "web".to_owned(),
        iat,
        exp,
        nbf: None,
        jti: jti.to_string(),
        sid: Some("c2Vzc2lvbi1vZi1hZGEtMA".to_owned()),
        scope: Some("read write".to_owned()),
        roles: vec!["editor".to_owned()],
        permissions: Vec::new(),
        auth_time: None,
        other: serde_json::Map::new(),
    }
}

/// Claims of at least about this many bytes: filled up with permissions, as large tokens are.
fn claims_of(bytes: usize, now: UnixTime) -> AccessClaims {
    let exp = now.plus_secs(3600);
    let mut claims = claims(Jti::new(exp, 0), now, exp);
    let missing = bytes.saturating_sub(240);
    claims.permissions = (0..missing / 24).map(|at| format!("project-{at:03}:write:all")).collect();
    claims
}

/// Random indices by epoch, in the epoch of our tokens and in those before it: so many of a hundred times as many.
fn revoked(entries: usize, now: UnixTime) -> Result<BTreeMap<u32, Vec<u32>>> {
    let newest = epoch(now.plus_secs(3600));
    let epochs = LIFETIME_SECS / 256 + 1;
    let live = u64::try_from((entries * LIVE_PER_REVOKED).max(10_000))?;
    let mut revoked: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    let mut state = 1_u64;
    let mut drawn = 0;
    while drawn < entries {
        let place = next(&mut state) % live;
        let index = 1 + u32::try_from(place / epochs)?;
        if index % SPARED != 0 {
            let added = revoked.entry(newest - u32::try_from(place % epochs)?).or_default().insert(index);
            drawn += usize::from(added);
        }
    }
    Ok(revoked.into_iter().map(|(epoch, set)| (epoch, set.into_iter().collect())).collect())
}

fn list(signer: &SigningKey, revoked: &BTreeMap<u32, Vec<u32>>, now: UnixTime) -> Result<Vec<u8>> {
    let body = codec::encode(revoked.iter().map(|(epoch, set)| (*epoch, set.as_slice())))
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

/// splitmix64: the same lists every time.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}
