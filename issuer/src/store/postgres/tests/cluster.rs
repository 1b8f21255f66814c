//! A PostgreSQL of the tests' own: made in a temporary folder, on the loopback address, gone with the process that made it.
//!
//! A shell holds the server and waits for the end of its standard input, which is this process, however it ends: then it stops
//! the server and removes the folder. The server refuses to run as root, so root starts it as the user `postgres`.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Where Debian puts the servers; the newest is taken.
const SERVERS: &str = "/usr/lib/postgresql";

const KEEP: &str = r#"
set -e
folder=$1 bin=$2 port=$3 user=$4 source=$5 options=$6
as() { if [ -n "$user" ]; then setpriv --reuid="$user" --regid="$user" --init-groups "$@"; else "$@"; fi; }
trap 'rm -rf "$folder"' EXIT
[ -z "$user" ] || chown "$user" "$folder"
if [ -z "$source" ]; then
  as "$bin/initdb" -D "$folder/data" -A trust -U countersign --no-sync --no-instructions >"$folder/log" 2>&1
elif [ -d "$source" ]; then
  as "$bin/initdb" -D "$folder/data" -A trust -U countersign --no-sync --no-instructions >"$folder/log" 2>&1
  for file in server.crt server.key; do cp "$source/$file" "$folder/data/$file"; chmod 600 "$folder/data/$file"; done
  [ -z "$user" ] || chown "$user" "$folder/data/server.crt" "$folder/data/server.key"
else
  as "$bin/pg_basebackup" -h 127.0.0.1 -p "$source" -U countersign -D "$folder/data" -R -X stream -c fast >"$folder/log" 2>&1
fi
start() {
  as "$bin/pg_ctl" -D "$folder/data" -l "$folder/server.log" -w start \
    -o "-p $port -k $folder -c listen_addresses=127.0.0.1 -c max_connections=400 -c shared_buffers=64MB $options" >>"$folder/log" 2>&1
}
start
echo ready
while read -r word; do
  case $word in
    restart) as "$bin/pg_ctl" -D "$folder/data" -m immediate -w stop >>"$folder/log" 2>&1; start; echo ready ;;
    stop) as "$bin/pg_ctl" -D "$folder/data" -m immediate -w stop >>"$folder/log" 2>&1; echo ready ;;
    start) start; echo ready ;;
    promote) as "$bin/pg_ctl" -D "$folder/data" -w promote >>"$folder/log" 2>&1; echo ready ;;
  esac
done
as "$bin/pg_ctl" -D "$folder/data" -m immediate -w stop >>"$folder/log" 2>&1 || true
"#;

/// A running server; dropping it ends the server.
pub struct Cluster {
    keeper: Child,
    port: u16,
}

impl Cluster {
    /// Starts a server.
    ///
    /// # Panics
    /// Where there is no PostgreSQL: a test that needs one fails then, and is not passed over.
    pub fn start() -> Self {
        Self::with("", "")
    }

    /// Starts a server that speaks TLS, with the `server.crt` and `server.key` in a folder; in the clear, too.
    ///
    /// # Panics
    /// As [`Cluster::start`].
    pub fn speaking_tls(identity: &Path) -> Self {
        Self::with(identity.to_str().expect("a path in UTF-8"), "-c ssl=on")
    }

    /// Starts a server that repeats what this one does, and lets this one answer no commit that the other has not on disk.
    ///
    /// # Panics
    /// As [`Cluster::start`].
    pub fn synchronous_standby(&self) -> Self {
        let standby = Self::with(&self.port.to_string(), "");
        self.sql("ALTER SYSTEM SET synchronous_standby_names = '*'");
        self.sql("SELECT pg_reload_conf()");
        while self.sql("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") != "1" {}
        standby
    }

