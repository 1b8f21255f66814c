//! The command line: one file per subcommand, and what their ends mean to whoever started them.
//!
//! ```text
//! verb ─► ask (method, path, JSON) ─► target ─┬─► remote: a daemon, over HTTP
//!   └──────── said ◄──────── JSON ◄───────────┴─► local: the daemon's routes in this process, over its store
//! ```
//!
//! `serve`, `config`, `init` and what reads files only go their own ways. A verb is the same over a daemon and over the
//! store of one that is stopped; `reach` says which it is.

mod admin;
mod ask;
mod audit;
mod backup;
mod changes;
mod client;
mod config;
mod data_dir;
mod init;
mod input;
mod key;
mod limits;
mod local;
mod master_key;
mod metrics;
mod pages;
mod reach;
mod ready;
mod reload;
mod remote;
mod revoke;
mod rewrap;
mod said;
mod secrets;
mod serve;
mod session;
mod standby;
mod store;
mod target;
mod text;
mod tls;
mod token;
mod traces;
mod usage;
mod user;
mod users;

use crate::config::{ConfigError, Layer};
use crate::error::Error;
use crate::store::StoreError;
use clap::{ArgMatches, Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use said::Ended;
use serde_json::json;
use std::env::args_os;
use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;

const EXIT_CODES: &str = "\
Exit codes:
  0  done, or stopped as asked (SIGTERM, SIGINT)
  1  refused or failed: what was asked for is not so, or this machine does not let it be done
  2  wrong arguments or settings
  3  the store cannot be opened, or failed and must be opened by a new process
  4  the daemon cannot be reached";

const SECRETS: &str = "\
Secrets come from the environment or a file, never from a flag:
  COUNTERSIGN_CLIENT_SECRET  secret of the client that acts on a running daemon
  COUNTERSIGN_MASTER_KEY     32 bytes in base64url, in place of the key file
  COUNTERSIGN_STORE_PASSWORD password of the database's user, where it wants one
  COUNTERSIGN_OTLP_HEADERS   fields for a collector of traces, one `Name: value` a line
  COUNTERSIGN_ADMIN_SECRET   secret of the client `admin` when it is made, for development";

/// Issues token pairs, keeps sessions and publishes revocations.
#[derive(Parser)]
#[command(name = "countersign", version)]
struct Cli {
    /// Say it as one JSON document on standard output
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a data folder, a master key and a settings file
    Init(init::Init),
    /// Run the daemon until it is told to stop; works without any setting
    Serve(Options),
    /// Ask whether the daemon is ready: exit code 0 when it is, 1 with the reasons when not or when it does not answer
    Ready(ready::Ready),
    /// Mint, look at and judge tokens
    #[command(subcommand)]
    Token(token::Command),
    /// Look at sessions and end them
    Session(session::Sessions),
    /// Take back a token, or what a subject, a session, a client or a key stands for, or everything
    Revoke(revoke::Revoke),
    /// Manage signing keys
    #[command(visible_alias = "keys")]
    Key(key::Keys),
    /// Manage clients
    Client(client::Clients),
    /// Manage built-in users
    User(user::Users),
    /// Look at the audit log
    Audit(audit::Audit),
    /// Look at the settings
    #[command(subcommand)]
    Config(config::Command),
    /// Write everything that the issuer keeps into one file, encrypted under the master key
    Backup(backup::BackupArgs),
    /// Make a new data folder out of a backup; the master key it was made under is needed
    Restore(backup::RestoreArgs),
    /// Move everything from one kind of store to another, or bring the tables of a database up to this version
    #[command(subcommand)]
    Store(store::Command),
    /// Print the script that lets a shell complete these commands
    #[command(hide = true)]
    Completions(pages::Completions),
    /// Write the pages of the manual
    #[command(hide = true)]
    Man(pages::Man),
}

/// Where settings come from.
#[derive(Args, Clone)]
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
    /// An argument, a setting or a secret that was given cannot be used.
    Setting(String),
    /// Something on this machine does not let the daemon start or go on.
    Machine(String),
    /// The store does not open, or failed.
    Store(String),
    /// Another process has the store open.
    InUse(String),
    /// The issuer was asked and said no.
    Refused {
        /// The stable code of its answer.
        code: String,
        /// Who refused what, why, and what would do.
        detail: String,
    },
    /// There is no daemon, or it does not answer.
    Unreachable(String),
}

/// Runs the command that the process was started with, and returns how it ended.
pub fn main() -> ExitCode {
    let parsed = command().try_get_matches();
    let parsed = parsed.and_then(|matches| Cli::from_arg_matches(&matches).map(|cli| (matches, cli)));
    let (matches, cli) = parsed.unwrap_or_else(|error| {
        if let Some(failure) = usage::asked_for_json(args_os()).then(|| usage::failure(&error)).flatten() {
            tell(&failure);
        }
        error.exit() // with the usage, on standard error
    });
    let ended = run(&cli.command, innermost(&matches), cli.json).and_then(|said| said.print(cli.json));
    ExitCode::from(ended.unwrap_or_else(|failure| {
        if cli.json {
            tell(&failure);
        }
        said::aside(&failure.to_string());
        failure.exit_code()
    }))
}

