//! `muster serve`: the portal and the device endpoint.

use crate::{
    armour::{self, PublicUrl},
    assets,
    command_line::ServeSettings,
    connections, device_endpoint,
    overload::{self, Lane},
    people,
    problem::Problem,
    session_layer,
    stopping::{self, DRAIN_TIMEOUT, Stop},
};
use axum::{
    Router,
    body::Body,
    extract::{DefaultBodyLimit, FromRef, Request, State},
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http::{HeaderValue, StatusCode, header};
use leptos::prelude::{LeptosOptions, provide_context, use_context};
use leptos_axum::{LeptosRoutes, ResponseOptions, generate_route_list, handle_server_fns_with_context};
use muster_app::{
    App, AssetBase,
    fns::{registrations::MAX_PART_BYTES, session::SecureCookies},
    shell,
};
use muster_registry::{Password, Registry};
use std::time::Duration;
use tower_http::{catch_panic::CatchPanicLayer, timeout::TimeoutLayer, trace::TraceLayer};

/// Reports of devices under way at once, if they are small. All of them have less than 64 MiB in their bodies.
const DEVICE_REQUESTS: usize = 256;

/// A report takes one place more for each of these that it has: large ones take long to check and to store.
const BYTES_A_PLACE: usize = 16 * 1024;

/// Pages and server functions under way at once.
const PAGE_REQUESTS: usize = 128;

/// Of those, the ones that are about 10,000 devices at a time. A part of a file is at most 3 MiB, and the registry
/// holds about ten times that for it. They take a connection to the database each, and must leave some to the others.
const BULK_REQUESTS: usize = 12;

/// Whether it is one of those: 1 or 0.
fn bulk_places(request: &Request) -> u32 {
    const FUNCTIONS: [&str; 6] = [
        "register-part",
        "registration-errors",
        "generate-tokens",
        "change-devices",
        "export-devices",
        "undo-registration",
    ];
    request.uri().path().strip_prefix("/fn/").is_some_and(|name| FUNCTIONS.contains(&name)).into()
}

fn device_places(request: &Request) -> u32 {
    // Who does not say how much is to come is taken for one who sends as much as there may be.
    let says = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let bytes = says.unwrap_or(device_endpoint::MAX_BODY_BYTES).min(device_endpoint::MAX_BODY_BYTES);
    1 + (bytes / BYTES_A_PLACE) as u32
}

/// The longest a request may take. A part of 10,000 rows takes well below a second.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

#[derive(Clone)]
struct AppState {
    leptos: LeptosOptions,
    registry: Registry,
    public: PublicUrl,
}

impl FromRef<AppState> for LeptosOptions {
    fn from_ref(state: &AppState) -> Self {
        state.leptos.clone()
    }
}

impl FromRef<AppState> for Registry {
    fn from_ref(state: &AppState) -> Self {
        state.registry.clone()
    }
}

/// Opens the registry, serves until it is asked to stop, and closes the registry.
pub(crate) async fn serve(settings: ServeSettings, stop: &Stop) -> Result<(), String> {
    if !assets::are_embedded() {
        return Err("this binary was built without its web page. Build it with `make build`".to_owned());
    }
    overload::raise_open_files();
    let public = PublicUrl::parse(settings.public_url.as_deref())?;
    let registry = people::open(&settings.database, stop).await?;
    let served = serve_until_stopped(&settings, public, &registry, stop).await;
    stopping::close(&registry).await;
    tracing::info!("stopped");
    served
}

/// Makes the first person at the first start, and serves.
async fn serve_until_stopped(
    settings: &ServeSettings,
    public: PublicUrl,
    registry: &Registry,
    stop: &Stop,
) -> Result<(), String> {
    let first = first_start(registry, settings).await?;

    let listener = connections::listen(settings.listen);
    let listener = listener
        .map_err(|error| format!("{} cannot be listened on: {error}. Choose another with --listen", settings.listen))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let shown = settings.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
    println!("Muster is at {shown}");
    if let Some(sentence) = first {
        println!("{sentence}");
    }

    let server = connections::serve(listener, router(registry.clone(), public, stop.clone()), stop.requested());
    let too_late = async {
        stop.requested().await;
        tokio::time::sleep(DRAIN_TIMEOUT).await;
    };
    tokio::select! {
        () = server => {}
        () = too_late => tracing::warn!("requests are still under way: they are cut off"),
    }
    Ok(())
}

/// The account `main` and the first person, where there is nobody yet; gives what to print about them, once.
async fn first_start(registry: &Registry, settings: &ServeSettings) -> Result<Option<String>, String> {
    if registry.has_people().await.map_err(|error| error.to_string())? {
        return Ok(None);
    }
    let (password, made) = match &settings.admin_password {
        Some(password) => (password.clone(), false),
        None => (registry.random_password(), true),
    };
    let email = &settings.admin_email;
    let given = Password::new(password.clone()).map_err(|error| format!("MUSTER_ADMIN_PASSWORD: {error}"))?;
    if !registry.ensure_first_start(email, &given).await.map_err(|error| error.to_string())? {
        return Ok(None);
    }
    tracing::info!(account = "main", user = email.as_str(), by = "the first start", "account and user added");
    let sentence = if made {
        format!("Sign in as {email} with the password {password} (shown only now)")
    } else {
        format!("Sign in as {email}")
    };
    Ok(Some(sentence))
}

fn router(registry: Registry, public: PublicUrl, stop: Stop) -> Router {
    let state = AppState {
        leptos: LeptosOptions::builder().output_name("muster").build(),
        registry: registry.clone(),
        public: public.clone(),
    };
    let context = page_context(&state);
    let pages = Router::new()
        .route("/fn/{*function}", post(server_function))
        .layer(DefaultBodyLimit::max(MAX_PART_BYTES + 64 * 1024))
        .layer(tower_http::limit::RequestBodyLimitLayer::new(MAX_PART_BYTES + 64 * 1024))
        .leptos_routes_with_context(&state, generate_route_list(App), context, shell)
        .layer(middleware::from_fn_with_state(registry.clone(), session_layer::find_person))
        .layer(middleware::from_fn_with_state(public.clone(), armour::only_our_pages))
        .layer(middleware::from_fn_with_state(Lane::of(BULK_REQUESTS, bulk_places), overload::admit))
        .layer(middleware::from_fn_with_state(Lane::of(PAGE_REQUESTS, |_| 1), overload::admit))
        .with_state(state);
    let devices = device_endpoint::routes()
        .layer(middleware::from_fn_with_state(Lane::of(DEVICE_REQUESTS, device_places), overload::admit))
        .with_state(registry.clone());
    let limited = Router::new()
        .merge(pages)
        .nest("/device/v1", devices)
        .fallback(|| async { Problem::new(StatusCode::NOT_FOUND, "There is nothing at this address.") })
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, REQUEST_TIMEOUT))
        .layer(middleware::from_fn_with_state(stop.clone(), stopping::refuse_new));
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready).with_state((registry, stop)))
        .route("/assets/{hash}/{name}", get(assets::serve))
        .merge(limited)
        .layer(middleware::from_fn(overload::retry_after))
        .layer(middleware::from_fn(connections::read_away))
        .layer(middleware::from_fn_with_state(public, armour::headers))
        .layer(CatchPanicLayer::custom(|_| {
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "The server has a fault. It is in its log.").into_response()
        }))
        .layer(TraceLayer::new_for_http())
}

