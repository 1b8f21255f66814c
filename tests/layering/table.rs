//! The table itself: which modules there are, and what each may import. A module file without a row is a violation, so
//! a new subject is added here knowingly, with its place in the order.

/// One module of a crate: `x.rs` with everything below `x/`.
pub(crate) struct Row {
    /// The module's name at the crate's root.
    pub(crate) module: &'static str,
    /// The modules of the same crate that it may import.
    pub(crate) may_import: &'static [&'static str],
}

/// One crate: where its sources are, its modules, and what its Cargo.toml may depend on.
pub(crate) struct Crate {
    /// The folder with the crate's Cargo.toml.
    pub(crate) folder: &'static str,
    /// The name by which its own binary imports its library.
    pub(crate) library: &'static str,
    /// Its modules.
    pub(crate) rows: &'static [Row],
    /// The dependencies it may have; `None` where any that deny.toml allows will do.
    pub(crate) dependencies: Option<&'static [&'static str]>,
}

/// Something from outside that has one home: a crate, a type, or a module of `std`.
pub(crate) struct Home {
    /// The word or path as it is written in an import.
    pub(crate) what: &'static str,
    /// The files and folders (without `.rs`) that may import it.
    pub(crate) places: &'static [&'static str],
    /// Why nobody else may.
    pub(crate) because: &'static str,
}

