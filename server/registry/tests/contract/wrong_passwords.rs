//! Wrong passwords: whom they make wait, and for how long.

use crate::fixture::{Fixture, MINUTE_MS, PASSWORD, office, password, source};
use muster_registry::{
    FREE_ATTEMPTS, FREE_ATTEMPTS_OF_SOURCE, Password, Registry, SignInError, Source, WRONG_PASSWORD_WINDOW_MS,
};

const SECOND_MS: i64 = 1_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

async fn wrong(registry: &Registry, email: &str, source: Source) -> Result<(), SignInError> {
    registry.sign_in(email, source, &Password::given("wrong".to_owned())).await.map(|_| ())
}

async fn right(registry: &Registry, email: &str, source: Source) -> Result<(), SignInError> {
    registry.sign_in(email, source, &password(PASSWORD)).await.map(|_| ())
}

fn wait(retry_after_s: u32) -> Result<(), SignInError> {
    Err(SignInError::TooMany { retry_after_s })
}

async fn use_free_attempts(registry: &Registry, email: &str, source: Source) {
    for _ in 0..FREE_ATTEMPTS {
        assert_eq!(wrong(registry, email, source).await, Err(SignInError::Wrong));
    }
}

pub(crate) async fn delay_grows_and_ends(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    use_free_attempts(registry, &tenant.email, office()).await;
    // The right password is not even tried, on another server neither: no process counts for itself.
    assert_eq!(right(registry, &tenant.email, office()).await, wait(5));
    assert_eq!(right(registry, &tenant.email.to_uppercase(), office()).await, wait(5));
    assert_eq!(right(&fixture.another_server().await, &tenant.email, office()).await, wait(5));
    fixture.world.pass_ms(5 * SECOND_MS - 1);
    assert_eq!(right(registry, &tenant.email, office()).await, wait(1));
    fixture.world.pass_ms(1);
    // Each more doubles the delay, up to a quarter of an hour.
    for delay_s in [10, 20, 40, 80, 160, 320] {
        assert_eq!(wrong(registry, &tenant.email, office()).await, Err(SignInError::Wrong), "{delay_s}");
        assert_eq!(right(registry, &tenant.email, office()).await, wait(delay_s));
        fixture.world.pass_ms(i64::from(delay_s) * SECOND_MS);
    }
    // What was refused meanwhile did not make it longer; and being right ends it.
    assert_eq!(right(registry, &tenant.email, office()).await, Ok(()));
    use_free_attempts(registry, &tenant.email, office()).await;
    fixture.world.pass_ms(WRONG_PASSWORD_WINDOW_MS);
    use_free_attempts(registry, &tenant.email, office()).await;
}

pub(crate) async fn stranger_does_not_lock_a_user_out(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    for stranger in ["203.0.113.7", "2001:db8::1"].map(source) {
        use_free_attempts(registry, &tenant.email, stranger).await;
        assert_eq!(wrong(registry, &tenant.email, stranger).await, wait(5));
        assert_eq!(right(registry, &tenant.email, office()).await, Ok(()));
        // That somebody else was right does not help the stranger.
        assert_eq!(wrong(registry, &tenant.email, stranger).await, wait(5));
    }
    // A network of 64 bits is one stranger.
    assert_eq!(wrong(registry, &tenant.email, source("2001:db8::ffff:1")).await, wait(5));
    assert_eq!(right(registry, &tenant.email, source("2001:db8:0:1::1")).await, Ok(()));
}

/// One source tries a password for many users.
pub(crate) async fn source_that_tries_many_addresses_is_slowed_down(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    let stranger = source("203.0.113.7");
    for at in 0..FREE_ATTEMPTS_OF_SOURCE {
        assert_eq!(wrong(registry, &format!("somebody-{at}@example.com"), stranger).await, Err(SignInError::Wrong));
    }
    assert_eq!(wrong(registry, "another@example.com", stranger).await, wait(9));
    assert_eq!(right(registry, &tenant.email, office()).await, Ok(()));
    // Slowed down, not locked out: there may be a user behind the same address.
    fixture.world.pass_ms(9 * SECOND_MS);
    assert_eq!(right(registry, &tenant.email, stranger).await, Ok(()));
}

