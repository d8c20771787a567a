//! Drawing at random.

use leptos::prelude::*;
use uuid::{Builder, Uuid};

/// An id that nobody else has. Unlike `crypto.randomUUID`, it can be drawn where the page came without TLS, too.
pub(crate) fn id() -> Option<Uuid> {
    let mut bytes = [0; 16];
    window().crypto().ok()?.get_random_values_with_u8_array(&mut bytes).ok()?;
    Some(Builder::from_random_bytes(bytes).into_uuid())
}
