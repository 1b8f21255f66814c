//! The status lists say of every index what the revocation list says, through restarts and losses.

use super::*;
use crate::store::SledStore;
use flate2::read::ZlibDecoder;
use serde_json::json;
use std::collections::BTreeSet;
use std::io::Read as _;
use token::id::{self, Jti};
use token::jwk::Purpose;
use token::jws::Untrusted;
use token::revocation::RevocationList;

/// One epoch's list, opened.
pub(super) struct Opened {
    claims: Value,
    bits: Vec<u8>,
}

impl Opened {
    pub(super) fn is_revoked(&self, index: u32) -> bool {
        self.bits[usize::try_from(index / 8).unwrap()] >> (index % 8) & 1 == 1
    }

    fn revoked(&self) -> Vec<u32> {
        (0..u32::try_from(self.bits.len()).unwrap() * 8).filter(|index| self.is_revoked(*index)).collect()
    }
}

async fn list(world: &World, epoch: u32, form: StatusForm) -> StatusList {
    world.issuer.status_list(epoch, form).await.unwrap().unwrap()
}

pub(super) async fn opened(world: &World, epoch: u32) -> Opened {
    let document = String::from_utf8(list(world, epoch, StatusForm::Jwt).await.document.to_vec()).unwrap();
    let keys = KeySet::parse(world.issuer.jwks().as_bytes()).unwrap();
    let untrusted = Untrusted::parse(document.as_bytes(), "statuslist+jwt", usize::MAX).unwrap();
    let payload = untrusted.verify(&keys, Purpose::Revocations).unwrap().payload;
    let claims: Value = serde_json::from_slice(&payload).unwrap();
    let lst = token::base64url::decode(claims["status_list"]["lst"].as_str().unwrap().as_bytes()).unwrap();
    let mut bits = Vec::new();
    ZlibDecoder::new(lst.as_slice()).read_to_end(&mut bits).unwrap();
    // The other form holds the same array.
    let cwt = list(world, epoch, StatusForm::Cwt).await.document;
    assert!(cwt.windows(lst.len()).any(|window| window == lst));
    Opened { claims, bits }
}

fn published(world: &World) -> RevocationList {
    let keys = KeySet::parse(world.issuer.jwks().as_bytes()).unwrap();
    RevocationList::open(&world.issuer.revocation_list().document, &keys).unwrap()
}

async fn pairs(world: &World, count: usize) -> Vec<(TokenAnswer, Jti)> {
    let mut pairs = Vec::new();
    for _ in 0..count {
        let pair = world.pair().await;
        let place = world.place(&pair.access_token);
        pairs.push((pair, place));
    }
    pairs
}

#[tokio::test]
async fn every_index_is_revoked_in_the_status_list_exactly_when_it_is_in_the_revocation_list() {
    let world = world().await;
    let pairs = pairs(&world, 30).await;
    let epoch = pairs[0].1.epoch;
    assert_eq!(opened(&world, epoch).await.revoked(), Vec::<u32>::new());
    for (pair, _) in pairs.iter().step_by(3) {
        world.issuer.revoke(&world.admin, &pair.access_token).await.unwrap();
    }
    world.issuer.revoke(&world.admin, pairs[1].0.refresh_token.as_ref().unwrap()).await.unwrap();
    let list = published(&world);
    let status = opened(&world, epoch).await;
    assert_eq!(status.revoked().len(), 11);
    let listed: Vec<u32> = list.revoked().to_map().remove(&epoch).unwrap();
    assert_eq!(status.revoked(), listed);
}

#[tokio::test]
async fn a_list_says_whose_it_is_where_it_lies_and_how_long_it_goes() {
    let world = world().await;
    let epoch = pairs(&world, 1).await[0].1.epoch;
    world.clock.advance_secs(7);
    let Opened { mut claims, .. } = opened(&world, epoch).await;
    assert!(claims["status_list"].as_object_mut().unwrap().remove("lst").is_some());
    let iat = start().as_secs(); // when the revocation list was published that it shows
    assert_eq!(
        claims,
        json!({
            "iss": ISSUER, "sub": format!("{ISSUER}/status/{epoch}"), "iat": iat, "exp": iat + 300, "ttl": 15,
            "status_list": {"bits": 1, "aggregation_uri": format!("{ISSUER}/status")},
        })
    );
}

