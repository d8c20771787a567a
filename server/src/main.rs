//! The program, with the page inside it.

use rust_embed::RustEmbed;
use std::process::ExitCode;

#[derive(RustEmbed)]
#[folder = "../target/site/$MUSTER_PAGE"]
struct Files;

/// Changes with the page, so that the page is embedded again. See `build.rs`.
const _: &str = include_str!(concat!("../../target/site/", env!("MUSTER_PAGE"), ".hash"));

/// With it, a page under load takes a third less time than with the allocator of glibc (`bench/server.mjs`, 16 clients).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    muster::main(muster::Site { names: || Files::iter().collect(), get: Files::get })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test says what it expects")]
    use super::*;
    use std::borrow::Cow;

    /// In every build: the folder is not read while the server runs.
    #[test]
    fn files_are_not_copied() {
        for name in Files::iter() {
            assert!(matches!(Files::get(&name).unwrap().data, Cow::Borrowed(_)), "{name}");
        }
    }
}
