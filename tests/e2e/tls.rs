//! TLS by the daemon itself: both protocols, certificates that change while it runs, and what never works.

use countersign_tests::{Daemon, Setup};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{self, ClientConfig, ClientConnection, RootCertStore, StreamOwned};

pub(crate) fn certificate(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e/certificates").join(name)
}

/// Puts the certificate `name` and its key where the daemon of `setup` looks for them.
fn install(setup: &Setup, name: &str) {
    // By renaming, as tools do that renew certificates: nobody reads half a file.
    for (kind, target) in [("pem", "tls.pem"), ("key", "tls.key")] {
        let new = setup.folder().join("new");
        fs::copy(certificate(&format!("{name}.{kind}")), &new).expect("copied");
        fs::rename(new, setup.folder().join(target)).expect("renamed");
    }
}

pub(crate) fn secured() -> Setup {
    let setup = Setup::new();
    install(&setup, "one");
    let file = |name: &str| setup.folder().join(name).to_str().expect("UTF-8").to_owned();
    let (pem, key) = (file("tls.pem"), file("tls.key"));
    setup.set("tls.certificate_file", &pem).set("tls.private_key_file", &key)
}

/// Opens a TLS connection that trusts the certificate `name` only.
fn shake(daemon: &Daemon, name: &str, versions: &[&'static rustls::SupportedProtocolVersion]) -> Tls {
    let mut roots = RootCertStore::empty();
    let pem = fs::read(certificate(&format!("{name}.pem"))).expect("a file");
    roots.add(CertificateDer::from_pem_slice(&pem).expect("PEM")).expect("a certificate");
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(versions)
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let server = ServerName::try_from("127.0.0.1").expect("a name");
    let connection = ClientConnection::new(Arc::new(config), server).expect("a client");
    StreamOwned::new(connection, daemon.client().connect())
}

type Tls = StreamOwned<ClientConnection, TcpStream>;

fn get(stream: &mut Tls, path: &str) -> std::io::Result<String> {
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes())?;
    let mut received = String::new();
    stream.read_to_string(&mut received)?;
    Ok(received)
}

#[test]
fn both_versions_of_tls_are_spoken_and_browsers_are_told_to_stay() {
    let daemon = secured().start();
    for version in [&TLS12, &TLS13] {
        let received = get(&mut shake(&daemon, "one", &[version]), "/.well-known/oauth-authorization-server");
        let received = received.expect("an answer");
        assert!(received.starts_with("HTTP/1.1 200"), "{received}");
        assert!(received.contains("strict-transport-security: max-age=31536000"), "{received}");
        assert!(received.contains(&format!("\"issuer\":\"https://{}\"", daemon.address())), "{received}");
    }
    let mut plain = daemon.client().connect();
    plain.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").expect("sent");
    let mut received = Vec::new();
    drop(plain.read_to_end(&mut received));
    assert!(!received.starts_with(b"HTTP"), "nothing is answered in the clear");
}

#[test]
fn in_the_clear_nobody_is_told_to_stay_unless_the_issuer_is_https() {
    let header =
        |daemon: &Daemon| daemon.client().get("/healthz").header("strict-transport-security").map(str::to_owned);
    assert_eq!(header(&Daemon::start()), None);
    let behind = Setup::new().set("issuer", "https://id.example.com").start();
    assert_eq!(header(&behind).as_deref(), Some("max-age=31536000"));
}

#[test]
fn a_new_certificate_is_used_without_a_restart_and_a_broken_one_is_not() {
    let daemon = secured().start();
    let mut open = shake(&daemon, "one", &[&TLS13]);
    open.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").expect("sent");
    open.read_exact(&mut [0; 15]).expect("an answer");

    install(daemon.setup(), "two");
    daemon.logs("the TLS certificate was read again", 0);
    assert!(get(&mut shake(&daemon, "two", &[&TLS13]), "/healthz").is_ok());
    assert!(get(&mut shake(&daemon, "one", &[&TLS13]), "/healthz").is_err());
    assert!(get(&mut open, "/healthz").expect("still open").contains("HTTP/1.1 200"));

    fs::write(daemon.setup().folder().join("tls.pem"), "broken").expect("written");
    daemon.logs("the TLS certificate cannot be used; the one in use stays", 0);
    assert!(get(&mut shake(&daemon, "two", &[&TLS13]), "/healthz").is_ok());
    fs::copy(certificate("one.pem"), daemon.setup().folder().join("tls.pem")).expect("copied");
    daemon.logs("cannot be used together", 0);
    assert!(get(&mut shake(&daemon, "two", &[&TLS13]), "/healthz").is_ok());
}

