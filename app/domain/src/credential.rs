//! The credentials: a device's security token, an account's access key, a person's sign-in session.
//!
//! All three are written the same way (design.md, *Tokens*):
//!
//! ```text
//! mst_ iiiiiiiiiiiiiiiiiiiiii hhhhhhhhhhhhhhhhhhhhhh llllllllllllllllllllll cccccc
//!      id, a UUID             the secret's first     the secret's last      CRC32 of all
//!                             128 bits               128 bits               before it
//! ```
//!
//! without the spaces, each part a big-endian number in base62 at a fixed width: 76 characters. The id says
//! which row to look at, so checking a credential is one row read; the CRC catches a typing error without
//! looking at any. The CRC is no protection against anybody: the 256 random bits are.

use std::fmt;
use std::marker::PhantomData;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;
use zeroize::Zeroize;

use crate::base62::{self, U32_DIGITS, U128_DIGITS};

mod sealed {
    pub trait Sealed {}
}

/// What a credential is for. People, Muster and secret scanners recognise it by its prefix.
pub trait Kind: sealed::Sealed {
    /// Three letters and an underscore.
    const PREFIX: &'static str;
    /// What a `Debug` print says instead of the credential.
    const NAME: &'static str;
}

/// Marks the credential of a device.
#[derive(Debug)]
pub enum Device {}
/// Marks the credential of an account.
#[derive(Debug)]
pub enum Account {}
/// Marks the credential of a signed-in browser.
#[derive(Debug)]
pub enum Session {}

impl sealed::Sealed for Device {}
impl sealed::Sealed for Account {}
impl sealed::Sealed for Session {}

impl Kind for Device {
    const PREFIX: &'static str = "mst_";
    const NAME: &'static str = "SecurityToken";
}
impl Kind for Account {
    const PREFIX: &'static str = "msk_";
    const NAME: &'static str = "AccessKey";
}
impl Kind for Session {
    const PREFIX: &'static str = "mss_";
    const NAME: &'static str = "SessionKey";
}

/// A device's own credential, `mst_…`. Its id is the device's.
pub type SecurityToken = Credential<Device>;
/// A credential of an account, `msk_…`. Its id is the key's.
pub type AccessKey = Credential<Account>;
/// What the sign-in cookie holds, `mss_…`. Its id is the session's.
pub type SessionKey = Credential<Session>;

/// An id and the secret that proves it.
///
/// It cannot be cloned, compared, displayed or serialized, prints as `SecurityToken(…)`, and its memory is wiped
/// when it goes: [`Credential::reveal`] is the one way to its text.
pub struct Credential<K: Kind> {
    id: Uuid,
    secret: [u8; 32],
    kind: PhantomData<fn() -> K>,
}

/// Why a text is not a credential. Neither it nor its sentence repeats any of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialProblem {
    /// It does not begin as this kind of credential does; perhaps it is one of another kind.
    #[error("it does not begin with {expected}")]
    Prefix {
        /// What it should begin with.
        expected: &'static str,
    },
    /// It is too short or too long: something was cut off or added.
    #[error("it has {chars} characters instead of {expected}: was all of it copied?")]
    Length {
        /// How many characters it has.
        chars: usize,
        /// How many it should have.
        expected: usize,
    },
    /// After the prefix, it holds something other than ASCII letters and digits.
    #[error("it contains a character that is neither a letter nor a digit")]
    Character,
    /// The checksum does not fit: a character was mistyped, or two were swapped.
    #[error("it contains a typing error")]
    Mistyped,
    /// The checksum fits, but a part stands for no 128-bit number. Muster never wrote this.
    #[error("it was not made by Muster")]
    Overflow,
}

/// The length of every prefix.
const PREFIX_CHARS: usize = 4;
/// The length of a credential without its CRC.
const BODY_CHARS: usize = PREFIX_CHARS + 3 * U128_DIGITS;

impl<K: Kind> Credential<K> {
    /// How many characters a credential has.
    pub const CHARS: usize = BODY_CHARS + U32_DIGITS;

