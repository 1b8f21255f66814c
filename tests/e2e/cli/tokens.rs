//! Tokens and sessions: minted, looked at, judged, taken back.

use super::{ISSUER, Way, alone, both_ways, ran};
use countersign_tests::Setup;
use serde_json::json;
use std::fs;

#[test]
fn tokens_are_minted_looked_at_judged_and_taken_back() {
    both_ways(|way| {
        let claims = r#"{"tenant":"a"}"#;
        let mint = ["token", "mint", "--sub", "alice", "--aud", "api", "--aud", "web", "--scope", "read write"];
        let more = ["--role", "editor", "--role", "author", "--claims", claims, "--access-ttl", "60"];
        let pair = way.says(&[&mint[..], &more[..]].concat());
        let token = pair["access_token"].as_str().expect("a token");
        assert_eq!((&pair["expires_in"], &pair["scope"]), (&json!(60), &json!("read write")));
        let inspected = way.setup.command(&["token", "inspect", "--json"]);
        let inspected = ran(inspected, token).json();
        assert_eq!(inspected["verified"], false);
        assert_eq!(inspected["claims"]["roles"], json!(["editor", "author"]));
        assert_eq!((&inspected["claims"]["tenant"], &inspected["claims"]["iss"]), (&json!("a"), &json!(ISSUER)));
        let file = way.setup.folder().join("token");
        fs::write(&file, format!("{token}\n")).expect("written");
        let verify = ["token", "verify", file.to_str().expect("UTF-8"), "--audience", "web", "--scope", "write"];
        let verified = way.says(&verify);
        assert_eq!((&verified["valid"], &verified["claims"]["sub"]), (&json!(true), &json!("alice")));
        let refused = way.ends(1, &["token", "verify", "--audience", "other"], token);
        assert_eq!((&refused["code"], &refused["claim"]), (&json!("ERR_JWT_CLAIM_VALIDATION_FAILED"), &json!("aud")));
        let revoked = way.ends(0, &["revoke", "--token-file", "-"], token);
        assert!(revoked["seq"].is_u64() && revoked["effective_by"].is_u64(), "{revoked}");
        assert_eq!(way.code_of(token), "ERR_TOKEN_REVOKED");
    });
}

#[test]
fn names_are_taken_back_with_all_that_they_stand_for() {
    both_ways(|way| {
        let (first, _, _) = way.mint("alice");
        let (second, refresh, _) = way.mint("alice");
        let (third, _, sid) = way.mint("bob");
        way.says(&["revoke", "--session", &sid]);
        assert_eq!(way.code_of(&third), "ERR_TOKEN_REVOKED");
        way.ends(0, &["revoke", "--token-file", "-"], &refresh);
        assert_eq!(way.code_of(&second), "ERR_TOKEN_REVOKED");
        way.says(&["revoke", "--subject", "alice", "--issued-before", "1"]);
        assert_eq!(way.ends(0, &["token", "verify", "--any-audience"], &first)["valid"], true, "it began later");
        way.says(&["revoke", "--subject", "alice"]);
        assert_eq!(way.code_of(&first), "ERR_TOKEN_REVOKED");
        let (fourth, _, _) = way.mint("carol");
        way.says(&["revoke", "--client", "admin"]);
        assert_eq!(way.code_of(&fourth), "ERR_TOKEN_REVOKED");
        let (fifth, _, _) = way.mint("dave");
        way.says(&["revoke", "--all"]);
        assert_eq!(way.code_of(&fifth), "ERR_TOKEN_REVOKED");
        let refused = way.ends(1, &["revoke", "--key", "nobody"], "");
        assert_eq!((&refused["error"]["code"], &refused["error"]["exit_code"]), (&json!("invalid_field"), &json!(1)));
    });
}

#[test]
fn sessions_are_listed_and_ended_one_all_or_all_but_one() {
    both_ways(|way| {
        let sub = format!("kim {}", way.arguments[0]);
        let device = ["token", "mint", "--sub", &sub, "--aud", "api", "--device", "Kim's phone"];
        let sid = way.says(&device)["sid"].as_str().expect("a session").to_owned();
        let others: Vec<(String, String, String)> = (0..3).map(|_| way.mint(&sub)).collect();
        let active = || {
            let listed = way.says(&["session", "list", "--sub", &sub, "--active"]);
            listed["items"].as_array().expect("items").clone()
        };
        assert_eq!(active().len(), 4);
        let paged = way.says(&["session", "list", "--sub", &sub, "--limit", "3"]);
        let next = paged["next"].as_str().expect("there are more");
        assert_eq!(paged["items"].as_array().map(Vec::len), Some(3));
        assert!(
            !way.says(&["session", "list", "--sub", &sub, "--after", next])["items"]
                .as_array()
                .expect("items")
                .is_empty()
        );
        let shown = way.says(&["session", "show", &sid]);
        assert_eq!((&shown["device"], &shown["active"]), (&json!("Kim's phone"), &json!(true)));
        assert!(shown["expires_at"].as_u64() < shown["ends_at"].as_u64(), "{shown}");
        let text = way.run(&["session", "list", "--sub", &sub], "").stdout;
        assert!(text.contains("Kim's phone") && text.contains("T") && text.contains("Z"), "{text}");
        way.says(&["session", "revoke", &others[0].2]);
        assert_eq!(way.code_of(&others[0].0), "ERR_TOKEN_REVOKED");
        assert_eq!(way.says(&["session", "revoke", "--sub", &sub, "--except", &sid])["ended"], 2);
        assert_eq!(active().iter().map(|session| &session["sid"]).collect::<Vec<_>>(), [&json!(sid)]);
        assert_eq!(way.says(&["session", "revoke", "--sub", &sub])["ended"], 1);
        assert!(active().is_empty());
        assert_eq!(way.ends(1, &["session", "show", "nobody"], "")["error"]["exit_code"], 1);
        assert_eq!(way.run(&["session", "revoke"], "").code, Some(2));
    });
}

