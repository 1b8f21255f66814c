//! One operation in the making: what may be done for one method at one path.

use super::refusals;
use super::schema::shared;
use crate::http::cors::Cors;
use crate::http::exchange::{Endpoint, Verb};
use crate::http::reply::{self, Code, Dialect, Refusal};
use crate::http::request::{FORM, JSON};
use http::HeaderName;
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What the operators' manual says of each code.
const ERRORS: &str = include_str!("../../../../../docs/errors.md");

/// An operation, as far as it has been told.
pub(in crate::http::openapi) struct Operation {
    endpoint: &'static Endpoint,
    told: Map<String, Value>,
    parameters: Vec<Value>,
    answers: BTreeMap<u16, Value>,
    fields: Vec<(u16, &'static str)>,
    refusals: Vec<Refusal>,
}

impl Operation {
    /// Begins the description of `endpoint`, in the group `tag` under the name `id`.
    pub(super) fn of(endpoint: &'static Endpoint, tag: &str, id: &str, summary: &str) -> Self {
        let told = [("tags", json!([tag])), ("operationId", json!(id)), ("summary", json!(summary))];
        let told = told.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let operation = Self {
            endpoint,
            told,
            parameters: Vec::new(),
            answers: BTreeMap::new(),
            fields: Vec::new(),
            refusals: Vec::new(),
        };
        // Health is always told: who asks for it restarts the daemon otherwise.
        let limited = !matches!(endpoint.route, "/healthz" | "/readyz");
        let refusals = || refusals::elsewhere().into_iter().chain([refusals::too_many()]).collect();
        let operation = if limited { operation.refused(refusals()) } else { operation };
        match endpoint.verb {
            Verb::Ask(_) => operation.refused(refusals::query()),
            Verb::Act | Verb::Change | Verb::Remove => operation.refused(refusals::acting()),
            Verb::Read | Verb::Any => operation,
        }
    }

    /// Adds what there is to know beyond the summary.
    pub(super) fn says(mut self, description: &str) -> Self {
        self.told.insert("description".to_owned(), json!(description));
        self
    }

    /// Lets it be used by who proves who he is in one of these ways; each is a list of schemes that go together. Without this,
    /// everybody may.
    pub(super) fn by(mut self, ways: &[&[&str]]) -> Self {
        let ways: Vec<Value> = ways
            .iter()
            .map(|way| Value::Object(way.iter().map(|scheme| ((*scheme).to_owned(), json!([]))).collect()))
            .collect();
        self.told.insert("security".to_owned(), json!(ways));
        self
    }

    /// Lets it be used by clients that are administrators.
    pub(super) fn by_administrators(self) -> Self {
        self.by(&[&["basic"]]).refused(refusals::administrator())
    }

    /// Adds a name in the path.
    pub(super) fn named(self, name: &str, schema: Value, description: &str) -> Self {
        self.segment(name, schema, description).refused(refusals::segment())
    }

    /// Adds a part of the path that cannot be refused: it is the right one, or there is nothing there.
    pub(super) fn segment(self, name: &str, schema: Value, description: &str) -> Self {
        self.parameter("path", name, true, schema, description)
    }

    /// Adds a name of the query.
    pub(super) fn asks(self, name: &str, schema: Value, description: &str) -> Self {
        self.parameter("query", name, false, schema, description)
    }

    /// Adds a name of the query that must be there.
    pub(super) fn needs(self, name: &str, schema: Value, description: &str) -> Self {
        self.parameter("query", name, true, schema, description)
    }

    /// Adds the two names of a query that asks for a part of a list.
    pub(super) fn asks_for_a_part(self) -> Self {
        let limit = json!({"type": "integer", "minimum": 1, "maximum": 200, "default": 50});
        let after = json!({"type": "string", "maxLength": 512});
        self.asks("limit", limit, "Items at most.").asks(
            "after",
            after,
            "The `next` of the part before; the first part without one.",
        )
    }

    /// Adds a field of the request.
    pub(super) fn field(self, name: &str, schema: Value, description: &str) -> Self {
        self.parameter("header", name, false, schema, description)
    }

    fn parameter(mut self, place: &str, name: &str, required: bool, schema: Value, description: &str) -> Self {
        self.parameters.push(json!({
            "in": place, "name": name, "required": required, "schema": schema, "description": description,
        }));
        self
    }

    /// Adds a form, with an example of it.
    pub(super) fn takes_form(self, schema: Value, example: Value) -> Self {
        self.takes(FORM, schema, example).refused(refusals::form())
    }

    /// Adds a JSON body, with an example of it.
    pub(super) fn takes_json(self, schema: Value, example: Value) -> Self {
        self.takes(JSON, schema, example).refused(refusals::json())
    }

