//! The menu *Actions*, and the dialogs behind it: what can be done with the devices that are chosen on a page.

use super::{ConfirmDialog, ExportDialog, Menu, MenuItem, Question, RegisterDialog, Toast, TokensDialog};
use crate::lazy;
use leptos::prelude::*;
use muster_domain::{DeviceName, Targets};
use send_wrapper::SendWrapper;
use web_sys::File;

/// The menu. `done` is called when an action on devices has ended.
#[component]
pub(crate) fn Actions(
    /// The devices that are chosen.
    #[prop(into)]
    targets: Signal<Targets>,
    /// How many devices those are.
    #[prop(into)]
    total: Signal<u64>,
    /// How many of them the page does not show.
    #[prop(into)]
    hidden: Signal<u64>,
    /// The first names of those that are known.
    #[prop(into)]
    first_names: Signal<Vec<DeviceName>>,
    /// Why nothing can be done with them: none is chosen.
    #[prop(into)]
    why_not: Signal<Option<&'static str>>,
    is_registering: RwSignal<bool>,
    /// A file that was dropped on the page.
    dropped: RwSignal<Option<Result<SendWrapper<File>, String>>>,
    done: Callback<Done>,
) -> impl IntoView {
    let signals = DialogSignals {
        targets,
        total,
        hidden,
        first_names,
        is_registering,
        dropped,
        is_generating_tokens: RwSignal::new(false),
        is_confirming: RwSignal::new(false),
        question: RwSignal::new(Question::Disable),
        is_exporting: RwSignal::new(false),
        toast: RwSignal::new(None),
        done,
    };
    let is_off = Signal::derive(move || why_not.get().is_some());
    let open = |dialog: RwSignal<bool>| Callback::new(move |()| dialog.set(true));
    let ask = move |what: Question| {
        let act = Callback::new(move |()| {
            signals.question.set(what);
            signals.is_confirming.set(true);
        });
        view! { <MenuItem label=what.label() is_off act /> }
    };
    view! {
        <Menu label="Actions" why_not>
            <MenuItem label="Register devices" is_off=false act=open(is_registering) />
            <MenuItem label="Generate token" is_off act=open(signals.is_generating_tokens) />
            {ask(Question::AddToGroup)}
            {ask(Question::RemoveFromGroup)}
            {ask(Question::Tier)}
            {ask(Question::Disable)}
            {ask(Question::Enable)}
            {ask(Question::Delete)}
            <MenuItem label="Export" is_off act=open(signals.is_exporting) />
        </Menu>
        {lazy::dialogs(signals)}
        <Toast message=signals.toast />
    }
    .into_any()
}

/// State shared by the menu and the dialogs.
#[derive(Clone, Copy)]
pub(crate) struct DialogSignals {
    targets: Signal<Targets>,
    total: Signal<u64>,
    hidden: Signal<u64>,
    first_names: Signal<Vec<DeviceName>>,
    is_registering: RwSignal<bool>,
    dropped: RwSignal<Option<Result<SendWrapper<File>, String>>>,
    is_generating_tokens: RwSignal<bool>,
    is_confirming: RwSignal<bool>,
    question: RwSignal<Question>,
    is_exporting: RwSignal<bool>,
    toast: RwSignal<Option<String>>,
    done: Callback<Done>,
}

impl DialogSignals {
    fn open(self) -> [RwSignal<bool>; 4] {
        [self.is_registering, self.is_generating_tokens, self.is_confirming, self.is_exporting]
    }

    /// Whether one of the dialogs is to be open. It reads all signals, so that the caller reacts to each of them.
    pub(crate) fn is_any_open(self) -> bool {
        self.open().into_iter().filter(|is_open| is_open.get()).count() > 0 || self.dropped.with(Option::is_some)
    }

    pub(crate) fn close_all(self) {
        for is_open in self.open() {
            is_open.set(false);
        }
        self.dropped.set(None);
    }
}

/// The dialogs behind the menu, closed or open.
#[component]
pub(crate) fn Dialogs(signals: DialogSignals) -> impl IntoView {
    let DialogSignals { targets, total, hidden, first_names, question, done, .. } = signals;
    let other = Callback::new(move |()| done.run(Done::Other));
    let confirmed = Callback::new(move |sentence: Option<String>| {
        if sentence.is_some() {
            signals.toast.set(sentence);
        }
        done.run(if question.get_untracked() == Question::Delete { Done::Deleted } else { Done::Other });
    });
    view! {
        <RegisterDialog is_open=signals.is_registering dropped=signals.dropped done=other />
        <TokensDialog is_open=signals.is_generating_tokens targets total done=other />
        <ConfirmDialog is_open=signals.is_confirming question targets total hidden first_names done=confirmed />
        <ExportDialog is_open=signals.is_exporting targets total />
    }
    .into_any()
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    /// The chosen devices were deleted, or some of them.
    Deleted,
    Other,
}
