//! A backup under load, and a daemon that starts on what was restored.

use crate::{verifier, verify};
use countersign_tests::{Daemon, Pair, Setup};
use serde_json::json;
use std::fs;
use std::path::Path;
use std::process::Output;
use std::sync::atomic::{AtomicBool, Ordering};
use token::Rejection;
use token::error::RevokedBy;

fn minted(daemon: &Daemon) -> Pair {
    daemon.mint(json!({"sub": "u", "aud": "api"}))
}

/// Restores `from` into the data folder of `setup`, with the master key of `daemon`.
fn restore(setup: &Setup, daemon: &Daemon, from: &Path) -> Output {
    let master = daemon.setup().data_dir().join("master.key");
    let mut command = setup.command(&["restore", "--from", from.to_str().expect("UTF-8")]);
    command.env("COUNTERSIGN_MASTER_KEY_FILE", master).output().expect("it runs")
}

fn told(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// What a client that joins chunks has read of a backup.
fn unchunked(mut body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    loop {
        let end = body.windows(2).position(|pair| pair == b"\r\n").expect("a chunk");
        let length = usize::from_str_radix(std::str::from_utf8(&body[..end]).expect("ASCII"), 16).expect("a length");
        if length == 0 {
            return whole;
        }
        whole.extend_from_slice(&body[end + 2..end + 2 + length]);
        body = &body[end + 4 + length..];
    }
}

fn backup(daemon: &Daemon) -> Vec<u8> {
    let reply = daemon.client().json("/v1/backup", &json!({})).basic(daemon.admin()).send();
    assert_eq!(reply.status, 200, "{}", reply.body.escape_ascii());
    if reply.header("transfer-encoding") == Some("chunked") { unchunked(&reply.body) } else { reply.body }
}

#[test]
fn a_backup_under_load_holds_all_that_was_acknowledged_and_revokes_all_that_was_issued() {
    let daemon = Daemon::start();
    let pairs: Vec<Pair> = (0..200).map(|_| minted(&daemon)).collect();
    let ended = minted(&daemon);
    assert_eq!(daemon.revoke(&ended.refresh_token).status, 200);
    let stop = AtomicBool::new(false);
    let file = std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    daemon.refresh(&minted(&daemon).refresh_token);
                }
            });
        }
        let file = backup(&daemon);
        stop.store(true, Ordering::Relaxed);
        file
    });
    let later = minted(&daemon);
    assert_eq!(daemon.revoke(&pairs[0].refresh_token).status, 200, "ended after the backup was made");
    let from = daemon.setup().folder().join("backup");
    fs::write(&from, &file).expect("written");

    let master = daemon.setup().data_dir().join("master.key");
    let setup = Setup::new()
        .set("issuer", &daemon.url())
        .set("master_key_file", master.to_str().expect("UTF-8"))
        .set("admin_secret", daemon.admin().1);
    let output = restore(&setup, &daemon, &from);
    assert!(output.status.success() && told(&output).contains("2 keys"), "{}", told(&output));
    assert!(told(&output).contains("revokes every access token issued so far"), "{}", told(&output));
    let mut following = verifier(&daemon);
    let restored = setup.start();
    // One who has followed the daemon before takes the list of the restored one, which revokes all it has accepted.
    let list = restored.client().get("/revocations").body;
    let head =
        list.split(|byte| *byte == b'\n').next().and_then(|head| std::str::from_utf8(head).ok()).expect("a head");
    let signed = countersign_tests::claims(head)["iat"].as_u64().and_then(token::time::UnixTime::from_secs);
    let signed = signed.expect("a time");
    following.load_revocations(&list, signed).expect("a newer list");
    for pair in &pairs {
        let refused = following.verify(&pair.access_token, signed);
        assert_eq!(refused.err(), Some(Rejection::Revoked(RevokedBy::All)));
        assert_eq!(restored.refresh(&pair.refresh_token).status, 200, "sessions go on, also the one that ended since");
    }
    assert_eq!(restored.refresh(&ended.refresh_token).status, 400, "it had ended before");
    assert_eq!(restored.refresh(&later.refresh_token).status, 400, "nobody has heard of it");
    let fresh = minted(&restored);
    assert!(restored.refresh(&fresh.refresh_token).status == 200);
}

#[test]
fn a_store_that_nobody_has_open_is_backed_up_and_restored_into_an_empty_folder_only() {
    let mut daemon = Daemon::start();
    let pair = minted(&daemon);
    let out = daemon.setup().folder().join("backup");
    let arguments = ["backup", "--out", out.to_str().expect("UTF-8")];
    let running = daemon.setup().command(&arguments).output().expect("it runs");
    assert!(running.status.code() == Some(3) && told(&running).contains("/v1/backup"), "{}", told(&running));
    daemon.stop();
    let made = daemon.setup().command(&arguments).output().expect("it runs");
    assert!(made.status.success(), "{}", told(&made));
    let again = daemon.setup().command(&arguments).output().expect("it runs");
    assert!(!again.status.success(), "a file that is there is not written over");

    let whole = fs::read(&out).expect("a backup");
    let setup = Setup::new();
    for (damaged, reason) in [
        (whole[..whole.len() - 1].to_vec(), "not whole"),
        (whole[..200].to_vec(), "not whole"),
        (b"something else, and long enough to be one of the headers that a backup of countersign begins with, which it is not".to_vec(), "not a backup"),
        ([&whole[..300], &[whole[300] ^ 1], &whole[301..]].concat(), "changed"),
    ] {
        fs::write(&out, damaged).expect("written");
        let refused = restore(&setup, &daemon, &out);
        assert!(refused.status.code() == Some(1) && told(&refused).contains(reason), "{reason}: {}", told(&refused));
        assert!(!setup.data_dir().join("store").exists(), "half a store is none");
    }
    fs::write(&out, &whole).expect("written");
    let other = Setup::new();
    let mut stranger = Daemon::start();
    stranger.stop();
    let refused = restore(&other, &stranger, &out);
    assert!(told(&refused).contains("another master key"), "{}", told(&refused));
    assert!(restore(&setup, &daemon, &out).status.success());
    let twice = restore(&setup, &daemon, &out);
    assert!(twice.status.code() == Some(2) && told(&twice).contains("is not empty"), "{}", told(&twice));
    daemon.restart();
    assert_eq!(daemon.refresh(&pair.refresh_token).status, 200, "the store itself is as it was");
    assert!(verify(&daemon, &minted(&daemon).access_token).is_ok());
}

#[test]
fn a_backup_is_for_administrators() {
    let daemon = Daemon::start();
    assert_eq!(daemon.client().json("/v1/backup", &json!({})).send().member("code"), "invalid_client");
    let file = backup(&daemon);
    let secret = daemon.admin().1.as_bytes();
    assert!(file.starts_with(b"countersign backup\n") && !file.windows(secret.len()).any(|window| window == secret));
}
