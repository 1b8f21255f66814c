//! The engine of wasm with SIMD: four points at a time, in four lanes.
//!
//! A sum of 64 multiples is four sums of 16, one a lane, and the four are added up at the end. Where four sums are due,
//! each has a lane for itself, and nothing is left to add up. No lane has to do with another until then, so that formulas
//! and bounds are those of one point; tables, points on their own and everything without tables are scalar's, over the
//! field in limbs of 26 and 25 bits.
//!
//! Everywhere else it is compiled for tests alone.

mod field;
mod lanes;
mod sum;

pub(crate) use sum::{sum, sums};
