//! `[connections]`: what one connection may send, beside the flat settings that bound how many there are and how long each waits.

use super::table::table;

table! {
    /// Bounds on one connection.
    ConnectionsTable in "connections." {
        /// Bytes of one request head, request line included
        #[arg(id = "connections.head_bytes", long = "connections-head-bytes", env = "COUNTERSIGN_CONNECTIONS_HEAD_BYTES", value_name = "BYTES")]
        head_bytes: u64 = 16_384, 8_192..=262_144; // hyper wants 8 KiB at least
        /// Header fields of one request
        #[arg(id = "connections.head_fields", long = "connections-head-fields", env = "COUNTERSIGN_CONNECTIONS_HEAD_FIELDS", value_name = "COUNT")]
        head_fields: u64 = 64, 16..=1_000;
        /// How long bytes that a client still sends are thrown away after the last answer, so that a reset does not take it back
        #[arg(id = "connections.linger_seconds", long = "connections-linger-seconds", env = "COUNTERSIGN_CONNECTIONS_LINGER_SECONDS", value_name = "SECONDS")]
        linger_seconds: u64 = 1, 0..=10;
    }
}
