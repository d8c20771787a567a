//! Says where the web assets are that go into the binary, makes that folder where the page was never built, and has
//! the server compiled again when the page has changed.
use std::{env, fs, path::Path};

fn main() {
    // A debug server carries the debug page, and a release server the release page: see scripts/build-web.
    let kind = if env::var("PROFILE").as_deref() == Ok("release") { "release" } else { "debug" };
    // Asked now, not when this was compiled: the folder may have moved since.
    let folder = env::var_os("CARGO_MANIFEST_DIR").expect("cargo says in which folder the package is");
    let site = Path::new(&folder).join("../target/site").join(kind);
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", site.display());
    println!("cargo::rustc-env=MUSTER_SITE={}", site.display());
    if let Err(error) = fs::create_dir_all(&site) {
        println!("cargo::error={} cannot be made: {error}", site.display());
    }
}
