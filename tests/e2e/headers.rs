//! HEAD, OPTIONS, CORS, ETags, caching, and what the browser is told about the page.

use countersign_tests::{Daemon, Reply, Setup};

const PUBLIC: [&str; 4] =
    ["/.well-known/jwks.json", "/.well-known/oauth-authorization-server", "/revocations", "/status"];
const PRIVATE_READS: [&str; 3] = ["/healthz", "/readyz", "/"];

/// What must be the same in a GET and a HEAD.
fn described(reply: &Reply) -> (u16, Vec<(String, String)>) {
    let differs = |name: &str| matches!(name, "date" | "x-request-id");
    (reply.status, reply.headers.iter().filter(|(name, _)| !differs(name)).cloned().collect())
}

#[test]
fn head_is_answered_like_get_without_a_body() {
    let daemon = Daemon::start();
    for path in PUBLIC.into_iter().chain(PRIVATE_READS).chain(["/nothing", "/www/main.js"]) {
        let (get, head) = (daemon.client().get(path), daemon.client().request("HEAD", path).send());
        assert_eq!(described(&head), described(&get), "{path}");
        let length = get.body.len().to_string();
        assert_eq!(head.header("content-length"), Some(length.as_str()), "{path}");
        assert!(head.body.is_empty());
    }
}

#[test]
fn every_answer_has_a_request_id_of_its_own_and_forbids_sniffing() {
    let daemon = Daemon::start();
    let mut ids = Vec::new();
    for path in PUBLIC.into_iter().chain(PRIVATE_READS).chain(["/nothing", "/revocations/1", "/v1/tokens"]) {
        let reply = daemon.client().get(path);
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{path}");
        ids.push(reply.header("x-request-id").expect("an id").to_owned());
    }
    let log = daemon.log();
    assert!(ids.iter().all(|id| log.contains(id.as_str())), "the log names every request");
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 10);
}

#[test]
fn public_answers_may_be_read_by_every_page() {
    let daemon = Daemon::start();
    for path in PUBLIC {
        let reply = daemon.client().request("GET", path).header("Origin", "https://any.example").send();
        assert_eq!(reply.header("access-control-allow-origin"), Some("*"), "{path}");
        assert!(reply.header("access-control-expose-headers").expect("a list").contains("ETag"));
        assert!(reply.header("access-control-allow-credentials").is_none());
        let preflight = daemon.client().request("OPTIONS", path).header("Origin", "https://any.example").send();
        assert_eq!((preflight.status, preflight.header("allow")), (204, Some("GET, HEAD, OPTIONS")), "{path}");
        assert_eq!(preflight.header("access-control-allow-origin"), Some("*"));
        assert_eq!(preflight.header("access-control-allow-headers"), Some("If-None-Match, Last-Event-ID"));
        assert_eq!(preflight.header("access-control-allow-methods"), Some("GET, HEAD"));
    }
}

#[test]
fn only_listed_origins_may_call_the_token_endpoint() {
    let origins = "https://app.example.com,http://localhost:3000";
    let daemon = Setup::new().set("cors_origins", origins).start();
    for path in ["/oauth/token", "/oauth/revoke"] {
        let with = |method: &str, origin: &str| daemon.client().request(method, path).header("Origin", origin).send();
        for origin in ["https://app.example.com", "http://localhost:3000"] {
            let preflight = with("OPTIONS", origin);
            assert_eq!(
                (preflight.status, preflight.header("access-control-allow-origin")),
                (204, Some(origin)),
                "{path}"
            );
            assert_eq!(preflight.header("access-control-allow-methods"), Some("POST"));
            assert_eq!(preflight.header("access-control-allow-headers"), Some("Authorization, Content-Type"));
            assert_eq!(preflight.header("vary"), Some("Origin"));
            let refused = daemon.client().form(path, &[("token", "x")]).header("Origin", origin).send();
            assert_eq!(
                (refused.status, refused.header("access-control-allow-origin")),
                (401, Some(origin)),
                "a page can read why"
            );
        }
        for origin in [
            "https://app.example.com.evil.example",
            "https://APP.example.com",
            "null",
            "https://app.example.com:443",
            "",
        ] {
            let preflight = with("OPTIONS", origin);
            assert_eq!(
                (preflight.status, preflight.header("access-control-allow-origin")),
                (204, None),
                "{path} {origin}"
            );
            assert_eq!(preflight.header("vary"), Some("Origin"));
        }
    }
}

