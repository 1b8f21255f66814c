//! `cargo xtask bench`: measures, and writes what came out into docs/benchmarks.md, with the machine, the date and the
//! command beside it. The measuring itself is done by the programs in tests/bench, each of which prints a piece of
//! Markdown.

mod document;
mod machine;
mod peers;

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use crate::tools::Tool;
use crate::workspace::Workspace;
use crate::{build_wasm, clock, steps};

/// What can be measured, in the order of the document.
const SUBJECTS: [&str; 6] = ["verify", "size", "issuer", "crowd", "growth", "revocation"];

/// Numbers of sessions at which is measured what grows with them.
const COUNTS: [&str; 3] = ["10000", "100000", "1000000"];

/// Our native verifier and other people's, some of them in C: a workspace of its own, which nothing else builds.
const NATIVE: &str = "tests/bench/verify/native/Cargo.toml";

/// Measures what was asked for, everything when nothing was, and replaces that part of the document.
///
/// # Errors
/// When an argument is not understood, something does not build, or a measurement fails: the document then keeps what
/// it held.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<()> {
    let asked: Vec<&str> = arguments.iter().map(String::as_str).filter(|word| *word != "all").collect();
    if let Some(unknown) = asked.iter().find(|word| !SUBJECTS.contains(word)) {
        bail!("`bench` does not know {unknown:?}: it takes {} or all", SUBJECTS.join(", "));
    }
    let subjects: Vec<&str> =
        SUBJECTS.into_iter().filter(|subject| asked.is_empty() || asked.contains(subject)).collect();
    prepare(workspace, &subjects)?;
    let document = workspace.root.join("docs/benchmarks.md");
    let commit = machine::commit(workspace)?; // before the document changes
    for subject in subjects {
        println!("measuring {subject} …");
        let started = clock::now();
        let machine = machine::described(workspace, subject, &commit)?; // before there is a load of ours
        let measured = measure(workspace, subject).with_context(|| format!("measure {subject}"))?;
        let text = format!("{machine}\n{}", measured.trim_end());
        println!("{text}\n({subject} took {})\n", clock::text(started.elapsed()));
        let before = std::fs::read_to_string(&document).with_context(|| format!("read {}", document.display()))?;
        std::fs::write(&document, document::replace(&before, subject, &text)?)?;
    }
    Ok(())
}

fn prepare(workspace: &Workspace, subjects: &[&str]) -> anyhow::Result<()> {
    Tool::WasmTarget.ensure(workspace)?;
    Tool::NodeModules.ensure(workspace)?;
    build_wasm::run(&workspace.root, "wasm")?;
    let only_verify = subjects == ["verify"]; // the other programs drag the issuer in
    let examples: &[&str] = if only_verify { &["--example", "bench_fixture"] } else { &["--examples"] };
    ran(workspace.cargo().args(["build", "--locked", "--release", "--package", "countersign-tests"]).args(examples))?;
    if subjects.contains(&"verify") {
        Tool::Chromium.ensure(workspace)?;
        build_wasm::write_with_names(&workspace.root, "wasm", &workspace.target.join("bench-verify/named"))?;
        ran(workspace.cargo().args(["build", "--locked", "--release", "--manifest-path", NATIVE]))?;
    }
    if !only_verify {
        ran(&mut steps::daemon_build(workspace, true))?;
    }
    if subjects.contains(&"issuer") {
        peers::install(workspace)?;
    }
    Ok(())
}

fn ran(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status()?;
    if !status.success() {
        bail!("{} ended with {status}", command.get_program().display());
    }
    Ok(())
}

/// The Markdown that the subject's program prints.
fn measure(workspace: &Workspace, subject: &str) -> anyhow::Result<String> {
    let example = |name: &str| workspace.target.join("release/examples").join(name);
    let script = |name: &str| workspace.root.join("tests/bench").join(name);
    let daemon = workspace.daemon(true);
    match subject {
        "verify" => {
            let mut node = workspace.command("node");
            node.arg(script("verify/main.mjs")).arg(example("bench_fixture"));
            node.arg(workspace.target.join("release/bench-verify-native"));
            printed(node.arg(workspace.target.join("bench-verify")))
        }
        "size" => printed(workspace.command("node").arg(script("size.mjs")).arg(&daemon)),
        "growth" => {
            let mut bench = workspace.command(example("bench_issuer"));
            printed(bench.arg("growth").arg(&daemon).arg(disk(workspace)).args(COUNTS))
        }
        "crowd" => printed(workspace.command(example("bench_issuer")).arg("crowd").arg(&daemon).arg(disk(workspace))),
        "revocation" => printed(workspace.command(example("bench_revocation")).arg(&daemon).arg(disk(workspace))),
        _ => {
            let mut bench = workspace.command(example("bench_issuer"));
            bench
                .arg("beside")
                .arg(&daemon)
                .arg(disk(workspace))
                .arg(peers::python(workspace))
                .arg(script("issuer/peers"));
            printed(&mut bench)
        }
    }
}

/// Stores under test lie in the target directory: on the disk of the checkout, and not in a /tmp that may be memory.
fn disk(workspace: &Workspace) -> &Path {
    &workspace.target
}

fn printed(command: &mut Command) -> anyhow::Result<String> {
    let output = command.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        bail!("{} ended with {}", command.get_program().display(), output.status);
    }
    Ok(String::from_utf8(output.stdout)?)
}
