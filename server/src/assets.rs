//! The web assets, which are inside the binary.
//!
//! They are served below `/assets/HASH/`, where HASH is one hash over all of them: a page of one build never
//! mixes with assets of another, and browsers may keep them for ever.

use axum::{
    body::Bytes,
    extract::Path,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use rust_embed::EmbeddedFile;
use sha2::{Digest, Sha256};
use std::{
    borrow::Cow,
    sync::{LazyLock, OnceLock},
};

/// The files that a page loads.
pub struct Site {
    /// The names of all of them.
    pub names: fn() -> Vec<Cow<'static, str>>,
    /// The file of a name.
    pub get: fn(&str) -> Option<EmbeddedFile>,
}

static SITE: OnceLock<Site> = OnceLock::new();

/// Serves these files from now on; the first call counts.
pub(crate) fn embed(site: Site) {
    // A process has one page.
    let _ = SITE.set(site);
}

fn file(name: &str) -> Option<EmbeddedFile> {
    (SITE.get()?.get)(name)
}

/// The path prefix of every asset: `/assets/HASH`.
pub(crate) static BASE: LazyLock<String> = LazyLock::new(|| {
    let mut names = SITE.get().map(|site| (site.names)()).unwrap_or_default();
    names.sort();
    let mut all = Sha256::new();
    for file in names.iter().filter_map(|name| file(name)) {
        all.update(file.metadata.sha256_hash());
    }
    let hash: String = all.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("/assets/{hash}")
});

/// The Content-Security-Policy of scripts. A page has its own; but in Firefox and WebKit, and for WASM in Chromium, a worker
/// has that of its script, and the check's worker imports another script, loads WASM, and runs it.
const SCRIPT_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; frame-ancestors 'none'",
);

/// True where the binary was built with its page.
pub(crate) fn are_embedded() -> bool {
    file("muster_bg.wasm").is_some()
}

/// What a page of another build may have as well: its look, and the script that says that it cannot start.
const FOR_ANY_BUILD: [&str; 3] = ["start.js", "muster.css", "favicon.svg"];

/// Answers with an asset, compressed as the browser takes it.
pub(crate) async fn serve(Path((hash, name)): Path<(String, String)>, headers: HeaderMap) -> Response {
    let is_current = BASE.strip_prefix("/assets/").is_some_and(|current| current == hash);
    // Parts of two builds must not meet in one page: their functions have other numbers.
    if !is_current && !FOR_ANY_BUILD.contains(&&*name) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let accepts = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let compressed = [("br", "br"), ("gzip", "gz")]
        .into_iter()
        .filter(|(coding, _)| is_accepted(accepts, coding))
        .find_map(|(coding, ending)| Some((Some(coding), file(&format!("{name}.{ending}"))?)));
    let Some((coding, found)) = compressed.or_else(|| Some((None, file(&name)?))) else {
        return StatusCode::NOT_FOUND.into_response();
    };

    let mime = mime_guess::from_path(&name).first_or_octet_stream();
    // It is in the binary: a copy for each request would be 2 MiB for each client that does not read.
    let bytes = match found.data {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => Bytes::from(bytes),
    };
    let mut response = bytes.into_response();
    let answer = response.headers_mut();
    if mime.subtype() == "javascript" {
        answer.insert(header::CONTENT_SECURITY_POLICY, SCRIPT_POLICY);
    }
    if let Ok(mime) = HeaderValue::from_str(mime.as_ref()) {
        answer.insert(header::CONTENT_TYPE, mime);
    }
    answer.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(coding) = coding {
        answer.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    // A page of another build must not keep a file of this one under its own name.
    let keep = if is_current { "public, max-age=31536000, immutable" } else { "no-store" };
    answer.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    response
}

/// Whether an `Accept-Encoding` header names a coding, and not with the quality 0 (RFC 9110, 12.5.3).
fn is_accepted(header: &str, coding: &str) -> bool {
    header.split(',').any(|entry| {
        let (name, parameters) = entry.split_once(';').unwrap_or((entry, ""));
        let quality = parameters.trim().strip_prefix(['q', 'Q']).and_then(|value| value.strip_prefix('='));
        let quality = quality.map(|quality| quality.trim().parse::<f32>().unwrap_or(0.0));
        name.trim().eq_ignore_ascii_case(coding) && quality.is_none_or(|quality| quality > 0.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codings_are_accepted_unless_their_quality_is_zero() {
        let check = |header: &str, coding: &str, expected: bool| {
            assert_eq!(is_accepted(header, coding), expected, "{coding} in {header:?}");
        };
        check("gzip, deflate, br, zstd", "br", true);
        check("gzip, deflate, br, zstd", "gzip", true);
        check("", "br", false);
        check("deflate", "br", false);
        check("brotli", "br", false);
        check("BR;q=0.5 , gzip", "br", true);
        check("br;q=0, gzip;q=1.0", "br", false);
        check("br; q=0.000", "br", false);
        check("br;Q=0", "br", false);
        check("br;q=high", "br", false);
    }
}