#[test]
fn by_default_no_other_origin_may_call_anything_that_acts() {
    let daemon = Daemon::start();
    for path in ["/oauth/token", "/oauth/revoke", "/oauth/introspect", "/v1/tokens", "/v1/revocations"] {
        let preflight = daemon.client().request("OPTIONS", path).header("Origin", "https://any.example").send();
        assert!(preflight.header("access-control-allow-origin").is_none(), "{path}");
    }
}

#[test]
fn the_list_has_an_etag_and_is_not_sent_twice() {
    let daemon = Setup::new().set("list_interval_seconds", "150").start();
    let list = daemon.client().get("/revocations");
    assert_eq!(list.header("content-type"), Some("application/vnd.countersign.revlist"));
    assert_eq!(list.header("cache-control"), Some("public, max-age=1, stale-while-revalidate=5"));
    let etag = list.header("etag").expect("an ETag").to_owned();
    let seq = etag.trim_matches('"');
    assert!(seq.bytes().all(|byte| byte.is_ascii_digit()), "{etag}");
    let kept = format!("/revocations/{seq}");
    assert_eq!(daemon.client().get(&kept).header("cache-control"), Some("public, max-age=31536000, immutable"));
    for path in ["/revocations", &kept] {
        for known in [etag.clone(), format!("W/{etag}"), format!("\"1\", {etag}"), "*".to_owned()] {
            let reply = daemon.client().request("GET", path).header("If-None-Match", &known).send();
            assert_eq!((reply.status, reply.body.len()), (304, 0), "{path} {known}");
            assert_eq!(reply.header("etag"), Some(etag.as_str()));
            assert_eq!(reply.header("cache-control"), daemon.client().get(path).header("cache-control"));
            assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
            assert!(reply.header("content-type").is_none());
        }
        let other = daemon.client().request("GET", path).header("If-None-Match", "\"1\"").send();
        assert_eq!((other.status, other.body.len()), (200, list.body.len()));
    }
    let gone = daemon.client().get("/revocations/1");
    assert_eq!((gone.status, gone.member("code").as_str()), (404, "not_found"));
}

#[test]
fn the_page_may_load_nothing_but_our_own_files() {
    let daemon = Daemon::start();
    let page = daemon.client().get("/");
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert_eq!(page.header("cache-control"), Some("no-cache"));
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(page.header("cross-origin-opener-policy"), Some("same-origin"));
    let policy = page.header("content-security-policy").expect("a policy");
    let parts: Vec<&str> = policy.split("; ").collect();
    for part in [
        "default-src 'none'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ] {
        assert!(parts.contains(&part), "{policy}");
    }
    let scripts = parts.iter().find(|part| part.starts_with("script-src ")).expect("scripts");
    let words: Vec<&str> = scripts.split(' ').collect();
    assert_eq!(words[1..3], ["'self'", "'wasm-unsafe-eval'"], "{policy}");
    assert!(words[3..].iter().all(|word| word.starts_with("'sha256-")), "{policy}");
    assert_eq!(words.len() - 3, page.text().matches("<script type=\"importmap\">").count());
    let inline = page.text().matches("<script").count() - page.text().matches("<script type=\"importmap\">").count();
    assert_eq!(
        inline,
        page.text().matches(" src=\"").count().min(inline),
        "no other inline script, which would be blocked"
    );
    assert!(page.header("access-control-allow-origin").is_none());
}

#[test]
fn files_of_the_page_and_the_package_have_their_types_and_etags() {
    let daemon = Daemon::start();
    let files = [
        ("/www/main.js", "text/javascript; charset=utf-8"),
        ("/www/mark.svg", "image/svg+xml"),
        ("/pkg/browser.js", "text/javascript; charset=utf-8"),
    ];
    for (path, media_type) in files {
        let file = daemon.client().get(path);
        assert_eq!((file.status, file.header("content-type")), (200, Some(media_type)), "{path}");
        assert_eq!(file.header("cache-control"), Some("no-cache"));
        let etag = file.header("etag").expect("an ETag");
        let again = daemon.client().request("GET", path).header("If-None-Match", etag).send();
        assert_eq!((again.status, again.header("etag")), (304, Some(etag)), "{path}");
    }
    for path in
        ["/pkg/package.json", "/pkg/index.d.ts", "/pkg/README.md", "/www/../pkg/browser.js", "/pkg/wasm/", "/www/"]
    {
        assert_eq!(daemon.client().get(path).status, 404, "{path}");
    }
}