    /// Starts a server: a new one, with a folder of its identity, or one that follows the one at a port.
    fn with(source: &str, options: &str) -> Self {
        let bin = binaries().expect("PostgreSQL is needed for this test: install the package `postgresql`");
        // Free now, and nobody else asks for it: the system does not give the same one again so soon.
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
        let folder = tempfile::Builder::new().prefix("countersign-pg-").tempdir().expect("a folder").keep();
        let user = if rustix::process::geteuid().is_root() { "postgres" } else { "" };
        let mut keeper = Command::new("bash")
            .args(["-c", KEEP, "keep"])
            .args([&folder, &bin])
            .args([&port.to_string(), user, source, options])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("bash starts");
        let heard = heard(&mut keeper);
        assert!(heard, "PostgreSQL does not start from {}", bin.display());
        Self { keeper, port }
    }

    /// Returns the URL of a database that is there.
    pub fn url(&self) -> String {
        format!("postgres://countersign@127.0.0.1:{}/postgres", self.port)
    }

    /// Returns the URL of a schema of that database, which is made if it is not there.
    pub fn schema(&self, name: &str) -> String {
        let made = Command::new(binaries().expect("it was there").join("psql"))
            .args(["-q", "-c", &format!("SET client_min_messages = error; CREATE SCHEMA IF NOT EXISTS {name}")])
            .arg(self.url())
            .status();
        assert!(made.is_ok_and(|status| status.success()), "a schema is made");
        format!("{}?options=-c%20search_path%3D{name}", self.url())
    }

    /// Returns what the server says to a statement: its first value, or nothing.
    pub fn sql(&self, statement: &str) -> String {
        let psql = binaries().expect("it was there").join("psql");
        let said = Command::new(psql).args(["-qAt", "-c", statement]).arg(self.url()).output().expect("psql runs");
        assert!(said.status.success(), "{statement}: {}", String::from_utf8_lossy(&said.stderr));
        String::from_utf8_lossy(&said.stdout).trim().to_owned()
    }

    /// Begins a transaction with a statement, and keeps what that locks until what is returned is dropped.
    ///
    /// # Panics
    /// When the statement fails.
    pub fn hold(url: &str, statement: &str) -> Held {
        use std::io::Write as _;
        let mut session = Command::new(binaries().expect("it was there").join("psql"))
            .args(["-qAt", "-v", "ON_ERROR_STOP=1", url])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("psql runs");
        let said = format!("BEGIN; {statement};\n\\echo ready\n");
        session.stdin.as_mut().expect("a pipe").write_all(said.as_bytes()).expect("psql listens");
        assert!(heard(&mut session), "{statement}");
        Held(session)
    }

    /// Lets a server that repeated another take writes itself.
    pub fn promote(&mut self) {
        self.tell("promote");
    }

    /// Returns where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Lets it crash, and starts it again.
    pub fn restart(&mut self) {
        self.tell("restart");
    }

    /// Lets it crash.
    pub fn stop(&mut self) {
        self.tell("stop");
    }

    /// Starts it after [`Cluster::stop`].
    pub fn start_again(&mut self) {
        self.tell("start");
    }

    fn tell(&mut self, word: &str) {
        use std::io::Write as _;
        let told = self.keeper.stdin.as_mut().expect("a pipe").write_all(format!("{word}\n").as_bytes());
        told.expect("the server's keeper listens");
        assert!(heard(&mut self.keeper), "PostgreSQL does not {word}");
    }
}

/// A transaction that is open; dropping it ends it.
pub struct Held(Child);

impl Drop for Held {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        drop(self.0.wait());
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        drop(self.keeper.wait());
    }
}

/// Waits for the keeper's word; byte by byte, so that nothing of what follows is taken.
fn heard(keeper: &mut Child) -> bool {
    use std::io::Read as _;
    let Some(output) = keeper.stdout.as_mut() else { return false };
    let mut line = Vec::new();
    let mut byte = [0];
    while line.last() != Some(&b'\n') {
        match output.read(&mut byte) {
            Ok(1) => line.extend(byte),
            _ => return false,
        }
    }
    line == b"ready\n"
}

fn binaries() -> Option<PathBuf> {
    let versions = std::fs::read_dir(Path::new(SERVERS)).ok()?.filter_map(Result::ok);
    let servers = versions.map(|version| version.path().join("bin")).filter(|bin| bin.join("initdb").exists());
    servers.max_by_key(|bin| bin.parent().and_then(|v| v.file_name()?.to_str()?.parse::<u32>().ok()))
}
