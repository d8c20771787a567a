//! Asks before a change of the chosen devices, makes the change, and reports the outcome.

use super::{
    Modal,
    job::{Job, JobProgress, Stage},
    modal::keep_focus,
};
use crate::{
    fns::{devices::change_devices, groups::groups},
    format::{count, thousands},
};
use leptos::{prelude::*, task::spawn_local};
use muster_domain::{Change, DeviceName, GroupName, GroupNameProblem, PricingTier, Targets};

/// To delete more devices than this, or some that the page does not show, the operator has to type their number.
const TYPED_OVER: u64 = 100;

/// What is asked about. Which tier or group it is comes from the dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    Disable,
    Enable,
    Delete,
    Tier,
    AddToGroup,
    RemoveFromGroup,
}

impl Question {
    /// The words on the menu, and on the button that does it.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Disable => "Disable",
            Self::Enable => "Enable",
            Self::Delete => "Delete",
            Self::Tier => "Change pricing tier",
            Self::AddToGroup => "Add to group",
            Self::RemoveFromGroup => "Remove from group",
        }
    }

    /// The title of the dialog that asks.
    fn title(self, devices: &str) -> String {
        match self {
            Self::Disable | Self::Enable | Self::Delete => format!("{} {devices}?", self.label()),
            Self::Tier => format!("Change the pricing tier of {devices}"),
            Self::AddToGroup => format!("Add {devices} to a group"),
            Self::RemoveFromGroup => format!("Remove {devices} from a group"),
        }
    }

    /// A sentence about what was done.
    fn outcome(self, devices: u64, tier: PricingTier, group: &str) -> String {
        let devices = count(devices, "device", "devices");
        match self {
            Self::Disable => format!("Disabled {devices}."),
            Self::Enable => format!("Enabled {devices}."),
            Self::Delete => format!("Deleted {devices}."),
            Self::Tier => format!("{devices} moved to {}.", tier.as_str()),
            Self::AddToGroup => format!("Added {devices} to {group}."),
            Self::RemoveFromGroup => format!("Removed {devices} from {group}."),
        }
    }

    /// What the change means for the devices.
    fn consequence(self) -> &'static str {
        match self {
            Self::Disable => "They can't connect until you enable them.",
            Self::Enable => "They can connect again with their current tokens.",
            Self::Delete => {
                "Their tokens are revoked immediately. Registering the same name again creates a new device."
            }
            Self::Tier => "The new tier applies from now on.",
            Self::AddToGroup => "A device can be in several groups. Enter a new name to create a group.",
            Self::RemoveFromGroup => "They stay registered and in their other groups.",
        }
    }
}

