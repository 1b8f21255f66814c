//! What fuzzing begins with, made of the files in tests/vectors.

use crate::{ed25519, lists, token};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::{env, fs};

const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors");

/// Writes the seeds of a target into the folder that `COUNTERSIGN_SEEDS` names, one file each; does nothing without it.
pub fn write(target: &str) {
    let Some(folder) = env::var_os("COUNTERSIGN_SEEDS").map(PathBuf::from) else { return };
    fs::create_dir_all(&folder).expect("a folder for the seeds");
    for (at, seed) in of(target).iter().enumerate() {
        fs::write(folder.join(format!("seed-{at:05}")), seed).expect("a seed is written");
    }
}

fn of(target: &str) -> Vec<Vec<u8>> {
    match target {
        "base64url" => tokens().iter().flat_map(|token| token.split('.').map(Into::into).collect::<Vec<_>>()).collect(),
        "ed25519" => ed25519::seeds(),
        "json" => texts(),
        "jwks" => key_sets(),
        "lists" => lists::seeds(&documents()),
        "token" => token::seeds(&tokens()),
        other => panic!("there is no target {other}"),
    }
}

fn tokens() -> Vec<String> {
    cases("verdicts").iter().map(|case| case["token"].as_str().expect("a token").to_owned()).collect()
}

fn key_sets() -> Vec<Vec<u8>> {
    cases("keysets").iter().filter_map(|case| Some(case["text"].as_str()?.as_bytes().to_vec())).collect()
}

fn documents() -> Vec<Vec<u8>> {
    let documents = read("lists")["documents"].as_object().expect("documents").clone();
    documents.values().map(|text| bytes(text.as_str().expect("base64url")).expect("base64url")).collect()
}

/// Headers, payloads and key sets.
fn texts() -> Vec<Vec<u8>> {
    let tokens = tokens();
    let parts = tokens.iter().flat_map(|token| token.split('.').take(2).filter_map(bytes));
    parts.chain(key_sets()).filter(|text| text.len() < 4096).collect()
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    ::token::base64url::decode(text.as_bytes()).ok()
}

fn cases(file: &str) -> Vec<Value> {
    read(file)["cases"].as_array().expect("cases").clone()
}

fn read(file: &str) -> Value {
    let text = fs::read(Path::new(VECTORS).join(format!("{file}.json"))).expect("a file of vectors");
    serde_json::from_slice(&text).expect("JSON")
}
