//! `/api/v1/jobs`

use std::collections::BTreeMap;

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::access::State;
use super::error::{ApiResult, Json, Problem, Query};
use super::page::{ListQuery, Page};
use super::runs::{Run, RunError, RunInput};
use super::version::{If, IfHeaders, Versioned};
use crate::app::App;
use crate::error::{Error, Result};
use crate::etl::{self, jobs, runs};
use crate::model::job as nouns;
use crate::model::output::Quote;
use crate::model::run::RunRequest;

/// The header with the name that a client gives its request.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// A script, what it reads, what it writes, and when it runs.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Job {
    name: String,
    description: Option<String>,
    /// sql, python, pyspark or ray.
    engine: &'static str,
    /// 0 when registered, one more with every change.
    version: i64,
    /// Its file's name; its location where it is an object, which is read when a run starts.
    script_name: String,
    script: String,
    /// `job.toml`; empty where a client of the Glue API made the job.
    definition: String,
    /// What a client of the Glue API said of it, where one made it.
    #[schema(value_type = Option<Object>)]
    glue: Option<serde_json::Value>,
    /// What runs it, where it is a Spark script: `auto`, `sail`, `spark` or an address of Spark.
    runtime: Option<String>,
    /// How many of its runs are at work at a time at the most; any number where it is null.
    concurrency: Option<u32>,
    /// Of what waits for a worker, the higher goes first.
    priority: i64,
    /// How often a run that failed is followed by another.
    retries: u32,
    parameters: BTreeMap<String, Parameter>,
    inputs: BTreeMap<String, Input>,
    output: Option<Output>,
    /// The names of its triggers.
    triggers: Vec<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// What a run may be told.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Parameter {
    /// string, integer, number, boolean, date or timestamp.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The values that it may have; any where there is none.
    choices: Vec<String>,
    /// A regular expression that the whole value must match.
    pattern: Option<String>,
    default: Option<String>,
}

/// A table of the script.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Input {
    /// A pattern of objects, or `database.table`.
    location: String,
    /// Of a table of the catalog: which of its partitions.
    partitions: Option<String>,
    /// Columns that the script relies on, with their types.
    columns: BTreeMap<String, String>,
    optional: bool,
    /// What becomes of objects without a byte: skip or error.
    empty: &'static str,
    /// Whether a row of CSV with other than the file's number of fields fails a run.
    strict: bool,
}

/// Where the result goes.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Output {
    location: String,
    /// csv, json or parquet.
    format: &'static str,
    files: u32,
    /// overwrite, append or replace_folder.
    mode: &'static str,
    /// Of CSV: what stands between fields; a comma where it is null.
    delimiter: Option<String>,
    /// Of CSV: whether the first line holds the columns' names; it does where it is null.
    header: Option<bool>,
    /// Of CSV: which fields are put in quotes, necessary, always or never; necessary where it is null.
    quote: Option<&'static str>,
    /// Of CSV: what NULL is written as; as nothing where it is null.
    null: Option<String>,
    /// Of CSV: what an empty text is written as; as two quotes where it is null.
    empty: Option<String>,
    table: Option<String>,
}

/// A job to be registered.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct JobSource {
    /// The text of `job.toml`.
    definition: String,
    /// The script's text.
    script: String,
    /// The text of requirements.txt: the packages that a Python script needs.
    #[serde(default)]
    requirements: Option<String>,
}

/// How a run is started.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct StartRun {
    parameters: BTreeMap<String, String>,
    /// Only say what the run would read, write and replace.
    dry_run: bool,
}

/// What a run would do if it began now.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RunPreview {
    /// What it would read.
    inputs: Vec<RunInput>,
    /// What it would write; RUN stands for its id.
    writes: Vec<String>,
    /// What would be removed, or replaced under its name.
    replaces: Vec<String>,
    /// What lies in the output folder, isn't the job's, and would stay.
    stays: Vec<String>,
    /// Why it would not start, or fail, as far as that can be known.
    refused: Option<RunError>,
}

/// A run that was started, or what it would do.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(super) enum Started {
    Run(Box<Run>),
    Preview(RunPreview),
}

