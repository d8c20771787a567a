//! The HTML around every page, the navigation, and which address shows which page.

use crate::{
    browser::refresh,
    fns::{sent, session},
    lazy::{LazyPage, page},
    pages,
};
use leptos::prelude::*;
use leptos_meta::{MetaTags, Title, provide_meta_context};
use leptos_router::{
    components::{A, Outlet, ParentRoute, Redirect, Route, Router, Routes},
    path,
};
use std::sync::LazyLock;

/// Where the assets of this build are served: `/assets/HASH`. Provided by the server.
#[derive(Clone, Debug)]
pub struct AssetBase(pub String);

/// The script that runs before the page has started, without its comments: it is in every page.
static EARLY: LazyLock<String> = LazyLock::new(|| {
    let lines = include_str!("early.js").lines().map(str::trim_start);
    lines.filter(|line| !line.starts_with("//")).collect::<Vec<_>>().join("\n")
});

/// The whole HTML document.
pub fn shell() -> impl IntoView {
    let base = use_context::<AssetBase>().map(|base| base.0).unwrap_or_default();
    let nonce = leptos::nonce::use_nonce();
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <link rel="icon" type="image/svg+xml" href=format!("{base}/favicon.svg") />
                <link rel="stylesheet" href=format!("{base}/muster.css") />
                <link rel="modulepreload" href=format!("{base}/muster.js") />
                <script nonce=nonce.clone() inner_html=EARLY.as_str()></script>
                // Not a preload: WebKit does not give a preloaded file to a script, and so would fetch it twice.
                <script nonce=nonce.clone()>{format!("var musterWasm = fetch(\"{base}/muster_bg.wasm\");")}</script>
                <script type="module" src=format!("{base}/start.js") nonce=nonce></script>
                <MetaTags />
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}

/// The portal.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    // Tests, and people with very fast fingers, wait for this mark before the first click.
    Effect::new(|| {
        let _ = document().body().map(|body| body.set_attribute("data-hydrated", ""));
    });
    view! {
        <Title formatter=|page: String| format!("{page} · Muster") />
        <Router>
            <Routes fallback=|| view! { <pages::NotFound /> }>
                <Route path=path!("/sign-in") view=pages::SignIn />
                <ParentRoute path=path!("") view=Frame>
                    <Route path=path!("") view=|| view! { <Redirect path="/devices" /> } />
                    <Route path=path!("devices") view=pages::Devices />
                    <Route path=path!("devices/:name") view=|| page(LazyPage::Device) />
                    <Route path=path!("groups") view=|| page(LazyPage::Groups) />
                    <Route path=path!("models") view=|| page(LazyPage::Models) />
                    <Route path=path!("registrations") view=|| page(LazyPage::Registrations) />
                    <Route path=path!("settings") view=|| page(LazyPage::Settings) />
                </ParentRoute>
                <Route path=path!("/*any") view=pages::NotFound />
            </Routes>
        </Router>
    }
    .into_any()
}

/// The navigation, beside or above every page but the sign-in page.
#[component]
fn Frame() -> impl IntoView {
    let me = sent(|| (), |()| session::who_am_i());
    let sign_out = ServerAction::<session::SignOut>::new();
    Effect::new(move || {
        sign_out.value().with(|done| match done {
            Some(Ok(())) => {
                let _ = window().location().assign("/sign-in");
            }
            Some(Err(_)) => refresh::pause(false),
            None => {}
        });
    });
    let leave = move |_| {
        refresh::pause(true);
        sign_out.dispatch(session::SignOut {});
    };
    view! {
        <a class="skip" href="#main">"Skip to the content"</a>
        <header class="bar">
            <a class="brand" href="/devices" aria-label="Muster"><span class="mark" aria-hidden="true"></span>"Muster"</a>
            <nav aria-label="Main">
                <A href="/devices">"Devices"</A>
                <A href="/groups">"Device groups"</A>
                <A href="/models">"Models"</A>
                <A href="/registrations">"Registrations"</A>
                <A href="/settings">"Settings"</A>
            </nav>
            <div class="person">
                <Suspense>
                    {move || Suspend::new(async move {
                        me.await.ok().map(|me| {
                            let account = format!("Account {}", me.account);
                            view! { <span class="who" title=account>{me.email}</span> }
                        })
                    })}
                </Suspense>
                <button class="quiet" type="button" on:click=leave>"Sign out"</button>
            </div>
        </header>
        <main id="main" tabindex="-1"><Outlet /></main>
    }
    .into_any()
}