/// What every page and server function finds in its context.
fn page_context(state: &AppState) -> impl Fn() + Clone + Send + Sync + 'static {
    let registry = state.registry.clone();
    let secure = SecureCookies(state.public.is_https());
    move || {
        provide_context(registry.clone());
        provide_context(secure);
        provide_context(AssetBase(assets::BASE.clone()));
        if let (Some(answer), Some(nonce)) = (use_context::<ResponseOptions>(), leptos::nonce::use_nonce())
            && let Ok(policy) = HeaderValue::from_str(&armour::page_policy(&nonce))
        {
            answer.insert_header(header::CONTENT_SECURITY_POLICY, policy);
        }
    }
}

async fn server_function(State(state): State<AppState>, request: Request<Body>) -> Response {
    handle_server_fns_with_context(page_context(&state), request).await.into_response()
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

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test says what it expects")]
    use super::*;

    #[test]
    fn large_reports_take_more_places() {
        let check = |length: Option<&str>, expected: u32| {
            let request = length
                .into_iter()
                .fold(http::Request::post("/"), |request, length| request.header(header::CONTENT_LENGTH, length));
            assert_eq!(device_places(&request.body(Body::empty()).unwrap()), expected, "{length:?}");
        };
        check(Some("40"), 1);
        check(Some("16384"), 2);
        check(Some("262144"), 17);
        check(Some("99999999999"), 17);
        check(Some("many"), 17);
        check(None, 17);
    }

    #[test]
    fn what_is_about_many_devices_goes_by_one_lane() {
        let check = |path: &str, expected: u32| {
            assert_eq!(bulk_places(&http::Request::post(path).body(Body::empty()).unwrap()), expected, "{path}");
        };
        check("/fn/register-part", 1);
        check("/fn/registration-errors", 1);
        check("/fn/devices", 0);
        check("/devices", 0);
    }
}