/// Says a failure to a script. Standard error says it in any case; when standard output does not take it, nothing more can be done.
fn tell(failure: &Failure) {
    drop(said::print(&format!("{}\n", failure.to_json())));
}

fn run(command: &Command, matches: &ArgMatches, as_json: bool) -> Ended {
    match command {
        Command::Init(command) => init::run(command),
        Command::Serve(options) => serve::serve(options, as_json),
        Command::Ready(command) => ready::run(command),
        Command::Token(command) => token::run(command),
        Command::Session(command) => session::run(command),
        Command::Revoke(command) => revoke::run(command),
        Command::Key(command) => key::run(command),
        Command::Backup(args) => backup::backup(args),
        Command::Restore(args) => backup::restore(args),
        Command::Client(command) => client::run(command),
        Command::User(command) => user::run(command),
        Command::Audit(command) => audit::run(command, as_json),
        Command::Config(command) => config::run(command, matches),
        Command::Store(command) => store::run(command),
        Command::Completions(command) => pages::completions(command),
        Command::Man(command) => pages::man(command),
    }
}

/// Returns the declaration of all commands, each of which tells the exit codes.
fn command() -> clap::Command {
    fn told(command: clap::Command) -> clap::Command {
        let command = command.after_help(format!("{EXIT_CODES}\n\n{SECRETS}"));
        let names: Vec<String> = command.get_subcommands().map(|below| below.get_name().to_owned()).collect();
        names.into_iter().fold(command, |command, name| command.mut_subcommand(name, told))
    }
    told(Cli::command())
}

/// Returns the arguments of the subcommand that was named last.
fn innermost(matches: &ArgMatches) -> &ArgMatches {
    matches.subcommand().map_or(matches, |(_, below)| innermost(below))
}

impl Failure {
    fn exit_code(&self) -> u8 {
        match self {
            Self::Refused { code, .. } if code == "store_unavailable" => 3,
            Self::Machine(_) | Self::Refused { .. } => 1,
            Self::Setting(_) => 2,
            Self::Store(_) | Self::InUse(_) => 3,
            Self::Unreachable(_) => 4,
        }
    }

    fn to_json(&self) -> serde_json::Value {
        let code = match self {
            Self::Setting(_) => "wrong_setting",
            Self::Machine(_) => "failed",
            Self::Store(_) => "store_unusable",
            Self::InUse(_) => "store_in_use",
            Self::Refused { code, .. } => code,
            Self::Unreachable(_) => "not_reachable",
        };
        json!({"error": {"code": code, "detail": self.to_string(), "exit_code": self.exit_code()}})
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setting(reason) | Self::Machine(reason) | Self::Store(reason) => f.write_str(reason),
            Self::InUse(reason) | Self::Unreachable(reason) => f.write_str(reason),
            Self::Refused { code, detail } => write!(f, "{detail} ({code})"),
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
        let reason = format!("{error}{cause}{}", way_out(&error));
        match error {
            Error::Store(StoreError::InUse { .. }) => Self::InUse(reason),
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
            | Error::BackupRunning
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

/// What an operator can do where files are not what was written; empty where the reason says it itself.
fn way_out(error: &Error) -> &'static str {
    match error {
        Error::Store(StoreError::Damaged { .. }) => {
            "; make a new store of a backup with `countersign restore`, and keep this one for whoever looks into it"
        }
        Error::Store(StoreError::Incomplete { .. }) => {
            "; users, clients and sessions are as they were some time ago, and what was disabled or rotated since may be back: \
             make a new store of a backup with `countersign restore` if it is the newer one, or go on with what is left after \
             `countersign store accept-damage`, which lets the next start revoke every access token"
        }
        Error::Keys(_) => {
            "; bring back the master key that this store was sealed under, or make a new store of a backup with `countersign restore`"
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn each_kind_of_failure_has_its_exit_code() {
        let store = Failure::from(Error::Store(crate::store::StoreError::damaged("a page")));
        assert_eq!(store.exit_code(), 3);
        assert_eq!(Failure::from(Error::Signing).exit_code(), 1);
        assert_eq!(Failure::from(ConfigError::Setting { name: "listen", reason: String::new() }).exit_code(), 2);
        assert_eq!(Failure::Unreachable(String::new()).exit_code(), 4);
        let refused = |code: &str| Failure::Refused { code: code.to_owned(), detail: String::new() }.exit_code();
        assert_eq!((refused("invalid_client"), refused("store_unavailable")), (1, 3));
    }
}
