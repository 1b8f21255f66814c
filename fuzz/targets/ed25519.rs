#![no_main]

use countersign_fuzz::{ed25519, seeds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: seeds::write("ed25519"), |input: &[u8]| ed25519::judge(input));
