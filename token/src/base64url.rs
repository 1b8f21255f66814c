//! Base64url without padding (RFC 4648 §5 as RFC 7515 §2 uses it), strict: one text for each sequence of bytes.
//!
//! Not constant-time: what is decoded here is public. Secrets are encoded by their owners.

/// The text is not the one base64url encoding of any bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// Marks a byte that is not in the alphabet; every real value is below 64.
const NONE: u8 = 0xff;
const VALUES: [u8; 256] = values();

#[allow(clippy::as_conversions, clippy::indexing_slicing)] // evaluated by the compiler: an overflow or a wrong index is a build error
const fn values() -> [u8; 256] {
    let mut table = [NONE; 256];
    let mut value = 0;
    while value < 64 {
        table[ALPHABET[value] as usize] = value as u8;
        value += 1;
    }
    table
}

/// Returns the base64url text of `bytes`, without padding.
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let word = group.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for position in 0..=group.len() {
            let value = usize::try_from(word >> (18 - 6 * position) & 63).unwrap_or_default();
            text.push(char::from(ALPHABET.get(value).copied().unwrap_or(b'A')));
        }
    }
    text
}

/// Appends the bytes that `text` encodes to `out`, at most three for every four characters.
///
/// # Errors
/// [`Malformed`] for a character outside the alphabet (padding and white space too), a length of 4n+1, and bits left
/// over that are not zero. `out` may then hold part of the bytes.
pub fn decode_into(text: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    out.reserve(text.len() / 4 * 3 + 2);
    let mut quads = text.chunks_exact(4);
    for quad in quads.by_ref() {
        let word = word(quad)?;
        let [_, a, b, c] = word.to_be_bytes();
        out.extend_from_slice(&[a, b, c]);
    }
    let rest = quads.remainder();
    let word = word(rest)? << (6 * (4 - rest.len()) % 24);
    let [_, a, b, c] = word.to_be_bytes();
    match (rest.len(), a, b, c) {
        (0, ..) => Ok(()),
        (2, a, 0, 0) => {
            out.push(a);
            Ok(())
        }
        (3, a, b, 0) => {
            out.extend_from_slice(&[a, b]);
            Ok(())
        }
        _ => Err(Malformed), // a lone character, or bits left over
    }
}

/// Returns the bytes that `text` encodes.
///
/// # Errors
/// As [`decode_into`].
pub fn decode(text: &[u8]) -> Result<Vec<u8>, Malformed> {
    let mut out = Vec::new();
    decode_into(text, &mut out)?;
    Ok(out)
}

/// Returns the `N` bytes that `text` encodes.
///
/// # Errors
/// As [`decode_into`], and [`Malformed`] for any other number of bytes.
pub fn decode_array<const N: usize>(text: &str) -> Result<[u8; N], Malformed> {
    if text.len() != (N * 4).div_ceil(3) {
        return Err(Malformed);
    }
    decode(text.as_bytes())?.try_into().map_err(|_| Malformed)
}

fn word(characters: &[u8]) -> Result<u32, Malformed> {
    let mut word = 0_u32;
    let mut seen = 0_u8;
    for character in characters {
        let value = VALUES.get(usize::from(*character)).copied().unwrap_or(NONE);
        seen |= value;
        word = word << 6 | u32::from(value & 63);
    }
    if seen > 63 { Err(Malformed) } else { Ok(word) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_of_rfc_4648_section_10_encode_and_decode() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg"),
            ("fo", "Zm8"),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg"),
            ("fooba", "Zm9vYmE"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(encode(bytes.as_bytes()), text);
            assert_eq!(decode(text.as_bytes()), Ok(bytes.as_bytes().to_vec()));
        }
        assert_eq!(encode(&[0xfb, 0xff]), "-_8");
    }

    #[test]
    fn every_other_spelling_is_refused() {
        for text in
            ["A", "AAAAA", "Zg==", "Zm8=", "Zh", "Zm9", "Zm 9v", "Zm9v\n", "+_8", "-/8", "Zm9\u{e9}", ".", "AAA\0"]
        {
            assert_eq!(decode(text.as_bytes()), Err(Malformed), "{text:?}");
        }
        assert_eq!(decode_array::<2>("Zg"), Err(Malformed));
        assert_eq!(decode_array::<1>("Zg"), Ok([b'f']));
    }

    proptest! {
        #[test]
        fn what_decodes_encodes_to_the_same_text(text in "[A-Za-z0-9_-]{0,40}") {
            if let Ok(bytes) = decode(text.as_bytes()) { prop_assert_eq!(encode(&bytes), text); }
        }

        #[test]
        fn every_sequence_of_bytes_survives(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            prop_assert_eq!(decode(encode(&bytes).as_bytes()), Ok(bytes));
        }

        #[test]
        fn arbitrary_bytes_never_panic(text in proptest::collection::vec(any::<u8>(), 0..100)) {
            if let Ok(bytes) = decode(&text) { prop_assert_eq!(encode(&bytes).into_bytes(), text); }
        }
    }
}
