//! Sees to it that a new migration is embedded: the macro that embeds them does not tell cargo by itself.
fn main() {
    println!("cargo::rerun-if-changed=migrations");
}
