//! Databases.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::aws::{Answer, Failure, Members, check_catalog, nothing, page, seconds, token, with_kept};
use crate::catalog::{databases, tags};
use crate::error::ErrorKind;
use crate::model::database::{Database, DatabaseInput};
use crate::model::table::Parameters;

use super::error::ALREADY_EXISTS;

/// The most databases of a page (`CatalogGetterPageSize`).
const MAX_PAGE: u32 = 100;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Create {
    catalog_id: Option<String>,
    database_input: Input,
    #[serde(default)]
    tags: Parameters,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Update {
    catalog_id: Option<String>,
    name: String,
    database_input: Input,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    name: String,
    description: Option<String>,
    location_uri: Option<String>,
    #[serde(default)]
    parameters: Parameters,
    #[serde(flatten)]
    kept: Members,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Named {
    catalog_id: Option<String>,
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct List {
    catalog_id: Option<String>,
    next_token: Option<String>,
    max_results: Option<u32>,
    resource_share_type: Option<String>,
    #[serde(default)]
    attributes_to_get: Vec<String>,
}

pub(super) async fn create(app: &App, request: Create) -> Answer {
    check_catalog(app, request.catalog_id.as_deref())?;
    let made = databases::create(app, request.database_input.into())
        .await
        .map_err(|error| {
            Failure::worded(
                error,
                ErrorKind::AlreadyExists,
                ALREADY_EXISTS,
                "Database already exists.",
            )
        })?;
    tags::put_new(app, &format!("database/{}", made.input.name), &request.tags).await?;
    Ok(nothing())
}

pub(super) async fn update(app: &App, request: Update) -> Answer {
    check_catalog(app, request.catalog_id.as_deref())?;
    databases::update(app, &request.name, request.database_input.into()).await?;
    Ok(nothing())
}

/// Whether a list is about what others share with this catalog, of which there is nothing.
pub(super) fn is_elsewhere(resource_share_type: Option<&str>) -> bool {
    matches!(resource_share_type, Some("FOREIGN" | "FEDERATED"))
}

impl From<Input> for DatabaseInput {
    fn from(input: Input) -> Self {
        Self {
            name: input.name,
            description: input.description,
            location: input.location_uri,
            parameters: input.parameters,
            other: input.kept,
        }
    }
}

pub(super) async fn get(app: &App, request: Named) -> Answer {
    check_catalog(app, request.catalog_id.as_deref())?;
    let database = databases::get(app, &request.name).await?;
    Ok(json!({ "Database": rendered(app, &database) }))
}

pub(super) async fn list(app: &App, request: List) -> Answer {
    check_catalog(app, request.catalog_id.as_deref())?;
    let page = page(request.max_results, request.next_token.as_deref(), MAX_PAGE)?;
    if is_elsewhere(request.resource_share_type.as_deref()) {
        return Ok(json!({ "DatabaseList": [] }));
    }
    let names_only = !request.attributes_to_get.is_empty();
    let wants_target = request
        .attributes_to_get
        .iter()
        .any(|attribute| attribute == "TARGET_DATABASE");
    let found = databases::list(app, &page).await?;
    let list: Vec<Value> = found
        .items
        .iter()
        .map(|database| match names_only {
            true => json!({
                "Name": database.input.name,
                "CatalogId": app.config.catalog.account_id,
                "TargetDatabase": database.input.other.get("TargetDatabase").filter(|_| wants_target),
            }),
            false => rendered(app, database),
        })
        .collect();
    Ok(json!({ "DatabaseList": list, "NextToken": token(found.next) }))
}

pub(super) async fn delete(app: &App, request: Named) -> Answer {
    check_catalog(app, request.catalog_id.as_deref())?;
    databases::delete(app, &request.name).await?;
    Ok(nothing())
}

fn rendered(app: &App, database: &Database) -> Value {
    let own = json!({
        "Name": database.input.name,
        "Description": database.input.description,
        "LocationUri": database.input.location,
        "Parameters": database.input.parameters,
        "CreateTime": seconds(database.created_at),
        "CatalogId": app.config.catalog.account_id,
    });
    with_kept(own, &database.input.other)
}