#[test]
fn a_token_that_is_none_is_refused_and_not_repeated() {
    for token in ["only-one-part", "a.b", "a.b.c.d", "!!.!!.x", "bnVsbA.bnVsbA.x"] {
        let ran = alone(&["token", "inspect"], token);
        assert_eq!(ran.code, Some(2), "{token}");
        assert!(!ran.stderr.contains(token), "{}", ran.stderr);
    }
    assert_eq!(alone(&["token", "inspect"], &"a".repeat(9_000)).code, Some(2));
}

#[test]
fn what_is_no_token_is_not_said_to_be_revoked() {
    let daemon = Setup::new().set("issuer", ISSUER).start();
    let way = Way::http(&daemon);
    let (token, refresh, _) = way.mint("alice");
    let pair = json!({"access_token": token, "refresh_token": refresh}).to_string();
    let begun = |length: usize| token.get(..length).expect("ASCII");
    let (cut, half, bearer) = (begun(token.len() - 1), begun(token.len() / 2), format!("Bearer {token}"));
    let unsigned = token.rsplit_once('.').expect("three parts").0;
    for text in [&pair, cut, &bearer, unsigned, half, "a line of a log. And another. And one more"] {
        let ran = way.run(&["revoke", "--token-file", "-"], text);
        assert_eq!(ran.code, Some(2), "{text}: {}", ran.stdout);
        assert!(ran.stderr.contains("nothing was revoked") && !ran.stderr.contains(text), "{}", ran.stderr);
    }
    assert_eq!(way.ends(2, &["revoke", "--token-file", "-"], &pair)["error"]["code"], "wrong_setting");
    assert_eq!(way.ends(0, &["token", "verify", "--audience", "api"], &token)["valid"], true);
    let revoked = way.run(&["revoke", "--token-file", "-"], &format!("{token}\n"));
    assert!(revoked.stdout.starts_with("if it was a live token of this issuer it is revoked"), "{}", revoked.stdout);
    assert_eq!(way.code_of(&token), "ERR_TOKEN_REVOKED");
}

#[test]
fn a_token_is_judged_against_files_without_asking_anybody() {
    let mut daemon = Setup::new().set("issuer", ISSUER).start();
    let folder = daemon.setup().folder().to_owned();
    let file = |name: &str, path: &str| {
        fs::write(folder.join(name), daemon.client().get(path).body).expect("written");
        folder.join(name).to_str().expect("UTF-8").to_owned()
    };
    let pair = daemon.mint(json!({"sub": "alice", "aud": "api"}));
    let issued = pair.claims()["iat"].as_u64().expect("a time");
    daemon.revoke(&daemon.mint(json!({"sub": "bob", "aud": "api"})).access_token);
    let (keys, list) = (file("keys", "/.well-known/jwks.json"), file("list", "/revocations"));
    daemon.stop();
    let judge = |more: &[&str]| {
        let files = ["token", "verify", "--json", "--audience", "api", "--keys-file", &keys, "--issuer", ISSUER];
        alone(&[&files[..], more].concat(), &pair.access_token)
    };
    let (now, later) = (issued.to_string(), (issued + 901).to_string());
    let valid = judge(&["--revocations-file", &list, "--at", &now]);
    assert_eq!((valid.code, &valid.json()["valid"]), (Some(0), &json!(true)), "{}", valid.stderr);
    let stale = judge(&["--revocations-file", &list, "--at", &later]);
    assert_eq!((stale.code, &stale.json()["code"]), (Some(1), &json!("ERR_STATUS_STALE")));
    let expired = judge(&["--no-revocations", "--at", &later, "--leeway", "0"]);
    assert_eq!((expired.code, &expired.json()["code"]), (Some(1), &json!("ERR_JWT_EXPIRED")));
    let text = ran(
        Setup::new().command(&[
            "token",
            "verify",
            "--audience",
            "web",
            "--keys-file",
            &keys,
            "--issuer",
            ISSUER,
            "--no-revocations",
        ]),
        &pair.access_token,
    );
    assert_eq!((text.code, text.stdout.lines().next()), (Some(1), Some("ERR_JWT_CLAIM_VALIDATION_FAILED")));
}
