//! Says where the web assets are that go into the binary, makes that folder where the page was never built, and has
//! the server compiled again when the page has changed.
use std::{env, fs, path::Path};

fn main() {
    // Asked now, not when this was compiled: the folder may have moved since.
    let folder = env::var_os("CARGO_MANIFEST_DIR").expect("cargo says in which folder the package is");
    let sites = Path::new(&folder).join("../target/site");
    println!("cargo::rerun-if-changed=build.rs");
    for kind in ["debug", "release"] {
        let site = sites.join(kind);
        println!("cargo::rerun-if-changed={}", site.display());
        if let Err(error) = fs::create_dir_all(&site) {
            println!("cargo::error={} cannot be made: {error}", site.display());
        }
    }
    // A debug server carries the debug page, and a release server the release page: see scripts/build-web. The tests run a
    // debug server, for which the release page will do where there is no other.
    let is_release = env::var("PROFILE").as_deref() == Ok("release");
    let has_debug_page = sites.join("debug/muster_bg.wasm").exists();
    let kind = if is_release || !has_debug_page { "release" } else { "debug" };
    println!("cargo::rustc-env=MUSTER_SITE={}", sites.join(kind).display());
}
