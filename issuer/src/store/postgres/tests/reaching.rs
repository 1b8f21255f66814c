//! What becomes of connections to servers that are silent.

use super::*;
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
