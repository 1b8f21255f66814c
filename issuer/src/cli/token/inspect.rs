//! `countersign token inspect`: what is written in a token, whoever has written it.

use super::super::said::{Ended, Said};
use super::super::{Failure, input, text};
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;
use token::base64url;
use token::jws::MAX_LENGTH;

/// Which token.
#[derive(Args)]
pub(crate) struct Inspect {
    /// File with the token [default: standard input]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

/// Says what is in the token. Its signature is not looked at.
///
/// # Errors
/// [`Failure::Setting`] when it is no token.
pub(super) fn run(command: &Inspect) -> Ended {
    let token = input::text(command.file.as_deref(), "the token", MAX_LENGTH)?;
    let Parts { header, claims, .. } = parts(&token)?;
    let said = format!(
        "NOT VERIFIED: anybody can have written this; `countersign token verify` judges it\n\nheader\n{}\nclaims\n{}",
        text::lines(&header),
        text::lines(&claims)
    );
    Ok(Said::new(said, json!({"verified": false, "header": header, "claims": claims})))
}

/// What is written in a token, true or not.
pub(in crate::cli) struct Parts<'a> {
    header: Value,
    claims: Value,
    /// In base64url, as it is written.
    pub(in crate::cli) signature: &'a str,
}

/// Returns the parts of a compact serialization.
///
/// # Errors
/// [`Failure::Setting`] when it is none, which never repeats it.
pub(in crate::cli) fn parts(token: &str) -> Result<Parts<'_>, Failure> {
    let mut parts = token.split('.');
    let (Some(header), Some(claims), Some(signature), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Failure::Setting("the token has not three parts between two dots".to_owned()));
    };
    Ok(Parts { header: decoded("header", header)?, claims: decoded("payload", claims)?, signature })
}

fn decoded(what: &str, part: &str) -> Result<Value, Failure> {
    let wrong = |reason: &str| Failure::Setting(format!("the token's {what} is {reason}"));
    let bytes = base64url::decode(part.as_bytes()).map_err(|_| wrong("not strict base64url"))?;
    let value: Value = serde_json::from_slice(&bytes).map_err(|_| wrong("not JSON"))?;
    if value.is_object() { Ok(value) } else { Err(wrong("not a JSON object")) }
}
