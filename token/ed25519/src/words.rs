//! 32 bytes as four 64-bit words, least significant first: RFC 8032's order of bytes for integers.

/// Returns the words of the integer that `bytes` encode.
pub(super) const fn from_bytes(bytes: &[u8; 32]) -> [u64; 4] {
    match bytes.as_chunks::<8>().0 {
        [a, b, c, d] => {
            [u64::from_le_bytes(*a), u64::from_le_bytes(*b), u64::from_le_bytes(*c), u64::from_le_bytes(*d)]
        }
        _ => [0; 4], // 32 bytes are four times eight
    }
}

/// Returns the bytes of the integer with these words.
pub(super) fn to_bytes(words: [u64; 4]) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (eight, word) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(words) {
        *eight = word.to_le_bytes();
    }
    bytes
}

/// Returns the bytes that 64 hexadecimal digits write; evaluated by the compiler alone.
#[allow(
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "evaluated by the compiler, which refuses both faults"
)]
pub(super) const fn from_hex(digits: &str) -> [u8; 32] {
    let digits = digits.as_bytes();
    let mut bytes = [0; 32];
    let mut at = 0;
    while at < 64 {
        let digit = (digits[at] as char).to_digit(16);
        bytes[at / 2] = bytes[at / 2] << 4
            | match digit {
                Some(digit) => digit as u8,
                None => 0,
            };
        at += 1;
    }
    bytes
}
