//! Accounts, their people, and guesses at their passwords.

use crate::fixture::{Fixture, HOUR_MS, MINUTE_MS, PASSWORD, password};
use muster_domain::PricingTier;
use muster_registry::{AccountError, AccountName, GUESSES, Password, PersonError, Registry, SignInError};

#[test]
fn account_names() {
    let check = |text: &str, expected: bool| assert_eq!(AccountName::parse(text).is_ok(), expected, "{text}");
    check("abc", true);
    check("0123456789abcdefghijklmn", true);
    check("ab", false);
    check("0123456789abcdefghijklmno", false);
    check("Abc", false);
    check("a-bc", false);
    check("äbc", false);
    check("", false);
}

pub(crate) async fn accounts(fixture: &Fixture) {
    let name = AccountName::parse("alpha").unwrap();
    assert_eq!(fixture.registry.account_named(&name).await.unwrap(), None);
    let id = fixture.registry.add_account(&name).await.unwrap();
    assert_eq!(fixture.registry.account_named(&name).await.unwrap(), Some(id));
    assert_eq!(fixture.registry.add_account(&name).await, Err(AccountError::Taken));
}

pub(crate) async fn first_start(fixture: &Fixture) {
    let registry = &fixture.registry;
    assert!(!registry.has_people().await.unwrap());
    assert!(registry.ensure_first_start("Admin@localhost", &password(PASSWORD)).await.unwrap());
    assert!(registry.has_people().await.unwrap());
    assert!(!registry.ensure_first_start("second@localhost", &password(PASSWORD)).await.unwrap());

    let (_, person) = registry.sign_in("admin@localhost", &password(PASSWORD)).await.unwrap();
    assert_eq!((person.account_name.as_str(), person.email.as_str()), ("main", "admin@localhost"));
    assert_eq!(wrong(registry, "second@localhost").await, Err(SignInError::Wrong));
}

/// Each with another address: still only one of them makes the first person.
pub(crate) async fn first_start_on_two_servers_at_once(fixture: &Fixture) {
    let other = fixture.another_server().await;
    let given = password(PASSWORD);
    let (one, two) = tokio::join!(
        fixture.registry.ensure_first_start("one@localhost", &given),
        other.ensure_first_start("two@localhost", &given),
    );
    assert_eq!(u32::from(one.unwrap()) + u32::from(two.unwrap()), 1);
    assert_eq!(fixture.number("SELECT COUNT(*) FROM people").await, 1);
}

pub(crate) async fn addresses(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let registry = &fixture.registry;
    let add = async |email: &str| registry.add_person(email, tenant.id, &password(PASSWORD)).await.map(|_| ());
    for wrong in ["", "nobody", "@host", "name@", "a b@host", "a@b\nc", &format!("{}@host", "a".repeat(254))] {
        assert_eq!(add(wrong).await, Err(PersonError::NotAnAddress), "{wrong:?}");
    }
    assert_eq!(add("  Somebody@Example.com ").await, Ok(()));
    assert_eq!(add("somebody@example.COM").await, Err(PersonError::Taken));
    let (_, person) = registry.sign_in("SOMEBODY@example.com", &password(PASSWORD)).await.unwrap();
    assert_eq!(person.email, "somebody@example.com");
    assert_eq!(registry.set_password("nobody@example.com", &password(PASSWORD)).await, Err(PersonError::Unknown));
}

async fn wrong(registry: &Registry, email: &str) -> Result<(), SignInError> {
    registry.sign_in(email, &Password::given("wrong".to_owned())).await.map(|_| ())
}

async fn right(registry: &Registry, email: &str) -> Result<(), SignInError> {
    registry.sign_in(email, &password(PASSWORD)).await.map(|_| ())
}

pub(crate) async fn wrong_guesses(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    let other = fixture.tenant("beta").await;
    for _ in 0..GUESSES {
        assert_eq!(wrong(registry, &tenant.email).await, Err(SignInError::Wrong));
        fixture.world.pass_ms(MINUTE_MS);
    }
    // Ten minutes have passed since the first: it counts for five more. The right password is not even tried.
    assert_eq!(right(registry, &tenant.email).await, Err(SignInError::TooMany { retry_after_s: 300 }));
    assert_eq!(right(registry, &tenant.email.to_uppercase()).await, Err(SignInError::TooMany { retry_after_s: 300 }));
    assert_eq!(right(registry, &other.email).await, Ok(()));
    // On another server as well: no process counts for itself.
    assert_eq!(
        right(&fixture.another_server().await, &tenant.email).await,
        Err(SignInError::TooMany { retry_after_s: 300 })
    );
    fixture.world.pass_ms(5 * MINUTE_MS - 1);
    assert_eq!(right(registry, &tenant.email).await, Err(SignInError::TooMany { retry_after_s: 1 }));
    // One has run out, and one may be made: the other nine still count.
    fixture.world.pass_ms(1);
    assert_eq!(wrong(registry, &tenant.email).await, Err(SignInError::Wrong));
    assert!(matches!(right(registry, &tenant.email).await, Err(SignInError::TooMany { .. })));
    fixture.world.pass_ms(15 * MINUTE_MS);
    assert_eq!(right(registry, &tenant.email).await, Ok(()));
}

/// Whoever sends them all at once gets no more of them than one after the other.
pub(crate) async fn wrong_guesses_at_once(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    let results = futures_util::future::join_all((0..40).map(|_| wrong(registry, &tenant.email))).await;
    let tried = results.iter().filter(|result| **result == Err(SignInError::Wrong)).count();
    assert_eq!(tried, GUESSES as usize, "{results:?}");
}

pub(crate) async fn a_guess_that_was_right_clears(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    for _ in 0..3 {
        for _ in 0..GUESSES - 1 {
            assert_eq!(wrong(registry, &tenant.email).await, Err(SignInError::Wrong));
        }
        assert_eq!(right(registry, &tenant.email).await, Ok(()));
    }
}

/// An address that nobody has is answered just the same.
pub(crate) async fn guesses_at_nobody(fixture: &Fixture) {
    let registry = &fixture.registry;
    for _ in 0..GUESSES {
        assert_eq!(wrong(registry, "nobody@example.com").await, Err(SignInError::Wrong));
    }
    assert_eq!(wrong(registry, "nobody@example.com").await, Err(SignInError::TooMany { retry_after_s: 900 }));
    assert_eq!(wrong(registry, "not an address").await, Err(SignInError::Wrong));
    fixture.world.pass_ms(HOUR_MS);
    assert_eq!(wrong(registry, "nobody@example.com").await, Err(SignInError::Wrong));
}

pub(crate) async fn default_tier(fixture: &Fixture) {
    let (tenant, other) = (fixture.tenant("alpha").await, fixture.tenant("beta").await);
    let registry = &fixture.registry;
    assert_eq!(registry.default_tier(tenant.id).await.unwrap(), PricingTier::Small);
    for tier in PricingTier::ALL {
        registry.set_default_tier(tenant.id, tier).await.unwrap();
        assert_eq!(registry.default_tier(tenant.id).await.unwrap(), tier);
    }
    assert_eq!(registry.default_tier(other.id).await.unwrap(), PricingTier::Small);
}
