//! What went wrong, as the page shows it.

use crate::fns::{Failure, SESSION_ENDED, SIGN_IN};
use leptos::prelude::*;
use muster_client::{FailureKind, RequestFailure};

/// A sentence about a failure. If the session has ended, its words "Sign in" are a link.
///
/// The link opens a new tab, because this one has what the user was doing: a form, a selection, or tokens that are not saved.
pub(crate) fn alert_text(sentence: Option<String>) -> AnyView {
    let sentence = sentence.unwrap_or_default();
    match sentence.split_once(SESSION_ENDED).and_then(|(before, rest)| Some((before, rest.strip_prefix(SIGN_IN)?))) {
        Some((before, after)) => {
            let before = format!("{before}{SESSION_ENDED}");
            view! { {before}<a href="/sign-in" target="_blank">{SIGN_IN}</a>{after.to_owned()} }.into_any()
        }
        None => sentence.into_any(),
    }
}

/// [`alert_text`] as a paragraph that a screen reader announces.
pub(crate) fn alert(sentence: String) -> AnyView {
    view! { <p class="problem" role="alert">{alert_text(Some(sentence))}</p> }.into_any()
}

/// Why what the page shows may be out of date, with **Try again** if that can help, or **Sign in**. The page asks again by
/// itself, too.
#[component]
pub(crate) fn Banner(#[prop(into)] problem: Signal<Option<Failure>>, again: Callback<()>) -> impl IntoView {
    let is_there = move || problem.with(Option::is_some);
    let can_retry = Memo::new(move |_| {
        problem.with(|problem| {
            let kind = problem.as_ref().map(RequestFailure::kind);
            matches!(kind, Some(FailureKind::Lost | FailureKind::Busy { .. } | FailureKind::Fault))
        })
    });
    let sentence = Memo::new(move |_| problem.with(|problem| problem.as_ref().map(Failure::sentence_while_retrying)));
    view! {
        <div class="banner" class:there=is_there>
            <p class="problem" role="alert">{move || alert_text(sentence.get())}</p>
            <Show when=move || can_retry.get()>
                <button type="button" on:click=move |_| again.run(())>"Try again"</button>
            </Show>
        </div>
    }
    .into_any()
}
