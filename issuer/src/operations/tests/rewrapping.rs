//! Another master key under traffic, and across every crash.

use super::*;
use crate::error::KeyFault;
use crate::keys::NewMasterKey;

/// The new master key, or what is wrong with it.
struct Source(Result<[u8; 32], String>, bool);

impl NewMasterKey for Source {
    fn read(&self) -> Result<MasterKey, String> {
        self.0.clone().map(|bytes| MasterKey::from_bytes(Zeroizing::new(bytes)))
    }

    fn install(&self) -> Result<(), String> {
        if self.1 { Ok(()) } else { Err("by hand".to_owned()) }
    }
}

async fn open_under(directory: &Path, clock: &Arc<ManualClock>, master: [u8; 32]) -> Result<Issuer, Error> {
    let env = Env::seeded(Arc::clone(clock), STARTS.fetch_add(1, Ordering::Relaxed));
    Issuer::open(settings(), env, store::open(directory)?, MasterKey::from_bytes(Zeroizing::new(master))).await
}

#[tokio::test]
async fn every_key_opens_under_the_new_master_key_and_none_under_the_old_one() {
    let world = world().await;
    world.issuer.rotate_key(&world.admin, token::jwk::Purpose::Token).await.unwrap();
    let (pair, jwks) = (world.pair().await, world.issuer.jwks());
    world.issuer.set_new_master_key(Source(Ok([5; 32]), true));
    let other = Client { administrator: false, ..world.admin.clone() };
    assert_eq!(world.issuer.rewrap_keys(&other).await, Err(Error::UnauthorizedClient));
    let done = world.issuer.rewrap_keys(&world.admin).await.unwrap();
    assert!(done.keys == 3 && done.installed);
    assert_eq!(world.issuer.jwks(), jwks);
    assert!(world.verify(&world.pair().await.access_token).is_ok() && world.refresh(&pair).await.is_ok());
    // A key that is made from now on is under the new one too.
    world.issuer.rotate_key(&world.admin, token::jwk::Purpose::Revocations).await.unwrap();
    let World { issuer, clock, directory, .. } = world;
    issuer.close().await;
    drop(issuer);
    let old = open_under(directory.path(), &clock, [9; 32]).await.err();
    assert!(matches!(old, Some(Error::Keys(KeyFault::Sealed { .. }))), "{old:?}");
    let issuer = open_under(directory.path(), &clock, [5; 32]).await.unwrap();
    let kids = |jwks: &str| {
        KeySet::parse(jwks.as_bytes())
            .unwrap()
            .keys()
            .iter()
            .map(|key| key.kid().to_owned())
            .collect::<std::collections::BTreeSet<_>>()
    };
    assert!(kids(&issuer.jwks()).is_superset(&kids(&jwks)) && kids(&issuer.jwks()).len() == 4);
}

#[tokio::test]
async fn a_backup_is_under_one_master_key_since_none_is_replaced_while_it_is_made() {
    let world = world().await;
    world.issuer.set_new_master_key(Source(Ok([5; 32]), true));
    let mut backup = world.issuer.backup(&world.admin).await.unwrap();
    assert!(backup.next().await.unwrap().is_some());
    assert_eq!(world.issuer.rewrap_keys(&world.admin).await, Err(Error::BackupRunning));
    while backup.next().await.unwrap().is_some() {}
    drop(backup);
    assert_eq!(world.issuer.rewrap_keys(&world.admin).await.map(|done| done.keys), Ok(2), "the one is there");
    assert!(world.issuer.backup(&world.admin).await.is_ok(), "and so may another be");
}

#[tokio::test]
async fn a_new_master_key_that_cannot_be_used_changes_nothing() {
    let world = world().await;
    let refused = world.issuer.rewrap_keys(&world.admin).await;
    assert!(
        matches!(refused, Err(Error::InvalidRequest { field: "master_key", .. })),
        "nobody said where: {refused:?}"
    );
    world.issuer.set_new_master_key(Source(Err("gone".to_owned()), true));
    assert!(world.issuer.rewrap_keys(&world.admin).await.is_err());
    let world = world.reopened().await;
    world.issuer.set_new_master_key(Source(Ok([5; 32]), false));
    assert!(!world.issuer.rewrap_keys(&world.admin).await.unwrap().installed, "by hand, and the operator is told");
}
