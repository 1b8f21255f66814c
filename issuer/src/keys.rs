//! The signing keys and the master key that seals them at rest.

use zeroize::Zeroizing;

/// The key under which private keys are encrypted at rest: 32 bytes that never enter the store.
pub struct MasterKey(pub(crate) Zeroizing<[u8; 32]>);

impl MasterKey {
    /// Length of a master key in bytes.
    pub const LEN: usize = 32;

    /// Returns the master key with these bytes.
    pub fn from_bytes(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(bytes)
    }

    /// Returns a new master key and its bytes, which the caller must keep where the store is not.
    ///
    /// # Errors
    /// [`crate::env::NoEntropy`] when the system has no randomness.
    pub fn generate(env: &crate::env::Env) -> Result<(Self, Zeroizing<[u8; 32]>), crate::env::NoEntropy> {
        let mut bytes = Zeroizing::new([0; 32]);
        env.fill(bytes.as_mut())?;
        Ok((Self(bytes.clone()), bytes))
    }
}
