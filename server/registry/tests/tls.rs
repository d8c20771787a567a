//! Encrypted connections to PostgreSQL: what `sslmode` and `sslrootcert` ask for is done.
#![expect(clippy::panic, reason = "a test says what it expects")]

use muster_registry::{FakeWorld, Registry};
use std::{env, sync::Arc};

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("run through `make test`, which starts a PostgreSQL"))
}

#[tokio::test(flavor = "multi_thread")]
async fn sslmode_and_sslrootcert_are_honoured() {
    let url = variable("MUSTER_TEST_POSTGRES_URL");
    let certificates = variable("MUSTER_TEST_POSTGRES_CERTIFICATES");
    // Its certificate is for this address, and for no name.
    assert!(url.contains("@127.0.0.1:"));
    let by_name = url.replace("@127.0.0.1:", "@localhost:");
    let check = async |url: &str, query: &str, expected: Result<(), &str>| {
        let query = query.replace("FOLDER", &certificates);
        let opened = Registry::open(&format!("{url}?{query}"), Arc::new(FakeWorld::at(0))).await;
        match (opened, expected) {
            (Ok(registry), Ok(())) => registry.close().await,
            (Err(error), Err(expected)) => {
                let sentence = error.to_string();
                assert!(sentence.contains(expected), "{query}: {sentence}");
                assert!(!sentence.contains("muster:"), "no password: {sentence}");
            }
            (Ok(_), Err(expected)) => panic!("{query}: connected, which was to fail as {expected:?}"),
            (Err(error), Ok(())) => panic!("{query}: {error}"),
        }
    };
    let untrusted = Err("the certificate of the PostgreSQL server is not trusted");
    check(&url, "sslmode=disable", Ok(())).await;
    check(&url, "sslmode=prefer", Ok(())).await;
    check(&url, "sslmode=require", Ok(())).await;
    check(&by_name, "sslmode=require", Ok(())).await;
    check(&url, "sslmode=require&sslrootcert=FOLDER/ca.pem", Ok(())).await;
    check(&url, "sslmode=require&sslrootcert=FOLDER/other-ca.pem", untrusted).await;
    check(&url, "sslmode=verify-ca", untrusted).await;
    check(&by_name, "sslmode=verify-ca&sslrootcert=FOLDER/ca.pem", Ok(())).await;
    check(&url, "sslmode=verify-full&sslrootcert=FOLDER/ca.pem", Ok(())).await;
    check(&by_name, "sslmode=verify-full&sslrootcert=FOLDER/ca.pem", untrusted).await;
    check(&url, "sslmode=verify-full&sslrootcert=FOLDER/other-ca.pem", untrusted).await;
    check(&url, "sslmode=verify-full&sslrootcert=FOLDER/nothing.pem", Err("nothing.pem")).await;
    check(&url, "sslmode=sometimes", Err("cannot be read")).await;
}
