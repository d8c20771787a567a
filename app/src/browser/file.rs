//! Files that a person chose or dropped.

use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, DomException, DragEvent, File, HtmlInputElement};

/// The one file that was dropped.
///
/// # Errors
/// A sentence, for a folder, for several files, and for what is no file.
pub(crate) fn dropped(event: &DragEvent) -> Result<File, String> {
    let Some(data) = event.data_transfer() else { return Err("Nothing was dropped.".to_owned()) };
    let items = data.items();
    for index in 0..items.length() {
        let entry = items.get(index).and_then(|item| item.webkit_get_as_entry().ok().flatten());
        if entry.is_some_and(|entry| entry.is_directory()) {
            return Err("That is a folder. Drop one registration file.".to_owned());
        }
    }
    let files = data.files();
    match files.as_ref().map_or(0, web_sys::FileList::length) {
        0 => Err("That is not a file. Drop one registration file.".to_owned()),
        1 => files.and_then(|files| files.get(0)).ok_or_else(|| "The file could not be opened. Use Browse.".to_owned()),
        several => Err(format!("{several} files were dropped. Drop one registration file at a time.")),
    }
}

/// The file that was chosen with a file input, which is emptied so that the same file can be chosen again.
pub(crate) fn chosen(input: &HtmlInputElement) -> Option<File> {
    let file = input.files().and_then(|files| files.get(0));
    input.set_value("");
    file
}

/// The bytes of a file from `start` to `end`.
///
/// # Errors
/// A sentence, where the file cannot be read: it was changed, moved or removed.
pub(crate) async fn bytes(file: &File, start: f64, end: f64) -> Result<Vec<u8>, String> {
    let slice = file.slice_with_f64_and_f64(start, end).map_err(|error| unreadable(&error))?;
    read(&slice).await
}

/// All bytes of a small file.
///
/// # Errors
/// As [`bytes`].
pub(crate) async fn all_bytes(file: &File) -> Result<Vec<u8>, String> {
    read(file).await
}

async fn read(blob: &Blob) -> Result<Vec<u8>, String> {
    Ok(buffer(blob).await?.to_vec())
}

/// All bytes of a file, outside the WASM memory.
///
/// # Errors
/// As [`bytes`].
pub(crate) async fn buffer(blob: &Blob) -> Result<js_sys::Uint8Array, String> {
    let buffer = JsFuture::from(blob.array_buffer()).await.map_err(|error| unreadable(&error))?;
    Ok(js_sys::Uint8Array::new(&buffer))
}

/// The sentence for a file that the browser could not read.
pub(crate) fn unreadable(error: &JsValue) -> String {
    unreadable_named(&error.dyn_ref::<DomException>().map(DomException::name).unwrap_or_default())
}

/// The same, for a `DOMException` of this name.
pub(crate) fn unreadable_named(name: &str) -> String {
    match name {
        "NotReadableError" | "NotFoundError" => {
            "The file was changed, moved or removed while it was being read. Choose it again.".to_owned()
        }
        "NotAllowedError" | "SecurityError" => {
            "The browser may not read this file. Copy it elsewhere and choose the copy.".to_owned()
        }
        _ => "The file could not be read. Choose it again.".to_owned(),
    }
}

/// True while a dragged thing is over the page and holds files.
pub(crate) fn holds_files(event: &DragEvent) -> bool {
    event
        .data_transfer()
        .is_some_and(|data| data.types().iter().any(|kind| kind.as_string().as_deref() == Some("Files")))
}
