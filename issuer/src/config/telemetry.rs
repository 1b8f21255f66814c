//! `[telemetry]`: where the daemon tells how it is doing.

use super::table::table;
use std::net::SocketAddr;

table! {
    /// Metrics.
    TelemetryTable in "telemetry." {
        /// Address and port of `GET /metrics`, in the clear and for everybody who reaches it [default: no metrics]
        #[arg(id = "telemetry.metrics_listen", long = "telemetry-metrics-listen", env = "COUNTERSIGN_TELEMETRY_METRICS_LISTEN", value_name = "ADDRESS:PORT")]
        metrics_listen: SocketAddr;
    }
}
