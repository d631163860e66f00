//! Spark scripts on Spark itself, by `spark-submit`: on this machine or on a cluster. The driver is the script's own
//! process, and shut in as every script is; objects are read and written by Hadoop's S3A.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::super::Assignment;
use super::super::environment::{Environment, Interpreter};
use super::super::python;
use super::java::Java;
use super::{LAUNCH, Prepared, name_of, not_installed};
use crate::buckets::Access;
use crate::config::EngineConfig;
use crate::error::{Error, Result};
use crate::model::pattern::Captures;
use crate::model::runtime::SparkAddress;
use crate::task::{Copied, Program};

/// What starts Spark as it is to be, then runs the script.
const LAUNCHER: (&str, &str) = ("mastic_spark.py", include_str!("spark.py"));
/// What that is told, in a file beside it.
const TOLD: &str = "spark.json";
/// What is installed of Spark, and what its functions on Arrow and its MLlib need: of that, what it knows.
const SPARK: &str = "pyspark==3.5.9";
const BESIDE: [&str; 3] = ["numpy<2", "pandas<3", "pyarrow<22"];
/// The packages of Java that read and write objects, in the versions of its Hadoop.
const JARS: [&str; 1] = ["org.apache.hadoop:hadoop-aws:3.3.4"];
/// What of those a script may name in whatever version: they are there.
const HERE: [&str; 3] = [
    "org.apache.hadoop:hadoop-aws",
    "com.amazonaws:aws-java-sdk-bundle",
    "org.apache.hadoop:hadoop-common",
];
/// The versions of Java that it runs on.
const JAVAS: [&str; 3] = ["17", "11", "1.8"];
/// The part of a script's memory that Java's heap may have on this machine; the rest is for Python and Java itself.
const HEAP: (u64, u64) = (5, 8);
/// The variables that say where a Hadoop cluster's settings are.
const HADOOP: [&str; 2] = ["HADOOP_CONF_DIR", "YARN_CONF_DIR"];

/// A Spark on this machine.
struct Spark {
    home: PathBuf,
    java: Java,
    interpreter: Interpreter,
    /// Its packages for objects; a Spark of one's own has its own.
    jars: Vec<PathBuf>,
    /// Folders that it reads, beside its interpreter's.
    folders: Vec<PathBuf>,
    /// In words.
    what: String,
}

/// What it runs with.
///
/// # Errors
/// Invalid where it or its Java isn't there.
pub(in super::super) async fn found(config: &EngineConfig) -> Result<String> {
    let spark = Spark::of(config).await?;
    Ok(format!(
        "{}, Java {}, at {}",
        spark.what,
        spark.java.version,
        config.spark_master.shown()
    ))
}

/// The environment of the Spark that is installed.
///
/// # Errors
/// Invalid where there is no interpreter, or no Java that it runs on.
pub(in super::super) async fn environment(config: &EngineConfig) -> Result<Environment> {
    let java = Java::of(config).await?;
    if !JAVAS.contains(&java.version.as_str()) {
        let javas = "8, 11 or 17";
        return Err(Error::invalid(format!(
            "Spark 3.5 runs on Java {javas}, and {} is Java {}",
            java.home.display(),
            java.version
        ))
        .hint("name the folder of another one with engines.java_home"));
    }
    let requirements = [&[SPARK][..], &BESIDE].concat();
    let requirements: Vec<String> = requirements.into_iter().map(str::to_owned).collect();
    let environment = Environment::of(config, &requirements).await?;
    Ok(environment.with_jars(&JARS.map(str::to_owned), &java.home, &config.spark_conf))
}

impl Spark {
    async fn of(config: &EngineConfig) -> Result<Self> {
        if let Some(home) = &config.spark_home {
            return Self::at(config, home.clone()).await;
        }
        let environment = environment(config).await?;
        if !environment.is_ready() {
            return Err(not_installed("Spark", "spark"));
        }
        Ok(Self {
            home: environment.spark_home(),
            java: Java::of(config).await?,
            interpreter: environment.interpreter(),
            jars: environment.jars()?,
            folders: vec![environment.folder().to_owned()],
            what: format!("{SPARK} in {}", environment.folder().display()),
        })
    }

    /// One that somebody installed.
    async fn at(config: &EngineConfig, home: PathBuf) -> Result<Self> {
        if !home.join("bin/spark-submit").exists() {
            return Err(Error::invalid(format!(
                "engines.spark_home is {}, which has no bin/spark-submit",
                home.display()
            )));
        }
        Ok(Self {
            java: Java::of(config).await?,
            interpreter: Interpreter::of(config).await?,
            jars: Vec::new(),
            folders: vec![home.clone()],
            what: format!("Spark in {}", home.display()),
            home,
        })
    }
}

