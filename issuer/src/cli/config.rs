//! `countersign config`: what the daemon would run with.

use super::said::{Ended, Said};
use super::{Failure, Options, master_key, secrets, store, tls, traces, users};
use crate::config::{Config, Source, defaults, described, in_force, show};
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Subcommand};
use serde_json::{Map, Value, json};

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

/// Says what `command` asks for; `matches` are its arguments, which know a flag from a variable.
///
/// # Errors
/// [`Failure::Setting`](super::Failure) when the settings cannot be used.
pub(super) fn run(command: &Command, matches: &ArgMatches) -> Ended {
    match command {
        Command::Show(Show { defaults: true, .. }) => Ok(Said::new(defaults(), json!({"settings": described()}))),
        Command::Show(Show { options, .. }) => {
            let (path, source) = (options.config.as_deref(), |name: &str| source(matches, name));
            let mut text = show(path, &options.given, source)?;
            let (mut is_set, settings) = (Map::new(), in_force(path, &options.given, source)?);
            for name in [secrets::MASTER_KEY, secrets::ADMIN_SECRET] {
                let state = if secrets::is_set(name) { "is set and not shown" } else { "is not set" };
                text.push_str(&format!("# {name} {state}\n"));
                is_set.insert(name.to_owned(), Value::Bool(secrets::is_set(name)));
            }
            Ok(Said::new(text, json!({"settings": settings, "is_set": is_set})))
        }
        Command::Check(options) => {
            let config = Config::load(options.config.as_deref(), &options.given)?;
            usable(&config).map_err(|failure| Failure::Setting(failure.to_string()))?;
            Ok(Said::new("the settings can be used", json!({"usable": true})))
        }
    }
}

/// Reads what a start reads beside the settings, by the same functions: files that they name, and secrets of the environment.
fn usable(config: &Config) -> Result<(), Failure> {
    config.tls.as_ref().map(tls::read).transpose().map_err(Failure::Setting)?;
    config.otlp.as_ref().map(traces::collector).transpose()?;
    users::settings(&config.users)?;
    secrets::admin_secret()?;
    master_key::of_environment()?;
    store::readable(config)
}

fn source(matches: &ArgMatches, name: &str) -> Source {
    match matches.value_source(name) {
        Some(ValueSource::EnvVariable) => Source::Environment,
        _ => Source::Flag,
    }
}