#[test]
fn what_cannot_be_used_is_told_at_the_start_and_by_the_check() {
    for (name, text, reason) in [
        ("tls.pem", "", "there is no certificate in it"),
        ("tls.key", "", "the private key cannot be used"),
        ("tls.key", include_str!("certificates/two.key"), "cannot be used together"),
    ] {
        let setup = secured();
        fs::write(setup.folder().join(name), text).expect("written");
        for arguments in [&["serve"][..], &["config", "check"]] {
            let output = setup.command(arguments).output().expect("it runs");
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(2), "{said}");
            assert!(said.contains(reason), "{said}");
            assert!(!said.contains("PRIVATE KEY---"), "{said}");
        }
    }
    let setup = secured();
    fs::remove_file(setup.folder().join("tls.key")).expect("removed");
    let output = setup.command(&["serve"]).output().expect("it runs");
    assert!(String::from_utf8_lossy(&output.stderr).contains("tls.key cannot be read"));
}

#[test]
fn verifiers_follow_over_tls_in_http_1_and_http_2() {
    let daemon = secured().start();
    let mut one = shake(&daemon, "one", &[&TLS13]);
    one.write_all(b"GET /revocations/events HTTP/1.1\r\nhost: x\r\n\r\n").expect("sent");
    let mut received = Vec::new();
    while !received.windows(5).any(|window| window == b"data:") {
        let mut byte = [0; 64];
        let read = one.read(&mut byte).expect("an event");
        assert!(read > 0, "{}", received.escape_ascii());
        received.extend_from_slice(&byte[..read]);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut body = http2(&daemon, "/revocations/events").await.into_body();
        let event = body.data().await.expect("an event").expect("good");
        assert!(event.windows(5).any(|window| window == b"data:"), "{}", event.escape_ascii());
    });
}

#[test]
fn a_head_that_http_does_not_allow_is_answered_over_tls_too() {
    let daemon = secured().start();
    for head in ["GET foo HTTP/1.1\r\nhost: x", "CONNECT a:1 HTTP/1.1\r\nhost: x", "GET /healthz HTTP/1.1"] {
        let mut stream = shake(&daemon, "one", &[&TLS13]);
        stream.write_all(format!("{head}\r\nconnection: close\r\n\r\n").as_bytes()).expect("sent");
        let mut received = String::new();
        stream.read_to_string(&mut received).expect("an answer");
        assert!(received.starts_with("HTTP/1.1 400 ") && received.contains("malformed_head"), "{head}: {received}");
    }
    assert!(!daemon.log().contains("panic"), "{}", daemon.log());
}

/// Sends a GET over HTTP/2; the connection goes on by itself.
async fn http2(daemon: &Daemon, path: &str) -> http::Response<h2::RecvStream> {
    let mut roots = RootCertStore::empty();
    let pem = fs::read(certificate("one.pem")).expect("a file");
    roots.add(CertificateDer::from_pem_slice(&pem).expect("PEM")).expect("a certificate");
    let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let tcp = tokio::net::TcpStream::connect(daemon.address()).await.expect("a connection");
    let name = ServerName::try_from("127.0.0.1").expect("a name");
    let tls = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, tcp).await.expect("a handshake");
    let (client, connection) = h2::client::handshake(tls).await.expect("HTTP/2");
    tokio::spawn(connection);
    let request = http::Request::get(format!("https://127.0.0.1{path}")).body(()).expect("a request");
    let (answer, _) = client.ready().await.expect("ready").send_request(request, true).expect("sent");
    let answer = answer.await.expect("an answer");
    assert_eq!(answer.status(), 200);
    answer
}
