//! Holds sources against the table. Files come in as text, so that planted ones are judged as real ones are.

use crate::imports::paths;
use crate::lexer::{declared_modules, test_modules, tokens};
use crate::table::{CRATES, Crate, DECIDES_ONLY, HOMES, NAMES_OF_NOTHING};

/// A source file: its path from the root of the repository, with `/`, and its text.
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// What the sources do that the table does not allow, one sentence each.
pub(crate) fn violations(sources: &[Source]) -> Vec<String> {
    let tests = test_files(sources);
    let judged = sources.iter().filter(|source| !tests.iter().any(|test| is_at(&source.path, test)));
    let mut found: Vec<String> = judged.flat_map(|source| of_source(source, sources)).collect();
    found.extend(sources.iter().filter_map(|source| nameless(&source.path)));
    found
}

fn of_source(source: &Source, all: &[Source]) -> Vec<String> {
    let Some((of, inner)) = crate_of(&source.path) else { return Vec::new() };
    if of.rows.is_empty() {
        return Vec::new();
    }
    let module = module_path(inner);
    let top = module.first().map_or("", String::as_str);
    let Some(row) = of.rows.iter().find(|row| row.module == top) else {
        return vec![format!("{}: the module `{top}` has no row in the layering table", source.path)];
    };
    let tokens = tokens(&source.text);
    let own = declared_modules(&tokens);
    let mut found = Vec::new();
    for path in paths(&tokens).into_iter().filter(|path| !path.first().is_some_and(|first| own.contains(first))) {
        if let Some(imported) = internal(&path, &module, of, all) {
            if imported != top && !row.may_import.contains(&imported.as_str()) {
                found.push(format!("{}: `{top}` may not import `{imported}`", source.path));
            }
        } else {
            found.extend(external(&path, &source.path));
        }
    }
    found.sort();
    found.dedup();
    found
}

/// The module of its own crate that a path leads to; `None` for a path that leads outside.
fn internal(path: &[String], module: &[String], of: &Crate, all: &[Source]) -> Option<String> {
    let (first, rest) = path.split_first()?;
    let is_binary = module.first().is_some_and(|top| top == "main");
    let from_root = match first.as_str() {
        "crate" => rest.to_vec(),
        own if is_binary && own == of.library => rest.to_vec(),
        "self" => return Some(module.first()?.clone()),
        "super" => above(path, module),
        _ => return None,
    };
    let Some(name) = from_root.first() else { return Some("lib".to_owned()) };
    if of.rows.iter().any(|row| row.module == name) {
        return Some(name.clone());
    }
    if first == "super" {
        return Some(module.first()?.clone()); // an item beside an inline module
    }
    Some(re_exported(name, of, all).unwrap_or_else(|| name.clone()))
}

/// Where a path that starts with `super` leads, from the root.
fn above(path: &[String], module: &[String]) -> Vec<String> {
    let ups = path.iter().take_while(|step| *step == "super").count();
    let base = module.iter().take(module.len().saturating_sub(ups));
    base.chain(path.iter().skip(ups)).cloned().collect()
}

/// The module behind `crate::Name` when lib.rs re-exports it.
fn re_exported(name: &str, of: &Crate, all: &[Source]) -> Option<String> {
    let lib = all.iter().find(|source| source.path == format!("{}/src/lib.rs", of.folder))?;
    let exported = paths(&tokens(&lib.text)).into_iter().find(|path| path.last().is_some_and(|last| last == name))?;
    exported.into_iter().find(|step| step != "crate" && step != "self")
}

/// What is wrong with importing something from outside in this file.
fn external(path: &[String], file: &str) -> Vec<String> {
    let written = path.join("::");
    let homeless =
        HOMES.iter().filter(|home| names(home.what, path) && !home.places.iter().any(|place| is_at(file, place)));
    let mut found: Vec<String> =
        homeless.map(|home| format!("{file}: may not import `{written}`: {}", home.because)).collect();
    let decides_only = DECIDES_ONLY.iter().any(|place| is_at(file, place));
    if decides_only && path.first().is_some_and(|first| first == "tokio") {
        found.push(format!("{file}: may not import `{written}`: what is decided there is pure"));
    }
    found
}

/// `std::fs` is named by a path that starts so; a type (`Instant`) by any path that holds it; a crate by its first step.
fn names(what: &str, path: &[String]) -> bool {
    let steps: Vec<&str> = path.iter().map(String::as_str).collect();
    let wanted: Vec<&str> = what.split("::").collect();
    match wanted.as_slice() {
        [one] if one.starts_with(char::is_uppercase) => steps.contains(one),
        _ => steps.starts_with(&wanted),
    }
}

/// Whether a file is `place.rs`, or lies below the folder `place`.
fn is_at(file: &str, place: &str) -> bool {
    file.strip_prefix(place).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

fn crate_of(path: &str) -> Option<(&'static Crate, &str)> {
    CRATES.iter().find_map(|of| Some((of, path.strip_prefix(of.folder)?.strip_prefix("/src/")?)))
}

/// `http/reply.rs` → `http`, `reply`; `http/mod.rs` → `http`.
fn module_path(inner: &str) -> Vec<String> {
    let steps = inner.trim_end_matches(".rs").split('/').map(str::to_owned);
    steps.filter(|step| step != "mod").collect()
}

/// The places of modules that are declared behind `#[cfg(test)]` in another file.
fn test_files(sources: &[Source]) -> Vec<String> {
    let of_one = |source: &Source| {
        let path = source.path.trim_end_matches(".rs");
        let folder = match path.rsplit_once('/') {
            Some((folder, "mod" | "lib" | "main")) => folder.to_owned(),
            _ => path.to_owned(),
        };
        test_modules(&source.text).into_iter().map(move |name| format!("{folder}/{name}")).collect::<Vec<_>>()
    };
    sources.iter().flat_map(of_one).collect()
}

fn nameless(path: &str) -> Option<String> {
    let name = path.rsplit('/').next()?.split('.').next()?;
    let folders = path.split('/').skip(1);
    let says_nothing =
        NAMES_OF_NOTHING.contains(&name) || folders.clone().any(|folder| NAMES_OF_NOTHING.contains(&folder));
    says_nothing.then(|| format!("{path}: a name that says nothing; call it by its subject"))
}