/// A script's program, on the Spark at `master`.
///
/// # Errors
/// As [`found`]; those of the store.
pub(super) async fn prepare(
    work: &Assignment<'_>,
    address: &SparkAddress,
    requirements: &[String],
) -> Result<Prepared> {
    let config = &work.app.config.engines;
    let spark = Spark::of(config).await?;
    let environment = match requirements.is_empty() {
        true => None,
        false => {
            let beside = BESIDE.map(str::to_owned);
            Some(Environment::of(config, &[&beside, requirements].concat()).await?)
        }
    };
    let interpreter = environment
        .as_ref()
        .map_or_else(|| spark.interpreter.clone(), Environment::interpreter);
    let mut program = python::program(work, &interpreter, &[LAUNCHER]).await?;
    let told = told(work, &spark, address, &program).await?;
    program.files.insert(LAUNCH.0.to_owned(), LAUNCH.1.to_owned());
    program.files.insert(TOLD.to_owned(), told.to_string());
    let mut set = |name: &str, value: String| {
        program.environment.insert(name.to_owned(), value);
    };
    set("JAVA_HOME", spark.java.home.display().to_string());
    if address.is_local() {
        set("PYSPARK_PYTHON", interpreter.file.display().to_string());
    }
    let mut own = crate::config::process_environment();
    for name in HADOOP {
        if let Some(folder) = own.remove(name) {
            program.readable.push(PathBuf::from(&folder));
            program.environment.insert(name.to_owned(), folder);
        }
    }
    program.readable.extend(spark.java.folders());
    program.readable.extend(spark.folders);
    Ok(Prepared { program, environment })
}

/// What the launcher is told.
async fn told(
    work: &Assignment<'_>,
    spark: &Spark,
    address: &SparkAddress,
    program: &Program,
) -> Result<Value> {
    let config = &work.app.config.engines;
    let modules = program.objects.iter().filter(|object| object.is_module);
    let modules: Vec<&str> = modules.map(Copied::name).collect();
    let mut defaults = defaults(spark, address);
    if work.job.glue.is_some() {
        defaults.extend(glues_conf(&work.run.body.parameters));
    }
    let mut held = held(address, config);
    // Whoever keeps the settings has the last word.
    let told = config.spark_conf.iter();
    held.extend(told.map(|(name, value)| (name.clone(), Some(value.clone()))));
    let (endpoint, buckets) = match &work.app.access {
        Access::Endpoint { url, .. } => {
            let url = match address.is_local() {
                true => url,
                false => work.app.config.lake_url().unwrap_or(url),
            };
            (Some(url), work.app.buckets.list_buckets().await?)
        }
        Access::Environment => (None, Vec::new()),
    };
    Ok(json!({
        "name": name_of(Some(address)),
        "servers": address.servers(),
        "home": spark.home,
        "modules": modules,
        "defaults": defaults,
        "held": held,
        "endpoint": endpoint,
        "buckets": buckets,
        "here": if spark.jars.is_empty() { &HERE[..0] } else { &HERE[..] },
    }))
}

/// What Glue's argument `--conf` tells Spark: `NAME=VALUE`, and more of them after ` --conf `.
fn glues_conf(parameters: &Captures) -> Vec<(String, String)> {
    let told = parameters.get("conf").map(String::as_str).unwrap_or_default();
    let pair = |text: &str| {
        let (name, value) = text.trim().split_once('=')?;
        Some((name.to_owned(), value.to_owned()))
    };
    told.split("--conf ").filter_map(pair).collect()
}

/// What Spark is told where a script says nothing else.
fn defaults(spark: &Spark, address: &SparkAddress) -> BTreeMap<String, String> {
    let s3a = "org.apache.hadoop.fs.s3a.S3AFileSystem";
    let mut defaults: BTreeMap<String, String> = [
        ("spark.ui.enabled", "false"),
        ("spark.ui.showConsoleProgress", "false"),
        // Hadoop puts in what this is in each of its processes.
        ("spark.hadoop.hadoop.tmp.dir", "${java.io.tmpdir}/hadoop"),
        ("spark.hadoop.fs.s3.impl", s3a),
        ("spark.hadoop.fs.s3n.impl", s3a),
        // A key that is good for one folder can't look after those above it.
        ("spark.hadoop.fs.s3a.directory.marker.retention", "keep"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    let jars = |between: &str| {
        let jars = spark.jars.iter().map(|jar| jar.display().to_string());
        jars.collect::<Vec<_>>().join(between)
    };
    let mut set = |name: &str, value: String| defaults.insert(name.to_owned(), value);
    match address.is_local() {
        true => set("spark.driver.extraClassPath", jars(":")),
        // Workers have a Python of their own, and are given the packages.
        false => {
            set("spark.pyspark.python", "python3".to_owned());
            set("spark.jars", jars(","))
        }
    };
    defaults
}

/// What Spark is told whatever a script says, which was written for another place; nothing where it is to find out.
fn held(address: &SparkAddress, config: &EngineConfig) -> BTreeMap<String, Option<String>> {
    let host = address.is_near().then(|| "127.0.0.1".to_owned());
    let mut held = BTreeMap::from([
        ("spark.master", Some(address.to_string())),
        ("spark.submit.deployMode", Some("client".to_owned())),
        ("spark.driver.host", host.clone()),
        ("spark.driver.bindAddress", host),
        ("spark.driver.port", None),
    ]);
    if address.is_local() {
        let (part, whole) = HEAP;
        let heap = (config.memory_bytes >> 20) * part / whole;
        held.insert("spark.driver.memory", Some(format!("{heap}m")));
    }
    let named = |(name, value): (&str, _)| (name.to_owned(), value);
    held.into_iter().map(named).collect()
}
