//! A run: one execution of a job.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::{Error, Subject};
use crate::model::crawl::WorkState;
use crate::model::duration;
use crate::model::pattern::Captures;

/// One execution of a job.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Its id.
    pub id: String,
    /// The job's name.
    pub job: String,
    /// How far it is.
    pub state: WorkState,
    /// How many workers have taken it up: 1 unless one died.
    pub attempt: i64,
    /// What it was started with and what it did.
    pub body: RunBody,
    /// Whether somebody asked for it to be stopped.
    pub stopping: bool,
    /// What it waits for, where it is queued for another reason than a worker.
    pub waiting: Option<String>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When a worker took it.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

/// The part of a run that is kept as one document.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunBody {
    /// The job's parameters.
    pub parameters: BTreeMap<String, String>,
    /// The trigger that started it; a person did where there is none.
    #[serde(default)]
    pub trigger: Option<String>,
    /// The events that it acts on.
    #[serde(default)]
    pub events: Vec<String>,
    /// The jobs whose runs led to it by what they wrote, the first first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chain: Vec<String>,
    /// The run that it follows, because that failed or was stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// How many runs it follows in this way.
    #[serde(default)]
    pub retry: u32,
    /// How long it may take, where that is another time than its job's.
    #[serde(default, with = "duration::option", skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
    /// What the Glue API says of it beyond that, where a client of it made the job or started the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub glue: Option<Map<String, Value>>,
    /// Rows read.
    #[serde(default)]
    pub rows_in: Option<i64>,
    /// Rows written.
    #[serde(default)]
    pub rows_out: Option<i64>,
    /// Bytes read, as stored.
    #[serde(default)]
    pub bytes_in: Option<i64>,
    /// Bytes written.
    #[serde(default)]
    pub bytes_out: Option<i64>,
    /// The objects that were read, each in the very version that was.
    #[serde(default)]
    pub inputs: Vec<RunInput>,
    /// The objects that were written.
    #[serde(default)]
    pub outputs: Vec<RunOutput>,
    /// What its script used, where that is a program of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// What went wrong.
    #[serde(default)]
    pub error: Option<RunError>,
}

/// What a program used, with all that it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// CPU time in milliseconds.
    pub cpu_milliseconds: u64,
    /// The most memory that was resident at a time, in bytes, as often as it was looked at.
    pub peak_memory_bytes: u64,
}

/// One object that a run read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunInput {
    /// The table that it is part of in the script.
    pub name: String,
    /// Where it is.
    pub path: String,
    /// Its size in bytes.
    pub size: i64,
    /// Its entity tag.
    pub etag: String,
    /// The rows in it.
    pub rows: Option<i64>,
}

/// One object that a run wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunOutput {
    /// Where it is.
    pub path: String,
    /// Its size in bytes.
    pub size: i64,
    /// The rows in it.
    pub rows: i64,
    /// Its entity tag.
    pub etag: String,
}

/// Why a run failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunError {
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Whether its time was over.
    #[serde(default)]
    pub timed_out: bool,
}

impl From<Error> for RunError {
    fn from(error: Error) -> Self {
        Self {
            timed_out: error.subject == Some(Subject::TimeLimit),
            message: error.message,
            hint: error.hint,
        }
    }
}

/// How a run is asked for.
#[derive(Clone, Debug, Default)]
pub struct RunRequest {
    /// What it is told.
    pub parameters: Captures,
    /// The trigger that starts it; a person does where there is none.
    pub trigger: Option<String>,
    /// How long it may take, where that is another time than its job's.
    pub timeout: Option<Duration>,
    /// What the Glue API says of it beyond that.
    pub glue: Option<Map<String, Value>>,
    /// Whether it waits for its turn where its job has no room for it, if another answer than the job's is wanted.
    pub queues: Option<bool>,
    /// A name for this request: asked for again under it, the run that was started is given.
    pub key: Option<String>,
}

/// How much a log line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// What happens.
    Info,
    /// Something that a person should look at.
    Warn,
    /// What went wrong.
    Error,
}

impl LogLevel {
    /// The name that is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// One line of a run's log.
#[derive(Clone, Debug, PartialEq)]
pub struct LogLine {
    /// Its place in the log, from 1.
    pub seq: i64,
    /// When it was said.
    pub at: DateTime<Utc>,
    /// How much it matters.
    pub level: LogLevel,
    /// What was said.
    pub message: String,
}

/// Which runs are wanted.
#[derive(Clone, Debug, Default)]
pub struct RunFilter {
    /// Of this job only.
    pub job: Option<String>,
    /// In this state only.
    pub state: Option<WorkState>,
}
