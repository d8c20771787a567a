//! Errors as programs get them: `application/problem+json` (RFC 9457), everywhere.

use crate::request_id::RequestId;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use muster_registry::StoreError;
use serde::Serialize;

/// One problem. `title` is the status in words; `detail` is a sentence that says what to do.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    detail: String,
    field: Option<String>,
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: &'a str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
}

impl Problem {
    /// A problem with this status and sentence.
    pub(crate) fn new(status: StatusCode, detail: impl ToString) -> Self {
        Self { status, detail: detail.to_string(), field: None }
    }

    /// Names the field of the request that is at fault.
    pub(crate) fn with_field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// 404, at an address that nothing has.
    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "There is nothing at this address.")
    }

    /// 405, where the address exists and takes other methods. The `Allow` header, which axum adds, says which.
    pub(crate) fn method_not_allowed() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "This address does not take this method. The Allow header has those it takes.",
        )
    }

    /// 503: the server cannot do it now, and the same request may be sent again in a second.
    pub(crate) fn unavailable() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, muster_app::fns::Failure::UNAVAILABLE)
    }
}

impl From<StoreError> for Problem {
    /// 503 where the same request may be sent again, and 500 where it would fail again.
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Corrupt => Self::new(StatusCode::INTERNAL_SERVER_ERROR, error),
            StoreError::Unavailable | StoreError::ReadOnly | StoreError::FleetTooLarge => Self::unavailable(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or("Error");
        let field = self.field.as_deref();
        let request_id = RequestId::current();
        let body = Body {
            r#type: "about:blank",
            title,
            status: self.status.as_u16(),
            detail: &self.detail,
            field,
            request_id: request_id.as_ref().map(RequestId::as_str),
        };
        let mut response = (self.status, axum::Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_says_whether_a_retry_may_help() {
        let check =
            |error: StoreError, status: u16| assert_eq!(Problem::from(error).status.as_u16(), status, "{error}");
        check(StoreError::Corrupt, 500);
        check(StoreError::Unavailable, 503);
        check(StoreError::ReadOnly, 503);
    }
}
