//! Accounts and their people.

use crate::fixture::{Fixture, PASSWORD, office, password};
use muster_domain::PricingTier;
use muster_registry::{AccountError, AccountName, SignInError, UserError};

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

pub(crate) async fn account_names_are_unique(fixture: &Fixture) {
    let name = AccountName::parse("alpha").unwrap();
    assert_eq!(fixture.registry.command_line(&name).await.unwrap(), None);
    let actor = fixture.registry.add_account(&name).await.unwrap();
    assert_eq!(fixture.registry.command_line(&name).await.unwrap(), Some(actor.clone()));
    assert_eq!((actor.user(), actor.account_name(), actor.name()), (None, "alpha", "the command line"));
    assert_eq!(fixture.registry.add_account(&name).await, Err(AccountError::Taken));
}

pub(crate) async fn operator_is_in_the_account_of_a_user(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let operator = |email: &'static str| fixture.registry.command_line_for_user(email);
    let found = operator(" Alpha@example.com").await.unwrap().unwrap();
    assert_eq!((found.account(), found.account_name(), found.user()), (tenant.actor.account(), "alpha", None));
    for unknown in ["beta@example.com", "alpha", ""] {
        assert_eq!(operator(unknown).await.unwrap(), None, "{unknown}");
    }
}

pub(crate) async fn first_start_adds_one_user(fixture: &Fixture) {
    let registry = &fixture.registry;
    assert!(!registry.has_users().await.unwrap());
    assert!(registry.ensure_first_start("Admin@localhost", &password(PASSWORD)).await.unwrap());
    assert!(registry.has_users().await.unwrap());
    assert!(!registry.ensure_first_start("second@localhost", &password(PASSWORD)).await.unwrap());

    let (_, actor) = registry.sign_in("admin@localhost", office(), &password(PASSWORD)).await.unwrap();
    assert_eq!((actor.account_name(), actor.name()), ("main", "admin@localhost"));
    let second = registry.sign_in("second@localhost", office(), &password(PASSWORD)).await.map(|_| ());
    assert_eq!(second, Err(SignInError::Wrong));
}

/// Each with another address: only one of them adds the first user.
pub(crate) async fn concurrent_first_starts_add_one_user(fixture: &Fixture) {
    let other = fixture.another_server().await;
    let given = password(PASSWORD);
    let (one, two) = tokio::join!(
        fixture.registry.ensure_first_start("one@localhost", &given),
        other.ensure_first_start("two@localhost", &given),
    );
    assert_eq!(u32::from(one.unwrap()) + u32::from(two.unwrap()), 1);
    assert_eq!(fixture.number("SELECT COUNT(*) FROM people").await, 1);
}

pub(crate) async fn email_addresses_are_checked_and_unique(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let registry = &fixture.registry;
    let add = async |email: &str| registry.add_user(&tenant.actor, email, &password(PASSWORD)).await.map(|_| ());
    for wrong in ["", "nobody", "@host", "name@", "a b@host", "a@b\nc", &format!("{}@host", "a".repeat(254))] {
        assert_eq!(add(wrong).await, Err(UserError::NotAnAddress), "{wrong:?}");
    }
    assert_eq!(add("  Somebody@Example.com ").await, Ok(()));
    assert_eq!(add("somebody@example.COM").await, Err(UserError::Taken));
    let (_, actor) = registry.sign_in("SOMEBODY@example.com", office(), &password(PASSWORD)).await.unwrap();
    assert_eq!(actor.name(), "somebody@example.com");
    assert_eq!(
        registry.set_password(&tenant.actor, "nobody@example.com", &password(PASSWORD)).await,
        Err(UserError::Unknown)
    );
}

pub(crate) async fn addresses_that_look_the_same_are_the_same(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let registry = &fixture.registry;
    let add = async |email: &str| registry.add_user(&tenant.actor, email, &password(PASSWORD)).await.map(|_| ());
    assert_eq!(add("\u{200b}@example.com").await, Err(UserError::NotAnAddress));
    assert_eq!(add("Ren\u{e9}@example.com").await, Ok(()));
    for same in ["rene\u{301}@example.com", "REN\u{c9}@example.com", "ren\u{e9}\u{200b}@example.com\u{feff}"] {
        assert_eq!(add(same).await, Err(UserError::Taken), "{same:?}");
        let (_, user) = registry.sign_in(same, office(), &password(PASSWORD)).await.unwrap();
        assert_eq!(user.name(), "ren\u{e9}@example.com");
    }
    // As an earlier version of Muster stored it.
    let odd = "ann\u{200b}@example.com";
    assert_eq!(add("ann@example.com").await, Ok(()));
    fixture.execute(&format!("UPDATE people SET email = '{odd}' WHERE email = 'ann@example.com'")).await;
    let given = password("another-password-1");
    registry.set_password(&tenant.actor, odd, &given).await.unwrap();
    let (_, user) = registry.sign_in(odd, office(), &given).await.unwrap();
    assert_eq!(user.name(), odd);
    assert_eq!(registry.user_with_email(odd).await.unwrap().map(|user| user.email).as_deref(), Some(odd));
}

pub(crate) async fn default_tier_applies_to_new_devices(fixture: &Fixture) {
    let (tenant, other) = (fixture.tenant("alpha").await, fixture.tenant("beta").await);
    let registry = &fixture.registry;
    assert_eq!(registry.default_tier(&tenant.actor).await.unwrap(), PricingTier::Small);
    for tier in PricingTier::ALL {
        registry.set_default_tier(&tenant.actor, tier).await.unwrap();
        assert_eq!(registry.default_tier(&tenant.actor).await.unwrap(), tier);
    }
    assert_eq!(registry.default_tier(&other.actor).await.unwrap(), PricingTier::Small);
}
