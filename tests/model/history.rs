//! One history: an issuer, some verifiers, the network between them, and time.

use crate::brittle::Break;
use crate::follower::{Follower, Parcel};
use crate::house::House;
use crate::oracle::{Held, Login, Oracle};
use crate::planted::Planted;
use crate::{acts, network, traced};
use countersign_tests::Dice;
use issuer::operations::{Events, Step};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use token::id::Jti;
use token::jwk::KeySet;

/// Verifiers of one issuer.
const FOLLOWERS: usize = 4;
/// Tokens that each verifier judges after a step.
const JUDGED: usize = 4;

/// Deltas of the issuer's that the network still has.
const TOLD: usize = 12;

/// What can happen.
#[derive(Debug, Clone, Copy)]
enum Turn {
    Act,
    TwoActs,
    Time,
    Calendar,
    Fetch,
    Deliver,
    Strange,
    Part,
    Clock,
    RestartFollower,
    Crash,
    CrashAmid,
    Restore,
    LoseRow,
}

const TURNS: [(usize, Turn); 14] = [
    (26, Turn::Act),
    (6, Turn::TwoActs),
    (14, Turn::Time),
    (2, Turn::Calendar),
    (18, Turn::Fetch),
    (18, Turn::Deliver),
    (6, Turn::Strange),
    (3, Turn::Part),
    (3, Turn::Clock),
    (1, Turn::RestartFollower),
    (1, Turn::Crash),
    (2, Turn::CrashAmid),
    (1, Turn::Restore),
    (1, Turn::LoseRow),
];

/// Everything there is.
pub(crate) struct History {
    pub(crate) house: House,
    pub(crate) oracle: Oracle,
    pub(crate) dice: Dice,
    pub(crate) planted: Planted,
    followers: Vec<Follower>,
    keys: KeySet,
    /// What the issuer tells those who follow it, and what it has told lately.
    events: Events,
    told: VecDeque<Parcel>,
    last: Option<Turn>,
}

/// Runs the history of a seed, and returns how many checks held and how many revocations were acknowledged.
pub(crate) fn run(seed: u64, steps: usize, planted: Planted) -> Result<(u64, u64), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let mut history = History::begun(seed, planted).await?;
        for number in 0..steps {
            let told = history.step().await;
            told.map_err(|what| format!("step {number}, {:?}: {what}", history.last))?;
        }
        Ok((history.oracle.checks, history.oracle.acknowledged))
    })
}

impl History {
    async fn begun(seed: u64, planted: Planted) -> Result<Self, String> {
        let mut house = House::new(seed);
        house.start().await?;
        house.read_keys().await;
        house.start().await?;
        let keys = KeySet::parse(house.issuer().jwks().as_bytes()).unwrap();
        let followers = (0..FOLLOWERS).map(|number| Follower::new(number, &keys)).collect();
        let (oracle, dice) = (Oracle::default(), Dice::new(seed));
        let (events, told) = (house.issuer().events(), VecDeque::new());
        let mut history = Self { house, oracle, dice, planted, followers, keys, events, told, last: None };
        history.look()?;
        Ok(history)
    }

    async fn step(&mut self) -> Held {
        tokio::time::advance(Duration::from_millis(self.dice.between(1, 900))).await;
        let turn = self.dice.weighted(&TURNS);
        self.last = Some(turn);
        traced(|| {
            let newest = self.oracle.states.last().map(|state| (&state.head, &state.listed));
            format!("{turn:?} at {}, newest {newest:?}", self.house.clock.truth())
        });
        let place = self.dice.below(FOLLOWERS);
        match turn {
            Turn::Act => self.act(1).await?,
            Turn::TwoActs => self.act(2).await?,
            Turn::Time => self.pass().await?,
            Turn::Calendar => {
                let ahead = [0, 0, 0, 5, -5, 600, -600, -40_000, 80_000, 90_000];
                self.house.clock.set_ahead(*self.dice.one(&ahead).unwrap());
            }
            Turn::Fetch => self.fetch(place)?,
            Turn::Deliver => self.deliver(place)?,
            Turn::Strange => {
                let held = self.followers[place].held;
                if let Some(parcel) = network::strange(&self.house, &self.oracle, &mut self.dice, held) {
                    self.offer(place, &parcel)?;
                }
            }
            Turn::Part => self.followers[place].parted = self.dice.percent(50),
            Turn::Clock => {
                let ahead = [0, 0, 0, 30, -30, 250, -250, 3_000, -3_000, 50_000, -90_000];
                self.followers[place].ahead = *self.dice.one(&ahead).unwrap();
            }
            Turn::RestartFollower => self.followers[place].restart(place),
            Turn::Crash => self.restart(false).await?,
            Turn::CrashAmid => {
                let how = *self.dice.one(&[Break::Before, Break::After, Break::Fails]).unwrap();
                self.house.nerves.arm(u32::try_from(self.dice.below(3)).unwrap(), how);
                self.act(2).await?;
                self.restart(false).await?;
            }
            Turn::Restore => self.restart(true).await?,
            Turn::LoseRow => self.lose_row().await?,
        }
        self.judge()
    }

    /// Looks at what is published by now.
    pub(crate) fn look(&mut self) -> Held {
        self.oracle.truth = self.house.clock.truth();
        self.oracle.observe(self.house.issuer(), &self.keys)?;
        while let Some(step) = self.next_step() {
            self.hear(&step)?;
        }
        Ok(())
    }

