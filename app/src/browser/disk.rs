//! A file of the person's choice that is written while its rows come (File System Access API).

use js_sys::{Array, Function, Object, Promise, Reflect};
use leptos::prelude::*;
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, DomException, FileSystemCreateWritableOptions, FileSystemFileHandle, FileSystemWritableFileStream,
};

const PICKER: &str = "showSaveFilePicker";

/// Whether this browser lets a page write to a file that a person chooses.
pub(crate) fn is_supported() -> bool {
    Reflect::has(&window(), &PICKER.into()).unwrap_or(false)
}

/// A file that was chosen. Bytes written to it are durable after the next `commit`.
#[derive(Clone)]
pub(crate) struct Disk {
    handle: FileSystemFileHandle,
    /// The stream of the bytes written since the last commit.
    open: Rc<RefCell<Option<FileSystemWritableFileStream>>>,
    /// How long the file was after the last commit.
    bytes: Rc<Cell<f64>>,
    written: Rc<Cell<f64>>,
}

impl Disk {
    /// Asks the person for a file, and writes these bytes to its start. Browsers allow this only in response to a click.
    ///
    /// # Errors
    /// A sentence, if none was chosen, or it cannot be written to.
    pub(crate) async fn choose(name: &str, begin: &str) -> Result<Self, String> {
        let handle =
            pick(name).await.map_err(|error| match error.dyn_ref::<DomException>().map(DomException::name) {
                Some(name) if name == "AbortError" => "No file was chosen. Nothing was started.".to_owned(),
                _ => "The browser doesn't allow the page to write to that file. Choose another one.".to_owned(),
            })?;
        let disk =
            Self { handle: handle.unchecked_into(), open: Rc::default(), bytes: Rc::default(), written: Rc::default() };
        disk.begin(begin).await.map_err(|_| "That file can't be written to. Choose another one.".to_owned())?;
        Ok(disk)
    }

    async fn begin(&self, begin: &str) -> Result<(), JsValue> {
        self.write(&Blob::new_with_str_sequence(&Array::of1(&begin.into()))?).await?;
        self.commit().await
    }

    /// Writes at the end, and waits until the browser has taken it.
    pub(crate) async fn write(&self, bytes: &Blob) -> Result<(), JsValue> {
        let open = self.open.borrow().clone();
        let stream = match open {
            Some(stream) => stream,
            None => self.reopen().await?,
        };
        JsFuture::from(stream.write_with_blob(bytes)?).await?;
        self.written.set(self.written.get() + bytes.size());
        Ok(())
    }

    async fn reopen(&self) -> Result<FileSystemWritableFileStream, JsValue> {
        let length = self.bytes.get();
        let options = FileSystemCreateWritableOptions::new();
        options.set_keep_existing_data(length > 0.0);
        let stream = JsFuture::from(self.handle.create_writable_with_options(&options)).await?;
        let stream: FileSystemWritableFileStream = stream.unchecked_into();
        if length > 0.0 {
            JsFuture::from(stream.seek_with_f64(length)?).await?;
        }
        *self.open.borrow_mut() = Some(stream.clone());
        Ok(stream)
    }

    /// Moves the written bytes into the file. Until then, they are lost if the tab crashes.
    pub(crate) async fn commit(&self) -> Result<(), JsValue> {
        let open = self.open.borrow_mut().take();
        if let Some(stream) = open {
            JsFuture::from(stream.close()).await?;
        }
        self.bytes.set(self.written.get());
        Ok(())
    }
}

async fn pick(name: &str) -> Result<JsValue, JsValue> {
    let accepts = Object::new();
    Reflect::set(&accepts, &"text/csv".into(), &Array::of1(&".csv".into()))?;
    let kind = Object::new();
    Reflect::set(&kind, &"accept".into(), &accepts)?;
    let options = Object::new();
    Reflect::set(&options, &"suggestedName".into(), &name.into())?;
    Reflect::set(&options, &"types".into(), &Array::of1(&kind))?;
    let picker: Function = Reflect::get(&window(), &PICKER.into())?.dyn_into()?;
    let picked: Promise = picker.call1(&window(), &options)?.dyn_into()?;
    JsFuture::from(picked).await
}
