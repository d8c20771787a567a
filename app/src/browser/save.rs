//! Saving what the page gathered as a file.

use super::disk::Disk;
use crate::when::count;
use js_sys::{Array, Uint8Array};
use leptos::prelude::*;
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Blob, BlobPropertyBag, HtmlAnchorElement, Url};

/// How long a saved file's address stays good; browsers begin a download within milliseconds.
const KEPT_MS: u64 = 60_000;

/// How many rows lie on the disk at most before they are put into the file for good.
const COMMIT_ROWS: u64 = 100_000;

/// Said where the browser takes no more.
const NO_MEMORY: &str = "The browser ran out of memory. Close other tabs, then try again.";

/// Rows for a file, gathered as they arrive. They are handed to the browser at once, which may keep them on its disk,
/// and so never lie in the WASM memory; or they are written to a file that the person chose.
#[derive(Clone)]
pub(crate) struct Gathered {
    header: &'static str,
    /// Those that are in no file yet.
    kept: Rc<RefCell<Array>>,
    rows: Rc<Cell<Rows>>,
    /// The file; `None`: there is none, or it could not be written any further.
    disk: Rc<RefCell<Option<Disk>>>,
}

/// How many rows are where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rows {
    /// In the file that the person chose, for good.
    pub(crate) written: u64,
    /// Not there, or not for good.
    pub(crate) kept: u64,
    /// The file could not be written any further: what is kept is to be saved.
    pub(crate) is_cut: bool,
}

impl Gathered {
    pub(crate) fn new(header: &'static str) -> Self {
        Self { header, kept: Rc::new(RefCell::new(Array::new())), rows: Rc::default(), disk: Rc::default() }
    }

    /// Goes to a file, which the person chooses now.
    ///
    /// # Errors
    /// A sentence; see [`Disk::choose`].
    pub(crate) async fn to_disk(name: &str, header: &'static str) -> Result<Self, String> {
        let disk = Disk::choose(name, header).await?;
        let gathered = Self::new(header);
        *gathered.disk.borrow_mut() = Some(disk);
        Ok(gathered)
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

    /// Adds so many rows at the end. A file that cannot be written is no failure: they are kept.
    ///
    /// # Errors
    /// A sentence, where the browser does not take them.
    pub(crate) async fn push(&self, bytes: &[u8], rows: u64) -> Result<(), String> {
        if bytes.is_empty() {
            return Ok(());
        }
        let blob = Blob::new_with_u8_array_sequence(&Array::of1(&Uint8Array::from(bytes)));
        let blob = blob.map_err(|_| NO_MEMORY.to_owned())?;
        // They are kept until they are in the file for good.
        self.kept.borrow().push(&blob);
        self.count(|now| now.kept += rows);
        let disk = self.disk.borrow().clone();
        if let Some(disk) = disk {
            if disk.write(&blob).await.is_err() {
                self.cut();
            } else if self.rows().kept >= COMMIT_ROWS {
                self.commit().await;
            }
        }
        Ok(())
    }

    /// Puts what came into the file for good, where there is one.
    pub(crate) async fn commit(&self) {
        let disk = self.disk.borrow().clone();
        let (Some(disk), kept) = (disk, self.rows().kept) else { return };
        if disk.commit().await.is_err() {
            self.cut();
        } else {
            *self.kept.borrow_mut() = Array::new();
            self.count(|now| (now.written, now.kept) = (now.written + kept, 0));
        }
    }

    fn cut(&self) {
        self.disk.borrow_mut().take();
        self.count(|now| now.is_cut = true);
    }

    fn count(&self, change: impl FnOnce(&mut Rows)) {
        let mut rows = self.rows.get();
        change(&mut rows);
        self.rows.set(rows);
    }

    /// Saves those that are in no file.
    ///
    /// # Errors
    /// A sentence, where the browser does not do it.
    pub(crate) fn save(&self, name: &str) -> Result<(), String> {
        let pieces = Array::of1(&self.header.into());
        self.kept.borrow().for_each(&mut |piece, _, _| {
            pieces.push(&piece);
        });
        download(name, &pieces).map_err(|_| NO_MEMORY.to_owned())
    }
}

/// What to say beside a file in which a spreadsheet would change so many device names, if it would change any.
pub(crate) fn spreadsheet_note(names: u64) -> Option<String> {
    let names = (names > 0).then(|| count(names, "device name", "device names"))?;
    Some(format!(
        "A spreadsheet would change {names} in this file, such as by dropping leading zeros. To edit it in one, import the column Device name as text."
    ))
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
        std::time::Duration::from_millis(KEPT_MS),
    );
    Ok(())
}
