//! WIRE: the AWS Glue API, in AWS's JSON 1.1: `POST /` with `X-Amz-Target: AWSGlue.Operation`.
//!
//! One file for each noun. A request is checked against AWS's own model before an operation sees it; an operation calls one
//! verb and renders what comes back. Members that our model has no place for are kept beside it, as they were sent, and
//! given back.

mod classifiers;
mod column_statistics;
mod connections;
mod crawler_targets;
mod crawlers;
mod crawls;
mod databases;
mod error;
mod functions;
mod iceberg_metadata;
mod jobs;
mod model;
mod partition_indexes;
mod partitions;
mod request;
mod runs;
mod signature;
mod storage;
mod sts;
mod table_names;
mod table_versions;
mod tables;
mod tags;
mod wording;

use std::io::{Read, Write};

use axum::body::{Body as HttpBody, Bytes};
use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::response::Response;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::Serialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::error::Error;
use error::{Answer, Exception, Failure};
use model::Standing;
use request::{read, without_nulls};

/// The largest request, in bytes: room for a hundred partitions with wide columns.
pub const MAX_REQUEST: usize = 8 << 20;
const SERVICE: &str = "AWSGlue.";
const CONTENT: &str = "application/x-amz-json-1.1";
/// What requests may call themselves; clients of other AWS services write the others.
const CONTENT_TAKEN: [&str; 3] = [CONTENT, "application/x-amz-json-1.0", "application/json"];
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
/// Shorter answers aren't worth compressing, in bytes.
const MIN_GZIP: usize = 1024;

/// An answer as it is written.
struct Body {
    content: &'static str,
    text: String,
}

impl Body {
    /// JSON that was written piece by piece.
    fn written(text: Vec<u8>) -> Answer<Self> {
        match String::from_utf8(text) {
            Ok(text) => Ok(Self {
                content: CONTENT,
                text,
            }),
            Err(cause) => Err(Error::internal("an answer is no text").source(cause).into()),
        }
    }

    /// The text of an answer that was given before.
    fn again(text: &str) -> Self {
        Self {
            content: CONTENT,
            text: text.to_owned(),
        }
    }

    /// JSON, written straight.
    fn of(answer: &impl Serialize) -> Answer<Self> {
        match serde_json::to_string(answer) {
            Ok(text) => Ok(Self {
                content: CONTENT,
                text,
            }),
            Err(cause) => Err(Error::internal("an answer can't be written").source(cause).into()),
        }
    }
}

impl From<Value> for Body {
    fn from(answer: Value) -> Self {
        Self {
            content: CONTENT,
            text: without_nulls(answer).to_string(),
        }
    }
}

/// Answers one request to the Glue API; `body` is absent where it was larger than [`MAX_REQUEST`].
pub async fn handle(app: &App, request: &Parts, body: Option<Bytes>) -> Response {
    let answer = match body {
        Some(body) => answer(app, request, &body).await,
        None => Err(too_large()),
    };
    let request_id = app.clock.new_id();
    let (status, body) = match answer {
        Ok(body) => (StatusCode::OK, body),
        Err(mut failure) => {
            if let Some(cause) = failure.internal.take() {
                tracing::error!(
                    request = request_id,
                    target = header(request, "x-amz-target"),
                    "{}{}",
                    cause.message,
                    cause.causes()
                );
                failure
                    .message
                    .push_str(&format!(" The log has it under request {request_id}."));
            }
            let exception = failure.exception;
            let body = json!({ "__type": exception.name(), "Message": failure.message });
            (exception.status(), Body::from(body))
        }
    };
    let accepts_gzip = request
        .headers
        .get(ACCEPT_ENCODING)
        .and_then(|accepted| accepted.to_str().ok())
        .is_some_and(|accepted| accepted.contains("gzip"));
    let compressed = (accepts_gzip && body.text.len() >= MIN_GZIP)
        .then(|| gzipped(body.text.as_bytes()))
        .flatten();
    let is_compressed = compressed.is_some();
    let bytes = compressed.unwrap_or_else(|| body.text.into_bytes());
    let mut response = Response::new(HttpBody::from(bytes));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(body.content));
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        headers.insert(REQUEST_ID, id);
    }
    if is_compressed {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

fn header<'a>(request: &'a Parts, name: &str) -> &'a str {
    let value = request.headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default()
}

