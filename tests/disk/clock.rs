//! The calendar jumps under the running daemon, while clients mint, refresh and revoke.
//!
//! Whatever it shows: no token and no list begins after it ends, no list's number or date goes back, what was revoked stays so, and
//! no session expires that has not. A jump ahead of more than a day stops all signing, and coming back ends that; a calendar that is
//! behind what was signed is told. Nothing but the moment at which threads run is left to chance.

use crate::shim::Shim;
use crate::{given, setup};
use countersign_tests::{Daemon, Dice, Pair, claims};
use serde_json::json;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

const DAY: i64 = 86_400;
const YEAR: i64 = 365 * DAY;
/// By how much the calendar is wrong, in seconds.
const JUMPS: [i64; 17] = [
    0,
    1,
    -1,
    60,
    -60,
    3_600,
    -3_600,
    20 * 3_600,
    -20 * 3_600,
    2 * DAY,
    -2 * DAY,
    40 * DAY,
    -40 * DAY,
    YEAR,
    -YEAR,
    10 * YEAR,
    -10 * YEAR,
];
/// `list_ttl_seconds`: a calendar that is behind by more is told.
const LIST_TTL: i64 = 300;
const SESSIONS: usize = 20;

/// A daemon, and what its clients have seen.
struct House {
    daemon: Daemon,
    shim: Shim,
    sessions: Vec<Pair>,
    seq: u64,
    list_iat: i64,
    /// How far ahead the calendar was at most when something was signed.
    ahead: i64,
}

impl House {
    fn new() -> Self {
        let (setup, shim) = setup(Shim::over);
        let daemon = setup.start();
        let sessions = (0..SESSIONS).map(|_| daemon.mint(json!({"sub": "bob", "aud": "api"}))).collect();
        let mut house = Self { daemon, shim, sessions, seq: 0, list_iat: 0, ahead: 0 };
        house.read_list();
        house
    }

    /// Lets the calendar be wrong by so many seconds and tries everything.
    fn jump(&mut self, wrong: i64, dice: &mut Dice) {
        self.shim.shift(wrong * 1_000_000_000);
        let jumped = wrong - self.ahead > DAY;
        let behind = wrong + LIST_TTL < self.ahead;
        let ready = self.daemon.client().get("/readyz").text().to_owned();
        assert_eq!(ready.contains("clock_jumped"), jumped, "{wrong}, {}: {ready}", self.ahead);
        assert_eq!(ready.contains("clock_behind"), behind, "{wrong}, {}: {ready}", self.ahead);

        let chosen = dice.below(SESSIONS);
        let reply = self.daemon.refresh(&self.sessions[chosen].refresh_token);
        let minted = self.daemon.client().json("/v1/tokens", &json!({"sub": "alice", "aud": "api"}));
        let minted = minted.basic(self.daemon.admin()).send();
        if jumped {
            assert_eq!((reply.status, minted.status), (503, 503), "{wrong}: {}", reply.text());
            assert_eq!(minted.member("code"), "not_ready");
            self.read_list();
            return;
        }
        assert_eq!((reply.status, minted.status), (200, 200), "{wrong}: {}", reply.text());
        self.sessions[chosen] = pair(&reply.body);
        self.is_dated_well(&self.sessions[chosen].access_token);
        let minted = pair(&minted.body);
        self.is_dated_well(&minted.access_token);
        assert_eq!(self.daemon.revoke(&minted.access_token).status, 200);
        let before = self.seq;
        self.read_list();
        assert!(self.seq > before, "{wrong}: a revocation has a list of a higher number");
        self.ahead = self.ahead.max(wrong);
        assert!(!is_active(&self.daemon, &minted.access_token), "{wrong}");
    }

    fn read_list(&mut self) {
        let reply = self.daemon.client().get("/revocations");
        let head = reply.body.split(|byte| *byte == b'\n').next().and_then(|head| std::str::from_utf8(head).ok());
        let head = claims(head.expect("a head"));
        let (iat, exp) = (head["iat"].as_i64().unwrap(), head["exp"].as_i64().unwrap());
        let seq = reply.header("etag").and_then(|etag| etag.trim_matches('"').parse().ok()).expect("a number");
        assert!(
            iat < exp && iat >= self.list_iat && seq >= self.seq,
            "{iat} {exp} {seq}, before {} {}",
            self.list_iat,
            self.seq
        );
        (self.seq, self.list_iat) = (seq, iat);
    }

    /// A token begins before it ends, and not before the newest list that was seen.
    fn is_dated_well(&self, token: &str) {
        let claims = claims(token);
        let (iat, exp) = (claims["iat"].as_i64().unwrap(), claims["exp"].as_i64().unwrap());
        assert!(iat < exp && iat >= self.list_iat, "{iat} {exp}, list {}", self.list_iat);
    }

