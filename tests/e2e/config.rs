//! `countersign config`: what is in force, where it comes from, and whether it can be used.

use countersign_tests::Setup;
use std::fs;
use std::process::{Output, Stdio};

fn run(setup: &Setup, arguments: &[&str]) -> Output {
    setup.command(arguments).stdin(Stdio::null()).output().expect("it runs")
}

fn shown(setup: &Setup, arguments: &[&str]) -> String {
    let output = run(setup, arguments);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn flags_win_over_the_environment_and_the_environment_over_the_file() {
    let setup = Setup::new().set("leeway_seconds", "7").set("connections.linger_seconds", "2");
    let file = setup.folder().join("countersign.toml");
    let text = "leeway_seconds = 6\nretry_window_seconds = 8\naccess_ttl_seconds = 9\n\
                [connections]\nlinger_seconds = 3\nhead_fields = 65\n";
    fs::write(&file, text).expect("written");
    let arguments = ["config", "show", "--config", file.to_str().expect("UTF-8"), "--access-ttl-seconds", "10"];
    let shown = shown(&setup, &arguments);
    for line in [
        "access_ttl_seconds = 10 # flag",
        "leeway_seconds = 7 # environment",
        "retry_window_seconds = 8 # file",
        "refresh_ttl_seconds = 604800 # default",
        "# issuer is not set",
        "[connections]",
        "linger_seconds = 2 # environment",
        "head_fields = 65 # file",
        "head_bytes = 16384 # default",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line} in\n{shown}");
    }
    assert!(!setup.data_dir().exists(), "showing writes nothing");
}

#[test]
fn showing_the_configuration_shows_no_secret() {
    let (secret, key) = ("development-only-0123456789abcdef", "A".repeat(43));
    let setup = Setup::new().set("admin_secret", secret).set("master_key", &key);
    let shown = shown(&setup, &["config", "show"]);
    assert!(shown.contains("# COUNTERSIGN_MASTER_KEY is set and not shown"), "{shown}");
    assert!(shown.contains("# COUNTERSIGN_ADMIN_SECRET is set and not shown"), "{shown}");
    assert!(!shown.contains(secret) && !shown.contains(&key), "{shown}");
}

#[test]
fn what_is_shown_is_a_file_that_makes_the_same_again() {
    let setup = Setup::new().set("connections.head_fields", "70").set("issuer", "https://id.example.com");
    let first = shown(&setup, &["config", "show"]);
    let other = Setup::new();
    let file = other.folder().join("countersign.toml");
    fs::write(&file, &first).expect("written");
    let second = shown(&other, &["config", "show", "--config", file.to_str().expect("UTF-8")]);
    let values = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| !line.starts_with("data_dir")); // each setup has its own
        lines.map(|line| line.split(" # ").next().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(values(&first), values(&second));
}

#[test]
fn checking_says_whether_the_settings_can_be_used_by_its_exit_code_and_starts_nothing() {
    let setup = Setup::new();
    assert_eq!(shown(&setup, &["config", "check"]), "the settings can be used\n");
    let file = setup.folder().join("countersign.toml");
    for (text, reason) in [
        ("[connections]\nhaed_bytes = 1", "did you mean `connections.head_bytes`?"),
        ("[connections]\nhead_bytes = 1", "connections.head_bytes is 1 but must be from 8192 to 262144"),
        ("[connections]\nhead_bytes = \"many\"", "line 2"),
        ("[conections]", "did you mean `connections`?"),
        ("refresh_ttl_seconds = 20\nsession_ttl_seconds = 10", "refresh_ttl_seconds is 20 but must be at most"),
        ("issuer = \"http://id.example.com\"", "allow_insecure_issuer"),
    ] {
        fs::write(&file, text).expect("written");
        let output = run(&setup, &["config", "check", "--config", file.to_str().expect("UTF-8")]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{text}: {said}");
        assert!(said.contains(reason), "{said}");
    }
    assert!(!setup.data_dir().exists(), "checking writes nothing");
}

#[test]
fn checking_refuses_what_a_start_refuses() {
    for (settings, reason) in [
        (&[("users.enabled", "true"), ("users.client_id", "")][..], "users.client_id must be"),
        (&[("users.enabled", "true"), ("users.password_blocklist_file", "/nonexistent")], "cannot be read"),
        (&[("master_key", "short")], "COUNTERSIGN_MASTER_KEY is not 32 bytes"),
        (&[("admin_secret", "short")], "COUNTERSIGN_ADMIN_SECRET must be"),
        (&[("telemetry.otlp_endpoint", "http://192.0.2.1:1"), ("otlp_headers", "x: y")], "in the clear"),
        (
            &[
                ("store.engine", "postgres"),
                ("store.url", "postgres://127.0.0.1:1/none"),
                ("store.password_file", "/nonexistent"),
            ],
            "cannot be read",
        ),
        (&[("issuer", "https://example.com:99999")], "a port from 1 to 65535"),
        (&[("users.reset_url", "javascript:alert(1)")], "users.reset_url must be an http or https URL"),
    ] {
        let setup = settings.iter().fold(Setup::new(), |setup, (name, value)| setup.set(name, value));
        for arguments in [&["config", "check"][..], &["serve"]] {
            let output = run(&setup, arguments);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(2), "{settings:?}: {arguments:?}: {said}");
            assert!(said.contains(reason), "{said}");
        }
    }
}

#[test]
fn the_defaults_are_printed_as_they_are_documented() {
    let documented = include_str!("../../docs/countersign.toml");
    assert_eq!(shown(&Setup::new(), &["config", "show", "--defaults"]), documented);
}
