//! A job: a script, what it reads, what it writes, and when it runs. Written by people as `job.toml`.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use regex::Regex;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::model::document::parse_toml;
pub use crate::model::input::{EmptyObjects, InputDefinition};
use crate::model::name::{TableRef, plain_name};
pub use crate::model::output::{OutputDefinition, OutputFormat, OutputMode};
use crate::model::overlap::Keys;
use crate::model::pattern::{Captures, ObjectPattern, is_identifier};

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
    #[serde(
        default,
        with = "duration_text::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub timeout: Option<Duration>,
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
}

impl Engine {
    /// The name in `job.toml`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sql => "sql",
            Self::Python => "python",
            Self::Pyspark => "pyspark",
        }
    }
}

/// What a parameter may be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParameterDefinition {
    /// A regular expression that the whole value must match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// The value where none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
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
    #[serde(default, with = "duration_text")]
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
    /// The script's text.
    pub script: String,
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
            if let Some(pattern) = &parameter.pattern {
                whole_match(pattern)?;
            }
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
        if let Some(unknown) = given.keys().find(|name| !self.parameters.contains_key(*name)) {
            let known: Vec<&str> = self.parameters.keys().map(String::as_str).collect();
            return Err(Error::invalid(format!("the job has no parameter {unknown}"))
                .hint(format!("its parameters are: {}", known.join(", "))));
        }
        let mut parameters = Captures::new();
        for (name, definition) in &self.parameters {
            let value = given.get(name).or(definition.default.as_ref()).ok_or_else(|| {
                Error::invalid(format!("the parameter {name} is missing"))
                    .hint(format!("give it as --param {name}=…"))
            })?;
            if let Some(pattern) = &definition.pattern
                && !whole_match(pattern)?.is_match(value)
            {
                return Err(Error::invalid(format!(
                    "the parameter {name} is '{value}', which does not match {pattern}"
                ))
                .hint("the pattern is a regular expression that the whole value must match"));
            }
            if value.is_empty() || value == "." || value == ".." || value.contains(char::is_control) {
                return Err(Error::invalid(format!("the parameter {name} is '{value}'")).hint(
                    "a parameter is part of keys: it isn't empty, . or .., and has no control characters",
                ));
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
}

fn check_identifier(kind: &str, name: &str) -> Result<()> {
    if is_identifier(name) {
        return Ok(());
    }
    Err(Error::invalid(format!("'{name}' can't name a {kind}"))
        .hint("use letters, digits and _, and begin with a letter"))
}

fn whole_match(pattern: &str) -> Result<Regex> {
    Regex::new(&format!("^(?:{pattern})$"))
        .map_err(|cause| Error::invalid(format!("'{pattern}' is not a regular expression: {cause}")))
}

/// Durations as people write them: `500ms`, `5s`, `2m`, `1h`.
mod duration_text {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{}ms", value.as_millis()))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse(&text)
            .ok_or_else(|| D::Error::custom(format!("'{text}' is not a duration; write 500ms, 5s, 2m or 1h")))
    }

    fn parse(text: &str) -> Option<Duration> {
        let digits = text.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = text[..digits].parse().ok()?;
        let millis = match &text[digits..] {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return None,
        };
        number.checked_mul(millis).map(Duration::from_millis)
    }

    pub(super) mod option {
        use std::time::Duration;

        use serde::{Deserializer, Serializer};

        pub(in super::super) fn serialize<S: Serializer>(
            value: &Option<Duration>,
            s: S,
        ) -> Result<S::Ok, S::Error> {
            match value {
                Some(value) => super::serialize(value, s),
                None => s.serialize_none(),
            }
        }

        pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
            d: D,
        ) -> Result<Option<Duration>, D::Error> {
            super::deserialize(d).map(Some)
        }
    }
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
