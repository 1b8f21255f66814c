//! What is revoked without naming indices: everything until a moment, a key, a client. Pure; `operations/rule.rs` makes
//! the rules, the store keeps them as one record, the published list shows them as its `cut`.
//!
//! ```text
//! rule      takes back tokens                  and ends sessions                  is published
//! all T     with iat <= T                      that began at or before T          until T + life
//! tokens T  with iat <= T                      none                               until T + life
//! client T  of the client, with iat <= T       of the client, likewise            until T + life
//! key       that it signed, whatever their iat none                               as long as there is room, at least as above
//! ```
//!
//! Rules are OR-ed, and one is never taken back or made weaker. `life` is the longest that an access token lives with the
//! largest leeway of a verifier: later no token that a rule speaks of can be alive, and the rule says nothing any more. A
//! key has no such end, since whoever stole it chooses `iat` and `exp`. Sessions live longer than tokens, so what ends
//! them is kept: one moment for each client at most.

use std::collections::BTreeMap;
use token::claims::AccessClaims;
use token::revocation::Cut;
use token::revocation::cut::{MAX_RULES, Tag, TagKind};
use token::time::UnixTime;

/// All rules there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Grows with every change; 0 before anything is stored.
    pub version: u64,
    /// Salt of the tags in the list.
    pub salt: [u8; 16],
    /// The largest life in seconds that rules were ever published for. A setting that becomes smaller shortens no token
    /// that is out, so it must not shorten a rule either.
    pub life_secs: u64,
    /// Everything until this second, with the sessions.
    pub all: Option<UnixTime>,
    /// Every access token until this second, and no session: for a store that has lost revocations.
    pub tokens: Option<UnixTime>,
    /// Withdrawn token keys, by `kid`, and when.
    pub keys: BTreeMap<String, UnixTime>,
    /// Until when the tokens of a client are taken back, by `client_id`.
    pub clients: BTreeMap<String, UnixTime>,
}

/// One rule, as it is added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// Everything until this second, with the sessions.
    All(UnixTime),
    /// Every access token until this second.
    Tokens(UnixTime),
    /// Everything of a client until this second.
    Client(String, UnixTime),
    /// Everything that a key has signed; and when it was withdrawn.
    Key(String, UnixTime),
}

/// A list has no room for the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full {
    /// Seconds until the oldest rule of the kind leaves, at least 1.
    pub retry_after_secs: u64,
}

impl Rules {
    /// Returns no rules.
    pub fn new(salt: [u8; 16]) -> Self {
        let (keys, clients) = (BTreeMap::new(), BTreeMap::new());
        Self { version: 0, salt, life_secs: 0, all: None, tokens: None, keys, clients }
    }

    /// Returns these rules and `rule`; the version grows if that changes anything.
    ///
    /// # Errors
    /// [`Full`] when as many others of its kind as a list can hold are published at `certain`.
    pub fn and(&self, rule: Rule, certain: UnixTime, life_secs: u64) -> Result<Self, Full> {
        let life_secs = life_secs.max(self.life_secs);
        let mut next = self.clone();
        match rule {
            Rule::All(until) => next.all = next.all.max(Some(until)),
            Rule::Tokens(until) => next.tokens = next.tokens.max(Some(until)),
            Rule::Client(client_id, until) => add(&mut next.clients, client_id, until, certain, life_secs)?,
            Rule::Key(kid, since) => add(&mut next.keys, kid, since, certain, life_secs)?,
        }
        Ok(if next == *self { next } else { next.changed() })
    }

    /// Returns these rules, published for at least `life_secs`; the version grows if that changes anything.
    #[must_use]
    pub fn lasting(self, life_secs: u64) -> Self {
        if life_secs > self.life_secs { Self { life_secs, ..self }.changed() } else { self }
    }

    /// Returns these rules under the next version: what is published next shows that something has changed.
    #[must_use]
    pub fn changed(self) -> Self {
        Self { version: self.version.saturating_add(1), ..self }
    }

    /// Returns what a list of this moment says of the rules: those that a token can still be alive under.
    pub fn cut(&self, certain: UnixTime, life_secs: u64) -> Cut {
        let life_secs = life_secs.max(self.life_secs);
        let in_force = |until: &UnixTime| certain <= until.plus_secs(life_secs);
        let clients = newest(&self.clients, in_force);
        let tag = |client_id: &str| Tag::new(&self.salt, TagKind::Client, client_id);
        Cut {
            all: self.all.max(self.tokens).filter(in_force),
            kid: newest(&self.keys, |_| true).map(|(kid, _)| kid.to_owned()).collect(),
            salt: if clients.len() == 0 { Vec::new() } else { self.salt.to_vec() },
            cid: clients.map(|(client_id, until)| (tag(client_id), until)).collect(),
            ..Cut::default()
        }
    }