#[tokio::test]
async fn a_list_is_the_same_until_something_is_published_or_leased() {
    let world = world().await;
    let (pair, place) = pairs(&world, 1).await.remove(0);
    let first = list(&world, place.epoch, StatusForm::Jwt).await;
    world.clock.advance_secs(1);
    assert_eq!(list(&world, place.epoch, StatusForm::Jwt).await, first);
    assert_ne!(list(&world, place.epoch, StatusForm::Cwt).await.version, first.version);
    world.issuer.parts.store.lease_page(place.epoch).await.unwrap();
    let second = list(&world, place.epoch, StatusForm::Jwt).await;
    assert_ne!(second.version, first.version);
    world.issuer.revoke(&world.admin, &pair.access_token).await.unwrap();
    assert_ne!(list(&world, place.epoch, StatusForm::Jwt).await.version, second.version);
    assert!(opened(&world, place.epoch).await.is_revoked(place.index));
}

#[tokio::test]
async fn there_is_a_list_for_each_epoch_with_tokens_until_no_verifier_accepts_them() {
    let world = world().await;
    assert_eq!(world.issuer.status_lists().await, Ok(vec![]));
    let epoch = pairs(&world, 1).await[0].1.epoch;
    assert_eq!(world.issuer.status_lists().await, Ok(vec![format!("{ISSUER}/status/{epoch}")]));
    assert_eq!(world.issuer.status_list(epoch + 1, StatusForm::Jwt).await, Ok(None));
    world.clock.advance_secs(token::id::epoch_end(epoch).plus_secs(5).secs_since(world.now()) - 1);
    assert_eq!(world.issuer.status_lists().await.unwrap().len(), 1);
    assert!(world.issuer.status_list(epoch, StatusForm::Cwt).await.unwrap().is_some());
    world.clock.advance_secs(1);
    assert_eq!(world.issuer.status_lists().await, Ok(vec![]));
    assert_eq!(world.issuer.status_list(epoch, StatusForm::Cwt).await, Ok(None));
}

#[tokio::test]
async fn an_epoch_with_more_indices_than_a_list_may_have_is_refused() {
    let world = world().await;
    let epoch = pairs(&world, 1).await[0].1.epoch;
    world.issuer.parts.store.sweep_pages(epoch..=epoch, (1 << 17) - 1).await.unwrap();
    assert!(world.issuer.status_list(epoch, StatusForm::Jwt).await.unwrap().is_some());
    world.issuer.parts.store.lease_page(epoch).await.unwrap();
    assert_eq!(world.issuer.status_list(epoch, StatusForm::Jwt).await, Err(Error::StatusListTooLarge));
}

#[tokio::test]
async fn after_a_loss_everything_issued_before_is_revoked_and_nothing_issued_later() {
    let world = world().await;
    let before = pairs(&world, 3).await;
    world.issuer.revoke(&world.admin, &before[0].0.access_token).await.unwrap();
    world.issuer.close().await;
    let World { issuer, clock, admin, directory } = world;
    drop(issuer);
    SledStore::remove_revocation_for_test(directory.path(), before[0].1);
    let (env, clock) = (Env::seeded(Arc::clone(&clock), 2), clock);
    let issuer = open(directory.path(), settings(), env).await.unwrap();
    let world = World { issuer, clock, admin, directory };
    assert!(published(&world).head().cut.all.is_some());
    let after = pairs(&world, 3).await;
    assert_eq!(after[0].1.epoch, before[0].1.epoch);
    let status = opened(&world, before[0].1.epoch).await;
    // Indices that the store may have forgotten to have leased are revoked too, and none of them is handed out again.
    assert!((0..8 << 20).all(|index| status.is_revoked(index)));
    assert!(
        before.iter().all(|(pair, place)| status.is_revoked(place.index) && world.verify(&pair.access_token).is_err())
    );
    assert!(
        after.iter().all(|(pair, place)| !status.is_revoked(place.index) && world.verify(&pair.access_token).is_ok())
    );
    let later = before[0].1.epoch + 300; // tokens of a day's life could be there
    assert!(opened(&world, later).await.is_revoked(0));
    let world = world.reopened().await;
    let status = opened(&world, before[0].1.epoch).await;
    assert!(after.iter().all(|(_, place)| !status.is_revoked(place.index)), "a restart sweeps nothing more");
}

