//! The versions of what is shown and edited, as HTTP tells them: `ETag`, `If-Match` and `If-None-Match`.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::IntoParams;

use super::error::ApiError;
use crate::error::{Error, Result};
use crate::model::precondition::Precondition;

/// An answer that says which version of a thing it shows.
pub(super) struct Versioned<T> {
    version: i64,
    shown: T,
}

impl<T> Versioned<T> {
    pub(super) fn new(version: i64, shown: T) -> Self {
        Self { version, shown }
    }
}

impl<T: Serialize> IntoResponse for Versioned<T> {
    fn into_response(self) -> Response {
        let tag = format!("\"{}\"", self.version);
        ([(header::ETAG, tag)], axum::Json(self.shown)).into_response()
    }
}

/// What the document says of the headers that [`If`] reads.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "it stands in the document alone")]
pub(super) struct IfHeaders {
    /// The `ETag` of what is replaced, or `*` for whatever is there. Where it has another, nothing changes, and the answer
    /// is 412.
    #[param(rename = "If-Match")]
    if_match: Option<String>,
    /// `*`: nothing is replaced. Where something is there, the answer is 412.
    #[param(rename = "If-None-Match")]
    if_none_match: Option<String>,
}

/// What must hold of the thing that is edited.
pub(super) struct If(pub(super) Precondition);

impl<S: Sync> FromRequestParts<S> for If {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Ok(Self(precondition(&parts.headers)?))
    }
}

fn precondition(headers: &HeaderMap) -> Result<Precondition> {
    let both = (
        listed(headers, &header::IF_MATCH),
        listed(headers, &header::IF_NONE_MATCH),
    );
    match both {
        (None, None) => Ok(Precondition::None),
        (None, Some(none)) if none == ["*"] => Ok(Precondition::Absent),
        (Some(of), None) if of == ["*"] => Ok(Precondition::Present),
        (Some(of), None) => of
            .iter()
            .map(|tag| version(tag))
            .collect::<Result<_>>()
            .map(Precondition::Versions),
        (_, Some(_)) => Err(Error::invalid("If-None-Match can only be *, and stand alone")
            .hint("to replace one version and no other, send its ETag as If-Match")),
    }
}

/// What a header lists, where it is sent.
fn listed(headers: &HeaderMap, name: &HeaderName) -> Option<Vec<String>> {
    let mut sent = headers.get_all(name).into_iter().peekable();
    sent.peek()?;
    let texts = sent.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let items = texts.flat_map(|text| {
        let items: Vec<String> = text.split(',').map(|item| item.trim().to_owned()).collect();
        items
    });
    Some(items.collect())
}

fn version(tag: &str) -> Result<i64> {
    let number = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
    number.and_then(|number| number.parse().ok()).ok_or_else(|| {
        Error::invalid(format!("If-Match has {tag}, which is no ETag of this API"))
            .hint("send the ETag that came with what you read, its quotes included: \"3\"")
    })
}
