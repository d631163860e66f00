//! Jobs that AWS's clients made run their scripts.

use aws_sdk_glue::Client;
use aws_sdk_glue::types::{DatabaseInput, JobCommand, JobRun, JobRunState};
use mastic::model::job::Engine;

use super::pyspark::with_sail;
use crate::glue::client;
use crate::harness::TestApp;

async fn with_python() -> (TestApp, Client) {
    let app = TestApp::start_with(|config| config.engines.allowed = vec![Engine::Python]).await;
    let glue = client(&app);
    (app, glue)
}

async fn make(glue: &Client, command: &str) {
    let command = JobCommand::builder()
        .name(command)
        .script_location("s3://lake/scripts/a.py");
    let made = glue
        .create_job()
        .name("load")
        .role("any")
        .command(command.build());
    let made = made
        .default_arguments("--month", "1")
        .default_arguments("--mode", "full");
    made.non_overridable_arguments("--mode", "safe")
        .send()
        .await
        .unwrap();
}

async fn run(app: &TestApp, glue: &Client) -> JobRun {
    let started = glue
        .start_job_run()
        .job_name("load")
        .arguments("--month", "2")
        .arguments("--mode", "x");
    let id = started.send().await.unwrap().job_run_id.unwrap();
    app.run_tasks().await;
    let run = glue.get_job_run().job_name("load").run_id(id).send().await;
    run.unwrap().job_run.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_python_shell_job_runs_the_script_as_it_is_when_the_run_starts() {
    let (app, glue) = with_python().await;
    make(&glue, "pythonshell").await;
    let missing = run(&app, &glue).await;
    assert_eq!(missing.job_run_state(), Some(&JobRunState::Failed));
    assert_eq!(
        missing.error_message(),
        Some("the job's script: there is no object s3://lake/scripts/a.py")
    );
    app.put(
        "lake",
        "scripts/a.py",
        b"import sys\nprint(sorted(sys.argv[1:]))".as_slice(),
    )
    .await;
    let told = run(&app, &glue).await;
    assert_eq!(told.job_run_state(), Some(&JobRunState::Succeeded));
    let log = app.log(told.id().unwrap()).await;
    assert!(log.contains("['--mode', '--month', '2', 'safe']"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_python_shell_job_gets_its_options_as_glue_gives_them() {
    let (app, glue) = with_python().await;
    make(&glue, "pythonshell").await;
    app.put(
        "lake",
        "scripts/a.py",
        b"import sys\nfrom awsglue.utils import getResolvedOptions\n\
          options = getResolvedOptions(sys.argv, ['month', 'JOB_NAME'])\nprint(options['month'], options['JOB_NAME'])\n"
            .as_slice(),
    )
    .await;
    let told = run(&app, &glue).await;
    let log = app.log(told.id().unwrap()).await;
    assert!(log.contains("2 load\n"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ray_runs_is_named() {
    let (app, glue) = with_python().await;
    make(&glue, "glueray").await;
    let refused = run(&app, &glue).await;
    assert!(
        refused
            .error_message()
            .unwrap()
            .starts_with("the engine ray can't be run"),
        "{refused:?}"
    );
}

/// An archive with one module in it.
fn archive(module: &str, text: &str) -> Vec<u8> {
    let script = "import io, sys, zipfile\nout = io.BytesIO()\nwith zipfile.ZipFile(out, 'w') as z:\n    \
        z.writestr(sys.argv[1], sys.argv[2])\nsys.stdout.buffer.write(out.getvalue())";
    let made = std::process::Command::new("python3")
        .args(["-c", script, module, text])
        .output()
        .unwrap();
    assert!(made.status.success());
    made.stdout
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_is_given_the_files_that_glues_arguments_name() {
    let (app, glue) = with_python().await;
    make(&glue, "pythonshell").await;
    app.put("lake", "lib/packed.zip", archive("inner.py", "value = 1"))
        .await;
    app.put("lake", "lib/single.py", b"value = 2".as_slice()).await;
    app.put("lake", "lib/rules.txt", b"3\n".as_slice()).await;
    app.put(
        "lake",
        "scripts/a.py",
        b"import inner, single\nprint(inner.value, single.value, open('rules.txt').read())".as_slice(),
    )
    .await;
    let modules = "s3://lake/lib/packed.zip, s3://lake/lib/single.py";
    for (modules, files, expected) in [
        (modules, "s3://lake/lib/rules.txt", Ok("1 2 3")),
        (
            modules,
            "s3://lake/lib/none.txt",
            Err("s3://lake/lib/none.txt, which the script is given, isn't there"),
        ),
        (
            modules,
            "s3://lake/lib/",
            Err("--extra-files names 's3://lake/lib/', which is no object"),
        ),
        (
            modules,
            "s3://lake/scripts/a.py,s3://lake/lib/single.py",
            Err("the script is given two files that are called single.py"),
        ),
    ] {
        let started = glue
            .start_job_run()
            .job_name("load")
            .arguments("--extra-py-files", modules)
            .arguments("--extra-files", files);
        let id = started.send().await.unwrap().job_run_id.unwrap();
        app.run_tasks().await;
        let run = glue.get_job_run().job_name("load").run_id(&id).send().await;
        let run = run.unwrap().job_run.unwrap();
        let log = app.log(&id).await;
        match expected {
            Ok(line) => assert!(log.lines().any(|said| said == line), "{log}"),
            Err(message) => assert!(run.error_message().unwrap().contains(message), "{run:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_written_for_glue_runs_as_it_stands() {
    let Some(app) = with_sail().await else { return };
    let glue = client(&app);
    make(&glue, "glueetl").await;
    app.put(
        "lake",
        "raw/orders.json",
        b"{\"id\": 1, \"price\": 2.5, \"buyer\": {\"name\": \"Ann\"}}\n{\"id\": 2, \"price\": \"4\", \"buyer\": {\"name\": \"Bob\"}}\n"
            .as_slice(),
    )
    .await;
    let script = br#"
import sys
from awsglue.transforms import *
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext
from awsglue.context import GlueContext
from awsglue.job import Job

args = getResolvedOptions(sys.argv, ["JOB_NAME", "month"])
sc = SparkContext()
glueContext = GlueContext(sc)
spark = glueContext.spark_session
job = Job(glueContext)
job.init(args["JOB_NAME"], args)
orders = glueContext.create_dynamic_frame.from_options(
    connection_type="s3", connection_options={"paths": ["s3://lake/raw/"]}, format="json", transformation_ctx="orders"
)
orders.printSchema()
priced = orders.resolveChoice(specs=[("price", "cast:double")])
mapped = ApplyMapping.apply(
    frame=priced, mappings=[("id", "long", "id", "long"), ("price", "double", "price", "double"), ("buyer.name", "string", "buyer", "string")]
)
dear = Filter.apply(frame=mapped, f=lambda row: row["price"] > 3)
print("dear", dear.count())
sink = glueContext.getSink(connection_type="s3", path="s3://lake/out/", enableUpdateCatalog=True)
sink.setFormat("glueparquet")
sink.setCatalogInfo(catalogDatabase="shop", catalogTableName="orders")
sink.writeFrame(mapped)
job.commit()
"#;
    app.put("lake", "scripts/a.py", script.as_slice()).await;
    glue.create_database()
        .database_input(DatabaseInput::builder().name("shop").build().unwrap())
        .send()
        .await
        .unwrap();
    let told = run(&app, &glue).await;
    let log = app.log(told.id().unwrap()).await;
    assert_eq!(told.job_run_state(), Some(&JobRunState::Succeeded), "{log}");
    assert!(log.contains("dear 1\n"), "{log}");
    assert_eq!(
        app.rows("SELECT id, price, buyer FROM shop.orders ORDER BY id")
            .await,
        r#"[[1,2.5,"Ann"],[2,4.0,"Bob"]]"#
    );
}
