//! The crate stays pure by its dependency list, and this is what holds the list to that.

use std::collections::BTreeSet;
use std::process::Command;

/// All that this crate may depend on, with what that depends on in turn. A name is added here only by somebody
/// who has looked whether it brings async, I/O, UI, SQL, a clock or randomness: this list is the decision.
const ALLOWED: &[&str] = &[
    // Text: searching, normalizing, the escaping of CSV.
    "csv-core",
    "memchr",
    "tinyvec", // unicode-normalization's.
    "tinyvec_macros",
    "unicode-normalization",
    // Hashing, and handling secrets.
    "block-buffer",
    "cfg-if",
    "cpufeatures",
    "crc32fast",
    "crypto-common",
    "digest",
    "generic-array",
    "libc", // Only cpufeatures', on some processors.
    "sha2",
    "subtle",
    "typenum",
    "version_check",
    "zeroize",
    // Values and their JSON.
    "itoa",
    "ryu",
    "serde",
    "serde_core",
    "serde_json",
    "thiserror",
    "uuid",
    "zmij",
    // At compile time only.
    "proc-macro2",
    "quote",
    "serde_derive",
    "syn",
    "thiserror-impl",
    "unicode-ident",
];

/// What must never be there. The list above keeps these out; they are named so that whoever lengthens it reads this.
const FORBIDDEN: &[&str] = &[
    "async-trait",
    "axum",
    "chrono",
    "futures",
    "futures-core",
    "futures-util",
    "getrandom",
    "hyper",
    "js-sys",
    "leptos",
    "mio",
    "rand",
    "reqwest",
    "rusqlite",
    "sqlx",
    "time",
    "tokio",
    "tower",
    "tracing",
    "wasm-bindgen",
    "web-sys",
];

/// The names of the crates that a build of this one for `target` has in it.
fn dependencies(target: &str) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--package", "muster-domain", "--edges", "normal", "--prefix", "none", "--format", "{p}"])
        .args(["--offline", "--target", target])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).expect("cargo writes UTF-8");
    tree.lines().filter_map(|line| line.split(' ').next()).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

#[test]
fn nothing_impure_is_in_the_dependency_tree() {
    for target in ["x86_64-unknown-linux-gnu", "wasm32-unknown-unknown"] {
        let mut found = dependencies(target);
        assert!(found.remove("muster-domain") && found.contains("memchr"), "{found:?}");
        let forbidden: Vec<_> = found.iter().filter(|name| FORBIDDEN.contains(&name.as_str())).collect();
        assert!(forbidden.is_empty(), "muster-domain must not depend on {forbidden:?} ({target})");
        let unknown: Vec<_> = found.iter().filter(|name| !ALLOWED.contains(&name.as_str())).collect();
        assert!(unknown.is_empty(), "look at {unknown:?} ({target}) before adding them to the list");
    }
}
