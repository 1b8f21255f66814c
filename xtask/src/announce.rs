//! Says that the daemon is ready, and what to do with it. Runs beside the daemon for as long as it takes to start.
//!
//! `up` becomes the daemon by exec, so this is a process of its own, and not its child in the end: the daemon would
//! never collect it. The secret comes by the environment, where other users cannot read it.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::clock;

/// How long a daemon may take to be ready. Opening a store of a million sessions takes about a second.
const PATIENCE: Duration = Duration::from_secs(60);
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);
const ONE_LOOK: Duration = Duration::from_secs(1);
const SECRET: &str = "COUNTERSIGN_ADMIN_SECRET";

/// Afterwards another process waits for the daemon that this one is about to become.
///
/// # Errors
/// When that process cannot be started.
pub(crate) fn start(port: u16, client: &str, secret: &str) -> anyhow::Result<()> {
    let daemon = std::process::id();
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["announce", "detach", &port.to_string(), &daemon.to_string(), client]);
    let status = command.env(SECRET, secret).status().context("start the announcement")?;
    if !status.success() {
        bail!("the announcement could not be started: {status}");
    }
    Ok(())
}

/// The command `announce`, which only [`start`] calls.
///
/// # Errors
/// When the arguments are not those of [`start`].
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["detach", rest @ ..] => {
            let mut command = Command::new(std::env::current_exe()?);
            command.arg("announce").args(rest).stdin(Stdio::null()).spawn().context("wait beside the daemon")?;
            Ok(())
        }
        [port, daemon, client] => {
            let secret = std::env::var(SECRET).context("the secret is in the environment")?;
            wait(port.parse()?, daemon, client, &secret);
            Ok(())
        }
        _ => bail!("`announce` is started by `up`"),
    }
}

fn wait(port: u16, daemon: &str, client: &str, secret: &str) {
    let started = clock::now();
    while started.elapsed() < PATIENCE {
        if is_ready(port) {
            return println!("{}", text(port, client, secret));
        }
        if !lives(daemon) {
            return; // it has said why
        }
        thread::sleep(BETWEEN_LOOKS);
    }
    eprintln!("xtask: not ready after {}; http://127.0.0.1:{port}/readyz says why", clock::text(PATIENCE));
}

/// Whether the daemon answers 200 to `GET /readyz`.
fn is_ready(port: u16) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), ONE_LOOK)?;
        stream.set_read_timeout(Some(ONE_LOOK))?;
        stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
        let mut status = String::new();
        BufReader::new(stream).read_line(&mut status)?;
        Ok(status)
    };
    ask().is_ok_and(|status| status.starts_with("HTTP/1.1 200 "))
}

/// Whether the process exists. Where there is no /proc it is taken to, and patience decides.
fn lives(process: &str) -> bool {
    !Path::new("/proc/self").exists() || Path::new("/proc").join(process).exists()
}

/// The secret stands in the fragment of the page's address: a browser never sends that part to a server.
fn text(port: u16, client: &str, secret: &str) -> String {
    let origin = format!("http://127.0.0.1:{port}");
    format!(
        "
  the page    {origin}/#client_id={client}&client_secret={secret}

  a token     curl -s -u {client}:{secret} \\
                -H 'content-type: application/json' \\
                -d '{{\"sub\":\"ada\",\"aud\":\"api\"}}' {origin}/v1/tokens

  to stop     Ctrl-C
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn only_the_answer_200_is_ready() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = thread::spawn(move || {
            for status in ["503 Service Unavailable", "200 OK"] {
                let (mut stream, _) = listener.accept().unwrap();
                write!(stream, "HTTP/1.1 {status}\r\n\r\n").unwrap();
            }
        });
        assert!(!is_ready(port));
        assert!(is_ready(port));
        server.join().unwrap();
        assert!(!is_ready(port), "nobody listens any more");
    }

    #[test]
    fn the_text_holds_the_page_the_first_token_and_how_to_stop() {
        let text = text(8080, "admin", "5ec");
        for part in ["http://127.0.0.1:8080/#client_id=admin&client_secret=5ec", "curl -s -u admin:5ec", "Ctrl-C"] {
            assert!(text.contains(part), "{part}");
        }
    }
}
