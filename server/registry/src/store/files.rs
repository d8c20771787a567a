//! The files of a SQLite database: only their owner may read them, and a new file appears only when it is complete.

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

/// The database file, and the two that SQLite keeps beside it while it is open.
const SUFFIXES: [&str; 3] = ["", "-wal", "-shm"];

/// The permissions of users other than the owner.
#[cfg(unix)]
const OF_OTHERS: u32 = 0o077;

/// Creates a folder and its missing parents for their owner only. If the folder exists, removes the permissions of
/// other users. If that is impossible, the log says what to do.
///
/// # Errors
/// The system's error if the folder cannot be created.
pub fn create_private_folder(folder: &Path) -> io::Result<()> {
    create_folder(folder)?;
    tighten(folder);
    Ok(())
}

pub(crate) fn create_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// The folder that a file is in.
pub(crate) fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Removes the permissions of other users for a database's files.
pub(crate) fn tighten_database(file: &Path) {
    for path in SUFFIXES.map(|suffix| with_suffix(file, suffix)) {
        if path.exists() {
            tighten(&path);
        }
    }
}

#[cfg(unix)]
fn tighten(path: &Path) {
    use std::os::unix::fs::PermissionsExt;

    // A folder that everybody may write to, such as /tmp, is also used by others.
    const STICKY: u32 = 0o1000;

    let Ok(metadata) = path.metadata() else { return };
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & OF_OTHERS == 0 {
        return;
    }
    let changed = if mode & STICKY == 0 {
        fs::set_permissions(path, fs::Permissions::from_mode(mode & !OF_OTHERS)).map_err(|error| error.to_string())
    } else {
        Err("it is a folder for everybody. Use a folder of its own".to_owned())
    };
    let shown = path.display().to_string();
    match changed {
        Ok(()) => tracing::info!(
            path = shown,
            before = format!("{mode:04o}"),
            now = format!("{:04o}", mode & !OF_OTHERS),
            "other users of this machine could reach this path: now its owner alone can"
        ),
        Err(error) => tracing::warn!(
            path = shown,
            mode = format!("{mode:04o}"),
            error,
            "other users of this machine can reach this path, and that cannot be changed. Its owner can: chmod go= PATH"
        ),
    }
}

#[cfg(not(unix))]
fn tighten(_: &Path) {}

pub(crate) fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

/// Whether a file exists and is not empty.
pub(crate) fn has_content(file: &Path) -> bool {
    file.metadata().is_ok_and(|metadata| metadata.len() > 0)
}

/// A file that is being written under a temporary name, in the folder of its final name. It is removed when this is
/// dropped.
pub(crate) struct Draft {
    path: PathBuf,
}

impl Draft {
    /// An empty file that only its owner may read. `unique` is part of its name.
    pub(crate) fn create(file: &Path, unique: &str) -> io::Result<Self> {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let path = folder_of(file).join(format!(".{name}.{unique}.new"));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&path)?;
        Ok(Self { path })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives it its final name, once it is durable. Never replaces a file: if there is one, the error is
    /// [`AlreadyExists`](io::ErrorKind::AlreadyExists).
    pub(crate) fn publish(self, file: &Path) -> io::Result<()> {
        File::open(&self.path)?.sync_all()?;
        match fs::hard_link(&self.path, file) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(error),
            // Some file systems have no links. On these, a file of this name that is created at this moment would be
            // replaced.
            Err(_) if !file.exists() => fs::rename(&self.path, file)?,
            Err(error) => return Err(error),
        }
        // Without this, a power loss may lose the name, though not the content. Some systems cannot sync a folder.
        let _ = File::open(folder_of(file)).and_then(|folder| folder.sync_all());
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        for path in SUFFIXES.into_iter().chain(["-journal"]).map(|suffix| with_suffix(&self.path, suffix)) {
            // Most of them do not exist.
            let _ = fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test says what it expects")]
    use super::*;

    #[test]
    fn draft_never_replaces_a_file_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("muster.db");
        for (at, expected) in [Ok(()), Err(io::ErrorKind::AlreadyExists)].into_iter().enumerate() {
            let draft = Draft::create(&file, "1").unwrap();
            fs::write(draft.path(), at.to_string()).unwrap();
            assert_eq!(draft.publish(&file).map_err(|error| error.kind()), expected);
            assert_eq!(fs::read(&file).unwrap(), b"0");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        }
    }

    #[cfg(unix)]
    #[test]
    fn other_users_lose_access_and_the_owner_keeps_it() {
        use std::os::unix::fs::PermissionsExt;
        let check = |before: u32, expected: u32| {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("data");
            fs::create_dir(&path).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(before)).unwrap();
            create_private_folder(&path).unwrap();
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o7777, expected, "{before:o}");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        };
        check(0o755, 0o700);
        check(0o777, 0o700);
        check(0o500, 0o500);
        check(0o550, 0o500);
        check(0o2770, 0o2700);
        check(0o700, 0o700);
        check(0o1777, 0o1777);
    }
}
