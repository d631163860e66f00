//! A job: a script, what it reads, what it writes, and when it runs. Written by people as `job.toml`.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{Error, Result};
use crate::model::document::parse_toml;
use crate::model::duration;
pub use crate::model::input::{EmptyObjects, InputDefinition};
use crate::model::name::{TableRef, plain_name};
pub use crate::model::output::{OutputDefinition, OutputFormat, OutputMode};
use crate::model::overlap::Keys;
pub use crate::model::parameter::ParameterDefinition;
use crate::model::pattern::{Captures, ObjectPattern, is_identifier};
use crate::model::runtime::Runtime;

/// How long a retry waits the first time, and at the most.
const RETRY_BACKOFF: Duration = Duration::from_secs(10);
const LONGEST_RETRY_BACKOFF: Duration = Duration::from_secs(3600);
/// The longest batch window: Glue's (`EventBatchingCondition.BatchWindow`).
const MAX_BATCH_WINDOW: Duration = Duration::from_secs(900);
const MAX_FILES: u32 = 1000;

/// What `job.toml` says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobDefinition {
    /// What it is for, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What runs the script.
    pub engine: Engine,
    /// The script's file name, beside `job.toml`.
    pub script: String,
    /// Of a Python script: the packages that it needs, as `pip` takes them (`pandas==2.2.3`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requirements: Vec<String>,
    /// Of a Spark script: what runs it.
    #[serde(default, skip_serializing_if = "Runtime::is_auto")]
    pub runtime: Runtime,
    /// What a run may be told, by name.
    #[serde(default)]
    pub parameters: BTreeMap<String, ParameterDefinition>,
    /// The tables of the script, by name.
    #[serde(default)]
    pub inputs: BTreeMap<String, InputDefinition>,
    /// Where the result goes. The engine `sql` needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<OutputDefinition>,
    /// When it runs by itself.
    #[serde(default)]
    pub triggers: Vec<TriggerDefinition>,
    /// How long a run may take before it is stopped.
    #[serde(default, with = "duration::option", skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
    /// How many of its runs are at work at a time at the most; more wait for their turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u32>,
    /// Of what waits for a worker, the higher goes first.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub priority: i64,
    /// How often a run that failed is followed by another.
    #[serde(default, skip_serializing_if = "is_none_at_all")]
    pub retries: u32,
    /// How long that takes the first time; twice as long each time after that.
    #[serde(default, with = "duration::option", skip_serializing_if = "Option::is_none")]
    pub retry_backoff: Option<Duration>,
    /// Whether a run may be told what `parameters` doesn't list.
    #[serde(default, skip_serializing_if = "is_false")]
    pub other_parameters: bool,
}

fn is_false(value: &bool) -> bool {
    !value
}

fn is_zero(value: &i64) -> bool {
    *value == 0
}

fn is_none_at_all(value: &u32) -> bool {
    *value == 0
}

/// What runs a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Engine {
    /// DataFusion, in a process of its own.
    Sql,
    /// A Python interpreter.
    Python,
    /// Spark, by Spark Connect.
    Pyspark,
    /// Ray.
    Ray,
}

impl Engine {
    /// The name in `job.toml`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sql => "sql",
            Self::Python => "python",
            Self::Pyspark => "pyspark",
            Self::Ray => "ray",
        }
    }
}

/// When a job runs by itself: one kind for each thing that a trigger can wait for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "on", rename_all = "snake_case")]
pub enum TriggerDefinition {
    /// Objects were written.
    ObjectCreated(Arrivals),
}

/// The objects that a trigger waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arrivals {
    /// Which objects; a capture that is named like a parameter becomes it.
    #[serde(rename = "match")]
    pub pattern: String,
    /// How long to wait for more arrivals with the same parameters, from the first.
    #[serde(default, with = "duration")]
    pub batch_window: Duration,
}

/// A job as it is registered.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// Its name: that of its folder.
    pub name: String,
    /// 0 when registered, one more whenever its definition or script changes.
    pub version: i64,
    /// What `job.toml` says.
    pub definition: JobDefinition,
    /// `job.toml` itself.
    pub definition_text: String,
    /// The script's text; empty where the script is an object, which is read when a run starts.
    pub script: String,
    /// What a client of the Glue API said of it, where one made it: the members of the request, with AWS's defaults.
    pub glue: Option<Value>,
    /// When it was registered.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// A trigger as it is registered.
