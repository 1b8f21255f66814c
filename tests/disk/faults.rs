//! Each call by which the daemon changes its files fails, one after the other: while it starts, under load, while it stops.
//!
//! Whatever fails, and whether once or for good: the daemon either goes on as if nothing had been, or it ends by itself,
//! with an exit code that is not 0 and a reason, and without a panic. Started again on a disk that works, it has everything
//! that it had told its clients; in every second trial the power goes as well, so that what a failed sync was to keep is gone.

use crate::attempt::{Attempt, End};
use crate::journal;
use crate::replay::{Cut, Disk, lay};
use crate::shim::{Fault, How, Kind, Shim};
use crate::{given, setup};
use countersign_tests::{Client, Daemon, Dice, Extent, Load};
use serde_json::json;

/// When the call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// While the very first start makes everything.
    First,
    /// While it starts on what it has.
    Start,
    /// While clients work.
    Load,
    /// While it stops.
    Stop,
}

const PHASES: [Phase; 4] = [Phase::First, Phase::Start, Phase::Load, Phase::Stop];
/// Answers that clients wait for while something fails.
const ANSWERS: usize = 12;
/// Trials on one data folder.
const TRIALS_A_FOLDER: usize = 40;
/// Trials of the test run.
const SAMPLE: usize = 30;

/// What is tried: every kind of failure of every kind of call.
fn choices() -> Vec<(Phase, Kind, How, bool)> {
    let mut choices = Vec::new();
    for phase in PHASES {
        for kind in Kind::ALL {
            let hows = if kind == Kind::Write {
                vec![How::Error, How::Full, How::Short, How::ShortThenFull, How::Interrupted]
            } else {
                vec![How::Error, How::Full, How::Interrupted]
            };
            for how in hows {
                choices.push((phase, kind, how, false));
                if matches!(how, How::Error | How::Full) {
                    choices.push((phase, kind, how, true));
                }
            }
        }
    }
    choices
}

/// A data folder that has seen some failures.
struct House {
    daemon: Daemon,
    shim: Shim,
    load: Load,
    trials: usize,
}

/// What the trials came to.
#[derive(Debug, Default)]
struct Sum {
    trials: u64,
    /// The daemon went on and stopped in good order.
    harmless: u64,
    /// It ended by itself and said why.
    ended: u64,
    acknowledged: u64,
}

impl House {
    fn new(seed: u64) -> Result<Self, String> {
        let (setup, shim) = setup(Shim::recording);
        let mut house = Self { daemon: setup.start(), shim, load: Load::new(seed, 2), trials: 0 };
        house.load.run(house.daemon.client(), |progress| progress.wait(30))?;
        house.daemon.stop();
        Ok(house)
    }

    /// Lets one call fail; false when there is no such call.
    fn trial(&mut self, phase: Phase, fault: Fault, power: bool, sum: &mut Sum) -> Result<bool, String> {
        let Self { daemon, shim, load, .. } = self;
        shim.forget();
        let root = daemon.setup().folder().to_owned();
        let mut disk = Disk::of(&root);
        if phase == Phase::Start {
            shim.fail(fault);
        }
        let mut attempt = Attempt::begin(daemon.setup());
        if let Some(client) = attempt.ready()? {
            if phase == Phase::Load {
                shim.fail(fault);
            }
            sum.acknowledged += load.run(client, |progress| progress.wait(ANSWERS))?;
            if phase == Phase::Stop {
                shim.fail(fault);
            }
            stop(&attempt, client)?;
        }
        let failed = shim.failed() > 0;
        judge(&attempt.end()?, failed, fault, sum)?;
        shim.heal();
        if power {
            journal::read(&shim.journal()).iter().for_each(|record| disk.play(record));
            lay(&disk.image(Cut::Strict, &mut Dice::new(0)), &root);
        }
        daemon.restart();
        load.check(daemon, Extent::Touched { others: 4 })?;
        daemon.stop();
        Ok(failed)
    }
}

/// Asks a daemon to stop that works; one that says it cannot must end by itself.
fn stop(attempt: &Attempt, client: Client) -> Result<(), String> {
    match client.request("GET", "/readyz").try_send() {
        Ok(reply) if reply.status == 200 => attempt.ask_to_stop(),
        Ok(reply) if !reply.text().contains("store_failed") => return Err(format!("not ready: {}", reply.text())),
        Ok(_) | Err(_) => {}
    }
    Ok(())
}

fn judge(end: &End, failed: bool, fault: Fault, sum: &mut Sum) -> Result<(), String> {
    sum.trials += 1;
    if end.log.contains("panicked") {
        return Err(format!("{fault:?}: a panic:\n{}", end.log));
    }
    match end.status.code() {
        Some(0) => sum.harmless += 1,
        Some(1 | 3) if failed && end.log.contains("countersign: ") => sum.ended += 1,
        _ => return Err(format!("{fault:?}, {failed}: it ended with {}:\n{}", end.status, end.log)),
    }
    Ok(())
}

