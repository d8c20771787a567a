//! Says where the page is that goes into the binary, and makes that folder where the page was never built.
//!
//! `scripts/build-web` writes a hash of the page beside the folder. The binary includes it, and so is compiled again when the
//! page has changed; the library, which takes a minute, is not.
use std::{env, fs, path::Path};

fn main() {
    // Asked now, not when this was compiled: the folder may have moved since.
    let folder = env::var_os("CARGO_MANIFEST_DIR").expect("cargo says in which folder the package is");
    let sites = Path::new(&folder).join("../target/site");
    println!("cargo::rerun-if-changed=build.rs");
    // `make dev` embeds the page that was built for debugging.
    println!("cargo::rerun-if-env-changed=MUSTER_PAGE");
    let site = sites.join(env::var("MUSTER_PAGE").as_deref().unwrap_or("release"));
    let hash = site.with_extension("hash");
    let made = fs::create_dir_all(&site).and_then(|()| if hash.exists() { Ok(()) } else { fs::write(&hash, "") });
    if let Err(error) = made {
        println!("cargo::error={} cannot be made: {error}", site.display());
    }
    println!("cargo::rustc-env=MUSTER_SITE={}", site.display());
}
