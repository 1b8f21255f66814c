//! The same clients under TLS, and what HTTP/2 adds: its streams, its resets, its windows.

use super::streams::Feed;
use super::*;
use crate::server::Identity;
use bytes::Bytes;
use h2::client::SendRequest;
use http::{Request, Response};
use std::sync::Arc;
use tokio::sync::watch;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring::default_provider};

const ONE: &[u8] = include_bytes!("../../../../tests/e2e/certificates/one.pem");
const ONE_KEY: &[u8] = include_bytes!("../../../../tests/e2e/certificates/one.key");
const TWO: &[u8] = include_bytes!("../../../../tests/e2e/certificates/two.pem");
const TWO_KEY: &[u8] = include_bytes!("../../../../tests/e2e/certificates/two.key");

fn identity(certificate: &[u8], key: &[u8]) -> watch::Sender<Identity> {
    watch::Sender::new(Identity::parse(certificate, key, true).expect("an identity"))
}

async fn secured(limits: Limits, routes: BoxedFilter<(warp::reply::Response,)>) -> Running {
    let front = Front { tls: Some((identity(ONE, ONE_KEY).subscribe(), FAR)), ..Front::plain() };
    Running::start_behind(front, limits, routes).await
}

/// Shakes hands as a client that speaks `protocol` and trusts both certificates.
async fn shake(server: &Running, protocol: &[u8]) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    for certificate in [ONE, TWO] {
        roots.add(CertificateDer::from_pem_slice(certificate).expect("PEM")).expect("a certificate");
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    let name = ServerName::try_from("127.0.0.1").expect("a name");
    let shaken = TlsConnector::from(Arc::new(config)).connect(name, server.connect().await);
    timeout(PATIENCE, shaken).await.expect("no patience").expect("a handshake")
}

/// Opens an HTTP/2 connection; its task ends with it.
async fn http2(server: &Running) -> (SendRequest<Bytes>, JoinHandle<Result<(), h2::Error>>) {
    let (client, connection) = h2::client::handshake(shake(server, b"h2").await).await.expect("HTTP/2");
    let task = tokio::spawn(connection);
    (client.ready().await.expect("ready"), task)
}

fn get(path: &str) -> Request<()> {
    Request::get(format!("https://127.0.0.1{path}")).body(()).expect("a request")
}

async fn body(answer: Response<h2::RecvStream>) -> Vec<u8> {
    let mut body = answer.into_body();
    let mut received = Vec::new();
    while let Some(piece) = timeout(PATIENCE, body.data()).await.expect("no patience") {
        let piece = piece.expect("a piece");
        body.flow_control().release_capacity(piece.len()).expect("released");
        received.extend_from_slice(&piece);
    }
    received
}

/// Returns everything the server sends until it closes, in whichever way.
async fn rest(stream: &mut TlsStream<TcpStream>) -> Vec<u8> {
    let mut received = Vec::new();
    drop(timeout(PATIENCE, stream.read_to_end(&mut received)).await.expect("the server closes the connection"));
    received
}

#[tokio::test]
async fn both_protocols_are_answered_as_alpn_chose() {
    let server = secured(patient(), routes()).await;
    let mut one = shake(&server, b"http/1.1").await;
    one.write_all(b"GET /small HTTP/1.0\r\n\r\n").await.expect("sent");
    assert!(rest(&mut one).await.ends_with(b"small"));
    let (mut client, _connection) = http2(&server).await;
    for _ in 0..3 {
        let (answer, _) = client.send_request(get("/small"), true).expect("sent");
        let answer = timeout(PATIENCE, answer).await.expect("no patience").expect("an answer");
        assert_eq!((answer.status().as_u16(), body(answer).await), (200, b"small".to_vec()));
    }
    let (answer, _) = client.send_request(get("/huge"), true).expect("sent");
    assert_eq!(body(answer.await.expect("an answer")).await.len(), 32 << 20);
    let (answer, _) = client.send_request(get("/peer"), true).expect("sent");
    assert!(body(answer.await.expect("an answer")).await.starts_with(b"127.0.0.1:"));
}

