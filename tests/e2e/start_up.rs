//! Starting: with nothing configured, with everything configured, and refused with the reason.

use countersign_tests::{Daemon, Setup};
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::{Output, Stdio};

fn run(setup: &Setup, arguments: &[&str]) -> Output {
    setup.command(arguments).stdin(Stdio::null()).output().expect("it runs")
}

/// Asserts that `serve` ends with `code` and says `reason`, and returns everything it said.
fn refused(setup: &Setup, arguments: &[&str], code: i32, reason: &str) -> String {
    let output = run(setup, arguments);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.contains(reason), "{said}");
    assert!(!String::from_utf8_lossy(&output.stdout).contains("ready"));
    said
}

fn mode(path: &std::path::Path) -> u32 {
    path.metadata().expect("there").permissions().mode() & 0o777
}

#[test]
fn with_nothing_configured_it_makes_what_it_needs_for_its_owner_alone() {
    let mut daemon = Daemon::start();
    let data = daemon.setup().data_dir();
    assert_eq!(mode(&data), 0o700);
    assert_eq!(mode(&data.join("master.key")), 0o600);
    let secret = daemon.admin().1.to_owned();
    assert!(secret.len() >= 32, "{} characters", secret.len());
    daemon.stop();
    let key = fs::read_to_string(data.join("master.key")).expect("readable");
    let made = format!("made a master key at {}", data.join("master.key").display());
    assert_eq!(daemon.log().matches(&made).count(), 1, "{}", daemon.log());
    daemon.restart();
    assert_eq!(daemon.log().matches(&made).count(), 1, "it is there, and no other is made");
    assert_eq!(daemon.admin().1, secret, "the secret is shown at the first start only; the harness kept it");
    assert_eq!(fs::read_to_string(data.join("master.key")).expect("readable"), key);
    let form = [("grant_type", "client_credentials")];
    assert_eq!(daemon.client().form("/oauth/token", &form).basic(daemon.admin()).send().status, 200);
}

#[test]
fn a_given_admin_secret_is_used_and_not_shown() {
    let secret = "development-only-0123456789abcdef";
    let setup = Setup::new().set("admin_secret", secret);
    let daemon = setup.start();
    assert_eq!(daemon.admin(), ("admin", secret));
    assert!(!daemon.log().contains(secret));
    let form = [("grant_type", "client_credentials")];
    assert_eq!(daemon.client().form("/oauth/token", &form).basic(("admin", secret)).send().status, 200);
}

#[test]
fn a_secret_or_key_of_the_wrong_form_is_refused_without_being_repeated() {
    for (name, value) in [
        ("admin_secret", "short-secret"),
        ("admin_secret", "with space-0123456789abcdef0123456789"),
        ("master_key", "AAAA"),
        ("master_key", "not base64!"),
    ] {
        let setup = Setup::new().set(name, value);
        let said = refused(&setup, &["serve"], 2, &format!("COUNTERSIGN_{}", name.to_ascii_uppercase()));
        assert!(!said.contains(value), "{said}");
    }
}

#[test]
fn a_master_key_from_the_environment_leaves_no_key_file() {
    let setup = Setup::new().set("master_key", &"A".repeat(43));
    let mut daemon = setup.start();
    assert!(!daemon.setup().data_dir().join("master.key").exists());
    daemon.stop();
    let other = Setup::new()
        .set("master_key", &format!("{}E", "A".repeat(42)))
        .set("data_dir", daemon.setup().data_dir().to_str().expect("UTF-8"));
    refused(&other, &["serve"], 1, "does not open under this master key");
    daemon.restart();
}

#[test]
fn a_master_key_file_that_is_gone_is_not_replaced() {
    let mut daemon = Daemon::start();
    daemon.stop();
    let key = daemon.setup().data_dir().join("master.key");
    fs::remove_file(&key).expect("removed");
    refused(daemon.setup(), &["serve"], 1, "is gone");
    assert!(!key.exists());
}

