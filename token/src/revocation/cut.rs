//! Rules of a revocation list that revoke without naming indices, for when the live tokens are not known.
//!
//! ```text
//! cut  = { "all": T, "kid": [kid], "sub": {tag: T}, "sid": [tag], "cid": {tag: T}, "salt": base64url }   empty members left out
//! tag  = base64url(left 64 bits of SHA-256(salt || kind || %x00 || value))      kind = "sub" | "sid" | "cid"
//! ```
//!
//! Rules are OR-ed: none overrides another. A member this verifier does not know refuses the list, since ignoring a rule
//! would accept what the issuer took back.

use super::sorted::{SortedMap, SortedSet};
use crate::base64url;
use crate::claims::Facts;
use crate::error::RevokedBy;
use crate::json::{Object, Value};
use crate::time::UnixTime;
use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};

/// Tagged rules (`sub`, `sid` and `cid` together), and separately withdrawn keys, that a list may hold.
pub const MAX_RULES: usize = 64;
/// Bytes that a salt may have; at least 8.
pub const MAX_SALT_LENGTH: usize = 64;

/// A subject, session or client that only those who know its name recognise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag([u8; 8]);

/// What a [`Tag`] stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagKind {
    /// A subject (`sub`).
    Subject,
    /// A session (`sid`).
    Session,
    /// A client (`client_id`).
    Client,
}

impl Tag {
    /// Returns the tag of a name under this salt.
    pub fn new(salt: &[u8], kind: TagKind, value: &str) -> Self {
        let kind: &[u8] = match kind {
            TagKind::Subject => b"sub",
            TagKind::Session => b"sid",
            TagKind::Client => b"cid",
        };
        let hash = Sha256::new().chain_update(salt).chain_update(kind).chain_update([0]).chain_update(value).finalize();
        let mut tag = [0; 8];
        tag.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
        Self(tag)
    }

    fn parse(text: &str) -> Option<Self> {
        base64url::decode_array(text).ok().map(Self)
    }
}

impl Serialize for Tag {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&base64url::encode(&self.0))
    }
}

/// The rules of one list; all empty in most.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Cut {
    /// Everything with `iat` up to this second is revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub all: Option<UnixTime>,
    /// Everything these keys signed is revoked, whatever its `iat`: who holds a key chooses that.
    #[serde(skip_serializing_if = "SortedSet::is_empty")]
    pub kid: SortedSet<String>,
    /// Tokens of these subjects with `iat` up to the second given.
    #[serde(skip_serializing_if = "SortedMap::is_empty")]
    pub sub: SortedMap<Tag, UnixTime>,
    /// Tokens of these sessions.
    #[serde(skip_serializing_if = "SortedSet::is_empty")]
    pub sid: SortedSet<Tag>,
    /// Tokens of these clients with `iat` up to the second given.
    #[serde(skip_serializing_if = "SortedMap::is_empty")]
    pub cid: SortedMap<Tag, UnixTime>,
    /// Salt of the tags, there whenever a tag is.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "salt_text")]
    pub salt: Vec<u8>,
}

// serde's `serialize_with` passes the field by reference as it is declared
#[allow(clippy::ptr_arg)]
fn salt_text<S: Serializer>(salt: &Vec<u8>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&base64url::encode(salt))
}

impl Cut {
    /// Returns the rules that the head's `cut` member holds; `None` when it is not of the form above.
    pub(crate) fn from_json(value: Value<'_>) -> Option<Self> {
        let mut cut = Self::default();
        for (name, value) in value.as_object()?.members() {
            match name {
                "all" => cut.all = Some(UnixTime::from_json(value)?),
                "kid" => {
                    cut.kid = value.as_array()?.map(|kid| kid.as_str().map(str::to_owned)).collect::<Option<_>>()?
                }
                "sub" => cut.sub = timed_tags(value.as_object()?)?,
                "sid" => cut.sid = value.as_array()?.map(|tag| Tag::parse(tag.as_str()?)).collect::<Option<_>>()?,
                "cid" => cut.cid = timed_tags(value.as_object()?)?,
                "salt" => cut.salt = base64url::decode(value.as_str()?.as_bytes()).ok()?,
                _ => return None,
            }
        }
        cut.is_well_formed().then_some(cut)
    }

    /// Returns whether the rules keep the limits of this module.
    pub fn is_well_formed(&self) -> bool {
        let tags = self.sub.len() + self.sid.len() + self.cid.len();
        let salted = (8..=MAX_SALT_LENGTH).contains(&self.salt.len()) || (tags == 0 && self.salt.is_empty());
        salted && tags <= MAX_RULES && self.kid.len() <= MAX_RULES
    }

    /// Returns how many rules there are.
    pub fn rules(&self) -> usize {
        usize::from(self.all.is_some()) + self.kid.len() + self.sub.len() + self.sid.len() + self.cid.len()
    }

    /// Returns whether there is no rule.
    pub fn is_empty(&self) -> bool {
        self.rules() == 0
    }

