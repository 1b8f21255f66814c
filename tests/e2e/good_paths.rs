//! Each endpoint does what it is for.

use countersign_tests::Daemon;

#[test]
fn it_starts() {
    let daemon = Daemon::start();
    let reply = daemon.client().get("/healthz");
    assert_eq!((reply.status, reply.text()), (200, r#"{"status":"ok"}"#));
}