#[test]
fn what_others_can_read_is_refused() {
    let mut daemon = Daemon::start();
    daemon.stop();
    let data = daemon.setup().data_dir();
    fs::set_permissions(data.join("master.key"), Permissions::from_mode(0o644)).expect("changed");
    refused(daemon.setup(), &["serve"], 1, "chmod 600");
    fs::set_permissions(&data, Permissions::from_mode(0o755)).expect("changed");
    refused(daemon.setup(), &["serve"], 1, "chmod 700");
}

#[test]
fn an_issuer_that_is_plain_http_elsewhere_needs_a_setting() {
    let setup = Setup::new().set("issuer", "http://id.example.com");
    refused(&setup, &["serve"], 2, "allow_insecure_issuer");
    let daemon = setup.set("allow_insecure_issuer", "true").start();
    let document = daemon.client().get("/.well-known/oauth-authorization-server").json();
    assert_eq!(document["issuer"], "http://id.example.com");
    assert_eq!(document["token_endpoint"], "http://id.example.com/oauth/token");
}

#[test]
fn wrong_settings_are_refused_with_their_names_and_exit_code_2() {
    let setup = Setup::new();
    refused(&setup, &["serve", "--access-ttl-seconds", "0"], 2, "access_ttl_seconds is 0 but must be from 1 to 86400");
    refused(&setup, &["serve", "--acess-ttl-seconds", "1"], 2, "--access-ttl-seconds");
    refused(&setup, &["serve", "--listen", "0.0.0.0:0"], 2, "issuer must be given");
    refused(&setup, &["serve", "--config", "/nonexistent/countersign.toml"], 2, "cannot be read");
    refused(&setup, &[], 2, "Usage");
    refused(&setup, &["explode"], 2, "explode");
    let file = setup.folder().join("countersign.toml");
    fs::write(&file, "retry_windw_seconds = 3").expect("written");
    refused(&setup, &["serve", "--config", file.to_str().expect("UTF-8")], 2, "did you mean `retry_window_seconds`?");
    fs::write(&file, "retry_window_seconds = \"soon\"").expect("written");
    refused(&setup, &["serve", "--config", file.to_str().expect("UTF-8")], 2, "line 1");
    refused(&Setup::new().set("leeway_seconds", "many"), &["serve"], 2, "--leeway-seconds");
    assert!(!setup.data_dir().exists(), "nothing was written");
}

#[test]
fn an_address_in_use_is_told_with_exit_code_1() {
    let daemon = Daemon::start();
    let setup = Setup::new().set("listen", &daemon.address().to_string());
    refused(&setup, &["serve"], 1, "cannot listen on");
}

#[test]
fn a_secret_that_could_not_be_shown_is_not_that_of_the_client() {
    let setup = Setup::new();
    let full = || File::options().write(true).open("/dev/full").expect("a full device");
    for json in [&[][..], &["--json"]] {
        let mut command = setup.command(&[&["serve"], json].concat());
        let output = command.stdin(Stdio::null()).stdout(full()).output().expect("it ends");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("standard output cannot be written to"), "{said}");
    }
    let mut command = setup.command(&["serve"]);
    let mute = command.stdin(Stdio::null()).stdout(full()).stderr(full()).status().expect("it ends");
    assert_eq!(mute.code(), Some(1), "the exit code tells where nothing else can");
    let daemon = setup.start(); // it makes the client, and shows the secret
    let form = [("grant_type", "client_credentials")];
    assert_eq!(daemon.client().form("/oauth/token", &form).basic(daemon.admin()).send().status, 200);
}

#[test]
fn the_version_and_the_help_are_told() {
    let setup = Setup::new();
    let version = run(&setup, &["--version"]);
    assert_eq!((version.status.code(), version.stdout), (Some(0), b"countersign 0.1.0\n".to_vec()));
    let help = run(&setup, &["serve", "--help"]);
    let text = String::from_utf8(help.stdout).expect("UTF-8");
    assert_eq!(help.status.code(), Some(0));
    for part in ["Exit codes:", "--retry-window-seconds", "COUNTERSIGN_MASTER_KEY"] {
        assert!(text.contains(part), "{part}");
    }
}
