//! Traces: an OpenTelemetry collector gets the spans of requests, and nothing that is secret or anybody's business.

use crate::log::exercise;
use countersign_tests::{Daemon, Setup};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use prost::Message as _;
use serde_json::json;
use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::sync::mpsc::{Receiver, channel};

/// A collector as small as can be: it takes `POST /v1/traces` and keeps head and body.
struct Collector {
    address: SocketAddr,
    taken: Receiver<(String, Vec<u8>)>,
}

impl Collector {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let (taking, taken) = channel();
        std::thread::spawn(move || {
            // It ends with the test, whose end nobody tells it.
            for stream in listener.incoming() {
                let Some(request) = stream.ok().and_then(read) else { continue };
                if taking.send(request).is_err() {
                    break;
                }
            }
        });
        Self { address, taken }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Everything it got; for when the daemon has stopped.
    fn requests(&self) -> Vec<(String, Vec<u8>)> {
        self.taken.try_iter().collect()
    }

    fn spans(&self) -> Vec<Span> {
        let requests = self.requests();
        let parsed = requests.iter().map(|(_, body)| ExportTraceServiceRequest::decode(body.as_slice()).expect("OTLP"));
        let scopes = parsed.flat_map(|request| request.resource_spans).flat_map(|spans| spans.scope_spans);
        scopes.flat_map(|scope| scope.spans).collect()
    }
}

fn read(stream: TcpStream) -> Option<(String, Vec<u8>)> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length?];
    reader.read_exact(&mut body).ok()?;
    reader.get_mut().write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").ok()?;
    Some((head, body))
}

fn traced(collector: &Collector) -> Setup {
    Setup::new().set("telemetry.otlp_endpoint", &collector.url())
}

fn text<'a>(span: &'a Span, name: &str) -> Option<&'a str> {
    let attribute = span.attributes.iter().find(|attribute| attribute.key == name)?;
    match attribute.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text),
        _ => None,
    }
}

fn mint(daemon: &Daemon) -> String {
    let reply = daemon.client().json("/v1/tokens", &json!({"sub": "alice", "aud": "api"})).basic(daemon.admin()).send();
    assert_eq!(reply.status, 200);
    reply.header("x-request-id").expect("an id").to_owned()
}

#[test]
fn a_mint_is_a_trace_from_the_request_to_the_disk() {
    let collector = Collector::start();
    let mut daemon = traced(&collector).set("telemetry.otlp_service_name", "tokens-of-a-test").start();
    let id = mint(&daemon);
    daemon.stop();
    let requests = collector.requests();
    let (head, body) = requests.first().expect("a request");
    assert!(head.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("content-type: application/x-protobuf\r\n"), "{head}");
    let first = ExportTraceServiceRequest::decode(body.as_slice()).expect("OTLP");
    let resource = first.resource_spans[0].resource.as_ref().expect("a resource");
    let of_resource = Span { attributes: resource.attributes.clone(), ..Span::default() };
    assert_eq!(text(&of_resource, "service.name"), Some("tokens-of-a-test"));
    assert_eq!(text(&of_resource, "service.version"), Some(env!("CARGO_PKG_VERSION")));

    let scopes = requests.iter().flat_map(|(_, body)| {
        let request = ExportTraceServiceRequest::decode(body.as_slice()).expect("OTLP");
        request.resource_spans.into_iter().flat_map(|spans| spans.scope_spans)
    });
    let spans: Vec<Span> = scopes.flat_map(|scope| scope.spans).collect();
    let named = |name: &str| spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("no span {name}"));
    let request = named("POST /v1/tokens");
    assert_eq!(request.kind, i32::from(SpanKind::Server));
    assert_eq!(text(request, "countersign.request"), Some(id.as_str()));
    assert_eq!(text(request, "http.route"), Some("/v1/tokens"));
    let minted = named("mint");
    assert_eq!(minted.parent_span_id, request.span_id);
    let within =
        |name: &str, parent: &Span| spans.iter().any(|span| span.name == name && span.parent_span_id == parent.span_id);
    assert!(within("authenticate", request) && within("store commit", minted));
    assert!(spans.iter().any(|span| span.name == "publication"));
}

