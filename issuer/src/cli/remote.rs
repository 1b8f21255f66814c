//! A daemon, over HTTP/1.1, in the clear or over TLS: one connection for each request, every wait bounded.

mod collector;
mod connection;
mod peers;
mod tls;
mod url;

pub(super) use collector::OtlpCollector;
pub(super) use peers::Peers;
pub(super) use url::Url;

use super::Failure;
use super::ask::{Ask, encoded};
use base64ct::{Base64, Encoding as _};
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::timeout;
use zeroize::Zeroizing;

/// Bytes of an answer that are read: far above the longest revocation list.
const MAX_ANSWER: usize = 256 * 1024 * 1024;

/// Who asks, and what proves it.
pub(super) struct Credentials {
    /// The `client_id`.
    pub(super) client_id: String,
    /// Its secret.
    pub(super) secret: Zeroizing<String>,
}

/// A daemon at a URL.
pub(super) struct Remote {
    url: Url,
    why: String,
    authorization: Option<HeaderValue>,
    trust: Trust,
    patience: Duration,
}

/// Whom a daemon's certificate must be from.
enum Trust {
    /// An authority of the system.
    System,
    /// An authority in this file.
    Authorities(Box<Path>),
    /// The first in this file it must be itself, or from an authority of the system.
    Own(Box<Path>),
}

impl Remote {
    /// Speaks to the daemon at `url`, and waits so long for each answer. Over TLS it must prove who it is by an authority of
    /// the system.
    pub(super) fn new(url: Url, patience: Duration) -> Self {
        Self { url, why: String::new(), authorization: None, trust: Trust::System, patience }
    }

    /// Trusts the authorities in this file, and nobody else, where there is one.
    pub(super) fn trusting(self, ca_file: Option<PathBuf>) -> Self {
        let trust = ca_file.map(|file| Trust::Authorities(file.into_boxed_path()));
        Self { trust: trust.unwrap_or(self.trust), ..self }
    }

    /// Trusts the daemon that has the certificate in this file, too, unless authorities were named: it is that of its settings.
    pub(super) fn trusting_own(self, certificate_file: Option<PathBuf>) -> Self {
        let trust = match (self.trust, certificate_file) {
            (Trust::System, Some(file)) => Trust::Own(file.into_boxed_path()),
            (trust, _) => trust,
        };
        Self { trust, ..self }
    }

    /// Proves with each request to be this client.
    pub(super) fn proving(self, credentials: &Credentials) -> Self {
        Self { authorization: basic(credentials), ..self }
    }

    /// Says, when it cannot be reached, why it was asked although nobody has named it.
    pub(super) fn asked_because(self, why: String) -> Self {
        Self { why, ..self }
    }

    /// Returns where it is.
    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// Returns the answer to `ask`. A redirection is an answer like any other: credentials go nowhere else.
    ///
    /// # Errors
    /// [`Failure::Unreachable`] when there is none.
    pub(super) async fn answer(&self, ask: &Ask) -> Result<Response<Bytes>, Failure> {
        self.in_time(async { self.whole(self.begun(ask).await?).await }).await
    }

    /// Gives the body of the answer to `into`, piece by piece, if it is what was asked for; else returns the answer.
    ///
    /// # Errors
    /// [`Failure::Unreachable`] when there is none or it breaks off; what `into` says.
    pub(super) async fn pour(
        &self,
        ask: &Ask,
        mut into: impl FnMut(&[u8]) -> Result<(), Failure>,
    ) -> Result<Option<Response<Bytes>>, Failure> {
        let answer = self.in_time(self.begun(ask)).await?;
        if !answer.status().is_success() {
            return self.in_time(self.whole(answer)).await.map(Some);
        }
        let mut body = answer.into_body();
        let next = |frame: Option<Result<_, _>>| frame.transpose().map_err(|error| self.unreachable(&error));
        while let Some(frame) = self.in_time(async { next(body.frame().await) }).await? {
            into(frame.data_ref().map_or(&[][..], |piece| piece))?;
        }
        Ok(None)
    }

    async fn in_time<T>(&self, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        match timeout(self.patience, work).await {
            Ok(done) => done,
            Err(_) => Err(self.unreachable(&format!("no answer within {} s", self.patience.as_secs()))),
        }
    }

    async fn whole(&self, answer: Response<Incoming>) -> Result<Response<Bytes>, Failure> {
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, MAX_ANSWER).collect().await.map_err(|error| self.unreachable(&error))?;
        Ok(Response::from_parts(head, body.to_bytes()))
    }

    async fn begun(&self, ask: &Ask) -> Result<Response<Incoming>, Failure> {
        let mut request = ask.request(self.url.prefix())?.map(Full::new);
        request.headers_mut().extend(self.authorization.clone().map(|value| (AUTHORIZATION, value)));
        let system = || tls::connector(None, "--ca-file");
        let connector = || match &self.trust {
            Trust::System => system(),
            Trust::Authorities(file) => tls::connector(Some(file), "--ca-file"),
            // Whoever may not read that file goes by the authorities alone.
            Trust::Own(file) => tls::connector_to_own(file).or_else(|failure| system().map_err(|_| failure)),
        };
        let tls = self.url.tls_name().map(|_| connector()).transpose()?;
        let begun = connection::send(&self.url, tls.as_ref(), request).await;
        begun.map_err(|cause| self.unreachable(&cause))
    }

    fn unreachable(&self, cause: &impl ToString) -> Failure {
        let why = if self.why.is_empty() { String::new() } else { format!(" ({})", self.why) };
        Failure::Unreachable(format!(
            "the daemon at {} cannot be reached: {}{why}; `countersign serve` starts one, --url names another, \
             --data-dir opens the store of one that is stopped",
            self.url,
            cause.to_string()
        ))
    }
}

/// Returns HTTP Basic credentials, form-urlencoded first (RFC 6749 §2.3.1).
fn basic(credentials: &Credentials) -> Option<HeaderValue> {
    let pair = Zeroizing::new(format!("{}:{}", encoded(&credentials.client_id), encoded(&credentials.secret)));
    let value = Zeroizing::new(format!("Basic {}", Base64::encode_string(pair.as_bytes())));
    let mut value = HeaderValue::from_str(&value).ok()?;
    value.set_sensitive(true);
    Some(value)
}
