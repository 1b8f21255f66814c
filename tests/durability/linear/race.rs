//! Clients that race on few sessions of a real daemon, which is killed now and then.

use super::model::{Answer, Request};
use super::search::{self, Call};
use countersign_tests::{Client, Daemon, Dice, Load, Reply, claims};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{ErrorKind, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

const CLIENTS: usize = 6;
/// Sessions that are raced on at a time.
const SESSIONS: usize = 3;
/// Requests of one session; then another takes its place.
const REQUESTS: usize = 60;
/// Answers from one kill to the next, and kills of one race.
const BETWEEN: (u64, u64) = (150, 500);
const KILLS: usize = 6;

/// One session and everything that was asked of it.
struct Raced {
    first: String,
    /// The refresh tokens that were handed out, by generation.
    tokens: Mutex<BTreeMap<u64, String>>,
    calls: Mutex<Vec<Call>>,
    asked: AtomicUsize,
}

/// What came of a race.
#[derive(Default)]
pub(crate) struct Race {
    sessions: Vec<Arc<Raced>>,
    pub(crate) requests: u64,
    unanswered: usize,
    kills: usize,
}

impl std::fmt::Debug for Race {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { sessions, requests, unanswered, kills } = self;
        write!(f, "{requests} of {} sessions, {unanswered} without an answer, {kills} kills", sessions.len())
    }
}

/// What the clients share.
struct Course {
    clock: AtomicU64,
    sessions: Mutex<Vec<Arc<Raced>>>,
    answers: AtomicUsize,
    over: AtomicBool,
}

impl Course {
    /// A time that is shown once.
    fn now(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::SeqCst)
    }
}

impl Race {
    /// Races until the daemon has been killed so often.
    pub(crate) fn run(seed: u64) -> Result<Self, String> {
        let mut daemon = Load::setup().start();
        let mut dice = Dice::new(seed);
        let mut race = Self::default();
        for _ in 0..KILLS {
            let course = Course {
                clock: AtomicU64::new(race.clock()),
                sessions: Mutex::default(),
                answers: AtomicUsize::new(0),
                over: AtomicBool::new(false),
            };
            for session in race.sessions.iter().rev().take(SESSIONS) {
                course.sessions.lock().unwrap().push(Arc::clone(session)); // they go on over the kill
            }
            while course.sessions.lock().unwrap().len() < SESSIONS {
                let begun = Raced::begin(&daemon);
                course.sessions.lock().unwrap().push(Arc::clone(&begun));
                race.sessions.push(begun);
            }
            race.leg(&mut daemon, &course, &mut dice)?;
            daemon.start_again();
        }
        race.kills = KILLS;
        Ok(race)
    }

    /// Races until the daemon is killed.
    fn leg(&mut self, daemon: &mut Daemon, course: &Course, dice: &mut Dice) -> Result<(), String> {
        let answers = usize::try_from(dice.between(BETWEEN.0, BETWEEN.1)).unwrap();
        let client = daemon.client();
        thread::scope(|scope| {
            let ride = |seed| scope.spawn(move || ride(client, course, Dice::new(seed)));
            let riders: Vec<_> = (0..CLIENTS).map(|_| ride(dice.number())).collect();
            while course.answers.load(Ordering::Relaxed) < answers && riders.iter().any(|rider| !rider.is_finished()) {
                let mut sessions = course.sessions.lock().unwrap();
                if let Some(done) = sessions.iter_mut().find(|one| one.asked.load(Ordering::Relaxed) >= REQUESTS) {
                    *done = Raced::begin(daemon);
                    self.sessions.push(Arc::clone(done));
                }
                drop(sessions);
                thread::yield_now();
            }
            daemon.kill();
            course.over.store(true, Ordering::Relaxed);
            riders.into_iter().try_for_each(|rider| rider.join().unwrap())
        })
    }

