//! What the disk can do by itself, in the same run: a durable write cannot be faster than its sync.

use std::error::Error;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use crate::clock;

const TIME: Duration = Duration::from_secs(2);
const SYNCS: u32 = 2_000;

/// How often a second 4 KiB can be appended to a file and synced, by one writer.
pub(crate) fn syncs_per_second(folder: &Path) -> Result<f64, Box<dyn Error>> {
    let folder = tempfile::tempdir_in(folder)?;
    let mut file = File::create(folder.path().join("syncs"))?;
    let started = clock::now();
    let mut syncs = 0;
    while syncs < SYNCS && started.elapsed() < TIME {
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        syncs += 1;
    }
    Ok(f64::from(syncs) / started.elapsed().as_secs_f64())
}

/// The length of all files below a folder.
pub(crate) fn kib_below(folder: &Path) -> Result<u64, Box<dyn Error>> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() { kib_below(&entry.path())? * 1024 } else { metadata.len() };
    }
    Ok(bytes.div_ceil(1024))
}
