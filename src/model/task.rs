//! A task of the queue, as people see it.

use chrono::{DateTime, Utc};
use serde_json::Value;

/// How far a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskState {
    /// It waits for its time, or for a worker.
    Ready,
    /// It was tried and put back: what it needs is away, or it will be tried again.
    Waiting,
    /// A worker is at it.
    Running,
    /// It won't be tried again unless somebody says so.
    Failed,
}

impl TaskState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Ready, Self::Waiting, Self::Running, Self::Failed];

    /// The name that is shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "READY",
            Self::Waiting => "WAITING",
            Self::Running => "RUNNING",
            Self::Failed => "FAILED",
        }
    }

    /// The state of this name, in large or small letters.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str().eq_ignore_ascii_case(name))
    }
}

/// A task.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskRecord {
    /// Its id.
    pub id: String,
    /// What kind of work it is: `run`, `close_batch`, `crawl`, `scheduled_crawl`.
    pub kind: String,
    /// What it is about.
    pub payload: Value,
    /// How far it is.
    pub state: TaskState,
    /// When it is due.
    pub run_at: DateTime<Utc>,
    /// Which try the last one was; tries that only waited don't count.
    pub attempt: i64,
    /// How many tries ended by our own mistake.
    pub failures: i64,
    /// How often in a row it was put back because something that it needs was away or refused.
    pub waits: i64,
    /// How many workers in a row died with it.
    pub deaths: i64,
    /// The last error.
    pub error: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
    /// Since when it has failed.
    pub first_failed_at: Option<DateTime<Utc>>,
    /// When it failed for good.
    pub failed_at: Option<DateTime<Utc>>,
    /// When it was put on the queue.
    pub created_at: DateTime<Utc>,
}

impl TaskRecord {
    /// A member of the payload that is a text, such as the id of the run.
    pub fn about(&self, name: &str) -> Option<&str> {
        self.payload.get(name).and_then(Value::as_str)
    }
}

/// What operators count of the queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TaskCounts {
    /// Tasks that wait or are at work.
    pub unfinished: i64,
    /// Tasks that were tried and put back.
    pub waiting: i64,
    /// Tasks that failed for good and aren't settled.
    pub failed: i64,
    /// Since when the task that is due longest waits for a worker.
    pub oldest_due: Option<DateTime<Utc>>,
}
