//! What only a browser has: files, downloads, dialogs, workers. Nothing of it runs on the server.

pub(crate) mod calls;
pub(crate) mod check;
pub(crate) mod checked_file;
pub(crate) mod clock;
pub(crate) mod disk;
pub(crate) mod file;
pub(crate) mod leaving;
pub(crate) mod random;
pub(crate) mod refresh;
pub(crate) mod save;
pub(crate) mod upload;
