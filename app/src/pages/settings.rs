//! `/settings`

use crate::alert::{Banner, alert_text};
use crate::fns::{
    kept, sent,
    settings::{SetDefaultTier, default_tier},
};
use leptos::prelude::*;
use leptos_meta::Title;
use muster_domain::PricingTier;

#[component]
pub(crate) fn Settings() -> impl IntoView {
    let tier = sent(|| (), |()| default_tier());
    let kept = kept(tier);
    let change = ServerAction::<SetDefaultTier>::new();
    let result = move || match change.value().get() {
        Some(Ok(())) => alert_text(Some("Saved.".to_owned())),
        Some(Err(failure)) => alert_text(Some(failure.sentence())),
        None => alert_text(None),
    };
    view! {
        <Title text="Settings" />
        <div class="head"><h1>"Settings"</h1></div>
        <section class="card">
            <h2><label for="tier">"Default pricing tier"</label></h2>
            <p id="tier-help">"Used when a row doesn't specify a tier. Devices that are already registered keep theirs."</p>
            <Banner problem=Signal::derive(move || kept.get().problem) again=Callback::new(move |()| tier.refetch()) />
            <Suspense fallback=|| view! { <p class="loading">"Loading…"</p> }>
                {move || {
                    tier.track();
                    kept.get().value.map(|now| view! {
                        <select id="tier" aria-describedby="tier-help" on:change:target=move |event| {
                            if let Ok(tier) = PricingTier::parse(&event.target().value()) {
                                change.dispatch(SetDefaultTier { tier });
                            }
                        }>
                            {PricingTier::ALL.map(|tier| view! { <option selected=tier == now>{tier.as_str()}</option> }).collect_view()}
                        </select>
                    })
                }}
            </Suspense>
            <p role="status">{result}</p>
        </section>
    }
    .into_any()
}
