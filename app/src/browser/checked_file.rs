//! The file that was checked, while it is uploaded: what its bytes were, and whether they still are.

use super::file;
use js_sys::Uint8Array;
use leptos::task::spawn_local;
use muster_domain::PartRange;
use std::{cell::RefCell, rc::Rc};
use web_sys::File;

/// The largest file that is copied: some 350,000 rows. Of a larger one, `errors.csv` has the lines only if it changes.
const MAX_COPY_BYTES: f64 = 32.0 * 1024.0 * 1024.0;

/// Also for a file without a copy whose rows are not those that were checked.
pub(crate) const CHANGED: &str = "The file changed after it was checked. Choose it again.";
const UNREADABLE: &str = "The file was changed, moved or removed after it was checked. Choose it again.";

/// A copy of a file in memory, made while the file is checked: browsers notice a change on the disk late or not at all
/// (Chromium compares seconds, Firefox nothing), and then cannot say what was there before.
#[derive(Clone, Default)]
pub(crate) struct FileCopy(Rc<RefCell<Option<Uint8Array>>>);

impl FileCopy {
    /// Begins to copy a file, unless it is large.
    pub(crate) fn begin(file: &File) -> Self {
        let copy = Self::default();
        if file.size() <= MAX_COPY_BYTES {
            let (file, bytes) = (file.clone(), copy.0.clone());
            spawn_local(async move {
                // A file that cannot be read fails its check, too.
                *bytes.borrow_mut() = file::buffer(&file).await.ok();
            });
        }
        copy
    }

    /// Its bytes from `start` to `end`, if it is there and has as many.
    fn bytes(&self, start: u64, end: u64) -> Option<Vec<u8>> {
        let copy = self.0.borrow();
        let copy = copy.as_ref().filter(|copy| end <= u64::from(copy.length()))?;
        Some(copy.subarray(start as u32, end as u32).to_vec())
    }
}

/// A file that the check found clean.
pub(crate) struct CheckedFile {
    pub(crate) file: File,
    pub(crate) copy: FileCopy,
}

impl CheckedFile {
    /// The bytes of a part.
    ///
    /// # Errors
    /// A sentence, if they are known to have changed, or cannot be read.
    pub(crate) async fn read(&self, range: PartRange) -> Result<Vec<u8>, String> {
        let bytes = file::bytes(&self.file, range.start as f64, range.end as f64).await;
        let bytes = bytes.map_err(|_| UNREADABLE.to_owned())?;
        let is_same = self.copy.bytes(range.start, range.end).is_none_or(|copy| copy == bytes);
        if is_same { Ok(bytes) } else { Err(CHANGED.to_owned()) }
    }

    /// The bytes of a part when it was checked; without a copy, those that the file has now.
    pub(crate) async fn read_as_checked(&self, range: PartRange) -> Option<Vec<u8>> {
        match self.copy.bytes(range.start, range.end) {
            Some(copy) => Some(copy),
            None => file::bytes(&self.file, range.start as f64, range.end as f64).await.ok(),
        }
    }
}
