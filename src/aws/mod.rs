//! The protocol of AWS's services, JSON 1.1: `POST /` with `X-Amz-Target: PREFIX.Operation`.
//!
//! A request's signature is checked, then its body against AWS's own model of the service, before the service sees it. A
//! service says what is its own ([`Service`]); everything else is the same for all.

mod body;
mod error;
mod model;
mod request;
mod signature;
mod sts;
#[cfg(test)]
mod tests;

use axum::body::{Body as HttpBody, Bytes};
use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

use crate::access::Role;
use crate::app::App;
use crate::error::{Error, ErrorKind};
use crate::stack;

pub(crate) use body::Body;
pub(crate) use error::{Answer, Exception, Failure};
pub(crate) use model::Model;
pub(crate) use request::{
    Members, page, read, read_value, required, seconds, token, with_kept, without_nulls, wrong_token,
};

use body::{CONTENT, CONTENT_TAKEN, gzipped, unzipped};
use model::Standing;

/// The largest request, in bytes: room for a hundred partitions with wide columns.
pub(crate) const MAX_REQUEST: usize = 8 << 20;

/// What one service of AWS has of its own.
#[async_trait::async_trait]
pub(crate) trait Service: Send + Sync {
    /// What people call it: "Glue".
    fn name(&self) -> &'static str;
    /// What `X-Amz-Target` begins with, before the dot.
    fn prefix(&self) -> &'static str;
    /// What signatures for it name as their service.
    fn signing_name(&self) -> &'static str;
    /// What AWS says of its requests.
    fn model(&self) -> &'static Model;
    /// The exception that it has for this kind of failure.
    fn exception(&self, kind: ErrorKind) -> Exception;
    /// Who may ask for an operation; nothing where it isn't performed.
    fn role(&self, operation: &str) -> Option<Role>;
    /// Does what is asked for. The request is one that the model allows.
    async fn perform(&self, app: &App, operation: &str, request: Value) -> Answer<Body>;
}

/// The services that are served.
pub(crate) type Services = [Box<dyn Service>];

/// Answers one request to one of `services`; `body` is absent where it was larger than [`MAX_REQUEST`].
pub(crate) async fn handle(services: &Services, app: &App, request: &Parts, body: Option<Bytes>) -> Response {
    let target = header(request, "x-amz-target");
    let service = addressed(services, target);
    let is_form = target.is_empty() && body.as_ref().is_some_and(|body| sts::is_asked(body));
    let answer = match body {
        Some(body) => answer(services, app, request, &body).await,
        None => Err(too_large()),
    };
    let (status, body) = match answer {
        Ok(body) => (StatusCode::OK, body),
        Err(failure) => {
            let kinds = |kind| match service {
                Some((service, _)) => service.exception(kind),
                None => Exception::of(kind),
            };
            let (exception, message) = told(failure, kinds, target);
            let body = match is_form {
                true => sts::refused(exception, &message),
                false => refused(exception, &message),
            };
            (exception.status(), body)
        }
    };
    let accepts_gzip = header(request, ACCEPT_ENCODING.as_str()).contains("gzip");
    response(status, body, accepts_gzip)
}

/// A refusal before any service is asked.
pub(crate) fn refusal(error: Error) -> Response {
    let (exception, message) = told(error.into(), Exception::of, "");
    response(exception.status(), refused(exception, &message), false)
}

fn response(status: StatusCode, body: Body, accepts_gzip: bool) -> Response {
    let compressed = accepts_gzip.then(|| gzipped(body.text.as_bytes())).flatten();
    let is_compressed = compressed.is_some();
    let bytes = compressed.unwrap_or_else(|| body.text.into_bytes());
    let mut response = Response::new(HttpBody::from(bytes));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(body.content));
    if is_compressed {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

/// A failure as it is told. What only the log is to know goes there, under the request's id.
fn told(failure: Failure, kinds: impl Fn(ErrorKind) -> Exception, target: &str) -> (Exception, String) {
    let cause = match &failure {
        Failure::Of(error) if error.kind == ErrorKind::Internal => Some(error),
        _ => None,
    };
    if let Some(cause) = cause {
        tracing::error!(target, "{}{}", cause.message, cause.causes());
    }
    let is_ours = cause.is_some();
    let (exception, mut message) = failure.told(kinds);
    if is_ours {
        let id = stack::request_id();
        message.push_str(&format!(" The log has it under request {id}."));
    }
    (exception, message)
}

fn refused(exception: Exception, message: &str) -> Body {
    Body::from(json!({ "__type": exception.name(), "Message": message }))
}

fn header<'a>(request: &'a Parts, name: &str) -> &'a str {
    let value = request.headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default()
}

