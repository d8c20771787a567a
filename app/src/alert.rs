//! What went wrong, as the page shows it.

use crate::fns::{SESSION_ENDED, SIGN_IN};
use leptos::prelude::*;

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
