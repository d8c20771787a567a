//! `/settings`

use crate::{
    alert::alert_text,
    fns::{
        sent,
        settings::{SetDefaultTier, default_tier},
    },
    last_answer::LastAnswer,
};
use leptos::prelude::*;
use leptos_meta::Title;
use muster_domain::PricingTier;

#[component]
pub(crate) fn Settings() -> impl IntoView {
    let tier = sent(|| (), |()| default_tier());
    let change = ServerAction::<SetDefaultTier>::new();
    let result = move || match change.value().get() {
        Some(Ok(())) => alert_text(Some("Saved.".to_owned())),
        Some(Err(failure)) => alert_text(Some(failure.sentence())),
        None => alert_text(None),
    };
    let choice = move |now: PricingTier| {
        view! {
            <select id="tier" aria-describedby="tier-help" on:change:target=move |event| {
                if let Ok(tier) = PricingTier::parse(&event.target().value()) {
                    change.dispatch(SetDefaultTier { tier });
                }
            }>
                {PricingTier::ALL.map(|tier| view! { <option selected=tier == now>{tier.as_str()}</option> }).collect_view()}
            </select>
        }
        .into_any()
    };
    view! {
        <Title text="Settings" />
        <div class="head"><h1>"Settings"</h1></div>
        <section class="card">
            <h2><label for="tier">"Default pricing tier"</label></h2>
            <p id="tier-help">"Used when a row doesn't specify a tier. Devices that are already registered keep theirs."</p>
            {LastAnswer::of(tier).view(choice)}
            <p role="status">{result}</p>
        </section>
    }
    .into_any()
}