fn too_large() -> Failure {
    Failure::new(
        Exception::REQUEST_ENTITY_TOO_LARGE,
        format!(
            "The request is larger than {} MiB: send fewer items at a time.",
            MAX_REQUEST >> 20
        ),
    )
}

/// The service and the operation that a request's target names.
fn addressed<'a, 'b>(services: &'a Services, target: &'b str) -> Option<(&'a dyn Service, &'b str)> {
    let (prefix, operation) = target.split_once('.')?;
    let service = services.iter().find(|service| service.prefix() == prefix)?;
    Some((&**service, operation))
}

async fn answer(services: &Services, app: &App, request: &Parts, body: &[u8]) -> Answer<Body> {
    if request.method != Method::POST {
        return Err(Failure::new(
            Exception::UNKNOWN_OPERATION,
            format!("This service takes POST, not {}.", request.method),
        ));
    }
    let caller = match app.authenticator.unsigned() {
        Some(caller) => caller,
        None => {
            let names: Vec<&str> = services.iter().map(|service| service.signing_name()).collect();
            signature::verify(request, body, &*app.authenticator, &names, app.clock.now())?
        }
    };
    let app = &app.for_caller(caller);
    let plain;
    let body = match header(request, CONTENT_ENCODING.as_str()) {
        "" | "identity" | "aws-chunked" => body,
        "gzip" => {
            plain = unzipped(body)?;
            &plain
        }
        other => {
            return Err(Failure::new(
                Exception::SERIALIZATION,
                format!("Content-Encoding '{other}' is not supported: use gzip, or none."),
            ));
        }
    };
    let target = header(request, "x-amz-target");
    if target.is_empty() && sts::is_asked(body) {
        return sts::answer(app, body);
    }
    let content = header(request, CONTENT_TYPE.as_str());
    let content = content.split(';').next().unwrap_or_default().trim();
    let is_taken = |taken: &&str| content.eq_ignore_ascii_case(taken);
    if !content.is_empty() && !CONTENT_TAKEN.iter().any(is_taken) {
        return Err(Failure::new(
            Exception::SERIALIZATION,
            format!("Content-Type '{content}' is not supported: use {CONTENT}."),
        ));
    }
    match addressed(services, target) {
        Some((service, operation)) => perform(service, app, operation, body).await,
        None => Err(unknown_target(services, target)),
    }
}

fn unknown_target(services: &Services, target: &str) -> Failure {
    let taken: Vec<String> = services
        .iter()
        .map(|service| format!("{}.Operation", service.prefix()))
        .collect();
    Failure::new(
        Exception::UNKNOWN_OPERATION,
        format!(
            "The header X-Amz-Target is '{target}'; this service takes {}.",
            taken.join(" and ")
        ),
    )
}

/// Does what the service performs. Of the rest that AWS has, who only looks sees that there is nothing.
async fn perform(service: &dyn Service, app: &App, operation: &str, body: &[u8]) -> Answer<Body> {
    let model = service.model();
    match model.standing(operation) {
        Standing::Served => {
            let needed = service.role(operation).ok_or_else(|| not_supported(operation))?;
            app.caller.may(operation, needed)?;
            let request = model.read_request(operation, request::parsed(body)?)?;
            service.perform(app, operation, request).await
        }
        Standing::Other(Some(lists)) => {
            let empty: Value = lists.iter().map(|list| (list.clone(), json!([]))).collect();
            Ok(empty.into())
        }
        Standing::Other(None) => Err(not_supported(operation)),
        Standing::Unknown => Err(Failure::new(
            Exception::UNKNOWN_OPERATION,
            format!("The {} API has no operation {operation}.", service.name()),
        )),
    }
}

/// The refusal of an operation that AWS has and this catalog hasn't.
pub(crate) fn not_supported(operation: &str) -> Failure {
    Failure::new(
        Exception::OPERATION_NOT_SUPPORTED,
        format!("Operation {operation} is not supported by this catalog."),
    )
}

/// Makes sure that a request is about this catalog: it names none, or the one that there is.
///
/// # Errors
/// AccessDenied.
pub(crate) fn check_catalog(app: &App, catalog: Option<&str>) -> Answer<()> {
    let ours = &app.config.catalog.account_id;
    match catalog {
        Some(other) if other != ours => Err(Failure::new(
            Exception::ACCESS_DENIED,
            format!("Catalog {other} is not served here; this is catalog {ours}."),
        )),
        _ => Ok(()),
    }
}

/// What an operation with nothing to say answers.
pub(crate) fn nothing() -> Value {
    json!({})
}
