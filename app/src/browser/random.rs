//! The browser's random numbers.

use leptos::prelude::*;
use uuid::{Builder, Uuid};

/// A random id. `crypto.randomUUID` would need a page that was loaded over TLS.
pub(crate) fn id() -> Option<Uuid> {
    let mut bytes = [0; 16];
    window().crypto().ok()?.get_random_values_with_u8_array(&mut bytes).ok()?;
    Some(Builder::from_random_bytes(bytes).into_uuid())
}