#[derive(Clone, Debug, PartialEq)]
pub struct Trigger {
    /// Its name: the job's, a dash, and its place among the job's triggers from 1.
    pub name: String,
    /// The job that it starts.
    pub job: String,
    /// When.
    pub definition: TriggerDefinition,
    /// Whether it does.
    pub enabled: bool,
}

impl Job {
    /// The name of its runs together, of which so many are at work at a time as its definition says.
    pub fn group(&self) -> String {
        format!("runs of {}", self.name)
    }
}

impl TriggerDefinition {
    /// The objects that it waits for, where objects are what it waits for.
    pub fn arrivals(&self) -> Option<&Arrivals> {
        match self {
            Self::ObjectCreated(arrivals) => Some(arrivals),
        }
    }

    /// Checks it against the job that it starts.
    fn check(&self, job: &JobDefinition) -> Result<()> {
        match self {
            Self::ObjectCreated(arrivals) => arrivals.check(job),
        }
    }
}

impl Arrivals {
    /// The pattern, read.
    ///
    /// # Errors
    /// Invalid where it is none.
    pub fn parsed(&self) -> Result<ObjectPattern> {
        ObjectPattern::parse(&self.pattern)
    }

    fn check(&self, job: &JobDefinition) -> Result<()> {
        let pattern = self.parsed()?;
        pattern.check()?;
        if self.batch_window > MAX_BATCH_WINDOW {
            return Err(Error::invalid("a trigger's batch_window is longer than 900s"));
        }
        let captured = pattern.capture_names();
        let unset = job
            .parameters
            .iter()
            .find(|(name, parameter)| parameter.default.is_none() && !captured.contains(&name.as_str()));
        if let Some((name, _)) = unset {
            return Err(Error::invalid(format!(
                "no capture of '{}' sets the parameter {name}",
                self.pattern
            ))
            .hint(format!(
                "write {{{name}}} where it stands in the key, or give the parameter a default"
            )));
        }
        let Some(output) = &job.output else {
            return Ok(());
        };
        if Keys::of(&pattern).meet(&Keys::of(&ObjectPattern::parse(&output.location)?)) {
            return Err(Error::invalid(format!(
                "the job would trigger itself: its output '{}' lies where its trigger '{}' listens",
                output.location, self.pattern
            ))
            .hint("give the output a folder of its own, that no capture or wildcard of the trigger can stand for"));
        }
        Ok(())
    }
}

impl JobDefinition {
    /// Reads and checks `job.toml`.
    ///
    /// # Errors
    /// Invalid, naming what is wrong and where.
    pub fn parse(name: &str, text: &str) -> Result<Self> {
        plain_name("job", name)?;
        let what = format!("job {name}: job.toml");
        let definition: Self = parse_toml(&what, text)?;
        definition.check().map_err(|error| error.within(&what))?;
        Ok(definition)
    }

    fn check(&self) -> Result<()> {
        for (name, parameter) in &self.parameters {
            check_identifier("parameter", name)?;
            parameter.check(name)?;
        }
        if self.concurrency == Some(0) {
            return Err(
                Error::invalid("concurrency is 0, and none of its runs could begin")
                    .hint("write how many may be at work at a time, or leave it out"),
            );
        }
        if !self.runtime.is_auto() && self.engine != Engine::Pyspark {
            return Err(Error::invalid(format!(
                "the engine {} has one runtime, so runtime = \"{}\" says nothing",
                self.engine.as_str(),
                self.runtime
            ))
            .hint("leave runtime out, or write engine = \"pyspark\""));
        }
        for (name, input) in &self.inputs {
            check_identifier("input", name)?;
            if let Some(pattern) = input.check(name, &self.parameters)? {
                self.check_captures(&pattern, &format!("inputs.{name}"))?;
            }
        }
        if let Some(output) = &self.output {
            self.check_output(output)?;
        } else if self.engine == Engine::Sql {
            return Err(Error::invalid("the engine sql needs an [output]"));
        }
        self.triggers.iter().try_for_each(|trigger| trigger.check(self))
    }

