//! `muster serve`: the portal and the device endpoint.

use crate::{
    assets, client,
    client::TrustedProxies,
    command_line::{LimitSettings, ServeSettings},
    connections::{self, ConnectionLimits},
    database,
    device_endpoint::{self, Endpoint},
    metrics_endpoint::{self, Metrics},
    overload::{self, Limits},
    pages::{AppState, page_context, server_function},
    problem::Problem,
    public_url::PublicUrl,
    refusals::{self, Refusals},
    request_id::{self, RequestId},
    security_headers,
    session_layer::{self, Sessions},
    sign_in_form,
    stopping::{self, DRAIN_TIMEOUT, Stop},
};
use axum::{
    Router,
    body::Body,
    extract::{DefaultBodyLimit, Request, State},
    middleware::{from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http::{StatusCode, header};
use leptos_axum::{LeptosRoutes, generate_route_list};
use muster_app::{App, shell};
use muster_registry::{OpenOptions, Password, Registry};
use std::{net::SocketAddr, time::Duration};
use tokio::net::TcpListener;
use tower_http::{catch_panic::CatchPanicLayer, compression::CompressionLayer, trace::TraceLayer};
use tracing::{Span, field::Empty};

/// Open files beside connections: the databases, the log, and what the system itself needs.
const OTHER_FILES: u64 = 128;

/// Concurrent connections to the separate listener of the metrics.
const MAX_METRICS_CONNECTIONS: usize = 64;

/// Opens the registry, serves until it is asked to stop, and closes the registry.
pub(crate) async fn serve(settings: ServeSettings, stop: &Stop) -> Result<(), String> {
    if !assets::are_embedded() {
        return Err("this binary was built without its web page. Build it with `make build`".to_owned());
    }
    let max_connections = max_connections(&settings.limits, overload::raise_open_files());
    let public = PublicUrl::parse(settings.public_url.as_deref())?;
    let registry = database::open(&settings.database, open_options(&settings), stop).await?;
    let served = serve_until_stopped(&settings, public, max_connections, &registry, stop).await;
    stopping::close(&registry).await;
    tracing::info!("stopped");
    served
}

fn open_options(settings: &ServeSettings) -> OpenOptions {
    let mut options = OpenOptions { may_migrate: !settings.no_migrate, ..OpenOptions::default() };
    if let Some(mib) = settings.index_memory {
        options.index.memory_bytes = (mib as usize).saturating_mul(1024 * 1024);
    }
    options
}

/// Creates the first user at the first start, and serves until it is asked to stop.
async fn serve_until_stopped(
    settings: &ServeSettings,
    public: PublicUrl,
    max_connections: usize,
    registry: &Registry,
    stop: &Stop,
) -> Result<(), String> {
    let limits = &settings.limits;
    let first = first_start(registry, settings).await?;

    let listener = listen(settings.listen, "--listen")?;
    let metrics_listener = settings.metrics_listen.map(|address| listen(address, "--metrics-listen")).transpose()?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let shown = public.shown().unwrap_or_else(|| format!("http://{address}"));
    println!("Muster is at {shown}");
    if let Some(sentence) = first {
        println!("{sentence}");
    }

    let (proxies, refusals) = (limits.trusted_proxies.clone(), Refusals::default());
    let connection_limits =
        ConnectionLimits::new(max_connections, limits.max_connections_per_address.get(), proxies, refusals.clone());
    let metrics = Metrics::start(registry.clone(), connection_limits.open_connections())?;
    let shared_route = if metrics_listener.is_none() { metrics.clone().internal_route() } else { Router::new() };
    let router = router(registry.clone(), public, limits, refusals.clone(), stop.clone(), shared_route);
    let server = connections::serve(listener, router, connection_limits, stop.requested());
    let metrics_server = serve_metrics(metrics_listener, metrics.clone(), refusals.clone(), stop);
    let too_late = async {
        stop.requested().await;
        tokio::time::sleep(DRAIN_TIMEOUT).await;
    };
    tokio::select! {
        () = async { tokio::join!(server, metrics_server); } => {}
        () = too_late => tracing::warn!("requests are still under way: they are cut off"),
        () = refusals.write_summaries() => {}
        () = metrics.upkeep() => {}
    }
    Ok(())
}

/// Listens at this address; the error names the setting to change.
fn listen(address: SocketAddr, setting: &str) -> Result<TcpListener, String> {
    connections::listen(address)
        .map_err(|error| format!("{address} cannot be listened on: {error}. Choose another with {setting}"))
}

/// Serves the metrics on their separate listener, if there is one.
async fn serve_metrics(listener: Option<TcpListener>, metrics: Metrics, refusals: Refusals, stop: &Stop) {
    let Some(listener) = listener else { return };
    if let Ok(address) = listener.local_addr() {
        tracing::info!(%address, "metrics are served");
    }
    let limits =
        ConnectionLimits::new(MAX_METRICS_CONNECTIONS, MAX_METRICS_CONNECTIONS, TrustedProxies::default(), refusals);
    connections::serve(listener, metrics.route(), limits, stop.requested()).await;
}

/// The connections that there may be: each is an open file.
fn max_connections(limits: &LimitSettings, open_files: u64) -> usize {
    let possible = usize::try_from(open_files.saturating_sub(OTHER_FILES)).unwrap_or(usize::MAX).max(1);
    if possible < limits.max_connections.get() {
        tracing::warn!("the system allows {open_files} open files, and so {possible} connections");
    }
    limits.max_connections.get().min(possible)
}

/// Creates the account `main` and the first user, if there is no user yet. Returns the sentence to print about them.
async fn first_start(registry: &Registry, settings: &ServeSettings) -> Result<Option<String>, String> {
    if registry.has_users().await.map_err(|error| error.to_string())? {
        return Ok(None);
    }
    let (password, is_generated) = match &settings.admin_password {
        Some(password) => (password.clone(), false),
        None => (registry.random_password(), true),
    };
    let email = &settings.admin_email;
    let given = Password::new(password.clone()).map_err(|error| format!("MUSTER_ADMIN_PASSWORD: {error}"))?;
    if !registry.ensure_first_start(email, &given).await.map_err(|error| error.to_string())? {
        return Ok(None);
    }
    tracing::info!(account = "main", user = email.as_str(), by = "the first start", "account and user added");
    let sentence = if is_generated {
        format!("Sign in as {email} with the password {password} (shown only once)")
    } else {
        format!("Sign in as {email}")
    };
    Ok(Some(sentence))
}

pub(crate) fn router(
    registry: Registry,
    public: PublicUrl,
    settings: &LimitSettings,
    refusals: Refusals,
    stop: Stop,
    metrics_route: Router,
) -> Router {
    let limits = Limits::new(settings);
    let state = AppState::new(registry.clone());
    let context = page_context(&state);
    let sessions = Sessions { registry: registry.clone(), limits: limits.clone(), public: public.clone() };
    // The last layer is the first that a request meets.
    let pages = Router::new()
        .route("/fn/{*function}", post(server_function))
        .route("/sign-in", post(sign_in_form::sign_in).layer(DefaultBodyLimit::max(sign_in_form::MAX_FORM_BYTES)))
        .leptos_routes_with_context(&state, generate_route_list(App), context, shell)
        .layer(CompressionLayer::new().compress_when(is_page))
        .layer(from_fn_with_state(limits.clone(), overload::admit_page))
        .layer(from_fn_with_state(sessions, session_layer::authenticate_session))
        .layer(from_fn_with_state(public.clone(), security_headers::only_our_pages))
        .with_state(state);
    let devices = device_endpoint::routes(Endpoint { registry: registry.clone(), limits: limits.clone() });
    let limited = Router::new()
        .merge(pages)
        .nest("/device/v1", devices)
        .fallback(|| async { Problem::not_found() })
        .layer(from_fn_with_state(stop.clone(), stopping::refuse_new))
        .route("/assets/{hash}/{name}", get(assets::serve))
        .layer(from_fn_with_state(limits, overload::limit_address));
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready).with_state((registry, stop)))
        .merge(metrics_route)
        .merge(limited)
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
        .layer(from_fn(connections::drain_unread_body))
        .layer(from_fn_with_state(public, security_headers::headers))
        .layer(CatchPanicLayer::custom(|_| {
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error. Details are in the server's log.")
                .into_response()
        }))
        .layer(from_fn_with_state(refusals, refusals::count))
        .layer(from_fn(metrics_endpoint::count_request))
        .layer(TraceLayer::new_for_http().make_span_with(span).on_response(log_response).on_failure(()))
        .layer(from_fn(request_id::assign))
        .layer(from_fn_with_state(settings.trusted_proxies.clone(), client::identify))
}

