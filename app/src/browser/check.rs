//! The check of a registration file, off the main thread: in a Web Worker that loads `muster-check`, a WASM module of its own.

use leptos::prelude::*;
use muster_domain::Report;
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{File, MessageEvent, Worker, WorkerOptions, WorkerType};

/// A worker that loads its WASM module, and waits for a file. Dropping it stops the worker.
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
    Ok(PreparedCheck { worker, is_broken, _on_error: on_error })
}

fn post(worker: &Worker, name: &str, value: &JsValue) -> Result<(), String> {
    let message = js_sys::Object::new();
    js_sys::Reflect::set(&message, &name.into(), value).and_then(|_| worker.post_message(&message)).map_err(broken)
}

fn broken(_: JsValue) -> String {
    "The browser could not start the check. Reload the page.".to_owned()
}

/// Checks a file, in the worker that was prepared, if there is one that began.
///
/// # Errors
/// A sentence, where the browser does not start a worker.
pub(crate) fn start(
    prepared: Option<PreparedCheck>,
    file: &File,
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
            } else if let Ok(report) = get("report").dyn_into::<js_sys::Uint8Array>() {
                match postcard::from_bytes(&report.to_vec()) {
                    Ok(report) => Told::Report(Box::new(report)),
                    Err(_) => Told::Failed(
                        "The check did not end well. Reload the page and choose the file again.".to_owned(),
                    ),
                }
            } else if let Some(name) = get("unreadable").as_string() {
                Told::Failed(super::file::unreadable_named(&name))
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
    post(worker, "file", file)?;
    Ok(RunningCheck { _prepared: prepared, _on_message: on_message, _on_error: on_error })
}

/// The worker's script stands beside the page's own.
fn worker_url() -> String {
    let page =
        document().query_selector("link[rel=modulepreload]").ok().flatten().and_then(|link| link.get_attribute("href"));
    page.unwrap_or_default().replace("muster.js", "check-worker.js")
}
