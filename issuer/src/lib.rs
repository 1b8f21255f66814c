//! The Countersign issuer: signs token pairs, keeps sessions, publishes revocations.
//!
//! ```text
//! http ──► operations ──► session, keys, indices, revocations, store
//!   ▲
//! server ◄── cli ◄── config
//! ```
//!
//! The binary `countersign` is [`cli::main`] and nothing else. `http` speaks to `operations` only; `session` and `keys`
//! are pure; `env` alone reads the clock and the system's randomness.

pub mod audit;
pub mod backup;
pub mod cli;
pub mod clients;
pub mod config;
pub mod env;
pub mod error;
pub mod forwarding;
pub mod http;
mod indices;
pub mod keys;
pub mod limits;
pub mod operations;
pub mod passwords;
pub mod revocations;
pub mod rules;
pub mod server;
pub mod session;
pub mod store;
pub mod telemetry;
pub mod users;

pub use error::Error;
