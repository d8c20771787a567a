//! Tokens that are written to a file of the person's choice as they are made: the offer, and what is said of it.

use crate::{
    browser::{disk, save::Rows},
    when::count,
};
use leptos::prelude::*;
use muster_domain::MAX_DEVICES_PER_CALL;

/// A tick, where it is worth one: for more devices than one call takes, in a browser that can do it.
#[component]
pub(super) fn ToDisk(#[prop(into)] devices: Signal<u64>, is_on: RwSignal<bool>) -> impl IntoView {
    let is_offered = move || devices.get() > MAX_DEVICES_PER_CALL as u64 && disk::is_there();
    view! {
        <Show when=is_offered>
            <label class="check">
                <input type="checkbox" prop:checked=is_on on:change:target=move |event| is_on.set(event.target().checked()) />
                "Write tokens.csv to disk as the tokens are created"
            </label>
        </Show>
    }
    .into_any()
}

/// That this many tokens have to be saved now.
pub(super) fn save_now(tokens: u64) -> &'static str {
    if tokens == 1 { "Save it now: it can't be shown again." } else { "Save them now: they can't be shown again." }
}

/// What to say at the end of tokens of which so many were made, and so many are safe: in a file, or saved.
pub(super) fn said(rows: Rows, made: u64, safe: u64, unsaved: impl FnOnce(String) -> String) -> String {
    let tokens = |number| count(number, "security token", "security tokens");
    if rows.is_cut && made > safe {
        let rest = made.saturating_sub(rows.written);
        let more = count(rest, "more security token was", "more security tokens were");
        return format!(
            "tokens.csv couldn't be completed: it has {}. {more} created. {}",
            tokens(rows.written),
            save_now(rest)
        );
    }
    match (made, made > safe) {
        (0, _) => String::new(),
        (_, false) if rows.written == made => format!("tokens.csv saved: {}.", tokens(made)),
        (_, false) => "tokens.csv downloaded.".to_owned(),
        (_, true) => unsaved(tokens(made)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_where_the_tokens_are() {
        let check = |rows: (u64, bool), made: u64, safe: u64, expected: &str| {
            let rows = Rows { written: rows.0, kept: made - rows.0, is_cut: rows.1 };
            assert_eq!(said(rows, made, safe, |tokens| format!("{tokens}: unsaved.")), expected);
        };
        check((0, false), 0, 0, "");
        check((0, false), 2, 0, "2 security tokens: unsaved.");
        check((0, false), 2, 2, "tokens.csv downloaded.");
        check((25_000, false), 25_000, 25_000, "tokens.csv saved: 25,000 security tokens.");
        check((10, true), 12, 12, "tokens.csv downloaded.");
        check(
            (10, true),
            11,
            10,
            "tokens.csv couldn't be completed: it has 10 security tokens. 1 more security token was created. Save it now: it can't be shown again.",
        );
        check(
            (10, true),
            12,
            10,
            "tokens.csv couldn't be completed: it has 10 security tokens. 2 more security tokens were created. Save them now: they can't be shown again.",
        );
    }
}
