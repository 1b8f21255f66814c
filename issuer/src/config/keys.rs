//! `[keys]`: how long signing keys live.

use super::table::table;
use super::{ConfigError, DAY, YEAR, at_most, needed};
use std::path::PathBuf;

table! {
    /// How long signing keys live.
    KeysTable in "keys." {
        /// A key signs for so long, then the next one does; 0 = until somebody asks for another
        #[arg(id = "keys.rotate_every_days", long = "keys-rotate-every-days", env = "COUNTERSIGN_KEYS_ROTATE_EVERY_DAYS", value_name = "DAYS")]
        rotate_every_days: u64 = 90, 0..=3_650;
        /// A new key is published for so long before it signs: longer than caches keep the key set, by ten seconds at least
        #[arg(id = "keys.publish_before_seconds", long = "keys-publish-before-seconds", env = "COUNTERSIGN_KEYS_PUBLISH_BEFORE_SECONDS", value_name = "SECONDS")]
        publish_before_seconds: u64 = DAY, 11..=YEAR; // also caches that keep keys for longer than they are told know it by then
        /// Program and arguments that print the master key, run without a shell [default: none; the file is read]
        #[arg(id = "keys.master_key_command", long = "keys-master-key-command", env = "COUNTERSIGN_KEYS_MASTER_KEY_COMMAND", value_delimiter = ' ', value_name = "WORDS")]
        master_key_command: Vec<String> = Vec::new();
        /// File with the master key that is to follow [default: the master key file with .new behind its name]
        #[arg(id = "keys.new_master_key_file", long = "keys-new-master-key-file", env = "COUNTERSIGN_KEYS_NEW_MASTER_KEY_FILE", value_name = "FILE")]
        new_master_key_file: PathBuf;
    }
}

/// So long after it was asked for, a key set has reached whoever keeps it.
const MARGIN_SECONDS: u64 = 10;

/// How long signing keys live, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// A key signs for so many seconds; 0: until somebody asks for another.
    pub rotate_every_seconds: u64,
    /// A new key is published for so long before it signs.
    pub publish_before_seconds: u64,
    /// Program and arguments that print the master key; none when there is no program.
    pub master_key_command: Vec<String>,
    /// The file of the master key that is to follow, when it is not beside the one in use.
    pub new_master_key_file: Option<PathBuf>,
}

impl KeysTable {
    /// Returns the settings, given how long the key set may be kept.
    pub(super) fn checked(&self, jwks_max_age_seconds: u64) -> Result<Keys, ConfigError> {
        let cached_seconds = jwks_max_age_seconds.saturating_add(MARGIN_SECONDS);
        let days = needed("keys.rotate_every_days", self.rotate_every_days)?;
        let publish_before_seconds = needed("keys.publish_before_seconds", self.publish_before_seconds)?;
        if publish_before_seconds < cached_seconds {
            let reason = format!(
                "is {publish_before_seconds} but must be at least jwks_max_age_seconds and ten seconds more, which is {cached_seconds}"
            );
            return Err(ConfigError::Setting { name: "keys.publish_before_seconds", reason });
        }
        let rotate_every_seconds = days.saturating_mul(DAY);
        if rotate_every_seconds > 0 {
            let bound = "keys.rotate_every_days in seconds";
            at_most("keys.publish_before_seconds", publish_before_seconds, bound, rotate_every_seconds)?;
        }
        let mut master_key_command = self.master_key_command.clone().unwrap_or_default();
        master_key_command.retain(|word| !word.is_empty()); // an empty variable names none
        let new_master_key_file = self.new_master_key_file.clone();
        Ok(Keys { rotate_every_seconds, publish_before_seconds, master_key_command, new_master_key_file })
    }
}
