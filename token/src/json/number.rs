//! Numbers: their grammar (RFC 8259 §6), and whether a double can hold them.
//!
//! No number is converted here. Whether one is too large is decided on its decimal digits, exactly.

/// The digits of 2^1024 − 2^970, the least number that rounds to infinity (IEEE 754, ties to even): 0.179… × 10^309.
const TOO_LARGE: &[u8; 309] = b"179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017977587207096330286416692887910946555547851940402630657488671505820681908902000708383676273854845817711531764475730270069855571366959622842914819860834936475292719074168444365510704342711559699508093042880177904174497792";

/// Returns the bytes of the number that `rest` begins with; `None` when it begins with none, or one too large for a double.
pub(super) fn length(rest: &[u8]) -> Option<usize> {
    let sign = usize::from(rest.first() == Some(&b'-'));
    let whole = digits(rest, sign);
    let leading_zero = rest.get(sign) == Some(&b'0');
    if whole == 0 || (leading_zero && whole > 1) {
        return None;
    }
    let mut at = sign + whole;
    let mut fraction = 0;
    if rest.get(at) == Some(&b'.') {
        fraction = digits(rest, at + 1);
        if fraction == 0 {
            return None;
        }
        at += 1 + fraction;
    }
    let mut exponent = 0;
    if matches!(rest.get(at), Some(b'e' | b'E')) {
        let negative = rest.get(at + 1) == Some(&b'-');
        at += 1 + usize::from(matches!(rest.get(at + 1), Some(b'+' | b'-')));
        let count = digits(rest, at);
        if count == 0 {
            return None;
        }
        exponent = power(rest.get(at..at + count)?, negative);
        at += count;
    }
    let mantissa = rest.get(sign..sign + whole + if fraction == 0 { 0 } else { 1 + fraction })?;
    let small = exponent == 0 && whole < TOO_LARGE.len();
    if small || !is_too_large(mantissa, whole, exponent) { Some(at) } else { None }
}

/// Returns the number that these decimal digits are; `None` for no digit, for anything else among them, and beyond 2^64 − 1.
pub(crate) fn whole(digits: &str) -> Option<u64> {
    let digit = |byte| char::from(byte).to_digit(10).map(u64::from);
    let value = digits.bytes().try_fold(0_u64, |value, byte| value.checked_mul(10)?.checked_add(digit(byte)?))?;
    (!digits.is_empty()).then_some(value)
}

/// How many digits there are from `at` on.
fn digits(rest: &[u8], at: usize) -> usize {
    rest.get(at..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// The value of an exponent, or one that is far beyond what the digits of any text could make up for.
fn power(digits: &[u8], negative: bool) -> i64 {
    let value = digits
        .iter()
        .fold(0_i64, |value, digit| value.saturating_mul(10).saturating_add(i64::from(digit - b'0')).min(i64::MAX / 4));
    if negative { -value } else { value }
}

/// Whether digits with a point behind the first `whole` of them, times ten to the `exponent`, round to infinity.
#[inline(never)] // few numbers are long or have an exponent
fn is_too_large(mantissa: &[u8], whole: usize, exponent: i64) -> bool {
    let mut limit = TOO_LARGE.iter();
    // The number is 0.ddd × 10^magnitude, once zeros in front have been passed.
    let signed = |count: usize| i64::try_from(count).unwrap_or(i64::MAX / 4);
    let mut magnitude = signed(whole) + exponent;
    let mut leading = true;
    for digit in mantissa.iter().filter(|byte| **byte != b'.') {
        if leading && *digit == b'0' {
            magnitude -= 1;
            continue;
        }
        if leading && magnitude != signed(TOO_LARGE.len()) {
            return magnitude > signed(TOO_LARGE.len());
        }
        leading = false;
        match limit.next() {
            None => return true, // as large in every digit of the limit
            Some(most) if digit != most => return digit > most,
            Some(_) => {}
        }
    }
    !leading && limit.all(|most| *most == b'0') // what is not written are zeros; zero itself is never too large
}
