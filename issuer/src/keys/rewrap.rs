//! Another master key: every key sealed anew, in rows that take the place of all others at once.

use super::{MasterKey, SealedKey};
use crate::Error;
use crate::env::Env;
use crate::error::KeyFault;

/// Where another master key comes from, and what is to be done when it is in use.
pub trait NewMasterKey: Send + Sync {
    /// Returns the other master key.
    ///
    /// # Errors
    /// What is wrong, for an operator; never the key.
    fn read(&self) -> Result<MasterKey, String>;

    /// Makes it the one that the next start finds. Every key is durably stored under it.
    ///
    /// # Errors
    /// What an operator has to do by hand; the next start still finds both.
    fn install(&self) -> Result<(), String>;
}

/// Returns every row sealed under `new` instead of `master`.
///
/// # Errors
/// [`Error::Keys`] when one does not open under `master`, [`Error::Entropy`], [`Error::Signing`]: then none is changed.
pub fn rewrapped(rows: &[SealedKey], env: &Env, master: &MasterKey, new: &MasterKey) -> Result<Vec<SealedKey>, Error> {
    rows.iter().map(|row| row.under(env.random()?, master, new)).collect()
}

/// Says whether all of these rows open under `master`; those of one store are always under one.
///
/// # Errors
/// [`KeyFault`] of the first that does not.
pub fn opens(rows: &[SealedKey], master: &MasterKey) -> Result<(), KeyFault> {
    rows.iter().try_for_each(|row| row.open(master).map(drop))
}
