//! The members of a request that changes something (RFC 7396): given ones get their value, `--reset` sends null, `--empty` a
//! list of nothing, and what is not named stays as it is.

use super::Failure;
use serde_json::{Map, Value, json};

/// Returns those members of `members` that have a value.
pub(super) fn given<const N: usize>(members: [(&str, Option<Value>); N]) -> Map<String, Value> {
    members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// Returns a list as it is sent; none when nothing was given.
pub(super) fn texts(texts: &[String]) -> Option<Value> {
    (!texts.is_empty()).then(|| json!(texts))
}

/// Returns the body of a change: the members that were `given`, null for those in `reset`, an empty list for those in `empty`.
///
/// # Errors
/// [`Failure::Setting`] when one is named twice, or none is.
pub(super) fn body(given: Map<String, Value>, reset: &[String], empty: &[String]) -> Result<Value, Failure> {
    let mut body = given;
    let nothing = reset.iter().map(|name| (name, Value::Null));
    for (name, value) in nothing.chain(empty.iter().map(|name| (name, json!([])))) {
        if body.insert(name.clone(), value).is_some() {
            return Err(Failure::Setting(format!("`{name}` is given twice: what shall it be?")));
        }
    }
    if body.is_empty() {
        return Err(Failure::Setting("nothing is named that shall change; --help tells what can".to_owned()));
    }
    Ok(Value::Object(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn what_is_not_named_is_not_sent() {
        let given = || given([("name", Some(json!("shop"))), ("scopes", texts(&[])), ("access_ttl", None)]);
        let sent = body(given(), &named(&["session_ttl"]), &named(&["audiences"])).expect("a change");
        assert_eq!(sent, json!({"name": "shop", "session_ttl": null, "audiences": []}));
        assert!(body(given(), &named(&["name"]), &[]).is_err());
        assert!(body(Map::new(), &named(&["scopes"]), &named(&["scopes"])).is_err());
        assert!(body(Map::new(), &[], &[]).is_err());
    }
}
