//! Jobs.
//!
//! A job here is a script and a `job.toml`. Glue's own way of saying what a job reads and writes is the script, which only
//! Spark can follow; so a client that makes a job names the two objects, and gets a clear answer where it doesn't.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::aws::{Answer, Failure, page, required, seconds, token};
use crate::error::{Error, ErrorKind};
use crate::etl::jobs;
use crate::model::job::Job;
use crate::model::location::Location;

use super::error::{IDEMPOTENT_PARAMETER_MISMATCH, invalid};

/// The most jobs of a page (`PageSize`).
const MAX_PAGE: u32 = 1000;
/// The argument that names the engine.
const ENGINE: &str = "--engine";
/// What may be written there for the one that there is.
const ENGINES: [&str; 2] = ["sql", "DataFusion"];
/// The argument that holds `job.toml`, or says where it is.
const DEFINITION: &str = "--job-definition";
/// What to give, where it wasn't given.
const WHAT_TO_GIVE: &str = "Give Command.ScriptLocation the s3:// location of a SQL script, and DefaultArguments both \
    '--engine': 'sql' and '--job-definition': the text of a job.toml, or its s3:// location.";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Create {
    name: Option<String>,
    role: Option<String>,
    command: Option<Command>,
    #[serde(default)]
    default_arguments: BTreeMap<String, String>,
    #[serde(default)]
    non_overridable_arguments: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Command {
    script_location: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Named {
    job_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct List {
    next_token: Option<String>,
    max_results: Option<u32>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

pub(super) async fn create(app: &App, request: Create) -> Answer {
    let name = required(request.name, "name")?;
    required(request.role, "role")?;
    let command = required(request.command, "command")?;
    let script = command
        .script_location
        .as_deref()
        .and_then(|script| Location::parse(script).ok());
    let script = script.ok_or_else(|| invalid(format!("The job's script is no object. {WHAT_TO_GIVE}")))?;
    let definition = definition_of(&request.default_arguments)?;
    if !request.non_overridable_arguments.is_empty() {
        return Err(invalid(
            "NonOverridableArguments are not supported: write constants into the script.",
        ));
    }
    let job = jobs::register_from_objects(app, &name, definition, &script)
        .await
        .map_err(in_glues_words)?;
    Ok(json!({ "Name": job.name }))
}

pub(super) async fn get(app: &App, request: Named) -> Answer {
    let job = jobs::get(app, &required(request.job_name, "jobName")?).await?;
    Ok(json!({ "Job": rendered(app, &job) }))
}

pub(super) async fn list(app: &App, request: List) -> Answer {
    let page = page(request.max_results, request.next_token.as_deref(), MAX_PAGE)?;
    let found = jobs::list(app, &page).await?;
    let list: Vec<Value> = found.items.iter().map(|job| rendered(app, job)).collect();
    Ok(json!({ "Jobs": list, "NextToken": token(found.next) }))
}

pub(super) async fn list_names(app: &App, request: List) -> Answer {
    let page = page(request.max_results, request.next_token.as_deref(), MAX_PAGE)?;
    if !request.tags.is_empty() {
        // Jobs have no tags, so none has these.
        return Ok(json!({ "JobNames": [] }));
    }
    let found = jobs::list(app, &page).await?;
    let names: Vec<String> = found.items.into_iter().map(|job| job.name).collect();
    Ok(json!({ "JobNames": names, "NextToken": token(found.next) }))
}

/// Succeeds where there is no such job, as AWS does.
pub(super) async fn delete(app: &App, request: Named) -> Answer {
    let name = required(request.job_name, "jobName")?;
    match jobs::delete(app, &name).await {
        Err(error) if error.kind != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(json!({ "JobName": name })),
    }
}

/// The definition out of the arguments, which must say what it takes and nothing that would be ignored.
fn definition_of(arguments: &BTreeMap<String, String>) -> Answer<&str> {
    if let Some(unknown) = arguments
        .keys()
        .find(|name| ![ENGINE, DEFINITION].contains(&name.as_str()))
    {
        return Err(invalid(format!(
            "DefaultArguments has {unknown}, which would be ignored. Give parameters their defaults in the job's \
             definition, as [parameters.NAME] default = 'value', and leave the argument out."
        )));
    }
    match arguments.get(ENGINE) {
        Some(engine) if ENGINES.iter().any(|known| known.eq_ignore_ascii_case(engine)) => {}
        Some(other) => {
            return Err(invalid(format!(
                "The engine '{other}' can't be run. {WHAT_TO_GIVE}"
            )));
        }
        None => {
            return Err(invalid(format!("The job names no engine. {WHAT_TO_GIVE}")));
        }
    }
    arguments
        .get(DEFINITION)
        .map(String::as_str)
        .ok_or_else(|| invalid(format!("The job has no definition. {WHAT_TO_GIVE}")))
}

fn in_glues_words(error: Error) -> Failure {
    match error.kind {
        // The same job again is fine; another job of the same name is this.
        ErrorKind::AlreadyExists => {
            Failure::new(IDEMPOTENT_PARAMETER_MISMATCH, Failure::from(error).message())
        }
        // It is the request that names an object that isn't there.
        ErrorKind::NotFound => invalid(Failure::from(error).message()),
        _ => error.into(),
    }
}

fn rendered(app: &App, job: &Job) -> Value {
    let mut arguments = BTreeMap::from([
        (ENGINE.to_owned(), job.definition.engine.as_str().to_owned()),
        (DEFINITION.to_owned(), job.definition_text.clone()),
    ]);
    for (name, parameter) in &job.definition.parameters {
        if let Some(default) = &parameter.default {
            arguments.insert(format!("--{name}"), default.clone());
        }
    }
    let timeout = job.definition.timeout.unwrap_or(app.config.tasks.run_timeout);
    json!({
        "Name": job.name,
        "Description": job.definition.description,
        "Role": format!("arn:aws:iam::{}:root", app.config.catalog.account_id),
        "CreatedOn": seconds(job.created_at),
        "LastModifiedOn": seconds(job.updated_at),
        "ExecutionProperty": { "MaxConcurrentRuns": 1 },
        "Command": { "Name": "glueetl", "ScriptLocation": job.definition.script },
        "DefaultArguments": arguments,
        "MaxRetries": 0,
        "Timeout": timeout.as_secs().div_ceil(60),
        "GlueVersion": "5.0",
    })
}
