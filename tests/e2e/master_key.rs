//! The master key: where it comes from, what is refused, and how it is replaced while tokens are issued.

use crate::verify;
use countersign_tests::{Daemon, Setup};
use serde_json::json;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Output;

const NEW: &str = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA\n";

fn key_file(daemon: &Daemon) -> PathBuf {
    daemon.setup().data_dir().join("master.key")
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).expect("written");
    fs::set_permissions(path, Permissions::from_mode(0o600)).expect("changed");
}

fn beside(path: &Path) -> PathBuf {
    path.with_file_name("master.key.new")
}

fn run(daemon: &Daemon, arguments: &[&str]) -> Output {
    daemon.setup().command(arguments).output().expect("it runs")
}

fn refused(daemon: &Daemon, reason: &str) {
    let output = run(daemon, &["serve"]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains(reason), "{reason} in {told}");
}

#[test]
fn it_is_replaced_under_a_running_daemon_and_a_start_in_between_finishes_it() {
    let mut daemon = Daemon::start();
    let file = key_file(&daemon);
    let old = fs::read_to_string(&file).expect("a key");
    let pair = daemon.mint(json!({"sub": "u", "aud": "api"}));
    let rewrap = |daemon: &Daemon| daemon.client().json("/v1/keys/rewrap", &json!({})).basic(daemon.admin()).send();
    assert_eq!(rewrap(&daemon).member("code"), "invalid_field", "there is no new one");
    write(&beside(&file), NEW);
    let done = rewrap(&daemon);
    assert_eq!((done.status, &done.json()["keys"], &done.json()["installed"]), (200, &json!(2), &json!(true)));
    assert_eq!(fs::read_to_string(&file).expect("a key"), NEW);
    assert!(!beside(&file).exists());
    assert!(verify(&daemon, &daemon.mint(json!({"sub": "u", "aud": "api"})).access_token).is_ok());
    daemon.kill();
    // As if the process had ended after the store was changed and before the file was.
    write(&file, &old);
    write(&beside(&file), NEW);
    daemon.restart();
    assert_eq!(fs::read_to_string(&file).expect("a key"), NEW);
    assert!(daemon.refresh(&pair.refresh_token).status == 200 && !beside(&file).exists());
    // As if it had ended before the store was changed: the one that is to follow waits.
    daemon.kill();
    write(&beside(&file), &old);
    daemon.restart();
    assert_eq!(fs::read_to_string(&file).expect("a key"), NEW);
    assert!(beside(&file).exists());
}

#[test]
fn it_is_replaced_in_a_store_that_nobody_has_open() {
    let mut daemon = Daemon::start();
    let pair = daemon.mint(json!({"sub": "u", "aud": "api"}));
    let new = daemon.setup().folder().join("new");
    write(&new, NEW);
    let arguments = ["keys", "rewrap", "--new-master-key-file", new.to_str().expect("UTF-8")];
    let running = run(&daemon, &arguments);
    assert_eq!(running.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&running.stderr).contains("/v1/keys/rewrap"));
    daemon.stop();
    let output = run(&daemon, &arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("2 keys"));
    assert_eq!(fs::read_to_string(key_file(&daemon)).expect("a key"), NEW);
    daemon.restart();
    assert_eq!(daemon.refresh(&pair.refresh_token).status, 200);
}

#[test]
fn a_file_that_is_not_what_it_must_be_stops_the_start_with_the_reason() {
    let mut daemon = Daemon::start();
    daemon.stop();
    let file = key_file(&daemon);
    let good = fs::read_to_string(&file).expect("a key");
    for (text, reason) in [
        ("", "does not hold 32 bytes"),
        (good.get(..40).expect("ASCII"), "does not hold"),
        (NEW, "does not open under"),
    ] {
        write(&file, text);
        refused(&daemon, reason);
    }
    for bit in (0..43 * 8).step_by(29) {
        let mut bytes = good.clone().into_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        fs::write(&file, bytes).expect("written");
        refused(&daemon, "master key");
    }
    write(&file, &good);
    fs::set_permissions(&file, Permissions::from_mode(0o644)).expect("changed");
    refused(&daemon, "chmod 600");
    let elsewhere = file.with_file_name("elsewhere");
    fs::rename(&file, &elsewhere).expect("moved");
    symlink(&elsewhere, &file).expect("linked");
    refused(&daemon, "symbolic link");
    fs::remove_file(&file).expect("removed");
    refused(&daemon, "is gone");
    write(&file, &good);
    daemon.restart();
}

#[test]
fn a_command_prints_it_and_one_that_does_not_stops_the_start() {
    let mut first = Daemon::start();
    first.stop();
    let key = fs::read_to_string(key_file(&first)).expect("a key");
    let file = first.setup().folder().join("kept elsewhere");
    write(&file, &key);
    fs::remove_file(key_file(&first)).expect("removed");
    let with = |command: String| {
        let mut run = first.setup().command(&["serve"]);
        run.env("COUNTERSIGN_KEYS_MASTER_KEY_COMMAND", command).output().expect("it runs")
    };
    for (command, reason) in [
        ("false".to_owned(), "failed"),
        ("/nowhere/program".to_owned(), "cannot be run"),
        ("echo short".to_owned(), "does not print 32 bytes"),
        ("yes".to_owned(), "failed"),
    ] {
        let output = with(command);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && told.contains(reason), "{reason} in {told}");
        assert!(!told.contains(key.trim_end()));
    }
    let printing = Setup::new().set("keys_master_key_command", &format!("echo {}", key.trim_end()));
    let daemon = printing.start();
    assert!(!daemon.setup().data_dir().join("master.key").exists());
    assert!(verify(&daemon, &daemon.mint(json!({"sub": "u", "aud": "api"})).access_token).is_ok());
}

#[test]
fn a_credential_of_systemd_may_be_readable_to_its_group_and_nothing_else_may() {
    let setup = Setup::new();
    let (credentials, elsewhere) = (setup.folder().join("credentials"), setup.folder().join("elsewhere"));
    for folder in [&credentials, &elsewhere] {
        fs::create_dir(folder).expect("made");
        write(&folder.join("master.key"), NEW);
    }
    let started = |folder: &Path, mode: u32, credentials: &Path| {
        let file = folder.join("master.key");
        fs::set_permissions(&file, Permissions::from_mode(mode)).expect("changed");
        let mut command = setup.command(&["key", "list"]);
        command.env("COUNTERSIGN_MASTER_KEY_FILE", file).env("CREDENTIALS_DIRECTORY", credentials);
        let output = command.output().expect("it runs");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    // A store that the key opens.
    let mut first = Setup::new().set("master_key", NEW.trim_end()).start();
    first.stop();
    fs::rename(first.setup().data_dir(), setup.data_dir()).expect("moved");
    for mode in [0o400, 0o600, 0o440, 0o640] {
        assert_eq!(started(&credentials, mode, &credentials).0, Some(0), "{mode:o}");
    }
    for (folder, mode) in [
        (&credentials, 0o444),
        (&credentials, 0o460),
        (&credentials, 0o410),
        (&credentials, 0o404),
        (&elsewhere, 0o440),
    ] {
        let (code, told) = started(folder, mode, &credentials);
        assert!(code == Some(1) && told.contains("chmod 600"), "{mode:o}: {told}");
    }
    let roundabout = credentials.join("../elsewhere");
    assert_eq!(started(&roundabout, 0o440, &credentials).0, Some(1), "it is not below the folder");
    assert_eq!(started(&credentials, 0o440, Path::new("")).0, Some(1), "there is no folder of credentials");
}
