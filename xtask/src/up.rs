//! `cargo xtask up`: builds what is not built, and becomes the daemon.
//!
//! It *becomes* the daemon (exec) instead of starting it as a child: one process, so a signal to it reaches the daemon
//! whoever sends it and whichever it is, and nothing is left behind when this program dies. The price is that somebody
//! else must say when the daemon is ready: announce.rs, which ends as soon as it has.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, bail};

use crate::dev_secret::DevSecret;
use crate::tools::Tool;
use crate::workspace::Workspace;
use crate::{announce, build_wasm, steps};

/// The one client the daemon makes for itself, here with a secret we know.
const CLIENT: &str = "admin";

struct Options {
    port: u16,
    data_dir: Option<PathBuf>,
    release: bool,
}

/// Starts a daemon to try things on. Comes back only when it could not.
///
/// # Errors
/// When an argument is not understood, the port is taken, or something does not build or start.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<()> {
    let options = Options::parse(arguments)?;
    the_port_is_free(options.port)?;
    build(workspace, options.release)?;
    let kept = workspace.root.join(".countersign-dev");
    let secret = DevSecret::in_folder(&kept)?;
    let data_dir = options.data_dir.clone().unwrap_or_else(|| kept.join("data"));
    announce::start(options.port, CLIENT, secret.reveal())?;
    let program = workspace.daemon(options.release);
    let mut daemon = Command::new(&program);
    daemon.args(["serve", "--listen", &format!("127.0.0.1:{}", options.port), "--data-dir"]);
    daemon.arg(data_dir).env("COUNTERSIGN_ADMIN_SECRET", secret.reveal());
    Err(daemon.exec()).with_context(|| format!("start {}", program.display()))
}

impl Options {
    fn parse(arguments: &[String]) -> anyhow::Result<Self> {
        let mut options = Self { port: 8080, data_dir: None, release: true };
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--release" => options.release = true,
                "--debug" => options.release = false,
                "--port" => {
                    let text = words.next().context("--port takes a number")?;
                    let port = text.parse().ok().filter(|port| *port != 0);
                    options.port =
                        port.with_context(|| format!("--port takes a number from 1 to 65535, not {text:?}"))?;
                }
                "--data-dir" => options.data_dir = Some(words.next().context("--data-dir takes a folder")?.into()),
                other => bail!("`up` does not know {other:?}: it takes --port N, --data-dir DIR, --release, --debug"),
            }
        }
        Ok(options)
    }
}

/// Asked before anything is built: an answer after a minute of building would be late.
fn the_port_is_free(port: u16) -> anyhow::Result<()> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_freed_here) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AddrInUse => bail!(
            "port {port} on 127.0.0.1 is taken, perhaps by a daemon that is still running; \
             stop that one, or choose another: cargo xtask up --port {}",
            port.checked_add(1).unwrap_or(8080)
        ),
        Err(error) => Err(error).with_context(|| format!("listen on 127.0.0.1:{port}")),
    }
}

/// Both builds look at the sources every time; when nothing changed that takes a fraction of a second.
fn build(workspace: &Workspace, release: bool) -> anyhow::Result<()> {
    Tool::WasmTarget.ensure(workspace)?;
    build_wasm::run(&workspace.root, "wasm").context("build the verifier as WebAssembly")?;
    let status = steps::daemon_build(workspace, release).status().context("start cargo")?;
    if !status.success() {
        bail!("the daemon does not build: {status}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> anyhow::Result<Options> {
        Options::parse(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn the_release_build_on_port_8080_is_the_default() {
        let options = parse(&[]).unwrap();
        assert!(options.release && options.port == 8080 && options.data_dir.is_none());
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for words in
            [&["--port"][..], &["--port", "x"], &["--port", "0"], &["--port", "65536"], &["--prot", "1"], &["8080"]]
        {
            assert!(parse(words).is_err(), "{words:?}");
        }
    }

    #[test]
    fn a_taken_port_is_named_before_anything_is_built() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = the_port_is_free(port).unwrap_err().to_string();
        assert!(error.contains(&format!("port {port}")) && error.contains("--port"), "{error}");
    }
}
