//! The command line: each verb over a daemon that runs and over the store of one that is stopped, in text and in JSON.

use crate::tls::{certificate, secured};
use countersign_tests::{Daemon, Setup};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};

const ISSUER: &str = "https://id.example.com";

/// One command that has ended.
struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Ran {
    /// Returns the one document on standard output.
    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", self.stdout, self.stderr))
    }
}

fn ran(mut command: Command, stdin: &str) -> Ran {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it runs");
    // A command that reads nothing may be gone before this is written.
    drop(child.stdin.take().expect("a pipe").write_all(stdin.as_bytes()));
    let Output { status, stdout, stderr } = child.wait_with_output().expect("it ends");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Ran { code: status.code(), stdout: text(stdout), stderr: text(stderr) }
}

/// A way to an issuer: arguments and a secret.
struct Way<'a> {
    setup: &'a Setup,
    arguments: [String; 2],
    secret: Option<String>,
}

impl<'a> Way<'a> {
    fn http(daemon: &'a Daemon) -> Self {
        let secret = Some(daemon.admin().1.to_owned());
        Self { setup: daemon.setup(), arguments: ["--url".to_owned(), daemon.url()], secret }
    }

    fn store(daemon: &'a Daemon) -> Self {
        let folder = daemon.setup().data_dir().to_str().expect("UTF-8").to_owned();
        Self { setup: daemon.setup(), arguments: ["--data-dir".to_owned(), folder], secret: None }
    }

    fn run(&self, arguments: &[&str], stdin: &str) -> Ran {
        let mut command = self.setup.command(arguments);
        command.args(&self.arguments);
        command.envs(self.secret.iter().map(|secret| ("COUNTERSIGN_CLIENT_SECRET", secret)));
        ran(command, stdin)
    }

    /// Runs a verb with `--json` and returns its document; it must end with `code`.
    fn ends(&self, code: i32, arguments: &[&str], stdin: &str) -> Value {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
        let ran = self.run(&arguments, stdin);
        assert_eq!(ran.code, Some(code), "{arguments:?}: {}{}", ran.stdout, ran.stderr);
        ran.json()
    }

    fn says(&self, arguments: &[&str]) -> Value {
        self.ends(0, arguments, "")
    }

    fn mint(&self, sub: &str) -> (String, String, String) {
        let pair = self.says(&["token", "mint", "--sub", sub, "--aud", "api"]);
        let text = |name: &str| pair[name].as_str().expect("a text").to_owned();
        (text("access_token"), text("refresh_token"), text("sid"))
    }

    fn code_of(&self, token: &str) -> Value {
        self.ends(1, &["token", "verify", "--audience", "api"], token)["code"].clone()
    }
}

/// Runs `verbs` over a daemon, stops it, and runs them over its store.
fn both_ways(verbs: impl Fn(&Way)) {
    let mut daemon = Setup::new().set("issuer", ISSUER).set("users.enabled", "true").start();
    verbs(&Way::http(&daemon));
    assert_eq!(daemon.stop().code(), Some(0));
    verbs(&Way::store(&daemon));
    daemon.restart();
    verbs(&Way::http(&daemon));
}

fn alone(arguments: &[&str], stdin: &str) -> Ran {
    ran(Setup::new().command(arguments), stdin)
}

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
fn a_backup_is_made_whole_or_not_at_all_and_restored() {
    let turn = AtomicU8::new(0);
    both_ways(|way| {
        let number = turn.fetch_add(1, Ordering::Relaxed);
        way.mint("alice");
        let out = way.setup.folder().join(format!("backup-{number}"));
        let backup = ["backup", "--out", out.to_str().expect("UTF-8")];
        assert_eq!(way.says(&backup)["file"], backup[2]);
        let twice = way.ends(1, &backup, "");
        assert_eq!(twice["error"]["code"], "failed");
        assert!(out.exists(), "what was there stays");
        let other = Setup::new();
        let key = way.setup.data_dir().join("master.key");
        let restore = ["restore", "--json", "--from", backup[2], "--master-key-file", key.to_str().expect("UTF-8")];
        let restored = ran(other.command(&restore), "");
        assert_eq!(restored.code, Some(0), "{}", restored.stderr);
        assert!(restored.json()["restored"]["sessions"].as_u64() > Some(u64::from(number)), "{}", restored.stdout);
    });
}

#[test]
fn a_backup_that_is_refused_leaves_no_file() {
    let daemon = Daemon::start();
    let out = daemon.setup().folder().join("backup");
    let mut command = daemon.setup().command(&["backup", "--url", &daemon.url(), "--out"]);
    command.arg(&out).env("COUNTERSIGN_CLIENT_SECRET", "wrong");
    let refused = ran(command, "");
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("invalid_client") && !out.exists(), "{}", refused.stderr);
}

