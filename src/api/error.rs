//! Errors as RFC 9457 problem documents.

use axum::body::{Body, Bytes};
use axum::extract::rejection::{BytesRejection, JsonRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::{Error, ErrorKind};
use crate::stack;

/// When what isn't available may be, in seconds.
const RETRY_AFTER: &str = "5";

/// A failure (RFC 9457).
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// What kind of failure, as a URI: `urn:mastic:not_found`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong.
    pub detail: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The name by which the server's log knows this request.
    pub request_id: String,
}

/// A verb's error on its way out.
pub(super) struct ApiError(pub(super) Error);

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        problem(&self.0)
    }
}

/// What a handler answers with.
pub(super) type ApiResult<T> = Result<T, ApiError>;

impl Problem {
    /// An error as a document. An internal one is logged with its cause, and shown as a fixed sentence.
    pub(super) fn of(error: &Error) -> Self {
        let (status, kind, title) = match error.kind {
            ErrorKind::NotFound => (StatusCode::NOT_FOUND, "not_found", "Not found"),
            ErrorKind::AlreadyExists => (StatusCode::CONFLICT, "already_exists", "Already exists"),
            ErrorKind::Invalid => (StatusCode::BAD_REQUEST, "invalid", "Invalid"),
            ErrorKind::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too_large", "Too large"),
            ErrorKind::Conflict => (StatusCode::CONFLICT, "conflict", "Conflict"),
            ErrorKind::Outdated => (StatusCode::PRECONDITION_FAILED, "outdated", "Changed since"),
            ErrorKind::Denied => (StatusCode::FORBIDDEN, "denied", "Not allowed"),
            ErrorKind::Unfit => (StatusCode::CONFLICT, "unfit", "What is kept does not fit"),
            ErrorKind::Limit => (StatusCode::UNPROCESSABLE_ENTITY, "limit", "Limit reached"),
            ErrorKind::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Not available"),
            ErrorKind::Killed => (StatusCode::SERVICE_UNAVAILABLE, "killed", "Killed from outside"),
            ErrorKind::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal", "Internal error"),
        };
        let request_id = stack::request_id();
        let detail = if error.kind == ErrorKind::Internal {
            tracing::error!("{}{}", error.message, error.causes());
            "something went wrong in the server; its log has more under this request's id".to_owned()
        } else {
            error.message.clone()
        };
        Self {
            kind: format!("urn:mastic:{kind}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail,
            hint: error.hint.clone(),
            request_id,
        }
    }

    /// The failure that the document tells of.
    pub fn into_error(self) -> Error {
        let kind = match self.kind.rsplit(':').next().unwrap_or_default() {
            "not_found" => ErrorKind::NotFound,
            "already_exists" => ErrorKind::AlreadyExists,
            "invalid" => ErrorKind::Invalid,
            "too_large" => ErrorKind::TooLarge,
            "conflict" => ErrorKind::Conflict,
            "outdated" => ErrorKind::Outdated,
            "denied" => ErrorKind::Denied,
            "unfit" => ErrorKind::Unfit,
            "limit" => ErrorKind::Limit,
            "unavailable" => ErrorKind::Unavailable,
            "killed" => ErrorKind::Killed,
            _ => ErrorKind::Internal,
        };
        let error = Error::new(kind, self.detail);
        match self.hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}

/// An error as a response. What may pass says when to try again.
pub fn problem(error: &Error) -> Response {
    let problem = Problem::of(error);
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, axum::Json(problem)).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER));
    }
    response
}

pub(super) async fn no_such_endpoint(request: Request) -> Response {
    problem(
        &Error::not_found(format!(
            "there is no {} {}",
            request.method(),
            request.uri().path()
        ))
        .hint("the endpoints are described at /api/v1/openapi.json"),
    )
}

/// A JSON body; a bad one is a problem document.
pub(super) struct Json<T>(pub(super) T);

impl<T, S> FromRequest<S> for Json<T>
where
    axum::Json<T>: FromRequest<S, Rejection = JsonRejection>,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let (parts, body) = request.into_parts();
        let request = Request::from_parts(parts.clone(), body);
        let bytes = body_of(request, state).await?;
        if says_nul(&bytes) {
            return Err(ApiError(no_nul()));
        }
        let request = Request::from_parts(parts, Body::from(bytes));
        match axum::Json::<T>::from_request(request, state).await {
            Ok(axum::Json(value)) => Ok(Self(value)),
            Err(rejection) => Err(ApiError(
                Error::invalid(rejection.body_text()).hint("send JSON with content-type: application/json"),
            )),
        }
    }
}

/// A body of text in UTF-8; any other is a problem document.
pub(super) struct Text(pub(super) String);

impl<S: Send + Sync> FromRequest<S> for Text {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let body = body_of(request, state).await?;
        match String::from_utf8(body.into()) {
            Ok(text) => Ok(Self(text)),
            Err(cause) => Err(ApiError(Error::invalid(format!(
                "the request isn't UTF-8: {}",
                cause.utf8_error()
            )))),
        }
    }
}

async fn body_of<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, ApiError> {
    let refused = |rejection: BytesRejection| {
        let kind = match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => ErrorKind::TooLarge,
            _ => ErrorKind::Invalid,
        };
        ApiError(Error::new(kind, rejection.body_text()))
    };
    Bytes::from_request(request, state).await.map_err(refused)
}

/// Whether a text in JSON has a NUL in it, which JSON can only say as `\\u0000`.
fn says_nul(json: &[u8]) -> bool {
    let is_escape = |at: usize| {
        let slashes = json[..at].iter().rev().take_while(|byte| **byte == b'\\').count();
        slashes % 2 == 0
    };
    let mut places = json.windows(6).enumerate();
    places.any(|(at, window)| window == b"\\u0000" && is_escape(at))
}

/// What no database here can hold, and no name has.
pub(super) fn no_nul() -> Error {
    Error::invalid("the request has a NUL character (U+0000) in a text").hint("leave it out")
}

/// A query string; a bad one is a problem document.
pub(super) struct Query<T>(pub(super) T);

impl<T, S> FromRequestParts<S> for Query<T>
where
    axum::extract::Query<T>: FromRequestParts<S, Rejection = QueryRejection>,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        state: &S,
    ) -> Result<Self, Self::Rejection> {
        if parts.uri.query().is_some_and(|query| query.contains("%00")) {
            return Err(ApiError(no_nul()));
        }
        match axum::extract::Query::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Query(value)) => Ok(Self(value)),
            Err(rejection) => Err(ApiError(Error::invalid(rejection.body_text()))),
        }
    }
}
