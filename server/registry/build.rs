//! Lists the SQL files below `migrations`, so that a new one is embedded by being put there: `src/store/schema.rs` includes
//! the list. sqlx's own macro does the same, but needs sqlx, tokio and SQLite to be built a second time for the host.
use std::{
    collections::BTreeMap,
    env,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::exit,
};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=migrations");
    let package = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo says in which folder the package is"));
    let migrations = package.join("migrations");
    let (sqlite, postgres) = (files(&migrations.join("sqlite")), files(&migrations.join("postgres")));
    let names = |files: &BTreeMap<i64, (String, PathBuf)>| -> Vec<(i64, String)> {
        files.iter().map(|(version, (name, _))| (*version, name.clone())).collect()
    };
    if names(&sqlite) != names(&postgres) {
        fail("migrations/sqlite and migrations/postgres must have files of the same names");
    }
    let list = format!("{}{}", constant("SQLITE", &sqlite), constant("POSTGRES", &postgres));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo says where to write")).join("migrations.rs");
    fs::write(out, list).expect("the list of migrations can be written");
}

/// The files `NUMBER_NAME.sql` of a folder: their names and paths, by number.
fn files(folder: &Path) -> BTreeMap<i64, (String, PathBuf)> {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| fail(&format!("{} cannot be read: {error}", folder.display())));
    let mut files = BTreeMap::new();
    for path in entries.map(|entry| entry.expect("the folder can be read").path()) {
        let file = path.file_name().and_then(|file| file.to_str()).unwrap_or_default().to_owned();
        let parts = file.strip_suffix(".sql").and_then(|file| file.split_once('_'));
        let (version, name) = parts
            .and_then(|(number, name)| Some((number.parse().ok()?, name.replace('_', " "))))
            .unwrap_or_else(|| fail(&format!("{} must be called NUMBER_NAME.sql", path.display())));
        if let Some((other, _)) = files.insert(version, (name, path)) {
            fail(&format!("{file} has the number of another migration, which is called {other}"));
        }
    }
    files
}

fn fail(sentence: &str) -> ! {
    println!("cargo::error={sentence}");
    exit(1)
}

fn constant(name: &str, files: &BTreeMap<i64, (String, PathBuf)>) -> String {
    let mut text = format!("pub(crate) const {name}: &[Embedded] = &[\n");
    for (version, (name, path)) in files {
        writeln!(text, "    ({version}, {name:?}, include_str!({:?})),", path.display().to_string())
            .expect("a String can be written to");
    }
    text + "];\n"
}
