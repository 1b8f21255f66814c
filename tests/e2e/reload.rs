//! SIGHUP: what can be taken over is, what cannot is named, and what is broken changes nothing.

use countersign_tests::{Daemon, Setup};
use rustix::process::Signal;
use std::fs;

/// Starts a daemon with this settings file.
fn with_file(text: &str) -> Daemon {
    let setup = Setup::new();
    let file = setup.folder().join("countersign.toml");
    fs::write(&file, text).expect("written");
    // The harness sets the level by the environment, which would win over the file.
    let file = file.to_str().expect("UTF-8").to_owned();
    setup.set("config", &file).unset("log_level").start()
}

/// Replaces the file, sends SIGHUP and waits for the line that says what came of it.
fn reload(daemon: &Daemon, text: &str, line: &str) {
    fs::write(daemon.setup().folder().join("countersign.toml"), text).expect("written");
    let before = daemon.log().matches(line).count();
    daemon.signal(Signal::HUP);
    daemon.logs(line, before);
}

fn allowed_origin(daemon: &Daemon) -> Option<String> {
    let request = daemon.client().request("OPTIONS", "/oauth/token").header("Origin", "https://app.example.com");
    request.send().header("access-control-allow-origin").map(str::to_owned)
}

#[test]
fn what_can_be_taken_over_is_and_what_cannot_is_named() {
    let daemon = with_file("log_level = \"info\"\n");
    let guess = || {
        let form = daemon.client().form("/oauth/token", &[("grant_type", "client_credentials")]);
        form.basic(("admin", "a-wrong-secret-of-some-length-0000")).header("X-Forwarded-For", "192.0.2.9").send().status
    };
    assert_eq!(allowed_origin(&daemon), None);
    assert_eq!((guess(), guess()), (401, 401));
    let text = "log_level = \"debug\"\ncors_origins = [\"https://app.example.com\"]\ntrusted_proxies = [\"127.0.0.1\"]\n\
                leeway_seconds = 30\n[rate_limits]\nfailures_per_minute = 1\n";
    reload(&daemon, text, "settings were read again");
    assert_eq!(allowed_origin(&daemon).as_deref(), Some("https://app.example.com"));
    assert_eq!((guess(), guess()), (401, 429), "one a minute now, and a new address behind the proxy");
    let log = daemon.log();
    let named = log.lines().find(|line| line.contains("need a restart")).expect("a line");
    assert!(named.contains("leeway_seconds") && !named.contains("log_level"), "{named}");
    let taken = log.lines().find(|line| line.contains("settings were read again")).expect("a line");
    for name in ["log_level", "cors_origins", "trusted_proxies", "rate_limits.failures_per_minute"] {
        assert!(taken.contains(name), "{name} in {taken}");
    }
    reload(&daemon, text, "need a restart");
}

#[test]
fn settings_that_cannot_be_used_change_nothing() {
    let daemon = with_file("cors_origins = [\"https://app.example.com\"]\n");
    for broken in ["cors_origins = 5", "cors_orgins = []", "cors_origins = [\"*\"]", "leeway_seconds = 1000", "["] {
        reload(&daemon, broken, "the settings cannot be used; those in force stay");
        assert_eq!(allowed_origin(&daemon).as_deref(), Some("https://app.example.com"), "{broken}");
    }
    fs::remove_file(daemon.setup().folder().join("countersign.toml")).expect("removed");
    daemon.signal(Signal::HUP);
    assert_eq!(allowed_origin(&daemon).as_deref(), Some("https://app.example.com"));
}
