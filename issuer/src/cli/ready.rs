//! `countersign ready`: for whoever watches the daemon, such as the health check of a container.

use super::reach::{environment, runtime};
use super::remote::{Remote, Url};
use super::said::{Ended, Said};
use super::{Failure, ask::Ask};
use crate::config::Config;
use clap::Args;
use http::StatusCode;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;

/// Which daemon is asked.
#[derive(Args)]
pub(super) struct Ready {
    /// URL of the daemon [default: the address in the settings]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// TOML file with the daemon's settings; the environment wins over it
    #[arg(long, env = "COUNTERSIGN_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Certificates of the authorities that are trusted, in PEM [default: those of the system, and without --url the daemon's
    /// own certificate]
    #[arg(long, env = "COUNTERSIGN_CA_FILE", value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// How long it may take to answer
    #[arg(long, default_value_t = 5, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3_600))]
    timeout_seconds: u64,
}

/// Says whether the daemon keeps its promises, and why not; not ready and not reachable both end with exit code 1.
///
/// # Errors
/// [`Failure::Setting`] when the settings do not say where it is.
pub(super) fn run(command: &Ready) -> Ended {
    let (url, own) = match &command.url {
        Some(url) => (Url::parse(url)?, None),
        None => {
            let config = Config::load(command.config.as_deref(), &environment()?)?;
            (Url::of(&config)?, config.tls.map(|tls| tls.certificate_file))
        }
    };
    let remote = Remote::new(url, Duration::from_secs(command.timeout_seconds));
    let remote = remote.trusting(command.ca_file.clone()).trusting_own(own);
    let answer = match runtime()?.block_on(remote.answer(&Ask::get(&["readyz"]))) {
        Ok(answer) => answer,
        Err(Failure::Unreachable(detail)) => {
            let told = json!({"ready": false, "reasons": [{"code": "not_reachable", "detail": detail}]});
            return Ok(Said::new(detail, told).and_fails());
        }
        Err(other) => return Err(other),
    };
    let told: Value = serde_json::from_slice(answer.body()).unwrap_or(Value::Null);
    if answer.status() == StatusCode::OK
        && told.get("status").is_some_and(|status| status == "ready" || status == "standing_by")
    {
        return Ok(Said::new("ready", json!({"ready": true})));
    }
    let reasons = told.get("reasons").cloned().unwrap_or_else(|| {
        json!([{"code": format!("http_{}", answer.status().as_u16()), "detail": "that is no answer of countersign"}])
    });
    let text = |reason: &Value, name: &str| reason.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let lines: Vec<String> = reasons
        .as_array()
        .into_iter()
        .flatten()
        .map(|reason| format!("not ready: {} ({})\n", text(reason, "detail"), text(reason, "code")))
        .collect();
    Ok(Said::new(lines.concat(), json!({"ready": false, "reasons": reasons})).and_fails())
}