#[tokio::test]
async fn tokens_for_the_audiences_of_the_setting_say_where_their_status_is() {
    let audiences = vec!["partner".to_owned(), "api".to_owned()];
    let world = world_with(Settings { status_list_audiences: audiences, ..settings() }).await;
    let claims = |token: &str| world.issuer.parts.keys.verifier().verify(token, world.now()).unwrap().claims;
    let mint = |aud: &[&str]| MintRequest { aud: aud.iter().map(|aud| (*aud).to_owned()).collect(), ..request() };
    for aud in [&["api"][..], &["other", "partner"]] {
        let pair = world.issuer.mint(&world.admin, mint(aud)).await.unwrap();
        let place = world.place(&pair.access_token);
        let status = json!({"status_list": {"idx": place.index, "uri": format!("{ISSUER}/status/{}", place.epoch)}});
        assert_eq!(claims(&pair.access_token).other["status"], status);
        let next = world.refresh(&pair).await.unwrap();
        let place = world.place(&next.access_token);
        assert_eq!(claims(&next.access_token).other["status"]["status_list"]["idx"], place.index);
    }
    let pair = world.issuer.mint(&world.admin, mint(&["other"])).await.unwrap();
    assert_eq!(claims(&pair.access_token).other.get("status"), None);
    let asked =
        |audience: Option<&str>| ClientCredentialsRequest { audience: audience.map(str::to_owned), scope: None };
    let with = world.issuer.client_credentials(&world.admin, asked(None)).await.unwrap();
    assert!(claims(&with.access_token).other.contains_key("status"));
    let without = world.issuer.client_credentials(&world.admin, asked(Some("other"))).await.unwrap();
    assert!(!claims(&without.access_token).other.contains_key("status"));
}

#[tokio::test]
async fn a_retry_is_the_same_bytes_when_the_setting_has_changed_in_between() {
    for (before, after) in [(vec!["api".to_owned()], vec![]), (vec![], vec!["api".to_owned()])] {
        let world = world_with(Settings { status_list_audiences: before, ..settings() }).await;
        let first = world.pair().await;
        let second = world.refresh(&first).await.unwrap();
        world.issuer.close().await;
        let World { issuer, clock, admin, directory } = world;
        drop(issuer);
        let changed = Settings { status_list_audiences: after, ..settings() };
        let issuer = open(directory.path(), changed, Env::seeded(Arc::clone(&clock), 2)).await.unwrap();
        let world = World { issuer, clock, admin, directory };
        assert_eq!(body(&world.refresh(&first).await.unwrap()), body(&second));
    }
}

#[tokio::test]
async fn what_a_rule_takes_back_is_revoked_here_too_and_what_is_issued_next_is_not() {
    let world = world().await;
    let kid = world.issuer.parts.keys.ring().token_signer().kid().to_owned();
    let requests = [
        RevocationRequest::Client { client_id: "admin".to_owned() },
        RevocationRequest::All { issued_before: None },
        RevocationRequest::Key { kid },
        RevocationRequest::Subject { sub: "user-1".to_owned(), issued_before: None },
    ];
    let mut gone = Vec::new();
    for request in requests {
        gone.extend(pairs(&world, 3).await);
        world.issuer.revoke_by(&world.admin, request.clone()).await.unwrap();
        let fresh = pairs(&world, 3).await;
        let status = opened(&world, gone[0].1.epoch).await;
        assert!(gone.iter().all(|(_, place)| status.is_revoked(place.index)), "{request:?}");
        assert!(fresh.iter().all(|(_, place)| !status.is_revoked(place.index)), "{request:?}");
        assert!(fresh.iter().all(|(pair, _)| world.verify(&pair.access_token).is_ok()));
        gone.extend(fresh);
    }
}

