//! What a client says of a job: checked, with what AWS puts where nothing is said, and as a definition.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::aws::{Answer, Members};
use crate::model::glue_job::{arguments, check_size};
use crate::model::job::{Engine, JobDefinition, ParameterDefinition};
use crate::model::location::Location;
use crate::model::runtime::Runtime;

use super::error::invalid;

/// The version of jobs that name none, as AWS's guide has it.
const GLUE_VERSION: &str = "6.0";
/// The longest time that a run may be given, in minutes: a week.
const MAX_TIMEOUT: u64 = 10_080;
/// The most retries of a run.
const MAX_RETRIES: u64 = 10;
/// The members that say how large a run is.
const CAPACITY: [&str; 4] = [
    "AllocatedCapacity",
    "MaxCapacity",
    "NumberOfWorkers",
    "WorkerType",
];

/// The members of a job as they are kept: what was sent, and what AWS puts where nothing was.
///
/// # Errors
/// InvalidInput, in AWS's words where they are known.
pub(super) fn whole(mut sent: Members) -> Answer<Members> {
    let command = command_name(&sent)?.to_owned();
    if text(&sent, "Role").is_none_or(str::is_empty) {
        return Err(invalid("Role should not be null or empty."));
    }
    check_numbers(&sent)?;
    for member in ["DefaultArguments", "NonOverridableArguments"] {
        let given = sent.get(member).map(|given| json!({ member: given }));
        check_size(&arguments(&given.unwrap_or_default(), member))?;
    }
    if command != "pythonshell" {
        put(&mut sent, "GlueVersion", json!(GLUE_VERSION));
    }
    if command != "gluestreaming" {
        let minutes = default_timeout(text(&sent, "GlueVersion"));
        put(&mut sent, "Timeout", json!(minutes));
    }
    put(&mut sent, "JobMode", json!("SCRIPT"));
    put(&mut sent, "ExecutionClass", json!("STANDARD"));
    put(&mut sent, "DefaultArguments", json!({}));
    put(&mut sent, "MaxRetries", json!(0));
    sent.insert(
        "ExecutionProperty".to_owned(),
        json!({ "MaxConcurrentRuns": concurrent_runs(&sent) }),
    );
    if CAPACITY.iter().all(|member| !sent.contains_key(*member)) {
        let units = if command == "pythonshell" { 0.0625 } else { 10.0 };
        sent.insert("MaxCapacity".to_owned(), json!(units));
    }
    put_capacity(&mut sent);
    Ok(sent)
}

/// What holds of a run: what holds of its job, but for what was said when it was started.
///
/// # Errors
/// InvalidInput.
pub(super) fn of_run(job: Option<Members>, said: Members) -> Answer<Members> {
    check_numbers(&said)?;
    if said.contains_key("AllocatedCapacity") && said.contains_key("MaxCapacity") {
        return Err(invalid("Please set only Allocated Capacity or Max Capacity"));
    }
    let mut members = job.unwrap_or_default();
    if CAPACITY.iter().any(|member| said.contains_key(*member)) {
        members.retain(|name, _| !CAPACITY.contains(&name.as_str()));
    }
    members.extend(said);
    put_capacity(&mut members);
    Ok(members)
}

/// The time that a run may take, where it is said.
pub(super) fn timeout(members: &Members) -> Option<Duration> {
    let minutes = members.get("Timeout")?.as_u64()?;
    Some(Duration::from_secs(minutes * 60))
}

/// The definition of a job with these members, which are [whole].
///
/// # Errors
/// InvalidInput where the script is no object.
pub(super) fn definition(members: &Members) -> Answer<JobDefinition> {
    let command = command_name(members)?;
    let script = members
        .get("Command")
        .and_then(|command| command.get("ScriptLocation"))
        .and_then(Value::as_str)
        .unwrap_or_default();
    if !script.is_empty() && Location::parse(script).is_err() {
        return Err(invalid(format!(
            "The job's script is no object. '{script}' is not its location; write it as s3://bucket/key."
        )));
    }
    let defaults = arguments(&json!(members), "DefaultArguments").into_iter();
    let parameter = |(name, default)| {
        let parameter = ParameterDefinition {
            default: Some(default),
            ..ParameterDefinition::default()
        };
        (name, parameter)
    };
    Ok(JobDefinition {
        requirements: Vec::new(),
        runtime: Runtime::default(),
        description: text(members, "Description").map(str::to_owned),
        engine: match command {
            "pythonshell" => Engine::Python,
            "glueray" => Engine::Ray,
            _ => Engine::Pyspark,
        },
        script: script.to_owned(),
        parameters: defaults.map(parameter).collect(),
        inputs: Default::default(),
        output: None,
        triggers: Vec::new(),
        timeout: timeout(members),
        concurrency: Some(concurrent_runs(members)),
        priority: 0,
        retries: number(members, "MaxRetries").unwrap_or_default(),
        retry_backoff: None,
        other_parameters: true,
    })
}

