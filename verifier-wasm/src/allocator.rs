//! The allocator of the module.
//!
//! Judging a token allocates nothing, and what is allocated lives long: keys, their tables, the list, what is remembered of
//! tokens. The allocator that comes with Rust weighs 3 KB more and is faster only at what is hardly done here.

use talc::wasm::{WasmDynamicTalc, new_wasm_dynamic_allocator};

#[global_allocator]
static ALLOCATOR: WasmDynamicTalc = new_wasm_dynamic_allocator();
