//! kill -9 while what has expired is removed: sessions, revocations, epochs and events.
//!
//! Before each start the calendar goes on by 26 hours, so that the daemon finds hundreds of sessions that are over, revocations that no
//! list names any more, pages of epochs that are gone and events that are kept for a day. It begins to remove them as soon as it is
//! there, and is killed in the middle, again and again. Beside them are sessions that go on because they are refreshed once a day:
//! what stood in their rows before is due again and again.

use crate::shim::Shim;
use crate::{given, setup};
use countersign_tests::{Daemon, Dice, Pair, Reply, accepts};
use serde_json::json;
use std::thread;
use std::time::Duration;

/// Rounds of the test run.
const ROUNDS: u64 = 3;
/// The calendar goes on by so many hours a round: a day's events and access tokens are over, a session refreshed before is not.
const HOURS: u64 = 26;
/// Seconds that a session lives without a refresh.
const IDLE: &str = "108000";
/// Sessions of a round that are over soon, a quarter of them because they are ended; one step of a purge removes 256 at most.
const BRIEF: usize = 400;
/// Sessions that go on.
const KEPT: usize = 24;
const CLIENTS: usize = 4;

/// A daemon and what must be there, whatever is removed beside it.
struct House {
    daemon: Daemon,
    shim: Shim,
    /// The newest pairs of sessions that go on. One that was presented without an answer is presented again.
    kept: Vec<Pair>,
    /// Refresh tokens of sessions whose end was acknowledged.
    ended: Vec<String>,
    /// Access tokens that were taken back since the calendar went on.
    revoked: Vec<String>,
    seq: u64,
    hours: u64,
    kills: u64,
}

impl House {
    fn new() -> Self {
        let (setup, shim) = setup(Shim::over);
        let daemon = setup.set("refresh_ttl_seconds", IDLE).set("audit.retention_days", "1").start();
        let mint = |_| daemon.mint(json!({"sub": "kept", "aud": "api"}));
        let kept = (0..KEPT).map(mint).collect();
        Self { daemon, shim, kept, ended: Vec::new(), revoked: Vec::new(), seq: 0, hours: 0, kills: 0 }
    }

    /// Fills the store with what is over soon, and lets the calendar go on.
    fn fill(&mut self, dice: &mut Dice) -> Vec<Pair> {
        let daemon = &self.daemon;
        let fill = |client: usize| -> Vec<Pair> {
            let sub = format!("brief-{client}");
            let brief = json!({"sub": sub, "aud": "api", "access_ttl": 60, "refresh_ttl": 60, "session_ttl": 60});
            (0..BRIEF / CLIENTS).map(|_| daemon.mint(brief.clone())).collect()
        };
        let pairs: Vec<Pair> = of_each(fill).into_iter().flatten().collect();
        let rows = daemon.client().json("/v1/revocations", &json!({"subject": "brief-0"})).basic(daemon.admin()).send();
        assert_eq!(rows.status, 200, "{}", rows.text());
        let place = dice.below(KEPT);
        assert_eq!(daemon.revoke(&self.kept[place].refresh_token).status, 200);
        let next = daemon.mint(json!({"sub": "kept", "aud": "api"}));
        self.ended.push(std::mem::replace(&mut self.kept[place], next).refresh_token);
        self.daemon.kill();
        self.hours += HOURS;
        self.shim.shift(i64::try_from(self.hours * 3_600 * 1_000_000_000).unwrap());
        self.revoked.clear(); // they are over
        pairs
    }

    /// Starts, lets clients work beside the purge, and kills it in the middle.
    fn kill(&mut self, dice: &mut Dice) {
        self.daemon.restart();
        let lives = dice.between(0, 60_000);
        let Self { daemon, kept, revoked, .. } = self;
        thread::scope(|scope| {
            let address = &*daemon;
            let works = kept.chunks_mut(KEPT / CLIENTS).map(|kept| scope.spawn(move || work(address, kept)));
            let works: Vec<_> = works.collect();
            thread::sleep(Duration::from_micros(lives)); // the moment is what is tried, nothing is waited for
            daemon.signal(rustix::process::Signal::KILL);
            works.into_iter().for_each(|work| revoked.extend(work.join().unwrap()));
        });
        self.daemon.wait();
        self.kills += 1;
    }

