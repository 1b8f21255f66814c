//! Which issuer a verb speaks to: a daemon that runs, over HTTP, or the store of one that is stopped, in this process.

use super::data_dir::DataDir;
use super::local::Local;
use super::remote::{Credentials, Remote, Url};
use super::said::Ended;
use super::target::Target;
use super::{Failure, input, secrets};
use crate::config::{Config, Layer};
use crate::operations::Secret;
use crate::telemetry::{self, LogFormat, LogLevel};
use clap::{Args, Command, FromArgMatches as _};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// Where a verb finds the issuer that it speaks to, and as whom it speaks.
#[derive(Args)]
#[command(next_help_heading = "Which issuer")]
pub(super) struct Reach {
    /// URL of a running daemon [default: the data folder of the settings, or the daemon that has it open]
    #[arg(long, global = true, value_name = "URL", conflicts_with = "data_dir")]
    url: Option<String>,
    /// Data folder of a daemon that is stopped: its store is opened here
    #[arg(long, global = true, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
    /// TOML file with the daemon's settings; the environment wins over it
    #[arg(long, global = true, env = "COUNTERSIGN_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Client that acts; a daemon wants its secret too, which is in COUNTERSIGN_CLIENT_SECRET or a file
    #[arg(
        long,
        global = true,
        env = "COUNTERSIGN_CLIENT_ID",
        default_value = "admin",
        value_name = "ID",
        allow_hyphen_values = true
    )]
    client_id: String,
    /// File with the client's secret, `-` for standard input
    #[arg(long, global = true, env = "COUNTERSIGN_CLIENT_SECRET_FILE", value_name = "FILE")]
    client_secret_file: Option<PathBuf>,
    /// Certificates of the authorities that are trusted, in PEM [default: those of the system, and without --url the daemon's
    /// own certificate]
    #[arg(long, global = true, env = "COUNTERSIGN_CA_FILE", value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Send the secret over plain http to a host that is not this one
    #[arg(long, global = true)]
    allow_insecure_url: bool,
    /// How long a daemon may take for one answer
    #[arg(long, global = true, default_value_t = 60, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3_600))]
    timeout_seconds: u64,
}

/// What a verb found: a daemon, or what it opened.
#[allow(clippy::large_enum_variant)] // there is one of it, in one command
pub(super) enum Way<T> {
    /// The daemon, over HTTP.
    Remote(Remote),
    /// What was opened in this process.
    Opened(T),
}

/// Whether a verb needs to be somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    /// It asks for what everybody may see.
    Anybody,
    /// It acts as a client.
    Client,
}

impl Reach {
    /// Lets `verb` speak to the issuer as the client of the arguments.
    ///
    /// # Errors
    /// [`Failure`], when the issuer cannot be reached or opened, or the verb fails.
    pub(super) fn act(&self, verb: impl AsyncFnOnce(&Target) -> Ended) -> Ended {
        self.run(Caller::Client, verb)
    }

    /// Lets `verb` ask for what everybody may see.
    ///
    /// # Errors
    /// As [`Reach::act`].
    pub(super) fn look(&self, verb: impl AsyncFnOnce(&Target) -> Ended) -> Ended {
        self.run(Caller::Anybody, verb)
    }

    fn run(&self, caller: Caller, verb: impl AsyncFnOnce(&Target) -> Ended) -> Ended {
        warnings();
        runtime()?.block_on(async {
            let target = self.target(caller).await?;
            let ended = verb(&target).await;
            let closed = target.close().await;
            ended.and_then(|said| closed.map(|()| said))
        })
    }

    async fn target(&self, caller: Caller) -> Result<Target, Failure> {
        let open = async |config: &Config, data_dir: &DataDir| Local::open(config, data_dir, &self.client_id).await;
        Ok(match self.way(caller, open).await? {
            Way::Remote(remote) => Target::Remote(remote),
            Way::Opened(local) => Target::Local(local),
        })
    }

