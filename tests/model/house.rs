//! The machine that the issuer runs on: its directory, its starts, crashes and restores.

use crate::brittle::{Brittle, Held, Nerves};
use crate::tide::Tide;
use countersign_tests::Dice;
use issuer::audit::Origin;
use issuer::env::Env;
use issuer::keys::{KeyRing, MasterKey};
use issuer::operations::{Client, Error, Issuer, Secret, Settings};
use issuer::store::{SledStore, Store as _, StoreError};
use std::cell::RefCell;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use token::id::Jti;
use zeroize::Zeroizing;

pub(crate) const ISSUER: &str = "https://issuer.example";
pub(crate) const AUDIENCE: &str = "api";
/// Life of a list in seconds.
pub(crate) const LIST_TTL: u64 = 300;
/// What the issuer allows for the leeway of verifiers, in seconds.
pub(crate) const LEEWAY: u64 = 60;
/// The two clients there are.
pub(crate) const CLIENTS: [&str; 2] = ["backend-1", "backend-2"];
/// As the store has it.
const SEGMENT_BYTES: usize = 2 * 1024 * 1024;
/// Copies of the directory that are kept.
const COPIES: usize = 4;

/// An issuer and its disk.
pub(crate) struct House {
    disk: TempDir,
    pub(crate) clock: Arc<Tide>,
    pub(crate) nerves: Arc<Nerves>,
    /// Every start has randomness of its own.
    entropy: Dice,
    copies: Vec<PathBuf>,
    made: usize,
    running: Option<(Issuer, Vec<Client>)>,
    /// The store of the newest process.
    begun: RefCell<Option<Arc<Brittle>>>,
    /// An older log lies where the process before left a newer one.
    damaged: bool,
    /// The issuer's keys, to sign what it might have signed.
    ring: Option<KeyRing>,
}

impl House {
    pub(crate) fn new(seed: u64) -> Self {
        let memory = Path::new("/dev/shm");
        let within = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        Self {
            disk: tempfile::Builder::new().prefix("countersign-model-").tempdir_in(within).unwrap(),
            clock: Arc::new(Tide::new()),
            nerves: Arc::new(Nerves::new(Dice::new(seed ^ 1))),
            entropy: Dice::new(seed ^ 2),
            copies: Vec::new(),
            made: 0,
            running: None,
            begun: RefCell::default(),
            damaged: false,
            ring: None,
        }
    }

    pub(crate) fn issuer(&self) -> &Issuer {
        &self.running.as_ref().unwrap().0
    }

    pub(crate) fn client(&self, place: usize) -> &Client {
        &self.running.as_ref().unwrap().1[place]
    }

    pub(crate) fn ring(&self) -> &KeyRing {
        self.ring.as_ref().unwrap()
    }

    /// Starts the issuer, again and again where it ends while it starts.
    pub(crate) async fn start(&mut self) -> Result<(), String> {
        loop {
            let seed = self.entropy.number();
            let opened = self.survived(self.opened(seed)).await;
            if let Some(opened) = opened {
                self.running = Some(opened?);
                self.damaged = false;
                return Ok(());
            }
            self.crash();
        }
    }

    async fn opened(&self, seed: u64) -> Result<(Issuer, Vec<Client>), String> {
        let issuer = match self.attempted(seed).await {
            Err(Error::Store(StoreError::Incomplete { found })) => {
                self.accept(&found).await?;
                self.attempted(seed).await
            }
            opened => opened,
        };
        let issuer = issuer.map_err(|error| format!("the issuer does not open: {error}"))?;
        let mut clients = Vec::new();
        for name in CLIENTS {
            issuer.ensure_client(name, Some(secret())).await.map_err(|error| format!("{name}: {error}"))?;
            clients.push(
                issuer
                    .authenticate(name, secret().expose(), &Origin::internal())
                    .await
                    .map_err(|error| format!("{name}: {error}"))?,
            );
        }
        Ok((issuer, clients))
    }