#[tokio::test]
async fn head_is_answered_without_a_body_and_with_its_length_in_both_protocols() {
    let server = secured(patient(), routes()).await;
    let mut one = shake(&server, b"http/1.1").await;
    one.write_all(b"HEAD /huge HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.expect("sent");
    let answer = String::from_utf8(rest(&mut one).await).expect("a head alone");
    assert!(answer.contains("content-length: 33554432\r\n") && answer.ends_with("\r\n\r\n"), "{answer}");
    let (mut client, _connection) = http2(&server).await;
    for (path, length) in [("/huge", "33554432"), ("/small", "5")] {
        let request = Request::head(format!("https://127.0.0.1{path}")).body(()).expect("a request");
        let (answer, _) = client.send_request(request, true).expect("sent");
        let answer = timeout(PATIENCE, answer).await.expect("no patience").expect("an answer");
        assert_eq!(answer.headers().get("content-length").map(|length| length.as_bytes()), Some(length.as_bytes()));
        assert_eq!((answer.status().as_u16(), body(answer).await), (200, Vec::new()));
    }
}

#[tokio::test]
async fn a_target_without_a_path_reaches_the_routes_as_one_that_has_none() {
    let server = secured(patient(), routes()).await;
    for target in ["GET foo", "CONNECT a:1"] {
        let mut one = shake(&server, b"http/1.1").await;
        one.write_all(format!("{target} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await.expect("sent");
        one.write_all(b"GET /small HTTP/1.0\r\n\r\n").await.expect("sent");
        let answers = rest(&mut one).await;
        assert!(answers.starts_with(b"HTTP/1.1 404"), "{target}: {}", answers.escape_ascii());
    }
}

#[tokio::test]
async fn a_handshake_that_does_not_go_on_is_not_waited_for() {
    let front = Front { tls: Some((identity(ONE, ONE_KEY).subscribe(), SHORT)), ..Front::plain() };
    let server = Running::start_behind(front, patient(), routes()).await;
    assert_eq!(until_closed(&mut server.connect().await).await, b"");
    assert_eq!(until_closed(&mut server.send(&[0x16, 3, 1, 2, 0, 1]).await).await, b"", "half a hello");
    let told = until_closed(&mut server.send(GET).await).await;
    assert!(!told.starts_with(b"HTTP"), "{}", told.escape_ascii());
}

#[tokio::test]
async fn silence_after_the_handshake_and_half_a_head_are_not_waited_for() {
    let server = secured(Limits { header: SHORT, ..patient() }, routes()).await;
    assert_eq!(rest(&mut shake(&server, b"http/1.1").await).await, b"");
    let mut half = shake(&server, b"http/1.1").await;
    half.write_all(b"GET /small HTTP/1.1\r\nhost:").await.expect("sent");
    assert_eq!(rest(&mut half).await, b"");
    let (_client, connection) = http2(&server).await;
    drop(timeout(PATIENCE, connection).await.expect("the server closes the connection"));
}

#[tokio::test]
async fn an_idle_connection_is_closed_at_the_idle_limit() {
    let server = secured(Limits { idle: SHORT, ..patient() }, routes()).await;
    let mut one = shake(&server, b"http/1.1").await;
    one.write_all(GET).await.expect("sent");
    assert!(rest(&mut one).await.ends_with(b"small"));
    let (mut client, connection) = http2(&server).await;
    let (answer, _) = client.send_request(get("/small"), true).expect("sent");
    assert_eq!(body(answer.await.expect("an answer")).await, b"small");
    drop(timeout(PATIENCE, connection).await.expect("the server closes the connection"));
}

#[tokio::test]
async fn a_client_that_does_not_read_its_answer_is_cut_in_both_protocols() {
    let server = secured(Limits { write_stall: SHORT, ..patient() }, routes()).await;
    let mut one = shake(&server, b"http/1.1").await;
    one.write_all(b"GET /huge HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    one.read_exact(&mut [0; 12]).await.expect("the answer begins");
    // This one answers every ping and reads the connection, but gives no room to the stream.
    let (mut client, connection) = http2(&server).await;
    let (answer, _) = client.send_request(get("/huge"), true).expect("sent");
    let held = timeout(PATIENCE, answer).await.expect("no patience").expect("an answer");
    drop(timeout(PATIENCE, connection).await.expect("the server closes the connection"));
    drop(held);
    // Only the limit on a stalled write can end the first one as well.
    assert_eq!(server.stop().await, Drained::Whole);
    drop(one);
}

#[tokio::test]
async fn a_stream_comes_piece_by_piece_in_both_protocols_and_ends_when_the_daemon_stops() {
    let feed = Feed::new();
    let server = secured(patient(), feed.routes()).await;
    let mut one = shake(&server, b"http/1.1").await;
    one.write_all(b"GET /stream HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    let (mut client, _connection) = http2(&server).await;
    let (answer, _) = client.send_request(get("/stream"), true).expect("sent");
    let mut two = timeout(PATIENCE, answer).await.expect("no patience").expect("an answer").into_body();
    feed.followed_by(2).await;
    let mut received = Vec::new();
    for piece in [&b"first"[..], b"second"] {
        feed.send(piece);
        assert_eq!(timeout(PATIENCE, two.data()).await.expect("no patience").expect("a piece").expect("good"), piece);
        while !received.ends_with(piece) && !received.ends_with(&[piece, b"\r\n"].concat()) {
            assert!(timeout(PATIENCE, one.read_buf(&mut received)).await.expect("no patience").expect("read") > 0);
        }
    }
    assert_eq!(server.stop().await, Drained::Whole);
    let end = rest(&mut one).await;
    assert!(end.ends_with(b"0\r\n\r\n"), "an orderly end, not {}", end.escape_ascii());
    while let Some(piece) = timeout(PATIENCE, two.data()).await.expect("no patience") {
        assert_eq!(piece.expect("an orderly end"), b""[..], "nothing but the end of the stream");
    }
}

#[tokio::test]
async fn a_follower_that_leaves_is_let_go_in_both_protocols() {
    let feed = Feed::new();
    let server = secured(patient(), feed.routes()).await;
    let mut one = shake(&server, b"http/1.1").await;
    one.write_all(b"GET /stream HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    let (mut client, _connection) = http2(&server).await;
    let (answer, _) = client.send_request(get("/stream"), true).expect("sent");
    let two = timeout(PATIENCE, answer).await.expect("no patience").expect("an answer");
    feed.followed_by(2).await;
    drop(one);
    feed.followed_by(1).await;
    drop(two); // its stream is reset, the connection goes on
    feed.followed_by(0).await;
    let (answer, _) = client.send_request(get("/small"), true).expect("sent");
    assert_eq!(body(answer.await.expect("an answer")).await, b"small");
}

#[tokio::test]
async fn rapid_resets_end_the_connection_and_no_other() {
    let server = secured(patient(), routes()).await;
    let (mut other, _connection) = http2(&server).await;
    let (client, connection) = http2(&server).await;
    let mut reset = 0;
    let mut client = client;
    while let Ok((answer, mut stream)) = client.send_request(get("/waiting"), false) {
        stream.send_reset(h2::Reason::CANCEL);
        drop(answer);
        reset += 1;
        match timeout(PATIENCE, client.ready()).await.expect("no patience") {
            Ok(ready) => client = ready,
            Err(_) => break,
        }
        assert!(reset < 100_000, "resets without end");
        tokio::task::yield_now().await;
    }
    let ended = timeout(PATIENCE, connection).await.expect("the connection ends").expect("no panic");
    assert!(ended.is_err(), "with an error, after {reset} resets");
    let (answer, _) = other.send_request(get("/small"), true).expect("sent");
    assert_eq!(body(answer.await.expect("an answer")).await, b"small");
}

#[tokio::test]
async fn too_large_a_head_is_refused_and_streams_beyond_the_cap_wait() {
    let server = secured(Limits { max_streams: 2, max_head_fields: 20, ..patient() }, routes()).await;
    let (mut client, _connection) = http2(&server).await;
    let mut many = get("/small");
    for _ in 0..21 {
        many.headers_mut().append("a", http::HeaderValue::from_static("b"));
    }
    let (answer, _) = client.send_request(many, true).expect("sent");
    assert_eq!(answer.await.expect("an answer").status(), 431);
    let mut long = get("/small");
    long.headers_mut().insert("a", http::HeaderValue::from_str(&"b".repeat(20 * 1024)).expect("a value"));
    let (answer, _) = client.send_request(long, true).expect("sent");
    let status = answer.await.map(|answer| answer.status().as_u16());
    assert!(status.is_err() || status.as_ref().is_ok_and(|status| *status == 431), "{status:?}");
    let (answer, _) = client.send_request(get("/small"), true).expect("sent");
    assert_eq!(body(answer.await.expect("an answer")).await, b"small");
    assert_eq!(client.current_max_send_streams(), 2);
}

#[tokio::test]
async fn another_certificate_goes_for_new_connections_and_no_open_one_is_dropped() {
    let identity = identity(ONE, ONE_KEY);
    let front = Front { tls: Some((identity.subscribe(), FAR)), ..Front::plain() };
    let server = Running::start_behind(front, patient(), routes()).await;
    let mut old = shake(&server, b"http/1.1").await;
    let certificate = |stream: &TlsStream<TcpStream>| {
        stream.get_ref().1.peer_certificates().expect("certificates")[0].as_ref().to_vec()
    };
    let first = certificate(&old);
    identity.send_replace(Identity::parse(TWO, TWO_KEY, true).expect("an identity"));
    let new = shake(&server, b"http/1.1").await;
    assert_ne!(certificate(&new), first);
    old.write_all(b"GET /small HTTP/1.0\r\n\r\n").await.expect("sent");
    assert!(rest(&mut old).await.ends_with(b"small"));
}
