//! Spark scripts as they stand, on Sail: a Spark Connect server without a JVM, which begins in the script's own process and
//! ends with it.

use std::collections::BTreeMap;

use super::environment::Environment;
use super::python;
use super::stages::Stages;
use super::{Assignment, Engine, Working};
use crate::buckets::Access;
use crate::config::EngineConfig;
use crate::error::{Error, Result};
use crate::task::Program;

/// What starts Sail and stands in for what Spark Connect lacks, then runs the script.
const LAUNCHER: (&str, &str) = ("mastic_sail.py", include_str!("sail.py"));
/// What is installed of it.
const REQUIREMENTS: [&str; 2] = ["pysail==0.7.2", "pyspark-client==4.0.1"];

pub(super) struct Pyspark;

#[async_trait::async_trait]
impl Engine for Pyspark {
    fn writes_output(&self) -> bool {
        false
    }

    async fn start(&self, work: Assignment<'_>) -> Result<Box<dyn Working>> {
        let config = &work.app.config.engines;
        found(config).await?;
        let environment = environment(config).await?;
        let mut program = python::program(&work, &environment.interpreter(), &[LAUNCHER]).await?;
        configure(&mut program, &work.app.access);
        Stages::begin(&work, [(program, config.memory_bytes)]).await
    }
}

/// What it runs with.
///
/// # Errors
/// Invalid where it isn't installed; Unavailable where there is no interpreter.
pub(super) async fn found(config: &EngineConfig) -> Result<String> {
    let environment = environment(config).await?;
    match environment.is_ready() {
        true => Ok(format!(
            "{} in {}",
            REQUIREMENTS.join(", "),
            environment.folder().display()
        )),
        false => Err(
            Error::invalid("the engine pyspark isn't installed on this machine")
                .hint("get it with: mastic engines install pyspark"),
        ),
    }
}

/// The environment that it needs.
///
/// # Errors
/// Unavailable where there is no interpreter.
pub(super) async fn environment(config: &EngineConfig) -> Result<Environment> {
    Environment::of(config, &REQUIREMENTS.map(str::to_owned)).await
}

/// Tells Sail where objects are.
fn configure(program: &mut Program, access: &Access) {
    let mut set = |name: &str, value: &str| {
        program.environment.insert(name.to_owned(), value.to_owned());
    };
    set("RUST_LOG", "warn");
    let endpoint = match access {
        Access::Endpoint { url, .. } => Some(url.clone()),
        // Sail doesn't know the names that AWS's clients have for it.
        Access::Environment => endpoint(&crate::config::process_environment()),
    };
    if let Some(url) = endpoint {
        set("AWS_ENDPOINT", &url);
        if url.starts_with("http://") {
            set("AWS_ALLOW_HTTP", "true");
        }
    }
}

/// Where an environment says that S3 is, if it does.
fn endpoint(environment: &BTreeMap<String, String>) -> Option<String> {
    let named = |name: &str| environment.get(name).filter(|url| !url.is_empty());
    let url = named("AWS_ENDPOINT_URL_S3").or_else(|| named("AWS_ENDPOINT_URL"));
    url.cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_store_is_where_the_environment_says() {
        let of = |pairs: &[(&str, &str)]| {
            let pairs = pairs
                .iter()
                .map(|(name, url)| ((*name).to_owned(), (*url).to_owned()));
            endpoint(&pairs.collect())
        };
        let general = ("AWS_ENDPOINT_URL", "http://minio:9000");
        assert_eq!(of(&[general]).unwrap(), "http://minio:9000");
        let of_s3 = ("AWS_ENDPOINT_URL_S3", "https://ceph");
        assert_eq!(of(&[general, of_s3]).unwrap(), "https://ceph");
        assert_eq!(of(&[("AWS_ENDPOINT_URL", "")]), None);
    }
}
