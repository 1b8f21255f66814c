#![no_main]

use countersign_fuzz::{json, seeds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: seeds::write("json"), |input: &[u8]| json::judge(input));
