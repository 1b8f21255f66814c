//! OAuth as its RFCs have it: who proves to be a client and how, what the metadata promises, what access tokens say, and who
//! may ask what a token is worth.

use crate::clients::{call, code, made, refused};
use countersign_tests::{Daemon, Reply, Setup, claims};
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};
use token::base64url;

const BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A client that signs, with the key that it signs with.
struct Signing {
    id: String,
    key: SigningKey,
}

impl Signing {
    fn new(daemon: &Daemon) -> Self {
        let key = SigningKey::from_bytes(&[7; 32]);
        let terms = json!({
            "grants": ["client_credentials", "mint"],
            "jwks": {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": base64url::encode(key.verifying_key().as_bytes()), "kid": "k1"}]}
        });
        let (id, secret) = made(daemon, terms);
        assert_eq!(secret, "", "who signs needs no secret");
        Self { id, key }
    }

    fn claims(&self, daemon: &Daemon, jti: &str) -> Value {
        let now = now(daemon);
        json!({"iss": self.id, "sub": self.id, "aud": daemon.url(), "exp": now + 60, "iat": now, "jti": jti})
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| base64url::encode(value.to_string().as_bytes());
        let input = format!("{}.{}", part(header), part(claims));
        let signature = self.key.sign(input.as_bytes()).to_bytes();
        format!("{input}.{}", base64url::encode(&signature))
    }
}

/// Returns the daemon's time: the tests read no clock.
fn now(daemon: &Daemon) -> u64 {
    let own =
        daemon.client().form("/oauth/token", &[("grant_type", "client_credentials")]).basic(daemon.admin()).send();
    claims(&own.member("access_token"))["iat"].as_u64().unwrap()
}

fn by(daemon: &Daemon, path: &str, assertion: &str, fields: &[(&str, &str)]) -> Reply {
    let proof = [("client_assertion_type", BEARER), ("client_assertion", assertion)];
    daemon.client().form(path, &[&proof, fields].concat()).send()
}

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

#[test]
fn a_client_proves_itself_by_a_key_at_every_oauth_endpoint_and_once_with_each_assertion() {
    let mut daemon = Daemon::start();
    let client = Signing::new(&daemon);
    let header = json!({"alg": "EdDSA"});
    let assertion = client.sign(&header, &client.claims(&daemon, "1"));
    let own = by(&daemon, "/oauth/token", &assertion, &[GRANT]);
    assert_eq!(own.status, 200, "{}", own.text());
    let token = own.member("access_token");
    assert_eq!(claims(&token)["client_id"], client.id.as_str());
    assert_eq!(code(&by(&daemon, "/oauth/token", &assertion, &[GRANT])), refused(401, "invalid_client"));
    let mut at_endpoint = client.claims(&daemon, "2");
    at_endpoint["aud"] = json!([format!("{}/oauth/token", daemon.url())]);
    let named = json!({"alg": "Ed25519", "typ": "JWT", "kid": "k1"});
    let assertion = client.sign(&named, &at_endpoint);
    let fields = [("token", token.as_str()), ("client_id", client.id.as_str())];
    assert_eq!(by(&daemon, "/oauth/introspect", &assertion, &fields).json()["active"], true);
    daemon.stop();
    daemon.restart();
    assert_eq!(
        code(&by(&daemon, "/oauth/introspect", &assertion, &fields)),
        refused(401, "invalid_client"),
        "restarted"
    );
    let last = client.sign(&header, &client.claims(&daemon, "3"));
    assert_eq!(by(&daemon, "/oauth/revoke", &last, &[("token", &token)]).status, 200);
    assert!(crate::verify(&daemon, &token).is_err());
}

#[test]
fn an_assertion_that_is_anything_else_proves_nobody() {
    let daemon = Daemon::start();
    let client = Signing::new(&daemon);
    let good = json!({"alg": "EdDSA"});
    let with = |name: &str, value: Value| {
        let mut claims = client.claims(&daemon, "x");
        claims[name] = value;
        claims
    };
    let now = now(&daemon);
    let stranger = Signing { id: client.id.clone(), key: SigningKey::from_bytes(&[8; 32]) };
    let nobody = Signing { id: "nobody".to_owned(), key: client.key.clone() };
    let mut wrong = vec![
        client.sign(&good, &with("aud", json!("https://elsewhere.example"))),
        client.sign(&good, &with("aud", json!(format!("{}/", daemon.url())))),
        client.sign(&good, &with("aud", json!([daemon.url(), "https://elsewhere.example"]))),
        client.sign(&good, &with("exp", json!(now - 1))),
        client.sign(&good, &with("exp", json!(now + 400))),
        client.sign(&good, &with("exp", json!(null))),
        client.sign(&good, &with("nbf", json!(now + 60))),
        client.sign(&good, &with("iat", json!(now + 60))),
        client.sign(&good, &with("iss", json!("admin"))),
        client.sign(&good, &with("sub", json!("admin"))),
        client.sign(&good, &with("jti", json!(""))),
        client.sign(&json!({"alg": "EdDSA", "kid": "k2"}), &client.claims(&daemon, "x")),
        client.sign(&json!({"alg": "EdDSA", "typ": "at+jwt"}), &client.claims(&daemon, "x")),
        client.sign(&json!({"alg": "EdDSA", "crit": []}), &client.claims(&daemon, "x")),
        client.sign(&json!({"alg": "none"}), &client.claims(&daemon, "x")),
        stranger.sign(&good, &client.claims(&daemon, "x")),
        nobody.sign(&good, &nobody.claims(&daemon, "x")),
        "x".to_owned(),
        "a.b.c".to_owned(),
        "x".repeat(9000),
    ];
    let right = client.sign(&good, &client.claims(&daemon, "x"));
    wrong.push(format!("{right}A"));
    wrong.push(right.replace('.', ".."));
    let mut answers = Vec::new();
    for assertion in &wrong {
        let reply = by(&daemon, "/oauth/token", assertion, &[GRANT]);
        assert_eq!(code(&reply), refused(401, "invalid_client"), "{assertion}");
        answers.push(reply.text().to_owned());
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "all of them read the same");
    assert_eq!(
        code(&by(&daemon, "/oauth/token", &right, &[GRANT, ("client_id", "admin")])),
        refused(401, "invalid_client")
    );
    let twice = by(&daemon, "/oauth/token", &right, &[GRANT, ("client_secret", "x")]);
    assert_eq!(code(&twice), refused(400, "invalid_request"));
    let only = daemon.client().form("/oauth/token", &[GRANT, ("client_assertion", &right)]).send();
    assert_eq!(code(&only), refused(400, "invalid_request"));
    let other = [GRANT, ("client_assertion", right.as_str()), ("client_assertion_type", "urn:other")];
    assert_eq!(code(&daemon.client().form("/oauth/token", &other).send()), refused(400, "invalid_request"));
    assert_eq!(by(&daemon, "/oauth/token", &right, &[GRANT]).status, 200, "none of it used the assertion up");
    let later = client.sign(&good, &client.claims(&daemon, "y"));
    call(&daemon, "PATCH", &format!("/v1/clients/{}", client.id), &json!({"disabled": true}));
    assert_eq!(code(&by(&daemon, "/oauth/token", &later, &[GRANT])), refused(401, "invalid_client"));
}

#[test]
fn a_client_that_signs_wrong_uses_up_no_attempts_of_another_one() {
    let daemon = Setup::new().set("rate_limits.failures_per_minute", "3").start();
    let (one, other) = (Signing::new(&daemon), Signing::new(&daemon));
    let header = json!({"alg": "EdDSA", "kid": "k1"});
    let mut wrong = one.claims(&daemon, "1");
    wrong["aud"] = json!("https://elsewhere.example");
    let told: Vec<u16> =
        (0..5).map(|_| by(&daemon, "/oauth/token", &one.sign(&header, &wrong), &[GRANT]).status).collect();
    assert_eq!(told, [401, 401, 401, 429, 429]);
    let right = other.sign(&header, &other.claims(&daemon, "1"));
    assert_eq!(by(&daemon, "/oauth/token", &right, &[GRANT]).status, 200);
}

#[test]
fn the_metadata_promises_what_is_there_and_nothing_else() {
    let daemon = Daemon::start();
    let metadata = daemon.client().get("/.well-known/oauth-authorization-server").json();
    assert_eq!(metadata["issuer"], daemon.url());
    let grants: Vec<&str> =
        metadata["grant_types_supported"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let offered = |grant: &str| {
        let reply = daemon.client().form("/oauth/token", &[("grant_type", grant)]).basic(daemon.admin()).send();
        code(&reply).1 != "unsupported_grant_type"
    };
    for grant in [
        "client_credentials",
        "refresh_token",
        "urn:ietf:params:oauth:grant-type:token-exchange",
        "password",
        "authorization_code",
        "implicit",
        "urn:ietf:params:oauth:grant-type:device_code",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
    ] {
        assert_eq!(offered(grant), grants.contains(&grant), "{grant}");
    }
    let client = Signing::new(&daemon);
    let (id, secret) = daemon.admin();
    for (path, name) in
        [("/oauth/token", "token"), ("/oauth/revoke", "revocation"), ("/oauth/introspect", "introspection")]
    {
        assert_eq!(metadata[format!("{name}_endpoint")], format!("{}{path}", daemon.url()));
        let methods = &metadata[format!("{name}_endpoint_auth_methods_supported")];
        assert_eq!(methods, &json!(["client_secret_basic", "client_secret_post", "private_key_jwt"]), "{name}");
        let fields = if path == "/oauth/token" { GRANT } else { ("token", "x") };
        let basic = daemon.client().form(path, &[fields]).basic((id, secret)).send();
        let post = daemon.client().form(path, &[fields, ("client_id", id), ("client_secret", secret)]).send();
        assert_eq!((basic.status, post.status), (200, 200), "{name}");
        let algorithms =
            metadata[format!("{name}_endpoint_auth_signing_alg_values_supported")].as_array().unwrap().clone();
        assert_eq!(algorithms.len(), 2);
        for algorithm in algorithms {
            let assertion = client.claims(&daemon, &format!("{name} {algorithm}"));
            let assertion = client.sign(&json!({"alg": algorithm}), &assertion);
            assert_eq!(by(&daemon, path, &assertion, &[fields]).status, 200, "{name} {algorithm}");
        }
    }
    assert_eq!(metadata["response_types_supported"], json!([]));
    assert!(
        metadata.get("authorization_endpoint").is_none() && metadata.get("code_challenge_methods_supported").is_none()
    );
}

#[test]
fn an_access_token_says_all_that_its_profile_asks() {
    let daemon = Daemon::start();
    let pair = daemon.mint(json!({"sub": "alice", "aud": "api", "scope": "r", "auth_time": 1}));
    let own = daemon.client().form("/oauth/token", &[GRANT]).basic(daemon.admin()).send().member("access_token");
    for token in [&pair.access_token, &own] {
        let header: Value =
            serde_json::from_slice(&base64url::decode(token.split('.').next().unwrap().as_bytes()).unwrap()).unwrap();
        assert_eq!(header["typ"], "at+jwt"); // RFC 9068 §2.1
        let claims = claims(token);
        for claim in ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"] {
            assert!(claims.get(claim).is_some(), "{claim}"); // RFC 9068 §2.2
        }
    }
    assert_eq!((&claims(&own)["sub"], &claims(&own)["client_id"]), (&json!("admin"), &json!("admin"))); // RFC 9068 §2.2
    assert_eq!(claims(&pair.access_token)["auth_time"], 1);
}

#[test]
fn a_resource_server_sees_the_tokens_for_its_audiences_and_no_others() {
    let daemon = Daemon::start();
    let listed = made(&daemon, json!({"grants": [], "audiences": ["api"]}));
    let anyone = made(&daemon, json!({"grants": ["mint"]}));
    let pair = daemon.mint(json!({"sub": "alice", "aud": ["api", "x"]}));
    let other = daemon.mint(json!({"sub": "alice", "aud": "other"}));
    let active = |(id, secret): &(String, String), token: &str| {
        let reply = daemon.client().form("/oauth/introspect", &[("token", token)]).basic((id, secret)).send();
        assert_eq!(reply.status, 200);
        reply.json()["active"] == true
    };
    assert!(active(&listed, &pair.access_token) && !active(&listed, &other.access_token));
    assert!(!active(&listed, &pair.refresh_token), "a refresh token is for nobody but its client");
    assert!(!active(&anyone, &pair.access_token), "who may have any audience is no resource server for that");
    call(&daemon, "PATCH", &format!("/v1/clients/{}", listed.0), &json!({"audiences": ["other"]}));
    assert!(!active(&listed, &pair.access_token) && active(&listed, &other.access_token));
}
