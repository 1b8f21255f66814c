//! Members that are unknown, given twice, missing or wrong: refused by name, on every endpoint that has any.

use crate::endpoints::ACTS;
use countersign_tests::Daemon;

#[test]
fn an_unknown_field_is_named() {
    let daemon = Daemon::start();
    let bodies = [
        r#"{"sub":"a","aud":"api","surprise":1}"#,
        "grant_type=client_credentials&surprise=1",
        "token=x&surprise=1",
        "token=x&surprise=",
        r#"{"subject":"a","surprise":1}"#,
        r#"{"purpose":"token","surprise":1}"#,
        r#"{"sub":"a","surprise":1}"#,
        r#"{"grants":[],"surprise":1}"#,
    ];
    for (act, body) in ACTS.iter().zip(bodies) {
        let reply = act.request(&daemon, body).send();
        act.refused(&reply, 400, "unknown_field", "invalid_request");
        assert!(reply.text().contains("'surprise'"), "{}", reply.text());
    }
    let refresh = "grant_type=refresh_token&refresh_token=x&audience=api";
    ACTS[1].refused(&ACTS[1].request(&daemon, refresh).send(), 400, "unknown_field", "invalid_request");
}

#[test]
fn a_field_given_twice_is_named() {
    let daemon = Daemon::start();
    let bodies = [
        (r#"{"sub":"a","aud":"api","sub":"b"}"#, "'sub'"),
        ("grant_type=client_credentials&grant_type=client_credentials", "'grant_type'"),
        ("token=x&token=x", "'token'"),
        ("token=x&%74oken=y", "'token'"),
        (r#"{"subject":"a","subject":"a"}"#, "'subject'"),
        (r#"{"purpose":"token","purpose":"token"}"#, "'purpose'"),
        (r#"{"sub":"a","sub":"a"}"#, "'sub'"),
        (r#"{"grants":[],"grants":[]}"#, "'grants'"),
    ];
    for (act, (body, name)) in ACTS.iter().zip(bodies) {
        let reply = act.request(&daemon, body).send();
        act.refused(&reply, 400, "duplicate_field", "invalid_request");
        assert!(reply.text().contains(name), "{}", reply.text());
    }
    let nested = r#"{"sub":"a","aud":"api","claims":{"x":{"y":1,"y":2}}}"#;
    ACTS[0].refused(&ACTS[0].request(&daemon, nested).send(), 400, "malformed_body", "");
}

#[test]
fn a_missing_field_is_named() {
    let daemon = Daemon::start();
    let bodies = [
        (r#"{"aud":"api"}"#, "'sub'"),
        ("scope=a", "'grant_type'"),
        ("token=", "'token'"),
        ("", "'token'"),
        ("{}", "'subject, session, client, key or all'"),
        ("{}", "'purpose'"),
        ("{}", "'sub'"),
        ("{}", "'grants'"),
    ];
    for (act, (body, name)) in ACTS.iter().zip(bodies) {
        let reply = act.request(&daemon, body).send();
        act.refused(&reply, 400, "missing_field", "invalid_request");
        assert!(reply.text().contains(name), "{}", reply.text());
    }
    ACTS[1].refused(
        &ACTS[1].request(&daemon, "grant_type=refresh_token").send(),
        400,
        "missing_field",
        "invalid_request",
    );
}

#[test]
fn a_grant_type_that_is_not_offered_is_called_so() {
    let daemon = Daemon::start();
    for grant in ["password&username=a&password=b", "authorization_code&code=x", "CLIENT_CREDENTIALS", "implicit"] {
        let reply = ACTS[1].request(&daemon, format!("grant_type={grant}")).send();
        ACTS[1].refused(&reply, 400, "", "unsupported_grant_type");
    }
}

#[test]
fn members_of_the_wrong_type_or_beyond_a_limit_are_named() {
    let daemon = Daemon::start();
    let members = [
        r#""sub":1"#,
        r#""sub":null"#,
        r#""sub":"""#,
        r#""sub":"a\u0000b""#,
        r#""aud":[]"#,
        r#""aud":[""]"#,
        r#""aud":{}"#,
        r#""aud":[1]"#,
        r#""scope":1"#,
        r#""scope":"a  b""#,
        r#""scope":"a\"b""#,
        r#""roles":"admin""#,
        r#""roles":[1]"#,
        r#""permissions":{}"#,
        r#""auth_time":"now""#,
        r#""auth_time":1.5"#,
        r#""auth_time":-1"#,
        r#""auth_time":1e9"#,
        r#""auth_time":99999999999999"#,
        r#""nbf":true"#,
        r#""nbf":1700000000000"#,
        r#""claims":[]"#,
        r#""claims":{"iss":"x"}"#,
        r#""claims":{"exp":1}"#,
        r#""claims":{"cnf":{}}"#,
        r#""claims":{"status":{}}"#,
        r#""access_ttl":0"#,
        r#""access_ttl":86401"#,
        r#""access_ttl":"60""#,
        r#""refresh_ttl":0"#,
        r#""refresh_ttl":99999999999"#,
        r#""session_ttl":0"#,
        r#""session_ttl":18446744073709551615"#,
    ];
    for member in members {
        let name = member.split('"').nth(1).expect("a name");
        let others: Vec<&str> =
            [r#""sub":"a""#, r#""aud":"api""#].into_iter().filter(|other| !other.contains(name)).collect();
        let body = format!("{{{}}}", [others.as_slice(), &[member]].concat().join(","));
        let reply = ACTS[0].request(&daemon, body.clone()).send();
        ACTS[0].refused(&reply, 400, "invalid_field", "");
        assert!(reply.member("detail").contains(name), "{body}: {}", reply.text());
    }
}

#[test]
fn what_cannot_be_revoked_is_named() {
    let daemon = Daemon::start();
    let bodies = [
        (r#"{"subject":1}"#, "subject"),
        (r#"{"subject":""}"#, "subject"),
        (r#"{"subject":"a\u0000b"}"#, "subject"),
        (r#"{"subject":"a","session":"b"}"#, "session"),
        (r#"{"subject":"a","issued_before":"now"}"#, "issued_before"),
        (r#"{"subject":"a","issued_before":-1}"#, "issued_before"),
        (r#"{"subject":"a","issued_before":253402300799}"#, "issued_before"),
        (r#"{"subject":"a","issued_before":18446744073709551615}"#, "issued_before"),
        (r#"{"session":"x"}"#, "session"),
        (r#"{"session":"AAAAAAAAAAAAAAAAAAAAAA","issued_before":1}"#, "issued_before"),
        (r#"{"client":""}"#, "client"),
        (r#"{"client":"nobody"}"#, "client"),
        (r#"{"client":"admin","issued_before":1}"#, "issued_before"),
        (r#"{"key":""}"#, "key"),
        (r#"{"key":"nobody's"}"#, "key"),
        (r#"{"all":false}"#, "all"),
        (r#"{"all":"true"}"#, "all"),
        (r#"{"all":true,"key":"x"}"#, "all"),
        (r#"{"all":true,"issued_before":253402300799}"#, "issued_before"),
    ];
    let list = daemon.client().get("/revocations");
    for (body, name) in bodies {
        let reply = ACTS[4].request(&daemon, body).send();
        ACTS[4].refused(&reply, 400, "invalid_field", "");
        assert!(reply.member("detail").contains(name), "{body}: {}", reply.text());
    }
    let pair = daemon.mint(serde_json::json!({"sub": "a", "aud": "api"}));
    crate::verify(&daemon, &pair.access_token).expect("nothing was revoked");
    assert!(list.body.len() >= daemon.client().get("/revocations").body.len(), "the list has no rule more");
}

#[test]
fn a_name_from_outside_comes_back_cut_and_cleaned() {
    let daemon = Daemon::start();
    let body = format!("token=x&%22%0d%0aset-cookie%5c%c3%bc{}=1", "a".repeat(5000));
    let reply = ACTS[2].request(&daemon, body).send();
    ACTS[2].refused(&reply, 400, "unknown_field", "invalid_request");
    assert!(reply.body.len() < 200, "{}", reply.text());
}
