//! What becomes of connections: to servers that are silent, and with statements that are not answered.

use super::*;
use crate::env::Stopwatch;
use crate::store::Sessions as _;
use crate::store::conformance::session;
use std::net::TcpListener;
use std::sync::atomic::AtomicUsize;

/// A place that takes connections and never says a word. Returns its port, and how many it has taken.
fn silent() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, taken) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&taken);
    // It lives as long as the process of the test.
    std::thread::spawn(move || {
        let taken = |_: &_| _ = counted.fetch_add(1, Ordering::SeqCst);
        listener.incoming().inspect(taken).collect::<Vec<_>>()
    });
    (port, taken)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_first_host_keeps_nobody_from_the_second_and_is_waited_for_once() {
    let name = tempfile::tempdir().unwrap();
    let (port, taken) = silent();
    let settings = settings(name.path());
    let url = settings.url.replace("@127.0.0.1:", &format!("@127.0.0.1:{port},127.0.0.1:"));
    assert_ne!(url, settings.url);
    let settings = PostgresSettings { url, timeout: Duration::from_secs(4), ..settings };
    let store = opened(settings, &name.path().join("one")).unwrap();
    store.create_session(session(1), vec![]).await.unwrap();
    for _ in 0..4 {
        assert_eq!(store.session(session(1).sid).await, Ok(Some(session(1)))); // over connections of their own
    }
    assert_eq!(taken.load(Ordering::SeqCst), 1, "the one that answers is asked first");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_that_are_given_up_leave_no_connections_behind() {
    let name = tempfile::tempdir().unwrap();
    let own = Cluster::start();
    let settings = PostgresSettings {
        url: own.schema("own"),
        timeout: Duration::from_secs(1),
        lease: Duration::from_secs(60),
        ..settings(name.path())
    };
    let store = opened(settings.clone(), &name.path().join("one")).unwrap();
    let (client, connection) = tokio_postgres::connect(&settings.url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute("BEGIN; SELECT * FROM countersign_head FOR UPDATE").await.unwrap();
    let change = tokio::spawn(store.create_session(session(1), vec![]));
    let (watch, mut most) = (Stopwatch::start(), 0);
    while watch.elapsed() < Duration::from_secs(8) {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'countersign'";
        most = most.max(own.sql(sql).parse::<usize>().unwrap()); // within a transaction it would stay the same
    }
    client.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(change.await.unwrap(), Ok(session(1)));
    // One that writes, two that read, and one that says goodbye.
    assert!(most <= 4, "{most} connections");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_of_the_role_do_not_go_for_this_daemon_and_locks_are_not_waited_for_without_one() {
    let name = tempfile::tempdir().unwrap();
    let own = Cluster::start();
    own.sql("ALTER ROLE countersign SET statement_timeout = '1ms'");
    own.sql("ALTER ROLE countersign SET lock_timeout = '1h'");
    let settings = PostgresSettings { url: own.url(), ..settings(name.path()) };
    let connector = connect::Connector::new(&settings, tokio::runtime::Handle::current()).unwrap();
    let connection = connector.connect().await.unwrap();
    for (limit, is) in [("statement_timeout", "0"), ("lock_timeout", "18s")] {
        let shown = connection.rows(&format!("SELECT current_setting('{limit}')"), &[]).await.unwrap();
        assert_eq!(shown[0].get::<_, String>(0), is, "{limit}");
    }
}
