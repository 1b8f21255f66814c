//! Arguments that are none, told to a script: what clap says to a person on standard error, as any other failure.

use super::Failure;
use clap::error::ErrorKind;
use std::ffi::OsString;

/// True when one of these arguments asks for JSON. They could not be parsed, so the word alone counts.
pub(super) fn asked_for_json(arguments: impl IntoIterator<Item = OsString>) -> bool {
    arguments.into_iter().skip(1).take_while(|argument| argument != "--").any(|argument| argument == "--json")
}

/// Returns what is wrong with the arguments; none for help and version, which were asked for.
pub(super) fn failure(error: &clap::Error) -> Option<Failure> {
    if !error.use_stderr() {
        return None;
    }
    let text = error.to_string();
    let reason = match error.kind() {
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => "a command is missing: --help lists them",
        _ => text.split("\n\nUsage:").next().unwrap_or_default().trim_start_matches("error: ").trim(),
    };
    Some(Failure::Setting(reason.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(arguments: &[&str]) -> Option<String> {
        let error = super::super::command().try_get_matches_from(arguments).expect_err("no arguments of ours");
        failure(&error).map(|failure| failure.to_string())
    }

    #[test]
    fn what_is_wrong_is_told_without_the_usage() {
        let missing = told(&["countersign", "session", "list"]).expect("a failure");
        assert!(
            missing.contains("--sub <SUB>") && !missing.contains("Usage") && !missing.contains("error:"),
            "{missing}"
        );
        assert!(told(&["countersign", "lst"]).is_some_and(|told| told.contains("'lst'")));
        assert_eq!(told(&["countersign", "session"]).as_deref(), Some("a command is missing: --help lists them"));
        assert_eq!((told(&["countersign", "--help"]), told(&["countersign", "--version"])), (None, None));
    }

    #[test]
    fn the_word_counts_where_an_option_can_be() {
        let asked = |arguments: &[&str]| asked_for_json(arguments.iter().map(OsString::from));
        assert!(asked(&["countersign", "lst", "--json"]) && asked(&["countersign", "--json"]));
        assert!(!asked(&["--json", "lst"]) && !asked(&["countersign", "lst", "--", "--json"]));
    }
}
