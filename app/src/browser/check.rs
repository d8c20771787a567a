//! The check of a registration file, off the main thread: in a Web Worker that loads `muster-check`, a WASM module of its own.

mod failure;

pub(crate) use failure::CheckFailure;
use gloo_timers::callback::Timeout;
use js_sys::Uint8Array;
use leptos::{leptos_dom::helpers::WindowListenerHandle, prelude::*, task::spawn_local};
use muster_domain::{CheckReport, ReadOptions};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{File, MessageEvent, Worker, WorkerOptions, WorkerType};

/// How long a check may send nothing before the person is asked whether to wait. A slow machine loads the module within
/// seconds and reports its progress 20 times a second; only a stopped worker or a stalled network drive is silent longer.
const SILENCE_MS: u32 = 60_000;

const WORKER_SCRIPT: &str = "check-worker.js";

/// What that script imports.
const MODULE_SCRIPT: &str = "check.js";

/// A worker that loads its WASM module, and waits for a file or checks one. Dropping it stops the worker.
pub(crate) struct CheckWorker {
    worker: Worker,
    state: Rc<State>,
    on_violation: Option<WindowListenerHandle>,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_error: Closure<dyn FnMut(JsValue)>,
}

impl Drop for CheckWorker {
    fn drop(&mut self) {
        // Messages that are already on their way would reach closures that no longer exist.
        self.worker.set_onmessage(None);
        self.worker.set_onerror(None);
        self.worker.terminate();
        if let Some(listener) = self.on_violation.take() {
            listener.remove();
        }
        // Neither may report to a dialog that is at another step by now.
        self.state.silence.take();
        self.state.listener.take();
    }
}

/// What becomes of a check.
pub(crate) enum CheckEvent {
    /// So many bytes of the file are read.
    Read(f64),
    /// Nothing was heard of the check for [`SILENCE_MS`]. It may still end.
    Silent,
    /// The check is done.
    Report(Box<CheckReport>),
    /// All problems are listed: `problems.csv`.
    Problems(Uint8Array),
    /// The check did not start, or stopped.
    Failed(CheckFailure),
}

/// Prepares a check while a person still looks for the file: to begin takes as long as a tenth of a million rows.
///
/// # Errors
/// If the browser does not create a worker.
pub(crate) fn prepare() -> Result<CheckWorker, CheckFailure> {
    let state = Rc::new(State::default());
    let on_violation = {
        // Removing the listener does not free its closure, and the closure must not keep the state alive.
        let state = Rc::downgrade(&state);
        window_event_listener_untyped("securitypolicyviolation", move |event| {
            if let Some(state) = state.upgrade()
                && text(&event, "blockedURI").ends_with(WORKER_SCRIPT)
            {
                state.is_blocked.set(true);
            }
        })
    };
    let options = WorkerOptions::new();
    options.set_type(WorkerType::Module);
    // WebKit throws where the page's policy forbids workers; the others fire an error event.
    let Ok(worker) = Worker::new_with_options(&beside_page(WORKER_SCRIPT), &options) else {
        on_violation.remove();
        return Err(CheckFailure::blocked());
    };
    let on_message = {
        let state = Rc::downgrade(&state);
        Closure::new(move |event: MessageEvent| {
            if let Some(state) = state.upgrade() {
                state.take_message(&event.data());
            }
        })
    };
    let on_error = {
        let state = Rc::downgrade(&state);
        Closure::new(move |event: JsValue| {
            if let Some(state) = state.upgrade() {
                state.take_error(&text(&event, "message"));
            }
        })
    };
    worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
    Ok(CheckWorker { worker, state, on_violation: Some(on_violation), _on_message: on_message, _on_error: on_error })
}

/// What a check is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A report.
    Report,
    /// A list of all problems.
    Problems,
}

/// Checks a file, read as `options` say, in the worker that was prepared, if there is one that started.
///
/// # Errors
/// If the browser does not create a worker.
pub(crate) fn start(
    prepared: Option<CheckWorker>,
    file: &File,
    options: &ReadOptions,
    purpose: Purpose,
    listener: impl FnMut(CheckEvent) + 'static,
) -> Result<CheckWorker, CheckFailure> {
    let prepared = match prepared.filter(|prepared| !prepared.state.has_failed.get()) {
        Some(prepared) => prepared,
        None => prepare()?,
    };
    *prepared.state.listener.borrow_mut() = Some(Box::new(listener));
    prepared.state.wait();
    // It fails only without memory: the options are some hundred bytes at most.
    let options = postcard::to_allocvec(options).unwrap_or_default();
    let options = Uint8Array::from(options.as_slice());
    let lists_problems = JsValue::from(purpose == Purpose::Problems);
    prepared.post(&[("file", file), ("options", &options), ("lists_problems", &lists_problems)])?;
    Ok(prepared)
}

