//! Passwords: what is asked of one, and argon2id.

use argon2::{Argon2, PasswordHash, PasswordHasher, PasswordVerifier, password_hash::SaltString};
use std::{fmt, sync::LazyLock};
use zeroize::Zeroizing;

/// A password as somebody typed it. It does not print, and is wiped from memory when it goes.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

/// Why a password cannot be a new one.
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
    /// The fewest characters of a new one. NIST SP 800-63B asks for 8 at the least, and advises more.
    pub const MIN_CHARS: usize = 12;
    /// The most characters, so that nobody makes the server hash megabytes.
    pub const MAX_CHARS: usize = 256;

    /// A new password.
    ///
    /// # Errors
    /// [`PasswordProblem`], where it is too short or too long.
    pub fn new(text: String) -> Result<Self, PasswordProblem> {
        match text.chars().count() {
            0..Self::MIN_CHARS => Err(PasswordProblem::TooShort),
            count if count > Self::MAX_CHARS => Err(PasswordProblem::TooLong),
            _ => Ok(Self::given(text)),
        }
    }

    /// A password that is to be compared, whatever it is.
    #[must_use]
    pub fn given(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// Its argon2id hash with the crate's parameters (OWASP's: 19 MiB, 2 passes), as a PHC string. Takes some 20 ms.
    pub(crate) fn hash(&self, salt: [u8; 16]) -> Option<String> {
        let salt = SaltString::encode_b64(&salt).ok()?;
        Some(Argon2::default().hash_password(self.0.as_bytes(), &salt).ok()?.to_string())
    }

    /// Whether it is the password of this hash; without one, as slow as if there were one.
    pub(crate) fn verify(&self, hash: Option<&str>) -> bool {
        static NOBODY: LazyLock<Option<String>> = LazyLock::new(|| Password::given(String::new()).hash([0; 16]));
        let is_somebody = hash.is_some();
        let Some(hash) = hash.or(NOBODY.as_deref()) else { return false };
        // What is too long was never a password, and is not worth hashing.
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
    fn lengths() {
        let check = |chars: usize, expected: Option<PasswordProblem>| {
            assert_eq!(Password::new("ü".repeat(chars)).err(), expected)
        };
        check(11, Some(PasswordProblem::TooShort));
        check(12, None);
        check(256, None);
        check(257, Some(PasswordProblem::TooLong));
    }
}
