//! What a publication and a look-up cost at a million live tokens, one in a hundred of them revoked.

use crate::sets::{self, ISSUER, Places, Random, body, head, key};
use crate::{clock, median, microseconds};
use issuer::audit::Origin;
use issuer::env::{Env, ManualClock};
use issuer::keys::MasterKey;
use issuer::operations::{Client, Issuer, MintRequest, Secret, Settings};
use issuer::store;
use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use token::claims::AccessClaims;
use token::id::Jti;
use token::issue::StatusClaims;
use token::jwk::{KeySet, Purpose};
use token::revocation::codec;
use token::status_list::StatusList;
use token::time::UnixTime;
use token::verify::{Policy, Verifier};
use zeroize::Zeroizing;

const LIVE: u32 = 1_000_000;
const REVOKED: u32 = 10_000;
const ROUNDS: u32 = 100;
/// Memory, where no disk is waited for.
const MEMORY: &str = "/dev/shm";

/// A table of costs.
pub(crate) fn markdown(disk: &Path) -> Result<String, Box<dyn Error>> {
    let places = sets::revoked(LIVE, REVOKED);
    let mut text = String::from("| at 10^6 live tokens, 1 % revoked | median |\n|---|---|\n");
    let mut line = |what: &str, figure: String| text += &format!("| {what} | {figure} |\n");
    line("encode and sign the list", microseconds(encoding(&places)?));
    let (revoking, signing) = publication(Path::new(MEMORY), &places)?;
    line("publish: intent stored (in memory), encoded, signed, read back, compared", microseconds(signing));
    line("a revocation from call to published list, store in memory", microseconds(revoking));
    let (revoking, signing) = publication(disk, &places)?;
    line("publish, with the intent synced to this disk", microseconds(signing));
    line("a revocation from call to published list, both synced to this disk", microseconds(revoking));
    let (took, bytes) = status_list(&places)?;
    line(
        &format!("the same set as Token Status List JWTs, {bytes} bytes together: build, compress, sign"),
        microseconds(took),
    );
    let (look_up, verification) = look_up(&places)?;
    let share = look_up.as_secs_f64() / verification.as_secs_f64() * 100.0;
    line(
        "look-up of one token",
        format!("{} ns, {share:.2} % of its verification ({})", look_up.as_nanos(), microseconds(verification)),
    );
    Ok(text)
}

fn encoding(places: &Places) -> Result<Duration, Box<dyn Error>> {
    let key = key(Purpose::Revocations)?;
    let mut times = Vec::new();
    for seq in 0..u64::from(ROUNDS) {
        let started = clock::now();
        let body = body(places)?;
        black_box(key.sign_list(&head(seq, &body)?, &body)?);
        times.push(started.elapsed());
    }
    Ok(median(times))
}

/// An issuer whose list holds these places, and the clock it goes by.
struct Running {
    issuer: Issuer,
    clock: Arc<ManualClock>,
    admin: Client,
    runtime: tokio::runtime::Runtime,
    _folder: tempfile::TempDir,
}

fn running(disk: &Path, places: &Places) -> Result<Running, Box<dyn Error>> {
    let folder = tempfile::tempdir_in(disk)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (env, clock) = Env::fixed(UnixTime::from_secs(1_799_999_000).ok_or("a time")?, 1);
    let secret = Secret::parse("benchmarks-only-0123456789abcdef").ok_or("a secret")?;
    let jtis = places.iter().flat_map(|(epoch, run)| run.iter().map(|index| Jti { epoch: *epoch, index: *index }));
    let (issuer, admin) = runtime.block_on(async {
        let store = store::open(folder.path())?;
        store.revoke(jtis.collect(), Vec::new()).await?;
        // Nothing has been published yet that these could be missing from.
        let master = MasterKey::from_bytes(Zeroizing::new([9; 32]));
        let issuer = Issuer::open(Settings::new(ISSUER), env, store, master).await?;
        issuer.ensure_client("admin", Some(secret.clone())).await?;
        let admin = issuer.authenticate("admin", secret.expose(), &Origin::internal()).await?;
        Ok::<_, issuer::Error>((issuer, admin))
    })?;
    Ok(Running { issuer, clock, admin, runtime, _folder: folder })
}

