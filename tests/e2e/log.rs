//! The log tells what happened, in one table of field names, and never a secret.

use countersign_tests::{Daemon, Reply, Setup};
use serde_json::{Value, json};

/// Every text of an answer that lets somebody in.
fn tokens(reply: &Reply) -> Vec<String> {
    ["access_token", "refresh_token"].iter().map(|name| reply.member(name)).filter(|token| !token.is_empty()).collect()
}

/// Does everything the daemon can do, right and wrong; returns every secret and token that passed, and some that did not.
pub(crate) fn exercise(daemon: &Daemon) -> Vec<String> {
    let client = daemon.client();
    let mut canaries = vec![daemon.admin().1.to_owned()];
    let mint = json!({"sub": "alice", "aud": "api", "claims": {"note": "canary-claim-7351"}});
    let first = client.json("/v1/tokens", &mint).basic(daemon.admin()).send();
    canaries.extend(tokens(&first));
    let second = daemon.refresh(&first.member("refresh_token"));
    canaries.extend(tokens(&second));
    let third = daemon.refresh(&second.member("refresh_token"));
    canaries.extend(tokens(&third));
    daemon.refresh(&first.member("refresh_token")); // reuse
    let own = client.form("/oauth/token", &[("grant_type", "client_credentials")]).basic(daemon.admin()).send();
    canaries.extend(tokens(&own));
    client.form("/oauth/introspect", &[("token", &own.member("access_token"))]).basic(daemon.admin()).send();
    daemon.revoke(&own.member("access_token"));

    let in_body =
        [("grant_type", "client_credentials"), ("client_id", "admin"), ("client_secret", "canary-secret-in-a-body")];
    client.form("/oauth/token", &in_body).send();
    client.form("/oauth/revoke", &[("token", "x")]).basic(("canary-client-id", "canary-secret-in-basic")).send();
    client
        .form("/oauth/revoke", &[("token", "canary-token"), ("canary-field", "canary-value")])
        .basic(daemon.admin())
        .send();
    client.post("/v1/tokens", "application/json", r#"{"sub":"canary-subject"#).basic(daemon.admin()).send();
    client.get(&format!("/canary-path/{}?token=canary-query", own.member("access_token")));
    client.get("/revocations?access_token=canary-query");
    client.request("CANARYMETHOD", "/v1/tokens").header("X-Canary", "canary-header").send();
    client
        .request("GET", "/healthz")
        .header("Authorization", "Bearer canary-bearer")
        .header("Cookie", "canary=cookie")
        .send();
    canaries.extend(["canary-", "CANARYMETHOD", "canary=cookie"].map(str::to_owned));
    canaries
}

#[test]
fn no_secret_and_no_token_is_ever_logged_in_either_format_at_the_finest_level() {
    for format in ["text", "json"] {
        let mut daemon = Setup::new().set("log_format", format).set("log_level", "trace").start();
        let canaries = exercise(&daemon);
        daemon.stop();
        let log = daemon.log();
        assert!(log.lines().count() > 15, "{log}");
        for canary in &canaries {
            // A token's signature or payload alone is as telling as the whole.
            for part in canary.split('.').filter(|part| part.len() > 6) {
                let line = log.lines().find(|line| line.contains(part));
                assert!(line.is_none(), "{part} in {format}: {line:?}");
            }
        }
    }
}

#[test]
fn each_request_is_one_line_with_what_was_done() {
    let mut daemon = Setup::new().set("log_format", "json").set("log_level", "info").start();
    let reply = daemon.client().form("/oauth/token", &[("grant_type", "password")]).basic(daemon.admin()).send();
    let id = reply.header("x-request-id").expect("an id").to_owned();
    daemon.client().get("/no/such/path");
    daemon.stop();
    let log = daemon.log();
    let lines: Vec<Value> =
        log.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}"))).collect();
    let answered: Vec<&Value> = lines.iter().filter(|line| line["message"] == "answered").collect();
    assert_eq!(answered.len(), 2, "{log}");
    let (line, span) = (answered[0], &answered[0]["span"]);
    assert_eq!((&line["status"], &line["code"]), (&json!(400), &json!("unsupported_grant_type")), "{line}");
    assert_eq!(
        (&span["request"], &span["method"], &span["route"]),
        (&json!(id), &json!("POST"), &json!("/oauth/token")),
        "{line}"
    );
    assert_eq!(span["client_id"], "admin");
    assert!(
        line["micros"].is_u64() && span["peer"].as_str().is_some_and(|peer| peer.starts_with("127.0.0.1:")),
        "{line}"
    );
    assert_eq!(answered[1]["span"]["route"], "(none)");
}
