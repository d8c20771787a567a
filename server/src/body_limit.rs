//! The largest body of each server function.
//!
//! `leptos_axum` adds a route for each server function by itself, past the layers that other routes of the same router
//! have. So `overload.rs` receives the bodies of all of them, up to these limits, and lifts axum's default of 2 MiB.

use muster_app::fns::registrations::MAX_PART_BYTES;
use muster_domain::ThingModel;

/// The overhead of the largest requests: an id, some numbers, and the columns of a file.
const ENVELOPE_BYTES: usize = 4 * 1024;

/// A filter with 1,000 device groups has up to 515 kB (128 characters of 4 bytes each), and a search for 1,000 device
/// names up to 131 kB.
const MAX_FILTER_BYTES: usize = 1024 * 1024;

/// 10,000 device names of 128 characters, in quotes and with commas, and a filter.
const MAX_TARGETS_BYTES: usize = 10_000 * 131 + MAX_FILTER_BYTES;

/// The largest body that is accepted at this path.
pub(crate) fn max_body_bytes(path: &str) -> usize {
    match path.strip_prefix("/fn/") {
        Some("register-part" | "dry-run-part") => MAX_PART_BYTES + ENVELOPE_BYTES,
        // A little more than a model may have, so that the sentence about that comes from where models are checked.
        Some("upload-model") => ThingModel::MAX_BYTES + ENVELOPE_BYTES,
        Some("change-devices" | "generate-tokens" | "export-devices") => MAX_TARGETS_BYTES,
        _ => MAX_FILTER_BYTES,
    }
}
