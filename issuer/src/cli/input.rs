//! Secrets and tokens come in by a file or by standard input, never as an argument: arguments are in the shell's history
//! and in the list of processes.

use super::Failure;
use super::said::aside;
use std::fs::File;
use std::io::{IsTerminal as _, Read};
use std::path::Path;
use zeroize::Zeroizing;

/// Returns the text in `file`, or on standard input when there is none or it is `-`, without the white space around it.
/// `what` is its name in messages.
///
/// # Errors
/// [`Failure::Setting`] when it cannot be read, is empty, longer than `most` bytes or no UTF-8.
pub(super) fn text(file: Option<&Path>, what: &str, most: usize) -> Result<Zeroizing<String>, Failure> {
    let bytes = bytes(file, what, most)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| Failure::Setting(format!("{what} is not UTF-8")))?.trim();
    if text.is_empty() {
        return Err(Failure::Setting(format!("{what} is empty: it is read from a file, or from standard input")));
    }
    Ok(Zeroizing::new(text.to_owned()))
}

/// Returns the bytes in `file`, or on standard input when there is none or it is `-`.
///
/// # Errors
/// [`Failure::Setting`] when they cannot be read or are more than `most`.
pub(super) fn bytes(file: Option<&Path>, what: &str, most: usize) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let unreadable = |error| Failure::Setting(format!("{what} cannot be read: {error}"));
    let source: Box<dyn Read> = match file.filter(|file| *file != Path::new("-")) {
        Some(file) => Box::new(
            File::open(file)
                .map_err(|error| Failure::Setting(format!("{} cannot be read: {error}", file.display())))?,
        ),
        None => {
            let stdin = std::io::stdin();
            if stdin.is_terminal() {
                aside(&format!("{what} is read from standard input, until its end (control-D)"));
            }
            Box::new(stdin)
        }
    };
    // Reserved once, so that no copy of a secret stays behind in a smaller buffer.
    let mut bytes = Zeroizing::new(Vec::with_capacity(most.saturating_add(1).min(64 * 1024)));
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    source.take(limit).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > most {
        return Err(Failure::Setting(format!("{what} is longer than {most} bytes")));
    }
    Ok(bytes)
}