    fn takes(mut self, media_type: &str, schema: Value, example: Value) -> Self {
        let body = json!({"required": true, "content": {media_type: {"schema": schema, "example": example}}});
        self.told.insert("requestBody".to_owned(), body);
        self
    }

    /// Adds what it answers, as JSON of this schema.
    pub(super) fn answers_json(self, status: u16, description: &str, schema: Value) -> Self {
        self.answers(status, description, JSON, schema)
    }

    /// Adds what it answers.
    pub(super) fn answers(mut self, status: u16, description: &str, media_type: &str, schema: Value) -> Self {
        let entry = self.answers.entry(status).or_insert_with(|| response(description));
        entry["content"][media_type]["schema"] = schema;
        self
    }

    /// Adds an answer without a body.
    pub(super) fn answers_nothing(mut self, status: u16, description: &str) -> Self {
        self.answers.insert(status, response(description));
        self
    }

    /// Adds a field that the answer of this status has.
    pub(super) fn with(mut self, status: u16, name: &'static str) -> Self {
        self.fields.push((status, name));
        self
    }

    /// Adds what it can be refused for.
    pub(super) fn refused(mut self, refusals: Vec<Refusal>) -> Self {
        self.refusals.extend(refusals);
        self
    }

    /// Returns the path.
    pub(in crate::http::openapi) fn path(&self) -> &'static str {
        self.endpoint.route
    }

    /// Returns the method, as the document writes it.
    pub(in crate::http::openapi) fn method(&self) -> String {
        match self.endpoint.verb {
            Verb::Read | Verb::Ask(_) | Verb::Any => "get",
            Verb::Act => "post",
            Verb::Change => "patch",
            Verb::Remove => "delete",
        }
        .to_owned()
    }

    /// Returns which pages of other origins may use it, as the document writes it.
    pub(super) fn cors(&self) -> Option<&'static str> {
        match self.endpoint.cors {
            Cors::None => None,
            Cors::Anyone => Some("anyone"),
            Cors::Listed => Some("listed"),
            Cors::WithCookies => Some("listed-with-cookies"),
        }
    }

    /// Returns the names of the query that are read.
    pub(in crate::http::openapi) fn asked(&self) -> &'static [&'static str] {
        match self.endpoint.verb {
            Verb::Ask(names) => names,
            Verb::Read | Verb::Act | Verb::Change | Verb::Remove | Verb::Any => &[],
        }
    }

    /// Returns the operation as the document has it.
    pub(super) fn describe(self) -> Value {
        let dialect = self.endpoint.dialect;
        let mut by_status: BTreeMap<u16, Vec<Refusal>> = BTreeMap::new();
        for refusal in self.refusals {
            by_status.entry(reply::refuse(dialect, &refusal).status().as_u16()).or_default().push(refusal);
        }
        let refused = by_status.into_iter().map(|(status, refusals)| (status, refused(dialect, &refusals)));
        let mut told = self.told;
        let mut answers: BTreeMap<u16, Value> = refused.collect();
        answers.extend(self.answers); // what is described in full wins
        for (status, name) in self.fields {
            let answer = answers.get_mut(&status).expect("a field of an answer that is described");
            answer["headers"][name] = json!({"$ref": format!("#/components/headers/{name}")});
        }
        let answers = answers.into_iter().map(|(status, answer)| (status.to_string(), answer));
        if !self.parameters.is_empty() {
            told.insert("parameters".to_owned(), json!(self.parameters));
        }
        told.insert("responses".to_owned(), Value::Object(answers.collect()));
        Value::Object(told)
    }
}

/// Returns an answer without a body yet, with the fields that every answer has.
fn response(description: &str) -> Value {
    let mut headers = Map::new();
    for name in ["X-Request-Id", "Cache-Control"] {
        headers.insert(name.to_owned(), json!({"$ref": format!("#/components/headers/{name}")}));
    }
    json!({"description": description, "headers": headers})
}

/// Fields that some refusals have, and others not.
const FIELDS: [(&str, HeaderName); 4] = [
    ("Retry-After", RETRY_AFTER),
    ("WWW-Authenticate", WWW_AUTHENTICATE),
    ("RateLimit", HeaderName::from_static("ratelimit")),
    ("RateLimit-Policy", HeaderName::from_static("ratelimit-policy")),
];