    /// Returns the daemon, or what `open` makes of the data folder that no daemon has open.
    ///
    /// # Errors
    /// [`Failure`], when neither can be.
    pub(super) async fn way<T>(
        &self,
        caller: Caller,
        open: impl AsyncFnOnce(&Config, &DataDir) -> Result<T, Failure>,
    ) -> Result<Way<T>, Failure> {
        if let Some(url) = &self.url {
            return self.remote(Url::parse(url)?, String::new(), caller).map(Way::Remote);
        }
        let config = self.settings()?;
        // A store that this user may not even see, or that is elsewhere, can have a daemon all the same.
        let why = match DataDir::existing(&config.data_dir) {
            Err(none) if self.data_dir.is_some() => return Err(none),
            Err(none) => none.to_string(),
            Ok(data_dir) => match open(&config, &data_dir).await {
                Err(Failure::InUse(in_use)) if self.data_dir.is_some() => {
                    let cure = "stop the daemon that has it open, or leave out --data-dir and ask it";
                    return Err(Failure::InUse(format!("{in_use}; {cure}")));
                }
                Err(Failure::InUse(in_use)) if config.listen.port() == 0 => return Err(Failure::InUse(in_use)),
                Err(Failure::InUse(in_use)) => in_use,
                opened => return opened.map(Way::Opened),
            },
        };
        let remote = self.remote(Url::of(&config)?, why, caller)?;
        Ok(Way::Remote(remote.trusting_own(config.tls.map(|tls| tls.certificate_file))))
    }

    /// `why` the daemon is asked, where nobody has named it.
    fn remote(&self, url: Url, why: String, caller: Caller) -> Result<Remote, Failure> {
        let remote = Remote::new(url, Duration::from_secs(self.timeout_seconds));
        let remote = remote.trusting(self.ca_file.clone()).asked_because(why);
        match caller {
            Caller::Anybody => Ok(remote),
            Caller::Client => {
                remote.url().may_carry_secrets(self.allow_insecure_url)?;
                let credentials = self.credentials(remote.url())?;
                Ok(remote.proving(&credentials))
            }
        }
    }

    fn credentials(&self, url: &Url) -> Result<Credentials, Failure> {
        let secret = match (&self.client_secret_file, secrets::read(secrets::CLIENT_SECRET)?) {
            (Some(file), _) => input::text(Some(file), "the client's secret", Secret::MAX_LEN)?,
            (None, Some(secret)) => secret,
            (None, None) => {
                return Err(Failure::Setting(format!(
                    "the daemon at {url} wants the secret of the client `{}`: set {} or --client-secret-file",
                    self.client_id,
                    secrets::CLIENT_SECRET
                )));
            }
        };
        Ok(Credentials { client_id: self.client_id.clone(), secret })
    }

    /// Returns the settings of the daemon.
    ///
    /// # Errors
    /// [`Failure::Setting`].
    pub(super) fn settings(&self) -> Result<Config, Failure> {
        let given = Layer { data_dir: self.data_dir.clone(), ..Layer::default() };
        Ok(Config::load(self.config.as_deref(), &given.over(&environment()?))?)
    }
}

/// Returns the settings that the environment makes, without any flag.
///
/// # Errors
/// [`Failure::Setting`] for a variable whose value has the wrong form.
pub(super) fn environment() -> Result<Layer, Failure> {
    let settings = Layer::augment_args(Command::new("countersign").no_binary_name(true));
    let read = settings.try_get_matches_from(std::iter::empty::<OsString>());
    let layer = read.and_then(|matches| Layer::from_arg_matches(&matches));
    layer.map_err(|error| Failure::Setting(format!("the environment: {}", error.to_string().trim_end())))
}

/// Returns what waits for answers: one thread is enough for a command.
///
/// # Errors
/// [`Failure::Machine`].
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Machine(format!("nothing can be waited for: {error}")))
}

/// What a store has to say when it is opened goes to standard error; what a daemon would log all day does not.
fn warnings() {
    if let Ok(level) = LogLevel::parse("warn") {
        telemetry::start(LogFormat::Text, &level, None);
    }
}
