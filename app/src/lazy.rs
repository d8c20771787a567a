//! The parts of the page that are loaded when they are needed: the dialogs, and the pages but *Devices* and *Sign in*.
//!
//! A function marked `wasm_split` goes, with everything that only it calls, into a WASM module of its own
//! (scripts/build-web). So nothing but these functions may name a dialog or one of these pages. On the server they are
//! ordinary functions.

use crate::{
    dialogs::{DialogSignals, Dialogs},
    pages,
};
use futures_util::FutureExt;
use leptos::{
    prelude::*,
    task::spawn_local,
    wasm_split::{SplitLoaderError, wasm_split},
};

/// A page that is loaded when it is opened.
#[derive(Clone, Copy)]
pub(crate) enum LazyPage {
    Device,
    Groups,
    Models,
    Registrations,
    Settings,
}

#[wasm_split(pages, wasm_split_path = leptos::wasm_split, preload(load_pages), fallible)]
fn page_view(page: LazyPage) -> Result<AnyView, SplitLoaderError> {
    Ok(match page {
        LazyPage::Device => view! { <pages::Device /> }.into_any(),
        LazyPage::Groups => view! { <pages::Groups /> }.into_any(),
        LazyPage::Models => view! { <pages::Models /> }.into_any(),
        LazyPage::Registrations => view! { <pages::Registrations /> }.into_any(),
        LazyPage::Settings => view! { <pages::Settings /> }.into_any(),
    })
}

#[wasm_split(dialogs, wasm_split_path = leptos::wasm_split, preload(load_dialogs), fallible)]
fn dialogs_view(signals: DialogSignals) -> Result<AnyView, SplitLoaderError> {
    Ok(view! { <Dialogs signals /> }.into_any())
}

/// One of the pages. It is rendered immediately if its part is loaded: on the server, and during hydration, which must find the
/// same elements.
pub(crate) fn page(page: LazyPage) -> AnyView {
    let view = move || page_view(page).now_or_never().and_then(Result::ok);
    view().unwrap_or_else(|| {
        let stage = RwSignal::new(Stage::Idle);
        Effect::new(move || load(stage, load_pages()));
        (move || match stage.get() {
            Stage::Idle | Stage::Loading => view! { <p class="loading">"Loading…"</p> }.into_any(),
            Stage::Loaded => view().into_any(),
            Stage::Failed => view! { <NotLoaded /> }.into_any(),
        })
        .into_any()
    })
}

/// The dialogs of a page, from the first time that one of them is opened.
pub(crate) fn dialogs(signals: DialogSignals) -> AnyView {
    let stage = RwSignal::new(Stage::Idle);
    Effect::new(move || {
        if signals.is_any_open() {
            load(stage, load_dialogs());
        }
    });
    Effect::new(move || {
        // Opening a dialog again then loads them again.
        if stage.get() == Stage::Failed {
            signals.close_all();
        }
    });
    (move || match stage.get() {
        Stage::Idle => ().into_any(),
        Stage::Loading => view! { <p class="toast" role="status">"Loading…"</p> }.into_any(),
        Stage::Loaded => dialogs_view(signals).now_or_never().and_then(Result::ok).into_any(),
        Stage::Failed => view! { <NotLoaded /> }.into_any(),
    })
    .into_any()
}

/// Loads what the page at this address needs before it can be taken over.
///
/// # Errors
/// If that part cannot be loaded.
#[cfg(feature = "hydrate")]
pub(crate) async fn load_for(path: &str) -> Result<(), SplitLoaderError> {
    if matches!(path, "/sign-in" | "/devices") { Ok(()) } else { load_pages().await }
}

/// Loads all parts before they are opened. A part that fails is loaded again when it is opened.
#[cfg(feature = "hydrate")]
pub(crate) async fn load_all() {
    let _ = futures_util::join!(load_dialogs(), load_pages());
}

#[derive(Clone, Copy, PartialEq)]
enum Stage {
    /// Not needed yet.
    Idle,
    Loading,
    Loaded,
    Failed,
}

/// Loads a part once, and again if that failed.
fn load(stage: RwSignal<Stage>, part: impl Future<Output = Result<(), SplitLoaderError>> + 'static) {
    if matches!(stage.get_untracked(), Stage::Loading | Stage::Loaded) {
        return;
    }
    stage.set(Stage::Loading);
    spawn_local(async move {
        let stage_now = if part.await.is_ok() { Stage::Loaded } else { Stage::Failed };
        // The page may have been left meanwhile.
        stage.try_set(stage_now);
    });
}

/// In place of a part that did not load. A page of an older build finds none of its parts: see `server/src/assets.rs`.
#[component]
fn NotLoaded() -> impl IntoView {
    let reload = move |_| {
        let _ = window().location().reload();
    };
    view! {
        <p class="problem" role="alert">
            "This could not be loaded: Muster was updated, or the connection was lost. "
            <button type="button" class="quiet" on:click=reload>"Reload the page"</button>
        </p>
    }
    .into_any()
}