/// Returns the answer to all these refusals, which have one status.
pub(super) fn refused(dialect: Dialect, refusals: &[Refusal]) -> Value {
    let mut codes: BTreeMap<&'static str, String> = BTreeMap::new(); // each with what the body says in its place
    let mut fields = Vec::new();
    for refusal in refusals {
        let answer = reply::refuse(dialect, refusal);
        let code = answer.extensions().get::<Code>().map_or("", |code| code.0);
        let body: Value = serde_json::from_slice(answer.body()).expect("JSON");
        let said = if dialect == Dialect::OAuth { &body["error"] } else { &body["code"] };
        codes.insert(code, said.as_str().expect("a code").to_owned());
        fields.extend(FIELDS.map(|(_, field)| field).into_iter().filter(|field| answer.headers().contains_key(field)));
    }
    let mut said: Vec<&String> = codes.values().collect();
    said.sort();
    said.dedup();
    let (media_type, name, member) = match dialect {
        Dialect::OAuth => (JSON, "OAuthError", "error"),
        Dialect::Problem => ("application/problem+json", "Problem", "code"),
    };
    let mut schema = shared(name);
    schema["properties"] = json!({member: {"enum": said}});
    let mut told = response(&explained(&codes));
    told["content"] = json!({media_type: {"schema": schema}});
    // Where only some of the refusals have it, it is not promised.
    for (name, field) in FIELDS {
        let count = fields.iter().filter(|known| **known == field).count();
        let reference = format!("#/components/headers/{name}");
        if count == refusals.len() {
            told["headers"][name] = json!({"$ref": reference});
        } else if count > 0 {
            let schema = json!({"$ref": format!("{reference}/schema")});
            told["headers"][name] = json!({"description": "With some of the codes.", "schema": schema});
        }
    }
    told
}

/// Returns what the caller does on each of the codes, from the table of docs/errors.md.
fn explained(codes: &BTreeMap<&'static str, String>) -> String {
    let lines = codes.iter().map(|(code, said)| {
        let told = if *code == said { format!("`{code}`") } else { format!("`{said}` (`{code}` in the log)") };
        match advice(code) {
            Some(advice) => format!("- {told}: the caller {advice}."),
            None => format!("- {told}"),
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Returns what the caller does on this code, where the table says so: its row's third cell.
fn advice(code: &str) -> Option<String> {
    let row = ERRORS.lines().find(|line| line.starts_with(&format!("| `{code}`")) && line.matches('|').count() == 5)?;
    let advice = row.split('|').nth(3)?.trim();
    // Links of the manual lead nowhere from here.
    let advice = advice.replace("[protocol.md](protocol.md)", "the schema");
    (!advice.is_empty()).then_some(advice)
}

/// Returns the fields of answers that are described once.
pub(super) fn headers() -> Value {
    let field =
        |schema: Value, description: &str| json!({"required": true, "schema": schema, "description": description});
    let text = || json!({"type": "string"});
    json!({
        "X-Request-Id": field(json!({"type": "string", "minLength": 1}), "Names the request; the log has it too."),
        "Cache-Control": field(text(), "`no-store` unless the answer is public."),
        "ETag": field(text(), "What `If-None-Match` can name."),
        "Location": field(json!({"type": "string", "format": "uri-reference"}), "Where to ask instead, or where what was made is."),
        "Retry-After": field(json!({"type": "integer", "minimum": 1}), "Seconds after which the same request may succeed."),
        "WWW-Authenticate": field(text(), "How to prove who one is (RFC 9110 §11.6.1)."),
        "RateLimit": field(text(), "How much of the budget is left, and in how many seconds it is full (draft-ietf-httpapi-ratelimit-headers)."),
        "RateLimit-Policy": field(text(), "The name of the budget, how many requests it has, and its window in seconds."),
        "Set-Cookie": {"schema": text(), "description": "The tokens, where they go into cookies; empty ones where they are cleared."},
        "Clear-Site-Data": {"schema": text(), "description": "What a browser forgets besides, as the setting `cookies.clear_site_data` says."},
        "Vary": field(text(), "Which fields of the request the answer depends on."),
    })
}

/// Returns the fields by which a client can prove on a form endpoint who it is; those without a value count as absent.
pub(super) fn client_fields() -> Map<String, Value> {
    let fields = json!({
        "client_id": {"type": "string", "maxLength": 255, "description": "Where the credentials are in the body; else as in the `Authorization` field."},
        "client_secret": {"type": "string", "maxLength": 255, "description": "Where the credentials are in the body."},
        "client_assertion_type": {"enum": ["urn:ietf:params:oauth:client-assertion-type:jwt-bearer", ""]},
        "client_assertion": {
            "type": "string",
            "description": "In place of a secret: a JWT that the client has signed with one of its keys (RFC 7523 §3, `private_key_jwt`). \
                Its `iss` and `sub` are the client's id, its `aud` this issuer or endpoint, it expires within 5 minutes and its `jti` is \
                used once.",
        },
    });
    fields.as_object().cloned().unwrap_or_default()
}
