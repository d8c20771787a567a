//! Sessions: how they begin, last and end.

use crate::fixture::{Fixture, HOUR_MS, MINUTE_MS, PASSWORD, Tenant, office, password};
use muster_domain::SessionKey;
use muster_registry::{Password, SignInError};

async fn sign_in(fixture: &Fixture, tenant: &Tenant) -> SessionKey {
    fixture.registry.sign_in(&tenant.email, office(), &password(PASSWORD)).await.unwrap().0
}

async fn lasts(fixture: &Fixture, key: &SessionKey) -> bool {
    fixture.registry.session(key).await.unwrap().is_some()
}

pub(crate) async fn user_signs_in_and_out(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let (key, actor) = fixture.registry.sign_in(&tenant.email, office(), &password(PASSWORD)).await.unwrap();
    assert_eq!((actor.user(), actor.account_name(), actor.name()), (Some(tenant.user), "alpha", "alpha@example.com"));
    let second = sign_in(fixture, &tenant).await;
    assert_eq!(fixture.registry.session(&key).await.unwrap(), Some(actor));
    fixture.registry.sign_out(&key).await.unwrap();
    assert!(!lasts(fixture, &key).await);
    assert!(lasts(fixture, &second).await, "only that one ended");
    fixture.registry.sign_out(&key).await.unwrap();
}

pub(crate) async fn idle_session_expires(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let key = sign_in(fixture, &tenant).await;
    fixture.world.pass_ms(12 * HOUR_MS - 1);
    assert!(lasts(fixture, &key).await);
    fixture.world.pass_ms(12 * HOUR_MS);
    assert!(!lasts(fixture, &key).await);
}

pub(crate) async fn used_session_expires_too(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let key = sign_in(fixture, &tenant).await;
    for _ in 0..119 {
        fixture.world.pass_ms(6 * HOUR_MS);
        assert!(lasts(fixture, &key).await);
    }
    fixture.world.pass_ms(6 * HOUR_MS - 1);
    assert!(lasts(fixture, &key).await);
    fixture.world.pass_ms(1);
    assert!(!lasts(fixture, &key).await, "30 days");
}

/// A page that is read within five minutes of the last stored use writes nothing, and so does not extend the session.
pub(crate) async fn use_is_stored_at_intervals(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    for (used_after, lasts_longer) in [(5 * MINUTE_MS - 1, false), (5 * MINUTE_MS, true)] {
        let key = sign_in(fixture, &tenant).await;
        fixture.world.pass_ms(used_after);
        assert!(lasts(fixture, &key).await);
        fixture.world.pass_ms(12 * HOUR_MS - 1);
        assert_eq!(lasts(fixture, &key).await, lasts_longer, "{used_after}");
    }
}

pub(crate) async fn new_password_ends_sessions(fixture: &Fixture) {
    let (tenant, other) = (fixture.tenant("alpha").await, fixture.tenant("beta").await);
    let (key, others) = (sign_in(fixture, &tenant).await, sign_in(fixture, &other).await);
    let new = "an entirely different one";
    fixture.registry.set_password(&tenant.actor, &tenant.email.to_uppercase(), &password(new)).await.unwrap();
    assert!(!lasts(fixture, &key).await);
    assert!(lasts(fixture, &others).await);
    let old = fixture.registry.sign_in(&tenant.email, office(), &password(PASSWORD)).await.map(|_| ());
    assert_eq!(old, Err(SignInError::Wrong));
    fixture.registry.sign_in(&tenant.email, office(), &Password::given(new.to_owned())).await.unwrap();
}

pub(crate) async fn forged_key_is_rejected(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let key = sign_in(fixture, &tenant).await;
    let forged = SessionKey::new(key.id(), [7; 32]);
    assert!(!lasts(fixture, &forged).await);
    fixture.registry.sign_out(&forged).await.unwrap();
    assert!(lasts(fixture, &key).await, "who does not have the secret ends nothing");
    assert!(!lasts(fixture, &SessionKey::new(tenant.user.into(), [7; 32])).await);
}

pub(crate) async fn expired_sessions_are_deleted(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let old = sign_in(fixture, &tenant).await;
    for _ in 0..60 {
        fixture.world.pass_ms(11 * HOUR_MS);
        assert!(lasts(fixture, &old).await);
    }
    let idle = sign_in(fixture, &tenant).await;
    let wrong = fixture
        .registry
        .sign_in("nobody@example.com", office(), &Password::given("wrong".to_owned()))
        .await
        .map(|_| ());
    assert_eq!(wrong, Err(SignInError::Wrong));
    // The first is in use, but older than 30 days; the second was not used for 12 hours.
    for _ in 0..6 {
        fixture.world.pass_ms(11 * HOUR_MS);
        let _ = lasts(fixture, &old).await;
    }
    let key = sign_in(fixture, &tenant).await;
    assert!(lasts(fixture, &key).await);
    assert!(!lasts(fixture, &old).await && !lasts(fixture, &idle).await);
    assert_eq!(fixture.number("SELECT COUNT(*) FROM sessions").await, 1);
}

/// A clock that was set back does not extend a session.
pub(crate) async fn session_seen_in_the_future_expires(fixture: &Fixture) {
    let tenant = fixture.tenant("alpha").await;
    let key = sign_in(fixture, &tenant).await;
    fixture.world.pass_ms(11 * HOUR_MS);
    assert!(lasts(fixture, &key).await);
    fixture.world.pass_ms(-11 * HOUR_MS);
    assert!(lasts(fixture, &key).await);
    fixture.world.pass_ms(12 * HOUR_MS);
    assert!(!lasts(fixture, &key).await, "12 hours after it was last used");
}
