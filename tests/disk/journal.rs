//! The shim's journal: what changed below its root and what was synced, in order.
//!
//! ```text
//! record = op:u64 inode:u64 offset:u64 n:u64 m:u64 name:n bytes data:m bytes     little-endian; `struct record` of shim.c
//! ```

use std::path::Path;

const HEAD: usize = 40;

/// One call that succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Record {
    /// A new file has this name.
    MadeFile { inode: u64, name: String },
    /// A new folder has this name.
    MadeFolder { inode: u64, name: String },
    /// A file holds these bytes from there on.
    Wrote { inode: u64, offset: usize, data: Vec<u8> },
    /// A file ends there.
    Cut { inode: u64, length: usize },
    /// A file's bytes, or a folder's names, survive a power cut.
    Synced { inode: u64 },
    /// A name was changed.
    Renamed { from: String, to: String },
    /// A name is gone.
    Removed { name: String },
    /// A file has one more name.
    Linked { inode: u64, name: String },
}

/// Reads a journal; a last record that was cut by a kill is left out.
pub(crate) fn read(path: &Path) -> Vec<Record> {
    let bytes = std::fs::read(path).expect("a journal");
    let (mut rest, mut records) = (bytes.as_slice(), Vec::new());
    while let Some((record, behind)) = parse(rest) {
        records.push(record);
        rest = behind;
    }
    records
}

fn parse(bytes: &[u8]) -> Option<(Record, &[u8])> {
    let (head, rest) = bytes.split_at_checked(HEAD)?;
    let number = |at: usize| u64::from_le_bytes(head[at * 8..][..8].try_into().unwrap());
    let size = |at: usize| usize::try_from(number(at)).unwrap();
    let (name, rest) = rest.split_at_checked(size(3))?;
    let (data, rest) = rest.split_at_checked(size(4))?;
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_owned()).expect("names in UTF-8");
    let (inode, name) = (number(1), text(name));
    let record = match u8::try_from(number(0)).unwrap() {
        b'C' => Record::MadeFile { inode, name },
        b'D' => Record::MadeFolder { inode, name },
        b'W' => Record::Wrote { inode, offset: size(2), data: data.to_owned() },
        b'T' => Record::Cut { inode, length: size(2) },
        b'S' => Record::Synced { inode },
        b'R' => Record::Renamed { from: name, to: text(data) },
        b'U' => Record::Removed { name },
        b'L' => Record::Linked { inode, name },
        other => panic!("the journal has a record {other}"),
    };
    Some((record, rest))
}
