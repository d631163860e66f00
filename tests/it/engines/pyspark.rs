//! Spark scripts as their writers left them run on Sail, without a JVM.

use mastic::buckets::Access;
use mastic::config::EngineConfig;
use mastic::etl;
use mastic::etl::jobs::JobSource;
use mastic::model::crawl::WorkState;
use mastic::model::job::Engine;
use mastic::model::run::Run;

use crate::harness::{TestApp, skipped};

/// The folder of the engines that the tests' tools have.
fn tools() -> Option<String> {
    let folder = mastic::config::process_environment().remove("MASTIC_TEST_ENGINES");
    folder.filter(|folder| !folder.is_empty())
}

/// A server with the engine that the tests' tools have; none where they haven't.
pub(super) async fn with_sail() -> Option<TestApp> {
    let Some(folder) = tools() else {
        skipped("Sail: MASTIC_TEST_ENGINES names no folder with the engine pyspark");
        return None;
    };
    let app = TestApp::start_with(move |config| {
        config.engines = EngineConfig {
            allowed: vec![Engine::Pyspark],
            folder: folder.clone().into(),
            // No Spark here, whatever this machine has.
            java_home: Some("/nowhere".to_owned()),
            ..config.engines.clone()
        };
    })
    .await;
    Some(app)
}

pub(super) const TO_CSV: &str = r#"
engine = "pyspark"
script = "script.py"
[parameters.month]
[output]
location = "s3://lake/out/month={month}/"
format = "csv"
files = 1
"#;

pub(super) const PLAIN: &str = "engine = \"pyspark\"\nscript = \"script.py\"\n";

pub(super) async fn error_of(app: &TestApp, job: &str, script: &str) -> String {
    app.register("plain", job, script).await.unwrap();
    let run = app.run_job("plain", &[]).await;
    assert_eq!(run.state, WorkState::Failed);
    run.body.error.unwrap().message
}

pub(super) async fn said(app: &TestApp, run: &Run) -> Vec<String> {
    app.log(&run.id).await.lines().map(str::to_owned).collect()
}

/// A script written for a cluster in containers, with keys and hosts of its own.
pub(super) const TUTORIAL: &str = r#"
import argparse
import os
from pyspark import SparkConf, SparkContext
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import DoubleType

parser = argparse.ArgumentParser()
parser.add_argument("--month", required=True)
args = parser.parse_args()

conf = (
    SparkConf()
    .setAppName("tutorial")
    .setMaster("spark://somewhere:7077")
    .set("spark.jars.packages", "org.apache.hadoop:hadoop-aws:3.3.4")
    .set("spark.hadoop.fs.s3a.access.key", "minioadmin")
    .set("spark.driver.host", "notebook")
)
spark = SparkSession.builder.config(conf=conf).master("local[*]").enableHiveSupport().getOrCreate()
spark.sparkContext.setLogLevel("ERROR")
spark.sparkContext._jsc.hadoopConfiguration().set("fs.s3a.endpoint", "http://minio:9000")
assert isinstance(spark, SparkSession)

trips = spark.read.option("header", True).option("inferSchema", True).csv("s3a://lake/raw/")
trips.registerTempTable("trips")
double = F.udf(lambda price: price * 2, DoubleType())
result = spark.sql("SELECT id, price FROM trips WHERE id > 1").withColumn("double", double("price"))
print("rows", result.count(), args.month, spark.sparkContext.appName)
result.orderBy("id").coalesce(1).write.mode("overwrite").option("header", True).csv(os.environ["MASTIC_OUTPUT"])
spark.stop()
"#;

