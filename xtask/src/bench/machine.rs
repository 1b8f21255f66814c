//! On what, when and by which command something was measured.

use std::fs;

use anyhow::Context;

use crate::workspace::Workspace;

/// One line of Markdown above the figures.
pub(crate) fn described(workspace: &Workspace, subject: &str, commit: &str) -> anyhow::Result<String> {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = field(&cpuinfo, "model name").unwrap_or("unknown processor");
    let cores = std::thread::available_parallelism()?;
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let memory = field(&memory, "MemTotal").and_then(|text| text.strip_suffix(" kB")?.parse().ok()).unwrap_or(0_u64);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default().to_owned();
    let (node, rustc) = (version(workspace, "node")?, version(workspace, "rustc")?);
    let date = date(workspace)?;
    Ok(format!(
        "`cargo xtask bench {subject}`, {date}, commit {commit}, on {model}, {cores} cores, {} GiB, Linux {}, \
         Node {node}, {rustc}, load before the run {load}.\n",
        memory.div_ceil(1 << 20),
        kernel.trim(),
    ))
}

/// `name : value`, as /proc writes it.
fn field<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.split_once(':').map(|(_, value)| value.trim())
}

fn version(workspace: &Workspace, program: &str) -> anyhow::Result<String> {
    said(workspace, program, &["--version"])
}

fn date(workspace: &Workspace) -> anyhow::Result<String> {
    said(workspace, "date", &["-u", "+%Y-%m-%d"])
}

/// What is measured: the commit, and `-dirty` where the checkout differs from it.
pub(crate) fn commit(workspace: &Workspace) -> anyhow::Result<String> {
    said(workspace, "git", &["describe", "--always", "--dirty"])
}

fn said(workspace: &Workspace, program: &str, arguments: &[&str]) -> anyhow::Result<String> {
    let output = workspace.command(program).args(arguments).output().with_context(|| format!("start {program}"))?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
