//! End to end: the real binary, over HTTP.

#![allow(clippy::panic, clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing)] // test code, which clippy.toml exempts only inside #[test]

mod good_paths;
