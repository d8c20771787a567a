//! `/registrations`: the files registered so far.

use crate::{
    browser::save,
    fns::{
        Failure,
        registrations::{RegistrationRow, registration_errors, registrations},
    },
    when::{Ago, thousands},
};
use leptos::{prelude::*, task::spawn_local};
use leptos_meta::Title;

#[component]
pub(crate) fn Registrations() -> impl IntoView {
    let list = Resource::new(|| (), |()| registrations(None));
    let problem = RwSignal::new(None::<Failure>);
    view! {
        <Title text="Registrations" />
        <div class="head"><h1>"Registrations"</h1></div>
        <p class="problem" role="alert">{move || problem.get().map(|failure| failure.sentence())}</p>
        <Suspense fallback=|| view! { <p class="loading">"Loading…"</p> }>
            {move || Suspend::new(async move {
                match list.await {
                    Err(failure) => view! { <p class="problem" role="alert">{failure.sentence()}</p> }.into_any(),
                    Ok(list) if list.rows.is_empty() => view! {
                        <div class="empty">
                            <h2>"Nothing has been registered yet"</h2>
                            <p>"Every file that is registered is listed here, with what failed in it."</p>
                            <p><a class="button" href="/devices">"Go to Devices"</a></p>
                        </div>
                    }.into_any(),
                    Ok(list) => view! {
                        <div class="scroll">
                            <table role="grid" aria-label="Registrations">
                                <thead>
                                    <tr>
                                        <th scope="col">"File"</th><th scope="col">"When"</th><th scope="col">"By"</th>
                                        <th scope="col" class="number">"Devices"</th>
                                        <th scope="col" class="number">"Registered"</th>
                                        <th scope="col" class="number">"Already registered"</th>
                                        <th scope="col" class="number">"Failed"</th>
                                        <th scope="col">"Errors"</th>
                                    </tr>
                                </thead>
                                <tbody>
                                    {list.rows.into_iter().map(|row| view! { <RegistrationLine row now_ms=list.now_ms problem /> }).collect_view()}
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

#[component]
fn RegistrationLine(row: RegistrationRow, now_ms: i64, problem: RwSignal<Option<Failure>>) -> impl IntoView {
    let id = row.id;
    let download = move |_| {
        spawn_local(async move {
            match registration_errors(id).await {
                Ok(bytes) => {
                    problem.set(None);
                    save::bytes("errors.csv", &[&bytes]);
                }
                Err(failure) => problem.set(Some(failure)),
            }
        });
    };
    let unfinished = (!row.finished).then(|| view! { <span class="chip warn" title="Not every part arrived. Upload the same file again to finish it.">"Unfinished"</span> });
    view! {
        <tr>
            <th scope="row">{row.file_name}" "{unfinished}</th>
            <td><Ago then_ms=row.begun_ms now_ms /></td>
            <td>{row.by}</td>
            <td class="number">{thousands(row.devices)}</td>
            <td class="number">{thousands(row.registered)}</td>
            <td class="number">{thousands(row.already)}</td>
            <td class="number">{thousands(row.failed)}</td>
            <td>{(row.failed > 0).then(|| view! { <button type="button" class="quiet" on:click=download>"errors.csv"</button> })}</td>
        </tr>
    }
    .into_any()
}
