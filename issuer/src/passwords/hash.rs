//! Argon2id (RFC 9106), and the PHC string that keeps a hash with its salt and costs.

use super::Password;
use argon2::password_hash::{Output, ParamsString, PasswordHash as Phc, Salt, SaltString};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use std::fmt;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroize as _;

/// What one hash costs. The least that is allowed is what OWASP asks for (Password Storage Cheat Sheet): 19 MiB, 2 passes, 1 lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Costs {
    /// Memory in KiB, 19,456 to 1,048,576.
    pub memory_kib: u32,
    /// Passes over it, 2 to 16.
    pub iterations: u32,
    /// Lanes, 1 to 16; they are computed one after another.
    pub parallelism: u32,
}

impl Default for Costs {
    fn default() -> Self {
        Self { memory_kib: 19_456, iterations: 2, parallelism: 1 }
    }
}

/// A hash could not be made or read: a damaged record, or costs beyond what Argon2 allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashFault;

/// A password as it is stored: a PHC string, `$argon2id$v=19$m=…,t=…,p=…$salt$hash`.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Returns the hash of this password under a salt that is random.
    ///
    /// # Errors
    /// [`HashFault`] for costs that Argon2 does not allow.
    pub fn of(password: &Password, salt: [u8; 16], costs: Costs) -> Result<Self, HashFault> {
        let salt = SaltString::encode_b64(&salt).map_err(|_| HashFault)?;
        let hash = run(password, salt.as_salt(), &params(costs)?)?;
        let phc = Phc {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&params(costs)?).map_err(|_| HashFault)?,
            salt: Some(salt.as_salt()),
            hash: Some(hash),
        };
        Ok(Self(phc.to_string()))
    }

    /// Returns the stored hash that `text` is.
    ///
    /// # Errors
    /// [`HashFault`] when it is none.
    pub fn parse(text: String) -> Result<Self, HashFault> {
        match Phc::new(&text) {
            Ok(phc) if phc.salt.is_some() && phc.hash.is_some() => Ok(Self(text)),
            Ok(_) | Err(_) => Err(HashFault),
        }
    }

    /// Returns whether this is the hash of `password`; the comparison takes the same time for every difference.
    ///
    /// # Errors
    /// [`HashFault`] when the record is not one that was written here.
    pub fn is_of(&self, password: &Password) -> Result<bool, HashFault> {
        let phc = Phc::new(&self.0).map_err(|_| HashFault)?;
        let (Some(salt), Some(kept)) = (phc.salt, phc.hash) else { return Err(HashFault) };
        let made = run(password, salt, &Params::try_from(&phc).map_err(|_| HashFault)?)?;
        Ok(bool::from(made.as_bytes().ct_eq(kept.as_bytes())))
    }

    /// Returns whether the hash was made with less than `costs` in any way: then it is made again at the next login.
    pub fn is_below(&self, costs: Costs) -> bool {
        let made = Phc::new(&self.0).ok().and_then(|phc| Params::try_from(&phc).ok());
        made.is_none_or(|made| {
            made.m_cost() < costs.memory_kib || made.t_cost() < costs.iterations || made.p_cost() < costs.parallelism
        })
    }

    /// Returns the PHC string, for the store.
    pub fn as_stored(&self) -> &str {
        &self.0
    }
}

/// A hash is worth an attack on the password: it is not printed.
impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

fn params(costs: Costs) -> Result<Params, HashFault> {
    Params::new(costs.memory_kib, costs.iterations, costs.parallelism, None).map_err(|_| HashFault)
}

/// The memory is zeroized: its first block is a fast hash of the password.
fn run(password: &Password, salt: Salt<'_>, params: &Params) -> Result<Output, HashFault> {
    let mut salt_bytes = [0; Salt::MAX_LENGTH];
    let salt = salt.decode_b64(&mut salt_bytes).map_err(|_| HashFault)?;
    let mut memory = vec![Block::default(); params.block_count()];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
    let length = params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
    let output = Output::init_with(length, |out| {
        Ok(argon2.hash_password_into_with_memory(password.bytes(), salt, out, &mut memory)?)
    });
    memory.iter_mut().for_each(|block| block.zeroize());
    output.map_err(|_| HashFault)
}
