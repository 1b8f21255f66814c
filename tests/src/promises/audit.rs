//! The audit log as somebody reads it who keeps the last link: what he has read stays, and what was acknowledged is in it.

use crate::daemon::Daemon;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::HashSet;

/// Something that was acknowledged, as the log tells it.
#[derive(Debug, Clone)]
pub(crate) struct Fact {
    pub(crate) act: &'static str,
    pub(crate) member: &'static str,
    pub(crate) value: String,
}

/// How far the log was read: the number and the hash of the last event.
#[derive(Debug, Clone, Default)]
pub(crate) struct Chain {
    seq: u64,
    hash: [u8; 32],
    /// What was told of keys: several clients are told of one key, some of them later.
    of_keys: HashSet<(String, String)>,
}

impl Chain {
    /// Returns the last link as `countersign audit verify --noted` takes it; none before the first event.
    pub(crate) fn noted(&self) -> Option<String> {
        (self.seq > 0).then(|| format!("{}:{}", self.seq, token::base64url::encode(&self.hash)))
    }

    /// Reads on: every event follows from the one before, and all `facts` are told.
    ///
    /// # Errors
    /// A link that does not fit, or a fact that is missing.
    pub(crate) fn read_on(&mut self, daemon: &Daemon, facts: Vec<Fact>) -> Result<(), String> {
        let as_told =
            |fact: Fact| (Value::from(fact.act).to_string(), fact.member, Value::from(fact.value).to_string());
        let mut missing: HashSet<_> = facts.into_iter().map(as_told).collect();
        loop {
            let path = format!("/v1/audit?limit=200&after={}", self.seq);
            let part = daemon.client().request("GET", &path).basic(daemon.admin()).send();
            if part.status != 200 {
                return Err(format!("the audit log is not to be had: {} {}", part.status, part.text()));
            }
            // Each event as it was sent: parsed and written again it might read otherwise.
            for item in part.text().split("{\"seq\":").skip(1) {
                let event = self.follow(item)?;
                let (act, target) = (event["act"].to_string(), event["target"].to_string());
                if act.starts_with("\"key.") {
                    self.of_keys.insert((act, target));
                }
                for name in ["jti", "sid", "sub", "target"] {
                    missing.remove(&(event["act"].to_string(), name, event[name].to_string()));
                }
            }
            if part.json().get("next").is_none() {
                break;
            }
        }
        missing.retain(|(act, _, value)| !self.of_keys.contains(&(act.clone(), value.clone())));
        match missing.iter().next() {
            Some(fact) => {
                Err(format!("answered, and not in the audit log, with {} others: {fact:?}", missing.len() - 1))
            }
            None => Ok(()),
        }
    }

    /// Takes the next event in, given as `seq,"hash":"…","event":{…}}…`, and returns it.
    fn follow(&mut self, item: &str) -> Result<Value, String> {
        let odd = || format!("an odd item behind event {}: {item}", self.seq);
        let (seq, rest) = item.split_once(",\"hash\":\"").ok_or_else(odd)?;
        let (hash, rest) = rest.split_once("\",\"event\":").ok_or_else(odd)?;
        let event = rest.get(..rest.find("\"}}").ok_or_else(odd)? + 2).ok_or_else(odd)?;
        let json = serde_json::from_str(event).map_err(|_| odd())?;
        let next: [u8; 32] = Sha256::new().chain_update(self.hash).chain_update(event).finalize().into();
        if seq != (self.seq + 1).to_string() || token::base64url::encode(&next) != hash {
            return Err(format!("event {seq} does not follow event {} that was read before", self.seq));
        }
        (self.seq, self.hash) = (self.seq + 1, next);
        Ok(json)
    }
}
