//! `/api/v1/connections`

use std::collections::BTreeMap;

use axum::extract::Path;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::access::State;
use super::error::{ApiResult, Json, Problem, Query};
use super::page::{ListQuery, Page};
use crate::app::App;
use crate::catalog;
use crate::model;

/// What stands in the place of a password.
const HIDDEN: &str = "***";

/// How to get to data that is elsewhere.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Connection {
    name: String,
    /// `JDBC`, `NETWORK`, `KAFKA` and the like.
    kind: String,
    /// `JDBC_CONNECTION_URL` and the like. Passwords are not shown.
    properties: BTreeMap<String, String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<model::connection::Connection> for Connection {
    fn from(connection: model::connection::Connection) -> Self {
        let settings = connection.input.without_secrets();
        let hidden = || HIDDEN.to_owned();
        let properties = settings
            .map(|(name, value)| (name.to_owned(), value.unwrap_or_else(hidden)))
            .collect();
        Self {
            name: connection.input.name,
            kind: connection.input.connection_type,
            properties,
            created_at: connection.created_at,
            updated_at: connection.updated_at,
        }
    }
}

/// A connection to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewConnection {
    name: String,
    /// `JDBC` where nothing is said.
    kind: Option<String>,
    #[serde(default)]
    properties: BTreeMap<String, String>,
}

/// A connection that could be tried.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ConnectionTest {
    /// How far it went: which server let whom in, or that a host can be reached.
    message: String,
}

/// List connections
#[utoipa::path(get, path = "/api/v1/connections", operation_id = "list_connections", tag = "catalog", params(ListQuery),
    responses((status = 200, body = Page<Connection>), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn list(
    State(app): State<App>,
    Query(query): Query<ListQuery>,
) -> ApiResult<axum::Json<Page<Connection>>> {
    let page = catalog::connections::list(&app, |_| true, &query.request()?).await?;
    Ok(axum::Json(Page::of(page, Connection::from)))
}

/// Make a connection
#[utoipa::path(post, path = "/api/v1/connections", operation_id = "create_connection", tag = "catalog", request_body = NewConnection,
    responses((status = 201, body = Connection), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn create(
    State(app): State<App>,
    Json(new): Json<NewConnection>,
) -> ApiResult<(StatusCode, axum::Json<Connection>)> {
    let input = model::connection::ConnectionInput {
        name: new.name,
        connection_type: new.kind.unwrap_or_else(|| "JDBC".to_owned()),
        properties: new.properties,
        other: serde_json::Map::new(),
    };
    let name = input.name.clone();
    catalog::connections::create(&app, input).await?;
    let made = catalog::connections::get(&app, &name).await?;
    Ok((StatusCode::CREATED, axum::Json(made.into())))
}

/// Show a connection
#[utoipa::path(get, path = "/api/v1/connections/{name}", operation_id = "get_connection", tag = "catalog", params(("name" = String, Path)),
    responses((status = 200, body = Connection), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn get(
    State(app): State<App>,
    Path(name): Path<String>,
) -> ApiResult<axum::Json<Connection>> {
    Ok(axum::Json(catalog::connections::get(&app, &name).await?.into()))
}

/// Try a connection: sign in to its database
#[utoipa::path(post, path = "/api/v1/connections/{name}/test", operation_id = "test_connection", tag = "catalog", params(("name" = String, Path)),
    responses((status = 200, body = ConnectionTest), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn test(
    State(app): State<App>,
    Path(name): Path<String>,
) -> ApiResult<axum::Json<ConnectionTest>> {
    let connection = catalog::connections::get(&app, &name).await?;
    let message = catalog::connections::try_out(&connection.input).await?;
    Ok(axum::Json(ConnectionTest { message }))
}

/// Remove a connection
#[utoipa::path(delete, path = "/api/v1/connections/{name}", operation_id = "delete_connection", tag = "catalog", params(("name" = String, Path)),
    responses((status = 204), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn delete(State(app): State<App>, Path(name): Path<String>) -> ApiResult<StatusCode> {
    catalog::connections::delete(&app, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
