//! What keeps it all: backups, the master key, and what `init` makes.

use super::{ISSUER, Way, both_ways, ran};
use countersign_tests::{Daemon, Setup};
use serde_json::json;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering};

#[test]
fn a_backup_is_made_whole_or_not_at_all_and_restored() {
    let turn = AtomicU8::new(0);
    both_ways(|way| {
        let number = turn.fetch_add(1, Ordering::Relaxed);
        way.mint("alice");
        way.says(&["user", "create", "--user-name", &format!("kim{number}")]);
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
        assert_eq!(restored.json()["restored"]["users"], number + 1, "{}", restored.stdout);
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

#[test]
fn an_init_that_fails_makes_nothing_and_can_be_tried_again() {
    let setup = Setup::new();
    let config = setup.folder().join("not there/deep.toml");
    let init = |data_dir: &Path| {
        let mut command = setup.command(&["init", "--config"]);
        command.arg(&config).env("COUNTERSIGN_DATA_DIR", data_dir);
        ran(command, "")
    };
    let data = setup.data_dir();
    assert_eq!(init(&data).code, Some(1));
    assert!(!data.join("master.key").exists(), "nothing tells of it");
    fs::create_dir(config.parent().expect("a folder")).expect("made");
    // The data folder cannot be made: what is in its place is a file.
    let file = setup.folder().join("file");
    fs::write(&file, "mine").expect("written");
    assert_eq!(init(&file.join("data")).code, Some(1));
    assert!(!config.exists(), "it would name a folder that is not there");
    let made = init(&data);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    assert!(config.exists() && data.join("master.key").exists());
}
