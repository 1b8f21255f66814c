//! Status lists over HTTP: which form is sent, how long it may be kept, and what the endpoints say of each other.

use countersign_tests::{Daemon, Reply, Setup, claims};
use serde_json::{Value, json};

const JWT: &str = "application/statuslist+jwt";
const CWT: &str = "application/statuslist+cwt";

/// A daemon that signs no list by itself during a test, and the path of the list of a token it has issued.
fn start() -> (Daemon, String, Value) {
    let setup = Setup::new().set("list_interval_seconds", "150").set("status_list_audiences", "api,partner");
    let daemon = setup.start();
    let status = daemon.mint(json!({"sub": "user-1", "aud": ["other", "partner"]})).claims()["status"].clone();
    let uri = status["status_list"]["uri"].as_str().expect("a URI").to_owned();
    let path = uri.strip_prefix(&daemon.url()).expect("a URI of the issuer").to_owned();
    (daemon, path, status)
}

fn get(daemon: &Daemon, path: &str, accept: &str) -> Reply {
    daemon.client().request("GET", path).header("Accept", accept).send()
}

#[test]
fn the_form_follows_what_the_caller_accepts() {
    let (daemon, path, _) = start();
    assert_eq!(daemon.client().get(&path).header("content-type"), Some(JWT));
    for (accept, media_type) in
        [("*/*", JWT), (CWT, CWT), ("application/*;q=0.5, application/statuslist+jwt;q=0.1", CWT)]
    {
        let reply = get(&daemon, &path, accept);
        assert_eq!((reply.status, reply.header("content-type")), (200, Some(media_type)), "{accept}");
        assert_eq!(reply.header("vary"), Some("Accept"));
        assert_eq!(reply.header("cache-control"), Some("public, max-age=1"));
        assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
    }
    let neither = get(&daemon, &path, "text/html, application/json");
    assert_eq!((neither.status, neither.member("code").as_str()), (406, "not_acceptable"));
    assert_eq!((neither.header("vary"), neither.header("cache-control")), (Some("Accept"), Some("no-store")));
}

#[test]
fn a_list_is_not_sent_twice_and_each_form_has_its_own_etag() {
    let (daemon, path, _) = start();
    let etag = |accept| get(&daemon, &path, accept).header("etag").expect("an ETag").to_owned();
    assert_ne!(etag(JWT), etag(CWT));
    let ask = |accept: &str, known: &str| {
        daemon.client().request("GET", &path).header("Accept", accept).header("If-None-Match", known).send()
    };
    let known = ask(CWT, &etag(CWT));
    assert_eq!((known.status, known.body.len(), known.header("vary")), (304, 0, Some("Accept")));
    assert_eq!(ask(CWT, &etag(JWT)).status, 200);
    daemon.mint(json!({"sub": "user-1", "aud": "api"}));
    assert_eq!(ask(CWT, &etag(CWT)).status, 304, "a token that is issued changes nothing");
}

#[test]
fn every_list_is_found_from_the_metadata_and_a_token_without_the_claim_is_as_before() {
    let (daemon, path, status) = start();
    assert!(status["status_list"]["idx"].is_u64());
    let metadata = daemon.client().get("/.well-known/oauth-authorization-server").json();
    let all = metadata["status_list_aggregation_endpoint"].as_str().expect("a URL").to_owned();
    let all = daemon.client().get(all.strip_prefix(&daemon.url()).expect("a URL of the issuer"));
    assert_eq!(
        (all.header("content-type"), all.header("cache-control")),
        (Some("application/json"), Some("public, max-age=15"))
    );
    assert_eq!(all.json(), json!({"status_lists": [format!("{}{path}", daemon.url())]}));
    let list = claims(daemon.client().get(&path).text());
    assert_eq!(list["status_list"]["aggregation_uri"], metadata["status_list_aggregation_endpoint"]);
    assert_eq!(list["sub"], status["status_list"]["uri"]);
    let other = daemon.mint(json!({"sub": "user-1", "aud": "other"})).claims();
    assert_eq!(other.get("status"), None);
}