pub(crate) async fn concurrent_attempts_all_count(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    let attempts = (0..40).map(|_| wrong(registry, &tenant.email, office()));
    let results = futures_util::future::join_all(attempts).await;
    let tried = results.iter().filter(|result| **result == Err(SignInError::Wrong)).count();
    assert_eq!(tried, FREE_ATTEMPTS as usize, "{results:?}");
}

pub(crate) async fn right_password_clears_the_count(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    for _ in 0..3 {
        for _ in 0..FREE_ATTEMPTS - 1 {
            assert_eq!(wrong(registry, &tenant.email, office()).await, Err(SignInError::Wrong));
        }
        assert_eq!(right(registry, &tenant.email, office()).await, Ok(()));
    }
}

/// The response for an unknown address is the same.
pub(crate) async fn unknown_address_is_treated_alike(fixture: &Fixture) {
    let registry = &fixture.registry;
    use_free_attempts(registry, "nobody@example.com", office()).await;
    assert_eq!(wrong(registry, "nobody@example.com", office()).await, wait(5));
    assert_eq!(wrong(registry, "not an address", office()).await, Err(SignInError::Wrong));
    fixture.world.pass_ms(5 * SECOND_MS);
    assert_eq!(wrong(registry, "nobody@example.com", office()).await, Err(SignInError::Wrong));
}

pub(crate) async fn new_password_lifts_every_wait(fixture: &Fixture) {
    let (tenant, other) = (fixture.tenant("alpha").await, fixture.tenant("beta").await);
    let registry = &fixture.registry;
    let home = source("198.51.100.4");
    for source in [office(), home] {
        use_free_attempts(registry, &tenant.email, source).await;
        assert_eq!(right(registry, &tenant.email, source).await, wait(5));
    }
    use_free_attempts(registry, &other.email, source("203.0.113.9")).await;
    for at in 0..FREE_ATTEMPTS_OF_SOURCE {
        let _ = wrong(registry, &format!("somebody-{at}@example.com"), office()).await;
    }
    registry.set_password(&tenant.actor, &tenant.email, &password(PASSWORD)).await.unwrap();
    for source in [office(), home] {
        assert_eq!(right(registry, &tenant.email, source).await, Ok(()));
    }
    assert_eq!(right(registry, &other.email, source("203.0.113.9")).await, wait(5), "only those of this user");
}

/// However the clock jumps, no attempt waits longer than the delay.
pub(crate) async fn clock_that_jumps_makes_nobody_wait(fixture: &Fixture) {
    let (tenant, registry) = (fixture.tenant("alpha").await, &fixture.registry);
    use_free_attempts(registry, &tenant.email, office()).await;
    // A year ahead: all of it is long ago.
    fixture.world.pass_ms(365 * DAY_MS);
    use_free_attempts(registry, &tenant.email, office()).await;
    assert_eq!(right(registry, &tenant.email, office()).await, wait(5));
    // And back: what was tried in the future counts no longer, or as now.
    fixture.world.pass_ms(-365 * DAY_MS);
    let after = right(registry, &tenant.email, office()).await;
    assert!(after == Ok(()) || after == wait(5), "{after:?}");
    // Back by a minute, which is not far enough to forget.
    use_free_attempts(registry, &tenant.email, source("198.51.100.4")).await;
    fixture.world.pass_ms(-MINUTE_MS);
    assert_eq!(right(registry, &tenant.email, source("198.51.100.4")).await, wait(5));
    fixture.world.pass_ms(5 * SECOND_MS);
    assert_eq!(right(registry, &tenant.email, source("198.51.100.4")).await, Ok(()));
}

pub(crate) async fn old_attempts_are_deleted(fixture: &Fixture) {
    let registry = &fixture.registry;
    for at in 0..20 {
        let _ = wrong(registry, "somebody@example.com", source(&format!("203.0.113.{at}"))).await;
    }
    assert_eq!(fixture.number("SELECT COUNT(*) FROM wrong_passwords").await, 20);
    fixture.world.pass_ms(WRONG_PASSWORD_WINDOW_MS);
    let _ = wrong(registry, "somebody@example.com", office()).await;
    assert_eq!(fixture.number("SELECT COUNT(*) FROM wrong_passwords").await, 1);
    // Of a clock that was a year ahead.
    fixture.world.pass_ms(-365 * DAY_MS);
    let _ = wrong(registry, "somebody@example.com", source("203.0.113.9")).await;
    assert_eq!(fixture.number("SELECT COUNT(*) FROM wrong_passwords").await, 1);
}
