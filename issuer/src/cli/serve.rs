//! `countersign serve`: everything is opened, then served until a signal or a failed store ends it.

use super::data_dir::DataDir;
use super::master_key::Place;
use super::said::{Ended, Said, print as say};
use super::standby::Staying;
use super::{Failure, Options, admin, limits, master_key, metrics, reload, secrets, standby, store, traces, users};
use crate::config::{AlgorithmName, Config, IssuerUrl};
use crate::env::Env;
use crate::error::Error;
use crate::forwarding::{self, ForwardingKey};
use crate::http::{self, Changing, Surface};
use crate::keys::MasterKey;
use crate::operations::audit::Retention;
use crate::operations::{Issuer, KeyLife, Settings, UserSettings};
use crate::server::{self, Drained};
use crate::store::Waiting;
use crate::telemetry::traces::Traces;
use crate::telemetry::{self, LogControl, field};
use std::sync::Arc;
use std::time::Duration;
use token::jwk::Algorithm;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How long the store may take to write what is queued once no request is left.
const CLOSING: Duration = Duration::from_secs(10);

/// Runs the daemon until it is told to stop.
///
/// # Errors
/// [`Failure`] when it could not start, or stopped by itself.
pub(super) fn serve(options: &Options, as_json: bool) -> Ended {
    let config = Config::load(options.config.as_deref(), &options.given)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Machine(format!("no threads can be started: {error}")))?;
    let traces = traces::prepare(&config, runtime.handle())?;
    let log = telemetry::start(config.log_format, &config.log_level, traces.as_ref());
    limits::apply(config.limits.max_connections);
    let ended = runtime.block_on(run(config, options, log, as_json));
    traces.inspect(Traces::end);
    ended.map(|()| Said::before())
}

async fn run(config: Config, options: &Options, log: LogControl, as_json: bool) -> Result<(), Failure> {
    let env = Env::system();
    let admin_secret = secrets::admin_secret()?;
    let users = users::settings(&config.users)?;
    let mut signals = (on(SignalKind::terminate())?, on(SignalKind::interrupt())?);
    let hang_up = on(SignalKind::hangup())?;
    let (front, reloading) = reload::prepare(&config, options, log)?;
    let listener = TcpListener::bind(config.listen)
        .await
        .map_err(|error| Failure::Machine(format!("cannot listen on {}: {error}", config.listen)))?;
    let listen = listener.local_addr().map_err(|error| Failure::Machine(format!("cannot listen: {error}")))?;
    let identifier = config.issuer.clone().unwrap_or_else(|| IssuerUrl::of_loopback(listen, config.tls.is_some()));

    let config = Config { store: config.store.listening(listen, config.tls.is_some()), ..config };
    store::say_where_it_is(&config);

    let metrics = metrics::listen(config.metrics_listen).await?;
    let (serving, issuer) = watch::channel(None);
    let metrics = metrics.map(|listener| tokio::spawn(metrics::serve(listener, issuer)));
    let data_dir = DataDir::prepare(&config.data_dir)?;
    store::is_for_us(&config, &data_dir).await?;
    let master = master_key::master_key(&config, &data_dir, &env).await?;
    let meanwhile = Arc::new(ForwardingKey::new(master.0.derived(forwarding::PURPOSE)));
    let (told, holder) = watch::channel(None);
    let prepared = standby::Prepared {
        holder,
        peers: store::peers(&config)?,
        limits: config.limits.clone(),
        front: front.clone(),
        env: env.clone(),
    };
    let (changing, kept) = (reloading.changing(), reloading.changing());
    let reloading = tokio::spawn(reloading.run(hang_up)); // also while it stands by; it ends with the process at the latest
    let secure = config.tls.is_some() || identifier.is_secure();
    let standby = |standing| http::Standby {
        standing,
        secure,
        name: store::name(),
        forwarding: meanwhile,
        changing,
        body_timeout: config.body_timeout,
        patience: store::patience(&config),
        // A place for each of one in six connections: what waits must not be all that there is room for.
        max_waiting: config.limits.max_connections / 6,
    };
    let mut forwarding = None;
    let opening = async {
        let (issuer, key) =
            unlocked(&config, &data_dir, &identifier, &env, Waiting::StandBy(told), master, users).await?;
        forwarding = Some(Arc::new(key));
        Ok(issuer)
    };
    let opened = standby::opened(Box::pin(opening), listener, prepared, standby, &mut signals).await?;
    let standby::Opened { listener, issuer, stood } = opened;
    let Some(issuer) = issuer else { return Ok(()) };
    let new_admin = admin::to_be_made(&issuer, admin_secret, &env).await?;
    let forwarding = forwarding.filter(|_| store::is_shared(&config));
    let surface = Surface { forwarding, ..surface(&config, kept, secure) };
    let routes = http::routes(issuer.clone(), env, surface).map_err(Error::from)?;
    serving.send_replace(Some(issuer.clone()));
    let staying = stood.map(|stood| stood.over(routes.clone()));
    tracing::info!({ field::LISTEN } = %listen, { field::ISSUER } = %identifier, "ready");
    let url = format!("{}://{listen}", if config.tls.is_some() { "https" } else { "http" });
    if let Err(failure) = say(&admin::greeting(&url, &identifier, new_admin.as_ref(), as_json)) {
        close(&issuer).await?;
        return Err(failure);
    }
    if new_admin.is_some() {
        issuer.ensure_client(admin::ADMIN, new_admin).await?; // before the first request is answered
    }

    let background = tokio::spawn(server::keep_house(issuer.clone()));
    let mut ended = Ok(());
    let mut leaving = None;
    let stop = async {
        ended = until_told(signals, &issuer).await;
        leaving = staying.map(Staying::end);
    };
    let drained = server::run(listener, routes, config.limits, front, stop).await;
    if let Some(leaving) = leaving {
        drop(leaving.await); // it has the same limit, and began at the same time
    }
    background.abort();
    reloading.abort();
    metrics.inspect(JoinHandle::abort);
    if let Drained::Cut(connections) = drained {
        tracing::warn!({ field::CONNECTIONS } = connections, "connections were cut: the drain limit has passed");
    }
    close(&issuer).await?;
    tracing::info!("stopped");
    ended
}

