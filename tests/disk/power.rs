//! The power is cut under load: of what the daemon has told its clients nothing may be missing.
//!
//! A round starts the daemon on what the round before left, lets clients work, and ends it with SIGKILL in the middle. What
//! was synced by then is certain; of the rest the round's seed chooses what the disk has kept. The daemon is started on that
//! and held against everything that was acknowledged. In some rounds the power goes while the daemon starts: then its
//! journal ends anywhere.

mod log;

use crate::journal::{self, Record};
use crate::replay::{Cut, Disk, lay};
use crate::shim::Shim;
use crate::{given, setup};
use countersign_tests::{Daemon, Dice, Extent, Load};
use serde_json::json;
use std::fs;
use std::os::unix::fs::MetadataExt;

/// Rounds of the test run.
const ROUNDS: u64 = 20;
/// Rounds on one data folder; then everything that was ever promised is checked, and a new one begins.
const ROUNDS_A_FOLDER: u64 = 10;
const CLIENTS: usize = 4;
/// Answers after which the power goes, at most.
const ANSWERS: usize = 120;

/// One data folder, and what was promised on it.
struct House {
    daemon: Daemon,
    shim: Shim,
    load: Load,
    /// What was certain when the daemon was started last.
    before: Disk,
}

impl House {
    fn new(seed: u64) -> Self {
        let (setup, shim) = setup(Shim::recording);
        // What the daemon says is kept where a round fails.
        let setup = std::env::var("COUNTERSIGN_POWER_LOG")
            .into_iter()
            .fold(setup, |setup, level| setup.set("log_level", &level));
        let before = Disk::of(setup.folder());
        Self { daemon: setup.start(), shim, load: Load::new(seed, CLIENTS), before }
    }

    /// Lets clients work and kills the daemon in the middle; returns how many answers promised something.
    fn work(&mut self, answers: usize) -> Result<u64, String> {
        let Self { daemon, load, .. } = self;
        load.run(daemon.client(), |progress| {
            progress.wait(answers);
            daemon.kill();
        })
    }

    /// Leaves on the disk what a power cut may have left after these records.
    fn cut(&mut self, records: &[Record], cut: Cut, dice: &mut Dice) {
        let root = self.daemon.setup().folder();
        records.iter().for_each(|record| self.before.play(record));
        let said = self.daemon.log(); // what is known of a round that fails; nothing depends on it
        lay(&self.before.image(cut, dice), root);
        fs::write(root.join("log"), said).unwrap();
        self.shim.forget();
        self.before = Disk::of(root);
    }

    fn records(&self) -> Vec<Record> {
        journal::read(&self.shim.journal())
    }

    /// The name by which the records call a file of the store.
    fn inode(&self, name: &str) -> u64 {
        fs::metadata(self.daemon.setup().data_dir().join("store").join(name)).unwrap().ino()
    }

    fn restart_and_check(&mut self, extent: Extent) -> Result<(), String> {
        self.daemon.kill();
        self.daemon.try_start_again().map_err(|refused| format!("it does not start: {}", refused.said))?;
        self.load.check(&self.daemon, extent)
    }
}

fn any(dice: &mut Dice) -> Cut {
    [Cut::Strict, Cut::Torn, Cut::Reordered][dice.below(3)]
}

/// What so many rounds came to.
#[derive(Default)]
struct Sum {
    acknowledged: u64,
    cuts: [u64; 4],
}

/// Runs so many rounds; everything follows from the seed but the moments at which threads run.
fn rounds(first: u64, rounds: u64, mut tell: impl FnMut(u64, &Sum)) -> Result<Sum, String> {
    let mut sum = Sum::default();
    let mut house = None;
    for round in 0..rounds {
        let seed = first.wrapping_add(round);
        let failed = |what| format!("COUNTERSIGN_POWER_SEED={first}, round {round}: {what}");
        let house = match &mut house {
            Some(house) if round % ROUNDS_A_FOLDER != 0 => house,
            empty => empty.insert(House::new(seed)),
        };
        let last = round % ROUNDS_A_FOLDER == ROUNDS_A_FOLDER - 1;
        if let Err(what) = one(house, &mut Dice::new(seed), last, &mut sum) {
            let kept = house.daemon.keep().display().to_string();
            return Err(failed(format!("{what}; the folder and the log of all its rounds are kept in {kept}")));
        }
        tell(round + 1, &sum);
    }
    Ok(sum)
}

