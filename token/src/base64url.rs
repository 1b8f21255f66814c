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
/// over that are not zero. `out` may then hold bytes that mean nothing.
pub fn decode_into(text: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    let start = out.len();
    out.resize(start + text.len() / 4 * 3, 0);
    let (quads, rest) = text.as_chunks::<4>();
    let (groups, _) = out.get_mut(start..).unwrap_or_default().as_chunks_mut::<3>();
    // One look at the end: what a character outside the alphabet leaves in `out` is never used.
    let mut seen = 0;
    for (group, quad) in groups.iter_mut().zip(quads) {
        let [a, b, c, d] = *quad;
        let (a, b, c, d) = (value(a), value(b), value(c), value(d)); // `map` is a call for each, where code is made small
        seen |= a | b | c | d;
        let word = u32::from(a) << 18 | u32::from(b) << 12 | u32::from(c) << 6 | u32::from(d);
        let [_, a, b, c] = word.to_be_bytes();
        *group = [a, b, c];
    }
    if seen > 63 { Err(Malformed) } else { decode_rest(rest, out) }
}

/// Appends what the last one to three characters encode.
fn decode_rest(rest: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    let mut values = rest.iter().copied().map(value);
    let mut next = || match values.next() {
        Some(NONE) => Err(Malformed),
        value => Ok(value),
    };
    match (next()?, next()?, next()?) {
        (None, ..) => Ok(()),
        (Some(a), Some(b), None) if b & 15 == 0 => {
            out.push(a << 2 | b >> 4);
            Ok(())
        }
        (Some(a), Some(b), Some(c)) if c & 3 == 0 => {
            out.extend_from_slice(&[a << 2 | b >> 4, b << 4 | c >> 2]);
            Ok(())
        }
        _ => Err(Malformed), // a lone character, or bits left over
    }
}

fn value(character: u8) -> u8 {
    VALUES.get(usize::from(character)).copied().unwrap_or(NONE)
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

    /// One character at a time, bit by bit.
    fn reference(text: &[u8]) -> Result<Vec<u8>, Malformed> {
        let (mut bits, mut held, mut bytes) = (0_u32, 0_u32, Vec::new());
        for character in text {
            let value = ALPHABET.iter().position(|other| other == character).ok_or(Malformed)?;
            (bits, held) = (bits << 6 | u32::try_from(value).unwrap_or(64), held + 6);
            if held >= 8 {
                held -= 8;
                bytes.push(u8::try_from(bits >> held).map_err(|_| Malformed)?);
                bits &= (1 << held) - 1;
            }
        }
        if held == 6 || bits != 0 { Err(Malformed) } else { Ok(bytes) }
    }

    #[test]
    fn every_byte_at_every_place_is_taken_or_refused_as_one_by_one() {
        for length in 0..14 {
            for place in 0..length {
                for byte in 0..=u8::MAX {
                    let mut text = vec![b'A'; length];
                    text[place] = byte;
                    assert_eq!(decode(&text), reference(&text), "{}", text.escape_ascii());
                }
            }
        }
    }

    #[test]
    fn bits_left_over_must_be_zero() {
        for first in *ALPHABET {
            for last in *ALPHABET {
                for text in
                    [vec![first, last], vec![b'_', first, last], [b"Zm9vYmFy".as_slice(), &[first, last]].concat()]
                {
                    let decoded = decode(&text);
                    assert_eq!(decoded, reference(&text), "{}", text.escape_ascii());
                    assert!(decoded.is_err() || encode(&decoded.unwrap()).into_bytes() == text);
                }
            }
        }
    }

    #[test]
    fn what_is_decoded_is_appended() {
        let mut out = b"before ".to_vec();
        assert_eq!(decode_into(b"Zm9vYmE", &mut out), Ok(()));
        assert_eq!(out, b"before fooba");
    }

    proptest! {
        #[test]
        fn texts_decode_as_one_character_at_a_time(
            mut text in "[A-Za-z0-9_-]{0,60}".prop_map(String::into_bytes),
            wrong in proptest::option::of((any::<prop::sample::Index>(), any::<u8>())),
        ) {
            if let (Some((place, byte)), false) = (wrong, text.is_empty()) {
                *place.get_mut(&mut text) = byte;
            }
            prop_assert_eq!(decode(&text), reference(&text));
        }

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
