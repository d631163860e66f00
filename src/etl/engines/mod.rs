//! What runs scripts: one engine, one file. An engine is given its work, says what it does, and says at the end what it
//! wrote; the run around it, its log, its journal and what is published of it are the same for all.

mod sql;

use crate::app::App;
use crate::error::{Error, Result};
use crate::model::job;
use crate::model::job::{Job, OutputDefinition};
use crate::model::run::LogLevel;
use crate::task::{Limits, TableToRead, Upload, Written};

/// What an engine is to do.
pub(super) struct Assignment<'a> {
    pub(super) app: &'a App,
    pub(super) job: &'a Job,
    pub(super) output: &'a OutputDefinition,
    /// The script's tables, each with the objects that it is made of.
    pub(super) tables: &'a [TableToRead],
    /// Where the files of the output go: uploads that were begun, and that nobody sees before they are completed.
    pub(super) uploads: &'a [Upload],
    pub(super) limits: Limits,
}

/// What an engine says while it works.
pub(super) enum Said {
    /// A line for the run's log.
    Log(LogLevel, String),
    /// It is done.
    Wrote(Written),
}

/// An engine.
#[async_trait::async_trait]
pub(super) trait Engine: Sync {
    /// Starts a script.
    ///
    /// # Errors
    /// Whatever keeps it from starting.
    async fn start(&self, work: Assignment<'_>) -> Result<Box<dyn Working>>;
}

/// A script at work. Dropping it ends it.
#[async_trait::async_trait]
pub(super) trait Working: Send {
    /// What it says next. It may be asked again where the answer wasn't awaited.
    ///
    /// # Errors
    /// What the script failed with: nothing follows.
    async fn next(&mut self) -> Result<Said>;
}

/// The engine that a job names.
///
/// # Errors
/// Invalid for one that can't be run.
pub(super) fn of(engine: job::Engine) -> Result<&'static dyn Engine> {
    match engine {
        job::Engine::Sql => Ok(&sql::Sql),
        job::Engine::Python | job::Engine::Pyspark | job::Engine::Ray => Err(Error::invalid(format!(
            "the engine {} can't be run yet",
            engine.as_str()
        ))
        .hint("use the engine sql")),
    }
}
