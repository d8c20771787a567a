//! Says which page goes into the binary, and makes its folder if the page was never built.
//!
//! `scripts/build-web` writes a hash of the page beside the folder. The binary includes it, and so is compiled again when the
//! page has changed; the library, which takes a minute, is not.
use std::{env, fs, path::Path};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // `make dev` embeds the page that was built for debugging.
    println!("cargo::rerun-if-env-changed=MUSTER_PAGE");
    let page = env::var("MUSTER_PAGE").unwrap_or_else(|_| "release".to_owned());
    let package = env::var_os("CARGO_MANIFEST_DIR").expect("cargo says in which folder the package is");
    let site = Path::new(&package).join("../target/site").join(&page);
    let hash = site.with_extension("hash");
    let made = fs::create_dir_all(&site).and_then(|()| if hash.exists() { Ok(()) } else { fs::write(&hash, "") });
    if let Err(error) = made {
        println!("cargo::error={} cannot be made: {error}", site.display());
    }
    // Not the path: cargo does not ask again when the folder of the project has moved.
    println!("cargo::rustc-env=MUSTER_PAGE={page}");
}
