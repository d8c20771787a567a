//! Numbers in base62, at a fixed width: what credentials are written in.
//!
//! Letters and digits only, so that a double-click selects all of it and no URL or shell changes it.

use zeroize::Zeroize;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// How many digits hold any `u128`: 62^22 is about 2.7e39, and 2^128 about 3.4e38.
pub(crate) const U128_DIGITS: usize = 22;

/// How many digits hold any `u32`: 62^6 is about 5.7e10, and 2^32 about 4.3e9.
pub(crate) const U32_DIGITS: usize = 6;

/// Appends the number, with leading zeros to `WIDTH` digits.
pub(crate) fn push<const WIDTH: usize>(out: &mut String, mut number: u128) {
    let mut digits = [b'0'; WIDTH];
    for digit in digits.iter_mut().rev() {
        // The remainder is below 62, so it fits every integer type there is.
        *digit = DIGITS[(number % 62) as usize];
        number /= 62;
    }
    out.extend(digits.iter().map(|&digit| char::from(digit)));
    digits.zeroize();
}

/// The number that the digits stand for; `None` if one of them is not a digit, or the number exceeds a `u128`.
pub(crate) fn parse(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0u128, |number, &digit| number.checked_mul(62)?.checked_add(u128::from(value(digit)?)))
}

/// Whether the byte is a digit of base62.
pub(crate) fn is_digit(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

fn value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'Z' => Some(digit - b'A' + 10),
        b'a'..=b'z' => Some(digit - b'a' + 36),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_there_and_back() {
        for number in [0, 1, 61, 62, 3843, u128::from(u64::MAX), u128::MAX - 1, u128::MAX] {
            let mut text = String::new();
            push::<U128_DIGITS>(&mut text, number);
            assert_eq!(text.len(), U128_DIGITS);
            assert_eq!(parse(text.as_bytes()), Some(number));
        }
    }

    #[test]
    fn what_exceeds_a_u128_is_no_number() {
        let mut largest = String::new();
        push::<U128_DIGITS>(&mut largest, u128::MAX);
        assert_eq!(largest, "7n42DGM5Tflk9n8mt7Fhc7");
        assert_eq!(parse(b"7n42DGM5Tflk9n8mt7Fhc8"), None);
        assert_eq!(parse(b"zzzzzzzzzzzzzzzzzzzzzz"), None);
        assert_eq!(parse(b"000000000000000000000-"), None);
    }
}
