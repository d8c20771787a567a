//! What devices call, with their own token: `/device/v1/…`.

use crate::{
    client::source_of,
    metrics_endpoint::ReportOutcome,
    overload::{Limits, WORK_TIMEOUT},
    problem::Problem,
};
use axum::{
    Extension, Router,
    body::Bytes,
    extract::{Request, State},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{any, post},
};
use http::{HeaderMap, StatusCode, header};
use muster_domain::SecurityToken;
use muster_registry::{AuthError, AuthenticatedDevice, Registry, StateError, StoreError};
use std::sync::Arc;
use tokio::time::timeout;
use tracing::Span;

/// The largest body a device may send.
pub(crate) const MAX_BODY_BYTES: usize = 256 * 1024;

/// The state of the endpoint.
#[derive(Clone)]
pub(crate) struct Endpoint {
    pub(crate) registry: Registry,
    pub(crate) limits: Arc<Limits>,
}

/// The routes, below `/device/v1`.
pub(crate) fn routes(endpoint: Endpoint) -> Router {
    Router::new()
        .route("/state", post(state).fallback(not_this_method))
        .route_layer(from_fn_with_state(endpoint.clone(), admit))
        // A route, not a fallback: the pages have a route for every address that nothing else has.
        .route("/{*nothing}", any(nothing))
        .with_state(endpoint)
}

async fn not_this_method() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "Send data with POST.")
}

async fn nothing() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "The device endpoint has nothing at this address.")
}

/// Lets a device in: finds it by its token, and waits for the body of its request. The device is then among the request's
/// extensions.
async fn admit(State(endpoint): State<Endpoint>, mut request: Request, next: Next) -> Response {
    let Endpoint { registry, limits } = endpoint;
    let token = match token(request.headers()) {
        Ok(token) => token,
        Err(problem) => return problem.into_response(),
    };
    let lookup = match limits.device_lookup(source_of(&request), &token).await {
        Ok(lookup) => lookup,
        Err(refused) => return refused.answer(false),
    };
    let device = match authenticate(&registry, &token).await {
        Ok(device) => device,
        Err(problem) => return problem.into_response(),
    };
    drop(lookup);
    Span::current().record("account", device.account_name()).record("device", tracing::field::display(device.id()));
    request.extensions_mut().insert(device.clone());
    let done = async { limits.admit_device(&device, request, MAX_BODY_BYTES).await?.run(next).await };
    match done.await {
        Ok(response) => response,
        Err(refused) if refused.status == StatusCode::PAYLOAD_TOO_LARGE => too_large().into_response(),
        Err(refused) => refused.answer(false),
    }
}

/// The token that a request has.
fn token(headers: &HeaderMap) -> Result<SecurityToken, Problem> {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token =
        given.and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let Some((_, token)) = token else {
        return Err(unauthorized("Send the device's security token as `Authorization: Bearer mst_…`."));
    };
    SecurityToken::parse(token.trim()).map_err(|problem| unauthorized(&problem.to_string()))
}

/// The device of a token.
async fn authenticate(registry: &Registry, token: &SecurityToken) -> Result<AuthenticatedDevice, Problem> {
    let found = timeout(WORK_TIMEOUT, registry.authenticate(token)).await;
    match found.unwrap_or(Err(AuthError::Store(StoreError::Unavailable))) {
        Ok(device) => Ok(device),
        Err(AuthError::Unknown) => {
            Err(unauthorized("This security token is not valid or was revoked. Generate a new one in the portal."))
        }
        Err(AuthError::Disabled) => Err(Problem::new(
            StatusCode::FORBIDDEN,
            "This device is disabled. Enable it in the portal before it connects.",
        )),
        Err(AuthError::Store(error)) => Err(error.into()),
    }
}

fn unauthorized(sentence: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, sentence)
}

/// `POST /device/v1/state`: the device's properties, all or some.
async fn state(
    State(endpoint): State<Endpoint>,
    Extension(device): Extension<AuthenticatedDevice>,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    let recorded = endpoint.registry.record_state(&device, &body).await;
    let outcome = match &recorded {
        Ok(()) => ReportOutcome::Stored,
        Err(StateError::Store(_)) => ReportOutcome::Failed,
        Err(_) => ReportOutcome::Refused,
    };
    outcome.count();
    match recorded {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(StateError::Store(error)) => Err(error.into()),
        Err(StateError::TooLarge) => Err(too_large()),
        Err(error @ StateError::NotJson { .. }) => Err(Problem::new(StatusCode::BAD_REQUEST, error)),
        Err(StateError::Contradicts { field, sentence }) => {
            Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, sentence).with_field(field))
        }
        Err(error @ StateError::UnusableModel { .. }) => Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, error)),
        Err(StateError::Gone) => Err(Problem::new(StatusCode::UNAUTHORIZED, "This device is no longer registered.")),
    }
}

fn too_large() -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "A body may have at most 256 KiB. Send fewer properties at a time.")
}