    /// Everything is there, the old is gone in the end, and the audit log is whole.
    fn check(&mut self, brief: &[Pair]) -> Result<(), String> {
        self.daemon.restart();
        let daemon = &self.daemon;
        for kept in &mut self.kept {
            let reply = daemon.refresh(&kept.refresh_token);
            if reply.status != 200 {
                return Err(format!("a session that goes on is refused: {} {}", reply.text(), kept.sid));
            }
            *kept = pair(&reply);
            if accepts(daemon.client(), &kept.access_token) != Ok(true) {
                return Err(format!("a new token of session {} is refused", kept.sid));
            }
        }
        if let Some(back) = self.ended.iter().find(|token| daemon.refresh(token).status != 400) {
            return Err(format!("a session that had ended gives something for {back}"));
        }
        if let Some(token) = self.revoked.iter().find(|token| accepts(daemon.client(), token) != Ok(false)) {
            return Err(format!("a revoked token is accepted: {token}"));
        }
        let seq = daemon.client().get("/revocations").header("etag").and_then(|tag| tag.trim_matches('"').parse().ok());
        let seq = seq.ok_or("no list")?;
        if seq <= self.seq {
            return Err(format!("list {} was published, and {seq} is now", self.seq));
        }
        self.seq = seq;
        while brief.iter().any(|pair| is_there(daemon, pair)) {} // each second a tick removes thousands
        self.daemon.stop();
        let proof = self.daemon.setup().command(&["audit", "verify"]).output().map_err(|error| error.to_string())?;
        if !proof.status.success() {
            return Err(format!("the audit log: {}", [proof.stdout, proof.stderr].concat().escape_ascii()));
        }
        self.daemon.restart();
        Ok(())
    }

    fn round(&mut self, dice: &mut Dice) -> Result<(), String> {
        let brief = self.fill(dice);
        for _ in 0..dice.between(2, 5) {
            self.kill(dice);
        }
        self.check(&brief)
    }
}

/// What several clients at once answer.
fn of_each<T: Send>(act: impl Fn(usize) -> T + Sync) -> Vec<T> {
    thread::scope(|scope| {
        let act = &act;
        let acts: Vec<_> = (0..CLIENTS).map(|number| scope.spawn(move || act(number))).collect();
        acts.into_iter().map(|act| act.join().unwrap()).collect()
    })
}

/// Refreshes, mints and revokes until nobody answers; returns the tokens whose revocation was acknowledged.
fn work(daemon: &Daemon, kept: &mut [Pair]) -> Vec<String> {
    let mut revoked = Vec::new();
    let refreshing = |kept: &Pair| {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", &*kept.refresh_token)];
        daemon.client().form("/oauth/token", &fields).basic(daemon.admin()).try_send()
    };
    loop {
        for kept in &mut *kept {
            match refreshing(kept) {
                Ok(reply) => {
                    assert_eq!(reply.status, 200, "{}", reply.text());
                    *kept = pair(&reply);
                }
                Err(_) => return revoked,
            }
            let body = json!({"sub": "taken", "aud": "api"});
            let Ok(minted) = daemon.client().json("/v1/tokens", &body).basic(daemon.admin()).try_send() else {
                return revoked;
            };
            let token = minted.member("access_token");
            let revocation = daemon.client().form("/oauth/revoke", &[("token", &token)]).basic(daemon.admin());
            match revocation.try_send() {
                Ok(reply) if reply.status == 200 => revoked.push(token),
                Ok(reply) => panic!("a revocation was refused: {}", reply.text()),
                Err(_) => return revoked,
            }
        }
    }
}

fn pair(reply: &Reply) -> Pair {
    serde_json::from_slice(&reply.body).unwrap()
}

fn is_there(daemon: &Daemon, pair: &Pair) -> bool {
    daemon.client().request("GET", &format!("/v1/sessions/{}", pair.sid)).basic(daemon.admin()).send().status == 200
}

fn rounds(first: u64, rounds: u64, mut tell: impl FnMut(u64, u64)) -> Result<u64, String> {
    let mut house = House::new();
    for round in 0..rounds {
        let mut dice = Dice::new(first.wrapping_add(round));
        let failed = |what| format!("COUNTERSIGN_PURGE_SEED={first}, round {round}: {what}");
        house.round(&mut dice).map_err(failed)?;
        tell(round + 1, house.kills);
    }
    Ok(house.kills)
}

#[test]
fn kills_while_what_has_expired_is_removed_lose_nothing_that_goes_on() {
    let kills = rounds(given("COUNTERSIGN_PURGE_SEED").unwrap_or(1), ROUNDS, |_, _| {}).unwrap();
    assert!(kills >= 2 * ROUNDS);
}

#[test]
#[ignore = "runs for as long as it is told: cargo xtask soak purge"]
fn soak() {
    let first = given("COUNTERSIGN_PURGE_SEED").unwrap_or(1);
    let wanted = given("COUNTERSIGN_PURGE_ROUNDS").unwrap_or(100);
    println!("{wanted} rounds, seeds from {first} on");
    rounds(first, wanted, |round, kills| println!("{round:>6} rounds, {kills} kills, nothing lost")).unwrap();
}
