//! What hand-written JavaScript imports: the package nothing outside itself, the page the package and its own files.

use crate::judge::Source;

/// What of the package is for Node and its like alone.
const NODE_ONLY: [&str; 3] = ["pkg/node.js", "pkg/node/", "pkg/stores/file.js"];

/// What the scripts import that they may not, one sentence each.
pub(crate) fn violations(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources {
        for specifier in specifiers(&code(&source.text)) {
            if !may_import(&source.path, &specifier) {
                found.push(format!("{}: may not import {specifier:?}", source.path));
            }
        }
    }
    found
}

fn may_import(file: &str, specifier: &str) -> bool {
    let Some((folder, _)) = file.split_once('/') else { return false };
    if specifier.starts_with("./") || specifier.starts_with("../") {
        return resolved(file, specifier).is_some_and(|path| path.starts_with(&format!("{folder}/")));
    }
    match folder {
        "pkg" => NODE_ONLY.iter().any(|only| file.starts_with(only)) && specifier.starts_with("node:"),
        "www" => specifier == "countersign",
        _ => false,
    }
}

/// The path from the root of the repository that a relative specifier names; `None` above the root.
fn resolved(file: &str, specifier: &str) -> Option<String> {
    let mut steps: Vec<&str> = file.split('/').collect();
    steps.pop();
    for step in specifier.split('/') {
        match step {
            "." => {}
            ".." => drop(steps.pop()?),
            name => steps.push(name),
        }
    }
    Some(steps.join("/"))
}

/// The lines that are not comments from their start.
fn code(text: &str) -> String {
    let is_code = |line: &&str| !["//", "/*", "*"].iter().any(|opening| line.trim_start().starts_with(opening));
    text.lines().filter(is_code).collect::<Vec<_>>().join("\n")
}

/// The texts after `from` and `import`, quoted with either quote, called or not.
fn specifiers(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("from").chain(text.match_indices("import")) {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let after = text.get(at..).unwrap_or_default().trim_start_matches(char::is_alphabetic);
        let is_word = before.is_none_or(|c| !c.is_alphanumeric() && !"_$.\"'`".contains(c));
        let opened = after.trim_start().trim_start_matches('(').trim_start();
        let quote = opened.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'));
        let (true, Some(quote)) = (is_word, quote) else { continue };
        let inside = opened.get(1..).unwrap_or_default().split(quote).next();
        found.extend(inside.map(str::to_owned));
    }
    found
}