/// The dialog for a change of the chosen devices. `done` is called when it has ended: with a sentence
/// if all of them were changed.
#[component]
pub(crate) fn ConfirmDialog(
    is_open: RwSignal<bool>,
    #[prop(into)] question: Signal<Question>,
    #[prop(into)] targets: Signal<Targets>,
    /// How many devices those are.
    #[prop(into)]
    total: Signal<u64>,
    /// How many of them the page does not show.
    #[prop(into)]
    hidden: Signal<u64>,
    /// The first names of those that are known.
    #[prop(into)]
    first_names: Signal<Vec<DeviceName>>,
    done: Callback<Option<String>>,
) -> impl IntoView {
    let job = Job::new();
    // The change itself may change how many devices match; the number in the question stays.
    let asked = RwSignal::new(0);
    let has_hidden = RwSignal::new(false);
    let typed = RwSignal::new(String::new());
    let tier = RwSignal::new(PricingTier::Small);
    let group = RwSignal::new(String::new());
    Effect::new(move || {
        let (total, hidden) = (total.get(), hidden.get());
        if job.stage.get() == Stage::Asking {
            asked.set(total);
            has_hidden.set(hidden > 0);
        }
    });
    Effect::new(move || {
        if !is_open.get() {
            job.reset();
            typed.set(String::new());
            group.set(String::new());
            tier.set(PricingTier::Small);
        }
    });
    Effect::new(move || {
        let _ = job.stage.get();
        keep_focus("confirm-title");
    });
    let devices = move || count(asked.get(), "device", "devices");
    let must_type = move || question.get() == Question::Delete && (asked.get() > TYPED_OVER || has_hidden.get());
    let names = move || {
        let names = first_names.get();
        let more = asked.get().saturating_sub(names.len() as u64);
        let list = names.iter().map(DeviceName::as_str).collect::<Vec<_>>().join(", ");
        let more = if more > 0 { format!(" and {} more", thousands(more)) } else { String::new() };
        (!names.is_empty()).then(|| format!("{list}{more}"))
    };
    let needs_group = move || matches!(question.get(), Question::AddToGroup | Question::RemoveFromGroup);
    let may_act = move || {
        (!must_type() || typed.with(|typed| typed.replace(',', "").trim() == asked.get().to_string()))
            && (!needs_group() || group.with(|group| !group.trim().is_empty()))
            && !job.is_working()
    };
    let group_name = move || group.with_untracked(|group| GroupName::existing(group));
    let change = move || {
        Ok::<_, GroupNameProblem>(match question.get_untracked() {
            Question::Disable => Change::Disable,
            Question::Enable => Change::Enable,
            Question::Delete => Change::Delete,
            Question::Tier => Change::Tier(tier.get_untracked()),
            Question::AddToGroup => Change::AddToGroup(group_name()?),
            Question::RemoveFromGroup => Change::RemoveFromGroup(group_name()?),
        })
    };
    let act = move || {
        if !may_act() {
            return;
        }
        let change = match change() {
            Ok(change) => change,
            Err(problem) => return job.note.set(Some(problem.to_string())),
        };
        let ended = async move |stage| {
            let group = group.get_untracked();
            let outcome =
                question.get_untracked().outcome(job.devices.get_untracked(), tier.get_untracked(), group.trim());
            if stage == Stage::Done {
                is_open.set(false);
            }
            done.run((stage == Stage::Done).then_some(outcome));
            Ok(())
        };
        job.run(
            targets.get_untracked(),
            move |targets| change_devices(targets, change.clone()),
            async |outcome| Ok(outcome),
            ended,
        );
    };
    let is_asking = move || job.stage.get() == Stage::Asking;
    view! {
        <Modal id="confirm-title" title=Signal::derive(move || question.get().title(&devices())) is_open
            would_lose=Signal::derive(move || job.is_working()) ask=Callback::new(move |()| job.stop())>
            <form class="body" on:submit=move |event| { event.prevent_default(); act(); }>
                <p>{move || question.get().consequence()}</p>
                <Show when=move || is_asking() && question.get() == Question::Delete>
                    <p class="names">{names}</p>
                </Show>
                <Show when=move || is_asking() && question.get() == Question::Tier>
                    <fieldset>
                        <legend>"Pricing tier"</legend>
                        {PricingTier::ALL.map(|each| view! {
                            <label><input type="radio" name="tier" prop:checked=move || tier.get() == each on:change=move |_| tier.set(each) /><span>{each.as_str()}</span></label>
                        }).collect_view()}
                    </fieldset>
                </Show>
                <Show when=move || is_asking() && needs_group()><GroupField name=group /></Show>
                <Show when=move || is_asking() && must_type()>
                    <label for="typed">{move || format!("Type {} to confirm", thousands(asked.get()))}</label>
                    <input id="typed" type="text" inputmode="numeric" autocomplete="off" prop:value=typed on:input:target=move |event| typed.set(event.target().value()) />
                </Show>
                <JobProgress job total=asked />
            </form>
            <footer>
                <button type="button" class="quiet" disabled=move || job.is_working() on:click=move |_| is_open.set(false)>
                    {move || if is_asking() { "Cancel" } else { "Close" }}
                </button>
                <button type="button" class:danger=move || question.get() == Question::Delete class:main=move || question.get() != Question::Delete
                    aria-disabled=move || (!may_act()).to_string() on:click=move |_| act()>
                    {move || if job.stage.get() == Stage::Stopped { "Continue" } else { question.get().label() }}
                </button>
            </footer>
        </Modal>
    }
    .into_any()
}

/// The input for the name of a device group: an existing one, or a new one.
#[component]
pub(super) fn GroupField(
    name: RwSignal<String>,
    #[prop(default = "Device group")] label: &'static str,
) -> impl IntoView {
    // Not a resource: the page's Suspense would take the whole dialog away while it waits for one.
    let known = RwSignal::new(Vec::new());
    spawn_local(async move {
        if let Ok(groups) = groups().await {
            let _ = known.try_set(groups.value);
        }
    });
    view! {
        <div class="row">
            <label for="group">{label}</label>
            <input id="group" type="text" list="groups" maxlength="128" autocomplete="off" prop:value=name
                on:input:target=move |event| name.set(event.target().value()) />
            <datalist id="groups">
                {move || known.get().into_iter().map(|group| view! { <option value=group.name.to_string()></option> }).collect_view()}
            </datalist>
        </div>
    }
    .into_any()
}