const fn row(module: &'static str, may_import: &'static [&'static str]) -> Row {
    Row { module, may_import }
}

/// The crates that are held to the table.
pub(crate) const CRATES: &[Crate] = &[
    Crate {
        folder: "token/ed25519",
        library: "ed25519",
        rows: &[
            row("lib", &["order", "recode", "scalar", "tables", "vector", "words"]),
            row("exact", &[]),
            row("words", &[]),
            row("order", &["words"]),
            row("recode", &[]),
            row("invert", &["exact", "words"]),
            row("scalar", &["exact", "invert", "recode", "vector", "words"]),
            row("vector", &["recode", "scalar"]),
            row("tables", &["scalar", "vector"]),
            row("reference", &[]),
            row("tests", &[]),
        ],
        dependencies: Some(&["sha2"]),
    },
    Crate {
        folder: "token",
        library: "token",
        rows: &[
            row("lib", &[]),
            row("assertion", &["error", "json", "jwk", "jws", "time"]),
            row("base64url", &[]),
            row("time", &["json"]),
            row("json", &[]),
            row("id", &["json", "time"]),
            row("error", &["json", "jwk", "jws", "verify"]), // in links of the documentation and as causes
            row("jwk", &["base64url", "error", "json"]),
            row("jws", &["base64url", "error", "json", "jwk"]),
            row("claims", &["error", "id", "json", "time"]),
            row("revocation", &["base64url", "claims", "error", "id", "json", "jwk", "jws", "time", "verify"]),
            row("verify", &["claims", "error", "id", "json", "jwk", "jws", "revocation", "time"]),
            row("refresh", &["error", "json", "jwk", "jws", "time"]),
            row("status_list", &["revocation"]), // in a link of the documentation
            row(
                "issue",
                &[
                    "base64url",
                    "claims",
                    "error",
                    "id",
                    "json",
                    "jwk",
                    "jws",
                    "refresh",
                    "revocation",
                    "status_list",
                    "time",
                    "verify",
                ],
            ),
        ],
        dependencies: Some(&[
            "countersign-ed25519",
            "ed25519-dalek",
            "serde",
            "serde_json",
            "sha2",
            "zeroize",
            "jwt-compact",
            "chrono",
            "anyhow",
            "ciborium",
            "coset",
            "flate2",
        ]),
    },
    Crate {
        folder: "verifier-wasm",
        library: "verifier_wasm",
        rows: &[
            row("lib", &["allocator", "answer", "asked", "desk", "output", "seconds", "slots", "status"]),
            row("allocator", &[]),
            row("answer", &["output"]),
            row("asked", &[]),
            row("desk", &["answer", "output", "seconds", "slots"]),
            row("output", &[]),
            row("seconds", &[]),
            row("slots", &[]),
            row("status", &["seconds"]),
        ],
        dependencies: Some(&["countersign-token", "serde", "serde-wasm-bindgen", "sha2", "talc", "wasm-bindgen"]),
    },
    Crate {
        folder: "issuer",
        library: "issuer",
        rows: &[
            row("main", &["cli"]),
            row("lib", &["error"]),
            // The edge: it knows HTTP, addresses and files, and of the inside only the operations.
            row(
                "cli",
                &[
                    "audit",
                    "backup",
                    "config",
                    "env",
                    "error",
                    "forwarding",
                    "http",
                    "keys",
                    "limits",
                    "operations",
                    "server",
                    "store",
                    "telemetry",
                ],
            ),
            row("server", &["config", "error", "http", "limits", "operations", "telemetry"]),
            row(
                "http",
                &["audit", "config", "env", "error", "forwarding", "limits", "operations", "server", "telemetry"],
            ),
            row("forwarding", &["keys"]),
            row("config", &["error", "limits", "server", "telemetry"]),
            row("telemetry", &["env"]),
            // The inside: one use case a file, over pure decisions and a store.
            row(
                "operations",
                &[
                    "audit",
                    "backup",
                    "clients",
                    "env",
                    "error",
                    "indices",
                    "keys",
                    "passwords",
                    "revocations",
                    "rules",
                    "session",
                    "store",
                    "telemetry",
                    "users",
                ],
            ),
            row("audit", &["session"]),
            row("session", &["error"]),
            row("clients", &[]),
            row("keys", &["env", "error"]),
            row("backup", &["env", "error", "keys", "store"]),
            row("revocations", &["env", "error"]),
            row("rules", &[]),
            row("limits", &[]),
            row("passwords", &[]),
            row("users", &["passwords", "session"]),
            row("indices", &["env", "error", "store"]),
            row(
                "store",
                &[
                    "audit",
                    "clients",
                    "env",
                    "error",
                    "keys",
                    "passwords",
                    "revocations",
                    "rules",
                    "session",
                    "telemetry",
                    "users",
                ],
            ),
            row("env", &["error"]),
            row("error", &["clients", "passwords", "store"]),
        ],
        dependencies: None,
    },
    Crate {
        folder: "xtask",
        library: "xtask",
        rows: &[],
        dependencies: Some(&["anyhow", "walrus", "wasm-bindgen-cli-support"]),
    },
];

const CLOCK: &str = "the clock is injected: issuer/src/env.rs is its only reader";
const RANDOMNESS: &str = "randomness is injected: issuer/src/env.rs is its only reader";
const PURE: &str = "token is pure: no I/O, no clock, no threads";
const SIGNS: &str = "it signs on the issuing side, and judges nothing from outside";
const STATUS_LISTS: &str = "status lists are written on the issuing side; no verifier reads CBOR";
const TRACES: &str = "what a collector gets has one table";
const BINDINGS: &str = "JavaScript is spoken in verifier-wasm only";

/// What has a home, and where it is. Everything not named here may be imported anywhere.
pub(crate) const HOMES: &[Home] = &[
    Home { what: "SystemTime", places: &["issuer/src/env"], because: CLOCK },
    Home { what: "Instant", places: &["issuer/src/env"], because: CLOCK },
    Home { what: "getrandom", places: &["issuer/src/env"], because: RANDOMNESS },
    Home { what: "rand", places: &["issuer/src/env"], because: RANDOMNESS },
    Home { what: "rand_core", places: &["issuer/src/env"], because: RANDOMNESS },
    Home { what: "OsRng", places: &["issuer/src/env"], because: RANDOMNESS },
    Home { what: "warp", places: &["issuer/src/http", "issuer/src/server"], because: "HTTP is the edge's" },
    Home {
        what: "hyper",
        places: &["issuer/src/http", "issuer/src/server", "issuer/src/cli/remote"],
        because: "HTTP is the edge's",
    },
    Home {
        what: "hyper_util",
        places: &["issuer/src/server", "issuer/src/http/inside", "issuer/src/http/standby", "issuer/src/cli/remote"],
        because: "the accept loop is server's, and the command line is a client",
    },
    Home {
        what: "tokio_rustls",
        places: &["issuer/src/server", "issuer/src/cli/remote", "issuer/src/store/postgres/tls"],
        because: "TLS is between the socket and HTTP",
    },
    Home {
        what: "rustls_native_certs",
        places: &["issuer/src/cli/remote", "issuer/src/store/postgres/tls"],
        because: "only a client trusts somebody",
    },
    Home { what: "opentelemetry", places: &["issuer/src/telemetry/traces"], because: TRACES },
    Home { what: "opentelemetry_sdk", places: &["issuer/src/telemetry/traces"], because: TRACES },
    Home { what: "opentelemetry_proto", places: &["issuer/src/telemetry/traces"], because: TRACES },
    Home { what: "prost", places: &["issuer/src/telemetry/traces"], because: TRACES },
    Home { what: "tracing_opentelemetry", places: &["issuer/src/telemetry/traces"], because: TRACES },
    Home { what: "prometheus_client", places: &["issuer/src/telemetry"], because: "metrics have one table" },
    Home { what: "ipnet", places: &["issuer/src/server"], because: "addresses are the edge's" },
    Home { what: "sled", places: &["issuer/src/store/sled"], because: "engines hide behind the Store trait" },
    Home {
        what: "tokio_postgres",
        places: &["issuer/src/store/postgres"],
        because: "engines hide behind the Store trait",
    },
    Home {
        what: "tokio_postgres_rustls",
        places: &["issuer/src/store/postgres"],
        because: "engines hide behind the Store trait",
    },
    Home {
        what: "clap",
        places: &["issuer/src/cli", "issuer/src/config", "issuer/src/telemetry"],
        because: "arguments are the edge's",
    },
    Home { what: "toml", places: &["issuer/src/config"], because: "configuration becomes types there" },
    Home { what: "issuer", places: &["issuer/src/main"], because: "nothing depends on the issuer" },
    Home { what: "verifier_wasm", places: &[], because: "nothing depends on the bindings but the npm package" },
    Home { what: "ed25519_dalek", places: &["issuer/src/keys/import", "token/src/issue"], because: SIGNS },
    Home { what: "curve25519_dalek", places: &[], because: "only tests compare with it" },
    Home { what: "jwt_compact", places: &["token/src/issue"], because: SIGNS },
    Home { what: "chrono", places: &["token/src/issue"], because: "only jwt-compact's claims are chrono times" },
    Home {
        what: "anyhow",
        places: &["token/src/issue"],
        because: "errors are types; only jwt-compact's trait returns anyhow",
    },
    Home { what: "ciborium", places: &["token/src/issue"], because: STATUS_LISTS },
    Home { what: "coset", places: &["token/src/issue"], because: STATUS_LISTS },
    Home {
        what: "flate2",
        places: &["issuer/src/store/record/audit", "token/src/status_list"],
        because: "what is packed is packed where it is written; no verifier inflates anything",
    },
    Home { what: "wasm_bindgen", places: &["verifier-wasm/src"], because: BINDINGS },
    Home { what: "tokio", places: &["issuer/src"], because: PURE },
    Home {
        what: "std::net",
        places: &[
            "issuer/src/audit",
            "issuer/src/config",
            "issuer/src/cli",
            "issuer/src/forwarding",
            "issuer/src/http",
            "issuer/src/limits",
            "issuer/src/server",
            "issuer/src/operations/users/binding",
            "issuer/src/store/postgres/hosts",
        ],
        because: "addresses are the edge's; the audit log tells them, logins are counted by them, and a database may have several",
    },
    Home {
        what: "std::fs",
        places: &["issuer/src/cli", "issuer/src/config", "issuer/src/keys", "issuer/src/store"],
        because: "files are read at the edge and kept by the store",
    },
    Home {
        what: "std::env",
        places: &["issuer/src/cli", "issuer/src/config"],
        because: "the environment becomes a Config, once",
    },
    Home {
        what: "std::process",
        places: &["issuer/src/cli", "issuer/src/main", "issuer/src/store/sled"],
        because: "exit codes are main's; a store that cannot sync stops the process",
    },
    Home {
        what: "std::thread",
        places: &["issuer/src/store"],
        because: "the committer is the only thread that is made",
    },
];

/// Modules that decide and never wait, read or write: there is nothing asynchronous in them.
pub(crate) const DECIDES_ONLY: &[&str] = &[
    "issuer/src/audit",
    "issuer/src/clients",
    "issuer/src/session",
    "issuer/src/keys",
    "issuer/src/revocations",
    "issuer/src/rules",
    "issuer/src/error",
    "issuer/src/forwarding",
    "issuer/src/passwords",
    "issuer/src/users",
];

/// Names that say nothing: a file of that name holds what has no subject.
pub(crate) const NAMES_OF_NOTHING: &[&str] =
    &["util", "utils", "helper", "helpers", "common", "misc", "manager", "service", "services"];
