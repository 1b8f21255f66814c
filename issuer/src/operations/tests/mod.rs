//! The use cases against a real store in a temporary directory, with a clock that moves when told.

mod census;
mod clients;
mod exchanged;
mod following;
mod introspecting;
mod passwords;
mod publishing;
mod refreshing;
mod revoking;
mod rewrapping;
mod rotating;
mod ruling;
mod sessions;
mod status_lists;
mod users;
mod withdrawing;

use super::*;
use crate::audit::Origin;
use crate::env::{Env, ManualClock};
use crate::keys::MasterKey;
use crate::store::{self, SledStore, Store as _, StoreError};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use token::jwk::KeySet;
use token::verify::{Policy, Verified, Verifier};
use token::{Rejection, error::RevokedBy};

const ISSUER: &str = "https://issuer.example";

/// Seeds for starts after the first.
static STARTS: AtomicU64 = AtomicU64::new(1_000);

/// An issuer, its clock and the directory it lives in.
struct World {
    issuer: Issuer,
    clock: Arc<ManualClock>,
    admin: Client,
    directory: tempfile::TempDir,
}

fn start() -> UnixTime {
    UnixTime::from_secs(1_800_000_000).unwrap()
}

/// The default settings, but for verifiers with a leeway of 5 seconds.
fn settings() -> Settings {
    Settings { leeway_secs: 5, ..Settings::new(ISSUER) }
}

fn master() -> MasterKey {
    MasterKey::from_bytes(Zeroizing::new([9; 32]))
}

async fn open(directory: &Path, settings: Settings, env: Env) -> Result<Issuer, Error> {
    Issuer::open(settings, env, store::open(directory)?, master()).await
}

/// Does what an operator does on whose damaged store no issuer opens, and who has no backup.
async fn accept_damage(directory: &Path) {
    for attempt in 0..2 {
        let (env, _) = Env::fixed(start(), 9);
        let refused = open(directory, settings(), env).await.err();
        assert!(matches!(refused, Some(Error::Store(StoreError::Incomplete { .. }))), "{attempt}: {refused:?}");
    }
    let store = SledStore::open(directory).unwrap();
    store.close().await.unwrap();
    store.accept_damage().unwrap();
}

async fn world() -> World {
    world_with(settings()).await
}

async fn world_with(settings: Settings) -> World {
    let directory = tempfile::tempdir().unwrap();
    let (env, clock) = Env::fixed(start(), 1);
    let issuer = open(directory.path(), settings, env).await.unwrap();
    issuer.ensure_client("admin", Some(secret())).await.unwrap();
    let admin = issuer.authenticate("admin", secret().expose(), &Origin::internal()).await.unwrap();
    World { issuer, clock, admin, directory }
}

impl World {
    /// Closes the issuer and opens it again, as after a restart at the same moment.
    async fn reopened(self) -> Self {
        self.reopened_after(|_| {}).await
    }

    /// Does the same, with something done to the folder of its store in between.
    async fn reopened_after(self, damage: impl FnOnce(&Path)) -> Self {
        let Self { issuer, clock, admin, directory } = self;
        let settings = issuer.settings().clone();
        let env = Env::seeded(Arc::clone(&clock), STARTS.fetch_add(1, Ordering::Relaxed)); // other bytes than before
        issuer.close().await;
        drop(issuer);
        damage(directory.path());
        let issuer = open(directory.path(), settings, env).await.unwrap();
        Self { issuer, clock, admin, directory }
    }

    async fn pair(&self) -> TokenAnswer {
        self.issuer.mint(&self.admin, request()).await.unwrap()
    }

    async fn refresh(&self, answer: &TokenAnswer) -> Result<TokenAnswer, Error> {
        self.issuer.refresh(&self.admin, answer.refresh_token.as_deref().unwrap(), None).await
    }

    /// Judges an access token as a verifier would that has just fetched keys and list.
    fn verify(&self, access_token: &str) -> Result<Verified, Rejection> {
        self.verifier(policy()).verify(access_token, self.now())
    }

    fn verifier(&self, policy: Policy) -> Verifier {
        let mut verifier = Verifier::new(policy, KeySet::parse(self.issuer.jwks().as_bytes()).unwrap()).unwrap();
        verifier.load_revocations(&self.issuer.revocation_list().document, self.now()).unwrap();
        verifier
    }

    /// Returns the place of an access token in the revocation list.
    fn place(&self, access_token: &str) -> token::id::Jti {
        let jti = self.issuer.parts.keys.verifier().verify(access_token, self.now()).unwrap().claims.jti;
        jti.parse().unwrap()
    }

    fn now(&self) -> UnixTime {
        use crate::env::Clock;
        UnixTime::from_secs(self.clock.unix_millis() / 1000).unwrap()
    }
}

/// What a verifier of the audience `api` asks.
fn policy() -> Policy {
    Policy {
        issuer: Some(ISSUER.to_owned()),
        audience: Some(vec!["api".to_owned()]),
        leeway_secs: 5,
        scope: Vec::new(),
        revocations: true,
        max_staleness_secs: None,
    }
}

fn secret() -> Secret {
    Secret::parse("0123456789abcdef0123456789abcdef").unwrap()
}

fn request() -> MintRequest {
    MintRequest {
        sub: "user-1".to_owned(),
        aud: vec!["api".to_owned()],
        scope: Some("read write admin".to_owned()),
        roles: vec!["editor".to_owned()],
        claims: Map::from_iter([("tenant".to_owned(), Value::from("t-1"))]),
        ..MintRequest::default()
    }
}

const REVOKED: Rejection = Rejection::Revoked(RevokedBy::Index);

/// The body that goes out.
fn body(answer: &TokenAnswer) -> String {
    serde_json::to_string(answer).unwrap()
}