#[tokio::test]
async fn a_rule_for_a_time_that_has_passed_takes_back_here_too_what_was_issued_until_then_and_nothing_else() {
    let world = world().await;
    let mut all = pairs(&world, 3).await;
    world.clock.advance_secs(10);
    for at in 0..2 {
        let next = world.refresh(&all[at].0).await.unwrap();
        let place = world.place(&next.access_token);
        all.push((next, place));
    }
    all.extend(pairs(&world, 3).await);
    let issued_before = Some(start().as_secs() + 5);
    world.issuer.revoke_by(&world.admin, RevocationRequest::All { issued_before }).await.unwrap();
    all.extend(pairs(&world, 2).await);
    agrees(&world, &all).await;
    agrees(&world.reopened().await, &all).await;
}

/// Both views say the same of every token that has not expired, and this one revokes beside them only what nobody has got
/// of the pages leased before a rule.
async fn agrees(world: &World, all: &[(TokenAnswer, Jti)]) {
    let places: BTreeSet<Jti> = all.iter().map(|(_, place)| *place).collect();
    let low = id::epoch(world.now());
    for epoch in places.iter().map(|place| place.epoch).filter(|epoch| *epoch >= low).collect::<BTreeSet<_>>() {
        let status = opened(world, epoch).await;
        for (pair, place) in all.iter().filter(|(_, place)| place.epoch == epoch) {
            let verdict = world.verify(&pair.access_token);
            // A key leaves when all that it signed has expired.
            if claims(pair)["exp"].as_u64().unwrap() + 5 > world.now().as_secs() {
                assert_eq!(status.is_revoked(place.index), verdict.is_err(), "{place} {:?}", verdict.err());
            }
        }
        let swept = world.issuer.parts.store.pages(epoch..=epoch).await.unwrap()[0].swept * 1024;
        let of_nobody = |index: &u32| !places.contains(&Jti { epoch, index: *index });
        assert_eq!(status.revoked().into_iter().filter(of_nobody).find(|index| *index >= swept), None);
    }
}

/// Keys that change often.
fn turning() -> Settings {
    let keys = KeyLife { rotate_every_secs: 0, publish_before_secs: 1 };
    Settings { jwks_max_age_secs: 1, keys, ..settings() }
}

#[tokio::test]
async fn a_key_that_is_withdrawn_while_tokens_of_others_are_alive_takes_back_its_own_and_no_others() {
    let world = world_with(turning()).await;
    let (mut all, mut kids) = (Vec::new(), Vec::new());
    let mut session = world.pair().await;
    for _ in 0..3 {
        let mut signed = pairs(&world, 3).await;
        session = world.refresh(&session).await.unwrap();
        signed.push((session.clone(), world.place(&session.access_token))); // one session lives under all of the keys
        all.push(signed);
        kids.push(world.issuer.parts.keys.ring().token_signer().kid().to_owned());
        world.issuer.rotate_key(&world.admin, Purpose::Token).await.unwrap();
        world.clock.advance_secs(11);
        world.issuer.tick().await;
    }
    let next = world.issuer.rotate_key(&world.admin, Purpose::Token).await.unwrap().kid;
    let active = world.issuer.parts.keys.ring().token_signer().kid().to_owned();
    let epoch = all[0][1].1.epoch;
    let everything: Vec<_> = all.iter().flatten().cloned().collect();
    for (kid, gone) in [(&next, vec![]), (&kids[1], vec![1]), (&kids[2], vec![1, 2]), (&active, vec![1, 2])] {
        world.issuer.revoke_by(&world.admin, RevocationRequest::Key { kid: kid.clone() }).await.unwrap();
        let status = opened(&world, epoch).await;
        for (at, pairs) in all.iter().enumerate() {
            let signed = pairs.iter().filter(|(_, place)| place.epoch == epoch);
            signed
                .for_each(|(_, place)| assert_eq!(status.is_revoked(place.index), gone.contains(&at), "{at} {place}"));
        }
        agrees(&world, &everything).await;
    }
    agrees(&world.reopened().await, &everything).await;
}

