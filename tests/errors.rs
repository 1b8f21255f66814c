//! docs/errors.md holds a row for every code that the sources define, and no row for a code that they do not.

use std::collections::BTreeSet;
use std::path::Path;

/// Where codes are defined: the file, what stands right before a code there, and the part of the file that counts.
struct Source {
    file: &'static str,
    before: &'static [&'static str],
    from: &'static str,
    until: &'static str,
}

/// What stands before a code that an answer of the daemon has: the last word of its status.
const STATUSES: &[&str] = &[
    "NOT_FOUND, \"",
    "ALLOWED, \"",
    "ACCEPTABLE, \"",
    "TYPE, \"",
    "LONG, \"",
    "LARGE, \"",
    "TIMEOUT, \"",
    "REQUEST, \"",
    "UNAUTHORIZED, \"",
    "FORBIDDEN, \"",
    "CONFLICT, \"",
    "REQUESTS, \"",
    "UNAVAILABLE, \"",
    "ERROR, \"",
];

const SOURCES: [Source; 8] = [
    Source { file: "token/src/error/token.rs", before: &["\"ERR_"], from: "", until: "\0" },
    Source { file: "token/src/error/key_set.rs", before: &["\"ERR_"], from: "", until: "\0" },
    Source { file: "token/src/error/list.rs", before: &["\"ERR_"], from: "", until: "\0" },
    Source { file: "pkg/src/errors.js", before: &["\"ERR_"], from: "", until: "\0" },
    Source { file: "issuer/src/http/reply.rs", before: STATUSES, from: "", until: "#[cfg(test)]" },
    Source { file: "issuer/src/http/reply/malformed.rs", before: STATUSES, from: "", until: "#[cfg(test)]" },
    Source { file: "issuer/src/cli/mod.rs", before: &["=> \""], from: "fn to_json(", until: "json!" },
    Source { file: "issuer/src/error.rs", before: &["=> \""], from: "impl NotReady {", until: "\n}\n" },
];

fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    std::fs::read_to_string(&path).unwrap_or_default()
}

/// The codes that stand behind one of `before` in `text`.
fn codes_behind(text: &str, before: &[&str]) -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    for mark in before {
        let prefix = mark.rsplit('"').next().unwrap_or_default();
        codes.extend(
            text.split(mark).skip(1).filter_map(|rest| rest.split_once('"')).map(|(code, _)| format!("{prefix}{code}")),
        );
    }
    codes
}

fn defined() -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    for source in &SOURCES {
        let text = read(source.file);
        let counted = text.split_once(source.from).map_or("", |(_, rest)| rest);
        let counted = counted.split_once(source.until).map_or(counted, |(part, _)| part);
        let found = codes_behind(counted, source.before);
        assert!(!found.is_empty(), "{} defines codes", source.file);
        codes.extend(found);
    }
    codes
}

/// The first cell of every table row, as far as it is a code; exit codes are numbers and do not count.
fn documented(page: &str) -> BTreeSet<String> {
    page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`')).map(|(code, _)| code.to_owned()).collect()
}

#[test]
fn every_code_has_its_row_and_every_row_its_code() {
    let (defined, documented) = (defined(), documented(&read("docs/errors.md")));
    assert_eq!(defined.difference(&documented).collect::<Vec<_>>(), Vec::<&String>::new(), "codes without a row");
    assert_eq!(documented.difference(&defined).collect::<Vec<_>>(), Vec::<&String>::new(), "rows without a code");
}

#[test]
fn a_code_without_a_row_and_a_row_without_a_code_would_be_found() {
    assert_eq!(documented("| code | x |\n| `a` [`b`] | |\n| 0 | |\n"), BTreeSet::from(["a".to_owned()]));
    assert_eq!(
        codes_behind(r#"X => "ERR_A", "ERR_B""#, &["\"ERR_"]),
        BTreeSet::from(["ERR_A".to_owned(), "ERR_B".to_owned()])
    );
    assert_eq!(codes_behind(r#"(StatusCode::REQUEST, "c")"#, &["REQUEST, \""]), BTreeSet::from(["c".to_owned()]));
}
