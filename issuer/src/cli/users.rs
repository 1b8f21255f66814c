//! From the table `[users]` to what the operations want; the list of passwords that nobody may choose is read here.

use super::Failure;
use super::admin::ADMIN;
use crate::config::UsersTable;
use crate::operations::{BlockList, HashCosts, MAX_BLOCK_LIST, UserSettings};
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use token::base64url;
use zeroize::Zeroizing;

/// Returns the settings of users, or none where they are off.
///
/// # Errors
/// [`Failure::Setting`] for a client that cannot be that of logins, and for a list that cannot be read.
pub(super) fn settings(table: &UsersTable) -> Result<Option<UserSettings>, Failure> {
    if table.enabled != Some(true) {
        return Ok(None);
    }
    let own = UserSettings::default();
    let small = |value: Option<u64>, own: u32| value.and_then(|value| u32::try_from(value).ok()).unwrap_or(own);
    let client_id = table.client_id.clone().unwrap_or(own.client_id);
    is_free(&client_id)?;
    Ok(Some(UserSettings {
        client_id,
        reset_url: table.reset_url.clone().filter(|url| !url.is_empty()),
        reset_code_secs: table.reset_code_seconds.unwrap_or(own.reset_code_secs),
        reset_code_tries: small(table.reset_code_tries, own.reset_code_tries),
        least_characters: table.password_min_characters.unwrap_or(own.least_characters),
        block_list: table.password_blocklist_file.as_deref().map(block_list).transpose()?.unwrap_or_default(),
        costs: HashCosts {
            memory_kib: small(table.hash_memory_kib, own.costs.memory_kib),
            iterations: small(table.hash_passes, own.costs.iterations),
            parallelism: small(table.hash_lanes, own.costs.parallelism),
        },
        hash_at_once: table.hash_at_once.and_then(|count| usize::try_from(count).ok()),
        most_failures: small(table.max_failures, own.most_failures),
    }))
}

/// Refuses the id of a client that others could be, or prove to be: sessions of users belong to nobody who can authenticate.
fn is_free(client_id: &str) -> Result<(), Failure> {
    let refused = |reason: &str| Err(Failure::Setting(format!("users.client_id {reason}")));
    if !(1..=255).contains(&client_id.len()) || !client_id.bytes().all(|byte| byte.is_ascii_graphic()) {
        return refused("must be 1 to 255 visible ASCII characters");
    }
    if client_id == ADMIN {
        return refused("must not be `admin`, which is made at the first start and can authenticate itself");
    }
    match base64url::decode_array::<16>(client_id) {
        Ok(_) => refused("must not look like the sub of a user: 22 characters of base64url"),
        Err(_) => Ok(()),
    }
}

fn block_list(path: &Path) -> Result<BlockList, Failure> {
    let refused = |reason: String| {
        Failure::Setting(format!("users.password_blocklist_file: {} cannot be read: {reason}", path.display()))
    };
    let file = File::open(path).map_err(|error| refused(error.to_string()))?;
    let mut text = Zeroizing::new(String::new());
    let read = file.take(MAX_BLOCK_LIST + 1).read_to_string(&mut text).map_err(|error| refused(error.to_string()))?;
    if u64::try_from(read).unwrap_or(u64::MAX) > MAX_BLOCK_LIST {
        return Err(refused("it has more than 64 MiB".to_owned()));
    }
    Ok(BlockList::parse(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_of_logins_is_none_that_could_be_somebody() {
        let judged = |id: &str| {
            let table = UsersTable { enabled: Some(true), client_id: Some(id.to_owned()), ..UsersTable::default() };
            settings(&table).map(|settings| settings.expect("users are on").client_id)
        };
        for id in ["login", "Admin", "AAAAAAAAAAAAAAAAAAAAA", "not-base64url-at-all-!"] {
            assert_eq!(judged(id).expect(id), id);
        }
        for id in ["", "two words", "admin", "AAAAAAAAAAAAAAAAAAAAAA", &"x".repeat(256)] {
            assert!(matches!(judged(id), Err(Failure::Setting(told)) if told.contains("users.client_id")), "{id}");
        }
    }
}
