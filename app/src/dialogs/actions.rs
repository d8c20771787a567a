//! The menu *Actions*, with the dialogs behind it: what can be done with the devices that are chosen on a page.

use super::{ConfirmDialog, ExportDialog, Menu, MenuItem, RegisterDialog, Toast, TokensDialog, confirm::Question};
use crate::browser::calls::Targets;
use leptos::prelude::*;
use send_wrapper::SendWrapper;
use web_sys::File;

/// The menu. `done` is called with what was done to devices, when it has ended.
#[component]
pub(crate) fn Actions(
    /// The devices that are chosen.
    #[prop(into)]
    targets: Signal<Targets>,
    /// How many devices those are.
    #[prop(into)]
    total: Signal<u64>,
    /// Why nothing can be done with them: none is chosen.
    #[prop(into)]
    why_not: Signal<Option<&'static str>>,
    is_registering: RwSignal<bool>,
    /// A file that was dropped on the page.
    dropped: RwSignal<Option<Result<SendWrapper<File>, String>>>,
    done: Callback<Done>,
) -> impl IntoView {
    let (is_making_tokens, is_confirming, is_exporting) =
        (RwSignal::new(false), RwSignal::new(false), RwSignal::new(false));
    let is_off = Signal::derive(move || why_not.get().is_some());
    let question = RwSignal::new(Question::Disable);
    let open = |dialog: RwSignal<bool>| Callback::new(move |()| dialog.set(true));
    let ask = move |what: Question| {
        let act = Callback::new(move |()| {
            question.set(what);
            is_confirming.set(true);
        });
        view! { <MenuItem label=what.label() is_off act /> }
    };
    let other = Callback::new(move |()| done.run(Done::Other));
    let said = RwSignal::new(None);
    let confirmed = Callback::new(move |sentence: Option<String>| {
        if sentence.is_some() {
            said.set(sentence);
        }
        done.run(if question.get_untracked() == Question::Delete { Done::Deleted } else { Done::Other });
    });
    view! {
        <Menu label="Actions" why_not>
            <MenuItem label="Register devices" is_off=false act=open(is_registering) />
            <MenuItem label="Generate token" is_off act=open(is_making_tokens) />
            {ask(Question::AddToGroup)}
            {ask(Question::RemoveFromGroup)}
            {ask(Question::Tier)}
            {ask(Question::Disable)}
            {ask(Question::Enable)}
            {ask(Question::Delete)}
            <MenuItem label="Export" is_off act=open(is_exporting) />
        </Menu>
        <RegisterDialog is_open=is_registering dropped done=other />
        <TokensDialog is_open=is_making_tokens targets total done=other />
        <ConfirmDialog is_open=is_confirming question targets total done=confirmed />
        <ExportDialog is_open=is_exporting targets total />
        <Toast said />
    }
    .into_any()
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    /// The chosen devices are gone, or some of them.
    Deleted,
    Other,
}
