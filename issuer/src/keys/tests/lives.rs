//! Keys through random lives: clocks that jump, daemons that are off for months, rotations and withdrawals asked for.
//!
//! An oracle with the true time watches what verifiers see. It lets the calendar be wrong by anything while a process
//! runs, and be behind at a start; that a calendar is ahead at a start is an operator's word that it is right.

use super::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const LIFE: u64 = 900;
const LEEWAY: u64 = 60;
const LIST_INTERVAL: u64 = 15;
const SESSION: u64 = 30 * DAY;

#[derive(Debug, Clone)]
enum Act {
    Pass(u64),
    Jump(i64),
    Restart { off_secs: u64, behind_secs: i64 },
    Mint,
    Rotate,
    Withdraw(usize),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let pass = prop_oneof![6 => 0..400_u64, 3 => 0..2 * LIFE, 2 => 0..3 * DAY, 1 => 0..100 * DAY];
    let jump = prop_oneof![-2_000..2_000_i64, -30 * 86_400..86_400_i64, Just(0)];
    let off = prop_oneof![Just(0), 0..500_u64, 0..200 * DAY];
    let behind = prop_oneof![3 => Just(0), 1 => 0..86_400_i64];
    let act = prop_oneof![
        10 => pass.prop_map(Act::Pass),
        2 => jump.prop_map(Act::Jump),
        2 => (off, behind).prop_map(|(off_secs, behind_secs)| Act::Restart { off_secs, behind_secs }),
        8 => Just(Act::Mint),
        3 => Just(Act::Rotate),
        1 => (0..40_usize).prop_map(Act::Withdraw),
    ];
    proptest::collection::vec(act, 1..80)
}

/// The issuer as far as keys go, with the clocks of `operations/moments.rs`.
struct World {
    /// Seconds since the start, truly.
    truth: u64,
    /// What the calendar shows beside it.
    calendar: i64,
    /// The process: its calendar at its start and the true time of it.
    started: (u64, u64),
    floor: u64,
    issued: u64,
    ring: KeyRing,
    master: MasterKey,
    shown: BTreeMap<String, u64>,
    /// When each key was first published, truly; those that had to sign at once are from the beginning of time.
    published: BTreeMap<String, u64>,
    withdrawn: BTreeSet<String>,
    /// Tokens that are out: key, and expiry of access and refresh token.
    out: Vec<(String, u64, u64)>,
    switches: usize,
}

const BEGIN: u64 = 1_000 * DAY;

impl World {
    fn new() -> Self {
        let (master, _) = MasterKey::generate(&env(1)).unwrap();
        let rows = KeyRing::create(&env(1), &master, Algorithm::EdDsa, at(BEGIN)).unwrap();
        let ring = KeyRing::open(&rows, &master).unwrap();
        let published = rows.iter().map(|row| (row.kid.clone(), 0)).collect();
        let shown = rows.iter().map(|row| (row.kid.clone(), BEGIN)).collect();
        let (withdrawn, out) = (BTreeSet::new(), Vec::new());
        let (started, floor, issued) = ((BEGIN, BEGIN), BEGIN, BEGIN);
        let (truth, calendar, switches) = (BEGIN, 0, 0);
        Self { truth, calendar, started, floor, issued, ring, master, shown, published, withdrawn, out, switches }
    }

    fn shows(&self) -> u64 {
        self.truth.saturating_add_signed(self.calendar)
    }

    fn expected(&self) -> u64 {
        self.started.0 + (self.truth - self.started.1)
    }

    fn certain(&self) -> u64 {
        self.shows().min(self.expected())
    }

    /// What is signed now is dated so; nothing is signed when the calendar has jumped by more than a day.
    fn now(&mut self) -> Option<u64> {
        let now = self.shows().max(self.floor);
        let jumped = self.shows() > self.expected() + DAY;
        if !jumped && now >= self.floor + LIST_INTERVAL {
            self.floor = now; // a list is signed
        }
        (!jumped).then_some(now)
    }

    fn part(&mut self) -> u64 {
        let until = self.issued.max(self.shows().max(self.floor) - 1);
        self.floor = self.floor.max(until + 1);
        until
    }

    fn take(&mut self, rows: &[SealedKey], gone: &[String]) {
        let mut all = self.ring.with(rows);
        all.retain(|row| !gone.contains(&row.kid));
        self.ring = KeyRing::open(&all, &self.master).expect("one active key of each purpose, always");
        let (truth, ring) = (self.truth, &self.ring);
        self.shown.retain(|kid, _| ring.public().keys().iter().any(|key| key.kid() == kid));
        for key in ring.public().keys() {
            self.shown.entry(key.kid().to_owned()).or_insert(truth);
            self.published.entry(key.kid().to_owned()).or_insert(truth);
        }
    }