fn command_name(members: &Members) -> Answer<&str> {
    let name = members.get("Command").and_then(|command| command.get("Name"));
    match name.and_then(Value::as_str) {
        Some(name @ ("glueetl" | "gluestreaming" | "pythonshell" | "glueray")) => Ok(name),
        None | Some("") => Err(invalid("Command name should not be null or empty.")),
        Some(other) => Err(invalid(format!(
            "Command name '{other}' is not one: it may be glueetl, gluestreaming, pythonshell or glueray."
        ))),
    }
}

fn check_numbers(members: &Members) -> Answer<()> {
    if members.contains_key("MaxCapacity")
        && (members.contains_key("WorkerType") || members.contains_key("NumberOfWorkers"))
    {
        return Err(invalid(
            "Please do not set Max Capacity if using Worker Type and Number of Workers.",
        ));
    }
    let within = |member: &str, least: u64, most: u64| match members.get(member) {
        Some(value)
            if value
                .as_u64()
                .is_none_or(|number| !(least..=most).contains(&number)) =>
        {
            Err(invalid(format!(
                "{member} is {value}, and {least} to {most} are allowed."
            )))
        }
        _ => Ok(()),
    };
    within("Timeout", 1, MAX_TIMEOUT)?;
    within("MaxRetries", 0, MAX_RETRIES)?;
    let runs = members
        .get("ExecutionProperty")
        .and_then(|property| property.get("MaxConcurrentRuns"));
    match runs {
        Some(runs) if runs.as_u64().is_none_or(|runs| runs == 0) => Err(invalid(format!(
            "MaxConcurrentRuns is {runs}, and it is 1 at least."
        ))),
        _ => Ok(()),
    }
}

fn concurrent_runs(members: &Members) -> u32 {
    let property = members.get("ExecutionProperty").and_then(Value::as_object);
    property
        .and_then(|property| number(property, "MaxConcurrentRuns"))
        .unwrap_or(1)
}

/// How long runs may take by default, in minutes: less since version 5.
fn default_timeout(version: Option<&str>) -> u64 {
    let is_old = match version {
        Some(version) => {
            version.starts_with(['0', '1', '2', '3', '4']) && version.chars().nth(1) == Some('.')
        }
        None => true,
    };
    if is_old { 2880 } else { 480 }
}

/// Says how large a run is in the words that weren't used, too.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a number of units; of one that is too large, the largest is said"
)]
fn put_capacity(members: &mut Members) {
    let workers = members.get("NumberOfWorkers").and_then(Value::as_f64);
    let of_workers = text(members, "WorkerType")
        .zip(workers)
        .map(|(worker, count)| units_of(worker) * count);
    let said = |member: &str| members.get(member).and_then(Value::as_f64);
    let units = of_workers
        .or_else(|| said("MaxCapacity"))
        .or_else(|| said("AllocatedCapacity"));
    if let Some(units) = units {
        members.insert("MaxCapacity".to_owned(), json!(units));
        members.insert("AllocatedCapacity".to_owned(), json!(units as i64));
    }
}

/// How many units (DPU) a worker of this type is.
fn units_of(worker: &str) -> f64 {
    match worker {
        "G.025X" => 0.25,
        "G.2X" | "R.2X" | "Z.2X" => 2.0,
        "G.4X" | "R.4X" => 4.0,
        "G.8X" | "R.8X" => 8.0,
        "G.12X" => 12.0,
        "G.16X" => 16.0,
        _ => 1.0,
    }
}

fn put(members: &mut Members, name: &str, value: Value) {
    if !members.contains_key(name) {
        members.insert(name.to_owned(), value);
    }
}

fn text<'a>(members: &'a Members, name: &str) -> Option<&'a str> {
    members.get(name).and_then(Value::as_str)
}

fn number(members: &Map<String, Value>, name: &str) -> Option<u32> {
    members.get(name)?.as_u64()?.try_into().ok()
}
