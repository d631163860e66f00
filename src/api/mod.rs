//! WIRE: our REST API, `/api/v1`. Every endpoint is on this page; the OpenAPI document is generated from it.
//!
//! A handler parses, calls one verb and renders. The structs that stand on the wire live in these files alone.

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
mod words;

use axum::Router;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

pub use error::{Problem, problem};

#[derive(OpenApi)]
#[openapi(info(
    title = "Mastic",
    description = "A data catalog, crawler and ETL runner for data lakes.\n\nLists take `limit` and `cursor` and answer \
                   `{items, next}`. Errors are `application/problem+json`. Times are RFC 3339 in UTC.",
    license(name = "Apache-2.0", identifier = "Apache-2.0")
))]
struct Document;

fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Document::openapi())
        // The catalog.
        .routes(routes!(databases::list, databases::create))
        .routes(routes!(databases::get, databases::delete))
        .routes(routes!(tables::list))
        .routes(routes!(tables::get, tables::delete))
        .routes(routes!(tables::versions))
        .routes(routes!(tables::partitions))
        .routes(routes!(tables::sample))
        .routes(routes!(tables::ddl))
        .routes(routes!(connections::list, connections::create))
        .routes(routes!(connections::get, connections::delete))
        .routes(routes!(connections::test))
        .routes(routes!(sql::search))
        // Crawling.
        .routes(routes!(crawlers::list, crawlers::create))
        .routes(routes!(crawlers::get, crawlers::put, crawlers::delete))
        .routes(routes!(crawlers::start))
        .routes(routes!(crawlers::stop))
        .routes(routes!(crawlers::pause))
        .routes(routes!(crawlers::resume))
        .routes(routes!(crawls::list, crawls::start))
        .routes(routes!(crawls::get))
        .routes(routes!(crawls::log))
        .routes(routes!(crawls::cancel))
        .routes(routes!(crawls::undo))
        .routes(routes!(classifiers::list, classifiers::create))
        .routes(routes!(classifiers::get, classifiers::put, classifiers::delete))
        // Jobs, what starts them, and their runs.
        .routes(routes!(jobs::list))
        .routes(routes!(jobs::get, jobs::put, jobs::delete))
        .routes(routes!(jobs::start_run))
        .routes(routes!(jobs::list_triggers))
        .routes(routes!(jobs::get_trigger))
        .routes(routes!(jobs::fire_trigger))
        .routes(routes!(runs::list))
        .routes(routes!(runs::get))
        .routes(routes!(runs::cancel))
        .routes(routes!(runs::retry))
        .routes(routes!(runs::logs))
        // Events.
        .routes(routes!(events::list))
        .routes(routes!(events::replay))
        .routes(routes!(events::confirmations))
        .routes(routes!(events::receive))
        // The queue.
        .routes(routes!(tasks::list))
        .routes(routes!(tasks::get))
        .routes(routes!(tasks::retry))
        .routes(routes!(tasks::settle))
        // Queries, and the program itself.
        .routes(routes!(sql::query))
        .routes(routes!(sql::system))
}

/// The endpoints, and the document that describes them at `/api/v1/openapi.json`.
pub fn router() -> Router<App> {
    let (router, document) = routes().split_for_parts();
    router
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
