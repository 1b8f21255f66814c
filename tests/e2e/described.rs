//! What holds for every endpoint that docs/openapi.json describes, taken from there: a new one cannot be forgotten.

use crate::clients::made;
use crate::users::{PASSWORD, maria, with_users};
use countersign_tests::{Daemon, Reply, Request};
use serde_json::{Value, json};

/// Bytes of a body that is read.
const MAX_BODY: usize = 16 * 1024;

/// What a client without any right gets of its own: an answer, or that there is nothing.
const OF_EVERY_CLIENT: [&str; 4] =
    ["get /v1/sessions", "get /v1/sessions/{sid}", "delete /v1/sessions/{sid}", "post /v1/sessions/revoke"];

/// One method at one path.
struct Operation {
    name: String,
    method: String,
    /// With its names filled in, and the parameters that must be there.
    path: String,
    /// Media type and example of its body.
    body: Option<(String, Value)>,
    /// The names of the ways to prove who one is; empty for what everybody may do.
    needs: Vec<String>,
    /// It may also be done by nobody in particular.
    optional: bool,
}

fn operations() -> Vec<Operation> {
    let document: Value = serde_json::from_str(include_str!("../../docs/openapi.json")).expect("JSON");
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("methods") {
            if ["get", "post", "patch", "put", "delete"].contains(&method.as_str()) {
                operations.push(read(path, method, operation, &item["parameters"]));
            }
        }
    }
    assert!(operations.len() > 40, "{}", operations.len());
    operations
}

fn read(path: &str, method: &str, operation: &Value, shared: &Value) -> Operation {
    let parameters = [shared, &operation["parameters"]].into_iter().filter_map(Value::as_array).flatten();
    let needed = parameters.filter(|parameter| parameter["in"] == "query" && parameter["required"] == true);
    let query: Vec<String> =
        needed.map(|parameter| format!("{}=x", parameter["name"].as_str().expect("a name"))).collect();
    let mark = if query.is_empty() { "" } else { "?" };
    let body = operation["requestBody"]["content"].as_object().and_then(|content| content.iter().next());
    let ways: Vec<&Value> = operation["security"].as_array().into_iter().flatten().collect();
    Operation {
        name: format!("{method} {path}"),
        method: method.to_uppercase(),
        path: format!("{}{mark}{}", filled(path), query.join("&")),
        body: body.map(|(kind, body)| (kind.clone(), body["example"].clone())),
        needs: ways.iter().flat_map(|way| way.as_object().expect("a way").keys().cloned()).collect(),
        optional: ways.iter().any(|way| way.as_object().is_some_and(serde_json::Map::is_empty)),
    }
}

/// Puts a name that could be there in the place of each that a template names.
fn filled(path: &str) -> String {
    let segments = path.split('/').map(|segment| match segment {
        "{sid}" | "{sub}" => "AAAAAAAAAAAAAAAAAAAAAA",
        "{client_id}" => "nobody",
        "{secret}" => "AAAAAAAAAAAA",
        "{seq}" | "{epoch}" => "1",
        other => {
            assert!(!other.starts_with('{'), "what could {other} be?");
            other
        }
    });
    segments.collect::<Vec<_>>().join("/")
}

impl Operation {
    fn request(&self, daemon: &Daemon, body: Option<(&str, Vec<u8>)>) -> Request {
        let request = daemon.client().request(&self.method, &self.path);
        match body {
            Some((kind, body)) => request.header("Content-Type", kind).body(body),
            None => request,
        }
    }

    /// The request of the description.
    fn example(&self, daemon: &Daemon) -> Request {
        self.request(daemon, self.body.as_ref().map(|(kind, example)| (kind.as_str(), encoded(kind, example))))
    }

    fn is_for(&self, way: &str) -> bool {
        self.needs.iter().any(|need| need == way)
    }
}

