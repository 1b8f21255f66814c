//! The command line: each verb over a daemon that runs and over the store of one that is stopped, in text and in JSON.

mod keeping;
mod managing;
mod pages;
mod tokens;
mod ways;

use countersign_tests::{Daemon, Setup};
use serde_json::Value;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

const ISSUER: &str = "https://id.example.com";

/// One command that has ended.
struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Ran {
    /// Returns the one document on standard output.
    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", self.stdout, self.stderr))
    }
}

fn ran(mut command: Command, stdin: &str) -> Ran {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it runs");
    // A command that reads nothing may be gone before this is written.
    drop(child.stdin.take().expect("a pipe").write_all(stdin.as_bytes()));
    let Output { status, stdout, stderr } = child.wait_with_output().expect("it ends");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Ran { code: status.code(), stdout: text(stdout), stderr: text(stderr) }
}

/// A way to an issuer: arguments and a secret.
struct Way<'a> {
    setup: &'a Setup,
    arguments: [String; 2],
    secret: Option<String>,
}

impl<'a> Way<'a> {
    fn http(daemon: &'a Daemon) -> Self {
        let secret = Some(daemon.admin().1.to_owned());
        Self { setup: daemon.setup(), arguments: ["--url".to_owned(), daemon.url()], secret }
    }

    fn store(daemon: &'a Daemon) -> Self {
        let folder = daemon.setup().data_dir().to_str().expect("UTF-8").to_owned();
        Self { setup: daemon.setup(), arguments: ["--data-dir".to_owned(), folder], secret: None }
    }

    fn run(&self, arguments: &[&str], stdin: &str) -> Ran {
        let mut command = self.setup.command(arguments);
        command.args(&self.arguments);
        command.envs(self.secret.iter().map(|secret| ("COUNTERSIGN_CLIENT_SECRET", secret)));
        ran(command, stdin)
    }

    /// Runs a verb with `--json` and returns its document; it must end with `code`.
    fn ends(&self, code: i32, arguments: &[&str], stdin: &str) -> Value {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
        let ran = self.run(&arguments, stdin);
        assert_eq!(ran.code, Some(code), "{arguments:?}: {}{}", ran.stdout, ran.stderr);
        ran.json()
    }

    fn says(&self, arguments: &[&str]) -> Value {
        self.ends(0, arguments, "")
    }

    fn mint(&self, sub: &str) -> (String, String, String) {
        let pair = self.says(&["token", "mint", "--sub", sub, "--aud", "api"]);
        let text = |name: &str| pair[name].as_str().expect("a text").to_owned();
        (text("access_token"), text("refresh_token"), text("sid"))
    }

    fn code_of(&self, token: &str) -> Value {
        self.ends(1, &["token", "verify", "--audience", "api"], token)["code"].clone()
    }
}

/// Runs `verbs` over a daemon, stops it, and runs them over its store.
fn both_ways(verbs: impl Fn(&Way)) {
    let mut daemon = Setup::new().set("issuer", ISSUER).set("users.enabled", "true").start();
    verbs(&Way::http(&daemon));
    assert_eq!(daemon.stop().code(), Some(0));
    verbs(&Way::store(&daemon));
    daemon.restart();
    verbs(&Way::http(&daemon));
}

fn alone(arguments: &[&str], stdin: &str) -> Ran {
    ran(Setup::new().command(arguments), stdin)
}
