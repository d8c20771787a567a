//! `POST /sign-in`: the sign-in form as a browser sends it by itself, because the page's WASM has not started yet or
//! cannot. The server function signs in; here its answer becomes a redirect, or the page with the sentence.

use crate::pages::{AppState, page_context, server_function};
use axum::{
    body::{Body, to_bytes},
    extract::{Form, FromRequest, Query, Request, State, rejection::FormRejection},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use leptos::prelude::provide_context;
use muster_app::{
    RefusedSignIn,
    fns::{
        Failure,
        session::{SignIn, safe_return},
    },
    shell,
};
use serde::Deserialize;

/// The most that the form may be: an email address and a password are far smaller.
pub(crate) const MAX_FORM_BYTES: usize = 16 * 1024;

/// The most of a server function's answer that is read: it is one sentence.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

#[derive(Deserialize)]
pub(crate) struct ReturnTo {
    #[serde(default)]
    to: String,
}

#[derive(Deserialize)]
struct SignInForm {
    email: String,
    password: String,
}

pub(crate) async fn sign_in(
    State(state): State<AppState>,
    Query(ReturnTo { to }): Query<ReturnTo>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let form = Request::from_parts(parts.clone(), body);
    let SignInForm { email, password } = match Form::from_request(form, &()).await {
        Ok(Form(form)) => form,
        Err(rejection) => return refused_form(rejection),
    };
    let input = SignIn { email: email.clone(), password, to: to.clone() };
    // A struct of three strings can always be written.
    let mut call = Request::new(Body::from(serde_json::to_vec(&input).unwrap_or_default()));
    *call.method_mut() = Method::POST;
    *call.uri_mut() = Uri::from_static("/fn/sign-in");
    *call.headers_mut() = as_a_call(&parts.headers);
    *call.extensions_mut() = parts.extensions.clone();
    let answer = server_function(State(state.clone()), call).await;
    if answer.status().is_success() {
        return redirect(answer, safe_return(&to));
    }

    let (refused, body) = answer.into_parts();
    let failure = to_bytes(body, MAX_ANSWER_BYTES).await.ok().and_then(|body| serde_json::from_slice(&body).ok());
    let sentence = failure.unwrap_or(Failure::Unavailable).sentence();
    let context = page_context(&state);
    let context = move || {
        context();
        provide_context(RefusedSignIn { email: email.clone(), sentence: sentence.clone() });
    };
    let mut page = Request::new(Body::empty());
    *page.uri_mut() = parts.uri;
    *page.extensions_mut() = parts.extensions;
    let mut page = leptos_axum::render_app_to_stream_with_context(context, shell)(page).await;
    *page.status_mut() = refused.status;
    if let Some(seconds) = refused.headers.get(header::RETRY_AFTER) {
        page.headers_mut().insert(header::RETRY_AFTER, seconds.clone());
    }
    page
}

/// The headers of the form's request, as a call by the page would have them.
fn as_a_call(form: &HeaderMap) -> HeaderMap {
    let mut headers = form.clone();
    headers.remove(header::CONTENT_LENGTH);
    let json = HeaderValue::from_static("application/json");
    headers.insert(header::CONTENT_TYPE, json.clone());
    // With `text/html` it would lead back to the page that asked.
    headers.insert(header::ACCEPT, json);
    headers
}

/// The answer with its cookies, as a redirect. The path has passed `safe_return`, and goes into a header only if it is one.
fn redirect(answer: Response, path: &str) -> Response {
    let (mut parts, _) = answer.into_parts();
    parts.status = StatusCode::SEE_OTHER;
    parts.headers.remove(header::CONTENT_TYPE);
    parts.headers.remove(header::CONTENT_LENGTH);
    let path = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/devices"));
    parts.headers.insert(header::LOCATION, path);
    Response::from_parts(parts, Body::empty())
}

fn refused_form(rejection: FormRejection) -> Response {
    crate::problem::Problem::new(rejection.status(), "This is not the sign-in form.").into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirect_keeps_cookies_and_stays_on_this_site() {
        let check = |to: &str, expected: &str| {
            let answer = Response::builder().header(header::SET_COOKIE, "a=1").header(header::CONTENT_TYPE, "x/y");
            let answer = redirect(answer.body(Body::empty()).unwrap_or_default(), safe_return(to));
            assert_eq!(answer.status(), StatusCode::SEE_OTHER);
            assert_eq!(answer.headers()[header::LOCATION], expected, "{to}");
            assert_eq!(answer.headers()[header::SET_COOKIE], "a=1");
            assert!(!answer.headers().contains_key(header::CONTENT_TYPE));
        };
        check("/devices?q=a%20b", "/devices?q=a%20b");
        check("", "/devices");
        check("//evil.example", "/devices");
        check("https://evil.example", "/devices");
        check("/\\evil.example", "/devices");
        check("/a\r\nset-cookie: b=2", "/devices");
        check("/a\u{0}b", "/devices");
    }
}
