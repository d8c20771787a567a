//! Saving what the page made as a file.

use js_sys::{Array, Uint8Array};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Blob, BlobPropertyBag, HtmlAnchorElement, Url};

/// How long a saved file's address stays good; browsers begin a download within milliseconds.
const KEPT_MS: u64 = 60_000;

/// Saves these bytes, one after another, as a CSV file of that name.
pub(crate) fn bytes(name: &str, pieces: &[&[u8]]) {
    let array = Array::new();
    for piece in pieces {
        array.push(&Uint8Array::from(*piece));
    }
    blobs(name, &array);
}

/// Saves an array of byte arrays and blobs as a CSV file of that name.
pub(crate) fn blobs(name: &str, pieces: &Array) {
    let options = BlobPropertyBag::new();
    options.set_type("text/csv;charset=utf-8");
    let made = Blob::new_with_u8_array_sequence_and_options(pieces, &options)
        .and_then(|blob| Url::create_object_url_with_blob(&blob))
        .and_then(|url| Ok((document().create_element("a")?.unchecked_into::<HtmlAnchorElement>(), url)));
    let Ok((link, url)) = made else { return };
    link.set_href(&url);
    link.set_download(name);
    link.click();
    set_timeout(
        move || {
            let _ = Url::revoke_object_url(&url);
        },
        std::time::Duration::from_millis(KEPT_MS),
    );
}

/// Bytes for a file, gathered as they arrive. They are handed to the browser at once, which may keep them on
/// its disk, and so never lie in the WASM memory.
#[derive(Clone)]
pub(crate) struct Gathered(Array);

impl Gathered {
    /// Begins with these bytes: the header.
    pub(crate) fn new(header: &str) -> Self {
        let gathered = Self(Array::new());
        gathered.push(header.as_bytes());
        gathered
    }

    /// Adds bytes at the end.
    pub(crate) fn push(&self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        if let Ok(blob) = Blob::new_with_u8_array_sequence(&Array::of1(&Uint8Array::from(bytes))) {
            self.0.push(&blob);
        }
    }

    /// Saves them.
    pub(crate) fn save(&self, name: &str) {
        blobs(name, &self.0);
    }
}
