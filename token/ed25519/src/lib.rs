//! Ed25519 (RFC 8032) verification with keys that are used again and again.
//!
//! A verdict is that of ed25519-dalek's `verify_strict` for every input: `s` canonical, the key canonical and not of low
//! order, `R` not of low order and compared as bytes with the encoding of `sB − kA`, no cofactor.
//!
//! An issuer has one or two keys, so what depends on the key alone is done once: a table of multiples for `B` and one for
//! each busy key's `−A` turn a verification into 64 additions without a doubling. See [`Tables`] for when there are any.
//!
//! Everything here takes time that depends on its input. That is right: a verifier has no secret. Key, signature and
//! message are known to whoever sent them, and so is the verdict.

mod exact;
mod invert;
mod order;
mod recode;
#[cfg(test)]
mod reference;
mod scalar;
mod tables;
#[cfg(test)]
mod tests;
#[cfg(any(test, all(target_arch = "wasm32", target_feature = "simd128")))]
mod vector;
mod words;

use recode::Digits;
use scalar as engine;
use scalar::field::{Element as _, invert_all};
use sha2::{Digest as _, Sha512};
use std::fmt;
use std::sync::Arc;
use tables::{Budget, Multiples};

/// Whether a key has tables made for it, and when.
///
/// A table takes 384 KiB, in wasm 480. One for the base point is made with the first key's and stays for the life of the
/// process; a key's own is made row by row, by the 32 verifications from the key's 32nd on that are accepted, and dropped
/// with the key's last clone. Forged signatures are not counted, so nobody but the holder of the key can have memory taken. At most 8
/// keys of a process have tables in wasm and 64 elsewhere; further keys verify without, three to four times slower, and
/// try again every 32 acceptances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tables {
    /// Made once the key has verified often.
    WhenBusy,
    /// Made with the key, for who knows that it will be busy.
    AtOnce,
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

/// A public key fit to verify with: canonical and not of low order. Clones share its tables.
#[derive(Clone)]
pub struct VerifyingKey {
    shared: Arc<Shared>,
}

/// What the clones of a key share.
struct Shared {
    bytes: [u8; 32],
    /// −A: a signature holds when R is sB + k(−A).
    minus_a: engine::Point,
    multiples: Multiples,
}

impl VerifyingKey {
    /// Returns the key with this RFC 8032 encoding.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn from_bytes(bytes: &[u8; 32], tables: Tables) -> Result<Self, Fault> {
        Self::within(&tables::PROCESS, bytes, tables)
    }

    /// Returns the key, its tables counted in `budget`.
    fn within(budget: &'static Budget, bytes: &[u8; 32], tables: Tables) -> Result<Self, Fault> {
        let point = engine::Point::decompress(bytes).ok_or(Fault::InvalidPoint)?;
        if point.is_low_order() {
            return Err(Fault::LowOrder);
        }
        let minus_a = point.neg();
        let multiples = Multiples::new(budget, tables, &minus_a);
        Ok(Self { shared: Arc::new(Shared { bytes: *bytes, minus_a, multiples }) })
    }

    /// Returns the RFC 8032 encoding.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.shared.bytes
    }

    /// Returns whether `signature` is one of this key over `message`.
    pub fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        let pending = self.begin(message, signature);
        let sum = match &pending.sum {
            Sum::Refused => return false,
            Sum::Made(sum) => *sum,
            Sum::Due(term) => engine::Point::from_tables(term),
        };
        pending.holds(&sum, &sum.z().invert())
    }

    /// Does all of a verification that cannot be shared with others; [`settle`] does the rest.
    pub fn begin<'k>(&'k self, message: &[u8], signature: &[u8; 64]) -> Pending<'k> {
        let [r, s] = halves(signature);
        let may_hold = order::is_canonical(&s) && !is_low_order(&r);
        Pending { key: self, r, sum: if may_hold { self.commitment(&r, &s, message) } else { Sum::Refused } }
    }

    /// Returns sB − kA, the point that R has to be (RFC 8032 §5.1.7); `s` is below the group order.
    fn commitment(&self, r: &[u8; 32], s: &[u8; 32], message: &[u8]) -> Sum<'_> {
        let hash = Sha512::new().chain_update(r).chain_update(self.as_bytes()).chain_update(message).finalize();
        let k = order::reduce(&hash.into());
        match self.shared.multiples.made() {
            Some((base, key)) => Sum::Due(engine::Term { s: Digits::of(s), base, k: Digits::of(&k), key }),
            None => Sum::Made(engine::Point::double_scalar(s, &k, &self.shared.minus_a)),
        }
    }
}