fn too_large() -> Failure {
    Failure::new(
        Exception::RequestEntityTooLarge,
        format!(
            "The request is larger than {} MiB: send fewer items at a time.",
            MAX_REQUEST >> 20
        ),
    )
}

async fn answer(app: &App, request: &Parts, body: &[u8]) -> Answer<Body> {
    if request.method != Method::POST {
        return Err(Failure::new(
            Exception::UnknownOperation,
            format!("This service takes POST, not {}.", request.method),
        ));
    }
    if let Some(credentials) = &app.config.credentials {
        signature::verify(request, body, credentials, app.clock.now())?;
    }
    let plain;
    let body = match header(request, "content-encoding") {
        "" | "identity" | "aws-chunked" => body,
        "gzip" => {
            plain = unzipped(body)?;
            &plain
        }
        other => {
            return Err(Failure::new(
                Exception::Serialization,
                format!("Content-Encoding '{other}' is not supported: use gzip, or none."),
            ));
        }
    };
    let target = header(request, "x-amz-target");
    if target.is_empty() && sts::is_asked(body) {
        return sts::answer(app, body);
    }
    let content = header(request, "content-type");
    let content = content.split(';').next().unwrap_or_default().trim();
    if !content.is_empty()
        && !CONTENT_TAKEN
            .iter()
            .any(|taken| content.eq_ignore_ascii_case(taken))
    {
        return Err(Failure::new(
            Exception::Serialization,
            format!("Content-Type '{content}' is not supported: use {CONTENT}."),
        ));
    }
    match target.strip_prefix(SERVICE) {
        Some(operation) => perform(app, operation, body).await,
        None => Err(Failure::new(
            Exception::UnknownOperation,
            format!("The header X-Amz-Target is '{target}'; this service takes {SERVICE}Operation."),
        )),
    }
}

fn gzipped(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 8), Compression::fast());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok()
}

fn unzipped(bytes: &[u8]) -> Answer<Vec<u8>> {
    let mut plain = Vec::new();
    let limit = u64::try_from(MAX_REQUEST).unwrap_or(u64::MAX) + 1;
    GzDecoder::new(bytes)
        .take(limit)
        .read_to_end(&mut plain)
        .map_err(|cause| {
            Failure::new(
                Exception::Serialization,
                format!("The body is not gzip: {cause}."),
            )
        })?;
    if plain.len() > MAX_REQUEST {
        return Err(too_large());
    }
    Ok(plain)
}

