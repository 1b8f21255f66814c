//! Which settings a running daemon takes over when it is told to read them again (SIGHUP), and which need a restart.

use super::Layer;
use super::show::values;

/// Settings that are taken over; those of a table that ends in `.` all are. Every other one needs a restart.
const RELOADED: &[&str] = &[
    "cors_origins",
    "trusted_proxies",
    "forwarded_header",
    "log_level",
    "rate_limits.",
    "tls.certificate_file",
    "tls.private_key_file",
];

/// What differs between two configurations: names of settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Those that a running daemon takes over.
    pub taken_over: Vec<String>,
    /// Those that need a restart.
    pub need_restart: Vec<String>,
}

/// Returns what is another value in `new` than in `old`.
pub fn changes(old: &Layer, new: &Layer) -> Changes {
    let (before, after) = (values(old), values(new));
    let differing = Layer::names().into_iter().filter(|name| before.get(name) != after.get(name));
    let (taken_over, need_restart) = differing.partition(|name| reloads(name));
    Changes { taken_over, need_restart }
}

impl Layer {
    /// Takes every setting from `new` that a running daemon takes over.
    pub fn take_over(&mut self, new: &Self) {
        self.cors_origins.clone_from(&new.cors_origins);
        self.trusted_proxies.clone_from(&new.trusted_proxies);
        self.forwarded_header = new.forwarded_header;
        self.log_level.clone_from(&new.log_level);
        self.rate_limits = new.rate_limits.clone();
        self.tls.certificate_file.clone_from(&new.tls.certificate_file);
        self.tls.private_key_file.clone_from(&new.tls.private_key_file);
    }
}

/// True when a running daemon takes over a change of this setting.
pub(super) fn reloads(name: &str) -> bool {
    RELOADED.iter().any(|known| name == *known || (known.ends_with('.') && name.starts_with(known)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_is_told_apart_by_what_can_be_taken_over() {
        let old = Layer::defaults();
        let mut new = old.clone();
        new.log_level = Some("debug".to_owned());
        new.rate_limits.client_per_second = Some(7);
        new.leeway_seconds = Some(7);
        new.tls.http2 = Some(false);
        let changes = changes(&old, &new);
        assert_eq!(changes.taken_over, ["log_level", "rate_limits.client_per_second"]);
        assert_eq!(changes.need_restart, ["leeway_seconds", "tls.http2"]);
        assert_eq!(super::changes(&old, &old), Changes::default());
        let mut in_force = old.clone();
        in_force.take_over(&new);
        let left = super::changes(&in_force, &new);
        assert_eq!((left.taken_over.len(), left.need_restart), (0, changes.need_restart));
    }

    #[test]
    fn every_setting_that_is_taken_over_exists() {
        let names = Layer::names();
        for known in RELOADED {
            assert!(
                names.iter().any(|name| name == known || (known.ends_with('.') && name.starts_with(known))),
                "{known}"
            );
        }
    }
}