    fn clock(&self) -> u64 {
        let ends = |session: &Arc<Raced>| {
            let calls = session.calls.lock().unwrap();
            calls.iter().map(|call| if call.ended == u64::MAX { call.begun } else { call.ended }).max().unwrap_or(0)
        };
        self.sessions.iter().map(ends).max().unwrap_or(0) + 1
    }

    /// Holds every session against the model.
    pub(crate) fn check(mut self) -> Result<Self, String> {
        for session in &self.sessions {
            let calls = session.calls.lock().unwrap();
            search::check(&calls).map_err(|fault| format!("session {}: {fault}", session.first))?;
            self.requests += u64::try_from(calls.len()).unwrap();
            self.unanswered += calls.iter().filter(|call| call.answer.is_none()).count();
        }
        Ok(self)
    }
}

impl Raced {
    fn begin(daemon: &Daemon) -> Arc<Self> {
        let pair = daemon.mint(json!({"sub": "alice", "aud": "api"}));
        let tokens = Mutex::new(BTreeMap::from([(1, pair.refresh_token.clone())]));
        Arc::new(Self { first: pair.refresh_token, tokens, calls: Mutex::default(), asked: AtomicUsize::new(0) })
    }

    /// Returns a request: the newest token mostly, the one before often, an older one and a revocation now and then.
    fn chosen(&self, dice: &mut Dice) -> (Request, String) {
        let tokens = self.tokens.lock().unwrap();
        let (newest, token) = tokens.last_key_value().unwrap();
        let back = |steps: u64| newest.checked_sub(steps).and_then(|generation| tokens.get_key_value(&generation));
        let present = |(generation, token): (&u64, &String)| (Request::Present(*generation), token.clone());
        match dice.below(100) {
            0 => Some((Request::Revoke, token.clone())),
            1..=2 => back(2).map(present),
            3..=25 => back(1).map(present),
            _ => None,
        }
        .unwrap_or_else(|| present((newest, token)))
    }
}

fn ride(client: Client, course: &Course, mut dice: Dice) -> Result<(), String> {
    while !course.over.load(Ordering::Relaxed) {
        let session = Arc::clone(dice.one(&course.sessions.lock().unwrap()).unwrap());
        let (request, token) = session.chosen(&mut dice);
        let sent = match request {
            Request::Present(_) => {
                client.form("/oauth/token", &[("grant_type", "refresh_token"), ("refresh_token", &token)])
            }
            Request::Revoke => client.form("/oauth/revoke", &[("token", &token)]),
        }
        .basic(("admin", Load::SECRET));
        let begun = course.now();
        session.asked.fetch_add(1, Ordering::Relaxed);
        let mut call = Call { request, answer: None, begun, ended: u64::MAX };
        if dice.percent(3) {
            // It goes away at once, and what it asked may still happen.
            if client.try_connect().is_ok_and(|mut stream| stream.write_all(&sent.bytes()).is_ok()) {
                session.calls.lock().unwrap().push(call);
            }
            continue;
        }
        match sent.try_send() {
            Ok(reply) => call.answer = Some(session.heard(request, &reply)?),
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => continue, // nothing was asked
            Err(_) => {}
        }
        call.ended = course.now();
        session.calls.lock().unwrap().push(call);
        course.answers.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

impl Raced {
    /// Reads an answer, and keeps the refresh token that is in it.
    fn heard(&self, request: Request, reply: &Reply) -> Result<(Answer, u64), String> {
        let answer = match (request, reply.status) {
            (Request::Revoke, 200) => Answer::Revoked,
            (Request::Present(_), 400) if reply.member("error") == "invalid_grant" => Answer::Refused,
            (Request::Present(_), 200) => {
                let token = reply.member("refresh_token");
                let generation = claims(&token).get("gen").and_then(Value::as_u64).unwrap();
                self.tokens.lock().unwrap().insert(generation, token);
                Answer::Pair(generation)
            }
            _ => return Err(format!("{request:?} was answered {} {}", reply.status, reply.text())),
        };
        let mut hasher = DefaultHasher::new();
        reply.body.hash(&mut hasher);
        Ok((answer, hasher.finish()))
    }
}
