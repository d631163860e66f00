//! `/api/v1/databases`

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

/// A named group of tables.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Database {
    /// In lower case.
    name: String,
    description: Option<String>,
    /// Where new tables' data goes unless they say otherwise.
    location: Option<String>,
    parameters: BTreeMap<String, String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<model::database::Database> for Database {
    fn from(database: model::database::Database) -> Self {
        Self {
            name: database.input.name,
            description: database.input.description,
            location: database.input.location,
            parameters: database.input.parameters,
            created_at: database.created_at,
            updated_at: database.updated_at,
        }
    }
}

/// A database to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewDatabase {
    name: String,
    description: Option<String>,
    location: Option<String>,
    #[serde(default)]
    parameters: BTreeMap<String, String>,
}

/// List databases
#[utoipa::path(get, path = "/api/v1/databases", operation_id = "list_databases", tag = "catalog", params(ListQuery),
    responses((status = 200, body = Page<Database>), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn list(
    State(app): State<App>,
    Query(query): Query<ListQuery>,
) -> ApiResult<axum::Json<Page<Database>>> {
    let page = catalog::databases::list(&app, &query.request()?).await?;
    Ok(axum::Json(Page::of(page, Database::from)))
}

/// Make a database
#[utoipa::path(post, path = "/api/v1/databases", operation_id = "create_database", tag = "catalog", request_body = NewDatabase,
    responses((status = 201, body = Database), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn create(
    State(app): State<App>,
    Json(new): Json<NewDatabase>,
) -> ApiResult<(StatusCode, axum::Json<Database>)> {
    let input = model::database::DatabaseInput {
        name: new.name,
        description: new.description,
        location: new.location,
        parameters: new.parameters,
        ..Default::default()
    };
    Ok((
        StatusCode::CREATED,
        axum::Json(catalog::databases::create(&app, input).await?.into()),
    ))
}

/// Show a database
#[utoipa::path(get, path = "/api/v1/databases/{database}", operation_id = "get_database", tag = "catalog", params(("database" = String, Path)),
    responses((status = 200, body = Database), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn get(
    State(app): State<App>,
    Path(database): Path<String>,
) -> ApiResult<axum::Json<Database>> {
    Ok(axum::Json(catalog::databases::get(&app, &database).await?.into()))
}

/// Remove a database with its tables; objects stay
#[utoipa::path(delete, path = "/api/v1/databases/{database}", operation_id = "delete_database", tag = "catalog", params(("database" = String, Path)),
    responses((status = 204), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn delete(State(app): State<App>, Path(database): Path<String>) -> ApiResult<StatusCode> {
    catalog::databases::delete(&app, &database).await?;
    Ok(StatusCode::NO_CONTENT)
}
