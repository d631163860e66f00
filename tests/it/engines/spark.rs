//! The same scripts on Spark itself: on this machine, and on a cluster of a master and two workers.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use mastic::config::EngineConfig;
use mastic::etl::runs;
use mastic::model::crawl::WorkState;
use mastic::model::job::Engine;

use super::pyspark::{PLAIN, TO_CSV, error_of, run_shipped_union, run_tutorial, said};
use crate::harness::{TestApp, skipped};

/// The folder of the engines, with Spark in it.
fn tools() -> Option<PathBuf> {
    let folder = mastic::config::process_environment().remove("MASTIC_TEST_SPARK");
    let folder = folder.filter(|folder| !folder.is_empty()).map(PathBuf::from);
    if folder.is_none() {
        skipped("Spark: MASTIC_TEST_SPARK names no folder with it (make engines)");
    }
    folder
}

async fn with_spark() -> Option<TestApp> {
    let folder = tools()?;
    let app = TestApp::start_with(move |config| {
        config.engines = EngineConfig {
            allowed: vec![Engine::Pyspark],
            folder: folder.clone(),
            ..config.engines.clone()
        };
    })
    .await;
    Some(app)
}

/// A process of a cluster, which ends with this.
struct Part(Child);

impl Drop for Part {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

impl Part {
    /// Starts a part of Spark; where it says `ready`, the rest of that line.
    fn start(class: &str, arguments: &[&str], ready: &str) -> (Self, String) {
        let folder = tools().unwrap();
        let home = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().path().join("spark"))
            .find(|home| home.exists())
            .unwrap();
        let work = std::env::temp_dir().join(format!("mastic-spark-{}", std::process::id()));
        let mut child = Command::new(home.join("bin/spark-class"))
            .arg(class)
            .args(arguments)
            .env("SPARK_HOME", &home)
            .env("SPARK_LOCAL_IP", "127.0.0.1")
            .env("SPARK_WORKER_DIR", work)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let part = Self(child);
        let said = lines.find_map(|line| Some(line.unwrap().split_once(ready)?.1.to_owned()));
        let said = said.unwrap();
        // Nobody stops reading what it says, or it would stop, too.
        std::thread::spawn(move || lines.count());
        (part, said)
    }
}

/// A master and two workers; the address of the master.
struct Cluster {
    address: String,
    workers: Vec<Part>,
    master: Part,
}

