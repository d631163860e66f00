//! Spark scripts as they stand: on Sail, on a server of Spark Connect, or on Spark itself.

pub(super) mod connect;
mod java;
mod needs;
pub(super) mod spark;

use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use super::environment::Environment;
use super::python::requirements;
use super::stages::{INSTALL_BYTES, Stages};
use super::{Assignment, Engine, Working};
use crate::buckets::Access;
use crate::error::{Error, Result};
use crate::model::run::LogLevel;
use crate::model::runtime::{Runtime, SparkAddress};
use crate::task::Program;

/// What both launchers have in common, beside them.
const LAUNCH: (&str, &str) = ("mastic_launch.py", include_str!("launch.py"));
/// The argument by which a job that Glue's clients made, or a run of it, names its runtime.
const RUNTIME_ARGUMENT: &str = "mastic-runtime";
/// How long a Spark elsewhere may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) struct Pyspark;

/// A script, ready to run.
struct Prepared {
    program: Program,
    /// The environment that it runs in, where it isn't there for sure.
    environment: Option<Environment>,
}

/// Where a script is to run, and why there.
#[derive(Debug, PartialEq, Eq)]
struct Choice {
    /// On Sail without one.
    address: Option<SparkAddress>,
    why: String,
}

#[async_trait::async_trait]
impl Engine for Pyspark {
    fn writes_output(&self) -> bool {
        false
    }

    async fn start(&self, work: Assignment<'_>) -> Result<Box<dyn Working>> {
        let config = &work.app.config.engines;
        let choice = choose(&work).await?;
        let mut remarks = vec![(LogLevel::Info, choice.why)];
        let requirements = requirements(work.job, &work.run.body.parameters);
        let prepared = match &choice.address {
            None => connect::prepare(&work, None, &requirements).await?,
            Some(address) => {
                reach(address).await?;
                remarks.extend(warnings(&work, address, &requirements));
                match address {
                    SparkAddress::Connect(_) => connect::prepare(&work, Some(address), &requirements).await?,
                    SparkAddress::Master(_) => spark::prepare(&work, address, &requirements).await?,
                }
            }
        };
        let mut stages = Vec::new();
        if let Some(environment) = prepared.environment.filter(|environment| !environment.is_ready()) {
            stages.push((environment.program(config.log_bytes)?, INSTALL_BYTES));
        }
        stages.push((prepared.program, config.memory_bytes));
        Stages::begin(&work, stages, remarks).await
    }
}

/// Says where a script is to run: where its run or its job says, else where it can.
///
/// # Errors
/// Invalid where nothing that is there can run it.
async fn choose(work: &Assignment<'_>) -> Result<Choice> {
    let config = &work.app.config.engines;
    let told = work.run.body.parameters.get(RUNTIME_ARGUMENT);
    let runtime = match told {
        Some(told) => told.parse()?,
        None => work.job.definition.runtime.clone(),
    };
    let as_told = |address: Option<SparkAddress>| Choice {
        why: format!("runtime: {}, as the job says", name_of(address.as_ref())),
        address,
    };
    match runtime {
        Runtime::Sail => return Ok(as_told(None)),
        Runtime::Spark => return Ok(as_told(Some(config.spark_master.clone()))),
        Runtime::At(address) => return Ok(as_told(Some(address))),
        Runtime::Auto => {}
    }
    let spark = || config.spark_master.clone();
    let chosen = |address: Option<SparkAddress>, why: &str| Choice {
        why: format!("runtime: {}, {why}", name_of(address.as_ref())),
        address,
    };
    match needs::of(work.script) {
        Some(need) => {
            let why = format!(
                "line {} of the script uses {}, which Sail hasn't",
                need.line, need.what
            );
            if matches!(config.spark_master, SparkAddress::Connect(_)) {
                return Err(Error::invalid(format!(
                    "{why}, nor has the Spark Connect server that engines.spark_master names"
                ))
                .hint("name a master of Spark there, or write runtime = \"local[*]\" into job.toml"));
            }
            match spark::found(config).await {
                Ok(_) => Ok(chosen(Some(spark()), &format!("because {why}"))),
                Err(error) => {
                    Err(Error::invalid(format!("{why}: {}", error.message))
                        .hint(error.hint.unwrap_or_default()))
                }
            }
        }
        None => match connect::found(config).await {
            Ok(_) => Ok(chosen(
                None,
                "because nothing in the script needs Spark itself (runtime = \"spark\" runs it there)",
            )),
            Err(_) if spark::found(config).await.is_ok() => {
                Ok(chosen(Some(spark()), "because Sail isn't installed"))
            }
            Err(error) => Err(error),
        },
    }
}

fn name_of(address: Option<&SparkAddress>) -> String {
    match address {
        None => "Sail".to_owned(),
        Some(address @ SparkAddress::Connect(_)) => format!("Spark Connect at {}", address.shown()),
        Some(address @ SparkAddress::Master(_)) => format!("Spark at {}", address.shown()),
    }
}

/// Makes sure that somebody answers there: Spark itself would try for a minute, and not say so in a word.
///
/// # Errors
/// Invalid where nobody does: a run doesn't wait for a cluster that may never come, as `retries` are for that.
async fn reach(address: &SparkAddress) -> Result<()> {
    let servers = address.servers();
    let mut why = String::new();
    for (host, port) in &servers {
        match timeout(PATIENCE, TcpStream::connect((host.as_str(), *port))).await {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(cause)) => why = cause.to_string(),
            Err(_) => why = format!("no answer in {} seconds", PATIENCE.as_secs()),
        }
    }
    match servers.is_empty() {
        true => Ok(()),
        false => Err(
            Error::invalid(format!("{} can't be reached: {why}", name_of(Some(address))))
                .hint("start it and run the job again; with retries in job.toml that happens by itself"),
        ),
    }
}

/// What whoever looks at the run should know of a Spark elsewhere.
fn warnings(
    work: &Assignment<'_>,
    address: &SparkAddress,
    requirements: &[String],
) -> Vec<(LogLevel, String)> {
    let mut warnings = Vec::new();
    if matches!(address, SparkAddress::Connect(_)) {
        warnings.push(
            "the Spark Connect server reads and writes objects with settings and keys of its own".to_owned(),
        );
    }
    if !address.is_local() && !requirements.is_empty() {
        warnings.push(format!(
            "{} are installed where the script runs, and not where its functions on rows do",
            requirements.join(", ")
        ));
    }
    if let Access::Endpoint { url, .. } = &work.app.access
        && matches!(address, SparkAddress::Master(_))
        && !address.is_near()
        && work.app.config.lake_url().is_none()
    {
        warnings.push(format!(
            "the cluster is told that objects are at {url}: where its machines can't reach that, set lake.url"
        ));
    }
    let warn = |text| (LogLevel::Warn, text);
    warnings.into_iter().map(warn).collect()
}

fn not_installed(what: &str, name: &str) -> Error {
    Error::invalid(format!("{what} isn't installed on this machine"))
        .hint(format!("get it with: mastic engines install {name}"))
}
