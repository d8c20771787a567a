//! The server functions there are. A new one shows here, so that nobody forgets to test who may call it.
#![cfg(feature = "ssr")]

// The functions register themselves when the crate that has them is linked.
use muster_app as _;

#[test]
fn every_function_has_its_endpoint() {
    let mut paths: Vec<_> =
        server_fn::axum::server_fn_paths().map(|(path, method)| format!("{method} {path}")).collect();
    paths.sort();
    let expected = [
        "POST /fn/begin-registration",
        "POST /fn/change-devices",
        "POST /fn/count-devices",
        "POST /fn/default-tier",
        "POST /fn/delete-group",
        "POST /fn/delete-model",
        "POST /fn/device",
        "POST /fn/devices",
        "POST /fn/dry-run-part",
        "POST /fn/example-report",
        "POST /fn/export-devices",
        "POST /fn/finish-registration",
        "POST /fn/generate-tokens",
        "POST /fn/groups",
        "POST /fn/make-group",
        "POST /fn/me",
        "POST /fn/model-names",
        "POST /fn/models",
        "POST /fn/register-part",
        "POST /fn/registered-with-leading-zeros",
        "POST /fn/registration-errors",
        "POST /fn/registrations",
        "POST /fn/rename-group",
        "POST /fn/set-default-tier",
        "POST /fn/sign-in",
        "POST /fn/sign-out",
        "POST /fn/undo-registration",
        "POST /fn/unknown-models",
        "POST /fn/upload-model",
    ];
    assert_eq!(paths, expected);
}
