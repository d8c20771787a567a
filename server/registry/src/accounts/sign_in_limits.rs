//! How often a password may be tried: a growing delay for each pair of an email address and a source.
//!
//! A stranger cannot lock a user out: attempts count only for the source that they come from.

use sha2::{Digest, Sha256};
use std::net::IpAddr;
use uuid::Uuid;

/// Wrong passwords count for this long. No delay is longer.
pub const WRONG_PASSWORD_WINDOW_MS: i64 = 15 * 60_000;
/// Wrong passwords from one source for one email address that cause no delay. People mistype.
pub const FREE_ATTEMPTS: u32 = 5;
/// The delay after the next wrong password. It doubles with each.
const FIRST_DELAY_MS: i64 = 5_000;
/// Wrong passwords from one source, for any addresses, that cause no delay: a whole office may be one source.
pub const FREE_ATTEMPTS_OF_SOURCE: u32 = 100;
/// The delay after more than that: it allows about a hundred attempts in a quarter of an hour.
const DELAY_OF_SOURCE_MS: i64 = 9_000;

/// A client's network address as limits count it: an IPv4 address, or the /64 IPv6 network that one customer of a
/// provider has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Source(IpAddr);

impl Source {
    /// The source of this address.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(address) => Self(IpAddr::V6((address.to_bits() & !u128::from(u64::MAX)).into())),
            address @ IpAddr::V4(_) => Self(address),
        }
    }

    /// The hash that is stored.
    pub(crate) fn hash(self) -> Uuid {
        hash(self.0.to_string().as_bytes())
    }
}

/// The hash of an email address. The address itself is not stored, because people type their password into the wrong
/// box.
pub(crate) fn email_hash(email: &str) -> Uuid {
    hash(email.as_bytes())
}

/// Half of a SHA-256.
fn hash(bytes: &[u8]) -> Uuid {
    let digest: [u8; 32] = Sha256::digest(bytes).into();
    let (half, _) = digest.split_first_chunk().unwrap_or((&[0; 16], &[]));
    Uuid::from_bytes(*half)
}

/// The wrong passwords of a source in the last [`WRONG_PASSWORD_WINDOW_MS`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct WrongPasswords {
    /// For one email address: how many, and when the last was.
    pub(crate) pair: u32,
    pub(crate) pair_last_ms: i64,
    /// For any.
    pub(crate) source: u32,
    pub(crate) source_last_ms: i64,
}

impl WrongPasswords {
    /// How long the next attempt has to wait.
    pub(crate) fn wait_ms(self, now_ms: i64) -> i64 {
        let pair_delay_ms = match self.pair.checked_sub(FREE_ATTEMPTS) {
            None => 0,
            Some(more) => (FIRST_DELAY_MS << more.min(16)).min(WRONG_PASSWORD_WINDOW_MS),
        };
        let source_delay_ms = if self.source < FREE_ATTEMPTS_OF_SOURCE { 0 } else { DELAY_OF_SOURCE_MS };
        // A time in the future was stored before the clock was set back: it counts as now.
        let left = |last_ms: i64, delay_ms: i64| last_ms.min(now_ms) + delay_ms - now_ms;
        left(self.pair_last_ms, pair_delay_ms).max(left(self.source_last_ms, source_delay_ms)).max(0)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test says what it expects")]
    use super::*;

    #[test]
    fn delays_grow_and_expire() {
        let check = |pair: u32, last_ms: i64, expected: i64| {
            let wrong_passwords = WrongPasswords { pair, pair_last_ms: last_ms, source: pair, source_last_ms: last_ms };
            assert_eq!(wrong_passwords.wait_ms(1_000_000), expected, "{pair} {last_ms}");
        };
        check(0, 0, 0);
        check(4, 1_000_000, 0);
        check(5, 1_000_000, 5_000);
        check(5, 997_000, 2_000);
        check(5, 990_000, 0);
        check(6, 1_000_000, 10_000);
        check(12, 1_000_000, 640_000);
        check(13, 1_000_000, WRONG_PASSWORD_WINDOW_MS);
        check(99, 1_000_000, WRONG_PASSWORD_WINDOW_MS);
        check(5, i64::MAX, 5_000);
        let spraying = WrongPasswords { pair: 1, pair_last_ms: 1_000_000, source: 100, source_last_ms: 1_000_000 };
        assert_eq!(spraying.wait_ms(1_000_000), 9_000);
        assert_eq!(spraying.wait_ms(1_009_000), 0);
    }

    #[test]
    fn sources_are_addresses_or_networks() {
        let check = |one: &str, other: &str, expected: bool| {
            let source = |text: &str| Source::of(text.parse().unwrap());
            assert_eq!(source(one) == source(other), expected, "{one} {other}");
            assert_eq!(source(one).hash() == source(other).hash(), expected, "{one} {other}");
        };
        check("192.0.2.1", "192.0.2.1", true);
        check("192.0.2.1", "192.0.2.2", false);
        check("192.0.2.1", "::ffff:192.0.2.1", true);
        check("2001:db8::1", "2001:db8::ffff:0:0:2", true);
        check("2001:db8::1", "2001:db8:0:1::1", false);
    }
}
