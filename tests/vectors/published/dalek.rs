//! The files that ed25519-dalek tests itself with.

use super::{bytes_of, folder, holds, json, ran};

/// The two faults of a signature that `verify_strict` cannot see: parts of small order beside a part of full order.
const HARMLESS: [&str; 2] = ["low_order_component_A", "low_order_component_R"];

#[test]
fn every_cctv_signature_holds_exactly_when_its_flags_are_harmless() {
    let Some(path) = folder("CCTV (dalek VALIDATIONVECTORS)", "dalek/ed25519-dalek/VALIDATIONVECTORS") else { return };
    let (mut accepted, mut refused) = (0, 0);
    for case in json(&path).as_array().unwrap() {
        let [key, signature] = ["key", "sig"].map(|member| bytes_of(case[member].as_str().unwrap()));
        let flags = case["flags"].as_array().map(Vec::as_slice).unwrap_or_default();
        let harmless = flags.iter().all(|flag| HARMLESS.contains(&flag.as_str().unwrap()));
        let held = holds(&key, case["msg"].as_str().unwrap().as_bytes(), &signature);
        assert_eq!(held, harmless, "{case}");
        if held { accepted += 1 } else { refused += 1 }
    }
    ran(&format!("CCTV: {accepted} accepted, {refused} refused, as verify_strict does"));
    assert_eq!(accepted + refused, 914);
}

#[test]
fn every_signature_of_sign_input_holds_and_none_over_another_message() {
    let Some(path) = folder("ed25519.cr.yp.to sign.input (dalek TESTVECTORS)", "dalek/ed25519-dalek/TESTVECTORS")
    else {
        return;
    };
    let text = std::fs::read_to_string(path).unwrap();
    let mut count = 0;
    for line in text.lines() {
        // seed and public key : public key : message : signature and message :
        let fields: Vec<Vec<u8>> = line.split(':').take(4).map(bytes_of).collect();
        let [secret, key, message, signed] = fields.try_into().unwrap();
        assert_eq!(secret[32..], key);
        let signature = &signed[..64];
        assert!(holds(&key, &message, signature), "{line}");
        assert!(!holds(&key, &[&message[..], b"x"].concat(), signature), "{line}");
        count += 1;
    }
    ran(&format!("ed25519.cr.yp.to sign.input: {count} vectors"));
    assert_eq!(count, 128);
}
