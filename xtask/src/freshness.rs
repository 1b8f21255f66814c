//! Whether files that were made from others still are what would be made again. Nothing is assumed from times alone:
//! the stamp names the inputs' content and the state of the outputs, and any difference means making them anew.

use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};

/// How it is made: this program is rebuilt for other reasons too, and then makes the same.
const MAKER: [&[u8]; 4] = [
    include_bytes!("build_wasm.rs"),
    include_bytes!("traps.rs"),
    include_bytes!("traps/calls.rs"),
    include_bytes!("traps/flow.rs"),
];
/// With which version of wasm-bindgen it is made.
const VERSIONS: &[u8] = include_bytes!("../../Cargo.lock");

/// What was made from what, as one line of text beside the first input.
pub(crate) struct Freshness {
    stamp: PathBuf,
    inputs: Vec<PathBuf>,
    outputs: PathBuf,
}

impl Freshness {
    /// Of all files in the folder `outputs`, which this program makes from the file `first` and the `others`.
    pub(crate) fn of(first: &Path, others: &[&Path], outputs: &Path) -> Self {
        let inputs = [first].iter().chain(others).map(|&input| input.to_owned()).collect();
        Self { stamp: first.with_extension("made"), inputs, outputs: outputs.to_owned() }
    }

    /// Whether the inputs, the outputs and the way they are made are as they were when [`Freshness::record`] was called.
    pub(crate) fn holds(&self) -> bool {
        let recorded = fs::read_to_string(&self.stamp);
        recorded.is_ok_and(|recorded| self.state().is_ok_and(|state| state == recorded))
    }

    /// Afterwards [`Freshness::holds`], until something changes.
    ///
    /// # Errors
    /// When the files cannot be read or the stamp cannot be written.
    pub(crate) fn record(&self) -> std::io::Result<()> {
        fs::write(&self.stamp, self.state()?)
    }

    fn state(&self) -> std::io::Result<String> {
        let mut content = DefaultHasher::new();
        for input in &self.inputs {
            content.write(&fs::read(input)?);
        }
        for source in MAKER {
            content.write(source);
        }
        content.write(VERSIONS);
        let mut files: Vec<PathBuf> = fs::read_dir(&self.outputs)?.flatten().map(|entry| entry.path()).collect();
        files.sort();
        let mut state = format!("{:016x}", content.finish());
        for file in files {
            let metadata = fs::metadata(&file)?;
            state.push_str(&format!(" {} {} {:?}", file.display(), metadata.len(), metadata.modified()?));
        }
        Ok(state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_until_the_input_or_an_output_changes() {
        let folder = std::env::temp_dir().join(format!("xtask-freshness-{}", std::process::id()));
        let (input, other, outputs) = (folder.join("input.wasm"), folder.join("other.wasm"), folder.join("outputs"));
        fs::create_dir_all(&outputs).unwrap();
        fs::write(&input, "a").unwrap();
        fs::write(&other, "a").unwrap();
        fs::write(outputs.join("one"), "made of a").unwrap();
        let freshness = Freshness::of(&input, &[&other], &outputs);
        assert!(!freshness.holds(), "nothing was recorded");
        freshness.record().unwrap();
        assert!(freshness.holds());
        fs::write(&input, "b").unwrap();
        assert!(!freshness.holds(), "the input changed");
        fs::write(&input, "a").unwrap();
        assert!(freshness.holds(), "the same content again");
        fs::write(&other, "b").unwrap();
        assert!(!freshness.holds(), "another input changed");
        fs::write(&other, "a").unwrap();
        fs::remove_file(outputs.join("one")).unwrap();
        assert!(!freshness.holds(), "an output is gone");
        fs::remove_dir_all(&folder).unwrap();
    }
}
