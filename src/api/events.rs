//! `/api/v1/events`

use axum::extract::Path;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::access::State;
use super::error::{ApiResult, Problem, Query, Text};
use super::page::{ListQuery, Page};
use crate::app::App;
use crate::events;
use crate::model::event as nouns;

/// One object's change, and what became of it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Event {
    id: String,
    bucket: String,
    key: String,
    /// created or removed.
    kind: &'static str,
    size: Option<i64>,
    etag: Option<String>,
    /// Who told of it: lake, webhook, listing, or replay where a person asked for it.
    source: &'static str,
    received_at: DateTime<Utc>,
    outcomes: Vec<Outcome>,
}

/// What a trigger made of an event.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Outcome {
    trigger: Option<String>,
    state: OutcomeState,
    /// The run that acts on it.
    run: Option<String>,
    detail: Option<String>,
}

/// What became of an event.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum OutcomeState {
    Batched,
    Waiting,
    Started,
    Duplicate,
    Superseded,
    Unmatched,
    Rejected,
}

/// What a notification held.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Received {
    /// How many events of objects that were written or removed.
    accepted: usize,
    /// What it told beside that, and nothing acts on, in words.
    ignored: Vec<String>,
    /// The topics whose subscriptions wait to be confirmed from now on.
    to_confirm: Vec<String>,
}

/// A subscription of SNS that waits for somebody to visit its address.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Confirmation {
    /// The topic's ARN.
    topic: String,
    /// The address. The server never visits it by itself.
    url: String,
    received_at: DateTime<Utc>,
}

/// The subscriptions that wait.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Confirmations {
    items: Vec<Confirmation>,
}

/// List subscriptions of SNS that wait to be confirmed
#[utoipa::path(get, path = "/api/v1/events/confirmations", operation_id = "list_confirmations", tag = "events",
    responses((status = 200, body = Confirmations), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn confirmations(State(app): State<App>) -> ApiResult<axum::Json<Confirmations>> {
    let waiting = events::confirmations(&app).await?;
    let confirmation = |(waiting, received_at): (nouns::Confirmation, DateTime<Utc>)| Confirmation {
        topic: waiting.topic,
        url: waiting.url,
        received_at,
    };
    Ok(axum::Json(Confirmations {
        items: waiting.into_iter().map(confirmation).collect(),
    }))
}

impl From<nouns::Event> for Event {
    fn from(event: nouns::Event) -> Self {
        let outcome = |outcome: nouns::Outcome| Outcome {
            trigger: outcome.trigger,
            state: match outcome.state {
                nouns::OutcomeState::Batched => OutcomeState::Batched,
                nouns::OutcomeState::Waiting => OutcomeState::Waiting,
                nouns::OutcomeState::Started => OutcomeState::Started,
                nouns::OutcomeState::Duplicate => OutcomeState::Duplicate,
                nouns::OutcomeState::Superseded => OutcomeState::Superseded,
                nouns::OutcomeState::Unmatched => OutcomeState::Unmatched,
                nouns::OutcomeState::Rejected => OutcomeState::Rejected,
            },
            run: outcome.run,
            detail: outcome.detail,
        };
        Self {
            id: event.id,
            bucket: event.object.bucket,
            key: event.object.key,
            kind: match event.object.kind {
                nouns::EventKind::Created => "created",
                nouns::EventKind::Removed => "removed",
            },
            size: event.object.size,
            etag: event.object.etag,
            source: event.object.source.as_str(),
            received_at: event.received_at,
            outcomes: event.outcomes.into_iter().map(outcome).collect(),
        }
    }
}

/// List events with what became of them, the newest first
#[utoipa::path(get, path = "/api/v1/events", operation_id = "list_events", tag = "events", params(ListQuery),
    responses((status = 200, body = Page<Event>), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn list(
    State(app): State<App>,
    Query(query): Query<ListQuery>,
) -> ApiResult<axum::Json<Page<Event>>> {
    Ok(axum::Json(Page::of(
        events::list(&app, &query.request()?).await?,
        Event::from,
    )))
}

/// The event that a replay made.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Replayed {
    id: String,
}

/// Have what an event told of acted on again, in the version of the object that is there now
#[utoipa::path(post, path = "/api/v1/events/{id}/replay", operation_id = "replay_event", tag = "events", params(("id" = String, Path)),
    responses((status = 202, body = Replayed), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn replay(
    State(app): State<App>,
    Path(id): Path<String>,
) -> ApiResult<(StatusCode, axum::Json<Replayed>)> {
    let id = events::replay(&app, &id).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(Replayed { id })))
}

/// Receive a notification of S3, EventBridge, MinIO or Ceph, as it is or in the envelopes of SNS, SQS and Lambda. It is on
/// the disk when this answers; what isn't understood is refused whole
#[utoipa::path(post, path = "/api/v1/events/s3", operation_id = "receive_events", tag = "events", request_body = String,
    responses((status = 200, body = Received), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn receive(
    State(app): State<App>,
    Text(body): Text,
) -> ApiResult<(StatusCode, axum::Json<Received>)> {
    let found = events::receive(&app, nouns::Source::Webhook, &body).await?;
    let topic = |confirmation: nouns::Confirmation| confirmation.topic;
    Ok((
        StatusCode::OK,
        axum::Json(Received {
            accepted: found.events.len(),
            ignored: found.ignored.in_words(),
            to_confirm: found.confirmations.into_iter().map(topic).collect(),
        }),
    ))
}
