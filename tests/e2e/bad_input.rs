//! What every endpoint does with requests that are wrong: a clear 4xx with a stable code, and the daemon goes on.

use crate::endpoints::{ACTS, JSON, READS};
use countersign_tests::{Daemon, Reply, Setup};
use std::io::{BufReader, Write};

const MAX_BODY: usize = 16 * 1024;

#[test]
fn a_right_request_of_the_table_is_answered_200() {
    let daemon = Daemon::start();
    for act in &ACTS {
        let reply = act.request(&daemon, act.body).send();
        assert!(matches!(reply.status, 200 | 201), "{}: {}", act.path, reply.text());
    }
}

#[test]
fn a_wrong_method_is_answered_405_with_those_that_are_right() {
    let daemon = Daemon::start();
    for act in &ACTS {
        let allowed = match (act.path, act.options) {
            ("/v1/clients", _) => "GET, HEAD, POST",
            (_, true) => "POST, OPTIONS",
            (_, false) => "POST",
        };
        for method in ["GET", "HEAD", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "BREW", "post", "OPTIONS"] {
            if allowed.split(", ").any(|allowed| allowed == method) {
                continue;
            }
            let reply = daemon.client().request(method, act.path).send();
            assert_eq!((reply.status, reply.header("allow")), (405, Some(allowed)), "{method} {}", act.path);
        }
    }
    for (path, options) in READS {
        let allowed = if options { "GET, HEAD, OPTIONS" } else { "GET, HEAD" };
        for method in ["POST", "PUT", "DELETE", "PATCH", "BREW", "get", "OPTIONS"] {
            if method == "OPTIONS" && options {
                continue;
            }
            let reply = daemon.client().request(method, path).send();
            assert_eq!((reply.status, reply.header("allow")), (405, Some(allowed)), "{method} {path}");
            assert_eq!(reply.member("code"), "method_not_allowed");
        }
    }
}

#[test]
fn a_path_that_is_no_route_is_answered_404_for_every_method() {
    let daemon = Daemon::start();
    let paths = [
        "/nothing",
        "/v1",
        "/v1/tokens/",
        "/v1/tokens/x",
        "/v1/revocations/",
        "/oauth",
        "/OAUTH/token",
        "//oauth/token",
        "/oauth/token%20",
        "/status/",
        "/status/x",
        "/status/01",
        "/status/4294967296",
        "/status/1/2",
        "/revocations/",
        "/revocations/x",
        "/revocations/01",
        "/revocations/99999999999999999999",
        "/revocations/1/2",
        "/.well-known",
        "/www",
        "/pkg",
        "/www/../Cargo.toml",
        "/www/..%2fCargo.toml",
        "/pkg/package.json",
        "/pkg/../issuer/src/main.rs",
        "/%00",
        "/index.html",
    ];
    for path in paths {
        for method in ["GET", "POST"] {
            let reply = daemon.client().request(method, path).send();
            let of_a_folder =
                ["/www/", "/pkg/", "/revocations/", "/status/"].iter().any(|folder| path.starts_with(folder));
            let expected =
                if method == "POST" && of_a_folder { (405, "method_not_allowed") } else { (404, "not_found") };
            assert_eq!((reply.status, reply.member("code").as_str()), expected, "{method} {path}");
        }
    }
}

#[test]
fn a_wrong_content_type_is_answered_415() {
    let daemon = Daemon::start();
    for act in &ACTS {
        let wrong = [
            act.other_type,
            "text/plain",
            "",
            "multipart/form-data; boundary=x",
            &format!("{}; charset=utf-16", act.media_type),
        ];
        for content_type in wrong {
            let reply = daemon.client().post(act.path, content_type, act.body).basic(daemon.admin()).send();
            act.refused(&reply, 415, "unsupported_media_type", "invalid_request");
        }
        let none = daemon.client().request("POST", act.path).body(act.body).basic(daemon.admin()).send();
        act.refused(&none, 415, "unsupported_media_type", "invalid_request");
        let twice = act.request(&daemon, act.body).header("Content-Type", act.media_type).send();
        act.refused(&twice, 415, "unsupported_media_type", "invalid_request");
        let utf8 = daemon
            .client()
            .post(act.path, &format!("{}; charset=UTF-8", act.media_type), act.body)
            .basic(daemon.admin())
            .send();
        assert!(matches!(utf8.status, 200 | 201));
    }
}

