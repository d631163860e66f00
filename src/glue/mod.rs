//! WIRE: the AWS Glue API, in AWS's JSON 1.1: `POST /` with `X-Amz-Target: AWSGlue.Operation`.
//!
//! One file for each noun. An operation reads its request, calls one verb, and renders what comes back; members that the
//! model has no place for are kept beside it, as they were sent, and given back.

mod crawlers;
mod databases;
mod error;
mod jobs;
mod partitions;
mod request;
mod runs;
mod storage;
mod table_names;
mod tables;

use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::app::App;
use error::{Answer, Exception, Failure};
use request::{read, without_nulls};

const SERVICE: &str = "AWSGlue.";
const CONTENT: &str = "application/x-amz-json-1.1";
const REQUEST_ID: &str = "x-amzn-requestid";

/// Answers one request to the Glue API.
pub async fn handle(app: &App, headers: &HeaderMap, body: Bytes) -> Response {
    let target = headers
        .get("x-amz-target")
        .and_then(|target| target.to_str().ok())
        .unwrap_or_default();
    let answer = match target.strip_prefix(SERVICE) {
        Some(operation) => perform(app, operation, &body).await,
        None => Err(Failure::new(
            Exception::UnknownOperation,
            format!("The header X-Amz-Target is '{target}'; this service takes {SERVICE}Operation."),
        )),
    };
    let request_id = app.clock.new_id();
    let (status, body) = match answer {
        Ok(answer) => (axum::http::StatusCode::OK, without_nulls(answer)),
        Err(mut failure) => {
            if let Some(cause) = failure.internal.take() {
                tracing::error!(
                    request = request_id,
                    target,
                    "{}{}",
                    cause.message,
                    cause.causes()
                );
                failure
                    .message
                    .push_str(&format!(" The log has it under request {request_id}."));
            }
            let exception = failure.exception;
            (
                exception.status(),
                json!({ "__type": exception.name(), "Message": failure.message }),
            )
        }
    };
    let headers = [
        (CONTENT_TYPE.as_str(), CONTENT),
        (REQUEST_ID, request_id.as_str()),
    ];
    (status, headers, body.to_string()).into_response()
}

/// Every operation on one page.
async fn perform(app: &App, operation: &str, body: &[u8]) -> Answer {
    match operation {
        "CreateDatabase" => databases::create(app, read(body)?).await,
        "GetDatabase" => databases::get(app, read(body)?).await,
        "GetDatabases" => databases::list(app, read(body)?).await,
        "DeleteDatabase" => databases::delete(app, read(body)?).await,

        "CreateTable" => tables::create(app, read(body)?).await,
        "GetTable" => tables::get(app, read(body)?).await,
        "GetTables" => tables::list(app, read(body)?).await,
        "DeleteTable" => tables::delete(app, read(body)?).await,

        "GetPartition" => partitions::get(app, read(body)?).await,
        "GetPartitions" => partitions::list(app, read(body)?).await,

        "CreateCrawler" => crawlers::create(app, read(body)?).await,
        "GetCrawler" => crawlers::get(app, read(body)?).await,
        "GetCrawlers" => crawlers::list(app, read(body)?).await,
        "ListCrawlers" => crawlers::list_names(app, read(body)?).await,
        "GetCrawlerMetrics" => crawlers::metrics(app, read(body)?).await,
        "StartCrawler" => crawlers::start(app, read(body)?).await,
        "DeleteCrawler" => crawlers::delete(app, read(body)?).await,

        "CreateJob" => jobs::create(app, read(body)?).await,
        "GetJob" => jobs::get(app, read(body)?).await,
        "GetJobs" => jobs::list(app, read(body)?).await,
        "ListJobs" => jobs::list_names(app, read(body)?).await,
        "DeleteJob" => jobs::delete(app, read(body)?).await,

        "StartJobRun" => runs::start(app, read(body)?).await,
        "GetJobRun" => runs::get(app, read(body)?).await,
        "GetJobRuns" => runs::list(app, read(body)?).await,
        "BatchStopJobRun" => runs::stop(app, read(body)?).await,

        _ => Err(Failure::new(
            Exception::OperationNotSupported,
            format!("Operation {operation} is not supported by this catalog."),
        )),
    }
}

/// What an operation with nothing to say answers.
fn nothing() -> Value {
    json!({})
}
