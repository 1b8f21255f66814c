//! The peers: what others keep rotating refresh tokens with, each as its documentation has it run, with durable storage.

use std::error::Error;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use countersign_tests::Cluster;
use token::base64url;

use crate::clock;
use crate::connection::Connection;
use crate::work::{self, Sessions};

/// A peer is ready within this time.
const PATIENCE: Duration = Duration::from_secs(60);
/// Workers that gunicorn's documentation advises for two cores: twice as many and one.
const WORKERS: &str = "5";

/// Where what peers need was installed.
pub(crate) struct Tools {
    /// Python of an environment with requirements.txt.
    pub(crate) python: PathBuf,
    /// The folder of their programs.
    pub(crate) programs: PathBuf,
}

/// One of them.
#[derive(Clone, Copy)]
pub(crate) enum Peer {
    Django,
    Flask,
    OidcProvider,
}

/// All that are measured.
pub(crate) const PEERS: [Peer; 3] = [Peer::Django, Peer::Flask, Peer::OidcProvider];

/// A peer that answers.
pub(crate) struct Running {
    process: Child,
    address: SocketAddr,
    _database: Option<Cluster>,
}

impl Peer {
    /// What it is and where it keeps its state.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Django => "Django REST framework, simplejwt with rotation and blacklist, SQLite, gunicorn",
            Self::Flask => "Flask-JWT-Extended with a table of revoked tokens, SQLite, gunicorn",
            Self::OidcProvider => "node-oidc-provider with rotation, PostgreSQL, a process a core",
        }
    }

    /// Starts it with new storage in `folder`, and waits until it answers.
    pub(crate) fn start(self, tools: &Tools, folder: &Path) -> Result<Running, Box<dyn Error>> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?; // and let go of again
        let (mut command, database) = match self {
            Self::Django => (tools.gunicorn("django_peer", folder, address)?, None),
            Self::Flask => (tools.gunicorn("flask_peer", folder, address)?, None),
            Self::OidcProvider => {
                let cluster = Cluster::start();
                let mut node = Command::new("node");
                node.arg(tools.programs.join("oidc_peer.mjs")).arg(address.port().to_string());
                node.env("PGHOST", "127.0.0.1").env("PGPORT", cluster.port().to_string());
                node.env("PGUSER", "countersign").env("PGDATABASE", "postgres");
                node.stderr(Stdio::null()); // it warns of this version of Node
                (node, Some(cluster))
            }
        };
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
        let running = Running { process, address, _database: database };
        let started = clock::now();
        while TcpStream::connect(address).is_err() {
            if started.elapsed() > PATIENCE {
                return Err(format!("{} did not start", self.name()).into());
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(running)
    }

    /// Starts a session.
    pub(crate) async fn mint(self, connection: &mut Connection, sessions: &mut Sessions) -> io::Result<()> {
        let answer = connection.post("/mint", "", "").await?;
        sessions.push(work::refresh_token(answer)?);
        Ok(())
    }

    /// Refreshes the connection's next session, as [`work::refresh`] does.
    pub(crate) async fn refresh(
        self,
        connection: &mut Connection,
        count: usize,
        sessions: &mut Sessions,
    ) -> io::Result<()> {
        let newest = work::next(sessions, count)?;
        let answer = match self {
            Self::Django => {
                let body = format!(r#"{{"refresh":"{newest}"}}"#);
                connection.post("/token/refresh", "Content-Type: application/json\r\n", &body).await?
            }
            Self::Flask => {
                let headers = format!("Authorization: Bearer {newest}\r\n");
                connection.post("/token/refresh", &headers, "").await?
            }
            Self::OidcProvider => {
                let credentials = base64url::encode(b"bench:benchmarks-only-0123456789abcdef0");
                let headers = format!(
                    "Content-Type: application/x-www-form-urlencoded\r\nAuthorization: Basic {credentials}\r\n"
                );
                connection.post("/token", &headers, &format!("grant_type=refresh_token&refresh_token={newest}")).await?
            }
        };
        *newest = work::refresh_token(answer)?;
        Ok(())
    }
}

impl Tools {
    fn gunicorn(&self, module: &str, folder: &Path, address: SocketAddr) -> Result<Command, Box<dyn Error>> {
        let python = || {
            let mut command = Command::new(&self.python);
            command.env("FOLDER", folder).env("PYTHONPATH", &self.programs).env("PYTHONDONTWRITEBYTECODE", "1");
            command
        };
        let made = python().arg(self.programs.join(module).with_extension("py")).status()?;
        if !made.success() {
            return Err(format!("{module}: the tables were not made").into());
        }
        let mut command = python();
        command.args(["-m", "gunicorn", "--log-level", "warning", "--workers", WORKERS]);
        command.arg("--bind").arg(address.to_string()).arg(format!("{module}:application"));
        Ok(command)
    }
}

impl Running {
    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Running {
    /// Its workers end with it.
    fn drop(&mut self) {
        let _told = Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status();
        let _reaped = self.process.wait();
    }
}
