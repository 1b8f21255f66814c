//! Which issuer is asked, and what is said when none can be.

use super::{Way, ran};
use crate::tls::{certificate, secured};
use countersign_tests::{Daemon, Setup};
use serde_json::json;
use std::fs;

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
        let json = super::ran(daemon.setup().command(&[&["--json"], &arguments[..]].concat()), "");
        assert_eq!(json.code, Some(code), "{arguments:?}: {}", json.stderr);
        assert_eq!(json.json()["error"]["exit_code"], code, "{arguments:?}");
        assert!(code != 2 || json.json()["error"]["code"] == "wrong_setting", "{}", json.stdout);
    }
    let help = super::ran(daemon.setup().command(&["--json", "session", "--help"]), "");
    assert!(help.code == Some(0) && help.stdout.contains("Usage:"), "what was asked for is no failure");
}

#[test]
fn what_is_revoked_in_a_store_that_nobody_serves_is_refused_later() {
    let mut daemon = Daemon::start();
    let revoke = |daemon: &Daemon| {
        let mut command = daemon.setup().command(&["revoke", "--subject", "alice"]);
        command.env("COUNTERSIGN_LISTEN", daemon.address().to_string());
        command.env("COUNTERSIGN_CLIENT_SECRET", daemon.admin().1);
        ran(command, "").stdout
    };
    assert!(revoke(&daemon).contains("refuse it now"));
    daemon.stop();
    assert!(revoke(&daemon).contains("once the daemon runs again"));
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
fn a_daemon_that_takes_this_machine_for_a_proxy_is_asked_as_by_one() {
    let setup = || Setup::new().set("proxy_protocol", "true");
    for daemon in [setup().set("trusted_proxies", "127.0.0.1").start(), setup().start()] {
        for arguments in [&["ready"][..], &["client", "list"]] {
            let mut command = daemon.setup().command(arguments);
            command.env("COUNTERSIGN_LISTEN", daemon.address().to_string());
            command.env("COUNTERSIGN_CLIENT_SECRET", daemon.admin().1);
            let ran = ran(command, "");
            assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
        }
    }
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
fn a_daemon_that_has_the_certificate_of_the_settings_needs_no_authority() {
    let daemon = secured().start();
    let run = |change: &[(&str, &str)], arguments: &[&str]| {
        let mut command = daemon.setup().command(arguments);
        // No authorities at all, as in an image with nothing but the binary.
        command.env("COUNTERSIGN_LISTEN", daemon.address().to_string()).env("SSL_CERT_FILE", "/nonexistent");
        command.env("SSL_CERT_DIR", "/nonexistent").env("COUNTERSIGN_CLIENT_SECRET", daemon.admin().1);
        command.envs(change.iter().copied());
        ran(command, "")
    };
    for arguments in [&["ready"][..], &["client", "list"]] {
        let ran = run(&[], arguments);
        assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    }
    let elsewhere = [("COUNTERSIGN_ISSUER", "https://id.example.com")];
    assert_eq!(run(&elsewhere, &["ready"]).code, Some(0), "it need not be for the host of the issuer");
    let (other, key) = (certificate("two.pem"), certificate("two.key"));
    let other = [
        ("COUNTERSIGN_TLS_CERTIFICATE_FILE", other.to_str().expect("UTF-8")),
        ("COUNTERSIGN_TLS_PRIVATE_KEY_FILE", key.to_str().expect("UTF-8")),
    ];
    assert_eq!(run(&other, &["ready"]).code, Some(1), "whoever answers has another certificate");
    let named = run(&[], &["ready", "--url", &format!("https://{}", daemon.address())]);
    assert!(named.code == Some(1) && named.stderr.contains("no certificates of authorities"), "{}", named.stderr);
}
