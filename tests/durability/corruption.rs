//! Damage at rest: a start is refused with a way out, or all that was promised holds, or everything is revoked and that is said.
//! Where the way out is to accept the loss, it is gone, and everything is revoked then.

use crate::damage::{Damage, matters};
use crate::tree::Tree;
use countersign_tests::{Daemon, Dice, Extent, Load, NotStarted, given, seed};
use serde_json::json;
use std::collections::BTreeMap;

const SEED: &str = "COUNTERSIGN_CORRUPTION_SEED";
/// Damages of the test run, beside those that are always tried.
const DAMAGES: u64 = 40;

/// Damages of one store in the soak.
const LIFE: u64 = 250;

/// A daemon that has stopped, with something in its store, and what it was at an earlier moment.
struct Stand {
    daemon: Daemon,
    load: Load,
    now: Tree,
    earlier: Tree,
}

/// What came of damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Refused,
    /// Refused until the loss was accepted, and everything revoked from then on.
    Accepted,
    Harmless,
    AllRevoked,
}

impl Stand {
    fn new(seed: u64, killed: bool) -> Self {
        let mut daemon = Load::setup().start();
        let mut load = Load::new(seed, 2);
        let mut work = |daemon: &mut Daemon, killed: bool| {
            load.run(daemon.client(), |progress| {
                progress.wait(progress.told() + 150);
                if killed {
                    daemon.kill();
                }
            })
            .unwrap();
            if !killed {
                daemon.stop();
            }
            Tree::read(&daemon.setup().data_dir())
        };
        let earlier = work(&mut daemon, false);
        daemon.start_again();
        let now = work(&mut daemon, killed);
        Self { daemon, load, now, earlier }
    }

    /// Damages the files, starts, looks, and puts everything back.
    fn endures(&mut self, damage: &Damage) -> Result<Outcome, String> {
        let data = self.daemon.setup().data_dir();
        if let Damage::AllOlder = damage {
            std::fs::remove_file(data.join("store/lock")).unwrap(); // a copy has another
        }
        damage.done_to(&self.now, &self.earlier).put_back(&data);
        let logged = self.daemon.log().len();
        let outcome = match self.daemon.try_start_again() {
            Err(fault) => is_told(&fault).and_then(|()| self.refused(&fault)),
            Ok(()) => self.started(),
        };
        self.daemon.kill();
        self.now.put_back(&data);
        let said = self.daemon.log().split_off(logged);
        let outcome = outcome
            .and_then(|outcome| if said.contains("panic") { Err("it panicked".to_owned()) } else { Ok(outcome) });
        outcome.map_err(|fault| format!("{damage:?}: {fault}\n{said}"))
    }

    /// It was refused. Where that is said to be a loss that can be accepted, it stays refused until it is, and nothing comes back.
    fn refused(&mut self, fault: &NotStarted) -> Result<Outcome, String> {
        if !fault.said.contains("countersign store accept-damage") {
            return Ok(Outcome::Refused);
        }
        if self.daemon.try_start_again().is_ok() {
            return Err("a second start was not refused".to_owned());
        }
        let accepted = self.daemon.setup().command(&["store", "accept-damage", "--json"]).output().unwrap();
        if !accepted.status.success() {
            return Err(format!("the loss cannot be accepted: {}", accepted.stderr.escape_ascii()));
        }
        if let Err(fault) = self.daemon.try_start_again() {
            // Of what is left no daemon can be made, such as a log without a key.
            return is_told(&fault).map(|()| Outcome::Refused);
        }
        match self.started()? {
            Outcome::AllRevoked => Ok(Outcome::Accepted),
            other => Err(format!("the loss was accepted, and it starts as if there was none: {other:?}")),
        }
    }

    /// It started: either all that was promised holds, or it says that it has lost something and revokes everything.
    fn started(&self) -> Result<Outcome, String> {
        let daemon = &self.daemon;
        let everything = daemon.client().request("GET", "/v1/audit?act=store.behind").basic(daemon.admin()).send();
        if everything.status == 200 && everything.json()["items"] == json!([]) {
            return self.load.clone().check(daemon, Extent::All).map(|()| Outcome::Harmless);
        }
        // What is refused for another reason, such as a key that was lost, is refused.
        let accepted = |token: &String| countersign_tests::accepts(daemon.client(), token) == Ok(true);
        match self.load.issued().into_iter().find(accepted) {
            Some(token) => Err(format!("it says that it is behind, and accepts {token}")),
            None => self.goes_on().map(|()| Outcome::AllRevoked),
        }
    }

    /// What is issued from now on is accepted.
    fn goes_on(&self) -> Result<(), String> {
        let pair = self.daemon.mint(json!({"sub": "somebody", "aud": "api"}));
        match countersign_tests::accepts(self.daemon.client(), &pair.access_token)? {
            true => Ok(()),
            false => Err("what it issues is refused".to_owned()),
        }
    }
}

/// Whether a refusal is one that an operator can do something with.
fn is_told(fault: &NotStarted) -> Result<(), String> {
    let NotStarted { status, said } = fault;
    match status.code() {
        None => Err(format!("it hung, or was killed: {status}")),
        Some(1..=3) if ["countersign restore", "bring it back"].iter().any(|word| said.contains(word)) => Ok(()),
        Some(code) => Err(format!("it ended with {code} and names no way out")),
    }
}

fn endured(seed: u64, damages: u64) -> Result<BTreeMap<Outcome, usize>, String> {
    let mut dice = Dice::new(!seed);
    let mut outcomes = BTreeMap::new();
    let mut faults = Vec::new();
    let mut stand = Stand::new(seed, dice.percent(50));
    let files: Vec<_> = stand.now.0.keys().filter(|name| matters(name)).cloned().collect();
    let always = files.iter().flat_map(|name| [Damage::Gone(name.clone()), Damage::Older(name.clone())]);
    let mut all: Vec<Damage> = always.collect();
    all.push(Damage::Bit("master.key".into(), 15)); // which makes it no text
    all.extend((0..damages).map(|_| Damage::any(&stand.now, &mut dice)));
    all.push(Damage::AllOlder); // the last: from then on the folder is known to be a copy
    for damage in &all {
        match stand.endures(damage) {
            Ok(outcome) => {
                if std::env::var_os("COUNTERSIGN_CORRUPTION_TRACE").is_some() {
                    println!("{outcome:?}: {damage:?}");
                }
                *outcomes.entry(outcome).or_default() += 1;
            }
            Err(fault) => {
                println!("seed {seed}: {fault}"); // at once: a soak is long
                faults.push(fault);
            }
        }
    }
    println!("seed {seed}: {} damages, {outcomes:?}, {} faults", all.len(), faults.len());
    if faults.is_empty() { Ok(outcomes) } else { Err(format!("{SEED}={seed}: {}", faults.join("\n\n"))) }
}

#[test]
fn damage_is_refused_or_harmless_or_revokes_everything_and_is_said() {
    endured(seed(SEED), given("COUNTERSIGN_CORRUPTION_DAMAGES").unwrap_or(DAMAGES)).unwrap();
}

#[test]
#[ignore = "runs for as long as it is told: cargo xtask soak corruption"]
fn soak() {
    let wanted = given("COUNTERSIGN_CORRUPTION_DAMAGES").unwrap_or(2_000);
    let first = seed(SEED);
    let lives = wanted.div_ceil(LIFE);
    let faults: Vec<String> = (0..lives).filter_map(|life| endured(first + life, LIFE).err()).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}
