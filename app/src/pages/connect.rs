//! *Connect this device*: how it sends its first data.

use crate::{copy::CopyText, fns::models::example_report};
use leptos::{prelude::*, task::spawn_local};
use muster_domain::ModelName;

/// A command that sends data as the device would, with values that its model allows.
#[component]
pub(super) fn Connect(model: ModelName) -> impl IntoView {
    let origin = RwSignal::new(String::new());
    let example = RwSignal::new(None::<String>);
    Effect::new(move || {
        origin.set(window().location().origin().unwrap_or_default());
        let model = model.clone();
        spawn_local(async move {
            // Without an answer, the command has no data to begin with.
            let answer = example_report(model).await.ok().flatten();
            example.try_set(answer);
        });
    });
    let command = move || command(&origin.get(), example.get().as_deref().unwrap_or("{}"));
    view! {
        <section class="card">
            <h2>"Connect this device"</h2>
            <p>"Put the device's token from tokens.csv in place of TOKEN. If it is lost, generate another one: tokens can't be shown again."</p>
            <CopyText text=Signal::derive(command) label="A command that sends data" />
        </section>
    }
    .into_any()
}

/// The command for a POSIX shell.
fn command(origin: &str, body: &str) -> String {
    let body = body.replace('\'', r"'\''");
    format!("curl {origin}/device/v1/state \\\n  -H \"Authorization: Bearer TOKEN\" \\\n  -d '{body}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_in_the_body_are_escaped_for_the_shell() {
        let command = command("https://muster.example", r#"{"a":"it's"}"#);
        let last = command.lines().last();
        assert_eq!(last, Some(r#"  -d '{"a":"it'\''s"}'"#));
    }
}
