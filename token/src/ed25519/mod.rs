//! Ed25519 (RFC 8032) verification with keys that are used again and again.
//!
//! A verdict is that of ed25519-dalek's `verify_strict` for every input: `s` canonical, the key canonical and not of low
//! order, `R` not of low order and compared as bytes with the encoding of `sB − kA`, no cofactor.

#[cfg(test)]
mod reference;
mod scalar;

use ed25519_dalek::Signature;
use std::fmt;

/// Whether a key that is busy may have tables made for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tables {
    /// Made once the key has verified often.
    WhenBusy,
    /// Never: the key verifies now and then.
    Never,
}

/// Bytes are no key to verify with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Not the canonical encoding of a point of the curve.
    InvalidPoint,
    /// A point of low order, for which signatures exist that nobody made.
    LowOrder,
}

/// A public key fit to verify with: canonical and not of low order.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifyingKey {
    point: ed25519_dalek::VerifyingKey,
}

impl VerifyingKey {
    /// Returns the key with this RFC 8032 encoding.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn from_bytes(bytes: &[u8; 32], _tables: Tables) -> Result<Self, Fault> {
        let point = ed25519_dalek::VerifyingKey::from_bytes(bytes).map_err(|_| Fault::InvalidPoint)?;
        // from_bytes takes y modulo p; the one encoding that RFC 8032 §5.1.2 makes is the compressed point again.
        if point.to_edwards().compress().as_bytes() != bytes {
            return Err(Fault::InvalidPoint);
        }
        if point.is_weak() { Err(Fault::LowOrder) } else { Ok(Self { point }) }
    }

    /// Returns the RFC 8032 encoding.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.point.as_bytes()
    }

    /// Returns whether `signature` is one of this key over `message`.
    pub fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.point.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
    }

    /// Does all of a verification that cannot be shared with others; [`settle`] does the rest.
    pub fn begin<'k>(&'k self, message: &[u8], signature: &[u8; 64]) -> Pending<'k> {
        Pending { _key: self, holds: self.verifies(message, signature) }
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("VerifyingKey").field(&self.as_bytes()).finish()
    }
}

/// A verification that waits for its part in a shared inversion.
#[derive(Debug)]
pub struct Pending<'k> {
    _key: &'k VerifyingKey,
    holds: bool,
}

/// Returns for each whether its signature holds; the verdicts are those of [`VerifyingKey::verifies`].
pub fn settle(pending: &[Pending<'_>]) -> Vec<bool> {
    pending.iter().map(|pending| pending.holds).collect()
}
