//! Faults between the product and the oracle, to show that the oracle sees.

/// What is done wrong on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Planted {
    /// Nothing.
    Nothing,
    /// Verifiers take an older list.
    TakesOlder,
    /// Verifiers accept under a list that is over.
    AcceptsStale,
    /// Revocations are acknowledged and not made.
    PromisesOnly,
    /// An acknowledged revocation does not survive a crash, and the issuer is told that it has lost nothing.
    Forgets,
}
