//! Who asks for an endpoint, and whether they may.

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa_axum::router::UtoipaMethodRouter;

use super::error::{ApiError, problem};
use crate::access::{Caller, Role};
use crate::app::App;
use crate::error::{Error, Result};

/// What the document says of the role that an operation needs.
const ROLE: &str = "x-role";

/// Finds out who asks, once for all endpoints.
pub(super) async fn recognise(
    axum::extract::State(app): axum::extract::State<App>,
    mut request: Request,
    next: Next,
) -> Response {
    match app.authenticator.sender(request.headers()) {
        Some(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        None => problem(&Error::denied("the request doesn't say who sends it").hint("sign in")),
    }
}

/// An endpoint for those who have at least this role.
pub(super) fn needs(
    role: Role,
    (schemas, mut paths, router): UtoipaMethodRouter<App>,
) -> UtoipaMethodRouter<App> {
    let mut name = String::new();
    for operation in paths.paths.values_mut().flat_map(operations) {
        name = operation.operation_id.clone().unwrap_or_default();
        let extensions = operation.extensions.get_or_insert_default();
        extensions.insert(ROLE.to_owned(), role.as_str().into());
    }
    let check = move |request: Request, next: Next| {
        let allowed = caller(request.extensions()).and_then(|caller| caller.may(&name, role));
        async move {
            match allowed {
                Ok(()) => next.run(request).await,
                Err(error) => problem(&error),
            }
        }
    };
    (schemas, paths, router.route_layer(from_fn(check)))
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem {
        get,
        put,
        post,
        delete,
        ..
    } = item;
    [get, put, post, delete].into_iter().flatten()
}

fn caller(extensions: &axum::http::Extensions) -> Result<Caller> {
    let caller = extensions.get::<Caller>().cloned();
    caller.ok_or_else(|| Error::internal("nobody asked who sends the request"))
}

/// The program's parts, for the one who asks.
pub(super) struct State<T>(pub(super) T);

impl FromRequestParts<App> for State<App> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        Ok(Self(app.for_caller(caller(&parts.extensions)?)))
    }
}
