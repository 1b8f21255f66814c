//! Who may import whom, enforced: the table of layering/table.rs is held against the sources, the scripts and the
//! Cargo.toml's. Each rule is also shown to fail, on planted violations.

#[path = "layering/imports.rs"]
mod imports;
#[path = "layering/javascript.rs"]
mod javascript;
#[path = "layering/judge.rs"]
mod judge;
#[path = "layering/lexer.rs"]
mod lexer;
#[path = "layering/manifest.rs"]
mod manifest;
#[path = "layering/table.rs"]
mod table;

use judge::Source;
use std::fs;
use std::path::{Path, PathBuf};
use table::CRATES;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The files of one extension below a folder, without what is generated or installed.
fn files(folder: &str, extension: &str) -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder)).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{folder}/{name}");
            if entry.path().is_dir() {
                let generated = name == "node_modules" || path == "pkg/wasm";
                folders.extend((!generated).then_some(path));
            } else if Path::new(&name).extension().is_some_and(|found| found == extension) {
                let text = fs::read_to_string(entry.path()).unwrap_or_default();
                found.push(Source { path, text });
            }
        }
    }
    found
}

fn rust_sources() -> Vec<Source> {
    CRATES.iter().flat_map(|of| files(&format!("{}/src", of.folder), "rs")).collect()
}

fn scripts() -> Vec<Source> {
    ["pkg", "www"]
        .into_iter()
        .flat_map(|folder| [files(folder, "js"), files(folder, "mjs"), files(folder, "ts")].into_iter().flatten())
        .collect()
}

fn planted(path: &str, text: &str) -> Vec<String> {
    judge::violations(&[Source { path: path.to_owned(), text: text.to_owned() }])
}

fn planted_script(path: &str, text: &str) -> Vec<String> {
    javascript::violations(&[Source { path: path.to_owned(), text: text.to_owned() }])
}

