//! `scripts/sbom.mjs`, which writes the SBOM beside a release: whether it has every crate that is linked, and no other.
#![expect(clippy::unwrap_used, reason = "a test says what it expects")]

use serde_json::Value;
use std::{collections::BTreeSet, fs, path::Path, process::Command};

/// The folder of the workspace.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn written() -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("muster.cdx.json");
    let status = Command::new("node").arg("scripts/sbom.mjs").arg(&file).current_dir(root()).status().unwrap();
    assert!(status.success());
    fs::read_to_string(file).unwrap()
}

/// Names and versions of the crates that a build with these arguments links.
fn linked(args: &[&str]) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--edges", "normal", "--prefix", "none", "--format", "{p}"])
        .args(args)
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    tree.lines().map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap()
}

#[test]
fn sbom_has_the_linked_crates_and_no_others() {
    let bom: Value = serde_json::from_str(&written()).unwrap();
    let components = || list(&bom["components"]).iter().chain([&bom["metadata"]["component"]]);
    let found: BTreeSet<_> = components().map(|it| format!("{} v{}", text(it, "name"), text(it, "version"))).collect();
    let wasm = ["--target", "wasm32-unknown-unknown"];
    let mut expected = linked(&["--package", "muster"]);
    expected.extend(linked(&[&["--package", "muster-app", "--features", "hydrate"], &wasm[..]].concat()));
    expected.extend(linked(&[&["--package", "muster-check"], &wasm[..]].concat()));
    assert_eq!(found, expected);
    assert_eq!(components().count(), found.len(), "no component is listed twice");
    assert!(found.iter().any(|name| name.starts_with("libsqlite3-sys ")), "the server's");
    assert!(found.iter().any(|name| name.starts_with("web-sys ")), "the page's");
    assert!(!found.iter().any(|name| name.starts_with("proptest ")), "only the tests'");
}

#[test]
fn sbom_names_the_source_and_licence_of_each_crate() {
    let bom: Value = serde_json::from_str(&written()).unwrap();
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let ours = ["muster-app", "muster-check", "muster-client", "muster-domain", "muster-registry"];
    for component in list(&bom["components"]) {
        let (name, version) = (text(component, "name"), text(component, "version"));
        assert_eq!(text(component, "purl"), format!("pkg:cargo/{name}@{}", version.replace('+', "%2B")));
        let licence = text(&component["licenses"][0], "expression");
        assert!(!licence.is_empty() && !licence.contains('/'), "{name}: {licence}");
        if ours.contains(&name) {
            continue;
        }
        let checksum = text(&component["hashes"][0], "content");
        let entry = format!(
            "name = \"{name}\"\nversion = \"{version}\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"{checksum}\"\n"
        );
        assert!(lock.contains(&entry), "{entry}");
    }
}

#[test]
fn sbom_has_the_graph_from_the_binary_to_every_crate() {
    let bom: Value = serde_json::from_str(&written()).unwrap();
    let mut reached = BTreeSet::new();
    let mut open = vec![text(&bom["metadata"]["component"], "bom-ref")];
    while let Some(reference) = open.pop() {
        if reached.insert(reference) {
            let node = list(&bom["dependencies"]).iter().find(|node| node["ref"] == reference).unwrap();
            open.extend(list(&node["dependsOn"]).iter().map(|it| it.as_str().unwrap()));
        }
    }
    let components = list(&bom["components"]).iter().map(|it| text(it, "bom-ref")).collect::<BTreeSet<_>>();
    assert!(reached.is_superset(&components), "{:?}", components.difference(&reached));
    assert_eq!(reached.len(), components.len() + 1, "beside them, only the binary");
}

#[test]
fn sbom_of_the_same_sources_is_the_same() {
    assert_eq!(written(), written());
}
