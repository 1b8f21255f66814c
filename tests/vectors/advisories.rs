//! Which case stands for which published weakness of a JOSE library, where it has the shape of a token.

use crate::verdicts::file;

/// Advisory, what went wrong there, and the beginning of the name of a case that is the same attack here.
const ADVISORIES: [(&str, &str, &str); 34] = [
    ("CVE-2015-2951", "alg none", "alg \"none\" without a signature"),
    ("CVE-2018-1000531", "alg none in other letters", "alg \"nOnE\" without a signature"),
    ("CVE-2021-22160", "alg none", "alg \"None\" without a signature"),
    ("CVE-2022-23540", "no algorithm asked for", "a header without alg"),
    ("CVE-2015-9235", "public key as HMAC secret", "HS256 under our public key, raw"),
    ("CVE-2016-5431", "public key as HMAC secret", "HS256 under our key as SubjectPublicKeyInfo"),
    ("CVE-2017-11424", "PEM as HMAC secret", "HS256 under our key as PEM is"),
    ("CVE-2022-29217", "OpenSSH key as HMAC secret", "HS256 under our key as OpenSSH has it"),
    ("CVE-2024-33663", "OpenSSH key as HMAC secret", "HS256 under our key as OpenSSH has it"),
    ("CVE-2023-48223", "PEM in another layout as HMAC secret", "HS256 under our key as PEM with carriage returns"),
    ("CVE-2026-34950", "PEM behind a space as HMAC secret", "HS256 under a space and our key as PEM"),
    ("CVE-2025-65945", "HMAC with a secret nobody set", "HS256 under the word secret"),
    ("CVE-2019-20933", "empty secret", "HS256 under nothing"),
    ("CVE-2026-44351", "empty secret", "HS256 under an empty key by the name of the entry \"empty\""),
    (
        "CVE-2026-44699",
        "RSA key without alg as empty secret",
        "HS256 under an empty key by the name of the entry \"rsa\"",
    ),
    ("CVE-2026-22817", "JWK without alg", "the entry \"no alg\" of a mixed set"),
    ("CVE-2020-28042", "no signature at all", "HS256 without a signature"),
    ("CVE-2022-21449", "signature of zeros", "a signature that is 64 zeros"),
    ("CVE-2018-0114", "key in the header", "jwk {"),
    ("CVE-2016-9122", "several signatures", "one good signature of several"),
    ("GHSA-jc38-x7x8-2xc8", "alg from an unprotected header", "an unprotected header is never read"),
    ("CVE-2022-39227", "compact and JSON at once", "a text that is both compact and JSON"),
    ("CVE-2023-51774", "JWE for a JWS", "a JWE header on three parts"),
    ("CVE-2026-29000", "unsigned token inside a JWE", "five parts, as a JWE has"),
    ("CVE-2024-33664", "compressed bomb", "enc and zip"),
    ("CVE-2022-36083", "iterations from the header", "p2c in the header"),
    ("CVE-2025-30204", "memory for every dot", "8192 dots"),
    ("CVE-2025-61920", "no limit of length", "a token of 8193 bytes"),
    ("CVE-2025-59420", "crit not understood", "crit [\"x\"] is refused"),
    ("CVE-2020-26160", "aud of another type", "aud as an object"),
    ("CVE-2025-30144", "iss as an array", "iss as an array"),
    ("CVE-2024-53861", "iss by substring", "iss \"https://issuer.exampl\""),
    ("CVE-2026-25537", "exp of another type read as absent", "exp as a string"),
    ("CVE-2024-51744", "expired told before a bad signature", "a bad signature is told before exp gone by"),
];

#[test]
fn every_advisory_has_its_case() {
    let file = file();
    for (advisory, what, name) in ADVISORIES {
        let found = file.cases.iter().any(|case| case.name.starts_with(name));
        assert!(found, "{advisory} ({what}): no case {name:?}");
    }
    println!("{} advisories, each with its case", ADVISORIES.len());
}
