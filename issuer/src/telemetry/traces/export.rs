//! Ended spans on their way: from the queue's own thread into the bytes of OTLP, and to the collector.

use super::Collector;
use crate::telemetry::field;
use crate::telemetry::metrics::METRICS;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use prost::Message as _;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::runtime::Handle;

/// Sends spans, and tells once when they are lost and once when they arrive again.
pub(super) struct Exporter {
    collector: Box<dyn Collector>,
    runtime: Handle,
    resource: ResourceAttributesWithSchema,
    losing: AtomicBool,
}

impl Exporter {
    /// Sends to `collector`, on `runtime`.
    pub(super) fn new(collector: Box<dyn Collector>, runtime: Handle) -> Self {
        let resource = ResourceAttributesWithSchema::default();
        Self { collector, runtime, resource, losing: AtomicBool::new(false) }
    }

    fn tell(&self, spans: usize, sent: &Result<(), String>) {
        METRICS.exported(spans, sent.is_ok());
        let lost_before = self.losing.swap(sent.is_err(), Ordering::Relaxed);
        match sent {
            Err(reason) if !lost_before => {
                tracing::warn!({ field::ERROR } = reason, "the collector takes no spans: they are lost until it does");
            }
            Ok(()) if lost_before => tracing::info!("the collector takes spans again"),
            Ok(()) | Err(_) => {}
        }
    }
}

impl SpanExporter for Exporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        let resource_spans = group_spans_by_resource_and_scope(batch, &self.resource);
        let bytes = ExportTraceServiceRequest { resource_spans }.encode_to_vec();
        // The queue's thread is none of the runtime's: it only waits for what is done there.
        let sent = self.runtime.spawn(self.collector.take(bytes)).await;
        let sent = sent.unwrap_or_else(|_| Err("the daemon is ending".to_owned()));
        self.tell(spans, &sent);
        sent.map_err(OTelSdkError::InternalFailure)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.resource = resource.into();
    }
}

impl fmt::Debug for Exporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exporter")
    }
}
