//! `countersign token`: mint, look at and judge single tokens.

mod inspect;
mod mint;
mod verify;

pub(super) use inspect::parts;

use super::said::Ended;
use clap::Subcommand;

/// What can be done with a token.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Begin a session for a subject and print its first pair of tokens
    Mint(mint::Mint),
    /// Print what a token says, without judging whether it is true
    Inspect(inspect::Inspect),
    /// Judge an access token here, against the issuer's keys and revocation list: exit code 1 and its code when refused
    Verify(verify::Verify),
}

/// Does what `command` asks for.
///
/// # Errors
/// [`Failure`](super::Failure), when it cannot be done.
pub(super) fn run(command: &Command) -> Ended {
    match command {
        Command::Mint(command) => mint::run(command),
        Command::Inspect(command) => inspect::run(command),
        Command::Verify(command) => verify::run(command),
    }
}
