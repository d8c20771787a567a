//! What a credential looks like, and what becomes of one that is mistyped.

use muster_domain::{AccessKey, CredentialProblem, SecretHash, SecurityToken, SessionKey};
use proptest::prelude::*;
use rand::{RngCore, SeedableRng, rngs::StdRng};
use uuid::Uuid;

const ID: Uuid = Uuid::from_u128(0x0192_f0c1_b2c3_7d4e_8f00_1122_3344_5566);

/// Computed by another program (Python's `zlib` and `hashlib`) from the same id and secret.
const TOKEN: &str = "mst_02y8whPsGi0qa9QfHV1mVS000SYW7RiJxkEgOGusQGwp0UJg4EBGO3cQWJhXqJNbv53WoLs2";
const KEY: &str = "msk_02y8whPsGi0qa9QfHV1mVS000SYW7RiJxkEgOGusQGwp0UJg4EBGO3cQWJhXqJNbv51eHIri";
const SESSION: &str = "mss_02y8whPsGi0qa9QfHV1mVS000SYW7RiJxkEgOGusQGwp0UJg4EBGO3cQWJhXqJNbv50arGKb";
const HASH: &str = "630dcd2966c4336691125448bbb25b4ff412a49c732db2c8abc1b8581bd710dd";

fn secret() -> [u8; 32] {
    std::array::from_fn(|index| index as u8)
}

fn problem(text: &str) -> Option<CredentialProblem> {
    SecurityToken::parse(text).err()
}

#[test]
fn it_is_written_like_this() {
    assert_eq!(SecurityToken::new(ID, secret()).reveal(), TOKEN);
    assert_eq!(AccessKey::new(ID, secret()).reveal(), KEY);
    assert_eq!(SessionKey::new(ID, secret()).reveal(), SESSION);
    assert_eq!(TOKEN.len(), SecurityToken::CHARS);
    let hash = SecurityToken::parse(TOKEN).expect("a token").hash();
    let hex: String = hash.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, HASH);
}

#[test]
fn each_kind_is_its_own() {
    assert_eq!(problem(KEY), Some(CredentialProblem::Prefix { expected: "mst_" }));
    assert_eq!(AccessKey::parse(TOKEN).err(), Some(CredentialProblem::Prefix { expected: "msk_" }));
    // Not even with the other prefix in its place.
    assert_eq!(problem(&KEY.replace("msk_", "mst_")), Some(CredentialProblem::Mistyped));
}

#[test]
fn what_is_not_a_token() {
    let length = |chars| Some(CredentialProblem::Length { chars, expected: 76 });
    let check = |text: &str, expected: Option<CredentialProblem>| assert_eq!(problem(text), expected, "{text}");
    check(TOKEN, None);
    check("", Some(CredentialProblem::Prefix { expected: "mst_" }));
    check("mst_", length(4));
    check(&TOKEN[..75], length(75));
    check(&format!("{TOKEN}0"), length(77));
    check(&format!("{TOKEN} "), length(77));
    check(&format!("{TOKEN}\n"), length(77));
    check(&format!(" {TOKEN}"), Some(CredentialProblem::Prefix { expected: "mst_" }));
    check(&TOKEN.replacen("02y8", "02-8", 1), Some(CredentialProblem::Character));
    check(&TOKEN.replacen("02y8", "02é", 1), Some(CredentialProblem::Character));
    check(&TOKEN.replacen("y8w", "y9w", 1), Some(CredentialProblem::Mistyped));
    check(&TOKEN.replacen("02y8whPs", "0y28whPs", 1), Some(CredentialProblem::Mistyped));
    check(&TOKEN.to_lowercase(), Some(CredentialProblem::Mistyped));
    // Its checksum is right, but its numbers have more than 128 bits.
    check(&format!("mst_{}2uepv9", "z".repeat(66)), Some(CredentialProblem::Overflow));
}

#[test]
fn one_changed_character_is_always_caught() {
    let mut random = StdRng::seed_from_u64(7);
    for _ in 0..20 {
        let mut secret = [0; 32];
        random.fill_bytes(&mut secret);
        let token = SecurityToken::new(Uuid::from_u128(u128::from(random.next_u64())), secret).reveal();
        for at in 0..token.len() {
            for other in (' '..='~').filter(|other| !token[at..].starts_with(*other)) {
                let mut changed = token.clone();
                changed.replace_range(at..=at, &other.to_string());
                assert!(SecurityToken::parse(&changed).is_err(), "{changed}");
            }
        }
    }
}

#[test]
fn nothing_of_it_is_printed() {
    let token = SecurityToken::new(ID, secret());
    assert_eq!(format!("{token:?}"), "SecurityToken(…)");
    assert_eq!(format!("{:#?}", AccessKey::new(ID, secret())), "AccessKey(…)");
    assert_eq!(format!("{:?}", SessionKey::new(ID, secret())), "SessionKey(…)");
    assert_eq!(format!("{:?}", token.hash()), "SecretHash(…)");
    let sentences = [problem(&TOKEN[1..]), problem(&TOKEN[..70]), problem(&TOKEN.replace('w', "x"))];
    for sentence in sentences.into_iter().flatten().map(|problem| format!("{problem} {problem:?}")) {
        assert!(!sentence.contains("02y8"), "{sentence}");
    }
}

#[test]
fn a_hash_comes_from_32_bytes() {
    assert!(SecretHash::from_bytes(&[0; 31]).is_none());
    assert!(SecretHash::from_bytes(&[0; 33]).is_none());
    let hash = SecretHash::from_bytes(&[7; 32]).expect("32 bytes");
    assert_eq!(hash.as_bytes(), &[7; 32]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_goes_there_and_back(id: u128, secret: [u8; 32], other: [u8; 32]) {
        let token = SecurityToken::new(Uuid::from_u128(id), secret);
        let text = token.reveal();
        prop_assert!(text[4..].bytes().all(|byte| byte.is_ascii_alphanumeric()));
        let again = SecurityToken::parse(&text).expect("what was written is read");
        prop_assert_eq!(again.id(), token.id());
        prop_assert_eq!(again.reveal(), text);
        prop_assert!(token.hash().matches(&again));
        let wrong = SecurityToken::new(Uuid::from_u128(id), other);
        prop_assert_eq!(token.hash().matches(&wrong), secret == other);
    }

    #[test]
    fn no_text_is_too_strange(text in "\\PC{0,100}", tail in "[0-9A-Za-z]{60,80}") {
        let _ = SecurityToken::parse(&text);
        for text in [format!("mst_{text}"), format!("mst_{tail}")] {
            prop_assert!(SecurityToken::parse(&text).is_err());
        }
    }
}