    async fn attempted(&self, seed: u64) -> Result<Issuer, Error> {
        let brittle = Brittle::new(issuer::store::open(&self.store())?, Arc::clone(&self.nerves));
        self.begun.replace(Some(Arc::clone(&brittle)));
        let settings = Settings { leeway_secs: LEEWAY, list_ttl_secs: LIST_TTL, ..Settings::new(ISSUER) };
        let env = Env::seeded(Arc::clone(&self.clock), seed);
        Issuer::open(settings, env, Arc::new(Held(brittle)), master()).await
    }

    /// Does what an operator does whose start was refused and who has no backup. Crashes alone never lead here.
    async fn accept(&self, found: &str) -> Result<(), String> {
        self.begun.take().iter().for_each(|store| store.end());
        if !self.damaged {
            return Err(format!("a start was refused, and the log was not older than it had been: {found}"));
        }
        let accepted = async {
            let store = SledStore::open(&self.store())?;
            store.close().await?;
            store.accept_damage()
        };
        accepted.await.map_err(|error| format!("the loss cannot be accepted: {error}"))
    }

    /// Reads the keys that the first start has made.
    pub(crate) async fn read_keys(&mut self) {
        self.crash();
        let store = issuer::store::open(&self.store()).unwrap();
        self.ring = Some(KeyRing::open(&store.keys().await.unwrap(), &master()).unwrap());
    }

    /// What the operation answers, or nothing if the process ends meanwhile; whoever asked then has to crash it.
    pub(crate) async fn survived<T>(&self, operation: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.nerves.broken() => None,
            answer = operation => Some(answer),
        }
    }

    /// Ends the process without a word; what the store was told by then is on the disk.
    pub(crate) fn crash(&mut self) {
        self.nerves.disarm();
        self.running = None;
        self.begun.take().iter().for_each(|store| store.end());
    }

    /// Copies the directory of a process that has ended.
    pub(crate) fn copy(&mut self) {
        self.made += 1;
        let copy = self.disk.path().join(format!("copy-{}", self.made));
        copy_folder(&self.store(), &copy, |_| false);
        self.copies.push(copy);
        if self.copies.len() > COPIES {
            std::fs::remove_dir_all(self.copies.remove(0)).unwrap();
        }
    }

    /// Puts an older copy in the place of the directory of a process that has ended: all of it, as from a backup, or the
    /// log alone, as of a disk that lost its last writes; then the file beside the log, which knows the newest list,
    /// stays. Returns whether there was a copy.
    pub(crate) fn restore(&mut self, dice: &mut Dice) -> bool {
        let Some(copy) = dice.one(&self.copies) else { return false };
        let kept: &[&str] = if dice.percent(50) { &["newest-list", "lock"] } else { &[] };
        let is_kept = |path: &Path| kept.iter().any(|name| path.ends_with(name));
        for path in std::fs::read_dir(self.store()).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                std::fs::remove_dir_all(path).unwrap();
            } else if !is_kept(&path) {
                std::fs::remove_file(path).unwrap();
            }
        }
        copy_folder(copy, &self.store(), is_kept);
        self.damaged = true;
        true
    }

    /// Takes the row of a revocation out of the store of a process that has ended, as damage might. Returns whether there
    /// was one.
    pub(crate) fn lose(&self, jti: Jti) -> bool {
        let key = [&b"r"[..], &jti.epoch.to_be_bytes(), &jti.index.to_be_bytes()].concat();
        drop(issuer::store::open(&self.store()).unwrap()); // it waits until the process before has let go
        let config = sled::Config::new().path(self.store()).segment_size(SEGMENT_BYTES).flush_every_ms(None);
        let opened = (0..400).find_map(|_| {
            config.open().ok().or_else(|| {
                std::thread::sleep(Duration::from_millis(5)); // so does this
                None
            })
        });
        let opened = opened.unwrap();
        let found = opened.remove(key).unwrap().is_some();
        opened.flush().unwrap();
        found
    }

    fn store(&self) -> PathBuf {
        self.disk.path().join("store")
    }
}

fn copy_folder(from: &Path, to: &Path, is_left: impl Fn(&Path) -> bool + Copy) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target, is_left);
        } else if !is_left(&target) {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn master() -> MasterKey {
    MasterKey::from_bytes(Zeroizing::new([9; 32]))
}

fn secret() -> Secret {
    Secret::parse("0123456789abcdef0123456789abcdef").unwrap()
}
