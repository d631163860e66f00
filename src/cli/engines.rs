//! `mastic engines`: what runs scripts on this machine. No server is asked: the settings say what it would use.

use clap::{Args, Subcommand};

use super::output;
use super::serve::block_on;
use super::{Global, Outcome, ServeFlags};
use crate::config::{Config, Flags};
use crate::error::{Error, Result};
use crate::etl;
use crate::etl::Installable;

#[derive(Debug, Subcommand)]
pub(super) enum Engines {
    /// What is there, and what the settings allow
    List(List),
    /// Get what an engine needs, from PyPI (and for Spark from Maven Central) or wherever pip and Spark are told to look
    Install(Install),
}

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    settings: ServeFlags,
}

#[derive(Debug, Args)]
pub(super) struct Install {
    /// pyspark (Sail, which needs no Java) or spark (Spark itself, which does)
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
            vec![state.name.to_owned(), allowed.to_owned(), found]
        })
        .collect();
    output::rows_of(global.output, &["engine", "allowed", "with"], &rows);
    Ok(Outcome::Done)
}

fn get(name: &str, settings: ServeFlags, global: &Global) -> Result<Outcome> {
    let has_all = || output::say(global.quiet, &format!("{name} has all that it needs"));
    let what = match name {
        "sql" | "python" => {
            has_all();
            return Ok(Outcome::Done);
        }
        "pyspark" | "sail" => Installable::Sail,
        "spark" => Installable::Spark,
        _ => {
            return Err(Error::invalid(format!("there is no engine {name}"))
                .hint("pyspark (Sail, which needs no Java) and spark (Spark itself) can be installed"));
        }
    };
    let config = Config::load(&Flags::from(settings))?;
    let Some(mut command) = block_on(etl::installing(&config.engines, what))? else {
        has_all();
        return Ok(Outcome::Done);
    };
    let status = command
        .status()
        .map_err(|cause| Error::unavailable(format!("{name} can't be installed: {cause}")))?;
    match status.success() {
        true => Ok(Outcome::Done),
        false => Err(Error::unavailable(format!("{name} was not installed"))
            .hint("what is wrong stands above; pip's own settings and variables are followed, and engines.spark_conf")),
    }
}
