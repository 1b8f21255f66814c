//! Completions for shells and pages of the manual, made from the same declaration as the command line itself.

use super::said::{Ended, Said};
use super::{Failure, command};
use clap::Args;
use clap_complete::Shell;
use serde_json::json;
use std::path::PathBuf;

/// For which shell.
#[derive(Args)]
pub(super) struct Completions {
    /// The shell that reads it
    #[arg(value_enum)]
    shell: Shell,
}

/// Where the pages go.
#[derive(Args)]
pub(super) struct Man {
    /// Folder for the pages, one for each command
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
}

/// Says the script that lets a shell complete `countersign`.
///
/// # Errors
/// [`Failure::Machine`] when it cannot be made.
pub(super) fn completions(asked: &Completions) -> Ended {
    let mut script = Vec::new();
    clap_complete::generate(asked.shell, &mut command(), "countersign", &mut script);
    let script = String::from_utf8(script).map_err(|error| Failure::Machine(format!("no script: {error}")))?;
    let json = json!({"shell": asked.shell.to_string(), "script": script});
    Ok(Said::new(script, json))
}

/// Writes a page of the manual for each command, `countersign-client-list.1` and so on.
///
/// # Errors
/// [`Failure::Machine`] when a page cannot be written.
pub(super) fn man(asked: &Man) -> Ended {
    let folder = &asked.out;
    let failed = |error| Failure::Machine(format!("the pages cannot be written to {}: {error}", folder.display()));
    std::fs::create_dir_all(folder).map_err(failed)?;
    clap_mangen::generate_to(command(), folder).map_err(failed)?;
    let said = format!("wrote the pages of the manual to {}", folder.display());
    Ok(Said::new(said, json!({"out": folder})))
}
