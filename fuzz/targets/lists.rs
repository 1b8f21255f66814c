#![no_main]

use countersign_fuzz::{lists, seeds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: seeds::write("lists"), |input: &[u8]| lists::judge(input));
