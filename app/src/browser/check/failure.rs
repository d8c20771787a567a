//! Why a check did not start, or stopped.
//!
//! Where a worker cannot start, every browser fires an error event that says nothing. So the page requests the worker's
//! scripts itself: what becomes of that request is the cause.

use crate::browser::file;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{RequestCache, RequestInit, Response};

/// Why a file was not checked.
pub(crate) struct CheckFailure {
    /// What happened and what to do.
    pub(crate) sentence: String,
    /// Whether checking the same file again may succeed.
    pub(crate) can_retry: bool,
}

impl CheckFailure {
    /// The file itself could not be read, with a `DOMException` of this name.
    pub(super) fn unreadable(name: &str) -> Self {
        Self { sentence: file::unreadable_named(name), can_retry: false }
    }

    pub(super) fn outdated() -> Self {
        Self { sentence: "Muster was updated. Reload the page.".to_owned(), can_retry: false }
    }

    fn retryable(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), can_retry: true }
    }

    pub(super) fn blocked() -> Self {
        Self::retryable(
            "The check is blocked by a security policy or by an extension of this browser. Allow scripts, workers and \
             WebAssembly for this site, then try again.",
        )
    }

    pub(super) fn out_of_memory() -> Self {
        Self::retryable("The browser ran out of memory during the check. Close other tabs, then try again.")
    }

    /// The worker started, and then failed with this message.
    pub(super) fn stopped(message: &str) -> Self {
        Self::retryable(format!("The check stopped unexpectedly ({message}). Try again."))
    }

    /// The cause is none that can be seen from here.
    fn not_started(message: &str) -> Self {
        let message = if message.is_empty() { String::new() } else { format!(" ({message})") };
        Self::retryable(format!(
            "The browser could not start the check{message}. Try again. If that does not help, reload the page."
        ))
    }
}

/// Requests the scripts of a worker that did not start, and concludes from the answers why.
pub(super) async fn diagnose(scripts: [String; 2], message: &str) -> CheckFailure {
    for script in scripts {
        let Some(response) = request(&script).await else {
            // An extension stops the request for one script, a network that is gone stops all.
            return if request("/healthz").await.is_some() {
                CheckFailure::blocked()
            } else {
                CheckFailure::retryable("Can't reach Muster. Check the connection, then try again.")
            };
        };
        let header = |name| response.headers().get(name).ok().flatten().unwrap_or_default();
        if let Some(failure) = cause(
            response.status(),
            &header("content-type"),
            &header("content-security-policy"),
            &header("cache-control"),
        ) {
            return failure;
        }
    }
    CheckFailure::not_started(message)
}

/// The server's answer, past the browser's cache.
async fn request(url: &str) -> Option<Response> {
    let options = RequestInit::new();
    options.set_cache(RequestCache::NoStore);
    JsFuture::from(window().fetch_with_str_and_init(url, &options)).await.ok()?.dyn_into().ok()
}

/// Why a worker does not start from a script with this answer; `None`: it should have started.
fn cause(status: u16, media_type: &str, policy: &str, caching: &str) -> Option<CheckFailure> {
    match status {
        200..=299 => {}
        404 | 410 => return Some(CheckFailure::outdated()),
        _ => {
            return Some(CheckFailure::retryable(format!(
                "The server could not send the program for the check (status {status}). Try again in a moment."
            )));
        }
    }
    if !media_type.contains("javascript") {
        return Some(CheckFailure::retryable(
            "Something between this browser and Muster, such as a proxy or its sign-in page, answered instead of Muster. \
             Sign in there in another tab, then try again.",
        ));
    }
    if !allows_worker(policy) {
        return Some(CheckFailure::blocked());
    }
    // The server marks what belongs to the page's own build as immutable, and nothing else.
    (!caching.contains("immutable")).then(CheckFailure::outdated)
}

/// Whether a worker that is served with this Content-Security-Policy may import its scripts and run its WASM.
fn allows_worker(policy: &str) -> bool {
    // Several policies are separated by commas, and all of them apply.
    policy.split(',').all(|policy| {
        let sources = |name: &str| {
            policy
                .split(';')
                .map(|directive| directive.split_ascii_whitespace().collect::<Vec<_>>())
                .find(|directive| directive.first().is_some_and(|first| first.eq_ignore_ascii_case(name)))
        };
        let allows = |name, any_of: &[&str]| {
            let Some(sources) = sources(name).or_else(|| sources("default-src")) else { return true };
            sources.iter().any(|source| any_of.contains(source))
        };
        allows("script-src", &["'self'", "*"])
            && allows("script-src", &["'wasm-unsafe-eval'", "'unsafe-eval'"])
            && allows("connect-src", &["'self'", "*"])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answer_tells_the_cause() {
        const SCRIPT: &str = "text/javascript";
        const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";
        const CURRENT: &str = "public, max-age=31536000, immutable";
        let rows = [
            (200, SCRIPT, POLICY, CURRENT, ""),
            (200, SCRIPT, "", CURRENT, ""),
            (404, SCRIPT, POLICY, CURRENT, "updated"),
            (410, SCRIPT, POLICY, CURRENT, "updated"),
            (200, SCRIPT, POLICY, "no-store", "updated"),
            (503, "application/problem+json", POLICY, "no-store", "status 503"),
            (429, "application/problem+json", POLICY, "no-store", "status 429"),
            (200, "text/html", "", "", "proxy"),
            (200, SCRIPT, "default-src 'none'", CURRENT, "blocked"),
            (200, SCRIPT, "Default-Src 'none'; frame-ancestors 'none'", CURRENT, "blocked"),
            (200, SCRIPT, "script-src 'self'; connect-src 'self'", CURRENT, "blocked"),
            (200, SCRIPT, "script-src 'self' 'wasm-unsafe-eval'; connect-src 'none'", CURRENT, "blocked"),
            (200, SCRIPT, &format!("{POLICY}, script-src 'none'"), CURRENT, "blocked"),
            (200, SCRIPT, "script-src * 'unsafe-eval'; connect-src *", CURRENT, ""),
        ];
        for (status, media_type, policy, caching, expected) in rows {
            let sentence = cause(status, media_type, policy, caching).map(|failure| failure.sentence);
            let is_expected = sentence
                .as_deref()
                .map_or(expected.is_empty(), |sentence| !expected.is_empty() && sentence.contains(expected));
            assert!(is_expected, "{status} {media_type} {policy:?} {caching:?}: {sentence:?}");
        }
    }
}