/// The fields of every log line about a request. The query is left out, because it holds search terms. The account, and
/// the id of a device, are recorded once they are known.
fn span(request: &Request<Body>) -> Span {
    let id = request.extensions().get::<RequestId>().map(RequestId::as_str);
    tracing::info_span!("request", id, method = %request.method(), path = request.uri().path(), account = Empty, device = Empty)
}

/// One line for each response: an error if the server has a fault. What it refuses is summed up (`refusals.rs`).
fn log_response(response: &Response, latency: Duration, _: &Span) {
    let (status, latency_ms) = (response.status(), latency.as_millis());
    if status.is_server_error() && status != StatusCode::SERVICE_UNAVAILABLE {
        tracing::error!(%status, latency_ms, "a request failed");
    } else {
        tracing::debug!(%status, latency_ms, "a response was sent");
    }
}

/// A page of 100 devices is 60 kB, and a tenth of that with gzip. No page holds a secret beside what a stranger can put
/// into its address. What a server function answers stays as it is: tokens do not compress.
fn is_page(_: StatusCode, _: http::Version, headers: &http::HeaderMap, _: &http::Extensions) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

/// `GET /readyz`: that it can serve.
async fn ready(State((registry, stop)): State<(Registry, Stop)>) -> Response {
    if stop.is_requested() {
        return Problem::new(StatusCode::SERVICE_UNAVAILABLE, "This server is stopping.").into_response();
    }
    match registry.ready().await {
        Ok(()) => "ready\n".into_response(),
        Err(reason) => Problem::new(StatusCode::SERVICE_UNAVAILABLE, reason).into_response(),
    }
}