/// What happens to an issuer in a test, drawn by a number.
async fn happens(world: &World, other: &Client, all: &mut Vec<(TokenAnswer, Jti)>, draw: u64) {
    let some = usize::try_from(draw >> 8).unwrap() % all.len();
    let pair = all[some].0.clone();
    let named = |request| world.issuer.revoke_by(&world.admin, request);
    let ring = world.issuer.parts.keys.ring();
    let kid = ring.rows()[usize::try_from(draw >> 20).unwrap() % ring.rows().len()].kid.clone();
    let mint = MintRequest {
        sub: format!("user-{}", draw >> 16 & 3),
        access_ttl: Some([200, 900, 2_000][usize::try_from(draw >> 24 & 1).unwrap()]),
        ..request()
    };
    let issued = match draw % 19 {
        0..=3 => world.issuer.mint(&world.admin, mint).await.ok(),
        4..=5 => world.issuer.mint(other, mint).await.ok(),
        6..=8 => world.refresh(&pair).await.ok(),
        9 => world.issuer.revoke(&world.admin, &pair.access_token).await.map(|_| None).unwrap(),
        10 => world.issuer.revoke(&world.admin, pair.refresh_token.as_ref().unwrap()).await.map(|_| None).unwrap(),
        11 => {
            world.clock.advance_secs(draw >> 16 & 63);
            world.issuer.tick().await;
            None
        }
        12 => named(RevocationRequest::Subject { sub: "user-1".to_owned(), issued_before: None })
            .await
            .map(|_| None)
            .unwrap(),
        13 => named(RevocationRequest::Client { client_id: "other".to_owned() }).await.map(|_| None).unwrap_or(None),
        14 => {
            let past = world.now().minus_secs(draw >> 16 & 63).as_secs();
            named(RevocationRequest::All { issued_before: Some(past) }).await.map(|_| None).unwrap_or(None)
        }
        15..=16 => world.issuer.rotate_key(&world.admin, Purpose::Token).await.map(|_| None).unwrap(),
        17 if draw & 256 == 0 => {
            named(RevocationRequest::All { issued_before: None }).await.map(|_| None).unwrap_or(None)
        }
        _ => named(RevocationRequest::Key { kid }).await.map(|_| None).unwrap_or(None),
    };
    if let Some(pair) = issued {
        let place = claims(&pair)["jti"].as_str().unwrap().parse().unwrap();
        all.push((pair, place));
    }
}

fn claims(pair: &TokenAnswer) -> Value {
    let payload = token::base64url::decode(pair.access_token.split('.').nth(1).unwrap().as_bytes()).unwrap();
    serde_json::from_slice(&payload).unwrap()
}

#[tokio::test]
async fn whatever_happens_both_views_agree() {
    for seed in 1..=4_u64 {
        let mut world = world_with(turning()).await;
        world.issuer.ensure_client("other", Some(secret())).await.unwrap();
        let other = world.issuer.authenticate("other", secret().expose(), &Origin::internal()).await.unwrap();
        let mut all = pairs(&world, 2).await;
        let mut state = seed;
        for step in 0..60 {
            // splitmix64
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let draw = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb) >> 8;
            happens(&world, &other, &mut all, draw).await;
            if step % 20 == 13 {
                world = world.reopened().await;
            }
            if step % 4 == 3 {
                agrees(&world, &all).await;
            }
        }
    }
}
