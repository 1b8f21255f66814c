//! docs/openapi.json, and whether an answer is one that it describes.
//!
//! Every answer that [`crate::Request`] gets is held against it: its status must be described for the method at the path, its
//! media type for the status, its body must fit the schema and have no member that the schema lacks, and the fields that
//! are promised must be there. An answer that is not described fails the test that saw it.

use crate::reply::Reply;
use jsonschema::Validator;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

static DOCUMENT: LazyLock<Document> = LazyLock::new(|| {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");
    Document::of(serde_json::from_str(&std::fs::read_to_string(path).expect("docs/openapi.json")).expect("JSON"))
});

/// Returns why the committed document has no such answer to this request, if so. The body of `reply` is not looked at when
/// `headless` says that only its head was read.
pub(crate) fn fault(method: &str, path: &str, reply: &Reply, headless: bool) -> Option<String> {
    DOCUMENT.fault(method, path, reply, headless)
}

/// A description of an interface.
struct Document {
    root: Value,
    /// Schemas that were compiled, by the JSON pointers to them.
    compiled: Mutex<HashMap<String, Arc<Validator>>>,
}

impl Document {
    fn of(mut root: Value) -> Self {
        close(&mut root);
        Self { root, compiled: Mutex::default() }
    }

    fn fault(&self, method: &str, path: &str, reply: &Reply, headless: bool) -> Option<String> {
        let path = path.split(['?', '#']).next().unwrap_or_default();
        if reply.header("x-request-id").is_none() {
            // HTTP itself was broken, a cap was reached, or it is the listener for metrics: no route saw the request.
            let known =
                path == "/metrics" || ([400, 404, 414, 431, 503].contains(&reply.status) && reply.body.is_empty());
            return (!known).then(|| format!("{} without X-Request-Id", reply.status));
        }
        let headless = headless || method == "HEAD";
        let no_method = reply.status == 405 && reply.header("allow").is_some();
        let Some((template, item)) = self.item(path) else {
            let file = path == "/" || path.starts_with("/www/") || path.starts_with("/pkg/");
            let known = file || no_method; // where a whole folder has one method, it is asked for first
            return if known { None } else { self.judge("/components/responses/NotFound", 404, reply, headless) };
        };
        let name = if method == "HEAD" { "get".to_owned() } else { method.to_lowercase() };
        let described = item.get(&name).is_some() && method == method.to_uppercase(); // methods have a case (RFC 9110 §9.1)
        if described {
            let place = format!("/paths/{}/{name}/responses/{}", escape(template), reply.status);
            self.judge(&place, reply.status, reply, headless)
        } else if method == "OPTIONS" && item.get("x-cors").is_some() {
            (reply.status != 204).then(|| format!("{} to OPTIONS", reply.status))
        } else {
            (!no_method).then(|| format!("{} to a method that is not described", reply.status))
        }
    }

    /// Returns the entry of the path, with its template; one that names it wins over one that has a parameter there.
    fn item(&self, path: &str) -> Option<(&str, &Value)> {
        let items = self.root["paths"].as_object()?.iter();
        let fits = |template: &str| {
            template.split('/').count() == path.split('/').count()
                && template
                    .split('/')
                    .zip(path.split('/'))
                    .all(|(named, sent)| if named.starts_with('{') { !sent.is_empty() } else { named == sent })
        };
        items
            .filter(|(template, _)| fits(template))
            .min_by_key(|(template, _)| template.matches('{').count())
            .map(|(template, item)| (template.as_str(), item))
    }

    /// Holds the answer against the response at this JSON pointer.
    fn judge(&self, place: &str, status: u16, reply: &Reply, headless: bool) -> Option<String> {
        let Some(response) = self.root.pointer(place).filter(|_| reply.status == status) else {
            return Some(format!("{} is not described there", reply.status));
        };
        for (name, field) in response["headers"].as_object().into_iter().flatten() {
            let shared = field["$ref"].as_str().and_then(|place| self.root.pointer(place.strip_prefix('#')?));
            let field = shared.unwrap_or(field);
            if field["required"] == true && reply.header(&name.to_lowercase()).is_none() {
                return Some(format!("{status} without {name}"));
            }
        }
        if reply.header("set-cookie").is_some() && response["headers"].get("Set-Cookie").is_none() {
            return Some(format!("{status} sets a cookie"));
        }
        let Some(content) = response["content"].as_object() else {
            return (!reply.body.is_empty()).then(|| format!("{status} with a body"));
        };
        let media_type = reply.header("content-type").and_then(|value| value.split(';').next()).unwrap_or_default();
        if !content.contains_key(media_type) {
            return Some(format!("{status} as {media_type:?}"));
        }
        if headless || !(media_type.ends_with("/json") || media_type.ends_with("+json")) {
            return None;
        }
        let Ok(body) = serde_json::from_slice::<Value>(&reply.body) else {
            return Some("a body that is not JSON".to_owned());
        };
        let schema = self.schema(&format!("{place}/content/{}/schema", escape(media_type)));
        let faults: Vec<String> =
            schema.iter_errors(&body).map(|fault| format!("{} at {}", fault, fault.instance_path())).collect();
        (!faults.is_empty()).then(|| format!("{status} with {body}: {}", faults.join("; ")))
    }

