//! `countersign config`: what the daemon would run with.

use super::{Failure, Options, secrets};
use crate::config::show;
use clap::Subcommand;
use std::io::Write as _;

/// What can be looked at.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Print every setting in force and where it comes from, as a settings file; secrets are not shown
    Show(Options),
}

/// Prints what `command` asks for.
///
/// # Errors
/// [`Failure::Setting`] when the settings cannot be used.
pub(super) fn run(command: &Command) -> Result<(), Failure> {
    let Command::Show(options) = command;
    let mut text = show(options.config.as_deref(), &options.given)?;
    for name in [secrets::MASTER_KEY, secrets::ADMIN_SECRET] {
        let state = if secrets::is_set(name) { "is set and not shown" } else { "is not set" };
        text.push_str(&format!("# {name} {state}\n"));
    }
    let mut stdout = std::io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    written.map_err(|error| Failure::Machine(format!("standard output does not take the settings: {error}")))
}