impl From<nouns::Job> for Job {
    fn from(job: nouns::Job) -> Self {
        let triggers = jobs::triggers_of(&job)
            .into_iter()
            .map(|trigger| trigger.name)
            .collect();
        let definition = job.definition;
        let parameter = |(name, parameter): (String, nouns::ParameterDefinition)| {
            (
                name,
                Parameter {
                    kind: parameter.kind.as_str(),
                    choices: parameter.choices,
                    pattern: parameter.pattern,
                    default: parameter.default,
                },
            )
        };
        let input = |(name, input): (String, nouns::InputDefinition)| {
            (
                name,
                Input {
                    location: input.location,
                    partitions: input.partitions,
                    columns: input.columns,
                    optional: input.optional,
                    empty: input.empty.as_str(),
                    strict: input.strict,
                },
            )
        };
        Self {
            name: job.name,
            description: definition.description,
            engine: definition.engine.as_str(),
            version: job.version,
            script_name: definition.script,
            script: job.script,
            definition: job.definition_text,
            glue: job.glue,
            runtime: (definition.engine == nouns::Engine::Pyspark)
                .then(|| definition.runtime.shown().to_owned()),
            concurrency: definition.concurrency,
            priority: definition.priority,
            retries: definition.retries,
            parameters: definition.parameters.into_iter().map(parameter).collect(),
            inputs: definition.inputs.into_iter().map(input).collect(),
            output: definition.output.map(|output| Output {
                location: output.location,
                format: output.format.as_str(),
                files: output.files,
                mode: output.mode.as_str(),
                delimiter: output.delimiter,
                header: output.header,
                quote: output.quote.map(Quote::as_str),
                null: output.null,
                empty: output.empty,
                table: output.table,
            }),
            triggers,
            created_at: job.created_at,
            updated_at: job.updated_at,
        }
    }
}

fn versioned(job: nouns::Job) -> Versioned<Job> {
    Versioned::new(job.version, job.into())
}

/// List jobs
#[utoipa::path(get, path = "/api/v1/jobs", operation_id = "list_jobs", tag = "jobs", params(ListQuery),
    responses((status = 200, body = Page<Job>), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn list(
    State(app): State<App>,
    Query(query): Query<ListQuery>,
) -> ApiResult<axum::Json<Page<Job>>> {
    Ok(axum::Json(Page::of(
        jobs::list(&app, &query.request()?).await?,
        Job::from,
    )))
}

/// Show a job
#[utoipa::path(get, path = "/api/v1/jobs/{name}", operation_id = "get_job", tag = "jobs", params(("name" = String, Path)),
    responses((status = 200, body = Job, headers(("ETag" = String, description = "The version, for If-Match"))), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn get(State(app): State<App>, Path(name): Path<String>) -> ApiResult<Versioned<Job>> {
    Ok(versioned(jobs::get(&app, &name).await?))
}

/// Register a job, or bring it up to date
#[utoipa::path(put, path = "/api/v1/jobs/{name}", operation_id = "register_job", tag = "jobs",
    params(("name" = String, Path), IfHeaders), request_body = JobSource,
    responses((status = 200, body = Job, headers(("ETag" = String, description = "The version, for If-Match"))), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn put(
    State(app): State<App>,
    Path(name): Path<String>,
    If(precondition): If,
    Json(source): Json<JobSource>,
) -> ApiResult<Versioned<Job>> {
    let source = jobs::JobSource {
        name,
        definition: source.definition,
        script: source.script,
        requirements: source.requirements,
    };
    let job = jobs::register_if(&app, &source, &precondition).await?;
    Ok(versioned(job))
}

/// Remove a job with its triggers; its runs stay
#[utoipa::path(delete, path = "/api/v1/jobs/{name}", operation_id = "delete_job", tag = "jobs", params(("name" = String, Path)),
    responses((status = 204), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn delete(State(app): State<App>, Path(name): Path<String>) -> ApiResult<StatusCode> {
    jobs::delete(&app, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Run a job, or say what a run would do
#[utoipa::path(post, path = "/api/v1/jobs/{name}/runs", operation_id = "start_run", tag = "jobs",
    params(("name" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "A name for this request: under the same name it starts nothing twice, and answers the run that it started")),
    request_body = StartRun,
    responses((status = 202, body = Run), (status = 200, body = RunPreview, description = "of a dry run"),
        (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn start_run(
    State(app): State<App>,
    Path(name): Path<String>,
    headers: HeaderMap,
    Json(request): Json<StartRun>,
) -> ApiResult<(StatusCode, axum::Json<Started>)> {
    if request.dry_run {
        let preview = etl::preview(&app, &name, &request.parameters).await?;
        let preview = RunPreview {
            inputs: preview.inputs.into_iter().map(RunInput::from).collect(),
            writes: preview.writes,
            replaces: preview.replaces,
            stays: preview.stays,
            refused: preview.refused.map(RunError::from),
        };
        return Ok((StatusCode::OK, axum::Json(Started::Preview(preview))));
    }
    let request = RunRequest {
        parameters: request.parameters,
        key: key_of(&headers)?,
        ..RunRequest::default()
    };
    let run = runs::start_as(&app, &name, request).await?;
    Ok((
        StatusCode::ACCEPTED,
        axum::Json(Started::Run(Box::new(run.into()))),
    ))
}

/// The name that a client gives its request.
fn key_of(headers: &HeaderMap) -> Result<Option<String>> {
    let Some(key) = headers.get(IDEMPOTENCY_KEY) else {
        return Ok(None);
    };
    let key = key.to_str().map(|key| key.trim().to_owned());
    key.map(Some)
        .map_err(|_| Error::invalid("the Idempotency-Key is no plain text").hint("write it in ASCII"))
}