/// Runs the tutorial's script on a runtime; the rows of its one CSV, and what it said.
pub(super) async fn run_tutorial(app: &TestApp, runtime: &str) -> (Vec<String>, Vec<String>) {
    app.put("lake", "raw/a.csv", b"id,price\n1,1.5\n2,2.5\n").await;
    app.put("lake", "raw/b.csv", b"id,price\n3,4.0\n").await;
    let job = format!("runtime = \"{runtime}\"{TO_CSV}");
    app.register("tutorial", &job, TUTORIAL).await.unwrap();
    let run = app.succeed("tutorial", &[("month", "2024-01")]).await;
    let lines = said(app, &run).await;
    assert!(lines.contains(&"rows 2 2024-01 tutorial".to_owned()), "{lines:?}");
    assert_eq!(
        app.keys("lake", "out/").await,
        ["out/month=2024-01/part-00000.csv"]
    );
    assert_eq!(app.keys("lake", "_mastic/").await, Vec::<String>::new());
    let text = app.text("lake", "out/month=2024-01/part-00000.csv").await;
    (text.unwrap().lines().map(str::to_owned).collect(), lines)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_as_tutorials_write_it_makes_one_csv() {
    let Some(app) = with_sail().await else { return };
    let (rows, said) = run_tutorial(&app, "auto").await;
    assert_eq!(
        said[0],
        "runtime: Sail, because nothing in the script needs Spark itself (runtime = \"spark\" runs it there)"
    );
    assert_eq!(rows, ["id,price,double", "2,2.5,5.0", "3,4.0,8.0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_spark_can_do_names_spark() {
    let Some(app) = with_sail().await else { return };
    let on_sail = format!("runtime = \"sail\"\n{PLAIN}");
    let begin = "from pyspark.sql import SparkSession\nspark = SparkSession.builder.getOrCreate()\n";
    for (line, what) in [
        (
            "spark.sparkContext.parallelize([1, 2]).map(lambda x: x).collect()",
            "SparkContext.parallelize",
        ),
        ("spark.range(3).rdd.map(lambda row: row).collect()", "an RDD"),
        ("spark._jvm.java.lang.System.exit(0)", "_jvm"),
    ] {
        let error = error_of(&app, &on_sail, &format!("{begin}{line}\n")).await;
        assert!(
            error.contains(&format!("{what} needs Spark itself, and this run is on Sail")),
            "{line}: {error}"
        );
        let error = error_of(&app, PLAIN, &format!("{begin}{line}\n")).await;
        assert!(
            error.starts_with("line 3 of the script uses ")
                && error.contains("which Sail hasn't: Spark needs Java, and /nowhere/bin/java can't be used"),
            "{line}: {error}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_is_not_installed_says_how_to_get_it() {
    let app = TestApp::start_with(|config| config.engines.allowed = vec![Engine::Pyspark]).await;
    app.register("plain", PLAIN, "print(1)").await.unwrap();
    let error = app.run_job("plain", &[]).await.body.error.unwrap();
    assert_eq!(
        error.message,
        "the engine pyspark isn't installed on this machine"
    );
    assert_eq!(
        error.hint.as_deref(),
        Some("get it with: mastic engines install pyspark")
    );
}

/// A month of trips as Parquet, made by a job of ours out of CSV.
async fn month(app: &TestApp, service: &str, csv: &str) {
    app.put("lake", &format!("made/{service}.csv"), csv.as_bytes())
        .await;
    let job = format!(
        "engine = \"sql\"\nscript = \"s.sql\"\n[inputs]\nt = \"s3://lake/made/{service}.csv\"\n[output]\n\
         location = \"s3://lake/made/{service}/\"\nformat = \"parquet\"\n"
    );
    app.register(&format!("make-{service}"), &job, "SELECT * FROM t")
        .await
        .unwrap();
    app.succeed(&format!("make-{service}"), &[]).await;
    let key = format!("made/{service}/part-00000.parquet");
    let object = app.app().buckets.head("lake", &key).await.unwrap().unwrap();
    let bytes = app
        .app()
        .buckets
        .get_range("lake", &key, 0..object.size, None)
        .await
        .unwrap();
    app.put(
        "lake",
        &format!("raw/{service}/{service}_tripdata_2022-01.parquet"),
        bytes,
    )
    .await;
}

/// Runs the shipped jobs, those of Spark on a runtime, and compares what they wrote.
pub(super) async fn run_shipped_union(app: &TestApp, runtime: &str) {
    month(app, "yellow", "VendorID,tpep_pickup_datetime,tpep_dropoff_datetime,RatecodeID,PULocationID,DOLocationID,payment_type,fare_amount,extra,mta_tax,tip_amount,tolls_amount,improvement_surcharge,total_amount,congestion_surcharge\n\
        1,2022-01-01 00:35:40,2022-01-01 00:53:29,1.0,142,236,1,14.5,3.0,0.5,3.65,0.0,0.3,21.95,2.5\n\
        2,2022-01-01 00:33:43,2022-01-01 00:42:07,,236,42,1,8.0,0.5,0.5,4.0,0.0,0.3,13.3,0.0\n").await;
    month(app, "green", "VendorID,lpep_pickup_datetime,lpep_dropoff_datetime,RatecodeID,PULocationID,DOLocationID,fare_amount,extra,mta_tax,tip_amount,tolls_amount,improvement_surcharge,total_amount,payment_type\n\
        2,2022-01-01 00:14:21,2022-01-01 00:15:33,1,42,42,3.5,0.5,0.5,0.0,0.0,0.3,4.8,2\n").await;
    for job in ["monthly-union", "monthly-union-pyspark", "monthly-revenue"] {
        let folder = format!("{}/jobs/{job}", env!("CARGO_MANIFEST_DIR"));
        let mut source = JobSource::read(folder.as_ref()).unwrap();
        if job == "monthly-union-pyspark" {
            source.definition = format!("runtime = \"{runtime}\"\n{}", source.definition);
        }
        mastic::etl::jobs::register(app.app(), &source).await.unwrap();
        app.succeed(job, &[("ym", "2022-01")]).await;
    }
    let rows = async |table: &str| {
        app.rows(&format!("SELECT * FROM curated.{table} ORDER BY pickup_datetime"))
            .await
    };
    let (sql, spark) = (rows("yellow_green").await, rows("yellow_green_pyspark").await);
    assert_eq!(sql.matches("\"2022-01-01 00:").count(), 6, "{sql}");
    assert_eq!(spark, sql);
    assert_eq!(
        app.rows(
            "SELECT revenue_zone, service_type, trips, revenue_monthly_total_amount FROM curated.revenue ORDER BY 1, 2"
        )
        .await,
        r#"[[42,"green",1,4.8],[142,"yellow",1,21.95],[236,"yellow",1,13.3]]"#
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shipped_union_gives_the_rows_that_sql_gives() {
    let Some(app) = with_sail().await else { return };
    run_shipped_union(&app, "auto").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_without_rows_is_an_output_and_partitions_are_none() {
    let Some(app) = with_sail().await else { return };
    let script = "import os\nfrom pyspark.sql import SparkSession\nspark = SparkSession.builder.getOrCreate()\n\
        frame = spark.range(3).selectExpr('id', 'cast(id AS string) AS name').where('id > 7')\n\
        frame.write.mode('overwrite').csv(os.environ['MASTIC_OUTPUT'].replace('s3://', 's3a://'), header=True)\n";
    app.register("empty", TO_CSV, script).await.unwrap();
    let run = app.succeed("empty", &[("month", "1")]).await;
    assert_eq!(run.body.rows_out, Some(0));
    assert_eq!(
        app.text("lake", "out/month=1/part-00000.csv").await.unwrap(),
        "id,name\n"
    );

    let twice = script.replace("where('id > 7')", "where('id > 7').orderBy('id')");
    let (_, write) = twice.rsplit_once("frame.write").unwrap();
    app.register("empty", TO_CSV, &format!("{twice}frame.write{write}"))
        .await
        .unwrap();
    let run = app.succeed("empty", &[("month", "1")]).await;
    assert_eq!(run.body.rows_out, Some(0));

    let parts = script
        .replace(" > 7", " < 7")
        .replace(".mode('overwrite')", ".partitionBy('name')");
    app.register("empty", TO_CSV, &parts).await.unwrap();
    let error = app.run_job("empty", &[("month", "1")]).await.body.error.unwrap();
    assert!(
        error.message.starts_with("the script wrote partitions (name="),
        "{error:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_that_is_sorted_is_an_output_in_that_order() {
    let Some(app) = with_sail().await else { return };
    let begin = r#"
import os
from pyspark.sql import SparkSession, functions as F
spark = SparkSession.builder.getOrCreate()
out = os.environ["MASTIC_OUTPUT"]
id = F.col("id")
rows = spark.range(20000).select(
    (id * 7919 % 20011).alias("k"), F.timestamp_seconds(id).alias("at"), F.lit(None).alias("nothing")
)
rows.createOrReplaceTempView("rows")
"#;
    let frame =
        "rows.orderBy('k').filter('k >= 0').coalesce(1).write.mode('overwrite').csv(out, header=True)\n";
    let sql = "spark.sql('SELECT * FROM rows ORDER BY k').write.mode('overwrite').parquet(out)\n";
    for write in [frame.to_owned(), sql.to_owned(), format!("{sql}{frame}")] {
        app.register("sorted", TO_CSV, &format!("{begin}{write}"))
            .await
            .unwrap();
        let run = app.succeed("sorted", &[("month", "1")]).await;
        assert_eq!(run.body.rows_out, Some(20000), "{write}");
        let text = app.text("lake", "out/month=1/part-00000.csv").await.unwrap();
        let keys: Vec<u64> = text
            .lines()
            .skip(1)
            .map(|line| line.split(',').next().unwrap().parse().unwrap())
            .collect();
        assert!(keys.is_sorted(), "{write}: {:?}", said(&app, &run).await);
        assert_eq!(text.lines().nth(1), Some("0,1970-01-01 00:00:00,"), "{write}");
    }
}

/// Sail as a server of Spark Connect that somebody else keeps; its address.
struct ConnectServer {
    child: std::process::Child,
    address: String,
}

impl Drop for ConnectServer {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

impl ConnectServer {
    /// Starts one that reads and writes this app's lake.
    async fn start(app: &TestApp) -> Self {
        let environment = etl::states(&app.app().config.engines).await;
        let sail = environment
            .into_iter()
            .find(|state| state.name == "pyspark on Sail");
        let sail = sail.unwrap().found.unwrap();
        let folder = sail.rsplit(" in ").next().unwrap();
        let script = "from pysail.spark import SparkConnectServer\n\
            server = SparkConnectServer(ip='127.0.0.1', port=0)\nserver.start(background=True)\n\
            print(server.listening_address[1], flush=True)\nimport sys\nsys.stdin.read()\n";
        let Access::Endpoint { url, .. } = &app.app().access else {
            unreachable!("tests have the embedded store")
        };
        let mut child = std::process::Command::new(format!("{folder}/env/bin/python"))
            .args(["-c", script])
            .env("AWS_ENDPOINT", url)
            .env("AWS_ALLOW_HTTP", "true")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", "own")
            .env("AWS_SECRET_ACCESS_KEY", "own")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let mut port = String::new();
        let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
        std::io::BufRead::read_line(&mut out, &mut port).unwrap();
        let address = format!("sc://127.0.0.1:{}", port.trim());
        Self { child, address }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_run_on_any_server_of_spark_connect_until_it_goes_away() {
    let Some(app) = with_sail().await else { return };
    let server = ConnectServer::start(&app).await;
    let (mut rows, lines) = run_tutorial(&app, &server.address).await;
    assert_eq!(
        lines[..2],
        [
            format!("runtime: Spark Connect at {}, as the job says", server.address),
            "the Spark Connect server reads and writes objects with settings and keys of its own".to_owned(),
        ]
    );
    rows[1..].sort_unstable();
    assert_eq!(rows, ["id,price,double", "2,2.5,5.0", "3,4.0,8.0"]);

    let job = format!("runtime = \"{}\"\n{PLAIN}", server.address);
    let address = server.address.clone();
    drop(server);
    let error = error_of(&app, &job, "print(1)").await;
    assert!(
        error.starts_with(&format!("Spark Connect at {address} can't be reached: ")),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_reads_tables_of_the_catalog() {
    let Some(app) = with_sail().await else { return };
    run_shipped_union(&app, "sail").await;
    let script = "import os\nfrom pyspark.sql import SparkSession\nspark = SparkSession.builder.enableHiveSupport().getOrCreate()\n\
        print('rows', spark.table('curated.revenue').count())\n\
        print('sum', spark.sql('SELECT sum(trips) FROM curated.revenue').first()[0])\n\
        spark.range(3).createOrReplaceTempView('own')\nprint('own', spark.sql('SELECT * FROM own').count())\n";
    let of_the_session = "from pyspark.sql import SparkSession\nspark = SparkSession.builder.getOrCreate()\n\
        spark.range(4).write.saveAsTable('mine')\nprint('mine', spark.table('mine').count())\n\
        print('named', spark.table('glue.curated.revenue').count())\n";
    for (script, expected) in [
        (script, &["rows 3", "sum 3", "own 3"][..]),
        (of_the_session, &["mine 4", "named 3"][..]),
    ] {
        app.register("plain", PLAIN, script).await.unwrap();
        let run = app.succeed("plain", &[]).await;
        let lines = said(&app, &run).await;
        for line in expected {
            assert!(lines.contains(&(*line).to_owned()), "{line}: {lines:?}");
        }
    }
}