    /// A credential of this id and secret. The 32 bytes are to come from the system's random source.
    #[must_use]
    pub const fn new(id: Uuid, secret: [u8; 32]) -> Self {
        Self { id, secret, kind: PhantomData }
    }

    /// Reads a credential that [`Credential::reveal`] wrote. White space around it is not taken off.
    ///
    /// # Errors
    /// What is wrong with the text. That nothing is wrong says nothing about whether the secret is right.
    pub fn parse(text: &str) -> Result<Self, CredentialProblem> {
        let expected = K::PREFIX;
        let digits = text.strip_prefix(expected).ok_or(CredentialProblem::Prefix { expected })?;
        if let Some(wrong) = digits.bytes().position(|byte| !base62::is_digit(byte)) {
            // A credential with something after it is more likely cut in the wrong place than mistyped.
            let cut = wrong >= Self::CHARS - PREFIX_CHARS;
            let length = CredentialProblem::Length { chars: text.chars().count(), expected: Self::CHARS };
            return Err(if cut { length } else { CredentialProblem::Character });
        }
        if text.len() != Self::CHARS {
            return Err(CredentialProblem::Length { chars: text.len(), expected: Self::CHARS });
        }
        let (body, crc) = text.split_at(BODY_CHARS);
        if base62::parse(crc.as_bytes()) != Some(u128::from(crc32fast::hash(body.as_bytes()))) {
            return Err(CredentialProblem::Mistyped);
        }
        let number = |part: usize| {
            let start = PREFIX_CHARS + part * U128_DIGITS;
            base62::parse(&body.as_bytes()[start..start + U128_DIGITS]).ok_or(CredentialProblem::Overflow)
        };
        let mut secret = [0; 32];
        secret[..16].copy_from_slice(&number(1)?.to_be_bytes());
        secret[16..].copy_from_slice(&number(2)?.to_be_bytes());
        let id = Uuid::from_u128(number(0)?);
        let credential = Self::new(id, secret);
        secret.zeroize();
        Ok(credential)
    }

    /// Whose credential it is. Not a secret.
    #[must_use]
    pub const fn id(&self) -> Uuid {
        self.id
    }

    /// The hash that is stored.
    #[must_use]
    pub fn hash(&self) -> SecretHash {
        SecretHash(Sha256::digest(self.secret).into())
    }

    /// The credential as text, for the one answer that carries it to its owner. Never log or store this.
    #[must_use]
    pub fn reveal(&self) -> String {
        // Allocated in its full size, because growing would leave copies behind.
        let mut text = String::with_capacity(Self::CHARS);
        text.push_str(K::PREFIX);
        base62::push::<U128_DIGITS>(&mut text, self.id.as_u128());
        for half in self.secret.as_chunks::<16>().0 {
            base62::push::<U128_DIGITS>(&mut text, u128::from_be_bytes(*half));
        }
        let crc = crc32fast::hash(text.as_bytes());
        base62::push::<U32_DIGITS>(&mut text, u128::from(crc));
        text
    }
}

impl<K: Kind> Drop for Credential<K> {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

impl<K: Kind> fmt::Debug for Credential<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(…)", K::NAME)
    }
}

/// The SHA-256 of a credential's secret: all that is stored of it.
///
/// A plain hash is enough, and quick enough for every request: nobody guesses 256 random bits.
#[derive(Clone, Copy)]
pub struct SecretHash([u8; 32]);

impl SecretHash {
    /// The hash from storage; `None` unless it has 32 bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The 32 bytes to store.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether this is the hash of the credential's secret. Takes the same time wherever they differ.
    ///
    /// The id is not part of the hash: look the hash up by the credential's id.
    #[must_use]
    pub fn matches<K: Kind>(&self, credential: &Credential<K>) -> bool {
        self.0.ct_eq(&credential.hash().0).into()
    }
}

impl PartialEq for SecretHash {
    /// Takes the same time wherever they differ.
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for SecretHash {}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(…)")
    }
}