    /// Returns whether a session of this client that began then is over.
    pub fn ends(&self, client_id: &str, began: UnixTime) -> bool {
        self.all.is_some_and(|until| began <= until) || self.of_client(client_id, began)
    }

    /// Returns whether an access token with these claims, signed by the key `kid`, is taken back.
    pub fn revokes(&self, claims: &AccessClaims, kid: &str) -> bool {
        let until = self.all.max(self.tokens);
        until.is_some_and(|until| claims.iat <= until)
            || self.keys.contains_key(kid)
            || self.of_client(&claims.client_id, claims.iat)
    }

    /// Returns until when everything is taken back: nothing may be dated so early from now on.
    pub fn latest(&self) -> Option<UnixTime> {
        self.clients.values().copied().chain(self.all).chain(self.tokens).max()
    }

    fn of_client(&self, client_id: &str, at: UnixTime) -> bool {
        self.clients.get(client_id).is_some_and(|until| at <= *until)
    }
}

fn add(
    rules: &mut BTreeMap<String, UnixTime>,
    name: String,
    until: UnixTime,
    certain: UnixTime,
    life_secs: u64,
) -> Result<(), Full> {
    let mut others: Vec<UnixTime> =
        rules.iter().filter(|(other, _)| **other != name).map(|(_, until)| until.plus_secs(life_secs)).collect();
    others.retain(|end| certain <= *end);
    if let (true, Some(first)) = (others.len() >= MAX_RULES, others.iter().min()) {
        return Err(Full { retry_after_secs: first.secs_since(certain).saturating_add(1) });
    }
    let held = rules.entry(name).or_insert(until);
    *held = until.max(*held);
    Ok(())
}