    /// Every session goes on with the calendar put right, also in a new process, and in one that starts in the past.
    fn end(mut self) {
        for wrong in [0, -10 * YEAR, 0] {
            assert_eq!(self.daemon.stop().code(), Some(0));
            self.shim.shift(wrong * 1_000_000_000);
            self.daemon.restart();
            self.read_list();
            for chosen in 0..SESSIONS {
                let reply = self.daemon.refresh(&self.sessions[chosen].refresh_token);
                assert_eq!(reply.status, 200, "{wrong}: {}", reply.text());
                self.sessions[chosen] = pair(&reply.body);
                self.is_dated_well(&self.sessions[chosen].access_token);
            }
        }
    }
}

fn pair(body: &[u8]) -> Pair {
    serde_json::from_slice(body).expect("a pair")
}

fn is_active(daemon: &Daemon, token: &str) -> bool {
    let reply = daemon.client().form("/oauth/introspect", &[("token", token)]).basic(daemon.admin()).send();
    reply.json()["active"].as_bool().expect("an answer")
}

#[test]
fn whatever_the_calendar_shows_dates_and_numbers_go_on_and_no_session_expires() {
    let seed = given("COUNTERSIGN_CLOCK_SEED").unwrap_or(1);
    let (mut house, mut dice) = (House::new(), Dice::new(seed));
    let mut jumps = JUMPS;
    for place in (1..jumps.len()).rev() {
        jumps.swap(place, dice.below(place + 1));
    }
    for wrong in jumps {
        house.jump(wrong, &mut dice);
    }
    house.end();
}

#[test]
fn a_refresh_during_which_the_calendar_goes_back_gives_a_pair_that_holds() {
    let house = House::new();
    let over = AtomicBool::new(false);
    let (daemon, over) = (&house.daemon, &over);
    thread::scope(|scope| {
        let clients: Vec<_> =
            house.sessions.iter().take(3).map(|session| scope.spawn(move || turn(daemon, session, over))).collect();
        for round in 0..40 {
            house.shim.shift([0, -3_600, 60, -86_400, 3_600, -1][round % 6] * 1_000_000_000);
            assert_eq!(daemon.client().get("/healthz").status, 200);
            daemon.mint(json!({"sub": "alice", "aud": "api"}));
        }
        over.store(true, Ordering::Relaxed);
        clients.into_iter().for_each(|client| assert!(client.join().unwrap() > 5));
    });
}

/// Refreshes until it is over; returns how often.
fn turn(daemon: &Daemon, session: &Pair, over: &AtomicBool) -> usize {
    let mut newest = session.clone();
    let (mut times, mut iat) = (0, 0);
    while !over.load(Ordering::Relaxed) {
        let reply = daemon.refresh(&newest.refresh_token);
        assert_eq!(reply.status, 200, "{}", reply.text());
        newest = pair(&reply.body);
        let claims = newest.claims();
        let (from, until) = (claims["iat"].as_i64().unwrap(), claims["exp"].as_i64().unwrap());
        assert!(from < until);
        iat = iat.max(from);
        times += 1;
    }
    assert!(is_active(daemon, &newest.access_token));
    times
}

#[test]
fn the_seconds_after_which_31_and_32_bits_do_not_count_pass_unnoticed() {
    for bits in [31, 32] {
        let last = 1_i64 << bits;
        let (setup, shim) = setup(Shim::over);
        let output = Command::new("date").arg("+%s").output().unwrap();
        let now: i64 = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
        shim.shift((last - 5 - now) * 1_000_000_000);
        let daemon = setup.start();
        let before = daemon.mint(json!({"sub": "alice", "aud": "api"}));
        shim.shift((last + 5 - now) * 1_000_000_000);
        let after = pair(&daemon.refresh(&before.refresh_token).body);
        let [before, after] = [&before, &after]
            .map(|pair| (pair.claims()["iat"].as_i64().unwrap(), pair.claims()["exp"].as_i64().unwrap()));
        assert!(
            (last - 60..last + 5).contains(&before.0) && (last..last + 65).contains(&after.0),
            "{before:?} {after:?}"
        );
        assert!(before.0 < before.1 && after.0 < after.1);
        let late = daemon.mint(json!({"sub": "alice", "aud": "api"}));
        assert!(is_active(&daemon, &late.access_token));
        assert_eq!(daemon.revoke(&late.access_token).status, 200);
        assert!(!is_active(&daemon, &late.access_token));
        assert_eq!(daemon.client().get("/readyz").status, 200);
    }
}

#[test]
#[ignore = "runs for as long as it is told: cargo xtask soak clock"]
fn soak() {
    let (seed, wanted) =
        (given("COUNTERSIGN_CLOCK_SEED").unwrap_or(1), given("COUNTERSIGN_CLOCK_JUMPS").unwrap_or(1000));
    println!("COUNTERSIGN_CLOCK_SEED={seed}, {wanted} jumps");
    let (mut house, mut dice) = (House::new(), Dice::new(seed));
    for jump in 1..=wanted {
        let wrong = JUMPS[dice.below(JUMPS.len())];
        house.jump(wrong, &mut dice);
        if jump % 100 == 0 {
            println!("{jump:>6} jumps, list {}", house.seq);
            std::mem::replace(&mut house, House::new()).end();
        }
    }
    house.end();
}