#[test]
fn a_body_over_16_kib_is_answered_413_and_one_of_16_kib_is_read() {
    let daemon = Daemon::start();
    for act in &ACTS {
        let too_large = act.request(&daemon, vec![b'a'; MAX_BODY + 1]).send();
        act.refused(&too_large, 413, "body_too_large", "invalid_request");
        let largest = act.request(&daemon, vec![b'a'; MAX_BODY]).send();
        assert_eq!(largest.status, 400, "{}", act.path);
        let huge = act.request(&daemon, vec![b'a'; 8 << 20]).send();
        act.refused(&huge, 413, "body_too_large", "invalid_request");
    }
}

#[test]
fn an_announced_body_over_16_kib_is_refused_before_it_is_sent() {
    let daemon = Daemon::start();
    for act in &ACTS {
        let head = format!(
            "POST {} HTTP/1.1\r\nHost: x\r\nContent-Type: {}\r\nContent-Length: 1000000000\r\nExpect: 100-continue\r\n\r\n",
            act.path, act.media_type
        );
        act.refused(&raw(&daemon, &[head.as_bytes()]), 413, "body_too_large", "invalid_request");
    }
}

#[test]
fn a_chunked_body_is_counted_as_it_is_read() {
    let daemon = Daemon::start();
    for act in &ACTS {
        let head = format!(
            "POST {} HTTP/1.1\r\nHost: x\r\nContent-Type: {}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n",
            act.path, act.media_type
        );
        let chunk = [b"400\r\n".as_slice(), &[b'a'; 1024], b"\r\n"].concat();
        // It never ends: the answer comes while more could be sent.
        let mut endless = vec![head.as_bytes()];
        endless.extend(std::iter::repeat_n(chunk.as_slice(), 17));
        act.refused(&raw(&daemon, &endless), 413, "body_too_large", "invalid_request");
        let whole = [head.as_bytes(), b"1\r\na\r\n0\r\n\r\n"];
        assert!(matches!(raw(&daemon, &whole).status, 400 | 401), "a small chunked body is read");
        let broken = [head.as_bytes(), b"zz\r\n"];
        act.refused(&raw(&daemon, &broken), 400, "body_cut_off", "invalid_request");
    }
}

fn raw(daemon: &Daemon, parts: &[&[u8]]) -> Reply {
    let mut stream = daemon.client().connect();
    for part in parts {
        stream.write_all(part).expect("sent");
    }
    Reply::read(&mut BufReader::new(stream), false).expect("an answer")
}