    fn check_output(&self, output: &OutputDefinition) -> Result<()> {
        let pattern = ObjectPattern::parse(&output.location)?;
        self.check_captures(&pattern, "output.location")?;
        if !output.location.ends_with('/') {
            return Err(
                Error::invalid(format!("output.location '{}' is not a folder", output.location))
                    .hint("end it with /"),
            );
        }
        if output.location.contains(['*', '?', '[']) {
            return Err(Error::invalid(
                "output.location is one folder, so *, ? and [ have no place in it",
            ));
        }
        self.check_inputs_of(output, &pattern)?;
        if !(1..=MAX_FILES).contains(&output.files) {
            return Err(Error::invalid(format!(
                "output.files is {}, and 1 to {MAX_FILES} are allowed",
                output.files
            )));
        }
        output.csv()?;
        if let Some(table) = &output.table {
            TableRef::parse(table)?;
        }
        Ok(())
    }

    /// Refuses an output folder with something in it that the job reads, but for the job's own former output: which is what
    /// an optional input is that reads just this folder.
    fn check_inputs_of(&self, output: &OutputDefinition, folder: &ObjectPattern) -> Result<()> {
        let written = Keys::of_some_value(folder);
        for (name, input) in &self.inputs {
            // The objects of a table are known when it is read: then they are refused.
            let Some(pattern) = input.pattern()? else { continue };
            let read = Keys::of_some_value(&pattern);
            if !read.meet(&written) || input.optional && input.folder() == output.location {
                continue;
            }
            return Err(Error::invalid(format!(
                "output.location '{}' overlaps inputs.{name}, '{}'",
                output.location, input.location
            ))
            .hint(
                "give the output a folder of its own; an input that reads the job's own former output names just \
                the output's folder, and is optional, as there is none before the first run",
            ));
        }
        Ok(())
    }

    fn check_captures(&self, pattern: &ObjectPattern, place: &str) -> Result<()> {
        match pattern
            .capture_names()
            .into_iter()
            .find(|name| !self.parameters.contains_key(*name))
        {
            Some(name) => Err(
                Error::invalid(format!("{place} uses {{{name}}}, which is not a parameter"))
                    .hint(format!("add a section [parameters.{name}]")),
            ),
            None => Ok(()),
        }
    }

    /// The parameters of a run: `given`, checked, with defaults where none is given.
    ///
    /// # Errors
    /// Invalid for an unknown, a missing or an unfitting one.
    pub fn parameters_of(&self, given: &Captures) -> Result<Captures> {
        let mut parameters = Captures::new();
        for (name, value) in given
            .iter()
            .filter(|(name, _)| !self.parameters.contains_key(*name))
        {
            if !self.other_parameters {
                let known: Vec<&str> = self.parameters.keys().map(String::as_str).collect();
                return Err(Error::invalid(format!("the job has no parameter {name}"))
                    .hint(format!("its parameters are: {}", known.join(", "))));
            }
            parameters.insert(name.clone(), value.clone());
        }
        for (name, definition) in &self.parameters {
            let value = given.get(name).or(definition.default.as_ref()).ok_or_else(|| {
                Error::invalid(format!("the parameter {name} is missing"))
                    .hint(format!("give it as --param {name}=…"))
            })?;
            definition.fits(name, value)?;
            if !self.is_without_places() {
                check_part_of_keys(name, value)?;
            }
            parameters.insert(name.clone(), value.clone());
        }
        for input in self.inputs.values() {
            if let Some(pattern) = input.pattern()? {
                pattern.with_values(&parameters)?;
            }
        }
        if let Some(output) = &self.output {
            output.folder(&parameters)?;
        }
        Ok(parameters)
    }

    /// Whether no key is made of its parameters, so that they may be anything: what it reads and writes is in its script.
    fn is_without_places(&self) -> bool {
        self.inputs.is_empty() && self.output.is_none()
    }

    /// How long after a run that failed, the so-manieth retry, the next begins.
    pub fn backoff(&self, retry: u32) -> Duration {
        let first = self.retry_backoff.unwrap_or(RETRY_BACKOFF);
        let doubled = first.checked_mul(2_u32.saturating_pow(retry));
        doubled
            .unwrap_or(LONGEST_RETRY_BACKOFF)
            .min(LONGEST_RETRY_BACKOFF)
    }
}

fn check_part_of_keys(name: &str, value: &str) -> Result<()> {
    if value.is_empty() || value == "." || value == ".." || value.contains(char::is_control) {
        return Err(Error::invalid(format!("the parameter {name} is '{value}'"))
            .hint("a parameter is part of keys: it isn't empty, . or .., and has no control characters"));
    }
    Ok(())
}

