//! The command line: one file per subcommand, and what their ends mean to whoever started them.

mod audit;
mod config;
mod data_dir;
mod limits;
mod master_key;
mod secrets;
mod serve;
mod users;

use crate::config::{ConfigError, Layer};
use crate::error::Error;
use clap::{ArgMatches, Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;

const EXIT_CODES: &str = "\
Exit codes:
  0  done, or stopped as asked (SIGTERM, SIGINT)
  1  could not start or go on: address in use, file permissions, keys; an audit log that is not what was written
  2  wrong arguments or settings
  3  the store cannot be opened, or failed and must be opened by a new process

Secrets come from the environment or a file, never from a flag:
  COUNTERSIGN_MASTER_KEY    32 bytes in base64url, in place of the key file
  COUNTERSIGN_ADMIN_SECRET  secret of the client `admin` when it is made, for development";

/// Issues token pairs, keeps sessions and publishes revocations.
#[derive(Parser)]
#[command(name = "countersign", version, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the daemon until it is told to stop; works without any setting
    #[command(after_help = EXIT_CODES)]
    Serve(Options),
    /// Look at the settings
    #[command(subcommand)]
    Config(config::Command),
    /// Look at the audit log of a daemon that is not running
    #[command(subcommand)]
    Audit(audit::Command),
}

/// Where settings come from.
#[derive(Args)]
struct Options {
    /// TOML file with settings; flags and environment win over it
    #[arg(long, env = "COUNTERSIGN_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    given: Layer,
}

/// Why the process ends with another code than 0.
#[derive(Debug)]
enum Failure {
    /// A setting or a secret that was given cannot be used.
    Setting(String),
    /// Something on this machine does not let the daemon start or go on.
    Machine(String),
    /// The store does not open, or failed.
    Store(String),
}

/// Runs the command that the process was started with, and returns how it ended.
pub fn main() -> ExitCode {
    let matches = Cli::command().get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let ended = match cli.command {
        Command::Serve(options) => serve::serve(&options),
        Command::Config(command) => config::run(&command, innermost(&matches)),
        Command::Audit(command) => audit::run(&command),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("countersign: {failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}

/// Returns the arguments of the subcommand that was named last.
fn innermost(matches: &ArgMatches) -> &ArgMatches {
    matches.subcommand().map_or(matches, |(_, below)| innermost(below))
}

impl Failure {
    fn exit_code(&self) -> u8 {
        match self {
            Self::Machine(_) => 1,
            Self::Setting(_) => 2,
            Self::Store(_) => 3,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setting(reason) | Self::Machine(reason) | Self::Store(reason) => f.write_str(reason),
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Setting(error.to_string())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
        let reason = format!("{error}{cause}");
        match error {
            Error::Store(_) => Self::Store(reason),
            Error::InvalidClient
            | Error::InvalidGrant(_)
            | Error::InvalidScope
            | Error::UnauthorizedClient
            | Error::InvalidTarget
            | Error::Client(_)
            | Error::TooManyAssertions { .. }
            | Error::UnknownSession
            | Error::InvalidRequest { .. }
            | Error::TooManyLiveTokens { .. }
            | Error::TooManyRules { .. }
            | Error::NotReady(_)
            | Error::StatusListTooLarge
            | Error::Keys(_)
            | Error::Signing
            | Error::Entropy
            | Error::NoUsers
            | Error::LoginRefused
            | Error::AccountDisabled
            | Error::PasswordResetRequired { .. }
            | Error::PasswordRefused(_)
            | Error::WrongPassword
            | Error::InvalidResetCode
            | Error::TooManyAttempts { .. }
            | Error::HasherBusy { .. }
            | Error::Hashing
            | Error::NameTaken
            | Error::NoSuchUser
            | Error::InvalidToken
            | Error::TokenTooLong => Self::Machine(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn each_kind_of_failure_has_its_exit_code() {
        let store = Failure::from(Error::Store(crate::store::StoreError::damaged("a page")));
        assert_eq!(store.exit_code(), 3);
        assert_eq!(Failure::from(Error::Signing).exit_code(), 1);
        assert_eq!(Failure::from(ConfigError::Setting { name: "listen", reason: String::new() }).exit_code(), 2);
    }
}
