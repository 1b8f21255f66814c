//! TLS towards the database: whom the daemon believes to be it, and whom not.

use crate::{master_key, setup};
use countersign_tests::Cluster;
use serde_json::json;
use std::path::Path;
use std::process::Command;

/// Makes an authority and, named by it, the identity of a server at `name`; openssl is what operators have, too.
fn identity(folder: &Path, name: &str) {
    let made = Command::new("bash")
        .args(["-euc", OPENSSL, "identity", name])
        .current_dir(folder)
        .output()
        .expect("bash starts");
    assert!(made.status.success(), "openssl: {}", String::from_utf8_lossy(&made.stderr));
}

const OPENSSL: &str = r#"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.crt -days 2 \
  -subj /CN=authority -addext basicConstraints=critical,CA:TRUE
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key -out server.csr -subj /CN=server
printf 'subjectAltName=%s\nbasicConstraints=CA:FALSE\n' "$1" >server.ext
openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile server.ext -out server.crt
"#;

/// What a daemon says that is started over TLS and shall not come up, at the database of `url`, trusting the authority in `root`.
fn refused(url: &str, root: &Path) -> String {
    let (_folder, key) = master_key();
    let setup = setup(url, &key).set("store.tls", "required").set("store.tls_root_file", root.to_str().expect("UTF-8"));
    let output = setup.command(&["serve"]).output().expect("it runs");
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn the_database_proves_its_name_by_an_authority_that_the_daemon_was_told_and_nothing_less_will_do() {
    let (right, other) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    identity(right.path(), "DNS:localhost");
    identity(other.path(), "DNS:localhost");
    let root = right.path().join("ca.crt");
    let database = Cluster::speaking_tls(right.path());
    // Its certificate is for `localhost`, and not for its address.
    let by_address = database.schema("encrypted");
    let url = by_address.replace("127.0.0.1", "localhost");
    let (_folder, key) = master_key();

    let trusting =
        setup(&url, &key).set("store.tls", "required").set("store.tls_root_file", root.to_str().expect("UTF-8"));
    let mut daemon = trusting.start();
    daemon.mint(json!({"sub": "alice", "aud": "api"}));
    let encrypted = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
        WHERE application_name = 'countersign' AND NOT ssl";
    assert_eq!(database.sql(encrypted), "0", "every connection is encrypted");
    assert_ne!(database.sql(&encrypted.replace("AND NOT ssl", "")), "0");
    assert!(daemon.stop().success());

    let stranger = refused(&url, &other.path().join("ca.crt"));
    assert!(stranger.contains("UnknownIssuer") || stranger.contains("BadSignature"), "{stranger}");
    let misnamed = refused(&by_address, &root);
    assert!(misnamed.contains("not valid for name"), "{misnamed}");
    let in_the_clear = refused(&crate::fresh_schema(crate::cluster()).replace("127.0.0.1", "localhost"), &root);
    assert!(in_the_clear.contains("TLS"), "{in_the_clear}");
}

#[test]
fn requests_are_passed_on_over_tls_to_a_daemon_that_proves_where_it_is_and_to_no_other() {
    let (right, other) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    identity(right.path(), "IP:127.0.0.1");
    identity(other.path(), "IP:127.0.0.1");
    let file = |folder: &tempfile::TempDir, name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let (_folder, key) = master_key();
    let url = crate::fresh_schema(crate::cluster());
    let holder = setup(&url, &key)
        .set("tls.certificate_file", &file(&right, "server.crt"))
        .set("tls.private_key_file", &file(&right, "server.key"))
        .start();
    let in_the_clear = holder.client().request("GET", "/readyz").try_send();
    assert!(!in_the_clear.is_ok_and(|reply| reply.status == 200), "it speaks nothing but TLS");

    let trusting = setup(&url, &key).set("store.advertise_root_file", &file(&right, "ca.crt")).alongside();
    let pair = trusting.mint(json!({"sub": "alice", "aud": "api"}));
    let rotated = trusting.refresh(&pair.refresh_token);
    assert_eq!(rotated.status, 200, "{}", rotated.text());
    assert_eq!(trusting.refresh(&pair.refresh_token).body, rotated.body);
    assert_eq!(trusting.revoke(&rotated.member("refresh_token")).status, 200);
    assert_eq!(trusting.refresh(&rotated.member("refresh_token")).member("error"), "invalid_grant");

    let stranger = setup(&url, &key).set("store.advertise_root_file", &file(&other, "ca.crt")).alongside();
    let refused =
        stranger.client().json("/v1/tokens", &json!({"sub": "alice", "aud": "api"})).basic(stranger.admin()).send();
    assert_eq!((refused.status, refused.member("code")), (503, "standing_by".to_owned()), "{}", refused.text());
    let log = stranger.log();
    let told: Vec<&str> = log.lines().filter(|line| line.contains("does not answer")).collect();
    assert_eq!(told.len(), 1, "it is said once, however often it was tried: {log}");
    assert!(told.iter().all(|line| line.contains("UnknownIssuer") || line.contains("BadSignature")), "{told:?}");
}
