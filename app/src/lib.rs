//! What people see: the pages of the portal, and the server functions they call.
//!
//! Compiled twice from the same source: with `ssr` into the server, which renders the first HTML and runs the
//! server functions, and with `hydrate` into the browser's WASM, which takes that HTML over.
#![recursion_limit = "256"]

mod alert;
mod browser;
mod copy;
mod dialogs;
pub mod fns;
mod format;
mod last_answer;
mod lazy;
mod pages;
pub mod query;
mod shell;

pub use pages::RefusedSignIn;
pub use shell::{App, AssetBase, shell};

/// Takes over the HTML that the server rendered. Called once by `public/start.js`.
///
/// # Errors
/// If a part that this page needs cannot be loaded.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub async fn hydrate() -> Result<(), wasm_bindgen::JsError> {
    console_error_panic_hook::set_once();
    lazy::load_for(&leptos::prelude::location().pathname().unwrap_or_default()).await?;
    leptos::mount::hydrate_body(App);
    Ok(())
}

/// Loads the parts of the page that are not loaded yet. Called by `public/start.js` when they are likely to be needed.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub async fn load_parts() {
    lazy::load_all().await;
}