/// A first start in which a call fails; afterwards the next one makes everything.
fn first(fault: Fault, sum: &mut Sum) -> Result<bool, String> {
    let (setup, shim) = setup(Shim::over);
    shim.fail(fault);
    let mut attempt = Attempt::begin(&setup);
    if attempt.ready()?.is_some() {
        attempt.ask_to_stop();
    }
    let failed = shim.failed() > 0;
    judge(&attempt.end()?, failed, fault, sum)?;
    shim.heal();
    let daemon = setup.start();
    daemon.mint(json!({"sub": "alice", "aud": "api"}));
    Ok(failed)
}

/// Runs trials until `next` has no more; it is told whether the last one had such a call.
fn trials(seed: u64, mut next: impl FnMut(Option<bool>, &Sum) -> Option<(Phase, Fault, bool)>) -> Result<Sum, String> {
    let (mut sum, mut house, mut last) = (Sum::default(), None::<House>, None);
    while let Some((phase, fault, power)) = next(last, &sum) {
        let failed = |what| format!("{phase:?}, {fault:?}, power cut {power}: {what}");
        if house.as_ref().is_none_or(|house| house.trials == TRIALS_A_FOLDER) {
            house = Some(House::new(seed.wrapping_add(sum.trials)).map_err(failed)?);
        }
        let house = house.as_mut().expect("just made");
        house.trials += 1;
        last = Some(match phase {
            Phase::First => first(fault, &mut sum).map_err(failed)?,
            Phase::Start | Phase::Load | Phase::Stop => house.trial(phase, fault, power, &mut sum).map_err(failed)?,
        });
    }
    Ok(sum)
}

#[test]
fn whatever_fails_it_goes_on_or_ends_and_nothing_that_was_told_is_lost() {
    let seed = given("COUNTERSIGN_FAULTS_SEED").unwrap_or(1);
    println!("COUNTERSIGN_FAULTS_SEED={seed}");
    let (choices, mut dice, mut left) = (choices(), Dice::new(seed), SAMPLE);
    let sum = trials(seed, |_, _| {
        left = left.checked_sub(1)?;
        // Most calls of a daemon are writes and syncs, so most trials are about them.
        let (phase, kind, how, for_ever) = loop {
            let choice = choices[dice.below(choices.len())];
            if matches!(choice.1, Kind::Write | Kind::Sync) || dice.percent(30) {
                break choice;
            }
        };
        let nth = 1 + dice.number() % 12;
        Some((phase, Fault { kind, nth, how, for_ever }, dice.percent(50)))
    });
    let sum = sum.unwrap();
    println!("{sum:?}");
    assert!(sum.ended > 5 && sum.harmless > 5 && sum.acknowledged > 50, "{sum:?}");
}

#[test]
fn a_sync_that_fails_under_load_ends_the_daemon_with_3_and_the_reason() {
    let mut sum = Sum::default();
    let fault = Fault { kind: Kind::Sync, nth: 2, how: How::Error, for_ever: false };
    House::new(5).unwrap().trial(Phase::Load, fault, true, &mut sum).unwrap();
    assert_eq!((sum.ended, sum.harmless), (1, 0));
}

#[test]
fn writes_that_fail_on_the_threads_of_the_engine_do_not_leave_a_start_or_a_client_waiting() {
    let mut sum = Sum::default();
    let mut house = House::new(6).unwrap();
    for (phase, nth) in (5..8).map(|nth| (Phase::Start, nth)).chain([(Phase::Load, 5), (Phase::Load, 6)]) {
        let fault = Fault { kind: Kind::Write, nth, how: How::Error, for_ever: true };
        house.trial(phase, fault, false, &mut sum).unwrap();
    }
    assert_eq!((sum.ended, sum.harmless), (5, 0));
}

#[test]
#[ignore = "every call in turn takes an hour: cargo xtask soak faults"]
fn soak() {
    let seed = given("COUNTERSIGN_FAULTS_SEED").unwrap_or(1);
    let every = given("COUNTERSIGN_FAULTS_EVERY").unwrap_or(1);
    let from = usize::try_from(given("COUNTERSIGN_FAULTS_FROM").unwrap_or(0)).unwrap();
    println!("every {every}. call of each kind, each failure of it, from the {from}. on");
    let (mut choices, mut nth, mut current) = (choices().into_iter().skip(from), 0, None);
    let sum = trials(seed, |last, sum| {
        if last == Some(false) {
            println!(
                "{:>6} trials, {} went on, {} ended: {current:?} up to call {nth}",
                sum.trials, sum.harmless, sum.ended
            );
        }
        if last != Some(true) {
            current = choices.next();
            nth = 1 + (seed + sum.trials) % every;
        } else {
            nth += every;
        }
        let (phase, kind, how, for_ever) = current?;
        Some((phase, Fault { kind, nth, how, for_ever }, (nth + sum.trials) % 2 == 0))
    });
    println!("{:?}", sum.unwrap());
}
