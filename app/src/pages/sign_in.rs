//! `/sign-in`

use crate::fns::session;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

#[component]
pub(crate) fn SignIn() -> impl IntoView {
    let query = use_query_map();
    let (email, set_email) = signal(String::new());
    let (password, set_password) = signal(String::new());
    let sign_in = ServerAction::<session::SignIn>::new();
    let problem = move || {
        sign_in
            .value()
            .with(|done| done.as_ref().and_then(|done| done.as_ref().err().map(|failure| failure.sentence())))
    };
    Effect::new(move || {
        if let Some(Ok(to)) = sign_in.value().get() {
            // A whole new page: nothing of the one before stays in memory.
            let _ = window().location().assign(&to);
        }
    });
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let to = query.read_untracked().get("to").unwrap_or_default();
        sign_in.dispatch(session::SignIn { email: email.get_untracked(), password: password.get_untracked(), to });
    };
    let waiting = move || sign_in.pending().get();
    view! {
        <Title text="Sign in" />
        <main class="alone sign-in">
            <h1><span class="mark" aria-hidden="true"></span>"Muster"</h1>
            <form method="post" on:submit=submit>
                <label for="email">"Email"</label>
                <input id="email" type="text" inputmode="email" autocomplete="username" autocapitalize="none" spellcheck="false" required autofocus
                    on:input:target=move |event| set_email.set(event.target().value()) />
                <label for="password">"Password"</label>
                <input id="password" type="password" autocomplete="current-password" required
                    on:input:target=move |event| set_password.set(event.target().value()) />
                <p class="problem" role="alert">{problem}</p>
                <button class="main" type="submit" aria-disabled=move || waiting().to_string()>
                    {move || if waiting() { "Signing in…" } else { "Sign in" }}
                </button>
            </form>
        </main>
    }
    .into_any()
}
