//! `/v1/clients`: the management of clients, and the traps of paths and queries.

use countersign_tests::{Daemon, Reply, Setup, claims};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};

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
            (405, Some("GET, HEAD, POST"), "method_not_allowed"),
            "{method}"
        );
    }
    let (get, head) = (get(&daemon, "/v1/clients"), daemon.client().request("HEAD", "/v1/clients"));
    let head = head.basic(daemon.admin()).send();
    assert_eq!((head.status, head.header("content-length")), (200, get.header("content-length")));
    let preflight = daemon.client().request("OPTIONS", "/v1/clients").header("Origin", "https://any.example").send();
    assert!(preflight.header("access-control-allow-origin").is_none());
}

pub(crate) fn call(daemon: &Daemon, method: &str, path: &str, body: &Value) -> Reply {
    let request = daemon.client().request(method, path).header("Content-Type", "application/json");
    request.body(body.to_string()).basic(daemon.admin()).send()
}

/// Makes a client and returns its id and secret.
pub(crate) fn made(daemon: &Daemon, terms: Value) -> (String, String) {
    let reply = call(daemon, "POST", "/v1/clients", &terms);
    assert_eq!(reply.status, 201, "{}", reply.text());
    (reply.member("client_id"), reply.member("client_secret"))
}

fn own_token(daemon: &Daemon, (id, secret): (&str, &str), fields: &[(&str, &str)]) -> Reply {
    let fields = [&[("grant_type", "client_credentials")], fields].concat();
    daemon.client().form("/oauth/token", &fields).basic((id, secret)).send()
}

fn mint(daemon: &Daemon, (id, secret): (&str, &str), mut body: Value) -> Reply {
    body["sub"] = json!("user-1");
    daemon.client().json("/v1/tokens", &body).basic((id, secret)).send()
}

pub(crate) fn code(reply: &Reply) -> (u16, String) {
    let code = reply.json().get("error").or(reply.json().get("code")).and_then(Value::as_str).unwrap_or("").to_owned();
    (reply.status, code)
}

pub(crate) fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[test]
fn what_is_made_lies_below_the_path_of_the_issuer() {
    let daemon = Setup::new().set("issuer", "http://localhost/auth").start();
    let reply = call(&daemon, "POST", "/v1/clients", &json!({"client_id": "z", "grants": []}));
    assert_eq!((reply.status, reply.header("location")), (201, Some("/auth/v1/clients/z")));
}

#[test]
fn a_client_is_made_read_changed_disabled_and_removed() {
    let mut daemon = Daemon::start();
    let terms =
        json!({"client_id": "a/b", "name": "Shop", "grants": ["client_credentials"], "audiences": ["api", "x"]});
    let reply = call(&daemon, "POST", "/v1/clients", &terms);
    assert_eq!((reply.status, reply.header("location")), (201, Some("/v1/clients/a%2Fb")), "{}", reply.text());
    let secret = reply.member("client_secret");
    assert_eq!(secret.len(), 43);
    let read = get(&daemon, "/v1/clients/a%2Fb");
    let mut expected = reply.json();
    expected.as_object_mut().unwrap().remove("client_secret");
    assert_eq!(read.json(), expected, "everything but the secret");
    assert_eq!(
        (&expected["name"], &expected["scopes"], &expected["disabled"]),
        (&json!("Shop"), &json!(null), &json!(false))
    );
    assert_eq!(code(&call(&daemon, "POST", "/v1/clients", &terms)), refused(409, "client_exists"));

    let changed = call(&daemon, "PATCH", "/v1/clients/a%2Fb", &json!({"name": "", "audiences": null, "scopes": ["r"]}));
    assert_eq!(changed.status, 200, "{}", changed.text());
    let changed = changed.json();
    assert_eq!(
        (&changed["name"], &changed["audiences"], &changed["scopes"]),
        (&json!(""), &json!(null), &json!(["r"]))
    );
    assert!(changed.get("notice").is_none());

    let token = own_token(&daemon, ("a/b", &secret), &[]).member("access_token");
    assert_eq!(code(&call(&daemon, "DELETE", "/v1/clients/a%2Fb", &json!({}))), refused(409, "client_not_disabled"));
    let disabled = call(&daemon, "PATCH", "/v1/clients/a%2Fb", &json!({"disabled": true})).json();
    assert!(disabled["notice"].as_str().unwrap().contains("/v1/revocations"), "{disabled}");
    let unknown = own_token(&daemon, ("nobody", &secret), &[]);
    let known = own_token(&daemon, ("a/b", &secret), &[]);
    assert_eq!((known.status, &known.body), (unknown.status, &unknown.body), "it reads like one that is not known");
    assert!(crate::verify(&daemon, &token).is_ok(), "what it got lives on");

    daemon.stop();
    daemon.restart();
    assert_eq!(code(&own_token(&daemon, ("a/b", &secret), &[])), refused(401, "invalid_client"));
    let removed = call(&daemon, "DELETE", "/v1/clients/a%2Fb", &json!({}));
    assert_eq!(removed.status, 200, "{}", removed.text());
    assert!(removed.json()["seq"].is_u64());
    assert!(crate::verify(&daemon, &token).is_err(), "what it got went with it");
    assert_eq!(code(&get(&daemon, "/v1/clients/a%2Fb")), refused(404, "not_found"));
}

