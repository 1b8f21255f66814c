//! The clients and their secrets, as administrators manage them.

use super::operation::Operation;
use super::refusals;
use super::schema::{Named, exactly, list, moment, nullable, object, opaque, or_null, part_of, seconds, shared, text};
use crate::clients::{MAX_KEYS, MAX_SECRETS};
use crate::error::{ClientFault, Error};
use crate::http::reply::Refusal;
use crate::http::{v1_client_secrets, v1_clients};
use serde_json::{Map, Value, json};

/// The group of these operations.
pub(super) const TAG: &str = "Clients";

pub(super) fn operations() -> Vec<Operation> {
    vec![all(), create(), read(), change(), remove(), rotate(), remove_secret()]
}

fn all() -> Operation {
    Operation::of(&v1_clients::LIST, TAG, "listClients", "List the clients")
        .by_administrators()
        .asks_for_a_part()
        .answers_json(200, "A part of the list, in the order of the ids.", part_of(shared("Client")))
}

fn create() -> Operation {
    let mut members = terms();
    members.insert("client_id".to_owned(), id());
    let example =
        json!({"client_id": "shop", "name": "The shop", "grants": ["mint", "refresh_token"], "audiences": ["api"]});
    Operation::of(&v1_clients::CREATE, TAG, "createClient", "Make a client")
        .says("Its secret is in this answer and in no other; one with `jwks` has none. Without `client_id` it gets a random one.")
        .by_administrators()
        .takes_json(exactly(&["grants"], Value::Object(members)), example)
        .answers_json(201, "The client, with its secret.", shared("NewClient"))
        .with(201, "Location")
        .refused(refusals::change())
        .refused(vec![Error::Entropy.into(), fault(ClientFault::Exists), fault(ClientFault::TooMany)])
}

fn read() -> Operation {
    one(Operation::of(&v1_clients::READ, TAG, "readClient", "Read a client")).answers_json(
        200,
        "The client.",
        shared("Client"),
    )
}

fn change() -> Operation {
    let schema = exactly(&[], Value::Object(terms()));
    one(Operation::of(&v1_clients::CHANGE, TAG, "changeClient", "Change a client, disable it or enable it"))
        .says(
            "Members that are absent stay as they are; `null` takes a restriction away (RFC 7396). A disabled client gets nothing from then \
             on; what it got lives on until it is revoked by `revokeByName`.",
        )
        .takes_json(schema, json!({"disabled": true}))
        .answers_json(200, "The client as it is now.", shared("ChangedClient"))
        .refused(refusals::change())
        .refused(vec![fault(ClientFault::LastAdministrator)])
}

fn remove() -> Operation {
    one(Operation::of(&v1_clients::REMOVE, TAG, "removeClient", "Remove a disabled client"))
        .says("Everything that it got is taken back first.")
        .answers_json(200, "It is gone.", shared("Revocation"))
        .refused(refusals::change())
        .refused(vec![fault(ClientFault::NotDisabled), Error::TooManyRules { retry_after_secs: 1 }.into()])
}

fn rotate() -> Operation {
    let overlap = json!({
        "type": "integer", "minimum": 0, "maximum": 2_592_000, "default": 86_400,
        "description": "For so many seconds the secret before this one still proves something; 0 drops it at once.",
    });
    one(Operation::of(&v1_client_secrets::ROTATE, TAG, "rotateSecret", "Give a client another secret"))
        .says(&format!("The secret is in this answer and in no other. At most {MAX_SECRETS} are in force at a time."))
        .takes_json(exactly(&[], json!({"overlap_seconds": overlap})), json!({"overlap_seconds": 3600}))
        .answers_json(201, "The client, with its new secret.", shared("NewClient"))
        .with(201, "Location")
        .refused(refusals::change())
        .refused(vec![Error::Entropy.into()])
}

fn remove_secret() -> Operation {
    one(Operation::of(&v1_client_secrets::REMOVE, TAG, "removeSecret", "Remove a secret"))
        .named("secret", json!({"type": "string"}), "Its `id`, as the answers about the client have it.")
        .answers_nothing(204, "It proves nothing from now on.")
        .refused(refusals::change())
}

/// What is about one client, which an administrator names in the path.
fn one(operation: Operation) -> Operation {
    operation
        .by_administrators()
        .named("client_id", json!({"type": "string"}), "The client.")
        .refused(refusals::absent())
}

fn fault(fault: ClientFault) -> Refusal {
    Error::Client(fault).into()
}