    /// Returns the rule that takes back the token of which these are the facts.
    pub fn revokes(&self, token: &Facts<'_>) -> Option<RevokedBy> {
        let until = |until: Option<&UnixTime>| until.is_some_and(|until| token.iat <= *until);
        let tag = |kind, value: &str| Tag::new(&self.salt, kind, value);
        if until(self.all.as_ref()) {
            Some(RevokedBy::All)
        } else if self.kid.contains(token.kid) {
            Some(RevokedBy::Key)
        } else if !self.sub.is_empty() && until(self.sub.get(&tag(TagKind::Subject, token.sub))) {
            Some(RevokedBy::Subject)
        } else if !self.sid.is_empty() && token.sid.is_some_and(|sid| self.sid.contains(&tag(TagKind::Session, sid))) {
            Some(RevokedBy::Session)
        } else if !self.cid.is_empty() && until(self.cid.get(&tag(TagKind::Client, token.client_id))) {
            Some(RevokedBy::Client)
        } else {
            None
        }
    }
}

fn timed_tags(object: Object<'_>) -> Option<SortedMap<Tag, UnixTime>> {
    object.members().map(|(tag, until)| Some((Tag::parse(tag)?, UnixTime::from_json(until)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::AccessClaims;
    use crate::json::Tape;
    use serde_json::{Value, json};

    const SALT: &[u8] = b"0123456789abcdef";

    fn claims() -> AccessClaims {
        let object = json!({"iss": "i", "sub": "user-1", "aud": "api", "client_id": "backend", "iat": 100, "exp": 200, "jti": "0.1", "sid": "session-1"});
        AccessClaims::parse(object.to_string().as_bytes()).unwrap()
    }

    fn read(value: &Value) -> Option<Cut> {
        Cut::from_json(Tape::default().read(value.to_string().as_bytes()).unwrap())
    }

    fn at(seconds: u64) -> UnixTime {
        UnixTime::from_secs(seconds).unwrap()
    }

    #[test]
    fn a_tag_is_the_left_64_bits_of_its_hash() {
        // SHA-256("0123456789abcdefsub\0user-1"), computed with coreutils
        assert_eq!(serde_json::to_value(Tag::new(SALT, TagKind::Subject, "user-1")).unwrap(), json!("dn-7Z1UFzl0"));
        assert_ne!(Tag::new(SALT, TagKind::Subject, "x"), Tag::new(SALT, TagKind::Client, "x"));
    }

    #[test]
    fn each_rule_revokes_what_it_names_and_nothing_else() {
        let tag = |kind, value| Tag::new(SALT, kind, value);
        let salted = || Cut { salt: SALT.to_vec(), ..Cut::default() };
        let cases = [
            (Cut { all: Some(at(100)), ..Cut::default() }, Some(RevokedBy::All)),
            (Cut { all: Some(at(99)), ..Cut::default() }, None),
            (Cut { kid: ["key".to_owned()].into(), ..Cut::default() }, Some(RevokedBy::Key)),
            (Cut { kid: ["other".to_owned()].into(), ..Cut::default() }, None),
            (Cut { sub: [(tag(TagKind::Subject, "user-1"), at(100))].into(), ..salted() }, Some(RevokedBy::Subject)),
            (Cut { sub: [(tag(TagKind::Subject, "user-1"), at(99))].into(), ..salted() }, None),
            (Cut { sub: [(tag(TagKind::Client, "user-1"), at(100))].into(), ..salted() }, None),
            (Cut { sid: [tag(TagKind::Session, "session-1")].into(), ..salted() }, Some(RevokedBy::Session)),
            (Cut { sid: [tag(TagKind::Session, "session-2")].into(), ..salted() }, None),
            (Cut { cid: [(tag(TagKind::Client, "backend"), at(100))].into(), ..salted() }, Some(RevokedBy::Client)),
            (Cut { cid: [(tag(TagKind::Client, "backend"), at(99))].into(), ..salted() }, None),
        ];
        for (cut, expected) in cases {
            assert_eq!(cut.revokes(&claims().facts("key")), expected, "{cut:?}");
            assert_eq!(read(&serde_json::to_value(&cut).unwrap()), Some(cut));
        }
    }

    #[test]
    fn rules_are_or_ed() {
        let cut = Cut { all: Some(at(1)), kid: ["key".to_owned()].into(), ..Cut::default() };
        assert_eq!(cut.revokes(&claims().facts("key")), Some(RevokedBy::Key));
    }

    #[test]
    fn rules_of_another_form_are_refused() {
        let tag = serde_json::to_value(Tag::new(SALT, TagKind::Session, "s")).unwrap();
        let many: Vec<Value> =
            (0..65).map(|n| serde_json::to_value(Tag::new(SALT, TagKind::Session, &n.to_string())).unwrap()).collect();
        let salt = base64url::encode(SALT);
        for value in [
            json!([]),
            json!({"later": 1}),
            json!({"all": -1}),
            json!({"all": "1"}),
            json!({"kid": "k"}),
            json!({"kid": [1]}),
            json!({"sid": [tag]}),
            json!({"sid": [tag], "salt": "AAAA"}),
            json!({"sid": ["AAAA"], "salt": salt}),
            json!({"sub": [tag], "salt": salt}),
            json!({"cid": {"AAAA": 1}, "salt": salt}),
            json!({"sid": many, "salt": salt}),
            json!({"salt": "A"}),
        ] {
            assert_eq!(read(&value), None, "{value}");
        }
    }
}