#[test]
fn what_is_no_body_of_its_type_is_answered_400() {
    let daemon = Daemon::start();
    for act in &ACTS {
        let wrong: &[&[u8]] = if act.media_type == JSON {
            &[
                b"",
                b"{",
                b"[]",
                b"null",
                b"\"a\"",
                b"{\"sub\":\"\xff\"}",
                b"\xef\xbb\xbf{}",
                b"{\"sub\":NaN}",
                b"{}{}",
                b"{\"sub\":\"\\ud800\"}",
            ]
        } else {
            &[b"\xff=1", b"token=\xff", b"token=%ff", b"grant_type=%", b"token=%zz", b"grant_type=%c0%af"]
        };
        for body in wrong {
            act.refused(&act.request(&daemon, *body).send(), 400, "malformed_body", "invalid_request");
        }
    }
    let deep =
        format!(r#"{{"sub":"a","aud":"api","claims":{}1{}}}"#, r#"{"a":"#.repeat(5000 / 6), "}".repeat(5000 / 6));
    ACTS[0].refused(&ACTS[0].request(&daemon, deep).send(), 400, "malformed_body", "");
}

#[test]
fn parameters_in_the_query_are_refused_where_a_body_is_due_and_ignored_elsewhere() {
    let daemon = Daemon::start();
    for act in &ACTS {
        let path = format!("{}?token=x", act.path);
        let reply = daemon.client().post(&path, act.media_type, act.body).basic(daemon.admin()).send();
        act.refused(&reply, 400, "query_not_allowed", "invalid_request");
    }
    assert_eq!(daemon.client().get("/healthz?cache=no").status, 200);
}

#[test]
fn every_byte_of_a_right_request_may_be_wrong() {
    let daemon = Setup::new().set("log_level", "warn").start();
    for act in &ACTS {
        for place in 0..act.body.len() {
            for byte in [0, b'"', b'%', b'&', b'=', b'{', b'9', 0x80, 0xff] {
                let mut body = act.body.as_bytes().to_vec();
                body[place] = byte;
                let reply = act.request(&daemon, body.clone()).send();
                assert!(
                    matches!(reply.status, 200 | 201 | 400),
                    "{}: {}: {}",
                    act.path,
                    body.escape_ascii(),
                    reply.status
                );
            }
        }
    }
    assert_eq!(daemon.client().get("/readyz").status, 200);
    assert!(!daemon.log().contains("panic"), "{}", daemon.log());
}

#[test]
fn a_head_that_http_does_not_allow_is_answered_like_any_other_request() {
    let daemon = Daemon::start();
    for head in [
        "GET foo HTTP/1.1\r\nHost: x",
        "CONNECT a:1 HTTP/1.1\r\nHost: x",
        "OPTIONS a:1 HTTP/1.1\r\nHost: x",
        "POST foo HTTP/1.0",
        "GET /healthz HTTP/1.1",
        "GET /healthz HTTP/1.1\r\nHost: x\r\nHost: x",
        "GET /nothing HTTP/1.1",
    ] {
        let reply = raw(&daemon, &[head.as_bytes(), b"\r\nConnection: close\r\n\r\n"]);
        assert_eq!((reply.status, reply.member("code")), (400, "malformed_head".to_owned()), "{head}");
        assert!(reply.header("x-request-id").is_some(), "{head}");
    }
    let reply = raw(&daemon, &[b"GET /healthz HTTP/1.0\r\n\r\n"]);
    assert_eq!(reply.status, 200);
    assert!(!daemon.log().contains("panic"), "{}", daemon.log());
}

#[test]
fn who_ends_its_side_behind_a_request_gets_the_answer() {
    let daemon = Daemon::start();
    for _ in 0..20 {
        let mut stream = daemon.client().connect();
        stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n").expect("sent");
        stream.shutdown(std::net::Shutdown::Write).expect("ended");
        assert_eq!(Reply::read(&mut BufReader::new(stream), false).expect("an answer").status, 200);
    }
}

#[test]
fn what_is_no_http_is_refused_and_the_daemon_goes_on() {
    let daemon = Daemon::start();
    let requests: [&[u8]; 10] = [
        b"\0\0\0\0\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nbad header\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nhost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET / HTTP/1.1\r\nhost: x\r\nhost\x00: y\r\n\r\n",
        b"POST /oauth/token HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        b"POST /oauth/token HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        b"POST /oauth/token HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip\r\n\r\n",
    ];
    for request in requests {
        let mut stream = daemon.client().connect();
        stream.write_all(request).expect("sent");
        stream.shutdown(std::net::Shutdown::Write).expect("ended");
        if let Ok(reply) = Reply::read(&mut BufReader::new(stream), false) {
            assert!((400..500).contains(&reply.status), "{}: {}", request.escape_ascii(), reply.status);
        }
    }
    assert_eq!(daemon.client().get("/healthz").status, 200);
    assert!(!daemon.log().contains("panic"), "{}", daemon.log());
}
