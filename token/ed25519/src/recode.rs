//! Scalars in signed digits, for additions of multiples that are at hand.

/// A scalar in base 256 with 32 digits in −128..=127, least significant first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Digits(pub(crate) [i8; 32]);

impl Digits {
    /// Returns the digits of a scalar of 32 little-endian bytes below the group order, hence below 2^253.
    pub(crate) fn of(scalar: &[u8; 32]) -> Self {
        let mut carry = false;
        Self(scalar.map(|byte| {
            // From 128 on, a digit is 256 less and the next one more; the last byte is at most 16, so none is left over.
            let (digit, over) = byte.overflowing_add(u8::from(carry));
            carry = over || digit > 127;
            digit.cast_signed()
        }))
    }
}

/// Returns a scalar below the group order in base 2, the digits zero or odd and below 2^(`width` − 1) in size, with at
/// least `width` − 1 zeros between two that are not; least significant first. `width` is 2 to 8.
pub(crate) fn odd_digits(scalar: &[u8; 32], width: u32) -> [i8; 256] {
    let mut bits = scalar.iter().flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1));
    let mut digits = [0; 256];
    let mut window: i16 = 0; // the next `width` bits and what was carried into them
    for bit in 0..width {
        window |= i16::from(bits.next().unwrap_or_default()) << bit;
    }
    for digit in &mut digits {
        if window & 1 == 1 {
            let half = 1 << (width - 1);
            let odd = ((window + half) & (2 * half - 1)) - half;
            *digit = i8::try_from(odd).unwrap_or_default();
            window -= odd;
        }
        window = (window >> 1) + (i16::from(bits.next().unwrap_or_default()) << (width - 1));
    }
    digits
}