impl Cluster {
    fn start() -> Self {
        let here = ["--host", "127.0.0.1", "--port", "0", "--webui-port", "0"];
        let (master, rest) = Part::start(
            "org.apache.spark.deploy.master.Master",
            &here,
            "Starting Spark master at ",
        );
        let address = rest.trim().to_owned();
        let worker = |_| {
            let one = ["--cores", "1", "--memory", "1g", address.as_str()];
            Part::start(
                "org.apache.spark.deploy.worker.Worker",
                &[&here[..], &one].concat(),
                "Successfully registered with master",
            )
            .0
        };
        Self {
            workers: (0..2).map(worker).collect(),
            address: address.clone(),
            master,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_run_unchanged_on_this_machine() {
    let Some(app) = with_spark().await else { return };
    let (rows, said) = run_tutorial(&app, "spark").await;
    assert_eq!(said[0], "runtime: Spark at local[*], as the job says");
    assert_eq!(rows, ["id,price,double", "2,2.5,5.0", "3,4.0,8.0"]);
    run_shipped_union(&app, "spark").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_run_unchanged_on_a_cluster() {
    let Some(app) = with_spark().await else { return };
    let cluster = Cluster::start();
    let (rows, said) = run_tutorial(&app, &cluster.address).await;
    assert_eq!(
        said[0],
        format!("runtime: Spark at {}, as the job says", cluster.address)
    );
    assert_eq!(rows, ["id,price,double", "2,2.5,5.0", "3,4.0,8.0"]);
    run_shipped_union(&app, &cluster.address).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_needs_spark_itself_runs_there_and_says_why() {
    let Some(app) = with_spark().await else { return };
    let script = r#"
from pyspark.sql import SparkSession
from pyspark.ml.feature import Tokenizer
spark = SparkSession.builder.getOrCreate()
words = spark.sparkContext.parallelize(["a b", "c"]).flatMap(lambda line: line.split()).collect()
frame = spark.createDataFrame([("d e f",)], ["text"])
tokens = Tokenizer(inputCol="text", outputCol="words").transform(frame).first().words
print(words, tokens, spark._jvm.java.lang.Math.max(1, 2))
print(frame.toPandas().shape)
"#;
    app.register("plain", PLAIN, script).await.unwrap();
    let run = app.succeed("plain", &[]).await;
    let lines = said(&app, &run).await;
    assert_eq!(
        lines[1],
        "runtime: Spark at local[*], because line 3 of the script uses pyspark.ml, which Sail hasn't"
    );
    assert!(
        lines.contains(&"['a', 'b', 'c'] ['d', 'e', 'f'] 2".to_owned()),
        "{lines:?}"
    );
    assert!(lines.contains(&"(1, 1)".to_owned()), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_without_rows_is_an_output() {
    let Some(app) = with_spark().await else { return };
    let script = "import os\nfrom pyspark.sql import SparkSession\nspark = SparkSession.builder.getOrCreate()\n\
        frame = spark.range(3).selectExpr('id', 'cast(id AS string) AS name').where('id > 7')\n\
        frame.write.mode('overwrite').csv(os.environ['MASTIC_OUTPUT'], header=True)\n";
    let job = format!("runtime = \"spark\"{TO_CSV}");
    app.register("empty", &job, script).await.unwrap();
    let run = app.succeed("empty", &[("month", "1")]).await;
    assert_eq!(run.body.rows_out, Some(0));
    assert_eq!(
        app.text("lake", "out/month=1/part-00000.csv").await.unwrap(),
        "id,name\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_on_spark_is_shut_in_and_its_keys_are_its_own() {
    let Some(app) = with_spark().await else { return };
    app.put("lake", "secret/a.csv", b"id\n1\n").await;
    app.put("lake", "raw/a.csv", b"id\n1\n").await;
    let script = r#"
import os
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
print("rows", spark.read.csv("s3a://lake/raw/", header=True).count())
for path in ["s3a://lake/secret/", "file:///root/", "file:///etc/shadow"]:
    try:
        print("read", spark.read.text(path).count())
    except Exception as error:
        print("refused", path)
try:
    spark.range(1).write.csv("s3a://lake/elsewhere/")
    print("wrote")
except Exception as error:
    print("refused to write")
spark.range(1).write.mode("overwrite").csv(os.environ["MASTIC_OUTPUT"], header=True)
"#;
    let job = format!("runtime = \"spark\"{TO_CSV}\n[inputs]\nraw = \"s3://lake/raw/*.csv\"\n");
    app.register("shut", &job, script).await.unwrap();
    let run = app.succeed("shut", &[("month", "1")]).await;
    let lines = said(&app, &run).await;
    for line in [
        "rows 1",
        "refused s3a://lake/secret/",
        "refused file:///root/",
        "refused file:///etc/shadow",
        "refused to write",
    ] {
        assert!(lines.contains(&line.to_owned()), "{line}: {lines:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_goes_away_ends_the_run_and_the_next_goes_on() {
    let Some(app) = with_spark().await else { return };
    let cluster = Cluster::start();
    let on_it = format!("runtime = \"{}\"\n{PLAIN}", cluster.address);
    let script = "from pyspark.sql import SparkSession\nspark = SparkSession.builder.getOrCreate()\n";
    let slow = format!(
        "{script}print('begun')\nspark.range(4).rdd.foreach(lambda row: __import__('time').sleep(600))\n"
    );
    app.register("plain", &on_it, &slow).await.unwrap();
    let id = runs::start(app.app(), "plain", &BTreeMap::new(), None)
        .await
        .unwrap()
        .id;
    let Cluster {
        workers,
        master,
        address,
    } = cluster;
    let going = async {
        while !app.log(&id).await.contains("begun") {
            let run = runs::get(app.app(), &id).await.unwrap();
            assert!(!run.state.is_final(), "{}", app.log(&id).await);
            tokio::task::yield_now().await;
        }
        drop((workers, master));
    };
    let ((), ()) = tokio::join!(going, app.run_tasks());
    let run = runs::get(app.app(), &id).await.unwrap();
    assert_eq!(run.state, WorkState::Failed);
    assert_eq!(
        run.body.error.unwrap().message,
        format!("the script ended with status 1: Spark at {address} went away")
    );

    let error = error_of(&app, &on_it, script).await;
    assert!(
        error.starts_with(&format!("Spark at {address} can't be reached")),
        "{error}"
    );
    let here = format!("runtime = \"local[1]\"\n{PLAIN}");
    app.register("plain", &here, script).await.unwrap();
    app.succeed("plain", &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn packages_of_a_spark_script_are_there_on_each_runtime() {
    let Some(app) = with_spark().await else { return };
    for runtime in ["sail", "local[1]"] {
        let job = format!("runtime = \"{runtime}\"\nrequirements = [\"humanize==4.11.0\"]\n{PLAIN}");
        let script = "import humanize\nfrom pyspark.sql import SparkSession, functions as F\n\
            spark = SparkSession.builder.getOrCreate()\nnamed = F.udf(lambda n: humanize.intcomma(n))\n\
            print(spark.range(1000, 1001).select(named('id')).first()[0])\n";
        app.register("plain", &job, script).await.unwrap();
        let run = app.succeed("plain", &[]).await;
        let lines = said(&app, &run).await;
        assert!(lines.contains(&"1,000".to_owned()), "{lines:?}");
    }
}
