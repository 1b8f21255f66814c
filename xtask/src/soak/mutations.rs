//! The safeguards, each with the change that takes it out and the test that must notice.

use anyhow::{bail, ensure};

/// One safeguard taken out.
pub(super) struct Mutation {
    /// What is missing then.
    pub(super) name: &'static str,
    /// The file, from the root.
    pub(super) file: &'static str,
    /// What is there, once.
    pub(super) text: &'static str,
    /// What is there instead.
    pub(super) instead: &'static str,
    /// What `cargo test` is asked to run.
    pub(super) test: &'static [&'static str],
}

impl Mutation {
    /// Returns the file's text without the safeguard.
    pub(super) fn applied(&self, text: &str) -> anyhow::Result<String> {
        match text.matches(self.text).count() {
            1 => Ok(text.replacen(self.text, self.instead, 1)),
            0 => bail!("{} does not hold the text any more", self.file),
            more => bail!("{} holds the text {more} times", self.file),
        }
        .and_then(|mutated| {
            ensure!(mutated != text, "the mutation changes nothing");
            Ok(mutated)
        })
    }
}

const MODEL: &[&str] = &["--package", "countersign-tests", "--test", "model", "what_was_taken_back"];
const VECTORS: &[&str] = &["--package", "countersign-tests", "--test", "vectors", "lists::every_list"];

const LINEAR: &[&str] = &["--package", "countersign-tests", "--test", "durability", "linear::what_clients_see"];

const STORE: &[&str] = &["--package", "countersign", "--lib", "store::sled"];
const POWER: &[&str] = &["--package", "countersign-tests", "--test", "disk", "power"];

const fn store(name: &'static str, file: &'static str, text: &'static str, instead: &'static str) -> Mutation {
    Mutation { name, file, text, instead, test: STORE }
}

const fn power(name: &'static str, file: &'static str, text: &'static str, instead: &'static str) -> Mutation {
    Mutation { name, file, text, instead, test: POWER }
}

const fn linear(name: &'static str, file: &'static str, text: &'static str, instead: &'static str) -> Mutation {
    Mutation { name, file, text, instead, test: LINEAR }
}

const fn model(name: &'static str, file: &'static str, text: &'static str, instead: &'static str) -> Mutation {
    Mutation { name, file, text, instead, test: MODEL }
}

const VERIFY: &str = "token/src/verify.rs";
const CHECKS: &str = "token/src/verify/checks.rs";
const LOADING: &str = "token/src/verify/lists.rs";
const LIST: &str = "token/src/revocation/list.rs";
const DELTA: &str = "token/src/revocation/delta.rs";
const REVOKED: &str = "token/src/revocation/revoked.rs";
const CUT: &str = "token/src/revocation/cut.rs";
const PUBLISH: &str = "issuer/src/operations/publish.rs";
const RULE: &str = "issuer/src/operations/rule.rs";
const MOMENTS: &str = "issuer/src/operations/moments.rs";
const ENGINE: &str = "issuer/src/store/sled/engine.rs";

