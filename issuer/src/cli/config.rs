//! `countersign config`: what the daemon would run with.

use super::{Failure, Options, secrets};
use crate::config::{Config, Source, defaults, show};
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Subcommand};
use std::io::Write as _;

/// What can be looked at.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Print every setting in force and where it comes from, as a settings file; secrets are not shown
    Show(Show),
    /// Check the settings without starting anything: exit code 0 when they can be used, 2 with the reason when not
    Check(Options),
}

/// How settings are shown.
#[derive(Args)]
pub(super) struct Show {
    /// Print every setting with its meaning, unit, range and default instead
    #[arg(long)]
    defaults: bool,
    #[command(flatten)]
    options: Options,
}

/// Prints what `command` asks for; `matches` are its arguments, which know a flag from a variable.
///
/// # Errors
/// [`Failure::Setting`] when the settings cannot be used.
pub(super) fn run(command: &Command, matches: &ArgMatches) -> Result<(), Failure> {
    match command {
        Command::Show(Show { defaults: true, .. }) => say(&defaults()),
        Command::Show(Show { options, .. }) => {
            let mut text = show(options.config.as_deref(), &options.given, |name| source(matches, name))?;
            for name in [secrets::MASTER_KEY, secrets::ADMIN_SECRET] {
                let state = if secrets::is_set(name) { "is set and not shown" } else { "is not set" };
                text.push_str(&format!("# {name} {state}\n"));
            }
            say(&text)
        }
        Command::Check(options) => {
            Config::load(options.config.as_deref(), &options.given)?;
            say("the settings can be used\n")
        }
    }
}

fn source(matches: &ArgMatches, name: &str) -> Source {
    match matches.value_source(name) {
        Some(ValueSource::EnvVariable) => Source::Environment,
        _ => Source::Flag,
    }
}

fn say(text: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    written.map_err(|error| Failure::Machine(format!("standard output does not take the settings: {error}")))
}
