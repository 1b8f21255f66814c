//! `[audit]`: how much of the audit log is kept.

use super::table::table;

table! {
    /// How much of the audit log is kept.
    AuditTable in "audit." {
        /// Days for which events are kept; older ones go, from the oldest on
        #[arg(id = "audit.retention_days", long = "audit-retention-days", env = "COUNTERSIGN_AUDIT_RETENTION_DAYS", value_name = "DAYS")]
        retention_days: u64 = 90, 1..=3_650; // a quarter: what an investigation asks for at first
        /// Events that are kept at most; each is some 550 bytes on the disk
        #[arg(id = "audit.max_events", long = "audit-max-events", env = "COUNTERSIGN_AUDIT_MAX_EVENTS", value_name = "COUNT")]
        max_events: u64 = 10_000_000, 10_000..=1_000_000_000; // some 5 GB: a full disk would stop the issuer
    }
}
