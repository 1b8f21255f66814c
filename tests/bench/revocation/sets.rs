//! Random sets of revoked tokens, the same in every run, and how much information is in one.

use std::collections::BTreeMap;
use token::issue::SigningKey;
use token::jwk::{Algorithm, Purpose};
use token::revocation::{Cut, Head, ListId, codec};
use token::time::UnixTime;
use zeroize::Zeroizing;

/// Issuer of what is signed here; 22 characters, as long as that of a daemon on loopback.
pub(crate) const ISSUER: &str = "https://issuer.example";
/// Live tokens lie in this many expiry epochs: those of access tokens that live for a quarter of an hour.
pub(crate) const EPOCHS: u32 = 4;
const NOW: u64 = 1_800_000_000;

/// Indices by epoch.
pub(crate) type Places = BTreeMap<u32, Vec<u32>>;

/// xorshift64*: random enough for indices that are shuffled anyway.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// Below `bound`, which is at most 2^31.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let random = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32;
        u32::try_from((random * u64::from(bound)) >> 32).unwrap_or(0)
    }
}

/// `k` of `n` live tokens, spread over the epochs.
pub(crate) fn revoked(n: u32, k: u32) -> Places {
    let mut random = Random::new(u64::from(n) << 32 | u64::from(k));
    let mut chosen = vec![false; usize::try_from(n).unwrap_or(0)];
    let mut left = k;
    while left > 0 {
        let at = usize::try_from(random.below(n)).unwrap_or(0);
        if let Some(chosen) = chosen.get_mut(at).filter(|chosen| !**chosen) {
            *chosen = true;
            left -= 1;
        }
    }
    let mut places = Places::new();
    for (number, _) in (0..n).zip(chosen).filter(|(_, chosen)| *chosen) {
        places.entry(7_031_250 + number % EPOCHS).or_default().push(number / EPOCHS);
    }
    places
}

/// The body that lists these places.
pub(crate) fn body(places: &Places) -> Result<Vec<u8>, String> {
    codec::encode(places.iter().map(|(epoch, run)| (*epoch, run.as_slice()))).map_err(|fault| format!("{fault:?}"))
}

/// The head of the list with this body.
pub(crate) fn head(seq: u64, body: &[u8]) -> Result<Head, String> {
    let iat = UnixTime::from_secs(NOW).ok_or("a time")?;
    let (exp, cut) = (iat.plus_secs(300), Cut::default());
    Ok(Head { iss: ISSUER.to_owned(), iat, exp, seq: 1_800_000_000_000 + seq, id: ListId::of(body), cut })
}

/// A key for this purpose.
pub(crate) fn key(purpose: Purpose) -> Result<SigningKey, String> {
    let seed = Zeroizing::new([if purpose == Purpose::Token { 1 } else { 2 }; 32]);
    SigningKey::from_seed(&seed, purpose, Algorithm::EdDsa).map_err(|fault| fault.to_string())
}

/// log2 of the number of ways to choose `k` of `n`: the bits that any list of them takes on average.
pub(crate) fn information(n: u32, k: u32) -> f64 {
    let ln_factorial = |n: u32| {
        let n = f64::from(n);
        if n < 20.0 {
            let mut product = 1.0;
            let mut factor = 2.0;
            while factor <= n {
                product *= factor;
                factor += 1.0;
            }
            f64::ln(product)
        } else {
            n * n.ln() - n + 0.5 * (2.0 * std::f64::consts::PI * n).ln() + 1.0 / (12.0 * n) // Stirling
        }
    };
    (ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k)) / std::f64::consts::LN_2
}
