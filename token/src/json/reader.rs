//! The grammar of RFC 8259, in one pass over a text that is UTF-8.

use super::names::Open;
use super::tape::{Kind, Node, Tape};
use super::{Fault, number};

/// A text that is being read on to a tape.
pub(super) struct Reader<'r> {
    pub(super) text: &'r str,
    /// The first byte that has not been read.
    pub(super) at: usize,
    pub(super) tape: &'r mut Tape,
}

impl<'r> Reader<'r> {
    pub(super) fn new(text: &'r str, tape: &'r mut Tape) -> Self {
        Self { text, at: 0, tape }
    }

    /// Reads the one value of the text, which nests so many levels at most.
    pub(super) fn whole(mut self, levels: u8) -> Result<(), Fault> {
        self.value(levels)?;
        self.skip_space();
        if self.at == self.text.len() { Ok(()) } else { Err(Fault::Syntax) }
    }

    fn value(&mut self, levels: u8) -> Result<(), Fault> {
        match self.peek_behind_space()? {
            b'"' => {
                let node = self.quoted()?;
                self.tape.nodes.push(node);
                Ok(())
            }
            b'{' => self.object(levels.checked_sub(1).ok_or(Fault::Depth)?),
            b'[' => self.array(levels.checked_sub(1).ok_or(Fault::Depth)?),
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.word(b"true", Kind::True),
            b'f' => self.word(b"false", Kind::False),
            b'n' => self.word(b"null", Kind::Null),
            _ => Err(Fault::Syntax),
        }
    }

    fn object(&mut self, levels: u8) -> Result<(), Fault> {
        let place = self.open(Kind::Object);
        let mut open = Open::new(&self.tape.names);
        if self.peek_behind_space()? != b'}' {
            loop {
                self.name(&mut open)?;
                self.expect(b':')?;
                self.value(levels)?;
                match self.peek_behind_space()? {
                    b',' => self.at += 1,
                    b'}' => break,
                    _ => return Err(Fault::Syntax),
                }
            }
        }
        open.close(&mut self.tape.names);
        self.close(place);
        Ok(())
    }

    fn name(&mut self, open: &mut Open) -> Result<(), Fault> {
        if self.peek_behind_space()? != b'"' {
            return Err(Fault::Syntax);
        }
        let node = self.quoted()?;
        self.tape.nodes.push(node);
        if open.is_new(self.tape, self.text) { Ok(()) } else { Err(Fault::Duplicate) }
    }

    fn array(&mut self, levels: u8) -> Result<(), Fault> {
        let place = self.open(Kind::Array);
        if self.peek_behind_space()? != b']' {
            loop {
                self.value(levels)?;
                match self.peek_behind_space()? {
                    b',' => self.at += 1,
                    b']' => break,
                    _ => return Err(Fault::Syntax),
                }
            }
        }
        self.close(place);
        Ok(())
    }

    /// Takes the bracket, and returns where the container's node is.
    fn open(&mut self, kind: Kind) -> usize {
        self.at += 1;
        let place = self.tape.nodes.len();
        self.tape.nodes.push(Node { kind, start: self.at, end: place });
        place
    }

    /// Takes the bracket that closes the container at `place`.
    fn close(&mut self, place: usize) {
        self.at += 1;
        let end = self.tape.nodes.len();
        if let Some(node) = self.tape.nodes.get_mut(place) {
            node.end = end;
        }
    }

    fn number(&mut self) -> Result<(), Fault> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let length = number::length(rest).ok_or(Fault::Syntax)?;
        let start = self.at;
        self.at += length;
        self.tape.nodes.push(Node { kind: Kind::Number, start, end: self.at });
        Ok(())
    }

    fn word(&mut self, word: &[u8], kind: Kind) -> Result<(), Fault> {
        let start = self.at;
        if !self.text.as_bytes().get(start..).is_some_and(|rest| rest.starts_with(word)) {
            return Err(Fault::Syntax);
        }
        self.at += word.len();
        self.tape.nodes.push(Node { kind, start, end: self.at });
        Ok(())
    }

    fn expect(&mut self, byte: u8) -> Result<(), Fault> {
        if self.peek_behind_space()? != byte {
            return Err(Fault::Syntax);
        }
        self.at += 1;
        Ok(())
    }

    fn peek_behind_space(&mut self) -> Result<u8, Fault> {
        self.skip_space();
        self.byte()
    }

    fn skip_space(&mut self) {
        while matches!(self.text.as_bytes().get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// The first byte that has not been read.
    pub(super) fn byte(&self) -> Result<u8, Fault> {
        self.text.as_bytes().get(self.at).copied().ok_or(Fault::Syntax)
    }
}