    fn schema(&self, place: &str) -> Arc<Validator> {
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        let compile = || {
            let mut schema = self.root.pointer(place).cloned().expect(place);
            schema["components"] = json!({"schemas": self.root["components"]["schemas"]}); // where its references lead
            Arc::new(jsonschema::draft202012::new(&schema).unwrap_or_else(|error| panic!("{place}: {error}")))
        };
        Arc::clone(compiled.entry(place.to_owned()).or_insert_with(compile))
    }
}

/// Lets no object have members that are not described: the document leaves that open for the readers of later versions.
fn close(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if is_open(members) {
                members.insert("additionalProperties".to_owned(), json!(false));
            }
            members.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// True for the schema of an object that says nothing of other members; one that adds to a reference leaves that to it.
fn is_open(schema: &Map<String, Value>) -> bool {
    let says = |name: &str| schema.contains_key(name);
    schema.get("type").is_some_and(|kind| kind == "object")
        && says("properties")
        && !says("additionalProperties")
        && !says("$ref")
}

/// A step of a JSON pointer (RFC 6901 §3).
fn escape(step: &str) -> String {
    step.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: u16, media_type: &str, body: &str) -> Reply {
        let fields = [("x-request-id", "1"), ("cache-control", "no-store"), ("content-type", media_type)];
        let headers = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        Reply { status, headers, body: body.as_bytes().to_vec() }
    }

    fn problem(status: u16, code: &str) -> Reply {
        let body = json!({"type": "about:blank", "title": "", "status": status, "detail": "", "code": code});
        reply(status, "application/problem+json", &body.to_string())
    }

    fn told(method: &str, path: &str, reply: &Reply) -> Option<String> {
        fault(method, path, reply, false)
    }

    #[test]
    fn what_is_described_passes() {
        let alive = reply(200, "application/json", r#"{"status":"ok"}"#);
        assert_eq!(told("GET", "/healthz", &alive), None);
        assert_eq!(told("HEAD", "/healthz", &Reply { body: Vec::new(), ..alive }), None);
        assert_eq!(told("GET", "/v1/clients?limit=0", &problem(400, "invalid_field")), None);
        assert_eq!(told("GET", "/v1/nothing", &problem(404, "not_found")), None);
        assert_eq!(told("GET", "/revocations/7/8", &problem(404, "not_found")), None);
        assert_eq!(told("GET", "/www/main.js", &reply(200, "text/javascript", "")), None);
    }

    #[test]
    fn a_planted_answer_that_is_not_described_is_found() {
        let alive = |body: &str| reply(200, "application/json", body);
        for (method, path, planted) in [
            ("GET", "/healthz", alive(r#"{"status":"ok","uptime":7}"#)),
            ("GET", "/healthz", alive(r#"{"status":"fine"}"#)),
            ("GET", "/healthz", alive(r#"{}"#)),
            ("GET", "/healthz", alive("ok")),
            ("GET", "/healthz", reply(200, "text/plain", r#"{"status":"ok"}"#)),
            ("GET", "/healthz", reply(201, "application/json", r#"{"status":"ok"}"#)),
            ("GET", "/healthz", Reply { headers: Vec::new(), ..alive(r#"{"status":"ok"}"#) }),
            ("POST", "/healthz", alive(r#"{"status":"ok"}"#)),
            ("get", "/healthz", alive(r#"{"status":"ok"}"#)),
            ("OPTIONS", "/healthz", reply(204, "", "")),
            ("GET", "/v1/clients", problem(400, "no_such_code")),
            ("GET", "/v1/clients", problem(404, "not_found")),
            ("POST", "/oauth/token", problem(400, "invalid_field")),
            ("GET", "/v1/nothing", alive(r#"{"status":"ok"}"#)),
            ("GET", "/v1/nothing", problem(404, "invalid_field")),
            ("GET", "/v1/clients", alive(r#"{"items":[{"client_id":"a"}]}"#)),
            ("GET", "/v1/audit", alive(r#"{"items":[],"secret":"b"}"#)),
        ] {
            assert!(told(method, path, &planted).is_some(), "{method} {path} {planted:?}");
        }
        let mut cookie = alive(r#"{"status":"ok"}"#);
        cookie.headers.push(("set-cookie".to_owned(), "a=b".to_owned()));
        assert!(told("GET", "/healthz", &cookie).is_some());
    }

    #[test]
    fn a_path_is_found_by_its_most_precise_template() {
        let template = |path: &str| DOCUMENT.item(path).map(|(template, _)| template.to_owned());
        assert_eq!(template("/revocations/events").as_deref(), Some("/revocations/events"));
        assert_eq!(template("/revocations/7").as_deref(), Some("/revocations/{seq}"));
        assert_eq!(template("/revocations/"), None);
    }
}
