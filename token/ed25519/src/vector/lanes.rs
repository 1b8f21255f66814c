//! What the vectors are made of: four numbers of 32 bits, or two of 64, and the few operations that the field needs.
//!
//! In wasm they are the instructions of simd128. Everywhere else they are arrays, whose every operation asserts while
//! tests run that no bit is lost: the bounds written in field.rs are thereby checked with the limbs at their largest.

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
#[path = "lanes/wasm.rs"]
mod machine;
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
#[path = "lanes/portable.rs"]
mod machine;

pub(super) use machine::{Pair, Quad};
