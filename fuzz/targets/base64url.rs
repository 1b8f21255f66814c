#![no_main]

use countersign_fuzz::{base64url, seeds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: seeds::write("base64url"), |input: &[u8]| base64url::judge(input));
