//! What devices call, with their own token: `/device/v1/…`.

use crate::problem::Problem;
use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, FromRequestParts, State, rejection::BytesRejection},
    http::request::Parts,
    routing::{any, post},
};
use http::{StatusCode, header};
use muster_domain::SecurityToken;
use muster_registry::{AuthError, AuthenticatedDevice, Registry, StateError};

/// The largest body a device may send.
pub(crate) const MAX_BODY_BYTES: usize = 256 * 1024;

/// The routes, below `/device/v1`.
pub(crate) fn routes() -> Router<Registry> {
    Router::new()
        .route("/state", post(state))
        // A route, not a fallback: the pages have a route for every address that nothing else has.
        .route("/{*nothing}", any(nothing))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
}

async fn nothing() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "The device endpoint has nothing at this address.")
}

/// A device whose token was good.
struct Caller(AuthenticatedDevice);

impl FromRequestParts<Registry> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, registry: &Registry) -> Result<Self, Problem> {
        let unauthorized = |sentence: &str| Problem::new(StatusCode::UNAUTHORIZED, sentence);
        let given = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token =
            given.and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let Some((_, token)) = token else {
            return Err(unauthorized("Send the device's security token as `Authorization: Bearer mst_…`."));
        };
        let token = SecurityToken::parse(token.trim()).map_err(|problem| unauthorized(&problem.to_string()))?;
        match registry.authenticate(&token).await {
            Ok(device) => Ok(Self(device)),
            Err(AuthError::Unknown) => Err(unauthorized(
                "This security token does not work, or not any more. Generate a new one in the portal.",
            )),
            Err(AuthError::Disabled) => Err(Problem::new(
                StatusCode::FORBIDDEN,
                "This device is disabled. Enable it in the portal before it connects.",
            )),
            Err(AuthError::Store(_)) => Err(Problem::unavailable()),
        }
    }
}

/// `POST /device/v1/state`: the device's properties, all or some.
async fn state(
    Caller(device): Caller,
    State(registry): State<Registry>,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, Problem> {
    let body = body.map_err(too_large_or_broken)?;
    match registry.record_state(&device, &body).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(StateError::Store(_)) => Err(Problem::unavailable()),
        Err(StateError::TooLarge) => Err(too_large()),
        Err(error @ StateError::NotJson { .. }) => Err(Problem::new(StatusCode::BAD_REQUEST, error)),
        Err(StateError::Contradicts { field, sentence }) => {
            Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, sentence).with_field(field))
        }
        Err(error @ StateError::UnusableModel { .. }) => Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, error)),
        Err(StateError::Gone) => Err(Problem::new(StatusCode::UNAUTHORIZED, "This device is not registered any more.")),
    }
}

fn too_large() -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "A body may have at most 256 KiB. Send fewer properties at a time.")
}

fn too_large_or_broken(rejection: BytesRejection) -> Problem {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return too_large();
    }
    Problem::new(StatusCode::BAD_REQUEST, "The body did not arrive whole. Send the request again.")
}
