//! Rows that the page collects, and saves as a file.

use super::disk::Disk;
use crate::format::count;
use js_sys::{Array, Uint8Array};
use leptos::prelude::*;
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Blob, BlobPropertyBag, HtmlAnchorElement, Url};

/// How long the URL of a download stays valid; browsers begin a download within milliseconds.
const URL_VALID_MS: u64 = 60_000;

/// How many rows are written before they are committed to the file.
const COMMIT_ROWS: u64 = 100_000;

/// Shown if the browser takes no more bytes.
const NO_MEMORY: &str = "The browser ran out of memory. Close other tabs, then try again.";

/// Rows for a file, collected as they arrive. They are outside the WASM memory: in Blobs, which the browser may move to its
/// disk, or in a file that the person chose.
#[derive(Clone)]
pub(crate) struct CollectedRows {
    header: &'static str,
    /// The rows that are in no file yet.
    unsaved: Rc<RefCell<Array>>,
    rows: Rc<Cell<Rows>>,
    /// The file; `None` if there is none, or if a write to it failed.
    disk: Rc<RefCell<Option<Disk>>>,
}

/// How many rows are in the file, and how many are not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rows {
    /// Committed to the file that the person chose.
    pub(crate) written: u64,
    /// The others.
    pub(crate) unsaved: u64,
    /// Whether a write to the file failed. The unsaved rows have to be saved to another.
    pub(crate) is_incomplete: bool,
}

impl CollectedRows {
    pub(crate) fn new(header: &'static str) -> Self {
        Self { header, unsaved: Rc::new(RefCell::new(Array::new())), rows: Rc::default(), disk: Rc::default() }
    }

    /// Collects into a file, which the person chooses now.
    ///
    /// # Errors
    /// A sentence; see [`Disk::choose`].
    pub(crate) async fn to_disk(name: &str, header: &'static str) -> Result<Self, String> {
        let disk = Disk::choose(name, header).await?;
        let collected = Self::new(header);
        *collected.disk.borrow_mut() = Some(disk);
        Ok(collected)
    }

    /// Whether every row so far goes to a file.
    pub(crate) fn is_on_disk(&self) -> bool {
        self.disk.borrow().is_some()
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.rows, &other.rows)
    }

    pub(crate) fn rows(&self) -> Rows {
        self.rows.get()
    }

    /// Adds rows at the end. If the file cannot be written, they stay in memory, and that is no error.
    ///
    /// # Errors
    /// A sentence, if the browser does not take them.
    pub(crate) async fn push(&self, bytes: &[u8], rows: u64) -> Result<(), String> {
        if bytes.is_empty() {
            return Ok(());
        }
        let blob = Blob::new_with_u8_array_sequence(&Array::of1(&Uint8Array::from(bytes)));
        let blob = blob.map_err(|_| NO_MEMORY.to_owned())?;
        // In memory, too, until they are committed to the file.
        self.unsaved.borrow().push(&blob);
        self.count(|now| now.unsaved += rows);
        let disk = self.disk.borrow().clone();
        if let Some(disk) = disk {
            if disk.write(&blob).await.is_err() {
                self.give_up_file();
            } else if self.rows().unsaved >= COMMIT_ROWS {
                self.commit().await;
            }
        }
        Ok(())
    }

    /// Commits the rows to the file, if there is one.
    pub(crate) async fn commit(&self) {
        let disk = self.disk.borrow().clone();
        let (Some(disk), unsaved) = (disk, self.rows().unsaved) else { return };
        if disk.commit().await.is_err() {
            self.give_up_file();
        } else {
            *self.unsaved.borrow_mut() = Array::new();
            self.count(|now| (now.written, now.unsaved) = (now.written + unsaved, 0));
        }
    }

    fn give_up_file(&self) {
        self.disk.borrow_mut().take();
        self.count(|now| now.is_incomplete = true);
    }

    fn count(&self, change: impl FnOnce(&mut Rows)) {
        let mut rows = self.rows.get();
        change(&mut rows);
        self.rows.set(rows);
    }

    /// Downloads the rows that are in no file.
    ///
    /// # Errors
    /// A sentence, if the browser refuses.
    pub(crate) fn save(&self, name: &str) -> Result<(), String> {
        let pieces = Array::of1(&self.header.into());
        self.unsaved.borrow().for_each(&mut |piece, _, _| {
            pieces.push(&piece);
        });
        download(name, &pieces).map_err(|_| NO_MEMORY.to_owned())
    }
}

/// The note about a file with this many device names that a spreadsheet would change; `None` if there are none.
pub(crate) fn spreadsheet_note(names: u64) -> Option<String> {
    let names = (names > 0).then(|| count(names, "device name", "device names"))?;
    Some(format!(
        "A spreadsheet would change {names} in this file, such as by dropping leading zeros. To edit it in one, import the column Device name as text."
    ))
}

/// Downloads a file that is complete.
///
/// # Errors
/// A sentence, if the browser refuses.
pub(crate) fn save_whole(name: &str, content: &Uint8Array) -> Result<(), String> {
    download(name, &Array::of1(content)).map_err(|_| NO_MEMORY.to_owned())
}

/// Downloads a file of these pieces.
fn download(name: &str, pieces: &Array) -> Result<(), JsValue> {
    let options = BlobPropertyBag::new();
    options.set_type("text/csv;charset=utf-8");
    let blob = Blob::new_with_blob_sequence_and_options(pieces, &options)?;
    let link: HtmlAnchorElement = document().create_element("a")?.unchecked_into();
    let url = Url::create_object_url_with_blob(&blob)?;
    link.set_href(&url);
    link.set_download(name);
    link.click();
    set_timeout(
        move || {
            let _ = Url::revoke_object_url(&url);
        },
        std::time::Duration::from_millis(URL_VALID_MS),
    );
    Ok(())
}