/// Returns those that `counts`, the newest of them where a list cannot hold all.
fn newest(
    rules: &BTreeMap<String, UnixTime>,
    counts: impl Fn(&UnixTime) -> bool,
) -> impl ExactSizeIterator<Item = (&str, UnixTime)> {
    let mut newest: Vec<(&str, UnixTime)> =
        rules.iter().filter(|(_, until)| counts(until)).map(|(name, until)| (name.as_str(), *until)).collect();
    newest.sort_by_key(|(_, until)| std::cmp::Reverse(*until));
    newest.truncate(MAX_RULES);
    newest.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use token::revocation::cut::MAX_SALT_LENGTH;

    const LIFE: u64 = 1_000;

    fn at(secs: u64) -> UnixTime {
        UnixTime::from_secs(1_800_000_000 + secs).unwrap()
    }

    fn rules(made: impl IntoIterator<Item = Rule>) -> Rules {
        let none = Rules::new([7; 16]);
        made.into_iter().fold(none, |rules, rule| rules.and(rule, at(0), LIFE).unwrap())
    }

    fn claims(client_id: &str, iat: UnixTime) -> AccessClaims {
        let object = json!({
            "iss": "i", "sub": "u", "aud": "api", "client_id": client_id, "iat": iat.as_secs(), "exp": iat.as_secs() + 9,
            "jti": "0.1", "sid": "s"
        });
        AccessClaims::parse(object.to_string().as_bytes()).unwrap()
    }

    fn client(name: &str, secs: u64) -> Rule {
        Rule::Client(name.to_owned(), at(secs))
    }

    fn key(name: &str, secs: u64) -> Rule {
        Rule::Key(name.to_owned(), at(secs))
    }

    #[test]
    fn the_published_cut_revokes_exactly_what_introspection_does() {
        let cases =
            [Rule::All(at(100)), Rule::Tokens(at(100)), client("backend", 100), client("other", 100), key("k", 100)];
        for rule in cases {
            let rules = rules([rule]);
            let cut = rules.cut(at(100), LIFE);
            assert!(cut.is_well_formed() && !cut.is_empty());
            for (name, kid, iat) in ["backend", "other"]
                .iter()
                .flat_map(|name| ["k", "l"].map(|kid| (name, kid)))
                .flat_map(|(name, kid)| [0, 99, 100, 101, 5_000].map(|secs| (*name, kid, at(secs))))
            {
                let claims = claims(name, iat);
                assert_eq!(
                    rules.revokes(&claims, kid),
                    cut.revokes(&claims.facts(kid)).is_some(),
                    "{rules:?} {claims:?}"
                );
            }
        }
    }

    #[test]
    fn sessions_end_by_their_beginning_under_all_and_under_their_client_and_under_nothing_else() {
        let all = rules([Rule::All(at(100))]);
        assert!(all.ends("backend", at(100)) && all.ends("other", at(0)) && !all.ends("backend", at(101)));
        let one = rules([client("backend", 100)]);
        assert!(one.ends("backend", at(100)) && !one.ends("backend", at(101)) && !one.ends("other", at(0)));
        let none = rules([Rule::Tokens(at(100)), key("k", 100)]);
        assert!(!none.ends("backend", at(0)));
    }

    #[test]
    fn a_rule_leaves_the_list_when_no_token_can_be_alive_and_goes_on_ending_sessions() {
        let rules = rules([client("backend", 100), Rule::All(at(50)), key("k", 100)]);
        assert_eq!(rules.cut(at(50 + LIFE), LIFE).all, Some(at(50)));
        assert_eq!(rules.cut(at(51 + LIFE), LIFE).all, None);
        assert_eq!(rules.cut(at(100 + LIFE), LIFE).cid.len(), 1);
        let later = rules.cut(at(101 + LIFE), LIFE);
        assert!(later.cid.is_empty() && later.salt.is_empty(), "a salt without a tag is no rule");
        assert!(later.kid.contains("k"), "who stole a key chooses the times of what it signs");
        assert!(rules.ends("backend", at(100)) && rules.ends("other", at(50)));
    }

    #[test]
    fn a_rule_is_never_made_weaker_and_the_version_grows_with_every_change_only() {
        let first = rules([client("backend", 100), Rule::All(at(90)), key("k", 80)]);
        assert_eq!(first.version, 3);
        for rule in [client("backend", 99), Rule::All(at(90)), key("k", 80)] {
            assert_eq!(first.and(rule, at(100), LIFE), Ok(first.clone()));
        }
        let next = first.and(client("backend", 101), at(101), LIFE).unwrap();
        assert_eq!((next.version, next.clients["backend"]), (4, at(101)));
        assert_eq!(next.latest(), Some(at(101)));
    }

    #[test]
    fn a_life_that_becomes_shorter_shortens_no_rule() {
        let rules = rules([client("backend", 100)]).lasting(LIFE);
        assert_eq!((rules.version, rules.clone().lasting(LIFE - 1)), (2, rules.clone()));
        assert_eq!(rules.cut(at(100 + LIFE), 1).cid.len(), 1);
    }

    #[test]
    fn the_65th_client_waits_until_the_oldest_leaves_and_one_that_is_there_already_does_not() {
        let full = rules((0..64).map(|n| client(&n.to_string(), n)));
        assert_eq!(full.cut(at(64), LIFE).cid.len(), 64);
        let refused = full.and(client("late", 64), at(64), LIFE);
        assert_eq!(refused, Err(Full { retry_after_secs: LIFE + 1 - 64 }));
        assert!(full.and(client("5", 64), at(64), LIFE).is_ok());
        assert!(full.and(Rule::All(at(64)), at(64), LIFE).is_ok() && full.and(key("k", 64), at(64), LIFE).is_ok());
        assert!(full.and(client("late", 64), at(LIFE), LIFE).is_err());
        let later = full.and(client("late", 64 + LIFE), at(LIFE + 1), LIFE).unwrap();
        let cut = later.cut(at(LIFE + 1), LIFE);
        assert!(cut.is_well_formed() && cut.cid.len() == 64);
        assert!(later.ends("0", at(0)), "what is published no more still ends sessions");
    }

    #[test]
    fn the_newest_rules_are_shown_where_a_longer_life_brings_back_more_than_a_list_holds() {
        let spread = (0..100).fold(Rules::new([7; 16]), |rules, n| {
            rules.and(client(&n.to_string(), n * 100), at(n * 100), LIFE).unwrap()
        });
        let cut = spread.cut(at(9_900), 1_000_000);
        assert!(cut.is_well_formed() && cut.cid.len() == 64);
        assert_eq!(cut.cid.values().min(), Some(&at(3_600)));
    }

    #[test]
    fn the_salt_is_of_a_length_that_verifiers_read() {
        assert!((8..=MAX_SALT_LENGTH).contains(&Rules::new([0; 16]).salt.len()));
    }
}
