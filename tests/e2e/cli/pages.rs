//! Help, completions and the manual.

use super::{Ran, alone, ran};
use countersign_tests::Setup;
use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Stdio};

/// The names of all commands, from what their help lists and the hidden two.
fn commands() -> Vec<Vec<String>> {
    let mut found = vec![vec!["completions".to_owned()], vec!["man".to_owned()]];
    let mut open = vec![Vec::<String>::new()];
    while let Some(path) = open.pop() {
        let arguments: Vec<&str> = path.iter().map(String::as_str).chain(["--help"]).collect();
        let help = alone(&arguments, "").stdout;
        let listed = help
            .split_once(
                "Commands:
",
            )
            .map_or("", |(_, rest)| {
                rest.split(
                    "

",
                )
                .next()
                .unwrap_or("")
            });
        let names = listed.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
        let below = names.filter(|name| !name.is_empty() && *name != "help");
        open.extend(below.map(|name| path.iter().cloned().chain([name.to_owned()]).collect()));
        found.push(path);
    }
    found
}

#[test]
fn every_command_has_help_with_the_exit_codes() {
    let commands = commands();
    assert!(commands.len() > 15, "{commands:?}");
    for command in commands {
        let arguments: Vec<&str> = command.iter().map(String::as_str).chain(["--help"]).collect();
        let help = alone(&arguments, "");
        assert_eq!(help.code, Some(0), "{command:?}");
        for part in ["Usage: countersign", "--json", "Exit codes:", "  4  the daemon cannot be reached"] {
            assert!(help.stdout.contains(part), "{command:?} says {part}: {}", help.stdout);
        }
    }
}

/// Runs a tool of the system; `None` when it is not there.
fn tool(program: &str, arguments: &[&str], stdin: &str) -> Option<Ran> {
    Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().ok()?;
    let mut command = Command::new(program);
    command.args(arguments);
    Some(ran(command, stdin))
}

#[test]
fn completions_load_in_every_shell_that_is_here() {
    for (shell, program, check) in [("bash", "bash", "-n"), ("zsh", "zsh", "-n"), ("fish", "fish", "--no-execute")] {
        let script = alone(&["completions", shell], "");
        assert_eq!(script.code, Some(0));
        assert!(script.stdout.contains("countersign") && script.stdout.contains("revoke"), "{shell}");
        if let Some(loaded) = tool(program, &[check], &script.stdout) {
            assert_eq!((loaded.code, loaded.stderr.as_str()), (Some(0), ""), "{shell}");
        }
    }
    let script = alone(&["completions", "bash"], "").stdout;
    let ask =
        "COMP_WORDS=(countersign tok); COMP_CWORD=1; _countersign countersign tok countersign; echo ${COMPREPLY[0]}";
    let completed = tool(
        "bash",
        &[],
        &format!(
            "{script}
{ask}
"
        ),
    )
    .expect("bash is needed");
    assert_eq!(
        completed.stdout,
        "token
",
        "{}",
        completed.stderr
    );
}

#[test]
fn every_command_has_a_page_in_the_manual() {
    let setup = Setup::new();
    let out = setup.folder().join("man");
    let written = ran(setup.command(&["man", "--json", "--out", out.to_str().expect("UTF-8")]), "");
    assert_eq!(written.code, Some(0), "{}", written.stderr);
    let names = fs::read_dir(&out).expect("pages").map(|page| page.expect("a page").file_name().into_string());
    let pages: BTreeSet<String> = names.map(|name| name.expect("UTF-8")).collect();
    for command in commands() {
        let hidden = command.first().is_some_and(|name| name == "completions" || name == "man");
        let name = ["countersign".to_owned()].into_iter().chain(command).collect::<Vec<_>>().join("-");
        assert_eq!(pages.contains(&format!("{name}.1")), !hidden, "{name} in {pages:?}");
    }
    for page in &pages {
        let text = fs::read_to_string(out.join(page)).expect("a page");
        assert!(text.contains(".TH countersign") && text.contains(".SH SYNOPSIS"), "{page}");
        if let Some(shown) = tool("man", &["-l", out.join(page).to_str().expect("UTF-8")], "") {
            assert_eq!(shown.code, Some(0), "{page}: {}", shown.stderr);
        }
    }
}
