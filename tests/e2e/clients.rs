//! `/v1/clients`: the management of clients, and the traps of paths and queries.

use countersign_tests::{Daemon, Reply};

fn get(daemon: &Daemon, path: &str) -> Reply {
    daemon.client().request("GET", path).basic(daemon.admin()).send()
}

#[test]
fn the_list_of_clients_is_for_administrators() {
    let daemon = Daemon::start();
    let list = get(&daemon, "/v1/clients").json();
    assert_eq!(list["items"][0]["client_id"], "admin");
    assert!(list.get("next").is_none());
    assert_eq!(daemon.client().get("/v1/clients").member("code"), "invalid_client");
}

#[test]
fn a_query_is_read_strictly_where_there_is_one() {
    let daemon = Daemon::start();
    let long = format!("after={}", "a".repeat(4096));
    let cases = [
        ("limit=0", 400, "invalid_field"),
        ("limit=201", 400, "invalid_field"),
        ("limit=01", 400, "invalid_field"),
        ("limit=+1", 400, "invalid_field"),
        ("limit=1&limit=1", 400, "duplicate_field"),
        ("limit=1&%6Cimit=1", 400, "duplicate_field"),
        ("limit=1&page=2", 400, "unknown_field"),
        ("LIMIT=1", 400, "unknown_field"),
        ("limit=%", 400, "malformed_query"),
        ("after=%ff", 400, "malformed_query"),
        (long.as_str(), 414, "query_too_long"),
    ];
    for (query, status, code) in cases {
        let reply = get(&daemon, &format!("/v1/clients?{query}"));
        assert_eq!((reply.status, reply.member("code").as_str()), (status, code), "{query}: {}", reply.text());
    }
    for query in ["", "limit=1", "limit=200&after=", "after=%7E"] {
        assert_eq!(get(&daemon, &format!("/v1/clients?{query}")).status, 200, "{query}");
    }
}

#[test]
fn a_method_that_a_path_does_not_have_is_told_those_that_it_has() {
    let daemon = Daemon::start();
    for method in ["PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "BREW", "get", "OPTIONS"] {
        let reply = daemon.client().request(method, "/v1/clients").basic(daemon.admin()).send();
        assert_eq!(
            (reply.status, reply.header("allow"), reply.member("code").as_str()),
            (405, Some("GET, HEAD"), "method_not_allowed"),
            "{method}"
        );
    }
    let (get, head) = (get(&daemon, "/v1/clients"), daemon.client().request("HEAD", "/v1/clients"));
    let head = head.basic(daemon.admin()).send();
    assert_eq!((head.status, head.header("content-length")), (200, get.header("content-length")));
    let preflight = daemon.client().request("OPTIONS", "/v1/clients").header("Origin", "https://any.example").send();
    assert!(preflight.header("access-control-allow-origin").is_none());
}
