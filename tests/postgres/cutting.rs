//! A proxy between daemon and database that cuts the connection where it hurts most.
//!
//! The server tells the end of each statement with a message `C`, its length, and the name of what was done. Where that is
//! `COMMIT`, the transaction has taken place and only its answer is lost; where it is `BEGIN`, nothing has.

use crate::promises::{held, until, work};
use crate::{SECRET, cluster, fresh_schema, master_key, setup};
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

/// Cuts one connection each time when `due` is set and the server says `word`; counts how often.
struct Proxy {
    port: u16,
    due: Arc<AtomicBool>,
    cuts: Arc<AtomicUsize>,
}

impl Proxy {
    fn start(server: u16, word: &'static [u8]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (due, cuts) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (is_due, counted) = (Arc::clone(&due), Arc::clone(&cuts));
        // It lives as long as the process of the test.
        thread::spawn(move || {
            for daemon in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else { continue };
                let (up, down) = ((clone(&daemon), clone(&server)), (server, daemon));
                thread::spawn(move || pass(up.0, &up.1, |_| false));
                let (due, cuts) = (Arc::clone(&is_due), Arc::clone(&counted));
                thread::spawn(move || {
                    pass(down.0, &down.1, |bytes| {
                        let said = bytes.windows(word.len()).any(|window| window == word);
                        let cut = said && due.swap(false, Ordering::SeqCst);
                        cuts.fetch_add(usize::from(cut), Ordering::SeqCst);
                        cut
                    });
                });
            }
        });
        Self { port, due, cuts }
    }
}

fn clone(stream: &TcpStream) -> TcpStream {
    stream.try_clone().expect("a second handle")
}

/// Passes on what comes, until either side ends or `cut` says so of something, which is then not passed on.
fn pass(mut from: TcpStream, mut to: &TcpStream, cut: impl Fn(&[u8]) -> bool) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        if cut(&buffer[..read]) || to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    drop(from.shutdown(Shutdown::Both));
    drop(to.shutdown(Shutdown::Both));
}

fn cut_at(word: &'static [u8], times: usize) {
    let url = fresh_schema(cluster());
    let proxy = Proxy::start(cluster().port(), word);
    let url = url.replace(&format!(":{}/", cluster().port()), &format!(":{}/", proxy.port));
    let (_folder, key) = master_key();
    let daemon = setup(&url, &key).start();
    let (stop, count) = (AtomicBool::new(false), AtomicUsize::new(0));
    let client = daemon.client();
    let promised: Vec<_> = thread::scope(|scope| {
        let clients: Vec<_> = (0..4).map(|_| scope.spawn(|| work(&client, SECRET, &stop, &count))).collect();
        for time in 1..=times {
            let from = count.load(Ordering::Relaxed);
            until(&clients, || count.load(Ordering::Relaxed) >= from + 20);
            proxy.due.store(true, Ordering::SeqCst);
            until(&clients, || proxy.cuts.load(Ordering::SeqCst) >= time);
        }
        stop.store(true, Ordering::Relaxed);
        clients.into_iter().map(|client| client.join().expect("no panic")).collect()
    });
    let unknown: usize = promised.iter().map(|one| one.unknown).sum();
    assert_eq!(unknown, 0, "the outcome is looked up, and the clients notice nothing: {}", daemon.log());
    held(&daemon, &promised);
}

#[test]
fn a_commit_whose_answer_is_lost_is_found_and_not_made_again() {
    cut_at(b"C\0\0\0\x0bCOMMIT\0", 15);
}

#[test]
fn a_transaction_that_was_cut_off_before_its_commit_is_made_again() {
    cut_at(b"C\0\0\0\x0aBEGIN\0", 15);
}
