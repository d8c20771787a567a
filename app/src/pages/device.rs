//! `/devices/{name}`: one device.

use super::connect::Connect;
use crate::{
    fns::{Dated, devices::device, sent},
    format::{Ago, exact},
    last_answer::LastAnswer,
};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;
use muster_domain::{DeviceDetail, GroupName, ModelName};
use std::time::Duration;

/// How often what the page shows is asked for again.
const REFRESH: Duration = Duration::from_secs(2);

#[component]
pub(crate) fn Device() -> impl IntoView {
    let params = use_params_map();
    let name = Memo::new(move |_| params.read().get("name").unwrap_or_default());
    // Another device is another page: nothing of the one before is shown under its name.
    move || view! { <DevicePage name=name.get() /> }
}

#[component]
fn DevicePage(name: String) -> impl IntoView {
    let requested = name.clone();
    let detail = sent(
        move || requested.clone(),
        async |name: String| {
            let answer = device(name).await;
            #[cfg(feature = "ssr")]
            if matches!(answer, Ok(None)) {
                super::not_found::set_status();
            }
            answer
        },
    );
    let last = LastAnswer::of(detail);
    // Only in the browser, and not rebuilt with each answer: the user may be copying from it.
    let model = RwSignal::new(None::<ModelName>);
    Effect::new(move || {
        let now = last.value.with(|value| value.as_ref()?.as_ref().map(|detail| detail.value.item.model.clone()));
        if model.get_untracked() != now {
            model.set(now);
        }
    });
    Effect::new(move || {
        crate::browser::refresh::every(REFRESH, move || detail.refetch());
    });
    view! {
        <Title text=name.clone() />
        <p class="crumb"><a href="/devices">"Devices"</a></p>
        <div class="head"><h1>{name}</h1></div>
        {last.view(detail_view)}
        {move || model.get().map(|model| view! { <Connect model /> })}
    }
    .into_any()
}

fn detail_view(detail: Option<Dated<DeviceDetail>>) -> AnyView {
    match detail {
        None => view! {
            <div class="empty"><h2>"Device not found"</h2><p>"It may have been deleted. Names are case-sensitive."</p></div>
        }
        .into_any(),
        Some(detail) => view! { <Fields detail /> }.into_any(),
    }
}

#[component]
fn Fields(detail: Dated<DeviceDetail>) -> impl IntoView {
    let Dated { value: DeviceDetail { item, description, groups, registered_at, token_made, state }, now } = detail;
    let none = || view! { <span class="faint">"–"</span> }.into_any();
    let text = |text: Option<String>| text.map_or_else(none, |text| text.into_any());
    let groups = if groups.is_empty() {
        None
    } else {
        Some(groups.iter().map(GroupName::as_str).collect::<Vec<_>>().join(", "))
    };
    let state = state.and_then(|state| serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&state).ok());
    view! {
        <section class="card">
            <dl class="fields">
                <dt>"Status"</dt><dd><span class="status" data-status=item.status.as_str()>{item.status.as_str()}</span></dd>
                <dt>"Last seen"</dt><dd>{item.last_seen.map_or_else(|| "Never".into_any(), |then| view! { <Ago then now /> }.into_any())}</dd>
                <dt>"Model"</dt><dd>{item.model.to_string()}</dd>
                <dt>"Friendly name"</dt><dd>{text(item.friendly_name)}</dd>
                <dt>"Description"</dt><dd>{text(description)}</dd>
                <dt>"Pricing tier"</dt><dd>{item.tier.as_str()}</dd>
                <dt>"Device groups"</dt><dd>{text(groups)}</dd>
                <dt>"Registered"</dt><dd>{exact(registered_at)}</dd>
                <dt>"Token created"</dt><dd>{exact(token_made)}</dd>
            </dl>
        </section>
        <section class="card">
            <h2>"Recent data"</h2>
            {match state.filter(|state| !state.is_empty()) {
                None => view! { <p class="faint">"This device has not sent data yet."</p> }.into_any(),
                Some(state) => view! {
                    <dl class="fields">
                        {state.into_iter().map(|(property, value)| view! { <dt>{property}</dt><dd><code>{value.to_string()}</code></dd> }).collect_view()}
                    </dl>
                }.into_any(),
            }}
        </section>
    }
    .into_any()
}
