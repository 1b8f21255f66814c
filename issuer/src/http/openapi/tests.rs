//! The description against the route table, the table of codes and the committed file.

use super::super::{App, Changing, Surface, rows};
use super::describe::{document, operations};
use crate::config::{Config, ForwardedHeader, Layer};
use crate::env::Env;
use crate::keys::MasterKey;
use crate::limits::Limiter;
use crate::operations::{Issuer, Settings};
use crate::store;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use token::time::UnixTime;
use tokio::sync::watch;
use zeroize::Zeroizing;

/// Files for browsers, and no interface for programs.
const FILES: [&str; 3] = ["/", "/www/*", "/pkg/*"];

/// Codes of no operation: the method is none of those that are there, and a key that cannot be used is found when the daemon starts.
const OF_NO_OPERATION: [&str; 3] = ["method_not_allowed", "malformed_head", "key_unusable"];

async fn app(directory: &Path) -> Arc<App> {
    let (env, _) = Env::fixed(UnixTime::from_secs(1_800_000_000).unwrap(), 1);
    let master = MasterKey::from_bytes(Zeroizing::new([9; 32]));
    let settings = Settings::new("https://issuer.example");
    let issuer = Issuer::open(settings, env.clone(), store::open(directory).unwrap(), master).await.unwrap();
    let config = Config::try_from(Layer::defaults()).unwrap();
    let changing = Changing {
        cors_origins: Vec::new(),
        proxies: config.trusted_proxies,
        forwarded_header: ForwardedHeader::Forwarded,
        limiter: Limiter::new(config.rate_limits),
    };
    let surface = Surface {
        forwarding: None,
        changing: watch::channel(Arc::new(changing)).1,
        secure: false,
        body_timeout: config.body_timeout,
        max_followers: config.max_followers,
        max_followers_per_address: config.limits.max_connections_per_address,
        cookies: config.cookies,
    };
    super::super::app(issuer, env, surface, None).unwrap()
}

#[tokio::test]
async fn every_row_of_the_route_table_is_described_and_nothing_else_is() {
    let directory = tempfile::tempdir().unwrap();
    let app = app(directory.path()).await;
    let table = rows(&app);
    let offered = table.iter().flat_map(|row| &row.offered).filter(|endpoint| !FILES.contains(&endpoint.route));
    let offered: BTreeSet<String> =
        offered.map(|endpoint| format!("{} {}", endpoint.verb.methods(), endpoint.route)).collect();
    let methods = |method: &str| if method == "get" { "GET, HEAD".to_owned() } else { method.to_uppercase() };
    let described: BTreeSet<String> =
        operations().iter().map(|operation| format!("{} {}", methods(&operation.method()), operation.path())).collect();
    let undescribed: Vec<&String> = offered.difference(&described).collect();
    let without_row: Vec<&String> = described.difference(&offered).collect();
    assert_eq!((undescribed, without_row), (Vec::new(), Vec::new()), "see issuer/src/http/openapi/describe");
}

#[test]
fn every_name_of_a_path_and_of_a_query_is_described_as_it_is_read() {
    for operation in operations() {
        let (path, document) = (operation.path(), document());
        let described = &document["paths"][path][operation.method()]["parameters"];
        let of = |place: &str| -> BTreeSet<String> {
            let parameters = described.as_array().into_iter().flatten().filter(|parameter| parameter["in"] == place);
            parameters.map(|parameter| parameter["name"].as_str().unwrap().to_owned()).collect()
        };
        let named = path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
        assert_eq!(of("path"), named.map(str::to_owned).collect(), "{path}");
        assert_eq!(of("query"), operation.asked().iter().map(|name| (*name).to_owned()).collect(), "{path}");
    }
}

#[test]
fn every_code_of_the_manual_is_told_where_it_can_occur() {
    let manual = include_str!("../../../../docs/errors.md");
    let (_, table) = manual.split_once("## The daemon over HTTP").unwrap();
    let (table, _) = table.split_once("\n## ").unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    let codes: Vec<&str> = rows.map(|line| line.split('`').nth(1).unwrap()).collect();
    assert!(codes.len() > 20);
    let document = document().to_string();
    let told = |code: &&&str| document.contains(&format!("`{code}`"));
    let missing: Vec<&&str> = codes.iter().filter(|code| !OF_NO_OPERATION.contains(code) && !told(code)).collect();
    assert_eq!(missing, Vec::<&&str>::new(), "name them where they can occur, in issuer/src/http/openapi/describe");
}

#[test]
fn every_reference_leads_somewhere_and_every_name_is_used() {
    let document = document();
    let mut references = BTreeSet::new();
    collect(&document, "$ref", &mut references);
    for reference in &references {
        assert!(document.pointer(reference.strip_prefix('#').unwrap()).is_some(), "{reference}");
    }
    let defined = |kind: &str| {
        let names = document["components"][kind].as_object().unwrap().keys();
        names.map(|name| format!("#/components/{kind}/{name}")).collect::<Vec<_>>()
    };
    for name in [defined("schemas"), defined("headers")].concat() {
        assert!(references.contains(&name), "{name} is described and used nowhere");
    }
    let (mut ids, mut tags) = (BTreeSet::new(), BTreeSet::new());
    collect(&document["paths"], "operationId", &mut ids);
    assert_eq!(ids.len(), operations().len(), "each operation has a name of its own");
    collect(&document["paths"], "tags", &mut tags);
    let shown = document["tags"].as_array().unwrap().iter().map(|tag| tag["name"].as_str().unwrap().to_owned());
    assert_eq!(tags, shown.collect());
}

/// Collects the texts of the members `name`, at any depth.
fn collect(value: &Value, name: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (member, value) in members {
                match value {
                    Value::String(text) if member == name => drop(found.insert(text.clone())),
                    Value::Array(texts) if member == name => {
                        found.extend(texts.iter().filter_map(|text| text.as_str().map(str::to_owned)));
                    }
                    other => collect(other, name, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, name, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn the_committed_document_is_what_the_code_makes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
    let made = document();
    if std::env::var_os("UPDATE_OPENAPI").is_some_and(|value| value == "1") {
        std::fs::write(&path, serde_json::to_string_pretty(&made).unwrap() + "\n").unwrap();
    }
    let committed: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let differ = "UPDATE_OPENAPI=1 cargo test -p countersign --lib openapi writes docs/openapi.json again";
    assert!(committed == made, "docs/openapi.json is not what the code makes; {differ}");
}