#[test]
fn the_master_key_is_replaced_over_a_daemon_and_over_its_store() {
    let mut daemon = Daemon::start();
    let key = |name: &str, text: &str| {
        let file = daemon.setup().data_dir().join(name);
        fs::write(&file, format!("{text}\n")).expect("written");
        fs::set_permissions(&file, Permissions::from_mode(0o600)).expect("changed");
        file.to_str().expect("UTF-8").to_owned()
    };
    let (first, second) = ("A".repeat(43), format!("{}E", "A".repeat(42)));
    let in_place = || fs::read_to_string(daemon.setup().data_dir().join("master.key")).expect("a key");
    let file = key("master.key.new", &first);
    let named = Way::http(&daemon).ends(2, &["key", "rewrap", "--new-master-key-file", &file], "");
    assert!(named["error"]["detail"].as_str().expect("a text").contains("leave out"), "{named}");
    assert_eq!(Way::http(&daemon).says(&["key", "rewrap"])["installed"], true);
    assert_eq!(in_place().trim_end(), first);
    let file = key("another", &second);
    daemon.stop();
    assert_eq!(Way::store(&daemon).ends(2, &["key", "rewrap"], "")["error"]["code"], "wrong_setting");
    Way::store(&daemon).says(&["key", "rewrap", "--new-master-key-file", &file]);
    assert_eq!(fs::read_to_string(daemon.setup().data_dir().join("master.key")).expect("a key").trim_end(), second);
    daemon.restart();
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

#[test]
fn without_a_way_the_store_is_opened_or_the_daemon_that_has_it_is_asked() {
    let mut daemon = Daemon::start();
    let listen = daemon.address().to_string();
    let run = |daemon: &Daemon, secret: Option<&str>| {
        let mut command = daemon.setup().command(&["client", "list", "--json"]);
        command.env("COUNTERSIGN_LISTEN", &listen).envs(secret.map(|secret| ("COUNTERSIGN_CLIENT_SECRET", secret)));
        ran(command, "")
    };
    let asked = run(&daemon, Some(daemon.admin().1));
    assert_eq!((asked.code, &asked.json()["items"][0]["client_id"]), (Some(0), &json!("admin")), "{}", asked.stderr);
    let nobody = run(&daemon, None);
    assert_eq!(nobody.code, Some(2));
    assert!(nobody.stderr.contains("COUNTERSIGN_CLIENT_SECRET"), "{}", nobody.stderr);
    daemon.stop();
    let opened = run(&daemon, None);
    assert_eq!((opened.code, &opened.json()["items"][0]["client_id"]), (Some(0), &json!("admin")), "{}", opened.stderr);
}

#[test]
fn a_store_that_a_daemon_has_open_is_said_to_be_in_use() {
    let daemon = Daemon::start();
    let error = Way::store(&daemon).ends(3, &["client", "list"], "")["error"].clone();
    assert_eq!(error["code"], "store_in_use");
    let detail = error["detail"].as_str().expect("a text");
    assert!(detail.contains("stop the daemon that has it open, or leave out --data-dir"), "{detail}");
}

#[test]
fn every_failure_says_what_would_do_and_ends_with_its_code() {
    let daemon = Daemon::start();
    let url = daemon.url();
    let secret = daemon.setup().folder().join("secret");
    fs::write(&secret, "wrong").expect("written");
    let secret = secret.to_str().expect("UTF-8");
    for (code, arguments, told) in [
        (1, vec!["client", "list", "--url", &url, "--client-secret-file", secret], "--client-id names the client"),
        (2, vec!["client", "list", "--url", &url], "set COUNTERSIGN_CLIENT_SECRET or --client-secret-file"),
        (
            2,
            vec!["client", "list", "--url", "http://192.0.2.1:1", "--client-secret-file", secret],
            "--allow-insecure-url",
        ),
        (2, vec!["client", "list", "--url", "here"], "such as http://127.0.0.1:8080"),
        (2, vec!["client", "list", "--url", &url, "--data-dir", "x"], "cannot be used with"),
        (2, vec!["client", "list", "--data-dir", "/nonexistent"], "`countersign serve` makes one"),
        (2, vec!["client", "lst"], "list"),
        (2, vec!["revok", "--all"], "revoke"),
        (2, vec!["revoke"], "--token-file"),
        (2, vec!["revoke", "--all", "--subject", "alice"], "cannot be used with"),
        (2, vec!["token", "mint", "--sub", "alice", "--aud", "api", "--claims", "[]"], "must be an object"),
        (2, vec!["token", "verify"], "--audience"),
        (2, vec!["token", "verify", "--any-audience", "--keys-file", secret], "--any-issuer"),
        (2, vec!["token", "inspect", "/nonexistent"], "cannot be read"),
        (2, vec!["token", "inspect"], "is empty"),
        (
            4,
            vec!["client", "list", "--url", "http://127.0.0.1:1", "--client-secret-file", secret],
            "`countersign serve` starts one",
        ),
    ] {
        let ran = ran(daemon.setup().command(&arguments), "");
        assert_eq!(ran.code, Some(code), "{arguments:?}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains(told), "{arguments:?}: {}", ran.stderr);
    }
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

#[test]
fn readiness_is_an_exit_code() {
    let mut daemon = Daemon::start();
    let ready = |daemon: &Daemon, arguments: &[&str]| {
        let mut command = daemon.setup().command(&[&["ready", "--json"], arguments].concat());
        command.env("COUNTERSIGN_LISTEN", daemon.address().to_string());
        ran(command, "")
    };
    let up = ready(&daemon, &[]);
    assert_eq!((up.code, up.json()), (Some(0), json!({"ready": true})), "{}", up.stderr);
    assert_eq!(ready(&daemon, &["--url", &daemon.url()]).code, Some(0));
    daemon.stop();
    let down = ready(&daemon, &[]);
    assert_eq!((down.code, &down.json()["reasons"][0]["code"]), (Some(1), &json!("not_reachable")));
}

#[test]
fn a_daemon_that_speaks_tls_is_asked_when_its_certificate_is_trusted() {
    let daemon = secured().start();
    let url = format!("https://{}", daemon.address());
    let trusting = |file: &str, arguments: &[&str]| {
        let mut command = daemon.setup().command(arguments);
        command.arg("--ca-file").arg(certificate(file)).env("COUNTERSIGN_CLIENT_SECRET", daemon.admin().1);
        command.env("COUNTERSIGN_LISTEN", daemon.address().to_string());
        ran(command, "")
    };
    let listed = trusting("one.pem", &["client", "list", "--json", "--url", &url]);
    assert_eq!((listed.code, &listed.json()["items"][0]["client_id"]), (Some(0), &json!("admin")), "{}", listed.stderr);
    let foreign = trusting("two.pem", &["client", "list", "--url", &url]);
    assert_eq!(foreign.code, Some(4), "{}", foreign.stderr);
    assert!(foreign.stderr.contains("certificate"), "{}", foreign.stderr);
    let none = trusting("one.key", &["client", "list", "--url", &url]);
    assert_eq!(none.code, Some(2), "{}", none.stderr);
    let other_name = format!("https://localhost:{}", daemon.address().port());
    assert_eq!(trusting("one.pem", &["client", "list", "--url", &other_name]).code, Some(4), "it is for 127.0.0.1");
    assert_eq!(trusting("one.pem", &["ready"]).code, Some(0), "where the settings say that it listens");
    assert_eq!(trusting("two.pem", &["ready"]).code, Some(1));
}

#[test]
fn what_init_makes_is_what_serve_starts_with_and_it_replaces_nothing() {
    let setup = Setup::new();
    let config = setup.folder().join("deep.toml");
    let config = config.to_str().expect("UTF-8");
    let made = ran(setup.command(&["init", "--json", "--config", config, "--issuer", ISSUER]), "");
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    assert_eq!(made.json()["data_dir"], setup.data_dir().to_str().expect("UTF-8"));
    let key = fs::read(setup.data_dir().join("master.key")).expect("a key");
    for there in ["deep.toml", "data/master.key", "data/store"] {
        let other = Setup::new();
        fs::create_dir(other.data_dir()).expect("made");
        let path = other.folder().join(there);
        if there == "data/store" {
            fs::create_dir(&path).expect("made")
        } else {
            fs::write(&path, "mine").expect("written")
        }
        let config = other.folder().join("deep.toml");
        let again = ran(other.command(&["init", "--config", config.to_str().expect("UTF-8")]), "");
        assert_eq!(again.code, Some(2), "{there}: {}", again.stdout);
        assert!(again.stderr.contains(there) && again.stderr.contains("nothing is overwritten"), "{}", again.stderr);
        assert_eq!(config.exists(), there == "deep.toml", "{there}");
        assert_eq!(other.data_dir().join("master.key").exists(), there == "data/master.key", "{there}");
    }
    let shown = ran(setup.command(&["config", "show", "--json", "--config", config]), "").json();
    let setting = |name: &str| {
        let settings = shown["settings"].as_array().expect("settings").iter();
        settings.filter(|setting| setting["name"] == name).map(|setting| setting["value"].clone()).next()
    };
    assert_eq!(setting("issuer"), Some(json!(ISSUER)));
    let setup = setup.set("config", config);
    let daemon = setup.start();
    assert_eq!(fs::read(daemon.setup().data_dir().join("master.key")).expect("a key"), key);
}

/// The names of all commands, from what their help lists and the hidden two.
fn commands() -> Vec<Vec<String>> {
    let mut found = vec![vec!["completions".to_owned()], vec!["man".to_owned()]];
    let mut open = vec![Vec::<String>::new()];
    while let Some(path) = open.pop() {
        let arguments: Vec<&str> = path.iter().map(String::as_str).chain(["--help"]).collect();
        let help = alone(&arguments, "").stdout;
        let listed = help
            .split_once(
                "Commands:
",
            )
            .map_or("", |(_, rest)| {
                rest.split(
                    "

",
                )
                .next()
                .unwrap_or("")
            });
        let names = listed.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
        let below = names.filter(|name| !name.is_empty() && *name != "help");
        open.extend(below.map(|name| path.iter().cloned().chain([name.to_owned()]).collect()));
        found.push(path);
    }
    found
}

#[test]
fn every_command_has_help_with_the_exit_codes() {
    let commands = commands();
    assert!(commands.len() > 15, "{commands:?}");
    for command in commands {
        let arguments: Vec<&str> = command.iter().map(String::as_str).chain(["--help"]).collect();
        let help = alone(&arguments, "");
        assert_eq!(help.code, Some(0), "{command:?}");
        for part in ["Usage: countersign", "--json", "Exit codes:", "  4  the daemon cannot be reached"] {
            assert!(help.stdout.contains(part), "{command:?} says {part}: {}", help.stdout);
        }
    }
}

/// Runs a tool of the system; `None` when it is not there.
fn tool(program: &str, arguments: &[&str], stdin: &str) -> Option<Ran> {
    Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().ok()?;
    let mut command = Command::new(program);
    command.args(arguments);
    Some(ran(command, stdin))
}

#[test]
fn completions_load_in_every_shell_that_is_here() {
    for (shell, program, check) in [("bash", "bash", "-n"), ("zsh", "zsh", "-n"), ("fish", "fish", "--no-execute")] {
        let script = alone(&["completions", shell], "");
        assert_eq!(script.code, Some(0));
        assert!(script.stdout.contains("countersign") && script.stdout.contains("revoke"), "{shell}");
        if let Some(loaded) = tool(program, &[check], &script.stdout) {
            assert_eq!((loaded.code, loaded.stderr.as_str()), (Some(0), ""), "{shell}");
        }
    }
    let script = alone(&["completions", "bash"], "").stdout;
    let ask =
        "COMP_WORDS=(countersign tok); COMP_CWORD=1; _countersign countersign tok countersign; echo ${COMPREPLY[0]}";
    let completed = tool(
        "bash",
        &[],
        &format!(
            "{script}
{ask}
"
        ),
    )
    .expect("bash is needed");
    assert_eq!(
        completed.stdout,
        "token
",
        "{}",
        completed.stderr
    );
}

#[test]
fn every_command_has_a_page_in_the_manual() {
    let setup = Setup::new();
    let out = setup.folder().join("man");
    let written = ran(setup.command(&["man", "--json", "--out", out.to_str().expect("UTF-8")]), "");
    assert_eq!(written.code, Some(0), "{}", written.stderr);
    let names = fs::read_dir(&out).expect("pages").map(|page| page.expect("a page").file_name().into_string());
    let pages: BTreeSet<String> = names.map(|name| name.expect("UTF-8")).collect();
    for command in commands() {
        let hidden = command.first().is_some_and(|name| name == "completions" || name == "man");
        let name = ["countersign".to_owned()].into_iter().chain(command).collect::<Vec<_>>().join("-");
        assert_eq!(pages.contains(&format!("{name}.1")), !hidden, "{name} in {pages:?}");
    }
    for page in &pages {
        let text = fs::read_to_string(out.join(page)).expect("a page");
        assert!(text.contains(".TH countersign") && text.contains(".SH SYNOPSIS"), "{page}");
        if let Some(shown) = tool("man", &["-l", out.join(page).to_str().expect("UTF-8")], "") {
            assert_eq!(shown.code, Some(0), "{page}: {}", shown.stderr);
        }
    }
}