    fn tick(&mut self) {
        let Some(now) = self.now() else { return };
        let (shown, truth) = (self.shown.clone(), self.truth);
        let shown_secs = |kid: &str| shown.get(kid).map_or(0, |since| truth - since);
        let view = View { now: at(now), certain: at(self.certain()), shown_secs: &shown_secs };
        let (mut rows, mut gone) = (Vec::new(), Vec::new());
        for due in self.ring.due(&life(), &view) {
            match due {
                Due::Create(purpose) => rows.push(drawn(purpose, KeyState::Next, now, &self.master)),
                Due::Switch(purpose) => {
                    self.switches += 1;
                    let until = self.part();
                    rows.extend(self.ring.switch(purpose, at(until)));
                }
                Due::Keep(kid) => rows.extend(self.ring.keep(&kid, &env(5), &self.master, at(now)).unwrap()),
                Due::Forget(kid) => gone.push(kid),
            }
        }
        self.take(&rows, &gone);
    }

    fn act(&mut self, act: Act) -> Result<(), TestCaseError> {
        match act {
            Act::Pass(secs) => self.truth += secs,
            Act::Jump(secs) => self.calendar = secs,
            Act::Restart { off_secs, behind_secs } => {
                self.truth += off_secs;
                self.calendar = -behind_secs;
                self.started = (self.shows(), self.truth);
                self.issued = self.floor.max(self.shows());
                let truth = self.truth;
                self.shown.values_mut().for_each(|since| *since = truth);
            }
            Act::Mint => return self.mint(),
            Act::Rotate => {
                if let (Some(now), None) = (self.now(), self.ring.in_state(KeyState::Next, Purpose::Token)) {
                    let next = drawn(Purpose::Token, KeyState::Next, now, &self.master);
                    self.take(&[next], &[]);
                }
            }
            Act::Withdraw(which) => {
                let rows = self.ring.rows();
                let key = rows[which % rows.len()].clone();
                if key.state != KeyState::Withdrawn {
                    let rows = self.withdrawn_rows(&key);
                    self.withdrawn.insert(key.kid);
                    self.published.extend(rows.iter().skip(1).map(|row| (row.kid.clone(), 0)));
                    self.take(&rows, &[]);
                }
            }
        }
        Ok(())
    }

    fn withdrawn_rows(&self, key: &SealedKey) -> Vec<SealedKey> {
        let tools = (&fresh(), &self.master, Algorithm::EdDsa);
        self.ring.withdraw(key, None, tools, at(self.shows())).unwrap()
    }

    fn mint(&mut self) -> Result<(), TestCaseError> {
        let Some(now) = self.now() else { return Ok(()) };
        self.issued = self.issued.max(now);
        let kid = self.ring.token_signer().kid().to_owned();
        let published = self.published[&kid];
        prop_assert!(published + life().cached_secs <= self.truth, "a verifier may have keys without {}", kid);
        self.out.push((kid, now + LIFE, now + SESSION));
        Ok(())
    }

    /// Verifiers have the true time, and the keys of this moment.
    fn check(&self) -> Result<(), TestCaseError> {
        let is_in = |set: &KeySet, kid: &str| set.keys().iter().any(|key| key.kid() == kid);
        for (kid, access, refresh) in self.out.iter().filter(|(kid, ..)| !self.withdrawn.contains(kid)) {
            let alive = self.truth < access + LEEWAY;
            prop_assert!(!alive || is_in(self.ring.public(), kid), "a token is alive and its key not published");
            let lasts = self.truth < *refresh;
            prop_assert!(!lasts || is_in(self.ring.refresh(), kid), "a refresh token is alive and its key forgotten");
        }
        let still = self.withdrawn.iter().find(|kid| is_in(self.ring.refresh(), kid));
        prop_assert_eq!(still, None);
        for purpose in [Purpose::Token, Purpose::Revocations] {
            let of = |state| self.ring.rows().iter().filter(|row| (row.state, row.purpose) == (state, purpose)).count();
            prop_assert!(of(KeyState::Active) == 1 && of(KeyState::Next) <= 1);
        }
        Ok(())
    }
}

fn life() -> Schedule {
    let token_secs = LIFE + LEEWAY + LIST_INTERVAL;
    Schedule { rotate_every_secs: 5 * DAY, publish_before_secs: 2_000, cached_secs: 310, token_secs }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]
    #[test]
    fn no_verifier_ever_lacks_the_key_of_a_token_that_is_alive(acts in acts()) {
        let mut world = World::new();
        for act in acts {
            world.act(act)?;
            world.tick();
            world.check()?;
        }
    }
}

#[test]
fn a_daemon_that_runs_turns_its_keys_every_time() {
    let mut world = World::new();
    for _ in 0..200 {
        world.act(Act::Pass(DAY / 4)).unwrap();
        world.tick();
        world.act(Act::Mint).unwrap();
        world.check().unwrap();
    }
    assert!((18..=20).contains(&world.switches), "50 days, 2 purposes, every 5 days: {}", world.switches);
}
