//! What answers a verb. Everything above is the same for both ways: the same paths, the same JSON.

use super::Failure;
use super::ask::Ask;
use super::local::Local;
use super::remote::Remote;
use bytes::Bytes;
use clap::Args;
use http::Response;
use http::header::RETRY_AFTER;
use serde_json::Value;

/// The issuer that a verb speaks to.
pub(super) enum Target {
    /// A daemon, over HTTP.
    Remote(Remote),
    /// The daemon's routes in this process, over a store that no daemon has open.
    Local(Local),
}

/// Which part of a list is wanted.
#[derive(Args)]
pub(super) struct Paging {
    /// Items at most
    #[arg(long, default_value_t = 1_000, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
    /// Go on where an earlier answer ended: its `next`
    #[arg(long, value_name = "CURSOR", allow_hyphen_values = true)]
    after: Option<String>,
}

/// Items that are asked for at once; more than a daemon answers it does not have to make.
const PAGE: usize = 200;

impl Target {
    /// Returns the JSON that answers `ask`; null when there is none.
    ///
    /// # Errors
    /// [`Failure::Refused`] with the code of the answer; what else keeps an answer from coming.
    pub(super) async fn ask(&self, ask: Ask) -> Result<Value, Failure> {
        let body = self.fetch(&ask).await?;
        if body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&body).map_err(|_| {
            Failure::Machine(format!(
                "{} answers {} with something else than JSON: is it countersign?",
                self.name(),
                ask.path()
            ))
        })
    }

    /// Returns the bytes that answer `ask`.
    ///
    /// # Errors
    /// As [`Target::ask`].
    pub(super) async fn fetch(&self, ask: &Ask) -> Result<Bytes, Failure> {
        let answer = match self {
            Self::Remote(remote) => remote.answer(ask).await?,
            Self::Local(local) => local.answer(ask).await?,
        };
        if answer.status().is_success() { Ok(answer.into_body()) } else { Err(self.refused(&answer)) }
    }

    /// Gives the bytes that answer `ask` to `into`, piece by piece, however many there are.
    ///
    /// # Errors
    /// As [`Target::ask`]; what `into` says.
    pub(super) async fn pour(
        &self,
        ask: &Ask,
        mut into: impl FnMut(&[u8]) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        match self {
            Self::Remote(remote) => match remote.pour(ask, into).await? {
                None => Ok(()),
                Some(answer) => Err(self.refused(&answer)),
            },
            Self::Local(_) => into(&self.fetch(ask).await?),
        }
    }

    /// Returns the items of the list that `ask` makes for `(limit, after)`, as many as wanted, and where the rest begins.
    ///
    /// # Errors
    /// As [`Target::ask`].
    pub(super) async fn list(
        &self,
        paging: &Paging,
        ask: impl Fn() -> Ask,
    ) -> Result<(Vec<Value>, Option<String>), Failure> {
        let wanted = usize::try_from(paging.limit).unwrap_or(usize::MAX);
        let (mut items, mut after) = (Vec::new(), paging.after.clone());
        loop {
            let limit = wanted.saturating_sub(items.len()).min(PAGE);
            let mut page = self.ask(ask().query("limit", Some(limit)).query("after", after.as_ref())).await?;
            if let Some(Value::Array(found)) = page.get_mut("items").map(Value::take) {
                items.extend(found);
            }
            after = page.get("next").and_then(Value::as_str).map(str::to_owned);
            if after.is_none() || items.len() >= wanted {
                return Ok((items, after));
            }
        }
    }

    /// Finishes what was begun.
    ///
    /// # Errors
    /// [`Failure::Store`] when the store does not close.
    pub(super) async fn close(self) -> Result<(), Failure> {
        match self {
            Self::Remote(_) => Ok(()),
            Self::Local(local) => local.close().await,
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Remote(remote) => format!("the daemon at {}", remote.url()),
            Self::Local(_) => "the store".to_owned(),
        }
    }

    /// Says what a refusal means for whoever typed the command.
    fn refused(&self, answer: &Response<Bytes>) -> Failure {
        let status = answer.status();
        let told: Value = serde_json::from_slice(answer.body()).unwrap_or(Value::Null);
        let after = answer.headers().get(RETRY_AFTER).and_then(|seconds| seconds.to_str().ok());
        let text = |name: &str| told.get(name).and_then(Value::as_str).map(str::to_owned);
        let code = text("code").or_else(|| text("error")).unwrap_or_else(|| format!("http_{}", status.as_u16()));
        let said = text("detail").or_else(|| text("error_description"));
        let said = said.unwrap_or_else(|| format!("the answer is {status}: is it countersign?"));
        let cure = match (code.as_str(), self) {
            ("invalid_client", Self::Remote(_)) => {
                "; --client-id names the client, COUNTERSIGN_CLIENT_SECRET or --client-secret-file has its secret"
                    .to_owned()
            }
            ("invalid_client", Self::Local(_)) => "; --client-id names another client of this store".to_owned(),
            ("unauthorized_client", _) => "; --client-id names another one, such as an administrator".to_owned(),
            ("not_found", Self::Remote(_)) if text("code").is_some() => {
                "; the name may be wrong, or the daemon older than this command".to_owned()
            }
            _ => after.map(|seconds| format!("; try again in {seconds} s")).unwrap_or_default(),
        };
        Failure::Refused { detail: format!("{} refuses: {said}{cure}", self.name()), code }
    }
}
