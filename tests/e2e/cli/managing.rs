//! What administrators manage: clients, keys, users, and the log of what they did.

use super::{both_ways, ran};
use serde_json::{Value, json};
use std::fs;
use std::sync::atomic::{AtomicU8, Ordering};

#[test]
fn clients_and_the_audit_log_are_listed_and_the_log_is_proven() {
    both_ways(|way| {
        let clients = way.says(&["client", "list"]);
        let admin = clients["items"].as_array().expect("items").iter().find(|client| client["client_id"] == "admin");
        assert_eq!(admin.expect("it is there")["administrator"], true);
        way.mint("erin");
        let events = way.says(&["audit", "list", "--sub", "erin", "--newest-first", "--limit", "1"]);
        assert_eq!(events["items"][0]["event"]["act"], "token.issued");
        assert_eq!(events["items"].as_array().map(Vec::len), Some(1));
        let whole = way.says(&["audit", "verify"]);
        assert_eq!((&whole["whole"], &whole["first"]), (&json!(true), &json!(1)));
        let newest = whole["newest"].as_str().expect("a place");
        assert_eq!(way.says(&["audit", "verify", "--noted", newest])["whole"], true);
        let other = format!("{}:{}", newest.split(':').next().expect("a number"), "A".repeat(43));
        assert_eq!(way.ends(1, &["audit", "verify", "--noted", &other], "")["whole"], false);
    });
}

#[test]
fn clients_are_made_disabled_given_another_secret_and_removed() {
    both_ways(|way| {
        let limits = ["--audience", "api", "--scope", "read", "--claim", "tenant", "--access-ttl", "60"];
        let create =
            ["client", "create", "back end/1", "--name", "Back end", "--grant", "mint", "--grant", "refresh_token"];
        let refused = way.ends(1, &[&create[..], &limits[..]].concat(), "");
        assert_eq!(refused["error"]["code"], "invalid_field", "a space is no visible character");
        let create =
            ["client", "create", "back-end/1", "--name", "Back end", "--grant", "mint", "--grant", "refresh_token"];
        let made = way.says(&[&create[..], &limits[..]].concat());
        let secret = made["client_secret"].as_str().expect("a secret").to_owned();
        assert_eq!((&made["client_id"], &made["name"]), (&json!("back-end/1"), &json!("Back end")));
        let shown = way.says(&["client", "show", "back-end/1"]);
        assert_eq!((&shown["audiences"], &shown["grants"]), (&json!(["api"]), &json!(["mint", "refresh_token"])));
        assert_eq!((&shown["access_ttl"], &shown["administrator"]), (&json!(60), &json!(false)));
        assert!(shown.get("client_secret").is_none());
        let rotated = way.says(&["client", "rotate-secret", "back-end/1", "--overlap-seconds", "0"]);
        assert_ne!(rotated["client_secret"], secret);
        assert_eq!(rotated["secrets"].as_array().map(Vec::len), Some(1));
        let early = way.ends(1, &["client", "delete", "back-end/1"], "");
        assert!(early["error"]["detail"].as_str().expect("a text").contains("disable"), "{early}");
        assert_eq!(way.says(&["client", "disable", "back-end/1"])["disabled"], true);
        assert_eq!(way.says(&["client", "enable", "back-end/1"])["disabled"], false);
        way.says(&["client", "disable", "back-end/1"]);
        assert!(way.says(&["client", "delete", "back-end/1"])["seq"].is_u64());
        let gone = way.ends(1, &["client", "show", "back-end/1"], "");
        assert_eq!(gone["error"]["exit_code"], 1);
        let random = way.says(&["client", "create", "--grant", "client_credentials"]);
        assert!(random["client_id"].as_str().expect("an id").len() > 8);
        let usage = way.run(&["client", "create", "--grant", "mnit"], "");
        assert_eq!(usage.code, Some(2));
        assert!(usage.stderr.contains("'mint'"), "{}", usage.stderr);
    });
}