#[test]
fn a_secret_is_rotated_with_an_overlap_or_without() {
    let daemon = Daemon::start();
    let (id, first) = made(&daemon, json!({"grants": ["client_credentials"]}));
    let path = format!("/v1/clients/{id}/secrets");
    let works = |secret: &str| own_token(&daemon, (&id, secret), &[]).status == 200;
    let rotated = call(&daemon, "POST", &path, &json!({}));
    assert_eq!(rotated.status, 201, "{}", rotated.text());
    let second = rotated.member("client_secret");
    let secrets = rotated.json()["secrets"].clone();
    let lives = secrets[0]["expires_at"].as_u64().unwrap() - secrets[1]["created_at"].as_u64().unwrap();
    assert_eq!((secrets.as_array().unwrap().len(), lives, secrets[1].get("expires_at")), (2, 86_400, None));
    assert!(works(&first) && works(&second));
    let gone = format!("{path}/{}", secrets[0]["id"].as_str().unwrap());
    assert_eq!(call(&daemon, "DELETE", &gone, &json!({})).status, 204);
    assert!(!works(&first) && works(&second));
    assert_eq!(code(&call(&daemon, "DELETE", &gone, &json!({}))), refused(404, "not_found"));
    let third = call(&daemon, "POST", &path, &json!({"overlap_seconds": 0})).member("client_secret");
    assert!(!works(&second) && works(&third));
    for overlap in [json!(2_592_001), json!(-1), json!("1"), json!(null)] {
        let reply = call(&daemon, "POST", &path, &json!({"overlap_seconds": overlap}));
        assert_eq!(code(&reply), refused(400, "invalid_field"), "{overlap}");
    }
    assert_eq!(code(&call(&daemon, "POST", "/v1/clients/nobody/secrets", &json!({}))), refused(404, "not_found"));
}

#[test]
fn a_client_gets_what_it_may_ask_for_and_nothing_else() {
    let daemon = Daemon::start();
    let (id, secret) = made(
        &daemon,
        json!({
            "grants": ["mint", "client_credentials", "refresh_token"], "audiences": ["billing", "api"], "scopes": ["r", "w"],
            "claims": ["tenant", "roles"], "access_ttl": 60, "refresh_ttl": 600, "session_ttl": 1000
        }),
    );
    let client = (id.as_str(), secret.as_str());
    let good = mint(&daemon, client, json!({"aud": "api", "scope": "r", "roles": ["x"], "claims": {"tenant": 1}}));
    assert_eq!(good.status, 200, "{}", good.text());
    assert_eq!((good.json()["expires_in"].as_u64(), good.json()["refresh_expires_in"].as_u64()), (Some(60), Some(600)));
    for (body, member) in [
        (json!({"aud": ["api", "admin"]}), "aud"),
        (json!({"aud": "api", "scope": "r x"}), "scope"),
        (json!({"aud": "api", "permissions": ["p"]}), "permissions"),
        (json!({"aud": "api", "claims": {"tenant": 1, "role": 2}}), "claims"),
        (json!({"aud": "api", "access_ttl": 61}), "access_ttl"),
        (json!({"aud": "api", "refresh_ttl": 601}), "refresh_ttl"),
        (json!({"aud": "api", "session_ttl": 1001}), "session_ttl"),
    ] {
        let reply = mint(&daemon, client, body.clone());
        assert_eq!(code(&reply), refused(400, "invalid_field"), "{body}");
        assert!(reply.member("detail").starts_with(member), "{}", reply.text());
    }
    let own = own_token(&daemon, client, &[("scope", "w")]);
    assert_eq!(claims(&own.member("access_token"))["aud"], "api", "the audience of the settings where it is allowed");
    assert_eq!(own.json()["expires_in"], 60);
    assert_eq!(code(&own_token(&daemon, client, &[("audience", "admin")])), refused(400, "invalid_target"));
    assert_eq!(code(&own_token(&daemon, client, &[("scope", "r x")])), refused(400, "invalid_scope"));

    let refresh = |token: &str, scope: Option<&str>| {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", token)];
        let fields = fields.into_iter().chain(scope.map(|scope| ("scope", scope))).collect::<Vec<_>>();
        daemon.client().form("/oauth/token", &fields).basic(client).send()
    };
    let both = mint(&daemon, client, json!({"aud": "api", "scope": "r w"})).member("refresh_token");
    let path = format!("/v1/clients/{id}");
    call(&daemon, "PATCH", &path, &json!({"scopes": ["r"]}));
    assert_eq!(code(&refresh(&both, None)), refused(400, "invalid_scope"));
    let narrower = refresh(&both, Some("r"));
    assert_eq!((narrower.status, narrower.member("scope")), (200, "r".to_owned()), "{}", narrower.text());
    call(&daemon, "PATCH", &path, &json!({"audiences": ["billing"]}));
    assert_eq!(code(&refresh(&narrower.member("refresh_token"), Some("r"))), refused(400, "invalid_grant"));
    assert_eq!(claims(&own_token(&daemon, client, &[]).member("access_token"))["aud"], "billing", "else its first one");
    call(&daemon, "PATCH", &path, &json!({"grants": ["mint"]}));
    assert_eq!(code(&refresh(&narrower.member("refresh_token"), None)), refused(400, "unauthorized_client"));
    assert_eq!(code(&own_token(&daemon, client, &[])), refused(400, "unauthorized_client"));
    let alone = mint(&daemon, client, json!({"aud": "billing"})).json();
    assert!(alone.get("access_token").is_some() && alone.get("refresh_token").is_none(), "{alone}");
    let asked = mint(&daemon, client, json!({"aud": "billing", "refresh_ttl": 5}));
    assert_eq!(code(&asked), refused(400, "invalid_field"));
    call(&daemon, "PATCH", &path, &json!({"grants": []}));
    assert_eq!(code(&mint(&daemon, client, json!({"aud": "billing"}))), refused(403, "unauthorized_client"));
}

