//! Texts between quotes: eight bytes a step up to the first that means something, escapes into the tape's own memory.

use super::Fault;
use super::reader::Reader;
use super::tape::{Kind, Node};

/// A one in each byte of a word.
const ONES: u64 = u64::MAX / 255;

impl Reader<'_> {
    /// Takes a text from its opening quote on.
    pub(super) fn quoted(&mut self) -> Result<Node, Fault> {
        self.at += 1;
        let start = self.at;
        self.skip_plain();
        let end = self.at;
        match self.byte()? {
            b'"' => {
                self.at += 1;
                Ok(Node { kind: Kind::Text, start, end })
            }
            b'\\' => self.unescape(start),
            _ => Err(Fault::Syntax), // RFC 8259 §7: control characters must be escaped
        }
    }

    /// Steps over bytes that stand for themselves: all but quotes, backslashes and control characters.
    fn skip_plain(&mut self) {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let mut taken = 0;
        let (words, tail) = rest.as_chunks::<8>();
        for word in words {
            match special(u64::from_le_bytes(*word)) {
                0 => taken += 8,
                found => {
                    self.at += taken + usize::try_from(found.trailing_zeros() / 8).unwrap_or(0);
                    return;
                }
            }
        }
        let plain = tail.iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20)).count();
        self.at += taken + plain;
    }

    /// Takes the rest of a text that began at `start` and holds a backslash here.
    fn unescape(&mut self, start: usize) -> Result<Node, Fault> {
        let begin = self.tape.unescaped.len();
        let mut plain = start;
        loop {
            self.tape.unescaped.push_str(self.text.get(plain..self.at).unwrap_or_default());
            let byte = self.byte()?;
            self.at += 1;
            match byte {
                b'"' => return Ok(Node { kind: Kind::Unescaped, start: begin, end: self.tape.unescaped.len() }),
                b'\\' => {
                    let character = self.escape()?;
                    self.tape.unescaped.push(character);
                }
                _ => return Err(Fault::Syntax),
            }
            plain = self.at;
            self.skip_plain();
        }
    }

    /// Takes what is behind a backslash.
    fn escape(&mut self) -> Result<char, Fault> {
        let byte = self.byte()?;
        self.at += 1;
        Ok(match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.code_point(),
            _ => return Err(Fault::Syntax),
        })
    }

    /// RFC 8259 §7: a code point outside the Basic Multilingual Plane is two surrogates, and one alone is none.
    fn code_point(&mut self) -> Result<char, Fault> {
        let first = self.four_digits()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first).ok_or(Fault::Syntax); // a low surrogate is none
        }
        if self.text.as_bytes().get(self.at..self.at + 2) != Some(b"\\u") {
            return Err(Fault::Syntax);
        }
        self.at += 2;
        let low = self.four_digits()?.checked_sub(0xdc00).filter(|low| *low < 0x400).ok_or(Fault::Syntax)?;
        char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + low).ok_or(Fault::Syntax)
    }

    fn four_digits(&mut self) -> Result<u32, Fault> {
        let digits = self.text.as_bytes().get(self.at..self.at + 4).ok_or(Fault::Syntax)?;
        self.at += 4;
        digits
            .iter()
            .try_fold(0, |value, digit| Some(value << 4 | char::from(*digit).to_digit(16)?))
            .ok_or(Fault::Syntax)
    }
}

/// Marks the top bit of bytes that are a quote, a backslash or below 0x20. The lowest mark is exact; above it a borrow may
/// have marked a byte wrongly.
fn special(word: u64) -> u64 {
    let zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let quote = zero(word ^ (ONES * 0x22));
    let backslash = zero(word ^ (ONES * 0x5c));
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (quote | backslash | control) & (ONES * 0x80)
}
