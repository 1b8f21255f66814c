//! The chain: where it is, what lies in it, and whether it is whole.

use sha2::{Digest, Sha256};
use std::fmt;
use token::base64url;

/// A place in the chain: so many events, and the hash that binds them all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Link {
    /// The number of the last event up to here; 0 before the first.
    pub seq: u64,
    /// Its hash; zero before the first.
    pub hash: [u8; 32],
}

impl Link {
    /// Returns the place after one more event.
    #[must_use]
    pub fn then(self, event: &[u8]) -> Self {
        let hash = Sha256::new().chain_update(self.hash).chain_update(event).finalize().into();
        Self { seq: self.seq.saturating_add(1), hash }
    }

    /// Returns the event as it is handed out, `{"seq":…,"hash":…,"event":{…}}`: the last member is the text that was hashed.
    pub fn item(&self, event: &str) -> String {
        let Self { seq, hash } = self;
        format!("{{\"seq\":{seq},\"hash\":\"{}\",\"event\":{event}}}", base64url::encode(hash))
    }

    /// Returns the place that a note names.
    pub fn parse(note: &str) -> Option<Self> {
        let (seq, hash) = note.split_once(':')?;
        Some(Self { seq: seq.parse().ok()?, hash: base64url::decode_array(hash).ok()? })
    }
}

/// `seq:hash`, the hash in base64url, as it is noted elsewhere.
impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seq, base64url::encode(&self.hash))
    }
}

/// Events that became durable together, as they were hashed; there is at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The place before the first of them.
    pub before: Link,
    /// Each a JSON object, in their order.
    pub events: Vec<Vec<u8>>,
}

impl Run {
    /// Returns the events with their places.
    pub fn links(&self) -> impl Iterator<Item = (Link, &[u8])> {
        self.events.iter().scan(self.before, |link, event| {
            *link = link.then(event);
            Some((*link, event.as_slice()))
        })
    }

    /// Returns the number of the last of them.
    pub fn last_seq(&self) -> u64 {
        self.before.seq.saturating_add(u64::try_from(self.events.len()).unwrap_or(u64::MAX))
    }

    /// Returns the place after the last of them.
    pub fn end(&self) -> Link {
        self.events.iter().fold(self.before, |link, event| link.then(event))
    }
}

/// Which part of the chain a store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Extent {
    /// The place before the oldest event that is kept: what was before has been removed as the settings ask.
    pub before: Link,
    /// The newest event.
    pub newest: Link,
}

impl Extent {
    /// Returns whether the event of this number is kept.
    pub fn holds(&self, seq: u64) -> bool {
        (self.before.seq.saturating_add(1)..=self.newest.seq).contains(&seq)
    }
}

/// Why the chain is not what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// Events that were there are not: those from `first` to `last`.
    Missing {
        /// The first of them.
        first: u64,
        /// The last of them.
        last: u64,
    },
    /// Among the events from `first` to `last` one was changed, put in, or taken out.
    Changed {
        /// The first that it may be.
        first: u64,
        /// The last that it may be.
        last: u64,
    },
    /// The events behind this one cannot be read.
    Unreadable {
        /// The last event before them.
        after: u64,
    },
    /// There are more events than the store says it has written: `seq` is the first of them.
    Beyond {
        /// Its number.
        seq: u64,
    },
    /// The event of this number has another hash than was noted elsewhere.
    NotAsNoted {
        /// Its number.
        seq: u64,
    },
    /// An event of this number was noted elsewhere, and the log ends before it.
    CutOff {
        /// The number that was noted.
        noted: u64,
        /// The last event that there is.
        last: u64,
    },
    /// An event of this number was noted elsewhere, and the log begins behind it: nothing can be said.
    NotKept {
        /// The number that was noted.
        noted: u64,
    },
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { first, last } => write!(f, "events {first} to {last} are missing"),
            Self::Changed { first, last } => write!(f, "an event from {first} to {last} is not what was written"),
            Self::Unreadable { after } => write!(f, "what lies behind event {after} cannot be read"),
            Self::Beyond { seq } => write!(f, "event {seq} is there, and the store says that it ends before"),
            Self::NotAsNoted { seq } => write!(f, "event {seq} does not have the hash that was noted"),
            Self::CutOff { noted, last } => write!(f, "event {noted} was noted, and the log ends with event {last}"),
            Self::NotKept { noted } => write!(f, "event {noted} was noted, and is kept no more: nothing can be said"),
        }
    }
}

/// A walk along the chain, from where it begins; every run is shown to it in order, and then the end.
#[derive(Debug, Clone)]
pub struct Check {
    extent: Extent,
    /// Proven up to here.
    link: Link,
    /// The events of the last run, which the next run or the end confirms.
    since: u64,
    noted: Vec<Link>,
}

impl Check {
    /// Begins at the place before the oldest event. `noted` are places that were written down elsewhere.
    pub fn new(extent: Extent, noted: Vec<Link>) -> Self {
        Self { extent, link: extent.before, since: extent.before.seq, noted }
    }

    /// Returns the number of the last event that was seen.
    pub fn seq(&self) -> u64 {
        self.link.seq
    }

    /// Returns the last event that was seen, as it is proven.
    pub fn link(&self) -> Link {
        self.link
    }

    /// Looks at the next run.
    ///
    /// # Errors
    /// [`Broken`] when it does not go on where the one before ended, or a noted place is another.
    pub fn run(&mut self, run: &Run) -> Result<(), Broken> {
        self.goes_on(run.before)?;
        self.since = run.before.seq;
        for (link, _) in run.links() {
            if link.seq > self.extent.newest.seq {
                return Err(Broken::Beyond { seq: link.seq });
            }
            self.link = link;
            self.is_as_noted(link)?;
        }
        Ok(())
    }

    /// Returns the newest event, when everything up to it is what was written.
    ///
    /// # Errors
    /// [`Broken`] when the last run did not end there, or a noted place is out of reach.
    pub fn end(self) -> Result<Link, Broken> {
        self.goes_on(self.extent.newest)?;
        self.is_as_noted(self.extent.before)?;
        for noted in &self.noted {
            if noted.seq > self.link.seq {
                return Err(Broken::CutOff { noted: noted.seq, last: self.link.seq });
            }
            if noted.seq < self.extent.before.seq {
                return Err(Broken::NotKept { noted: noted.seq });
            }
        }
        Ok(self.link)
    }

    fn goes_on(&self, next: Link) -> Result<(), Broken> {
        if next == self.link {
            Ok(())
        } else if next.seq > self.link.seq {
            Err(Broken::Missing { first: self.link.seq.saturating_add(1), last: next.seq })
        } else {
            Err(Broken::Changed { first: self.since.saturating_add(1), last: self.link.seq.max(next.seq) })
        }
    }

    fn is_as_noted(&self, link: Link) -> Result<(), Broken> {
        let differs = self.noted.iter().any(|noted| noted.seq == link.seq && noted.hash != link.hash);
        if differs { Err(Broken::NotAsNoted { seq: link.seq }) } else { Ok(()) }
    }
}
