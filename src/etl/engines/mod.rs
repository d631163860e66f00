//! What runs scripts: one engine, one file. An engine is given its work, says what it does, and says at the end what it
//! wrote; the run around it, its log, its journal and what is published of it are the same for all.

mod environment;
mod keys;
mod known;
mod library;
mod pyspark;
mod python;
mod sql;
mod stages;

use environment::Interpreter;

use crate::app::App;
use crate::config::EngineConfig;
use crate::error::{Error, Result};
use crate::model::job;
use crate::model::job::{Job, OutputDefinition};
use crate::model::location::Location;
use crate::model::run::{LogLevel, Run, Usage};
use crate::task::{Child, Limits, Message, TableToRead, Upload, Written};

/// What an engine is to do.
pub(super) struct Assignment<'a> {
    pub(super) app: &'a App,
    pub(super) job: &'a Job,
    pub(super) run: &'a Run,
    /// The script's text.
    pub(super) script: &'a str,
    /// The script's tables, each with the objects that it is made of.
    pub(super) tables: &'a [TableToRead],
    pub(super) place: Place<'a>,
    pub(super) limits: Limits,
}

/// Where what a script writes goes.
pub(super) enum Place<'a> {
    /// Into uploads that were begun, and that nobody sees before they are completed: the engine writes the output's files.
    Uploads(&'a OutputDefinition, &'a [Upload]),
    /// Below a folder of its own, in files as the script likes: the output is made of them.
    Folder(&'a Location),
    /// Wherever the script likes: the job names no output.
    Anywhere,
}

/// What an engine says while it works.
pub(super) enum Said {
    /// A line for the run's log.
    Log(LogLevel, String),
    /// It is done, and wrote the output's files.
    Wrote(Written),
    /// It is done, and wrote what it liked.
    Ran(Usage),
}

/// An engine.
#[async_trait::async_trait]
pub(super) trait Engine: Sync {
    /// Whether it writes the output's files itself. Another one's scripts write files of their own, of which the output is
    /// made.
    fn writes_output(&self) -> bool;

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

#[async_trait::async_trait]
impl Working for Child {
    async fn next(&mut self) -> Result<Said> {
        loop {
            match Self::next(self).await? {
                Message::Log { level, message } => return Ok(Said::Log(level, message)),
                Message::Wrote(written) => return Ok(Said::Wrote(*written)),
                Message::Ran(usage) => return Ok(Said::Ran(usage)),
                Message::Failed(failure) => return Err(failure.into()),
                _ => {}
            }
        }
    }
}

/// The engine that a job names.
///
/// # Errors
/// Invalid for one that there isn't.
pub(super) fn of(engine: job::Engine) -> Result<&'static dyn Engine> {
    match engine {
        job::Engine::Sql => Ok(&sql::Sql),
        job::Engine::Python => Ok(&python::Python),
        job::Engine::Pyspark => Ok(&pyspark::Pyspark),
        job::Engine::Ray => Err(Error::invalid("the engine ray can't be run").hint("use python or pyspark")),
    }
}

/// Makes sure that the settings allow an engine. One that runs code of any kind lets whoever may make a job act as this
/// server's user, as far as its scripts aren't shut in.
///
/// # Errors
/// Invalid, also for one that there isn't: trying again would not help.
pub(super) fn check_allowed(app: &App, engine: job::Engine) -> Result<()> {
    of(engine)?;
    if engine == job::Engine::Sql || app.config.engines.allowed.contains(&engine) {
        return Ok(());
    }
    let name = engine.as_str();
    Err(Error::invalid(format!(
        "the engine {name} is off: there is no sign-in yet, so everybody who reaches this server could run code by it"
    ))
    .hint(format!(
        "where that is meant, write allow = [\"{name}\"] below [engines] in mastic.toml"
    )))
}

/// What this machine has of an engine, or of one runtime of it.
#[derive(Debug)]
pub struct EngineState {
    /// Its name.
    pub name: &'static str,
    /// Which engine it is.
    pub engine: job::Engine,
    /// Whether the settings let it run code; SQL always may.
    pub is_allowed: bool,
    /// Whether scripts can do without.
    pub is_optional: bool,
    /// What it runs with, or what is missing.
    pub found: Result<String>,
}

/// What this machine has of each engine.
pub async fn states(config: &EngineConfig) -> Vec<EngineState> {
    let interpreter = Interpreter::of(config).await;
    let interpreter = interpreter.map(|interpreter| interpreter.file.display().to_string());
    let sail = pyspark::connect::found(config).await;
    let spark = pyspark::spark::found(config).await;
    let has_sail = sail.is_ok();
    let has_spark = spark.is_ok();
    let found = [
        ("sql", job::Engine::Sql, false, Ok("built in".to_owned())),
        ("python", job::Engine::Python, false, interpreter),
        ("pyspark on Sail", job::Engine::Pyspark, has_spark, sail),
        ("pyspark on Spark", job::Engine::Pyspark, has_sail, spark),
    ];
    let state = |(name, engine, is_optional, found)| EngineState {
        name,
        engine,
        is_allowed: engine == job::Engine::Sql || config.allowed.contains(&engine),
        is_optional,
        found,
    };
    found.map(state).into()
}

/// What `mastic engines install` gets.
#[derive(Clone, Copy, Debug)]
pub enum Installable {
    /// What the engine pyspark runs on where it can: Sail.
    Sail,
    /// Spark itself.
    Spark,
}

/// The command that gets it; none where it is there.
///
/// # Errors
/// Invalid where it needs an interpreter, or a Java, that isn't there.
pub async fn installing(config: &EngineConfig, what: Installable) -> Result<Option<std::process::Command>> {
    let environment = match what {
        Installable::Sail => pyspark::connect::environment(config, &[]).await?,
        Installable::Spark => pyspark::spark::environment(config).await?,
    };
    Ok((!environment.is_ready()).then(|| environment.installing()))
}