/// A revocation from call to published list, and a publication alone.
fn publication(disk: &Path, places: &Places) -> Result<(Duration, Duration), Box<dyn Error>> {
    let Running { issuer, clock, admin, runtime, _folder } = running(disk, places)?;
    runtime.block_on(async {
        let (mut revoking, mut signing) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let request =
                MintRequest { sub: "user-1".to_owned(), aud: vec!["api".to_owned()], ..MintRequest::default() };
            let pair = issuer.mint(&admin, request).await?;
            clock.advance_secs(1); // the gap between two lists has passed
            let started = clock::now();
            issuer.revoke(&admin, &pair.access_token).await?;
            revoking.push(started.elapsed());
        }
        for _ in 0..ROUNDS / 4 {
            clock.advance_secs(issuer.settings().list_interval_secs);
            let started = clock::now();
            issuer.tick().await;
            signing.push(started.elapsed());
        }
        issuer.close().await;
        Ok((median(revoking), median(signing)))
    })
}

fn status_list(places: &Places) -> Result<(Duration, usize), Box<dyn Error>> {
    let key = key(Purpose::Revocations)?;
    let at = UnixTime::from_secs(1_800_000_000).ok_or("a time")?;
    let (mut times, mut bytes) = (Vec::new(), 0);
    for _ in 0..10 {
        let started = clock::now();
        bytes = 0;
        for (epoch, run) in places {
            let mut list = StatusList::new(LIVE / sets::EPOCHS).map_err(|_| "too many indices")?;
            run.iter().for_each(|index| list.revoke(*index));
            let sub = format!("{ISSUER}/status/{epoch}");
            let aggregation_uri = format!("{ISSUER}/status");
            let lst = list.compress();
            let claims = StatusClaims {
                iss: ISSUER,
                sub: &sub,
                iat: at,
                exp: at.plus_secs(300),
                ttl: 1,
                lst: &lst,
                aggregation_uri: &aggregation_uri,
            };
            bytes += key.sign_status_list_jwt(&claims)?.len();
        }
        times.push(started.elapsed());
    }
    Ok((median(times), bytes))
}

/// A look-up, and the whole verification of a token with this list.
fn look_up(places: &Places) -> Result<(Duration, Duration), Box<dyn Error>> {
    let body = body(places)?;
    let head = head(1, &body)?;
    let revoked = codec::decode(&body).map_err(|fault| format!("{fault:?}"))?;
    let mut random = Random::new(3);
    let asked: Vec<(u32, u32)> =
        (0..100_000).map(|_| (7_031_250 + random.below(sets::EPOCHS), random.below(LIVE / sets::EPOCHS))).collect();
    let started = clock::now();
    let found = asked.iter().filter(|(epoch, index)| revoked.contains(*epoch, *index)).count();
    let look_up = started.elapsed() / u32::try_from(asked.len())?;
    black_box(found);

    let (tokens, lists) = (key(Purpose::Token)?, key(Purpose::Revocations)?);
    let keys =
        KeySet::from_keys(vec![tokens.public().clone(), lists.public().clone()]).map_err(|fault| fault.to_string())?;
    let policy = Policy {
        issuer: Some(ISSUER.to_owned()),
        audience: None,
        leeway_secs: 5,
        scope: Vec::new(),
        revocations: true,
        max_staleness_secs: None,
    };
    let mut verifier = Verifier::new(policy, keys)?;
    verifier.load_revocations(&lists.sign_list(&head, &body)?, head.iat).map_err(|fault| format!("{fault:?}"))?;
    let exp = head.iat.plus_secs(900);
    let claims = AccessClaims {
        iss: ISSUER.to_owned(),
        sub: "user-1".to_owned(),
        aud: vec!["api".to_owned()],
        client_id: "backend".to_owned(),
        iat: head.iat,
        exp,
        nbf: None,
        jti: Jti::new(exp, 1_000_000).to_string(),
        sid: Some("AAAAAAAAAAAAAAAAAAAAAA".to_owned()),
        scope: Some("read write".to_owned()),
        roles: Vec::new(),
        permissions: Vec::new(),
        auth_time: None,
        other: serde_json::Map::new(),
    };
    let token = tokens.sign_access(&claims)?;
    let mut times = Vec::new();
    for _ in 0..2_000 {
        let started = clock::now();
        black_box(verifier.verify(&token, head.iat)?);
        times.push(started.elapsed());
    }
    Ok((look_up, median(times)))
}
