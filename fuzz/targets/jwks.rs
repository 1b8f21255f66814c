#![no_main]

use countersign_fuzz::{jwks, seeds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: seeds::write("jwks"), |input: &[u8]| jwks::judge(input));
