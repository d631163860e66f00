//! `mastic engines`: what runs scripts on this machine. No server is asked: the settings say what it would use.

use clap::{Args, Subcommand};

use super::output;
use super::serve::block_on;
use super::{Global, Outcome, ServeFlags};
use crate::config::{Config, Flags};
use crate::error::{Error, Result};
use crate::etl;
use crate::model::job::Engine;

#[derive(Debug, Subcommand)]
pub(super) enum Engines {
    /// What is there, and what the settings allow
    List(List),
    /// Get what an engine needs, from PyPI or wherever pip is told to look
    Install(Install),
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    settings: ServeFlags,
}

#[derive(Debug, Args)]
pub(super) struct Install {
    /// pyspark
    engine: String,
    #[command(flatten)]
    settings: ServeFlags,
}

impl Engines {
    pub(super) fn run(self, global: &Global) -> Result<Outcome> {
        match self {
            Self::List(list) => list_all(list.settings, global),
            Self::Install(install) => get(&install.engine, install.settings, global),
        }
    }
}

fn list_all(settings: ServeFlags, global: &Global) -> Result<Outcome> {
    let config = Config::load(&Flags::from(settings))?;
    let states = block_on(async { Ok(etl::states(&config.engines).await) })?;
    let rows: Vec<Vec<String>> = states
        .into_iter()
        .map(|state| {
            let found = match state.found {
                Ok(found) => found,
                Err(error) => format!("{}; {}", error.message, error.hint.unwrap_or_default()),
            };
            let allowed = if state.is_allowed { "yes" } else { "no" };
            vec![state.engine.as_str().to_owned(), allowed.to_owned(), found]
        })
        .collect();
    output::rows_of(global.output, &["engine", "allowed", "with"], &rows);
    Ok(Outcome::Done)
}

fn get(name: &str, settings: ServeFlags, global: &Global) -> Result<Outcome> {
    let engine = match name {
        "sql" => Engine::Sql,
        "python" => Engine::Python,
        "pyspark" => Engine::Pyspark,
        _ => {
            return Err(Error::invalid(format!("there is no engine {name}"))
                .hint("sql, python and pyspark are engines; only pyspark is to be installed"));
        }
    };
    let config = Config::load(&Flags::from(settings))?;
    let Some(mut command) = block_on(etl::installing(&config.engines, engine))? else {
        output::say(global.quiet, &format!("the engine {name} has all that it needs"));
        return Ok(Outcome::Done);
    };
    let status = command
        .status()
        .map_err(|cause| Error::unavailable(format!("the engine {name} can't be installed: {cause}")))?;
    match status.success() {
        true => Ok(Outcome::Done),
        false => Err(Error::unavailable(format!("the engine {name} was not installed"))
            .hint("what is wrong stands above; pip's own settings and variables are followed")),
    }
}
