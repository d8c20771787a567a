//! What people see: the pages of the portal, and the server functions they call.
//!
//! Compiled twice from the same source: with `ssr` into the server, which renders the first HTML and runs the
//! server functions, and with `hydrate` into the browser's WASM, which takes that HTML over.
#![recursion_limit = "256"]

mod browser;
mod dialogs;
pub mod fns;
mod pages;
pub mod query;
mod shell;
mod when;

pub use shell::{App, AssetBase, shell};

/// Takes over the HTML that the server rendered. Called once by `public/start.js`.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_body(App);
}