#[test]
fn what_a_client_may_do_is_changed_member_by_member() {
    both_ways(|way| {
        let create =
            ["client", "create", "--grant", "mint", "--audience", "api", "--scope", "read", "--access-ttl", "60"];
        let made = way.says(&create);
        let id = made["client_id"].as_str().expect("an id");
        let change = |more: &[&str]| way.says(&[&["client", "change", id], more].concat());
        let changed = change(&[
            "--name",
            "Shop",
            "--grant",
            "mint",
            "--grant",
            "refresh_token",
            "--audience",
            "a",
            "--audience",
            "b",
        ]);
        assert_eq!((&changed["name"], &changed["grants"]), (&json!("Shop"), &json!(["mint", "refresh_token"])));
        assert_eq!((&changed["audiences"], &changed["scopes"]), (&json!(["a", "b"]), &json!(["read"])), "not named");
        assert_eq!((&changed["access_ttl"], &changed["administrator"]), (&json!(60), &json!(false)));
        let changed = change(&["--reset", "audiences", "--reset", "access_ttl", "--empty", "scopes"]);
        assert_eq!((&changed["audiences"], &changed["access_ttl"]), (&json!(null), &json!(null)), "any, and as set");
        assert_eq!((&changed["scopes"], &changed["name"]), (&json!([]), &json!("Shop")));
        assert_eq!(change(&["--administrator", "true"])["administrator"], true);
        assert_eq!(change(&["--administrator", "false"])["administrator"], false);
        let keys = way.setup.folder().join("client-keys.json");
        let jwk =
            json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kid": "k"});
        fs::write(&keys, json!({"keys": [jwk]}).to_string()).expect("written");
        let changed = change(&["--jwks-file", keys.to_str().expect("UTF-8")]);
        assert_eq!(changed["jwks"]["keys"].as_array().map(Vec::len), Some(1));
        assert_eq!(way.ends(2, &["client", "change", id], "")["error"]["exit_code"], 2, "nothing shall change");
        let twice = way.ends(2, &["client", "change", id, "--scope", "x", "--empty", "scopes"], "");
        assert!(twice["error"]["detail"].as_str().expect("a text").contains("`scopes`"), "{twice}");
        assert_eq!(way.ends(1, &["client", "change", "nobody", "--name", "x"], "")["error"]["exit_code"], 1);
        let refused = way.ends(1, &["client", "change", id, "--access-ttl", "0"], "");
        assert_eq!(refused["error"]["code"], "invalid_field");
    });
}

