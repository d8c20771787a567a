//! The order in which people sort names: `Pump-2` before `Pump-10`.

/// Bytes that compare as texts do in natural order: numbers by value, everything else by its bytes. Texts without control
/// characters that differ have keys that differ.
pub(crate) fn key(text: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(text.len() + 4);
    push_key(&mut key, text);
    key
}

/// As [`key`], of a text with A–Z as a–z, followed by the key of a second text, which decides between equal texts.
pub(crate) fn key_of_two(first: &str, second: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(first.len() + second.len() + 8);
    push_key(&mut key, &first.to_ascii_lowercase());
    // No text has this byte, so a text sorts before every longer text that begins with it.
    key.push(0);
    push_key(&mut key, second);
    key
}

fn push_key(key: &mut Vec<u8>, text: &str) {
    let mut has_leading_zeros = false;
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() {
            key.push(bytes[at]);
            at += 1;
            continue;
        }
        let digits = bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let number = &bytes[at..at + digits];
        let zeros = number.iter().take_while(|digit| **digit == b'0').count();
        has_leading_zeros |= zeros > 0 && digits > 1;
        push_number(key, &number[zeros..]);
        at += digits;
    }
    if has_leading_zeros {
        // Numbers that differ in leading zeros only are equal: the bytes decide. This byte sorts before any other.
        key.push(1);
        key.extend(bytes);
    }
}

/// A number without leading zeros. Of two numbers, the one with more digits is larger: so their count comes first. It is
/// written as digits, so that numbers sort among other texts as digits do.
fn push_number(key: &mut Vec<u8>, number: &[u8]) {
    key.extend(std::iter::repeat_n(b'9', number.len() / 9));
    key.push(b'0' + (number.len() % 9) as u8);
    key.extend(number);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::cmp::Ordering;

    #[test]
    fn numbers_are_sorted_by_value() {
        let sorted = [
            "",
            "-",
            "0",
            "00",
            "1",
            "001",
            "01",
            "2",
            "2a",
            "10",
            "10.2",
            "10.10",
            "99999999",
            "100000000",
            "123456789",
            "1000000000",
            "3598812345678901",
            "35988123456789012",
            ":",
            "Pump",
            "Pump-2",
            "Pump-02",
            "Pump-2:",
            "Pump-2b",
            "Pump-10",
            "Pump-10-1",
            "Pump-10-02",
            "Pump-10-10",
            "pump-1",
            "v1.2.3",
            "v1.10",
            "Ärger 2",
            "Ärger 10",
        ];
        for pair in sorted.windows(2) {
            assert!(key(pair[0]) < key(pair[1]), "{:?} before {:?}", pair[0], pair[1]);
        }
    }

    #[test]
    fn friendly_names_are_sorted_in_any_letter_case_and_then_by_name() {
        let sorted = [("", "b"), ("Jet 2", "a2"), ("jet 2", "a10"), ("Jet 10", "a"), ("jets", "a")];
        for pair in sorted.windows(2) {
            assert!(key_of_two(pair[0].0, pair[0].1) < key_of_two(pair[1].0, pair[1].1), "{pair:?}");
        }
    }

    proptest! {
        #[test]
        fn equal_keys_are_of_equal_texts(a in "[0-2a.]{0,12}", b in "[0-2a.]{0,12}") {
            prop_assert_eq!(key(&a) == key(&b), a == b);
        }

        #[test]
        fn numbers_of_any_length_are_sorted_by_value(a in "[1-9][0-9]{0,30}", b in "[1-9][0-9]{0,30}", before in "[a-z-]{0,3}") {
            let by_value = a.len().cmp(&b.len()).then_with(|| a.cmp(&b));
            prop_assert_eq!(key(&format!("{before}{a}")).cmp(&key(&format!("{before}{b}"))), by_value);
        }

        #[test]
        fn texts_without_digits_are_sorted_by_their_bytes(a in "[A-Za-z._:-]{0,8}", b in "[A-Za-z._:-]{0,8}") {
            let order: Ordering = a.cmp(&b);
            prop_assert_eq!(key(&a).cmp(&key(&b)), order);
        }
    }
}
