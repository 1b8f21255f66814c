//! The way of traces, from the settings: to a collector, or nowhere.

use super::data_dir::refuse_others;
use super::remote::OtlpCollector;
use super::{Failure, input, secrets};
use crate::config::{Config, Otlp};
use crate::env::Env;
use crate::telemetry::traces::{Traces, Tracing};
use std::path::Path;
use tokio::runtime::Handle;
use zeroize::Zeroizing;

/// Bytes of the file with fields.
const MAX_HEADERS: usize = 16 * 1024;

/// Returns where traces go; `None` when no collector is named. Nobody is asked whether the collector is there.
///
/// # Errors
/// [`Failure::Setting`] and [`Failure::Machine`], when the settings cannot be used.
pub(super) fn prepare(config: &Config, runtime: &Handle) -> Result<Option<Traces>, Failure> {
    let Some(otlp) = &config.otlp else { return Ok(None) };
    let collector = collector(otlp)?;
    let Otlp { service_name, sample_per_mille, .. } = otlp.clone();
    let tracing = Tracing { service_name, sample_per_mille };
    Ok(Some(Traces::start(tracing, Env::system(), Box::new(collector), runtime.clone())))
}

/// Returns the collector, with the fields that it wants.
///
/// # Errors
/// As [`prepare`].
pub(super) fn collector(otlp: &Otlp) -> Result<OtlpCollector, Failure> {
    OtlpCollector::new(otlp, headers(otlp)?.as_deref().map(String::as_str))
}

/// The file wins over the environment, as with every secret.
fn headers(otlp: &Otlp) -> Result<Option<Zeroizing<String>>, Failure> {
    match &otlp.headers_file {
        Some(file) => of_file(file).map(Some),
        None => secrets::read(secrets::OTLP_HEADERS),
    }
}

fn of_file(file: &Path) -> Result<Zeroizing<String>, Failure> {
    let what = "telemetry.otlp_headers_file";
    let metadata = file.metadata().map_err(|error| Failure::Setting(format!("{what} {}: {error}", file.display())))?;
    refuse_others("file of telemetry.otlp_headers_file", file, &metadata, 0o600)?;
    input::text(Some(file), what, MAX_HEADERS)
}
