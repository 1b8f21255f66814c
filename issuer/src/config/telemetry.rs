//! `[telemetry]`: where the daemon tells how it is doing.

use super::table::table;
use super::{ConfigError, needed};
use http::Uri;
use std::net::SocketAddr;
use std::path::PathBuf;

table! {
    /// Metrics and traces.
    TelemetryTable in "telemetry." {
        /// Address and port of `GET /metrics`, in the clear and for everybody who reaches it [default: no metrics]
        #[arg(id = "telemetry.metrics_listen", long = "telemetry-metrics-listen", env = "COUNTERSIGN_TELEMETRY_METRICS_LISTEN", value_name = "ADDRESS:PORT")]
        metrics_listen: SocketAddr;
        /// Base URL of an OpenTelemetry collector that takes traces by OTLP over HTTP, without /v1/traces [default: no traces]
        #[arg(id = "telemetry.otlp_endpoint", long = "telemetry-otlp-endpoint", env = "COUNTERSIGN_TELEMETRY_OTLP_ENDPOINT", value_name = "URL")]
        otlp_endpoint: String;
        /// File with the only authorities that the collector's certificate may be from, in PEM [default: those of the system]
        #[arg(id = "telemetry.otlp_ca_file", long = "telemetry-otlp-ca-file", env = "COUNTERSIGN_TELEMETRY_OTLP_CA_FILE", value_name = "FILE")]
        otlp_ca_file: PathBuf;
        /// File with fields for each request to the collector, one `Name: value` a line, mode 0600 [default: none]
        #[arg(id = "telemetry.otlp_headers_file", long = "telemetry-otlp-headers-file", env = "COUNTERSIGN_TELEMETRY_OTLP_HEADERS_FILE", value_name = "FILE")]
        otlp_headers_file: PathBuf;
        /// Name of this service in traces
        #[arg(id = "telemetry.otlp_service_name", long = "telemetry-otlp-service-name", env = "COUNTERSIGN_TELEMETRY_OTLP_SERVICE_NAME", value_name = "TEXT")]
        otlp_service_name: String = "countersign".to_owned();
        /// How many of a thousand traces are kept; one that a trusted proxy began is kept if it says so
        #[arg(id = "telemetry.otlp_sample_per_mille", long = "telemetry-otlp-sample-per-mille", env = "COUNTERSIGN_TELEMETRY_OTLP_SAMPLE_PER_MILLE", value_name = "COUNT")]
        otlp_sample_per_mille: u64 = 1_000, 0..=1_000; // whoever has a collector wants to see something at first
    }
}

/// A collector of traces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Otlp {
    /// Its base URL, `http` or `https`, without user, query and fragment.
    pub endpoint: String,
    /// The authorities that its certificate may be from; `None` = those of the system.
    pub ca_file: Option<PathBuf>,
    /// The fields of each request to it.
    pub headers_file: Option<PathBuf>,
    /// The name of this service.
    pub service_name: String,
    /// How many of a thousand traces are kept.
    pub sample_per_mille: u64,
}

impl TelemetryTable {
    /// Returns where traces go; `None` when nowhere.
    pub(super) fn otlp(&self) -> Result<Option<Otlp>, ConfigError> {
        let Some(endpoint) = self.otlp_endpoint.as_deref().filter(|endpoint| !endpoint.is_empty()) else {
            return Ok(None);
        };
        if !is_base_url(endpoint) {
            let name = "telemetry.otlp_endpoint";
            let reason = "must be an http or https URL without user, query and fragment, such as http://127.0.0.1:4318";
            return Err(ConfigError::Setting { name, reason: reason.to_owned() });
        }
        let service_name = needed("telemetry.otlp_service_name", self.otlp_service_name.clone())?;
        if service_name.is_empty() || service_name.len() > 255 || service_name.chars().any(char::is_control) {
            let reason = "must be 1 to 255 bytes without control characters".to_owned();
            return Err(ConfigError::Setting { name: "telemetry.otlp_service_name", reason });
        }
        Ok(Some(Otlp {
            endpoint: endpoint.to_owned(),
            ca_file: self.otlp_ca_file.clone(),
            headers_file: self.otlp_headers_file.clone(),
            service_name,
            sample_per_mille: needed("telemetry.otlp_sample_per_mille", self.otlp_sample_per_mille)?,
        }))
    }
}

/// A user in a URL would be a secret in a setting.
fn is_base_url(text: &str) -> bool {
    let Ok(uri) = text.parse::<Uri>() else { return false };
    let of_http = matches!(uri.scheme_str(), Some("http" | "https"));
    of_http && uri.host().is_some_and(|host| !host.is_empty()) && !text.contains(['?', '#', '@'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(endpoint: &str) -> TelemetryTable {
        TelemetryTable { otlp_endpoint: Some(endpoint.to_owned()), ..TelemetryTable::defaults() }
    }

    #[test]
    fn there_are_no_traces_unless_a_collector_is_named() {
        assert_eq!(TelemetryTable::defaults().otlp(), Ok(None));
        assert_eq!(table("").otlp(), Ok(None), "an empty variable names none");
        let otlp = table("https://otel.example.com:4318/below").otlp().expect("a URL").expect("a collector");
        assert_eq!((otlp.service_name.as_str(), otlp.sample_per_mille), ("countersign", 1_000));
    }

    #[test]
    fn what_is_no_base_url_is_refused_and_never_repeated() {
        for text in
            ["localhost:4318", "grpc://a:4317", "http://", "http://user:canary@a", "http://a?canary", "http://a#canary"]
        {
            let error = table(text).otlp().expect_err(text).to_string();
            assert!(error.contains("http://127.0.0.1:4318") && !error.contains("canary"), "{error}");
        }
    }

    #[test]
    fn a_name_that_no_collector_could_show_is_refused() {
        for name in [String::new(), "a\nb".to_owned(), "a".repeat(256)] {
            let table = TelemetryTable { otlp_service_name: Some(name), ..table("http://a") };
            assert!(table.otlp().is_err());
        }
    }
}