    fn next_step(&mut self) -> Option<Arc<Step>> {
        match pin!(self.events.next()).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(step) => step,
            Poll::Pending => None,
        }
    }

    fn hear(&mut self, step: &Step) -> Held {
        if let Some(delta) = &step.delta {
            self.told.push_back(network::told(&self.oracle, step.seq, delta.as_bytes())?);
        }
        if self.told.len() > TOLD {
            self.told.pop_front();
        }
        Ok(())
    }

    /// So many things are asked of the issuer at a time.
    async fn act(&mut self, count: usize) -> Held {
        let survived = acts::done(self, count).await?;
        self.look()?;
        if survived { Ok(()) } else { self.restart(false).await }
    }

    /// Time passes, and the issuer does what is due.
    async fn pass(&mut self) -> Held {
        let (most, ticks) = self.dice.weighted(&[(6, (8, 1)), (4, (60, 3)), (3, (400, 4)), (1, (2_500, 5))]);
        for _ in 0..ticks {
            let secs = self.dice.between(0, most / ticks);
            tokio::time::advance(Duration::from_secs(secs)).await;
            if self.dice.percent(80) {
                self.house.issuer().tick().await;
                self.look()?;
            }
        }
        Ok(())
    }

    /// The process ends and starts again, its log as it was or an older one.
    async fn restart(&mut self, older: bool) -> Held {
        self.house.crash();
        self.oracle.ended();
        let truth = self.house.clock.truth();
        // A calendar that is wrong over a restart, or was while what is lost was signed, is the operator's to put right.
        self.house.clock.set_ahead(0);
        tokio::time::advance(Duration::from_millis(500)).await;
        if older && self.oracle.is_dated_right(truth) && self.house.restore(&mut self.dice) {
            self.oracle.lost();
        } else if self.dice.percent(50) {
            self.house.copy();
        }
        self.house.start().await?;
        self.events = self.house.issuer().events();
        self.look()?;
        self.hear(&self.events.newest())
    }

    /// The row of a revocation that the newest list shows is not there when the process starts again. That one is gone which
    /// no list shows yet, nobody could know.
    async fn lose_row(&mut self) -> Held {
        let truth = self.house.clock.truth();
        let listed = self.oracle.states.last().map(|newest| newest.listed.iter().copied().collect::<Vec<_>>());
        let chosen =
            self.dice.one(&listed.unwrap_or_default()).map(|(epoch, index)| Jti { epoch: *epoch, index: *index });
        self.house.crash();
        if let Some(jti) = chosen
            && self.oracle.is_dated_right(truth)
            && self.house.lose(jti)
            && self.planted != Planted::Forgets
        {
            self.oracle.lost();
        }
        self.restart(false).await
    }

    /// A verifier fetches as one that follows the issuer does.
    fn fetch(&mut self, place: usize) -> Held {
        let newest = self.oracle.states.len() - 1;
        let held = self.followers[place].held;
        let delta = held.map(|held| network::since(&self.house, &self.oracle, held)).transpose()?.flatten();
        let parcel = delta.unwrap_or_else(|| network::full(&self.oracle, newest));
        if self.followers[place].parted {
            self.followers[place].waiting.push_back(parcel);
            return Ok(());
        }
        self.offer(place, &parcel)
    }

    /// The network brings something: new or old, once or twice, at once or later.
    fn deliver(&mut self, place: usize) -> Held {
        let count = self.oracle.states.len();
        let recent = |dice: &mut Dice| count - 1 - dice.below(count.min(6));
        let (from, to) = if self.dice.percent(75) {
            (recent(&mut self.dice), recent(&mut self.dice))
        } else {
            (self.dice.below(count), self.dice.below(count))
        };
        let delta = match self.dice.below(10) {
            0..=3 => self.dice.one(self.told.make_contiguous()).cloned(),
            4..=6 => network::step(&self.house, &self.oracle, from, to),
            _ => None,
        };
        let parcel = delta.unwrap_or_else(|| network::full(&self.oracle, to));
        let follower = &mut self.followers[place];
        if follower.parted || self.dice.percent(30) {
            follower.waiting.push_back(parcel);
        } else {
            self.offer(place, &parcel)?;
            if self.dice.percent(10) {
                self.offer(place, &parcel)?;
            }
        }
        let follower = &mut self.followers[place];
        let late = self.dice.below(follower.waiting.len() + 1);
        match follower.waiting.remove(late) {
            Some(parcel) if !follower.parted && self.dice.percent(80) => self.offer(place, &parcel),
            _ => Ok(()), // lost, or still on its way
        }
    }

    fn offer(&mut self, place: usize, parcel: &Parcel) -> Held {
        let truth = self.house.clock.truth();
        let told = self.followers[place].offer(parcel, &mut self.oracle, truth, self.planted);
        told.map_err(|what| format!("verifier {place}: {what}"))
    }

    /// Every verifier judges some tokens: what was taken back last, and any.
    fn judge(&mut self) -> Held {
        let truth = self.house.clock.truth();
        let count = self.oracle.tokens.len();
        if count == 0 {
            return Ok(());
        }
        for place in 0..FOLLOWERS {
            for turn in 0..JUDGED {
                let recent = count - 1 - self.dice.below(count.min(if turn == 0 { count } else { 24 }));
                if !self.followers[place].parted && !self.followers[place].knows(&self.oracle.tokens[recent].kid) {
                    let keys = KeySet::parse(self.house.issuer().jwks().as_bytes());
                    self.followers[place].take_keys(&keys.map_err(|error| format!("the keys: {error}"))?);
                }
                let told = self.followers[place].judge(recent, &mut self.oracle, truth, self.planted);
                told.map_err(|what| format!("verifier {place}: {what}"))?;
            }
        }
        Ok(())
    }

    /// Notes a session, and returns its number.
    pub(crate) fn login(&mut self, client: usize, sid: &str) -> usize {
        let sid = sid.to_owned();
        self.oracle.logins.push(Login { client, sid, refresh: Vec::new(), over: false });
        self.oracle.logins.len() - 1
    }
}
