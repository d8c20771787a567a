//! An address where there is nothing.

use leptos::prelude::*;
use leptos_meta::Title;

#[component]
pub(crate) fn NotFound() -> impl IntoView {
    #[cfg(feature = "ssr")]
    if let Some(answer) = use_context::<leptos_axum::ResponseOptions>() {
        answer.set_status(http::StatusCode::NOT_FOUND);
    }
    view! {
        <Title text="Not found" />
        <main class="alone">
            <h1>"There is nothing here"</h1>
            <p>"The address may have been mistyped, or what it named is gone."</p>
            <p><a href="/devices">"Go to Devices"</a></p>
        </main>
    }
    .into_any()
}
