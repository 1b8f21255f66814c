//! The life of one store: worked on, killed at any moment, started again, and held against what its clients were told.

use countersign_tests::{Daemon, Dice, Extent, Load};
use serde_json::json;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

/// Sessions of each client that are looked at though nothing was done to them.
const OTHERS: usize = 3;
/// After this many kills a new store is begun: this one has grown.
pub(crate) const ROUNDS: u64 = 25;
/// How long clients work before a kill, at most, in milliseconds, unless it is told otherwise.
pub(crate) const LONGEST: u64 = 350;

/// When the daemon is killed.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// While clients work.
    Work,
    /// So, and again while it starts, up to three times.
    Starts,
    /// So, and again as soon as it is there and clients work.
    Twice,
    /// While the master key is replaced.
    Rewrap,
    /// While a backup is made.
    Backup,
}

const MOMENTS: [(usize, Moment); 5] =
    [(60, Moment::Work), (12, Moment::Starts), (8, Moment::Twice), (10, Moment::Rewrap), (10, Moment::Backup)];

/// One store and its clients.
pub(crate) struct Life {
    pub(crate) daemon: Daemon,
    pub(crate) load: Load,
    dice: Dice,
    /// How long clients work before a kill, at most, in milliseconds.
    longest: u64,
    /// Kills so far.
    pub(crate) kills: u64,
}

impl Life {
    /// Begins one on which so many clients work, for so long at most before each kill (in milliseconds, above 40).
    pub(crate) fn begin(seed: u64, clients: usize, longest: u64) -> Self {
        let (daemon, load, dice) = (Load::setup().start(), Load::new(seed, clients), Dice::new(!seed));
        Self { daemon, load, dice, longest, kills: 0 }
    }

    /// Kills once or more, starts, and checks.
    pub(crate) fn round(&mut self) -> Result<(), String> {
        let moment = self.dice.weighted(&MOMENTS);
        match moment {
            Moment::Work => self.work(|_| {}),
            Moment::Rewrap => self.work(rewrap),
            Moment::Backup => self.work(backup),
            Moment::Starts => self.work(|_| {}).map(|()| self.starts()),
            Moment::Twice => self.work(|_| {}).and_then(|()| {
                self.daemon.start_again();
                self.work(|_| {})
            }),
        }
        .and_then(|()| self.restarted(Extent::Touched { others: OTHERS }))
        .map_err(|fault| format!("kill {}, {moment:?}: {fault}", self.kills))
    }

    /// Lets clients work, begins `other` beside them, and kills the daemon within a third of a second.
    fn work(&mut self, other: fn(&Daemon)) -> Result<(), String> {
        let (before, during) = (self.dice.between(20, self.longest - 20), self.dice.between(0, 20));
        let daemon = &mut self.daemon;
        let ran = self.load.run(daemon.client(), |_| {
            thread::sleep(Duration::from_millis(before)); // the moment is what is tried, nothing is waited for
            thread::scope(|scope| {
                scope.spawn(|| other(daemon));
                thread::sleep(Duration::from_millis(during));
                daemon.signal(rustix::process::Signal::KILL);
            });
            daemon.wait();
        });
        self.kills += 1;
        ran.map(drop)
    }

    /// Starts it up to three times, and kills it before it says that it is ready, or soon after.
    fn starts(&mut self) {
        for _ in 0..self.dice.between(1, 3) {
            let mut command = self.daemon.setup().command(&["serve"]);
            let mut starting =
                command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            thread::sleep(Duration::from_micros(self.dice.between(0, 60_000)));
            starting.kill().unwrap();
            starting.wait().unwrap();
            self.kills += 1;
        }
    }

    fn restarted(&mut self, extent: Extent) -> Result<(), String> {
        self.daemon.start_again();
        self.load.check(&self.daemon, extent)
    }

    /// Holds it against all that was ever promised, once more after a stop in good order, and proves the audit log.
    pub(crate) fn end(&mut self) -> Result<(), String> {
        self.daemon.stop();
        self.restarted(Extent::All)?;
        self.daemon.stop();
        let noted = self.load.noted().unwrap();
        let proof = self.daemon.setup().command(&["audit", "verify", "--noted", &noted]).output().unwrap();
        let told = [proof.stdout, proof.stderr].concat();
        if proof.status.success() { Ok(()) } else { Err(format!("the audit log: {}", told.escape_ascii())) }
    }
}

/// Puts another master key beside the one in use and lets the daemon take it over.
fn rewrap(daemon: &Daemon) {
    let new = daemon.setup().data_dir().join("master.key.new");
    if !new.exists() {
        let pid = u64::from(daemon.pid());
        let mut dice = Dice::new(pid); // any other key will do, and each process has a number of its own
        let bytes: Vec<u8> = (0..4).flat_map(|_| dice.number().to_le_bytes()).collect();
        let beside = new.with_file_name("master.key.draft");
        fs::write(&beside, token::base64url::encode(&bytes) + "\n").unwrap();
        fs::set_permissions(&beside, Permissions::from_mode(0o600)).unwrap();
        fs::rename(&beside, &new).unwrap();
    }
    drop(daemon.client().json("/v1/keys/rewrap", &json!({})).basic(daemon.admin()).try_send());
}

fn backup(daemon: &Daemon) {
    drop(daemon.client().json("/v1/backup", &json!({})).basic(daemon.admin()).try_send());
}