#[test]
fn only_an_administrator_manages_and_the_last_one_stays() {
    let daemon = Daemon::start();
    let (id, secret) = made(&daemon, json!({"grants": ["mint"]}));
    let calls = [
        ("GET", "/v1/clients".to_owned()),
        ("GET", format!("/v1/clients/{id}")),
        ("POST", "/v1/clients".to_owned()),
        ("PATCH", format!("/v1/clients/{id}")),
        ("DELETE", format!("/v1/clients/{id}")),
        ("POST", format!("/v1/clients/{id}/secrets")),
        ("DELETE", format!("/v1/clients/{id}/secrets/x")),
    ];
    for (method, path) in &calls {
        let body = if path.ends_with("/secrets") { "{}" } else { r#"{"grants":[]}"# };
        let request = daemon.client().request(method, path).header("Content-Type", "application/json").body(body);
        assert_eq!(
            code(&request.clone().basic((&id, &secret)).send()),
            refused(403, "unauthorized_client"),
            "{method} {path}"
        );
        assert_eq!(code(&request.send()), refused(401, "invalid_client"), "{method} {path}");
    }
    for (method, body) in [("PATCH", json!({"disabled": true})), ("PATCH", json!({"administrator": false}))] {
        assert_eq!(code(&call(&daemon, method, "/v1/clients/admin", &body)), refused(409, "last_administrator"));
    }
    assert_eq!(call(&daemon, "PATCH", &format!("/v1/clients/{id}"), &json!({"administrator": true})).status, 200);
    assert_eq!(call(&daemon, "PATCH", "/v1/clients/admin", &json!({"disabled": true})).status, 200);
    assert_eq!(code(&get(&daemon, "/v1/clients")), refused(401, "invalid_client"));
    let list = daemon.client().request("GET", "/v1/clients?limit=1").basic((&id, &secret)).send().json();
    assert_eq!((&list["items"][0]["client_id"], &list["next"]), (&json!("admin"), &json!("admin")));
    let rest = daemon.client().request("GET", "/v1/clients?after=admin").basic((&id, &secret)).send().json();
    assert_eq!((&rest["items"][0]["client_id"], rest.get("next")), (&json!(id), None));
}

#[test]
fn what_a_client_cannot_be_is_named() {
    let daemon = Daemon::start();
    let long = "x".repeat(256);
    let small = json!({"kty": "OKP", "crv": "Ed25519", "x": "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"});
    let cases = [
        ("client_id", json!("")),
        ("client_id", json!("two words")),
        ("client_id", json!(".")),
        ("client_id", json!("..")),
        ("client_id", json!(long)),
        ("client_id", json!("AAAAAAAAAAAAAAAAAAAAAA")),
        ("client_id", json!(1)),
        ("name", json!(long)),
        ("name", json!("a\nb")),
        ("name", json!(null)),
        ("administrator", json!("yes")),
        ("disabled", json!(null)),
        ("grants", json!(["password"])),
        ("grants", json!("mint")),
        ("grants", json!(null)),
        ("audiences", json!([""])),
        ("audiences", json!(vec!["a"; 65])),
        ("scopes", json!(["a b"])),
        ("scopes", json!(["\""])),
        ("claims", json!(["sub"])),
        ("claims", json!(["act"])),
        ("access_ttl", json!(0)),
        ("access_ttl", json!(86_401)),
        ("refresh_ttl", json!(2_592_001)),
        ("session_ttl", json!("1")),
        ("jwks", json!({})),
        ("jwks", json!({"keys": []})),
        ("jwks", json!({"keys": [{"kty": "RSA"}]})),
        ("jwks", json!({"keys": [small]})),
    ];
    for (member, value) in cases {
        let mut terms = json!({"grants": []});
        terms[member] = value;
        let reply = call(&daemon, "POST", "/v1/clients", &terms);
        assert_eq!(code(&reply), refused(400, "invalid_field"), "{terms}");
        assert!(reply.member("detail").contains(member), "{terms}: {}", reply.text());
    }
    assert_eq!(code(&call(&daemon, "POST", "/v1/clients", &json!({}))), refused(400, "missing_field"));
    assert_eq!(
        code(&call(&daemon, "POST", "/v1/clients", &json!({"grants": [], "x": 1}))),
        refused(400, "unknown_field")
    );
    assert_eq!(
        code(&call(&daemon, "PATCH", "/v1/clients/admin", &json!({"client_id": "x"}))),
        refused(400, "unknown_field")
    );
    for (path, expected) in [
        ("/v1/clients/nobody", (404, "not_found")),
        ("/v1/clients/%00", (400, "malformed_path")),
        ("/v1/clients/%zz", (400, "malformed_path")),
        ("/v1/clients/%ff", (400, "malformed_path")),
        ("/v1/clients/", (404, "not_found")),
        ("/v1/clients/admin/", (404, "not_found")),
        ("/v1/clients/admin/x", (404, "not_found")),
        ("/v1/clients%2Fadmin", (404, "not_found")),
        ("/v1/clients/admin?x=1", (400, "unknown_field")),
        ("/v1//clients/admin", (404, "not_found")),
    ] {
        assert_eq!(code(&get(&daemon, path)), refused(expected.0, expected.1), "{path}");
    }
    assert_eq!(code(&get(&daemon, &format!("/v1/clients/{long}"))), refused(400, "malformed_path"));
}

#[test]
fn each_path_tells_all_its_methods() {
    let daemon = Daemon::start();
    for (path, allowed) in [
        ("/v1/clients", "GET, HEAD, POST"),
        ("/v1/clients/admin", "GET, HEAD, PATCH, DELETE"),
        ("/v1/clients/admin/secrets", "POST"),
        ("/v1/clients/admin/secrets/x", "DELETE"),
    ] {
        for method in ["PUT", "TRACE", "BREW", "patch", "OPTIONS"] {
            let reply = daemon.client().request(method, path).basic(daemon.admin()).send();
            assert_eq!((reply.status, reply.header("allow")), (405, Some(allowed)), "{method} {path}");
        }
    }
}

#[test]
fn once_a_client_is_disabled_nothing_more_is_issued_to_it() {
    let daemon = Daemon::start();
    for _ in 0..5 {
        let (id, secret) = made(&daemon, json!({"grants": ["mint"]}));
        let client = (id.as_str(), secret.as_str());
        let disabled = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let minting = || {
                let mut last = None;
                loop {
                    let late = disabled.load(Ordering::SeqCst);
                    let reply = mint(&daemon, client, json!({"aud": "api"}));
                    assert!(reply.status == 401 || !late, "minted after it was disabled");
                    if reply.status == 401 {
                        return last;
                    }
                    assert_eq!(reply.status, 200, "{}", reply.text());
                    last = Some(reply.member("access_token"));
                }
            };
            let minters: Vec<_> = (0..4).map(|_| scope.spawn(minting)).collect();
            let path = format!("/v1/clients/{id}");
            assert_eq!(call(&daemon, "PATCH", &path, &json!({"disabled": true})).status, 200);
            disabled.store(true, Ordering::SeqCst);
            call(&daemon, "POST", "/v1/revocations", &json!({"client": id}));
            for minter in minters {
                if let Some(token) = minter.join().unwrap() {
                    assert!(crate::verify(&daemon, &token).is_err(), "what was minted before is revoked with the rest");
                }
            }
        });
    }
}