/// All of them, the verifier's first.
pub(super) const MUTATIONS: &[Mutation] = &[
    model(
        "an older list is refused",
        LOADING,
        "Some(held) if head.seq < held.seq => Ok(Loaded::Older),",
        "Some(held) if head.seq < held.seq => Ok(Loaded::Newer),",
    ),
    model(
        "one number has one list",
        LOADING,
        "Some(held) if head.seq == held.seq => Err(ListRejection::Equivocation),",
        "Some(held) if head.seq == held.seq => Ok(Loaded::Same),",
    ),
    model(
        "a delta needs its base",
        LOADING,
        "if loaded == Loaded::Newer && delta.base() == list.head().id",
        "if loaded == Loaded::Newer",
    ),
    model("a list moves the clock's floor", LOADING, "        self.floor = self.floor.max(list.head().iat);\n", ""),
    model("a delta moves the clock's floor", LOADING, "        self.floor = self.floor.max(delta.head().iat);\n", ""),
    model("the floor is heeded", VERIFY, "        local.max(self.floor)\n", "        local\n"),
    model("a list ends", CHECKS, "if now >= head.exp {", "if now >= UnixTime::MAX {"),
    model(
        "a list becomes too old",
        CHECKS,
        "self.policy.max_staleness_secs.is_some_and(|most| now.secs_since(head.iat) > most)",
        "self.policy.max_staleness_secs.is_some_and(|_| false)",
    ),
    model(
        "a list of the future is refused",
        LOADING,
        "if head.iat > now.plus_secs(MAX_LIST_AHEAD_SECS) {",
        "if head.iat > UnixTime::MAX {",
    ),
    model(
        "a list is the issuer's",
        LOADING,
        "if self.policy.issuer.as_ref().is_some_and(|issuer| *issuer != head.iss) {",
        "if self.policy.issuer.as_ref().is_some_and(String::is_empty) {",
    ),
    model(
        "the list decides",
        CHECKS,
        "list.revokes(jti, facts).map_or(Ok(()), |by| Err(Rejection::Revoked(by)))",
        "list.revokes(jti, facts).map_or(Ok(()), |_| Ok(()))",
    ),
    model(
        "the head names its body",
        LIST,
        "if ListId::of(body) != head.id {",
        "if ListId::of(body) != head.id && body.is_empty() {",
    ),
    model(
        "rules revoke",
        LIST,
        "if self.head.cut.is_empty() {",
        "if !self.head.cut.salt.is_empty() || self.head.cut.rules() < 100 {",
    ),
    Mutation {
        name: "codes of a list that are not held whole are read on",
        file: "token/src/revocation/codec.rs",
        text: "if length > self.held {",
        instead: "if length > self.held + 8 {",
        test: &["--package", "countersign-token", "--lib", "revocation::codec"],
    },
    Mutation {
        name: "a rule nobody knows refuses the list",
        file: CUT,
        text: "                _ => return None,\n",
        instead: "                _ => {}\n",
        test: VECTORS,
    },
    Mutation {
        name: "a delta drops only what is over",
        file: DELTA,
        text: ".filter(|low| *low <= epoch(head.iat))",
        instead: "",
        test: VECTORS,
    },
    Mutation {
        name: "a delta adds nothing that it drops",
        file: DELTA,
        text: "if added.lowest().is_some_and(|lowest| lowest < low) {",
        instead: "if added.lowest().is_some_and(|_| false) {",
        test: VECTORS,
    },
    model(
        "a delta drops what is over",
        REVOKED,
        "let gone = self.epochs.partition_point(|(epoch, _)| *epoch < low);",
        "let gone = self.epochs.partition_point(|(epoch, _)| *epoch < low.min(1));",
    ),
    model(
        "an epoch stays until it is over",
        "issuer/src/revocations.rs",
        "    epoch(certain.minus_secs(leeway_secs))\n",
        "    epoch(certain.plus_secs(4 * leeway_secs))\n",
    ),
    model(
        "an unproven start revokes everything",
        PUBLISH,
        "let proven = whole && is_proven(&set, low, &entries, last.as_ref())?;",
        "let proven = is_proven(&set, low, &entries, last.as_ref()).is_ok();",
    ),
    model(
        "a start asks whether its log is whole",
        PUBLISH,
        "let proven = whole && is_proven(",
        "let proven = is_proven(",
    ),
    model(
        "a start asks whether its list comes out",
        PUBLISH,
        "let proven = whole && is_proven(&set, low, &entries, last.as_ref())?;",
        "let proven = whole && is_proven(&set, low, &entries, last.as_ref()).is_ok();",
    ),
    model(
        "a number is above the last one",
        PUBLISH,
        "if first { above.max(unix_millis) } else { above }",
        "if first { unix_millis } else { above }",
    ),
    model(
        "a start's number jumps to the clock",
        PUBLISH,
        "if first { above.max(unix_millis) } else { above }",
        "if first { above } else { above.max(1 + unix_millis * 0) }",
    ),
    model(
        "a list is stored before it is signed",
        PUBLISH,
        "        store.put_publication(intent).await?;\n",
        "        let _ = store;\n",
    ),
    model(
        "a revocation waits for its list",
        PUBLISH,
        "Some(answer) if is_said => Ok(answer),",
        "Some(answer) if is_said || turn.shown > 0 => Ok(answer),",
    ),
    model(
        "a list that began before a revocation does not say it",
        PUBLISH,
        "turn.shown > begun ||",
        "turn.shown >= begun ||",
    ),
    model(
        "a promise reckons with the lists before",
        PUBLISH,
        "let effective_by = before.max(forgotten).unwrap_or(intent.iat);",
        "let effective_by = before.and(forgotten).unwrap_or(intent.iat);",
    ),
    model(
        "a promise reckons with lists that were forgotten",
        PUBLISH,
        "turn.forgetful.then_some(",
        "(turn.forgetful && turn.last.is_none()).then_some(",
    ),
    Mutation {
        name: "nothing is missing from a list",
        file: PUBLISH,
        text: "|| !nothing_is_missing {",
        instead: "|| !nothing_is_missing && draft.body.is_empty() {",
        test: &["--package", "countersign", "--lib", "a_list_that_lacks_an_entry"],
    },
    model(
        "what has passed is not what the calendar says",
        MOMENTS,
        "        self.env.now().min(expected(self.start, self.env.monotonic()))\n",
        "        self.env.now().max(self.start.calendar)\n",
    ),
    model(
        "a rule is late enough for all that is out",
        MOMENTS,
        "None => state.issued.max(now.minus_secs(1)),",
        "None => now.minus_secs(1),",
    ),
    model(
        "what follows a rule is dated after it",
        MOMENTS,
        "        state.floor = state.floor.max(next);\n        Ok(until)",
        "        Ok(until)",
    ),
    model("a rule waits for what is being issued", RULE, "        let _alone = ruling.alone().await?;\n", ""),
    model(
        "a rule is stored",
        RULE,
        "        store.put_rules(next.clone(), rows, events).await?;\n",
        "        let _ = (store, rows, events);\n",
    ),
    model(
        "a revocation is stored",
        ENGINE,
        "                batch.insert(key, record);\n                new.push(jti);",
        "                drop(record);\n                new.push(jti);",
    ),
    model(
        "a session that ends revokes its tokens",
        "issuer/src/session.rs",
        "let live = std::mem::take(&mut self.live).into_iter().map(|live|",
        "let live = std::mem::take(&mut self.live).into_iter().skip(1).map(|live|",
    ),
    model(
        "a session that is over stays over",
        "issuer/src/session.rs",
        "        self.ended = Some(Ended { reason, at });\n",
        "        let _ = (reason, at);\n",
    ),
    linear(
        "a refresh is decided on the session as it is then",
        "issuer/src/operations/refresh.rs",
        "let decide = move |session: Session| {",
        "let decide = move |_: Session| {",
    ),
    linear(
        "an answer waits for the disk",
        "issuer/src/store/sled/committer.rs",
        "self.durable.append(self.engine.group()).and_then(|()| self.note())",
        "Ok(()).and_then(|()| self.note())",
    ),
    linear(
        "only the token before the newest buys the last pair again",
        "issuer/src/session.rs",
        "let one_before = presented.generation.checked_add(1) == Some(newest) && presented.generation > 0;",
        "let one_before = presented.generation < newest && presented.generation > 0;",
    ),
    linear(
        "the end of a session is stored",
        "issuer/src/store/sled/sessions.rs",
        "            batch.insert(&*key, step.session.encode(&key));\n            self.apply_announced",
        "            if step.session.ended.is_none() {\n                batch.insert(&*key, step.session.encode(&key));\n            }\n            self.apply_announced",
    ),
    store(
        "a journal is read only where it goes on from its tree",
        "issuer/src/store/sled/journal.rs",
        " || frame.before != last.crc {",
        " {",
    ),
    store(
        "a frame of an earlier turn is none",
        "issuer/src/store/sled/journal.rs",
        "if !follows || before.place.crc != frame.before {",
        "if !follows && before.place.crc != frame.before {",
    ),
    store(
        "what left the journal is read until the tree has it",
        "issuer/src/store/sled/layers.rs",
        "above.recent.get(key).or_else(leaving)",
        "above.recent.get(key)",
    ),
    store(
        "rows that were taken away stay so above the tree",
        "issuer/src/store/sled/layers.rs",
        "ordered(layer.range::<[u8], _>(span).map(|(key, row)| Ok((key.clone(), row.clone()))), order)",
        "ordered(layer.range::<[u8], _>(span).filter(|(_, row)| row.is_some()).map(|(key, row)| Ok((key.clone(), row.clone()))), order)",
    ),
    power(
        "what answers wait for is synced",
        "issuer/src/store/sled/journal.rs",
        "        self.current.sync_data()?;\n",
        "",
    ),
    power(
        "what leaves the journal is synced",
        "issuer/src/store/sled/mover.rs",
        "            sync(&self.log)\n",
        "            Ok(())\n",
    ),
    power(
        "what is cleaned is synced",
        "issuer/src/store/sled/mover.rs",
        ".and_then(|()| sync(log))",
        ".map(|()| drop(log))",
    ),
    power(
        "what a killed process left is synced",
        "issuer/src/store/sled/open.rs",
        "read_anew(directory).and_then(|()| sync_what_was_left(directory))",
        "read_anew(directory)",
    ),
    store(
        "stale segments are cleaned",
        "issuer/src/store/sled/cleaner.rs",
        "strokes.insert(ROW, &self.changes.to_le_bytes())?;",
        "strokes.insert(ROW, ROW)?;",
    ),
    store(
        "sessions that go on are looked at again",
        "issuer/src/store/sled/purge.rs",
        "for (due, sid) in later {",
        "for (due, sid) in later.drain(..0) {",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_mutation_still_finds_its_text_and_has_a_name_of_its_own() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        for mutation in MUTATIONS {
            let text = std::fs::read_to_string(root.join(mutation.file)).unwrap();
            mutation.applied(&text).unwrap();
        }
        let names: BTreeSet<_> = MUTATIONS.iter().map(|mutation| mutation.name).collect();
        assert_eq!(names.len(), MUTATIONS.len());
    }
}
