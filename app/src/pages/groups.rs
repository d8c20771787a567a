//! `/groups`: the device groups.

use crate::{fns::groups::groups, query::path_with, when::count};
use leptos::prelude::*;
use leptos_meta::Title;

#[component]
pub(crate) fn Groups() -> impl IntoView {
    let groups = Resource::new(|| (), |()| groups());
    view! {
        <Title text="Device groups" />
        <div class="head"><h1>"Device groups"</h1></div>
        <Suspense fallback=|| view! { <p class="loading">"Loading…"</p> }>
            {move || Suspend::new(async move {
                match groups.await {
                    Err(failure) => view! { <p class="problem" role="alert">{failure.sentence()}</p> }.into_any(),
                    Ok(groups) if groups.is_empty() => view! {
                        <div class="empty">
                            <h2>"No device groups yet"</h2>
                            <p>"Name a group while you register devices: it is made, and they join it."</p>
                            <p><a class="button" href="/devices">"Go to Devices"</a></p>
                        </div>
                    }.into_any(),
                    Ok(groups) => view! {
                        <div class="scroll">
                            <table role="grid" aria-label="Device groups">
                                <thead><tr><th scope="col">"Name"</th><th scope="col" class="number">"Devices"</th></tr></thead>
                                <tbody>
                                    {groups.into_iter().map(|group| {
                                        let href = path_with("/devices", &[("group", Some(&group.name))]);
                                        view! {
                                            <tr>
                                                <th scope="row"><a href=href>{group.name}</a></th>
                                                <td class="number">{count(group.devices, "device", "devices")}</td>
                                            </tr>
                                        }
                                    }).collect_view()}
                                </tbody>
                            </table>
                        </div>
                    }.into_any(),
                }
            })}
        </Suspense>
    }
    .into_any()
}
