//! An address where there is nothing.

use leptos::prelude::*;
use leptos_meta::Title;

/// Answers with status 404.
#[cfg(feature = "ssr")]
pub(super) fn set_status() {
    if let Some(answer) = use_context::<leptos_axum::ResponseOptions>() {
        answer.set_status(http::StatusCode::NOT_FOUND);
    }
}

#[component]
pub(crate) fn NotFound() -> impl IntoView {
    #[cfg(feature = "ssr")]
    set_status();
    view! {
        <Title text="Page not found" />
        <main class="alone">
            <h1>"Page not found"</h1>
            <p>"The address may have been mistyped, or it was removed."</p>
            <p><a href="/devices">"Go to Devices"</a></p>
        </main>
    }
    .into_any()
}
