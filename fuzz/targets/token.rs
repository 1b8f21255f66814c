#![no_main]

use countersign_fuzz::{seeds, token};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: seeds::write("token"), |input: &[u8]| token::judge(input));
