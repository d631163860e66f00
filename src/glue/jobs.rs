//! Jobs.
//!
//! A job of a client is kept as it says it, and its script is read when a run starts. A client may also make a job as
//! `job.toml` has it: then its arguments name the engine and the definition, and all else that would be ignored is refused.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::aws::{Answer, Failure, Members, page, read_value, required, seconds, token, with_kept};
use crate::catalog::tags;
use crate::error::{Error, ErrorKind};
use crate::etl::jobs::{self, GlueJob};
use crate::model::job::Job;
use crate::model::location::Location;

use super::error::{IDEMPOTENT_PARAMETER_MISMATCH, invalid};
use super::job_members;

/// The most jobs of a page (`PageSize`).
const MAX_PAGE: u32 = 1000;
/// The argument that names the engine.
const ENGINE: &str = "--engine";
/// What is written there for a job of SQL.
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
    #[serde(default)]
    tags: BTreeMap<String, String>,
    #[serde(flatten)]
    members: Members,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Update {
    job_name: Option<String>,
    job_update: Option<Members>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Named {
    job_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct NamedMany {
    job_names: Vec<String>,
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
    required(request.members.get("Role"), "role")?;
    required(request.members.get("Command"), "command")?;
    let told = Told::of(&request.members)?;
    if told.is_sql() {
        register(app, &name, &told).await?;
        tags::put_new(app, &format!("job/{name}"), &request.tags).await?;
        return Ok(json!({ "Name": name }));
    }
    let made = made(name, request.members)?;
    let job = jobs::create(app, made, &request.tags)
        .await
        .map_err(in_glues_words)?;
    Ok(json!({ "Name": job.name }))
}

/// What isn't said of the job is as if it had never been said.
pub(super) async fn update(app: &App, request: Update) -> Answer {
    let name = required(request.job_name, "jobName")?;
    let members = required(request.job_update, "jobUpdate")?;
    let told = Told::of(&members)?;
    if told.is_sql() {
        jobs::get(app, &name).await?;
        let (script, definition) = told.source()?;
        jobs::register_again_from_objects(app, &name, definition, &script)
            .await
            .map_err(of_objects)?;
    } else {
        jobs::replace(app, made(name.clone(), members)?).await?;
    }
    Ok(json!({ "JobName": name }))
}

pub(super) async fn get(app: &App, request: Named) -> Answer {
    let job = jobs::get(app, &required(request.job_name, "jobName")?).await?;
    Ok(json!({ "Job": rendered(app, &job) }))
}

pub(super) async fn get_many(app: &App, request: NamedMany) -> Answer {
    let known = jobs::get_many(app, &request.job_names).await?;
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for name in request.job_names {
        match known.get(&name) {
            Some(job) => found.push(rendered(app, job)),
            None => missing.push(name),
        }
    }
    Ok(json!({ "Jobs": found, "JobsNotFound": missing }))
}

pub(super) async fn list(app: &App, request: List) -> Answer {
    let page = page(request.max_results, request.next_token.as_deref(), MAX_PAGE)?;
    let found = jobs::list(app, &page).await?;
    let list: Vec<Value> = found.items.iter().map(|job| rendered(app, job)).collect();
    Ok(json!({ "Jobs": list, "NextToken": token(found.next) }))
}

pub(super) async fn list_names(app: &App, request: List) -> Answer {
    let page = page(request.max_results, request.next_token.as_deref(), MAX_PAGE)?;
    let found = jobs::names(app, &request.tags, &page).await?;
    Ok(json!({ "JobNames": found.items, "NextToken": token(found.next) }))
}

/// Succeeds where there is no such job, as AWS does.
pub(super) async fn delete(app: &App, request: Named) -> Answer {
    let name = required(request.job_name, "jobName")?;
    match jobs::delete(app, &name).await {
        Err(error) if error.kind != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(json!({ "JobName": name })),
    }
}

fn made(name: String, members: Members) -> Answer<GlueJob> {
    let members = job_members::whole(members)?;
    Ok(GlueJob {
        name,
        definition: job_members::definition(&members)?,
        members: Value::Object(members),
    })
}

async fn register(app: &App, name: &str, told: &Told) -> Answer<()> {
    let (script, definition) = told.source()?;
    jobs::register_from_objects(app, name, definition, &script)
        .await
        .map(drop)
        .map_err(in_glues_words)
}

/// What is said of a job that matters where it is one of SQL.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Told {
    command: Command,
    default_arguments: BTreeMap<String, String>,
    non_overridable_arguments: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Command {
    script_location: Option<String>,
}

impl Told {
    fn of(members: &Members) -> Answer<Self> {
        read_value(&Value::Object(members.clone()))
    }

    /// Whether it is made as `job.toml` has it. Other jobs may have an argument of their own that is called `--engine`.
    fn is_sql(&self) -> bool {
        self.default_arguments.contains_key(DEFINITION) || self.engine().is_some_and(is_known)
    }

    fn engine(&self) -> Option<&str> {
        self.default_arguments.get(ENGINE).map(String::as_str)
    }

    /// The script and the definition, which must be said, and nothing that would be ignored.
    fn source(&self) -> Answer<(Location, &str)> {
        let script = self.command.script_location.as_deref();
        let script = script.and_then(|script| Location::parse(script).ok());
        let script =
            script.ok_or_else(|| invalid(format!("The job's script is no object. {WHAT_TO_GIVE}")))?;
        let mut names = self.default_arguments.keys();
        if let Some(unknown) = names.find(|name| ![ENGINE, DEFINITION].contains(&name.as_str())) {
            return Err(invalid(format!(
                "DefaultArguments has {unknown}, which would be ignored. Give parameters their defaults in the job's \
                 definition, as [parameters.NAME] default = 'value', and leave the argument out."
            )));
        }
        match self.engine() {
            Some(engine) if is_known(engine) => {}
            Some(other) => {
                return Err(invalid(format!(
                    "The engine '{other}' can't be run. {WHAT_TO_GIVE}"
                )));
            }
            None => {
                return Err(invalid(format!("The job names no engine. {WHAT_TO_GIVE}")));
            }
        }
        if !self.non_overridable_arguments.is_empty() {
            return Err(invalid(
                "NonOverridableArguments are not supported: write constants into the script.",
            ));
        }
        match self.default_arguments.get(DEFINITION) {
            Some(definition) => Ok((script, definition)),
            None => Err(invalid(format!("The job has no definition. {WHAT_TO_GIVE}"))),
        }
    }
}

fn is_known(engine: &str) -> bool {
    ENGINES.iter().any(|known| known.eq_ignore_ascii_case(engine))
}

fn in_glues_words(error: Error) -> Failure {
    match error.kind {
        // The same job again is fine; another job of the same name is this.
        ErrorKind::AlreadyExists => {
            Failure::new(IDEMPOTENT_PARAMETER_MISMATCH, Failure::from(error).message())
        }
        _ => of_objects(error),
    }
}

/// It is the request that names an object that isn't there.
fn of_objects(error: Error) -> Failure {
    match error.kind {
        ErrorKind::NotFound => invalid(Failure::from(error).message()),
        _ => error.into(),
    }
}

fn rendered(app: &App, job: &Job) -> Value {
    let own = json!({
        "Name": job.name,
        "CreatedOn": seconds(job.created_at),
        "LastModifiedOn": seconds(job.updated_at),
    });
    match &job.glue {
        Some(Value::Object(members)) => with_kept(own, members),
        _ => match of_definition(app, job) {
            Value::Object(members) => with_kept(own, &members),
            _ => own,
        },
    }
}

/// What a client would say of a job that is made of a `job.toml`.
fn of_definition(app: &App, job: &Job) -> Value {
    let definition = &job.definition;
    let mut arguments = BTreeMap::from([
        (ENGINE.to_owned(), definition.engine.as_str().to_owned()),
        (DEFINITION.to_owned(), job.definition_text.clone()),
    ]);
    for (name, parameter) in &definition.parameters {
        if let Some(default) = &parameter.default {
            arguments.insert(format!("--{name}"), default.clone());
        }
    }
    let timeout = definition.timeout.unwrap_or(app.config.tasks.run_timeout);
    json!({
        "Description": definition.description,
        "Role": format!("arn:aws:iam::{}:root", app.config.catalog.account_id),
        "ExecutionProperty": { "MaxConcurrentRuns": definition.concurrency.unwrap_or(1) },
        "Command": { "Name": "glueetl", "ScriptLocation": definition.script },
        "DefaultArguments": arguments,
        "MaxRetries": definition.retries,
        "Timeout": timeout.as_secs().div_ceil(60),
        "GlueVersion": "5.0",
    })
}