fn encoded(kind: &str, value: &Value) -> Vec<u8> {
    if kind == "application/json" {
        return value.to_string().into_bytes();
    }
    let fields = value.as_object().expect("fields").iter();
    let pairs: Vec<String> = fields.map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or("1"))).collect();
    pairs.join("&").into_bytes()
}

fn code(reply: &Reply) -> String {
    let body = reply.json();
    body["code"].as_str().or(body["error"].as_str()).unwrap_or_default().to_owned()
}

#[test]
fn nobody_gets_anything_of_what_somebody_must_prove_to_be() {
    let daemon = with_users().start();
    let guarded: Vec<Operation> = operations().into_iter().filter(|operation| !operation.needs.is_empty()).collect();
    assert!(guarded.len() > 25, "{}", guarded.len());
    for operation in guarded.iter().filter(|operation| !operation.optional || operation.is_for("basic")) {
        let reply = operation.example(&daemon).send();
        let expected = if operation.is_for("basic") { "invalid_client" } else { "invalid_token" };
        assert_eq!((reply.status, code(&reply).as_str()), (401, expected), "{}: {}", operation.name, reply.text());
        let wrong = operation.example(&daemon).basic(("admin", "not-the-secret-of-the-administrator")).send();
        assert_eq!(wrong.status, 401, "{}: {}", operation.name, wrong.text());
    }
}

#[test]
fn a_client_without_a_right_is_refused_wherever_one_is_needed() {
    let daemon = with_users().start();
    let (id, secret) = made(&daemon, json!({"grants": []}));
    let guarded = operations().into_iter().filter(|operation| operation.is_for("basic"));
    let mut refused = 0;
    for operation in guarded.filter(|operation| operation.path.starts_with("/v1/")) {
        let reply = operation.example(&daemon).basic((&id, &secret)).send();
        if OF_EVERY_CLIENT.contains(&operation.name.as_str()) {
            assert!(matches!(reply.status, 200 | 404), "{}: {}", operation.name, reply.text());
            continue;
        }
        assert_eq!(
            (reply.status, code(&reply).as_str()),
            (403, "unauthorized_client"),
            "{}: {}",
            operation.name,
            reply.text()
        );
        refused += 1;
    }
    assert!(refused > 18, "{refused}");
}

#[test]
fn whatever_body_is_wrong_is_refused_wherever_one_is_taken() {
    let daemon = with_users().start();
    maria(&daemon);
    let login = daemon.client().json("/v1/session", &json!({"username": "maria", "password": PASSWORD})).send();
    let bearer = format!("Bearer {}", login.member("access_token"));
    let with_body = operations().into_iter().filter(|operation| operation.body.is_some());
    let mut asked = 0;
    for operation in with_body {
        let (kind, example) = operation.body.as_ref().expect("filtered");
        let mut more = example.clone();
        more["surprise"] = json!(1);
        let rubbish = if kind == "application/json" { "{" } else { "%" };
        for (kind, body, status, expected) in [
            ("text/plain", encoded(kind, example), 415, "unsupported_media_type"),
            (kind.as_str(), vec![b'a'; MAX_BODY + 1], 413, "body_too_large"),
            (kind.as_str(), rubbish.as_bytes().to_vec(), 400, "malformed_body"),
            (kind.as_str(), encoded(kind, &more), 400, "unknown_field"),
        ] {
            let request = operation.request(&daemon, Some((kind, body)));
            let reply = match (operation.is_for("basic"), operation.is_for("bearer")) {
                (true, _) => request.basic(daemon.admin()),
                (false, true) => request.header("Authorization", &bearer),
                (false, false) => request,
            }
            .send();
            let oauth = operation.path.starts_with("/oauth/");
            let expected = if oauth { "invalid_request" } else { expected };
            assert_eq!(
                (reply.status, code(&reply).as_str()),
                (status, expected),
                "{}: {}",
                operation.name,
                reply.text()
            );
            asked += 1;
        }
    }
    assert!(asked > 60, "{asked}");
}
