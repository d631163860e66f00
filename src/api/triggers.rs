//! `/api/v1/triggers`

use std::collections::BTreeMap;

use axum::extract::Path;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::access::State;
use super::error::{ApiResult, Json, Problem, Query};
use super::page::{ListQuery, Page};
use super::runs::Run;
use crate::app::App;
use crate::etl::triggers;
use crate::model::job as nouns;

/// What starts a job by itself.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Trigger {
    name: String,
    job: String,
    /// object_created
    on: &'static str,
    /// The pattern of the objects.
    #[serde(rename = "match")]
    pattern: String,
    /// How long arrivals with the same parameters are collected, in milliseconds.
    batch_window_ms: u64,
    enabled: bool,
}

/// A run as the trigger would start it.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FireTrigger {
    parameters: BTreeMap<String, String>,
}

impl From<nouns::Trigger> for Trigger {
    fn from(trigger: nouns::Trigger) -> Self {
        let nouns::TriggerDefinition::ObjectCreated(arrivals) = trigger.definition;
        Self {
            name: trigger.name,
            job: trigger.job,
            on: "object_created",
            pattern: arrivals.pattern,
            batch_window_ms: u64::try_from(arrivals.batch_window.as_millis()).unwrap_or(u64::MAX),
            enabled: trigger.enabled,
        }
    }
}

/// List triggers
#[utoipa::path(get, path = "/api/v1/triggers", operation_id = "list_triggers", tag = "jobs", params(ListQuery),
    responses((status = 200, body = Page<Trigger>), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn list(
    State(app): State<App>,
    Query(query): Query<ListQuery>,
) -> ApiResult<axum::Json<Page<Trigger>>> {
    Ok(axum::Json(Page::of(
        triggers::list(&app, &query.request()?).await?,
        Trigger::from,
    )))
}

/// Show a trigger
#[utoipa::path(get, path = "/api/v1/triggers/{name}", operation_id = "get_trigger", tag = "jobs", params(("name" = String, Path)),
    responses((status = 200, body = Trigger), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn get(State(app): State<App>, Path(name): Path<String>) -> ApiResult<axum::Json<Trigger>> {
    Ok(axum::Json(triggers::get(&app, &name).await?.into()))
}

/// Fire a trigger by hand
#[utoipa::path(post, path = "/api/v1/triggers/{name}/fire", operation_id = "fire_trigger", tag = "jobs",
    params(("name" = String, Path)), request_body = FireTrigger,
    responses((status = 202, body = Run), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn fire(
    State(app): State<App>,
    Path(name): Path<String>,
    Json(request): Json<FireTrigger>,
) -> ApiResult<(StatusCode, axum::Json<Run>)> {
    let run = triggers::fire(&app, &name, &request.parameters).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(run.into())))
}
