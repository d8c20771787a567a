//! `/sign-in`. The form works without the page's WASM, too: see `server/src/sign_in_form.rs`.

use crate::fns::session;
use leptos::{html, prelude::*};
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

/// A sign-in that was refused before the page had started. Provided by the server, which renders the page with it.
#[derive(Clone, Debug)]
pub struct RefusedSignIn {
    pub email: String,
    pub sentence: String,
}

impl RefusedSignIn {
    /// From the server's context; in the browser, from the server's HTML.
    fn find() -> Option<Self> {
        #[cfg(not(feature = "hydrate"))]
        return use_context();
        #[cfg(feature = "hydrate")]
        document()
            .query_selector(".sign-in .problem")
            .ok()
            .flatten()
            .and_then(|problem| problem.text_content())
            .filter(|sentence| !sentence.is_empty())
            .map(|sentence| Self { email: String::new(), sentence })
    }
}

#[component]
pub(crate) fn SignIn() -> impl IntoView {
    let query = use_query_map();
    // What is typed, or filled in by a password manager, stays in the page: it may have been there before this runs.
    let (email, password) = (NodeRef::<html::Input>::new(), NodeRef::<html::Input>::new());
    let sign_in = ServerAction::<session::SignIn>::new();
    let (given_email, given_sentence) =
        RefusedSignIn::find().map_or((None, None), |refused| (Some(refused.email), Some(refused.sentence)));
    let problem = move || match sign_in.value().get() {
        Some(done) => done.err().map(|failure| failure.sentence()),
        None => given_sentence.clone(),
    };
    Effect::new(move || {
        if let Some(Ok(to)) = sign_in.value().get() {
            // A whole new page: nothing of the one before stays in memory.
            let _ = window().location().assign(&to);
        }
    });
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        // Pressed twice: a second attempt would count, too.
        if sign_in.pending().get_untracked() {
            return;
        }
        let typed = |field: NodeRef<html::Input>| field.get_untracked().map(|field| field.value()).unwrap_or_default();
        let to = query.read_untracked().get("to").unwrap_or_default();
        sign_in.dispatch(session::SignIn { email: typed(email), password: typed(password), to });
    };
    let waiting = move || sign_in.pending().get();
    view! {
        <Title text="Sign in" />
        <main class="alone sign-in">
            <h1><span class="mark" aria-hidden="true"></span>"Muster"</h1>
            <form method="post" on:submit=submit>
                <label for="email">"Email"</label>
                <input id="email" name="email" type="text" inputmode="email" autocomplete="username" autocapitalize="none" spellcheck="false" required autofocus
                    value=given_email node_ref=email />
                <label for="password">"Password"</label>
                <input id="password" name="password" type="password" autocomplete="current-password" required node_ref=password />
                <p class="problem" role="alert">{problem}</p>
                <button class="main" type="submit" aria-disabled=move || waiting().to_string()>
                    {move || if waiting() { "Signing in…" } else { "Sign in" }}
                </button>
            </form>
        </main>
    }
    .into_any()
}