fn one(house: &mut House, dice: &mut Dice, last: bool, sum: &mut Sum) -> Result<(), String> {
    sum.acknowledged += house.work(1 + dice.below(ANSWERS))?;
    let cut = any(dice);
    let records = house.records();
    house.cut(&records, cut, dice);
    sum.cuts[usize::from(cut != Cut::Strict) + usize::from(cut == Cut::Reordered)] += 1;
    if dice.percent(25) {
        house.daemon.restart();
        house.daemon.kill();
        // Nothing was told since the start, so the power may have gone at any moment of it.
        let records = house.records();
        let cut = any(dice);
        house.cut(&records[..dice.below(records.len() + 1)], cut, dice);
        sum.cuts[3] += 1;
    }
    house.restart_and_check(if last { Extent::All } else { Extent::Touched { others: 8 } })
}

#[test]
fn after_a_power_cut_everything_is_there_that_a_client_was_told() {
    let sum = rounds(given("COUNTERSIGN_POWER_SEED").unwrap_or(1), ROUNDS, |_, _| {}).unwrap();
    assert!(sum.acknowledged > ROUNDS * 10, "there was something to lose");
}

#[test]
fn without_one_sync_an_acknowledged_session_is_lost_and_the_check_says_so() {
    let mut house = House::new(7);
    house.work(40).unwrap();
    let records = house.records();
    house.cut(&records, Cut::Strict, &mut Dice::new(1));
    house.restart_and_check(Extent::All).unwrap();

    let told = house.records().len();
    house.work(20).unwrap();
    let mut records = house.records();
    let logs = ["journal.0", "journal.1"].map(|name| house.inode(name));
    let mut place = 0;
    records.retain(|record| {
        place += 1;
        place <= told || !logs.iter().any(|log| *record == Record::Synced { inode: *log })
    });
    house.cut(&records, Cut::Strict, &mut Dice::new(1));
    let missed = house.restart_and_check(Extent::All).expect_err("the syncs of the journal are missing");
    println!("{missed}");
}

#[test]
fn a_first_start_that_the_power_ends_is_made_again() {
    let (setup, shim) = setup(Shim::recording);
    let mut daemon = setup.start();
    daemon.kill();
    let records = journal::read(&shim.journal());
    let mut dice = Dice::new(given("COUNTERSIGN_POWER_SEED").unwrap_or(3));
    for round in 0..8 {
        let root = daemon.setup().folder().to_owned();
        fs::remove_dir_all(daemon.setup().data_dir()).unwrap();
        let mut disk = Disk::of(&root);
        records[..dice.below(records.len() + 1)].iter().for_each(|record| disk.play(record));
        let cut = any(&mut dice);
        lay(&disk.image(cut, &mut dice), &root);
        println!("round {round}: {cut:?}");
        daemon.restart();
        daemon.mint(json!({"sub": "alice", "aud": "api"}));
        daemon.kill();
    }
}

#[test]
fn the_first_answer_survives_a_power_cut_right_after_it() {
    let (setup, shim) = setup(Shim::recording);
    let mut before = Disk::of(setup.folder());
    let mut daemon = setup.start();
    let pair = daemon.mint(json!({"sub": "alice", "aud": "api"}));
    daemon.kill();
    journal::read(&shim.journal()).iter().for_each(|record| before.play(record));
    lay(&before.image(Cut::Strict, &mut Dice::new(1)), daemon.setup().folder());
    daemon.restart();
    assert_eq!(daemon.refresh(&pair.refresh_token).status, 200);
}

#[test]
#[ignore = "runs for as long as it is told: cargo xtask soak power"]
fn soak() {
    let (first, wanted) =
        (given("COUNTERSIGN_POWER_SEED").unwrap_or(1), given("COUNTERSIGN_POWER_ROUNDS").unwrap_or(1000));
    println!("{wanted} rounds, seeds from {first} on");
    let tell = |round: u64, sum: &Sum| {
        if round.is_multiple_of(50) || round == wanted {
            let [strict, torn, reordered, starts] = sum.cuts;
            println!(
                "{round:>6} rounds, {} acknowledgements, none lost: {strict} strict, {torn} torn, {reordered} reordered, \
                 {starts} more during a start",
                sum.acknowledged
            );
        }
    };
    rounds(first, wanted, tell).unwrap();
}