#[test]
fn no_secret_token_subject_client_or_address_is_in_a_span() {
    let collector = Collector::start();
    let mut daemon = traced(&collector).start();
    let canaries = exercise(&daemon);
    daemon.stop();
    let requests = collector.requests();
    let sent: Vec<u8> = requests.into_iter().flat_map(|(_, body)| body).collect();
    assert!(sent.len() > 1_000, "{}", sent.len());
    let sent = String::from_utf8_lossy(&sent);
    // A token's signature or payload alone is as telling as the whole.
    let parts = canaries.iter().flat_map(|canary| canary.split('.')).filter(|part| part.len() > 6);
    for canary in parts.chain(["alice", "admin", "127.0.0.1", "canary"]) {
        assert!(!sent.contains(canary), "{canary}");
    }
}

#[test]
fn nothing_is_sent_unless_a_collector_is_named_here() {
    let collector = Collector::start();
    // What other programs would read says nothing here: settings have one name.
    let variable = format!("OTEL_EXPORTER_OTLP_ENDPOINT={}", collector.url());
    let setup = Setup::new().through(&["env", &variable]).set("telemetry.otlp_service_name", "x");
    let mut daemon = setup.start();
    mint(&daemon);
    daemon.stop();
    assert!(collector.requests().is_empty());
}

#[test]
fn a_collector_that_is_not_there_or_says_nothing_holds_nothing_up() {
    let gone = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port"); // it accepts in the kernel and nobody reads
    for (address, is_told) in [(gone, true), (silent.local_addr().expect("an address"), false)] {
        let mut daemon = Setup::new().set("telemetry.otlp_endpoint", &format!("http://{address}")).start();
        for _ in 0..20 {
            mint(&daemon);
        }
        if is_told {
            daemon.logs("the collector takes no spans", 0);
            mint(&daemon); // what is lost at the stop is not told again
        }
        assert!(daemon.stop().success());
        assert!(daemon.log().matches("the collector takes no spans").count() <= 1, "it is told once");
        daemon.restart();
        let events = daemon.client().request("GET", "/v1/audit?act=token.issued").basic(daemon.admin()).send();
        assert_eq!(
            events.json()["items"].as_array().map(Vec::len),
            Some(20 + usize::from(is_told)),
            "nothing else was lost"
        );
    }
}

#[test]
fn a_trace_is_taken_up_from_a_trusted_proxy_and_from_nobody_else() {
    let named = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    for (proxies, is_taken_up) in [("127.0.0.1", true), ("10.0.0.0/8", false)] {
        let collector = Collector::start();
        let mut daemon =
            traced(&collector).set("trusted_proxies", proxies).set("telemetry.otlp_sample_per_mille", "0").start();
        daemon.client().request("GET", "/healthz").header("traceparent", named).send();
        daemon.stop();
        let spans = collector.spans();
        let found = spans.iter().any(|span| span.parent_span_id == 0xb7ad_6b71_6920_3331_u64.to_be_bytes());
        assert_eq!(found, is_taken_up, "{proxies}");
        assert_eq!(spans.is_empty(), !is_taken_up, "none of a thousand is kept otherwise");
    }
}

#[test]
fn fields_for_the_collector_come_from_a_file_of_the_owner_and_are_not_logged() {
    let collector = Collector::start();
    let setup = traced(&collector);
    let file = setup.folder().join("fields");
    fs::write(&file, "Authorization: Bearer canary-4711\nX-Tenant: a\n").expect("written");
    fs::set_permissions(&file, Permissions::from_mode(0o644)).expect("set");
    let setup = setup.set("telemetry.otlp_headers_file", file.to_str().expect("UTF-8"));
    let refused = setup.command(&["serve"]).output().expect("it runs");
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("chmod 600"));
    fs::set_permissions(&file, Permissions::from_mode(0o600)).expect("set");
    let mut daemon = setup.start();
    mint(&daemon);
    daemon.stop();
    let (head, _) = collector.requests().remove(0);
    assert!(head.contains("authorization: Bearer canary-4711\r\n") && head.contains("x-tenant: a\r\n"), "{head}");
    assert!(!daemon.log().contains("canary-4711"));
}