impl CheckWorker {
    fn post(&self, fields: &[(&str, &JsValue)]) -> Result<(), CheckFailure> {
        let message = js_sys::Object::new();
        let set = |(name, value): &(&str, &JsValue)| js_sys::Reflect::set(&message, &(*name).into(), value).map(drop);
        let posted = fields.iter().try_for_each(set).and_then(|()| self.worker.post_message(&message));
        posted.map_err(|error| CheckFailure::stopped(&text(&error, "message")))
    }
}

/// Receives the events of a check.
type Listener = Box<dyn FnMut(CheckEvent)>;

/// The state of a worker, and its listener.
#[derive(Default)]
struct State {
    /// Its module runs.
    is_ready: Cell<bool>,
    has_failed: Cell<bool>,
    /// The page's own policy forbids it.
    is_blocked: Cell<bool>,
    /// `None` until there is a file: a failure before that is left to the next worker.
    listener: RefCell<Option<Listener>>,
    silence: RefCell<Option<Timeout>>,
}

impl State {
    /// Begins to wait for the next message.
    fn wait(self: &Rc<Self>) {
        let state = Rc::downgrade(self);
        let timeout = Timeout::new(SILENCE_MS, move || {
            if let Some(state) = state.upgrade() {
                state.report(CheckEvent::Silent);
            }
        });
        *self.silence.borrow_mut() = Some(timeout);
    }

    fn report(&self, event: CheckEvent) {
        if let Some(listener) = &mut *self.listener.borrow_mut() {
            listener(event);
        }
    }

    fn take_message(self: &Rc<Self>, data: &JsValue) {
        let get = |name: &str| js_sys::Reflect::get(data, &name.into()).unwrap_or(JsValue::UNDEFINED);
        if self.has_failed.get() {
            return;
        }
        if get("ready").is_truthy() {
            return self.is_ready.set(true);
        }
        if let Some(read) = get("read").as_f64() {
            self.wait();
            return self.report(CheckEvent::Read(read));
        }
        self.silence.take();
        if let Ok(report) = get("report").dyn_into::<Uint8Array>() {
            match postcard::from_bytes(&report.to_vec()) {
                Ok(report) => self.report(CheckEvent::Report(Box::new(report))),
                Err(_) => self.fail(CheckFailure::outdated()),
            }
        } else if let Ok(problems) = get("problems").dyn_into() {
            self.report(CheckEvent::Problems(problems));
        } else if let Some(name) = get("unreadable").as_string() {
            self.fail(CheckFailure::unreadable(&name));
        } else if get("is_out_of_memory").is_truthy() {
            self.fail(CheckFailure::out_of_memory());
        } else {
            self.take_error(&text(data, "failed"));
        }
    }

    /// An error that ends the worker. The message is empty where a script did not load.
    fn take_error(self: &Rc<Self>, message: &str) {
        if self.is_blocked.get() {
            self.fail(CheckFailure::blocked());
        } else if self.is_ready.get() {
            self.fail(CheckFailure::stopped(message));
        } else if !self.has_failed.replace(true) && self.listener.borrow().is_some() {
            self.silence.take();
            let (state, message) = (Rc::downgrade(self), message.to_owned());
            spawn_local(async move {
                let failure = failure::diagnose([WORKER_SCRIPT, MODULE_SCRIPT].map(beside_page), &message).await;
                // Meanwhile the person may have chosen another file.
                if let Some(state) = state.upgrade() {
                    state.report(CheckEvent::Failed(failure));
                }
            });
        }
    }

    fn fail(&self, failure: CheckFailure) {
        self.silence.take();
        if !self.has_failed.replace(true) {
            self.report(CheckEvent::Failed(failure));
        }
    }
}

/// A text property of something from JavaScript; empty where there is none.
fn text(of: &JsValue, name: &str) -> String {
    js_sys::Reflect::get(of, &name.into()).ok().and_then(|value| value.as_string()).unwrap_or_default()
}

/// The address of a script that is served beside the page's own.
fn beside_page(script: &str) -> String {
    let page =
        document().query_selector("link[rel=modulepreload]").ok().flatten().and_then(|link| link.get_attribute("href"));
    page.unwrap_or_default().replace("muster.js", script)
}
