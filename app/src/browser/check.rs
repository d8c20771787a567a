//! The check of a registration file, off the main thread, in a Web Worker that runs this same WASM module.

use leptos::prelude::*;
use muster_domain::{ReadOptions, Report};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{File, MessageEvent, Worker, WorkerOptions, WorkerType};

/// A worker that has the WASM module, and waits for a file. Dropping it stops the worker.
pub(crate) struct PreparedCheck {
    worker: Worker,
    /// It never began: its script did not come, say.
    is_broken: Rc<Cell<bool>>,
    _on_error: Closure<dyn FnMut(JsValue)>,
}

impl Drop for PreparedCheck {
    fn drop(&mut self) {
        // What it has said already may still be on its way.
        self.worker.set_onmessage(None);
        self.worker.set_onerror(None);
        self.worker.terminate();
    }
}

/// A check under way. Dropping it stops the worker.
pub(crate) struct RunningCheck {
    // Dropped first: then nothing calls the others any more.
    _prepared: PreparedCheck,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_error: Closure<dyn FnMut(JsValue)>,
}

/// What a worker says while it checks.
pub(crate) enum Told {
    /// So many bytes of the file are read.
    Read(f64),
    /// The check is done.
    Report(Box<Report>),
    /// The file could not be read to its end; a sentence.
    Failed(String),
}

/// Prepares a check while a person still looks for the file: to begin takes as long as a tenth of a million rows.
///
/// # Errors
/// A sentence, where the browser does not start a worker.
pub(crate) fn prepare() -> Result<PreparedCheck, String> {
    let options = WorkerOptions::new();
    options.set_type(WorkerType::Module);
    let worker = Worker::new_with_options(&worker_url(), &options).map_err(broken)?;
    let is_broken = Rc::new(Cell::new(false));
    let on_error = {
        let is_broken = is_broken.clone();
        Closure::new(move |_: JsValue| is_broken.set(true))
    };
    worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
    let prepared = PreparedCheck { worker, is_broken, _on_error: on_error };
    post(&prepared.worker, &[("module", &wasm_bindgen::module())])?;
    Ok(prepared)
}

fn post(worker: &Worker, fields: &[(&str, &JsValue)]) -> Result<(), String> {
    let message = js_sys::Object::new();
    for (name, value) in fields {
        js_sys::Reflect::set(&message, &(*name).into(), value).map_err(broken)?;
    }
    worker.post_message(&message).map_err(broken)
}

fn broken(_: JsValue) -> String {
    "The browser could not start the check. Reload the page.".to_owned()
}

/// Checks a file as `options` say, in the worker that was prepared, if there is one that began.
///
/// # Errors
/// A sentence, where the browser does not start a worker.
pub(crate) fn start(
    prepared: Option<PreparedCheck>,
    file: &File,
    options: &ReadOptions,
    told: impl FnMut(Told) + 'static,
) -> Result<RunningCheck, String> {
    let prepared = match prepared.filter(|prepared| !prepared.is_broken.get()) {
        Some(prepared) => prepared,
        None => prepare()?,
    };
    let told = Rc::new(RefCell::new(told));
    let on_message = {
        let told = told.clone();
        Closure::new(move |event: MessageEvent| {
            let get = |name: &str| js_sys::Reflect::get(&event.data(), &name.into()).unwrap_or(JsValue::UNDEFINED);
            let what = if let Some(read) = get("read").as_f64() {
                Told::Read(read)
            } else if let Some(report) = get("report").as_string() {
                match serde_json::from_str(&report) {
                    Ok(report) => Told::Report(report),
                    Err(_) => Told::Failed(
                        "The check did not end well. Reload the page and choose the file again.".to_owned(),
                    ),
                }
            } else {
                Told::Failed(get("failed").as_string().unwrap_or_default())
            };
            (told.borrow_mut())(what);
        })
    };
    let on_error = Closure::new(move |_: JsValue| {
        (told.borrow_mut())(Told::Failed(
            "The check stopped: the browser ran out of memory, or the page is out of date. Reload it.".to_owned(),
        ));
    });
    let worker = &prepared.worker;
    worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
    // It fails only without memory: the options are some hundred bytes at most.
    let options = postcard::to_allocvec(options).unwrap_or_default();
    post(worker, &[("file", file), ("options", &js_sys::Uint8Array::from(options.as_slice()))])?;
    Ok(RunningCheck { _prepared: prepared, _on_message: on_message, _on_error: on_error })
}

/// The worker's script stands beside the page's own.
fn worker_url() -> String {
    let page =
        document().query_selector("link[rel=modulepreload]").ok().flatten().and_then(|link| link.get_attribute("href"));
    page.unwrap_or_default().replace("muster.js", "check-worker.js")
}

/// The check, as the worker's script drives it: that reads the file, and pushes what it reads.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub struct FileCheck {
    check: muster_domain::Check,
    /// Where each piece is copied to; so no piece needs memory of its own.
    piece: Vec<u8>,
}

#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
impl FileCheck {
    /// A check of a file that comes in pieces of at most so many bytes, read as these [`ReadOptions`] in Postcard say.
    ///
    /// # Errors
    /// If they are no options: the page is of another version than its worker.
    #[wasm_bindgen(constructor)]
    pub fn new(piece_bytes: usize, options: &[u8]) -> Result<Self, JsValue> {
        let options = postcard::from_bytes(options).map_err(|failed| js_sys::Error::new(&failed.to_string()))?;
        Ok(Self { check: muster_domain::Check::with_options(options), piece: vec![0; piece_bytes] })
    }

    /// Checks the next piece, and tells whether more is wanted.
    ///
    /// # Errors
    /// If the piece is larger than was said.
    pub fn push(&mut self, piece: &js_sys::Uint8Array) -> Result<bool, JsValue> {
        let too_large = || js_sys::Error::new("A piece of the file is larger than expected.");
        let copy = self.piece.get_mut(..piece.length() as usize).ok_or_else(too_large)?;
        piece.copy_to(copy);
        self.check.push(copy);
        Ok(!self.check.has_ended())
    }

    /// Ends the check, and gives the [`Report`] as JSON.
    ///
    /// # Errors
    /// An `Error` with a sentence, which no file brings about.
    pub fn finish(self) -> Result<String, JsValue> {
        serde_json::to_string(&self.check.finish()).map_err(|failed| js_sys::Error::new(&failed.to_string()).into())
    }
}

/// The sentence for a file that the worker's script could not read.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
#[must_use]
pub fn unreadable_sentence(error: &JsValue) -> String {
    super::file::unreadable(error)
}