fn id() -> Value {
    json!({
        "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$",
        "description": "1 to 255 visible ASCII characters, not 22 of base64url: so looks the `sub` of a user.",
    })
}

fn grants() -> Value {
    let grant = json!({"enum": ["mint", "client_credentials", "refresh_token", "token_exchange"]});
    list(grant, 0, 16, "How it may get tokens.")
}

/// The members that say what a client may do.
fn terms() -> Map<String, Value> {
    let restriction = |entry: Value, most: u64, description: &str| nullable(list(entry, 0, most, description));
    let scope = json!({"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[!#-\\[\\]-~]+$"});
    let terms = json!({
        "name": {
            "type": "string", "maxLength": 255, "pattern": super::schema::PRINTABLE,
            "description": "What people call it: at most 255 bytes, no control characters.",
        },
        "administrator": {"type": "boolean", "description": "May revoke and introspect every token, and manage what there is."},
        "disabled": {"type": "boolean", "description": "Proves nothing and gets nothing."},
        "grants": grants(),
        "audiences": restriction(text(255, "An audience."), 64, "For whom it may have tokens; absent: for any."),
        "scopes": restriction(scope, 128, "Scope values that it may ask for; absent: any."),
        "claims": restriction(
            text(128, "A name; none that the issuer sets, but `roles` and `permissions`."), 64, "Claims that it may set; absent: any.",
        ),
        "access_ttl": nullable(seconds(1, "Longest life of its access tokens; at most that of the settings.")),
        "refresh_ttl": nullable(seconds(1, "Longest idle life of its sessions; at most `session_ttl` of the settings.")),
        "session_ttl": nullable(seconds(1, "Longest absolute life of its sessions; at most that of the settings.")),
        "jwks": or_null(shared("ClientKeys")),
    });
    terms.as_object().cloned().unwrap_or_default()
}

pub(super) fn schemas() -> Vec<Named> {
    let secret = json!({"client_secret": opaque("Shown only now; absent where the client proves itself by its keys.")});
    let notice = json!({"notice": opaque("What to do besides, for people; when the client was disabled.")});
    vec![
        ("Client", client(&json!({}))),
        ("NewClient", client(&secret)),
        ("ChangedClient", client(&notice)),
        ("ClientKeys", keys()),
    ]
}

/// A client, and what is said of it besides.
fn client(besides: &Value) -> Value {
    let secret = object(
        &["id", "created_at"],
        json!({
            "id": opaque("What it is called."),
            "created_at": moment("When it was made."),
            "expires_at": moment("From then on it proves nothing; absent for the newest."),
        }),
    );
    let key = object(
        &["kty", "crv", "x", "kid", "use"],
        json!({
            "kty": {"const": "OKP"}, "crv": {"const": "Ed25519"}, "use": {"const": "sig"},
            "x": opaque("The public key, base64url."),
            "kid": opaque("What the assertions of the client call it."),
        }),
    );
    let mut members = terms();
    let own = json!({
        "client_id": id(),
        "created_at": moment("When it was made; 0 where that was not kept."),
        "jwks": object(&["keys"], json!({"keys": list(key, 0, count(MAX_KEYS), "Its public keys.")})),
        "secrets": list(secret, 0, count(MAX_SECRETS), "Its secrets, oldest first; never what they are."),
    });
    members.extend(own.as_object().cloned().unwrap_or_default());
    let always: Vec<String> = members.keys().cloned().collect();
    members.extend(besides.as_object().cloned().unwrap_or_default());
    object(&always.iter().map(String::as_str).collect::<Vec<_>>(), Value::Object(members))
}

/// What a request may say of a client's keys.
fn keys() -> Value {
    let key = object(
        &["kty", "crv", "x"],
        json!({
            "kty": {"const": "OKP"},
            "crv": {"const": "Ed25519"},
            "x": {"type": "string", "minLength": 43, "maxLength": 43, "pattern": "^[A-Za-z0-9_-]{43}$", "description": "The public key, base64url; one that is fit to verify with."},
            "kid": text(255, "What assertions call it; the thumbprint (RFC 7638) when absent."),
            "alg": {"enum": ["EdDSA", "Ed25519"]},
        }),
    );
    exactly(
        &["keys"],
        json!({"keys": list(key, 1, count(MAX_KEYS), "Public keys by which the client proves itself (`private_key_jwt`).")}),
    )
}

fn count(number: usize) -> u64 {
    number.try_into().unwrap()
}
