//! Sees to it that the folder of web assets exists, so that the server compiles before the page was ever built,
//! and that a change of the page makes the server embed it again.
fn main() {
    println!("cargo::rerun-if-changed=../target/site");
    println!("cargo::rerun-if-changed=build.rs");
    if let Err(error) = std::fs::create_dir_all("../target/site") {
        println!("cargo::error=target/site cannot be made: {error}");
    }
}