/// Opens the issuer in a data folder; the store and the master key are made when there is neither.
///
/// # Errors
/// [`Failure::InUse`] when another process has the store open; [`Failure::Machine`], [`Failure::Setting`], [`Failure::Store`].
pub(super) async fn open(
    config: &Config,
    data_dir: &DataDir,
    identifier: &IssuerUrl,
    env: &Env,
    waiting: Waiting,
) -> Result<Issuer, Failure> {
    store::is_for_us(config, data_dir).await?;
    let master = master_key::master_key(config, data_dir, env).await?;
    let users = users::settings(&config.users)?;
    unlocked(config, data_dir, identifier, env, waiting, master, users).await.map(|(issuer, _)| issuer)
}

/// Opens the issuer with this master key, or the one that was to follow it; returns what its daemons tell each other with, too.
async fn unlocked(
    config: &Config,
    data_dir: &DataDir,
    identifier: &IssuerUrl,
    env: &Env,
    waiting: Waiting,
    (master_key, place): (MasterKey, Place),
    users: Option<UserSettings>,
) -> Result<(Issuer, ForwardingKey), Failure> {
    let store = store::open(config, data_dir, env, waiting).await?;
    let sealed = store.keys().await.map_err(Error::from)?;
    let master_key = place.fitting(master_key, &sealed)?;
    let forwarding = ForwardingKey::new(master_key.derived(forwarding::PURPOSE));
    let settings = Settings { users, ..settings(config, identifier) };
    let issuer = Issuer::open(settings, env.clone(), store, master_key).await?;
    issuer.set_new_master_key(place);
    Ok((issuer, forwarding))
}

/// Closes the issuer once everything is on disk.
///
/// # Errors
/// [`Failure::Store`] when that takes too long.
pub(super) async fn close(issuer: &Issuer) -> Result<(), Failure> {
    let closed = timeout(CLOSING, issuer.close()).await;
    closed.map_err(|_| Failure::Store("the store did not close in time".to_owned()))
}

/// Returns what the settings say about the surface, of which `changing` may change; clients reach it over TLS if it is `secure`.
pub(super) fn surface(config: &Config, changing: watch::Receiver<Arc<Changing>>, secure: bool) -> Surface {
    Surface {
        changing,
        secure,
        body_timeout: config.body_timeout,
        max_followers: config.max_followers,
        max_followers_per_address: config.limits.max_connections_per_address,
        cookies: config.cookies.clone(),
        forwarding: None,
    }
}

async fn until_told((mut terminate, mut interrupt): (Signal, Signal), issuer: &Issuer) -> Result<(), Failure> {
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
        fault = issuer.failed() => Err(Failure::from(Error::Store(fault))),
    }
}

fn on(kind: SignalKind) -> Result<Signal, Failure> {
    signal(kind).map_err(|error| Failure::Machine(format!("signals cannot be received: {error}")))
}

fn settings(config: &Config, identifier: &IssuerUrl) -> Settings {
    let Config { tokens, audit, keys, .. } = config;
    Settings {
        issuer: identifier.as_str().to_owned(),
        default_audience: tokens.default_audience.clone(),
        status_list_audiences: tokens.status_list_audiences.clone(),
        algorithm: match tokens.algorithm {
            AlgorithmName::EdDsa => Algorithm::EdDsa,
            AlgorithmName::Ed25519 => Algorithm::Ed25519,
        },
        access_ttl_secs: tokens.access_ttl_seconds,
        max_access_ttl_secs: tokens.max_access_ttl_seconds,
        refresh_ttl_secs: tokens.refresh_ttl_seconds,
        session_ttl_secs: tokens.session_ttl_seconds,
        retry_window_secs: tokens.retry_window_seconds,
        leeway_secs: tokens.leeway_seconds,
        list_ttl_secs: tokens.list_ttl_seconds,
        list_interval_secs: tokens.list_interval_seconds,
        jwks_max_age_secs: tokens.jwks_max_age_seconds,
        audit: Retention { secs: audit.retention_days.saturating_mul(86_400), events: audit.max_events },
        keys: KeyLife {
            rotate_every_secs: keys.rotate_every_seconds,
            publish_before_secs: keys.publish_before_seconds,
        },
        users: None, // they need files, which are read before the issuer is opened
    }
}
