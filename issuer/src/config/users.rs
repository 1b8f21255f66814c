//! `[users]`: the built-in users. `cli/serve.rs` makes of it what the operations want.

use super::ConfigError;
use super::table::table;
use http::Uri;
use std::path::PathBuf;

table! {
    /// Built-in users.
    UsersTable in "users." {
        /// Whether this issuer has users of its own, who log in with a password
        #[arg(id = "users.enabled", long = "users-enabled", env = "COUNTERSIGN_USERS_ENABLED", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
        enabled: bool = false;
        /// Client that the sessions of users belong to; nobody can authenticate as it
        #[arg(id = "users.client_id", long = "users-client-id", env = "COUNTERSIGN_USERS_CLIENT_ID", value_name = "TEXT")]
        client_id: String = "login".to_owned();
        /// Page where somebody goes who must choose a new password; told in the answer to such a login
        #[arg(id = "users.reset_url", long = "users-reset-url", env = "COUNTERSIGN_USERS_RESET_URL", value_name = "URL")]
        reset_url: String;
        /// Life of a one-time code for a new password
        #[arg(id = "users.reset_code_seconds", long = "users-reset-code-seconds", env = "COUNTERSIGN_USERS_RESET_CODE_SECONDS", value_name = "SECONDS")]
        reset_code_seconds: u64 = 900, 60..=86_400; // as long as an e-mail may take
        /// Wrong codes before the one that is out opens nothing any more
        #[arg(id = "users.reset_code_tries", long = "users-reset-code-tries", env = "COUNTERSIGN_USERS_RESET_CODE_TRIES", value_name = "COUNT")]
        reset_code_tries: u64 = 5, 1..=100;
        /// Characters that a new password must have
        #[arg(id = "users.password_min_characters", long = "users-password-min-characters", env = "COUNTERSIGN_USERS_PASSWORD_MIN_CHARACTERS", value_name = "COUNT")]
        password_min_characters: u64 = 15, 8..=64; // NIST SP 800-63B-4 3.1.1.2, where a password is the only factor
        /// File with passwords that nobody may choose, one a line, at most 64 MiB, beside those that everybody chooses
        #[arg(id = "users.password_blocklist_file", long = "users-password-blocklist-file", env = "COUNTERSIGN_USERS_PASSWORD_BLOCKLIST_FILE", value_name = "FILE")]
        password_blocklist_file: PathBuf;
        /// Memory of one password hash (Argon2id); a higher one is taken over at each user's next login
        #[arg(id = "users.hash_memory_kib", long = "users-hash-memory-kib", env = "COUNTERSIGN_USERS_HASH_MEMORY_KIB", value_name = "KIB")]
        hash_memory_kib: u64 = 19_456, 19_456..=1_048_576; // OWASP's least, 30 ms a login
        /// Passes of one password hash
        #[arg(id = "users.hash_passes", long = "users-hash-passes", env = "COUNTERSIGN_USERS_HASH_PASSES", value_name = "COUNT")]
        hash_passes: u64 = 2, 2..=16;
        /// Lanes of one password hash; they are computed one after another
        #[arg(id = "users.hash_lanes", long = "users-hash-lanes", env = "COUNTERSIGN_USERS_HASH_LANES", value_name = "COUNT")]
        hash_lanes: u64 = 1, 1..=16;
        /// Passwords hashed at a time; four times as many may wait [default: one a processor]
        #[arg(id = "users.hash_at_once", long = "users-hash-at-once", env = "COUNTERSIGN_USERS_HASH_AT_ONCE", value_name = "COUNT")]
        hash_at_once: u64, 1..=1_024;
        /// Attempts in a row that may fail before only a reset opens the account; places that are not known get four fifths
        #[arg(id = "users.max_failures", long = "users-max-failures", env = "COUNTERSIGN_USERS_MAX_FAILURES", value_name = "COUNT")]
        max_failures: u64 = 100, 5..=100; // NIST SP 800-63B-4 3.2.2
    }
}

impl UsersTable {
    /// Returns the table, whose page is one that a browser may be sent to.
    pub(super) fn checked(self) -> Result<Self, ConfigError> {
        let page = self.reset_url.as_deref().filter(|url| !url.is_empty()); // an empty variable names none
        if page.is_none_or(is_page) {
            return Ok(self);
        }
        let reason = "must be an http or https URL without user, such as https://app.example.com/reset".to_owned();
        Err(ConfigError::Setting { name: "users.reset_url", reason })
    }
}

/// Pages follow this URL as a link: with another scheme it would be a script of theirs.
fn is_page(url: &str) -> bool {
    let Ok(uri) = url.parse::<Uri>() else { return false };
    let host = uri.authority().filter(|authority| !authority.as_str().contains('@')).map(|authority| authority.host());
    matches!(uri.scheme_str(), Some("http" | "https")) && host.is_some_and(|host| !host.is_empty())
}
