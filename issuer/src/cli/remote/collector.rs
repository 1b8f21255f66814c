//! An OpenTelemetry collector, over OTLP in HTTP (`POST /v1/traces`): what the daemon sends its spans to.

use super::super::Failure;
use super::{Url, connection, tls};
use crate::config::Otlp;
use crate::telemetry::traces::{Collector, MEDIA_TYPE, Taken};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use http_body_util::Full;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// How long one sending may take, the connection included.
const PATIENCE: Duration = Duration::from_secs(5);

/// A collector at a URL. Each sending has a connection of its own: there is one in two seconds, or 512 spans to pay for it.
pub(in crate::cli) struct OtlpCollector(Arc<Place>);

struct Place {
    url: Url,
    tls: Option<TlsConnector>,
    headers: HeaderMap,
}

impl OtlpCollector {
    /// Sends to the collector of these settings; each line of `headers` is a field of every request.
    ///
    /// # Errors
    /// [`Failure::Setting`] for a line that is no field, for authorities that cannot be used, and for fields that others
    /// could read on their way; [`Failure::Machine`] when the system trusts nobody.
    pub(in crate::cli) fn new(otlp: &Otlp, headers: Option<&str>) -> Result<Self, Failure> {
        let url = Url::named("telemetry.otlp_endpoint", &otlp.endpoint)?;
        let headers = fields(headers.unwrap_or_default())?;
        if !headers.is_empty() && !url.is_private() {
            return Err(Failure::Setting(format!(
                "telemetry.otlp_headers_file: its fields would go to {url} in the clear: use https"
            )));
        }
        let ca_file = otlp.ca_file.as_deref();
        let tls = url.tls_name().map(|_| tls::connector(ca_file, "telemetry.otlp_ca_file")).transpose()?;
        Ok(Self(Arc::new(Place { url, tls, headers })))
    }
}

impl Collector for OtlpCollector {
    fn take(&self, spans: Vec<u8>) -> Taken {
        let place = Arc::clone(&self.0);
        Box::pin(async move {
            match timeout(PATIENCE, place.send(spans)).await {
                Ok(sent) => sent.map_err(|reason| format!("{}: {reason}", place.url)),
                Err(_) => Err(format!("{}: no answer within {} s", place.url, PATIENCE.as_secs())),
            }
        })
    }
}

impl Place {
    /// The answer's body is not read: what it says of single spans changes nothing, and the connection ends here.
    async fn send(&self, spans: Vec<u8>) -> Result<(), String> {
        let mut request = Request::post(format!("{}/v1/traces", self.url.prefix()))
            .body(Full::new(Bytes::from(spans)))
            .map_err(|error| error.to_string())?;
        request.headers_mut().extend(self.headers.clone());
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        let answer = connection::send(&self.url, self.tls.as_ref(), request).await?;
        if answer.status().is_success() { Ok(()) } else { Err(format!("the answer is {}", answer.status())) }
    }
}

/// Parses `Name: value` lines. No message repeats one, because a value is a secret as a rule.
fn fields(lines: &str) -> Result<HeaderMap, Failure> {
    let mut fields = HeaderMap::new();
    for (number, line) in lines.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let field = line.split_once(':').and_then(|(name, value)| {
            let mut value = HeaderValue::from_str(value.trim()).ok()?;
            value.set_sensitive(true);
            Some((name.trim().parse::<HeaderName>().ok()?, value))
        });
        let Some((name, value)) = field else {
            let line = number.saturating_add(1);
            return Err(Failure::Setting(format!("line {line} of telemetry.otlp_headers_file is no `Name: value`")));
        };
        fields.insert(name, value);
    }
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn otlp(endpoint: &str) -> Otlp {
        Otlp {
            endpoint: endpoint.to_owned(),
            ca_file: None,
            headers_file: None,
            service_name: "countersign".to_owned(),
            sample_per_mille: 1_000,
        }
    }

    #[test]
    fn fields_are_read_a_line_each_and_a_wrong_one_is_not_repeated() {
        let read = fields("Authorization: Bearer canary\n\nx-tenant:a\n").expect("fields");
        assert_eq!(read.get("authorization").map(HeaderValue::as_bytes), Some(&b"Bearer canary"[..]));
        assert!(read.values().all(HeaderValue::is_sensitive));
        for wrong in ["canary", "x y: canary", "x: can\u{7f}ary"] {
            let failure = fields(&format!("a: b\n{wrong}")).expect_err("no field").to_string();
            assert!(failure.contains("line 2") && !failure.contains("ary"), "{failure}");
        }
    }

    #[test]
    fn fields_leave_this_machine_over_tls_only() {
        assert!(OtlpCollector::new(&otlp("http://10.0.0.1:4318"), Some("a: b")).is_err());
        assert!(OtlpCollector::new(&otlp("http://10.0.0.1:4318"), None).is_ok());
        assert!(OtlpCollector::new(&otlp("http://127.0.0.1:4318"), Some("a: b")).is_ok());
    }
}
