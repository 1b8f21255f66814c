//! The disk is full: a small one of its own under the data folder, and a file beside the store that takes all there is.

use crate::attempt::Attempt;
use countersign_tests::{Daemon, Load, Pair, claims};
use serde_json::json;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Mints before the disk must have been found full: what is claimed ahead is some hundred times smaller.
const MANY: usize = 20_000;

/// A disk of some megabytes; dropping it takes it away.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Returns none where this user may not mount anything.
    fn at(folder: &Path) -> Option<Self> {
        fs::create_dir(folder).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=24m,mode=0700", "tmpfs"]).arg(folder);
        let mounted = mount.output().is_ok_and(|output| output.status.success());
        mounted.then(|| Self(folder.to_owned()))
    }

    /// Takes everything that is left.
    fn fill(&self) {
        let mut file = File::create(self.0.join("filler")).unwrap();
        while file.write(&[1; 65_536]).is_ok_and(|taken| taken > 0) {}
    }

    fn make_room(&self) {
        fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("--lazy").arg(&self.0).output());
    }
}

fn refused(daemon: &Daemon) -> bool {
    let body = json!({"sub": "alice", "aud": "api", "roles": vec!["x".repeat(100); 30]});
    let reply = daemon.client().json("/v1/tokens", &body).basic(daemon.admin()).send();
    assert!(reply.status == 200 || reply.member("code") == "store_unavailable", "{}", reply.text());
    reply.status != 200
}

/// What must go on while the disk is full.
fn goes_on(daemon: &Daemon, sessions: &[Pair], revoked: &mut Vec<String>) {
    for path in ["/.well-known/jwks.json", "/revocations", "/healthz"] {
        assert_eq!(daemon.client().get(path).status, 200, "{path}");
    }
    let ready = daemon.client().get("/readyz");
    assert_eq!(ready.status, 503);
    assert!(ready.text().contains("disk_full"), "{}", ready.text());
    let reply = daemon.refresh(&sessions[0].refresh_token);
    assert_eq!((reply.status, reply.member("error").as_str()), (503, "temporarily_unavailable"));
    assert!(reply.header("retry-after").is_some());
    let taken_back = &sessions[1 + revoked.len()].access_token;
    assert_eq!(daemon.revoke(taken_back).status, 200, "what leaked can be taken back all the same");
    revoked.push(taken_back.clone());
    revoked.iter().for_each(|token| assert!(!is_active(daemon, token)));
}

fn is_active(daemon: &Daemon, token: &str) -> bool {
    let reply = daemon.client().form("/oauth/introspect", &[("token", token)]).basic(daemon.admin()).send();
    reply.json()["active"].as_bool().expect("an answer")
}

#[test]
fn on_a_full_disk_keys_and_lists_are_served_revocations_are_taken_it_starts_and_goes_on_once_there_is_room() {
    let setup = Load::setup();
    let Some(disk) = SmallDisk::at(&setup.data_dir()) else {
        println!("not run: this user may not mount a small disk");
        return;
    };
    let mut daemon = setup.start();
    let sessions: Vec<Pair> = (0..5).map(|_| daemon.mint(json!({"sub": "bob", "aud": "api"}))).collect();
    let mut revoked = Vec::new();
    disk.fill();
    let mints = (0..MANY).take_while(|_| !refused(&daemon)).count();
    assert!(mints > 100 && mints < MANY, "{mints} fitted into what was claimed");
    goes_on(&daemon, &sessions, &mut revoked);

    daemon.kill();
    daemon.restart();
    assert!(refused(&daemon));
    goes_on(&daemon, &sessions, &mut revoked);
    assert_eq!(daemon.stop().code(), Some(0));
    daemon.restart();
    goes_on(&daemon, &sessions, &mut revoked);

    disk.make_room();
    assert!((0..MANY).any(|_| !refused(&daemon)), "it goes on by itself");
    assert_eq!(daemon.client().get("/readyz").status, 200);
    for pair in [&sessions[0], &sessions[4]] {
        let reply = daemon.refresh(&pair.refresh_token);
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(claims(&reply.member("access_token"))["sid"], pair.sid.as_str());
    }
    revoked.iter().for_each(|token| assert!(!is_active(&daemon, token)));
    assert_eq!(daemon.stop().code(), Some(0), "{}", daemon.log());
    drop(daemon); // before its disk
}

#[test]
fn a_first_start_on_a_full_disk_ends_with_the_reason_and_the_next_one_with_room_succeeds() {
    let setup = Load::setup();
    let Some(disk) = SmallDisk::at(&setup.data_dir()) else {
        println!("not run: this user may not mount a small disk");
        return;
    };
    disk.fill();
    let mut attempt = Attempt::begin(&setup);
    assert!(attempt.ready().unwrap().is_none());
    let end = attempt.end().unwrap();
    assert!(matches!(end.status.code(), Some(1 | 3)), "{end:?}");
    assert!(end.log.contains("No space left") || end.log.contains("disk is full"), "{}", end.log);
    disk.make_room();
    let daemon = setup.start();
    daemon.mint(json!({"sub": "alice", "aud": "api"}));
    drop(daemon); // before its disk
}
