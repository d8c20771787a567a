//! What every page and server function has: its context, and the call of a server function.

use crate::{assets, security_headers};
use axum::{
    Json,
    body::Body,
    extract::{FromRef, Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use leptos::prelude::{LeptosOptions, provide_context, use_context};
use leptos::server_fn::axum::server_fn_paths;
use leptos_axum::{ResponseOptions, handle_server_fns_with_context};
use muster_app::{AssetBase, fns::Failure};
use muster_registry::Registry;

/// What the pages and server functions share.
#[derive(Clone)]
pub(crate) struct AppState {
    leptos: LeptosOptions,
    registry: Registry,
}

impl AppState {
    pub(crate) fn new(registry: Registry) -> Self {
        Self { leptos: LeptosOptions::builder().output_name("muster").build(), registry }
    }
}

impl FromRef<AppState> for LeptosOptions {
    fn from_ref(state: &AppState) -> Self {
        state.leptos.clone()
    }
}

/// What every page and server function finds in its context.
pub(crate) fn page_context(state: &AppState) -> impl Fn() + Clone + Send + Sync + 'static {
    let registry = state.registry.clone();
    move || {
        provide_context(registry.clone());
        provide_context(AssetBase(assets::BASE.clone()));
        if let (Some(answer), Some(nonce)) = (use_context::<ResponseOptions>(), leptos::nonce::use_nonce())
            && let Ok(policy) = HeaderValue::from_str(&security_headers::page_policy(&nonce))
        {
            answer.insert_header(header::CONTENT_SECURITY_POLICY, policy);
        }
    }
}

/// `POST /fn/…`: calls the server function of this path.
pub(crate) async fn server_function(State(state): State<AppState>, request: Request<Body>) -> Response {
    if !server_fn_paths().any(|(path, _)| path == request.uri().path()) {
        return (StatusCode::NOT_FOUND, Json(Failure::other_version())).into_response();
    }
    handle_server_fns_with_context(page_context(&state), request).await.into_response()
}