fn check_identifier(kind: &str, name: &str) -> Result<()> {
    if is_identifier(name) {
        return Ok(());
    }
    Err(Error::invalid(format!("'{name}' can't name a {kind}"))
        .hint("use letters, digits and _, and begin with a letter"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
engine = "sql"
script = "union.sql"
[parameters.ym]
pattern = '\d{4}-\d{2}'
[inputs]
yellow = "s3://lake/raw/yellow/yellow_tripdata_{ym}.*"
green = { location = "s3://lake/raw/green/green_tripdata_{ym}.*", columns = { vendor_id = "bigint" } }
[output]
location = "s3://lake/curated/yellow_green/ym={ym}/"
format = "csv"
table = "curated.yellow_green"
[[triggers]]
on = "object_created"
match = "s3://lake/raw/{color}/{color}_tripdata_{ym}.*"
batch_window = "5s"
"#;

    fn error_of(text: &str) -> String {
        let error = JobDefinition::parse("j", text).unwrap_err();
        format!("{} | {}", error.message, error.hint.unwrap_or_default())
    }

    #[test]
    fn a_job_is_read_with_its_defaults() {
        let job = JobDefinition::parse("monthly-union", GOOD).unwrap();
        let output = job.output.unwrap();
        assert_eq!((output.files, output.mode), (1, OutputMode::Overwrite));
        let arrivals = job.triggers[0].arrivals().unwrap();
        assert_eq!(arrivals.batch_window, Duration::from_secs(5));
        assert_eq!(job.inputs["green"].columns["vendor_id"], "bigint");
    }

    #[test]
    fn a_definition_survives_being_stored() {
        let job = JobDefinition::parse("monthly-union", GOOD).unwrap();
        let stored = serde_json::to_string(&job).unwrap();
        assert_eq!(serde_json::from_str::<JobDefinition>(&stored).unwrap(), job);
    }

    #[test]
    fn mistakes_are_named() {
        assert!(
            error_of(&GOOD.replace("batch_window", "batch_windows")).contains("did you mean 'batch_window'?")
        );
        let none_at_work = GOOD.replace("[parameters.ym]", "concurrency = 0\n[parameters.ym]");
        assert!(error_of(&none_at_work).contains("none of its runs could begin"));
        assert!(error_of(&GOOD.replace("5s", "5 seconds")).contains("write 500ms, 5s, 2m or 1h"));
        assert!(
            error_of(&GOOD.replace("[parameters.ym]", "[parameters.month]"))
                .contains("{ym}, which is not a parameter")
        );
        assert!(error_of(&GOOD.replace("bigint", "biginteger")).contains("not a type"));
        assert!(
            error_of(&GOOD.replace(
                "raw/{color}/{color}_tripdata_{ym}.*\"\nbatch",
                "{a}/{b}/ym={ym}/*\"\nbatch"
            ))
            .contains("trigger itself")
        );
        assert!(
            error_of(&GOOD.replace("_tripdata_{ym}.*\"\nbatch", "_tripdata_*\"\nbatch"))
                .contains("sets the parameter ym")
        );
    }

    #[test]
    fn retries_wait_twice_as_long_each_time_and_an_hour_at_the_most() {
        let text = GOOD.replace("[parameters.ym]", "retry_backoff = \"20m\"\n[parameters.ym]");
        let slow = JobDefinition::parse("j", &text).unwrap();
        let minutes = |retry| slow.backoff(retry).as_secs() / 60;
        assert_eq!([0, 1, 2, 3, 60].map(minutes), [20, 40, 60, 60, 60]);
        let usual = JobDefinition::parse("j", GOOD).unwrap();
        assert_eq!(usual.backoff(1), Duration::from_secs(20));
    }

    #[test]
    fn parameters_are_checked() {
        let job = JobDefinition::parse("monthly-union", GOOD).unwrap();
        let given = |value: &str| Captures::from([("ym".to_owned(), value.to_owned())]);
        assert_eq!(job.parameters_of(&given("2022-01")).unwrap(), given("2022-01"));
        assert!(job.parameters_of(&given("2022-1")).is_err());
        assert!(
            job.parameters_of(&Captures::new())
                .unwrap_err()
                .message
                .contains("ym is missing")
        );
        assert!(
            job.parameters_of(&Captures::from([("x".into(), "1".into())]))
                .is_err()
        );
    }
}
