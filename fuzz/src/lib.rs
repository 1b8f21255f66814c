//! What the fuzz targets do, one module each: a function `judge` that panics when something that must hold does not.
//!
//! Built by `cargo xtask fuzz` on the stable toolchain, with the coverage that libFuzzer needs. The first bytes of an input
//! say what is made of the rest, so that what is signed rightly gets behind the signature too.

pub mod base64url;
mod bytes;
pub mod ed25519;
pub mod json;
pub mod jwks;
pub mod lists;
pub mod seeds;
mod signer;
pub mod token;
