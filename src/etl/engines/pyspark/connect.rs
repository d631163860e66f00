//! Spark scripts by Spark Connect: on Sail, which needs no JVM, begins in the script's own process and ends with it; or on
//! a server that is there already.

use std::collections::BTreeMap;

use serde_json::json;

use super::super::Assignment;
use super::super::environment::Environment;
use super::super::python;
use super::{LAUNCH, Prepared, not_installed};
use crate::buckets::Access;
use crate::config::{Config, EngineConfig};
use crate::error::Result;
use crate::model::runtime::SparkAddress;

/// What stands in for what Spark Connect lacks, then runs the script.
const LAUNCHER: (&str, &str) = ("mastic_connect.py", include_str!("connect.py"));
/// What keeps the order of rows on Sail.
const ORDER: (&str, &str) = ("mastic_order.py", include_str!("order.py"));
/// What is installed of it: Sail, and the client of Spark Connect.
const REQUIREMENTS: [&str; 2] = ["pysail==0.7.2", "pyspark-client==4.0.1"];

/// What Sail calls this server's catalog, and the one of a session.
const CATALOG: &str = "glue";
const OWN_CATALOG: &str = "sail";

/// Sail's catalogs: what a session makes for itself, and this server's, by Glue's protocol.
fn catalogs(config: &Config) -> String {
    format!(
        r#"[{{name="{OWN_CATALOG}", type="memory", initial_database=["default"]}}, {{name="{CATALOG}", type="glue", region="{}", endpoint_url="{}"}}]"#,
        config.catalog.region,
        config.api_url()
    )
}

/// What it runs with.
///
/// # Errors
/// Invalid where it isn't installed, or where there is no interpreter.
pub(in super::super) async fn found(config: &EngineConfig) -> Result<String> {
    let environment = environment(config, &[]).await?;
    match environment.is_ready() {
        true => Ok(format!(
            "{} in {}",
            REQUIREMENTS.join(", "),
            environment.folder().display()
        )),
        false => Err(not_installed("the engine pyspark", "pyspark")),
    }
}

/// The environment that it needs, with more packages.
///
/// # Errors
/// Invalid where there is no interpreter.
pub(in super::super) async fn environment(config: &EngineConfig, more: &[String]) -> Result<Environment> {
    let own = REQUIREMENTS.map(str::to_owned);
    Environment::of(config, &[&own, more].concat()).await
}

/// A script's program, on Sail or on the server at `remote`.
///
/// # Errors
/// As [`found`]; those of the store.
pub(super) async fn prepare(
    work: &Assignment<'_>,
    remote: Option<&SparkAddress>,
    requirements: &[String],
) -> Result<Prepared> {
    let config = &work.app.config.engines;
    found(config).await?;
    let environment = environment(config, requirements).await?;
    let mut program = python::program(work, &environment.interpreter(), &[LAUNCHER]).await?;
    for (name, text) in [LAUNCH, ORDER] {
        program.files.insert(name.to_owned(), text.to_owned());
    }
    let mut set = |name: &str, value: &str| {
        program.environment.insert(name.to_owned(), value.to_owned());
    };
    set("RUST_LOG", "warn");
    let endpoint = match &work.app.access {
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
    set("SAIL_CATALOG__LIST", &catalogs(&work.app.config));
    // As on Glue, its own jobs need not ask for its tables.
    let of_glue = work.job.glue.is_some();
    let default = if of_glue { CATALOG } else { OWN_CATALOG };
    set("SAIL_CATALOG__DEFAULT_CATALOG", default);
    if let Some(remote) = remote {
        set("MASTIC_SPARK_REMOTE", &remote.to_string());
        set("MASTIC_SPARK_SERVERS", &json!(remote.servers()).to_string());
    }
    Ok(Prepared {
        program,
        environment: Some(environment),
    })
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
