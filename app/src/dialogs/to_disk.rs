//! The offer to write tokens to a file while they are created, and the sentence about the tokens at the end.

use crate::{
    browser::{disk, save::Rows},
    format::count,
};
use leptos::prelude::*;
use muster_domain::MAX_DEVICES_PER_CALL;

/// The checkbox of the offer. It is shown for more devices than one call takes, in a browser that can write files.
#[component]
pub(super) fn ToDisk(#[prop(into)] devices: Signal<u64>, is_on: RwSignal<bool>) -> impl IntoView {
    let is_offered = move || devices.get() > MAX_DEVICES_PER_CALL as u64 && disk::is_supported();
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

/// The request to save this many tokens now.
pub(super) fn save_now(tokens: u64) -> &'static str {
    if tokens == 1 { "Save it now: it can't be shown again." } else { "Save them now: they can't be shown again." }
}

/// The sentence at the end: how many tokens were created, and whether they are saved, in the chosen file or downloaded.
pub(super) fn tokens_sentence(rows: Rows, created: u64, saved: u64, unsaved: impl FnOnce(String) -> String) -> String {
    let tokens = |number| count(number, "security token", "security tokens");
    if rows.is_incomplete && created > saved {
        let rest = created.saturating_sub(rows.written);
        let more = count(rest, "more security token was", "more security tokens were");
        return format!(
            "tokens.csv couldn't be completed: it has {}. {more} created. {}",
            tokens(rows.written),
            save_now(rest)
        );
    }
    match (created, created > saved) {
        (0, _) => String::new(),
        (_, false) if rows.written == created => format!("tokens.csv saved: {}.", tokens(created)),
        (_, false) => "tokens.csv downloaded.".to_owned(),
        (_, true) => unsaved(tokens(created)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentence_says_where_the_tokens_are() {
        let check = |rows: (u64, bool), created: u64, saved: u64, expected: &str| {
            let rows = Rows { written: rows.0, unsaved: created - rows.0, is_incomplete: rows.1 };
            assert_eq!(tokens_sentence(rows, created, saved, |tokens| format!("{tokens}: unsaved.")), expected);
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
