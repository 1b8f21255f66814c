//! `countersign token verify`: the judgement that a backend makes, made here.

use super::super::ask::Ask;
use super::super::reach::Reach;
use super::super::said::{Ended, Said};
use super::super::target::Target;
use super::super::{Failure, input, text};
use crate::env::Env;
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;
use token::jwk::KeySet;
use token::jws::MAX_LENGTH;
use token::time::UnixTime;
use token::verify::{DEFAULT_LEEWAY_SECS, LoadError, Policy, Verifier};

/// Bytes of a key set in a file.
const MAX_KEYS: usize = 1024 * 1024;
/// Bytes of a revocation list in a file.
const MAX_LIST: usize = 256 * 1024 * 1024;

/// Which token, and what is asked of it.
#[derive(Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    reach: Reach,
    /// File with the token [default: standard input]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// For whom it must be; of several one is enough
    #[arg(long, value_name = "AUDIENCE", required_unless_present = "any_audience", conflicts_with = "any_audience")]
    audience: Vec<String>,
    /// Ask for no audience
    #[arg(long)]
    any_audience: bool,
    /// Who must have issued it [default: what the daemon says that it is]
    #[arg(long, value_name = "URL", conflicts_with = "any_issuer")]
    issuer: Option<String>,
    /// Ask for no issuer
    #[arg(long)]
    any_issuer: bool,
    /// A scope value that it must have; may be given several times
    #[arg(long, value_name = "VALUE")]
    scope: Vec<String>,
    /// Tolerance for clocks
    #[arg(long, value_name = "SECONDS", default_value_t = DEFAULT_LEEWAY_SECS)]
    leeway: u64,
    /// Judge without a revocation list
    #[arg(long, conflicts_with = "revocations_file")]
    no_revocations: bool,
    /// Key set of the issuer; then no daemon is asked for anything
    #[arg(long, value_name = "FILE")]
    keys_file: Option<PathBuf>,
    /// Revocation list of the issuer, with --keys-file
    #[arg(long, value_name = "FILE", requires = "keys_file")]
    revocations_file: Option<PathBuf>,
    /// Judge as at this second, since 1970 [default: now]
    #[arg(long, value_name = "SECONDS")]
    at: Option<u64>,
}

/// What tokens are judged with.
struct Known {
    keys: Vec<u8>,
    list: Option<Vec<u8>>,
    issuer: Option<String>,
}

/// Says whether the token holds, and its claims or the code of the refusal.
///
/// # Errors
/// [`Failure::Setting`] for arguments that make no sense; [`Failure::Machine`] for keys or a list that are refused.
pub(super) fn run(command: &Verify) -> Ended {
    let known = command.keys_file.is_some().then(|| files(command)).transpose()?;
    let token = input::text(command.file.as_deref(), "the token", MAX_LENGTH)?;
    match known {
        Some(known) => judge(command, &token, known),
        None => command.reach.look(async |target| judge(command, &token, published(command, target).await?)),
    }
}

fn files(command: &Verify) -> Result<Known, Failure> {
    if command.issuer.is_none() && !command.any_issuer {
        return Err(Failure::Setting("with --keys-file, --issuer or --any-issuer must be given".to_owned()));
    }
    if command.revocations_file.is_none() && !command.no_revocations {
        return Err(Failure::Setting(
            "with --keys-file, --revocations-file or --no-revocations must be given".to_owned(),
        ));
    }
    let read = |file: &PathBuf, what, most| input::bytes(Some(file), what, most).map(|bytes| bytes.to_vec());
    let keys = command.keys_file.as_ref().map(|file| read(file, "the key set", MAX_KEYS)).transpose()?;
    let list = command.revocations_file.as_ref().map(|file| read(file, "the revocation list", MAX_LIST)).transpose()?;
    Ok(Known { keys: keys.unwrap_or_default(), list, issuer: command.issuer.clone() })
}

async fn published(command: &Verify, target: &Target) -> Result<Known, Failure> {
    let keys = target.fetch(&Ask::get(&[".well-known", "jwks.json"])).await?.to_vec();
    let list = match command.no_revocations {
        true => None,
        false => Some(target.fetch(&Ask::get(&["revocations"])).await?.to_vec()),
    };
    let issuer = match (&command.issuer, command.any_issuer) {
        (Some(issuer), _) => Some(issuer.clone()),
        (None, true) => None,
        (None, false) => {
            let metadata = target.ask(Ask::get(&[".well-known", "oauth-authorization-server"])).await?;
            let issuer = metadata.get("issuer").and_then(Value::as_str).map(str::to_owned);
            Some(
                issuer
                    .ok_or_else(|| Failure::Machine("the daemon does not say who it is: give --issuer".to_owned()))?,
            )
        }
    };
    Ok(Known { keys, list, issuer })
}

fn judge(command: &Verify, token: &str, known: Known) -> Ended {
    let policy = Policy {
        issuer: known.issuer,
        audience: (!command.any_audience).then(|| command.audience.clone()),
        leeway_secs: command.leeway,
        scope: command.scope.clone(),
        revocations: !command.no_revocations,
        max_staleness_secs: None,
    };
    let at = command.at.map(|seconds| UnixTime::from_secs(seconds).ok_or("is past the year 9999")).transpose();
    let now = at.map_err(|reason| Failure::Setting(format!("--at {reason}")))?.unwrap_or_else(|| Env::system().now());
    let keys = KeySet::parse(&known.keys);
    let keys = keys.map_err(|fault| Failure::Machine(format!("the key set is refused: {fault} ({})", fault.code())))?;
    let mut verifier = Verifier::new(policy, keys).map_err(|misuse| Failure::Setting(misuse.to_string()))?;
    if let Some(list) = &known.list {
        verifier.load_revocations(list, now).map_err(|fault| match fault {
            LoadError::Rejected(fault) => {
                Failure::Machine(format!("the revocation list is refused: {fault} ({})", fault.code()))
            }
            LoadError::Misuse(misuse) => Failure::Setting(misuse.to_string()),
        })?;
    }
    Ok(match verifier.verify(token, now) {
        Ok(verified) => {
            let claims: Value = serde_json::from_str(&verified.json).unwrap_or(Value::Null);
            let said = format!("valid\n\n{}", text::lines(&claims));
            Said::new(said, json!({"valid": true, "kid": verified.kid, "claims": claims}))
        }
        Err(fault) => {
            let told = json!({
                "valid": false, "code": fault.code(), "claim": fault.claim(), "reason": fault.reason(),
                "detail": fault.to_string()
            });
            Said::new(format!("{}\n{fault}", fault.code()), told).and_fails()
        }
    })
}
