//! Whether a program holds code that signs: the verifier's modules must not.
//!
//! Looked for are names as rustc mangles them, so a module has to be looked at before its names are taken off.

/// Parts of names: the modules of ed25519-dalek that sign, our own, and where randomness comes from.
const NAMES: [&str; 5] = ["ed25519_dalek7signing", "ed25519_dalek6hazmat", "SigningKey", "token5issue", "getrandom"];

/// Returns which of the names occur in `program`.
pub(crate) fn names_in(program: &[u8]) -> Vec<&'static str> {
    let holds = |name: &&str| program.windows(name.len()).any(|window| window == name.as_bytes());
    NAMES.into_iter().filter(holds).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_found_and_those_of_a_verifier_are_not() {
        for name in NAMES {
            assert_eq!(names_in(format!("\0x_ZN13{name}17h0E").as_bytes()), [name]);
        }
        assert_eq!(names_in(b"_ZN13ed25519_dalek9verifying12VerifyingKey13verify_strict17h0E"), [""; 0]);
    }
}
