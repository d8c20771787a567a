//! Passwords: the rules for new ones, and argon2id hashes.

use argon2::{Argon2, PasswordHash, PasswordHasher, PasswordVerifier, password_hash::SaltString};
use std::{fmt, sync::LazyLock};
use zeroize::Zeroizing;

/// A password as it was typed. It is never printed, and is wiped from memory when it is dropped.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

/// Why a new password is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordProblem {
    /// Under [`Password::MIN_CHARS`].
    #[error("A password needs at least {} characters.", Password::MIN_CHARS)]
    TooShort,
    /// Over [`Password::MAX_CHARS`].
    #[error("A password may have at most {} characters.", Password::MAX_CHARS)]
    TooLong,
}

impl Password {
    /// The minimum length of a new password. NIST SP 800-63B requires 8 and recommends more.
    pub const MIN_CHARS: usize = 12;
    /// The maximum length, so that nobody can make the server hash megabytes.
    pub const MAX_CHARS: usize = 256;

    /// A new password.
    ///
    /// # Errors
    /// [`PasswordProblem`] if it is too short or too long.
    pub fn new(text: String) -> Result<Self, PasswordProblem> {
        match text.chars().count() {
            0..Self::MIN_CHARS => Err(PasswordProblem::TooShort),
            count if count > Self::MAX_CHARS => Err(PasswordProblem::TooLong),
            _ => Ok(Self::given(text)),
        }
    }

    /// A password to verify, of any length.
    #[must_use]
    pub fn given(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// Its argon2id hash with the crate's parameters (OWASP's: 19 MiB, 2 passes), as a PHC string. Takes some 20 ms.
    pub(crate) fn hash(&self, salt: [u8; 16]) -> Option<String> {
        let salt = SaltString::encode_b64(&salt).ok()?;
        Some(Argon2::default().hash_password(self.0.as_bytes(), &salt).ok()?.to_string())
    }

    /// Whether the hash is of this password. Without a hash, the answer is no, and takes as long.
    pub(crate) fn verify(&self, hash: Option<&str>) -> bool {
        static NOBODY: LazyLock<Option<String>> = LazyLock::new(|| Password::given(String::new()).hash([0; 16]));
        let is_somebody = hash.is_some();
        let Some(hash) = hash.or(NOBODY.as_deref()) else { return false };
        // A longer text was never a password, and is not worth hashing.
        let text = if self.0.len() > Self::MAX_CHARS * 4 { "" } else { self.0.as_str() };
        let is_right =
            PasswordHash::new(hash).is_ok_and(|hash| Argon2::default().verify_password(text.as_bytes(), &hash).is_ok());
        is_right && is_somebody
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test says what it expects")]
    use super::*;

    #[test]
    fn hashes_and_does_not_print() {
        let password = Password::new("correct horse battery".to_owned()).unwrap();
        let hash = password.hash([7; 16]).unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(password.verify(Some(&hash)));
        assert!(!Password::given("correct horse batterY".to_owned()).verify(Some(&hash)));
        assert!(!Password::given(String::new()).verify(None), "nobody has no password");
        assert_eq!(format!("{password:?}"), "Password(…)");
    }

    #[test]
    fn length_of_new_passwords_is_limited() {
        let check = |chars: usize, expected: Option<PasswordProblem>| {
            assert_eq!(Password::new("ü".repeat(chars)).err(), expected)
        };
        check(11, Some(PasswordProblem::TooShort));
        check(12, None);
        check(256, None);
        check(257, Some(PasswordProblem::TooLong));
    }
}
