//! Everything below `ed25519` against ed25519-dalek and curve25519-dalek.

mod field;
mod forge;
mod order;
mod point;
mod tables;
mod verdict;
