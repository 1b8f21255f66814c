//! Taking over changed settings while the daemon runs: on SIGHUP all that can be, and certificates as soon as their files
//! change. What cannot be used changes nothing and is told in the log.

use super::{Failure, Options, tls};
use crate::config::{Changes, Config, Layer, Tls, changes};
use crate::http::Changing;
use crate::limits::Limiter;
use crate::server::{Front, Identity, Proxies};
use crate::telemetry::{LogControl, field};
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::Signal;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval};

/// How often the files of the certificate are looked at.
const LOOK: Duration = Duration::from_secs(2);

/// What the running daemon takes changes over by.
pub(super) struct Reloading {
    options: Options,
    in_force: Layer,
    log: LogControl,
    changing: watch::Sender<Arc<Changing>>,
    proxies: watch::Sender<Proxies>,
    certificate: Option<Certificate>,
}

struct Certificate {
    tls: Tls,
    files: tls::Files,
    /// What was wrong with the files when they were looked at last, so that it is told once.
    fault: Option<String>,
    identity: watch::Sender<Identity>,
}

/// Returns what stands before HTTP, as `config` has it, and what changes it later.
///
/// # Errors
/// [`Failure::Setting`] when the certificate cannot be used.
pub(super) fn prepare(config: &Config, options: &Options, log: LogControl) -> Result<(Front, Reloading), Failure> {
    let changing = watch::Sender::new(Arc::new(changing(config)));
    let proxies = watch::Sender::new(config.trusted_proxies.clone());
    let certificate = config.tls.as_ref().map(Certificate::read).transpose()?;
    let front = Front {
        proxies: proxies.subscribe(),
        proxy_protocol: config.proxy_protocol,
        tls: certificate.as_ref().map(|certificate| (certificate.identity.subscribe(), certificate.tls.handshake)),
    };
    let in_force = Layer::in_force(options.config.as_deref(), &options.given)?;
    Ok((front, Reloading { options: options.clone(), in_force, log, changing, proxies, certificate }))
}

/// Returns what may change at the surface, for a process that takes no changes over.
pub(super) fn unchanging(config: &Config) -> watch::Receiver<Arc<Changing>> {
    watch::Sender::new(Arc::new(changing(config))).subscribe()
}

fn changing(config: &Config) -> Changing {
    Changing {
        cors_origins: config.cors_origins.clone(),
        proxies: config.trusted_proxies.clone(),
        forwarded_header: config.forwarded_header,
        limiter: Limiter::new(config.rate_limits),
    }
}

impl Reloading {
    /// Returns what may change at the surface.
    pub(super) fn changing(&self) -> watch::Receiver<Arc<Changing>> {
        self.changing.subscribe()
    }

    /// Takes changes over whenever `hang_up` comes or a file of the certificate has changed; ends only when it is aborted.
    pub(super) async fn run(mut self, mut hang_up: Signal) {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                Some(()) = hang_up.recv() => self.reload().await,
                _ = looks.tick(), if self.certificate.is_some() => self.look().await,
            }
        }
    }

    async fn reload(&mut self) {
        let Options { config: path, given } = self.options.clone();
        let read = spawn_blocking(move || {
            let layer = Layer::in_force(path.as_deref(), &given)?;
            Config::try_from(layer.clone()).map(|config| (layer, config))
        });
        match read.await {
            Ok(Ok((layer, config))) => {
                self.take_over(&layer, &config);
                self.look().await;
            }
            Ok(Err(error)) => {
                tracing::error!({ field::ERROR } = %error, "the settings cannot be used; those in force stay");
            }
            Err(_) => tracing::error!("reading the settings panicked; those in force stay"),
        }
    }

    fn take_over(&mut self, layer: &Layer, config: &Config) {
        let Changes { taken_over, need_restart } = changes(&self.in_force, layer);
        self.log.set(&config.log_level);
        self.proxies.send_replace(config.trusted_proxies.clone());
        self.changing.send_modify(|changing| {
            *changing = Arc::new(Changing {
                cors_origins: config.cors_origins.clone(),
                proxies: config.trusted_proxies.clone(),
                forwarded_header: config.forwarded_header,
                limiter: changing.limiter.with(config.rate_limits),
            });
        });
        if let (Some(certificate), Some(tls)) = (&mut self.certificate, &config.tls) {
            certificate.tls.certificate_file.clone_from(&tls.certificate_file);
            certificate.tls.private_key_file.clone_from(&tls.private_key_file);
        }
        tracing::info!({ field::SETTINGS } = taken_over.join(", "), "settings were read again; these have changed");
        if !need_restart.is_empty() {
            tracing::warn!({ field::SETTINGS } = need_restart.join(", "), "changed settings that need a restart");
        }
        // What needs a restart is told again each time, until there is one.
        self.in_force.take_over(layer);
    }

    async fn look(&mut self) {
        let Some(certificate) = &mut self.certificate else { return };
        let tls = certificate.tls.clone();
        let read = spawn_blocking(move || tls::read(&tls)).await;
        certificate.replace(read.unwrap_or_else(|_| Err("reading the certificate panicked".to_owned())));
    }
}

impl Certificate {
    fn read(tls: &Tls) -> Result<Self, Failure> {
        let (identity, files) = tls::read(tls).map_err(Failure::Setting)?;
        Ok(Self { tls: tls.clone(), files, fault: None, identity: watch::Sender::new(identity) })
    }

    /// Uses what was read for new connections; those that are open keep what they have.
    fn replace(&mut self, read: Result<(Identity, tls::Files), String>) {
        match read {
            Ok((_, files)) if files == self.files => self.fault = None,
            Ok((identity, files)) => {
                self.identity.send_replace(identity);
                (self.files, self.fault) = (files, None);
                tracing::info!("the TLS certificate was read again and is in use");
            }
            Err(fault) if self.fault.as_ref() == Some(&fault) => {}
            Err(fault) => {
                tracing::error!({ field::ERROR } = fault, "the TLS certificate cannot be used; the one in use stays");
                self.fault = Some(fault);
            }
        }
    }
}
