//! A second, tiny file that knows the number of the newest list.
//!
//! sled 0.34 takes a damaged stretch of its log for the end of the log: it opens, older than it was, and says nothing. So
//! each number is also written here, after the log and before the list is served. A store whose log ends before it has
//! lost writes. What came after the newest list, at most some seconds, is beyond this proof.
//!
//! ```text
//! witness = seq:u64-le crc:u32-le        one write of 12 bytes, synced
//! ```

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
use std::path::Path;

const NAME: &str = "newest-list";

/// The open file.
pub(super) struct Witness {
    file: File,
}

impl Witness {
    /// Opens the file and returns the number it holds: 0 when it is new, the largest when it cannot be read.
    pub(super) fn open(directory: &Path) -> io::Result<(Self, u64)> {
        let path = directory.join(NAME);
        let known = match std::fs::read(&path) {
            Ok(bytes) if bytes.is_empty() => 0, // made, but the power went before the first number
            Ok(bytes) => parse(&bytes).unwrap_or(u64::MAX),
            Err(error) if error.kind() == ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
        Ok((Self { file }, known))
    }

    /// Makes the number durable.
    pub(super) fn note(&mut self, seq: u64) -> io::Result<()> {
        let mut bytes = [0; 12];
        let number = seq.to_le_bytes();
        let crc = crc32fast::hash(&number).to_le_bytes();
        bytes.iter_mut().zip(number.iter().chain(&crc)).for_each(|(to, from)| *to = *from);
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&bytes)?;
        self.file.sync_data()
    }
}

fn parse(bytes: &[u8]) -> Option<u64> {
    let (number, crc) = bytes.split_first_chunk::<8>()?;
    (crc32fast::hash(number).to_le_bytes() == *crc).then(|| u64::from_le_bytes(*number))
}