#[test]
fn what_a_user_is_and_may_is_changed_member_by_member() {
    both_ways(|way| {
        let made = way.says(&["user", "create", "--user-name", "Robin", "--role", "editor", "--scope", "read"]);
        let sub = made["sub"].as_str().expect("a sub");
        let change = |more: &[&str]| way.says(&[&["user", "change", sub], more].concat());
        let changed =
            change(&["--email", "robin@example.com", "--role", "owner", "--role", "editor", "--access-ttl", "60"]);
        assert_eq!((&changed["email"], &changed["user_name"]), (&json!("robin@example.com"), &json!("Robin")));
        assert_eq!((&changed["roles"], &changed["scope"]), (&json!(["owner", "editor"]), &json!("read")));
        assert_eq!(changed["access_ttl"], 60);
        let claims = way.ends(0, &["user", "change", sub, "--claims-file", "-"], r#"{"tenant":"t-1"}"#);
        assert_eq!(claims["claims"], json!({"tenant": "t-1"}));
        let changed = change(&["--empty", "roles", "--reset", "scope", "--reset", "user_name", "--must-reset", "true"]);
        assert_eq!((&changed["roles"], &changed["must_reset"]), (&json!([]), &json!(true)));
        assert_eq!((changed.get("scope"), changed.get("user_name")), (None, None));
        assert_eq!(change(&["--must-reset", "false"])["must_reset"], false);
        assert_eq!(way.ends(2, &["user", "change", sub], "")["error"]["exit_code"], 2, "nothing shall change");
        let nameless = way.ends(1, &["user", "change", sub, "--reset", "email"], "");
        assert_eq!(nameless["error"]["code"], "invalid_field");
        way.says(&["user", "delete", sub]);
    });
}

/// An Ed25519 key that nobody has, as PKCS#8 (RFC 8410 §7).
fn pkcs8() -> Vec<u8> {
    static SEED: AtomicU8 = AtomicU8::new(1);
    let head = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    let first = SEED.fetch_add(1, Ordering::Relaxed);
    head.into_iter().chain((0..32).map(|byte| byte * 7 + first)).collect()
}

#[test]
fn keys_are_listed_imported_rotated_and_withdrawn() {
    both_ways(|way| {
        let file = way.setup.folder().join("key.der");
        fs::write(&file, pkcs8()).expect("written");
        let import = ["key", "import", "--purpose", "token", file.to_str().expect("UTF-8")];
        let imported = way.says(&import);
        let kid = imported["kid"].as_str().expect("a name").to_owned();
        assert_eq!((&imported["state"], &imported["purpose"]), (&json!("next"), &json!("token")));
        let twice = way.ends(1, &import, "");
        assert_eq!(twice["error"]["code"], "invalid_field");
        assert_eq!(way.says(&["key", "rotate", "--purpose", "token"])["kid"], kid, "there is a next one");
        let listed = way.says(&["key", "list"]);
        let states: Vec<&Value> = listed["items"].as_array().expect("items").iter().map(|key| &key["state"]).collect();
        assert!(states.contains(&&json!("active")) && states.contains(&&json!("next")), "{listed}");
        assert!(way.says(&["key", "withdraw", &kid])["effective_by"].is_u64());
        let pem = token::base64url::encode(&pkcs8()).replace('-', "+").replace('_', "/");
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{pem}\n-----END PRIVATE KEY-----\n");
        let other = way.ends(0, &["key", "import", "--purpose", "revocations"], &pem);
        way.says(&["key", "withdraw", other["kid"].as_str().expect("a name")]);
    });
}

#[test]
fn users_are_made_disabled_enabled_given_a_code_and_forgotten() {
    both_ways(|way| {
        let create = ["user", "create", "--user-name", "Kim", "--email", "kim@example.com", "--role", "editor"];
        let password = ["--password-file", "-", "--must-reset"];
        let made = way.ends(0, &[&create[..], &password[..]].concat(), "a long pass phrase of Kim's\n");
        let sub = made["sub"].as_str().expect("a sub").to_owned();
        assert_eq!(
            (&made["status"], &made["has_password"], &made["must_reset"]),
            (&json!("active"), &json!(true), &json!(true))
        );
        let twice = way.ends(1, &create, "");
        assert_eq!(twice["error"]["code"], "name_taken");
        let weak = ["user", "create", "--user-name", "Lee", "--password-file", "-"];
        assert_eq!(way.ends(1, &weak, "short")["error"]["code"], "password_refused");
        let listed = way.says(&["user", "list"]);
        assert_eq!((&listed["items"][0]["sub"], &listed["items"][0]["roles"]), (&json!(sub), &json!(["editor"])));
        assert_eq!(way.says(&["user", "disable", &sub])["status"], "disabled");
        assert_eq!(way.says(&["user", "enable", &sub])["status"], "active");
        assert_eq!(way.says(&["user", "show", &sub])["email"], "kim@example.com");
        let code = way.says(&["user", "reset-code", &sub]);
        assert!(code["code"].as_str().expect("a code").len() >= 22 && code["expires_at"].is_u64(), "{code}");
        way.says(&["user", "delete", &sub]);
        assert_eq!(way.ends(1, &["user", "show", &sub], "")["error"]["exit_code"], 1);
    });
}

#[test]
fn whoever_acts_is_the_named_client_and_may_do_what_it_may() {
    both_ways(|way| {
        let made = way.says(&["client", "create", "--grant", "mint"]);
        let (id, secret) = (made["client_id"].as_str().expect("an id"), made["client_secret"].as_str().expect("one"));
        let run = |arguments: &[&str]| {
            let mut command = way.setup.command(arguments);
            command.args(&way.arguments).env("COUNTERSIGN_CLIENT_ID", id).env("COUNTERSIGN_CLIENT_SECRET", secret);
            ran(command, "")
        };
        let pair = run(&["token", "mint", "--sub", "alice", "--aud", "api", "--json"]);
        assert_eq!(pair.code, Some(0), "{}", pair.stderr);
        assert_eq!(countersign_tests::claims(pair.json()["access_token"].as_str().expect("a token"))["client_id"], id);
        let refused = run(&["client", "list"]);
        assert_eq!(refused.code, Some(1));
        assert!(
            refused.stderr.contains("unauthorized_client") && refused.stderr.contains("--client-id"),
            "{}",
            refused.stderr
        );
        way.says(&["client", "disable", id]);
        let refused = run(&["token", "mint", "--sub", "alice", "--aud", "api"]);
        assert_eq!(refused.code, Some(1));
        assert!(refused.stderr.contains("invalid_client"), "{}", refused.stderr);
        let made = way.says(&["client", "create", "--grant", "mint", "--administrator"]);
        let (id, secret) = (made["client_id"].as_str().expect("an id"), made["client_secret"].as_str().expect("one"));
        let list = || {
            let mut command = way.setup.command(&["client", "list", "--client-id", id]);
            command.args(&way.arguments).env("COUNTERSIGN_CLIENT_SECRET", secret);
            ran(command, "")
        };
        assert_eq!(list().code, Some(0));
        way.says(&["client", "disable", id]);
        let refused = list();
        assert_eq!(refused.code, Some(1), "an administrator no more");
        assert!(refused.stderr.contains("invalid_client"), "{}", refused.stderr);
    });
}