#[test]
fn every_module_has_a_row_and_imports_only_what_its_row_allows() {
    let sources = rust_sources();
    assert!(sources.len() > 30, "only {} sources were found", sources.len());
    let found = judge::violations(&sources);
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn every_row_has_its_module() {
    let sources = rust_sources();
    for of in CRATES {
        for row in of.rows {
            let file = format!("{}/src/{}.rs", of.folder, row.module);
            let folder = format!("{}/src/{}/mod.rs", of.folder, row.module);
            assert!(
                sources.iter().any(|source| source.path == file || source.path == folder),
                "no file for the row {file}"
            );
        }
    }
}

#[test]
fn the_package_imports_nothing_outside_itself_and_the_page_only_the_package() {
    let scripts = scripts();
    assert!(scripts.len() > 10, "only {} scripts were found", scripts.len());
    let found = javascript::violations(&scripts);
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn crates_depend_on_what_their_row_names() {
    for of in CRATES {
        let path = root().join(of.folder).join("Cargo.toml");
        let manifest = fs::read_to_string(&path).unwrap_or_default();
        assert!(manifest.contains("[package]"), "{} is a manifest", path.display());
        let found = manifest::violations(of, &manifest);
        assert!(found.is_empty(), "\n{}\n", found.join("\n"));
    }
}

#[test]
fn a_planted_import_of_a_forbidden_layer_is_found_however_it_is_written() {
    for text in [
        "use crate::store::Store;",
        "use crate::{operations::Issuer, store::{self, Store}};",
        "use super::super::store;",
        "fn f() { let x = crate::store::open(); }",
        "pub use crate::store as hidden;",
        "fn f() -> Box<dyn crate::store::Store> { loop {} }",
        "use\n    crate :: store\n;",
    ] {
        assert_eq!(planted("issuer/src/http/tokens.rs", text).len(), 1, "{text}");
    }
    assert_eq!(planted("issuer/src/http/mod.rs", "use crate::{keys, session, store};").len(), 3);
    assert_eq!(planted("issuer/src/session.rs", "use crate::{env::Env, store};").len(), 2);
    assert_eq!(planted("issuer/src/main.rs", "use issuer::store::Store;").len(), 1);
}

#[test]
fn a_planted_re_export_does_not_hide_the_layer_behind_it() {
    let lib = Source { path: "issuer/src/lib.rs".to_owned(), text: "pub use store::Store;".to_owned() };
    let http = Source { path: "issuer/src/http/mod.rs".to_owned(), text: "use crate::Store;".to_owned() };
    assert_eq!(judge::violations(&[lib, http]).len(), 1);
}

#[test]
fn planted_clocks_randomness_files_and_threads_are_found() {
    for (path, text) in [
        ("issuer/src/operations/refresh.rs", "use std::time::{Duration, SystemTime};"),
        ("issuer/src/server.rs", "fn f() { let t = std::time::Instant::now(); }"),
        ("issuer/src/server.rs", "use tokio::time::Instant;"),
        ("issuer/src/keys.rs", "fn f() { getrandom::fill(&mut [0]); }"),
        ("issuer/src/operations/mint.rs", "use rand::Rng;"),
        ("issuer/src/operations/mint.rs", "use warp::Filter;"),
        ("issuer/src/operations/mint.rs", "use sled::Db;"),
        ("issuer/src/store/mod.rs", "use sled::Db;"),
        ("issuer/src/session.rs", "use tokio::sync::Mutex;"),
        ("token/src/verify.rs", "use std::fs::File;"),
        ("token/src/verify.rs", "use std::net::TcpStream;"),
        ("token/src/verify.rs", "fn f() { std::env::var(\"X\"); }"),
        ("token/src/verify.rs", "fn f() { std::thread::spawn(g); }"),
        ("token/src/jws.rs", "use tokio::task;"),
        ("token/src/jws.rs", "use issuer::error::Error;"),
        ("token/src/jws.rs", "use jwt_compact::Claims;"),
        ("verifier-wasm/src/lib.rs", "use std::time::SystemTime;"),
        ("verifier-wasm/src/options.rs", "use issuer::config;"),
    ] {
        assert_eq!(planted(path, text).len(), 1, "{path}: {text}");
    }
}

#[test]
fn a_planted_module_without_a_row_or_with_an_empty_name_is_found() {
    assert_eq!(planted("issuer/src/cache.rs", "").len(), 1);
    assert_eq!(planted("token/src/cwt/mod.rs", "").len(), 1);
    assert_eq!(planted("issuer/src/http/util.rs", "").len(), 1);
    assert_eq!(planted("issuer/src/operations/common/mod.rs", "").len(), 1);
}

#[test]
fn what_is_allowed_and_what_is_no_code_is_not_found() {
    for (path, text) in [
        ("issuer/src/http/mod.rs", "use crate::operations::Issuer; use super::http::reply; use warp::Filter;"),
        ("issuer/src/http/mod.rs", "// use crate::store;\n/* crate::store::x /* nested */ crate::store::y */"),
        ("issuer/src/http/mod.rs", "const A: &str = \"crate::store::x\"; const B: &str = r#\"crate::\"store\"#;"),
        ("issuer/src/http/mod.rs", "fn f<'a>(c: char) -> bool { c == '\"' || c == '\\'' }"),
        ("issuer/src/http/mod.rs", "#[cfg(test)]\nmod tests { use crate::store::Store; fn f() {} }"),
        ("issuer/src/env.rs", "use std::time::{Instant, SystemTime}; fn f() { getrandom::fill(&mut b) }"),
        ("issuer/src/store/sled/mod.rs", "use sled::Db; use super::Store;"),
        ("token/src/issue.rs", "use jwt_compact::Algorithm;"),
        ("token/src/issue/algorithm.rs", "use jwt_compact::Algorithm;"),
    ] {
        assert_eq!(planted(path, text), [""; 0], "{path}: {text}");
    }
    let declared = Source { path: "issuer/src/http/mod.rs".to_owned(), text: "#[cfg(test)] mod tests;".to_owned() };
    let test = Source { path: "issuer/src/http/tests.rs".to_owned(), text: "use crate::store::Store;".to_owned() };
    assert_eq!(judge::violations(&[declared, test]), [""; 0]);
}

#[test]
fn planted_script_imports_are_found_and_the_allowed_ones_are_not() {
    for (path, text) in [
        ("pkg/src/verifier.js", "import { x } from \"../../www/state.js\";"),
        ("pkg/src/verifier.js", "import fs from 'node:fs';"),
        ("pkg/browser.js", "const jose = await import(\"jose\");"),
        ("pkg/src/index.js", "export * from \"jose\";"),
        ("www/main.js", "import \"../pkg/browser.js\";"),
        ("www/main.js", "import { x } from \"jose\";"),
        ("www/main.js", "import x from 'https://example.org/x.js';"),
    ] {
        assert_eq!(planted_script(path, text).len(), 1, "{path}: {text}");
    }
    for (path, text) in [
        ("pkg/node.js", "import { readFileSync } from \"node:fs\"; export * from \"./src/index.js\";"),
        ("pkg/src/instance.js", "import load from \"../wasm/verifier.js\"; new URL(\"./x.wasm\", import.meta.url);"),
        ("www/main.js", "import { createVerifier } from \"countersign\"; import \"./state.js\"; Array.from('abc');"),
    ] {
        assert_eq!(planted_script(path, text), [""; 0], "{path}: {text}");
    }
}

#[test]
fn a_planted_dependency_is_found_in_every_form_but_not_among_the_tests() {
    let Some(token) = CRATES.iter().find(|of| of.folder == "token") else { return };
    for text in [
        "[dependencies]\ntokio = \"1\"\n",
        "[dependencies]\nserde.workspace = true\n# why\ntokio.workspace = true\n",
        "[target.'cfg(unix)'.dependencies]\ntokio = { version = \"1\" }\n",
        "[dependencies.tokio]\nversion = \"1\"\n",
        "[build-dependencies]\ntokio = \"1\"\n",
    ] {
        assert_eq!(manifest::violations(token, text).len(), 1, "{text}");
    }
    assert_eq!(manifest::violations(token, "[dev-dependencies]\ntokio = \"1\"\n[features]\nx = []\n"), [""; 0]);
}
