//! WIRE: our REST API, `/api/v1`. Every endpoint is on this page; the OpenAPI document is generated from it.
//!
//! A handler parses, calls one verb and renders. The structs that stand on the wire live in these files alone.

mod access;
mod classifiers;
mod connections;
mod crawl_options;
mod crawlers;
mod crawls;
mod databases;
mod error;
mod events;
mod jobs;
mod page;
mod result;
mod runs;
mod sql;
mod tables;
mod targets;
mod tasks;
mod triggers;
mod version;
mod words;

use axum::Router;
use axum::middleware::from_fn_with_state;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::Role::{Analyst, Editor, Operator, Viewer};
use crate::app::App;
use access::needs;

pub use error::{Problem, problem};

#[derive(OpenApi)]
#[openapi(info(
    title = "Mastic",
    description = "A data catalog, crawler and ETL runner for data lakes.\n\nLists take `limit` and `cursor` and answer \
                   `{items, next}`. Errors are `application/problem+json`. \
                   What has a version comes with it as `ETag`; a PUT with `If-Match` replaces that version and no other. Times are RFC 3339 in UTC. `x-role` says who may ask for an operation.",
    license(name = "Apache-2.0", identifier = "Apache-2.0")
))]
struct Document;

/// Every endpoint, and the role that it needs: a viewer sees the catalog and what became of crawls, runs and events; an
/// analyst sees data; an editor changes the catalog and definitions; an operator starts, stops and settles, and tells of
/// events, which start things. What a connection's passwords are is shown to nobody here.
fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Document::openapi())
        // The catalog.
        .routes(needs(Viewer, routes!(databases::list)))
        .routes(needs(Editor, routes!(databases::create)))
        .routes(needs(Viewer, routes!(databases::get)))
        .routes(needs(Editor, routes!(databases::delete)))
        .routes(needs(Viewer, routes!(tables::list)))
        .routes(needs(Viewer, routes!(tables::get)))
        .routes(needs(Editor, routes!(tables::delete)))
        .routes(needs(Viewer, routes!(tables::versions)))
        .routes(needs(Viewer, routes!(tables::partitions)))
        .routes(needs(Analyst, routes!(tables::sample)))
        .routes(needs(Viewer, routes!(tables::ddl)))
        .routes(needs(Viewer, routes!(connections::list)))
        .routes(needs(Editor, routes!(connections::create)))
        .routes(needs(Viewer, routes!(connections::get)))
        .routes(needs(Editor, routes!(connections::delete)))
        .routes(needs(Operator, routes!(connections::test)))
        // It finds names that the lists have, too.
        .routes(needs(Viewer, routes!(sql::search)))
        // Crawling.
        .routes(needs(Viewer, routes!(crawlers::list)))
        .routes(needs(Editor, routes!(crawlers::create)))
        .routes(needs(Viewer, routes!(crawlers::get)))
        .routes(needs(Editor, routes!(crawlers::put)))
        .routes(needs(Editor, routes!(crawlers::delete)))
        .routes(needs(Operator, routes!(crawlers::start)))
        .routes(needs(Operator, routes!(crawlers::stop)))
        .routes(needs(Operator, routes!(crawlers::pause)))
        .routes(needs(Operator, routes!(crawlers::resume)))
        .routes(needs(Viewer, routes!(crawls::list)))
        .routes(needs(Operator, routes!(crawls::start)))
        .routes(needs(Viewer, routes!(crawls::get)))
        .routes(needs(Viewer, routes!(crawls::log)))
        .routes(needs(Operator, routes!(crawls::cancel)))
        .routes(needs(Operator, routes!(crawls::undo)))
        .routes(needs(Viewer, routes!(classifiers::list)))
        .routes(needs(Editor, routes!(classifiers::create)))
        .routes(needs(Viewer, routes!(classifiers::get)))
        .routes(needs(Editor, routes!(classifiers::put)))
        .routes(needs(Editor, routes!(classifiers::delete)))
        // Jobs, what starts them, and their runs.
        .routes(needs(Viewer, routes!(jobs::list)))
        .routes(needs(Viewer, routes!(jobs::get)))
        .routes(needs(Editor, routes!(jobs::put)))
        .routes(needs(Editor, routes!(jobs::delete)))
        .routes(needs(Operator, routes!(jobs::start_run)))
        .routes(needs(Viewer, routes!(triggers::list)))
        .routes(needs(Viewer, routes!(triggers::get)))
        .routes(needs(Operator, routes!(triggers::fire)))
        .routes(needs(Viewer, routes!(runs::list)))
        .routes(needs(Viewer, routes!(runs::get)))
        .routes(needs(Operator, routes!(runs::cancel)))
        .routes(needs(Operator, routes!(runs::retry)))
        .routes(needs(Viewer, routes!(runs::logs)))
        // Events.
        .routes(needs(Viewer, routes!(events::list)))
        .routes(needs(Operator, routes!(events::replay)))
        // Whoever has these addresses can confirm the subscriptions.
        .routes(needs(Operator, routes!(events::confirmations)))
        .routes(needs(Operator, routes!(events::receive)))
        // The queue.
        .routes(needs(Viewer, routes!(tasks::list)))
        .routes(needs(Viewer, routes!(tasks::get)))
        .routes(needs(Operator, routes!(tasks::retry)))
        .routes(needs(Operator, routes!(tasks::settle)))
        // Queries, and the program itself.
        .routes(needs(Analyst, routes!(sql::query)))
        .routes(needs(Viewer, routes!(sql::system)))
}

/// The endpoints, and the document that describes them at `/api/v1/openapi.json`.
pub fn router(app: &App) -> Router<App> {
    let (router, document) = routes().split_for_parts();
    router
        .layer(from_fn_with_state(app.clone(), access::recognise))
        .route(
            "/api/v1/openapi.json",
            axum::routing::get(move || async move { axum::Json(document) }),
        )
        .route("/api/{*rest}", axum::routing::any(error::no_such_endpoint))
}

/// The OpenAPI document, as text.
///
/// # Errors
/// Internal where it can't be written down.
pub fn document() -> crate::error::Result<String> {
    let (_, document) = routes().split_for_parts();
    document
        .to_pretty_json()
        .map_err(|cause| crate::error::Error::internal("the document can't be written down").source(cause))
}