impl PartialEq for VerifyingKey {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for VerifyingKey {}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("VerifyingKey").field(&self.as_bytes()).finish()
    }
}

/// A verification that waits for its part in a shared inversion.
#[derive(Debug)]
pub struct Pending<'k> {
    key: &'k VerifyingKey,
    r: [u8; 32],
    sum: Sum<'k>,
}

/// sB − kA.
#[derive(Debug)]
enum Sum<'k> {
    /// Of no interest: the signature is refused already.
    Refused,
    /// Known, as it was made without tables.
    Made(engine::Projective),
    /// To be made from tables, with others if there are others.
    Due(engine::Term<'k>),
}

impl Pending<'_> {
    /// Returns whether R is the encoding of `sum`, and counts for the key if so.
    fn holds(&self, sum: &engine::Projective, z_inverse: &engine::Field) -> bool {
        let holds = sum.encode(z_inverse) == self.r;
        if holds {
            self.key.shared.multiples.accepted(&self.key.shared.minus_a);
        }
        holds
    }
}

/// Returns for each whether its signature holds; the verdicts are those of [`VerifyingKey::verifies`].
///
/// No Z is zero, since the formulas of addition are complete. Were one zero all the same, all inverses would be, every
/// sum would be encoded as 32 zeros, and that is no R that gets here: it is of low order.
pub fn settle(pending: &[Pending<'_>]) -> Vec<bool> {
    let sums = sums(pending);
    let z: Vec<_> = sums.iter().flatten().map(engine::Projective::z).collect();
    let mut inverses = invert_all(&z).into_iter();
    let judge = |(pending, sum): (&Pending<'_>, &Option<engine::Projective>)| {
        let Some(sum) = sum else { return false };
        inverses.next().is_some_and(|inverse| pending.holds(sum, &inverse))
    };
    pending.iter().zip(&sums).map(judge).collect()
}

/// Returns sB − kA for each that is not refused already.
fn sums(pending: &[Pending<'_>]) -> Vec<Option<engine::Projective>> {
    let due = pending.iter().filter_map(|pending| if let Sum::Due(term) = pending.sum { Some(term) } else { None });
    let terms: Vec<_> = due.collect();
    let mut from_tables = engine::Point::all_from_tables(&terms).into_iter();
    let sum = |pending: &Pending<'_>| match pending.sum {
        Sum::Refused => None,
        Sum::Made(sum) => Some(sum),
        Sum::Due(_) => from_tables.next(),
    };
    pending.iter().map(sum).collect()
}

/// Returns R and s.
fn halves(signature: &[u8; 64]) -> [[u8; 32]; 2] {
    let (halves, _) = signature.as_chunks();
    [halves.first(), halves.last()].map(|half| half.copied().unwrap_or_default())
}

/// Returns whether `r` is the encoding of a point whose order divides 8. Of the 8 canonical ones, some differ in their
/// sign alone; the two more that are told here, 1 and −1 with a sign, are no encodings of points.
fn is_low_order(r: &[u8; 32]) -> bool {
    let mut y = *r;
    let [.., last] = &mut y;
    *last &= 127;
    LOW_ORDER.contains(&y)
}

/// y of the points whose order divides 8, little endian.
const LOW_ORDER: [[u8; 32]; 5] = [
    words::from_hex("0000000000000000000000000000000000000000000000000000000000000000"), // order 4
    words::from_hex("0100000000000000000000000000000000000000000000000000000000000000"), // the identity
    words::from_hex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"), // order 2
    words::from_hex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), // order 8
    words::from_hex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), // order 8
];