/// Every operation on one page.
async fn perform(app: &App, operation: &str, body: &[u8]) -> Answer<Body> {
    macro_rules! read {
        () => {
            read(operation, body)?
        };
    }
    let answer = match operation {
        "CreateDatabase" => databases::create(app, read!()).await,
        "UpdateDatabase" => databases::update(app, read!()).await,
        "GetDatabase" => databases::get(app, read!()).await,
        "GetDatabases" => databases::list(app, read!()).await,
        "DeleteDatabase" => databases::delete(app, read!()).await,

        "CreateTable" => tables::create(app, read!()).await,
        "UpdateTable" => tables::update(app, read!()).await,
        "GetTable" => return tables::get(app, read!()).await,
        "GetTables" => return tables::list(app, read!()).await,
        "SearchTables" => return tables::search(app, read!()).await,
        "DeleteTable" => tables::delete(app, read!()).await,
        "BatchDeleteTable" => tables::delete_many(app, read!()).await,

        "GetTableVersion" => table_versions::get(app, read!()).await,
        "GetTableVersions" => table_versions::list(app, read!()).await,
        "DeleteTableVersion" => table_versions::delete(app, read!()).await,
        "BatchDeleteTableVersion" => table_versions::delete_many(app, read!()).await,

        "CreatePartition" => partitions::create(app, read!()).await,
        "BatchCreatePartition" => partitions::create_many(app, read!()).await,
        "UpdatePartition" => partitions::update(app, read!()).await,
        "BatchUpdatePartition" => partitions::update_many(app, read!()).await,
        "GetPartition" => partitions::get(app, read!()).await,
        "BatchGetPartition" => partitions::get_many(app, read!()).await,
        "GetPartitions" => return partitions::list(app, read!()).await,
        "DeletePartition" => partitions::delete(app, read!()).await,
        "BatchDeletePartition" => partitions::delete_many(app, read!()).await,

        "CreatePartitionIndex" => partition_indexes::create(app, read!()).await,
        "GetPartitionIndexes" => partition_indexes::list(app, read!()).await,
        "DeletePartitionIndex" => partition_indexes::delete(app, read!()).await,

        "GetColumnStatisticsForTable" => column_statistics::get(app, read!()).await,
        "UpdateColumnStatisticsForTable" => column_statistics::update(app, read!()).await,
        "DeleteColumnStatisticsForTable" => column_statistics::delete(app, read!()).await,
        "GetColumnStatisticsForPartition" => column_statistics::get(app, read!()).await,
        "UpdateColumnStatisticsForPartition" => column_statistics::update(app, read!()).await,
        "DeleteColumnStatisticsForPartition" => column_statistics::delete(app, read!()).await,

        "CreateUserDefinedFunction" => functions::create(app, read!()).await,
        "UpdateUserDefinedFunction" => functions::update(app, read!()).await,
        "GetUserDefinedFunction" => functions::get(app, read!()).await,
        "GetUserDefinedFunctions" => functions::list(app, read!()).await,
        "DeleteUserDefinedFunction" => functions::delete(app, read!()).await,

        "CreateConnection" => connections::create(app, read!()).await,
        "UpdateConnection" => connections::update(app, read!()).await,
        "GetConnection" => connections::get(app, read!()).await,
        "GetConnections" => connections::list(app, read!()).await,
        "DeleteConnection" => connections::delete(app, read!()).await,
        "BatchDeleteConnection" => connections::delete_many(app, read!()).await,
        "TestConnection" => connections::test(app, read!()).await,

        "TagResource" => tags::change(app, read!()).await,
        "UntagResource" => tags::change(app, read!()).await,
        "GetTags" => tags::list(app, read!()).await,

        "CreateCrawler" => crawlers::create(app, read!()).await,
        "GetCrawler" => crawlers::get(app, read!()).await,
        "GetCrawlers" => crawlers::list(app, read!()).await,
        "ListCrawlers" => crawlers::list_names(app, read!()).await,
        "BatchGetCrawlers" => crawlers::get_many(app, read!()).await,
        "UpdateCrawler" => crawlers::update(app, read!()).await,
        "StartCrawler" => crawlers::start(app, read!()).await,
        "StopCrawler" => crawlers::stop(app, read!()).await,
        "UpdateCrawlerSchedule" => crawlers::set_schedule(app, read!()).await,
        "StartCrawlerSchedule" => crawlers::start_schedule(app, read!()).await,
        "StopCrawlerSchedule" => crawlers::stop_schedule(app, read!()).await,
        "DeleteCrawler" => crawlers::delete(app, read!()).await,
        "ListCrawls" => crawls::list(app, read!()).await,
        "GetCrawlerMetrics" => crawls::metrics(app, read!()).await,

        "CreateClassifier" => classifiers::create(app, read!()).await,
        "UpdateClassifier" => classifiers::update(app, read!()).await,
        "GetClassifier" => classifiers::get(app, read!()).await,
        "GetClassifiers" => classifiers::list(app, read!()).await,
        "DeleteClassifier" => classifiers::delete(app, read!()).await,

        "CreateJob" => jobs::create(app, read!()).await,
        "GetJob" => jobs::get(app, read!()).await,
        "GetJobs" => jobs::list(app, read!()).await,
        "ListJobs" => jobs::list_names(app, read!()).await,
        "DeleteJob" => jobs::delete(app, read!()).await,

        "StartJobRun" => runs::start(app, read!()).await,
        "GetJobRun" => runs::get(app, read!()).await,
        "GetJobRuns" => runs::list(app, read!()).await,
        "BatchStopJobRun" => runs::stop(app, read!()).await,

        _ => not_performed(operation),
    };
    answer.map(Body::from)
}

/// What AWS has and we don't: who only looks sees that there is nothing.
fn not_performed(operation: &str) -> Answer {
    match model::standing(operation) {
        Standing::Other(Some(lists)) => Ok(lists.iter().map(|list| (list.clone(), json!([]))).collect()),
        Standing::Other(None) | Standing::Served => Err(Failure::new(
            Exception::OperationNotSupported,
            format!("Operation {operation} is not supported by this catalog."),
        )),
        Standing::Unknown => Err(Failure::new(
            Exception::UnknownOperation,
            format!("The Glue API has no operation {operation}."),
        )),
    }
}

/// What an operation with nothing to say answers.
fn nothing() -> Value {
    json!({})
}
