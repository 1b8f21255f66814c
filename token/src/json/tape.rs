//! What was read: a flat sequence of nodes that point into the text, in memory that is used again.
//!
//! ```text
//! {"a":[1,"x"],"b":{}}     Object Name(a) Array Number Text Name(b) Object
//! ```
//!
//! A container's node says where the nodes behind it begin, so what is not asked for is stepped over.

use super::names::Names;
use super::reader::Reader;
use super::{Fault, MAX_DEPTH, number};

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Null,
    True,
    False,
    /// As it is written in the text.
    Number,
    /// As it is written in the text, without the quotes; names too.
    Text,
    /// In the tape's own memory, since its escapes had to be resolved.
    Unescaped,
    Array,
    Object,
}

/// One value, or the name of a member. `start..end` are bytes of the text; of a container `end` is the first node that is
/// not in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Node {
    /// What is written there, escapes resolved.
    pub(super) fn text<'t>(&self, text: &'t str, unescaped: &'t str) -> &'t str {
        let from = if self.kind == Kind::Unescaped { unescaped } else { text };
        from.get(self.start..self.end).unwrap_or_default()
    }
}

/// Memory for the reading of one text after another: at most a node for every two bytes of the longest text, a place for
/// every name, and the texts that hold escapes.
#[derive(Debug, Default)]
pub(crate) struct Tape {
    pub(super) nodes: Vec<Node>,
    pub(super) unescaped: String,
    pub(super) names: Names,
}

impl Tape {
    /// Returns one that holds nothing and takes no memory yet.
    pub(crate) const fn new() -> Self {
        Self { nodes: Vec::new(), unescaped: String::new(), names: Names::new() }
    }

    /// Returns the value that `text` holds, whole.
    ///
    /// # Errors
    /// [`Fault`] but never [`Fault::NotAnObject`].
    pub(crate) fn read<'t>(&'t mut self, text: &'t [u8]) -> Result<Value<'t>, Fault> {
        let text = std::str::from_utf8(text).map_err(|_| Fault::Syntax)?;
        self.nodes.clear();
        self.unescaped.clear();
        self.names.clear();
        Reader::new(text, self).whole(MAX_DEPTH)?;
        Ok(Value { tape: self, text, at: 0 })
    }

    /// Returns the object that `text` holds.
    ///
    /// # Errors
    /// [`Fault`], [`Fault::NotAnObject`] for any other JSON value.
    pub(crate) fn read_object<'t>(&'t mut self, text: &'t [u8]) -> Result<Object<'t>, Fault> {
        self.read(text)?.as_object().ok_or(Fault::NotAnObject)
    }
}

/// A value in a text that was found to be strict JSON.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Value<'t> {
    tape: &'t Tape,
    text: &'t str,
    at: usize,
}

impl<'t> Value<'t> {
    pub(super) fn kind(self) -> Kind {
        self.node().map_or(Kind::Null, |node| node.kind)
    }

    /// The value's node; there always is one.
    fn node(self) -> Option<Node> {
        self.tape.nodes.get(self.at).copied()
    }

    /// What is written there, escapes resolved.
    pub(super) fn written(self) -> &'t str {
        self.node().map_or("", |node| node.text(self.text, &self.tape.unescaped))
    }

    /// The node behind this value.
    fn next(self) -> usize {
        match self.node() {
            Some(Node { kind: Kind::Array | Kind::Object, end, .. }) => end,
            Some(_) | None => self.at.saturating_add(1),
        }
    }

    /// Returns the text, if it is one.
    pub(crate) fn as_str(self) -> Option<&'t str> {
        let node = self.node()?;
        matches!(node.kind, Kind::Text | Kind::Unescaped).then(|| self.written())
    }

    /// Returns the number, if it is an integer from 0 to 2^64 − 1 written without sign, fraction and exponent.
    pub(crate) fn as_u64(self) -> Option<u64> {
        let node = self.node()?;
        if node.kind == Kind::Number { number::whole(self.written()) } else { None }
    }

    /// Returns the items, if it is an array.
    pub(crate) fn as_array(self) -> Option<Items<'t>> {
        let node = self.node().filter(|node| node.kind == Kind::Array)?;
        Some(Items { next: Self { at: self.at.saturating_add(1), ..self }, end: node.end })
    }

    /// Returns the object, if it is one.
    pub(crate) fn as_object(self) -> Option<Object<'t>> {
        let node = self.node().filter(|node| node.kind == Kind::Object)?;
        Some(Object { first: Self { at: self.at.saturating_add(1), ..self }, end: node.end })
    }
}

/// The items of an array, in order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Items<'t> {
    next: Value<'t>,
    end: usize,
}

impl<'t> Iterator for Items<'t> {
    type Item = Value<'t>;

    fn next(&mut self) -> Option<Value<'t>> {
        if self.next.at >= self.end {
            return None;
        }
        let item = self.next;
        self.next.at = item.next();
        Some(item)
    }
}

/// An object in a text that was found to be strict JSON: no name is there twice.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Object<'t> {
    first: Value<'t>,
    end: usize,
}

impl<'t> Object<'t> {
    /// Returns the whole text that it was read from.
    pub(crate) fn text(self) -> &'t str {
        self.first.text
    }

    /// Returns names and values, in the order in which they are written.
    pub(crate) fn members(self) -> impl Iterator<Item = (&'t str, Value<'t>)> {
        let mut nodes = Items { next: self.first, end: self.end };
        std::iter::from_fn(move || Some((nodes.next()?.written(), nodes.next()?)))
    }

    /// Returns the value of a member. Takes time linear in the size of the object.
    #[inline(never)] // many call it, and none of them for a token whose header is the last one's: one copy will do
    pub(crate) fn get(self, name: &str) -> Option<Value<'t>> {
        self.members().find(|(other, _)| *other == name).map(|(_, value)| value)
    }
}
