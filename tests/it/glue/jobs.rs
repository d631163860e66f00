//! Jobs and their runs.

use aws_sdk_glue::Client;
use aws_sdk_glue::operation::create_job::builders::CreateJobFluentBuilder;
use aws_sdk_glue::types::{JobCommand, JobRunState};

use super::{client, refusal, saying};
use crate::harness::TestApp;

const DEFINITION: &str = r#"
description = "Adds up what was sold in a month"
engine = "sql"
script = "sum.sql"
[parameters.ym]
pattern = '\d{4}-\d{2}'
[inputs]
sales = "s3://lake/raw/sales_{ym}.csv"
[output]
location = "s3://lake/curated/ym={ym}/"
format = "csv"
"#;
const SCRIPT: &str = "SELECT SUM(price) AS total FROM sales";

fn create(glue: &Client) -> CreateJobFluentBuilder {
    let command = JobCommand::builder()
        .name("glueetl")
        .script_location("s3://lake/jobs/sum.sql")
        .build();
    glue.create_job().name("monthly").role("any").command(command)
}

async fn with_job(app: &TestApp) -> Client {
    let glue = client(app);
    app.put("lake", "jobs/sum.sql", SCRIPT.as_bytes().to_vec()).await;
    app.put(
        "lake",
        "raw/sales_2022-01.csv",
        b"id,price\n1,10\n2,32\n".to_vec(),
    )
    .await;
    let job = create(&glue)
        .default_arguments("--engine", "sql")
        .default_arguments("--job-definition", DEFINITION);
    assert_eq!(job.send().await.unwrap().name(), Some("monthly"));
    glue
}

#[tokio::test]
async fn a_job_is_made_shown_and_removed() {
    let app = TestApp::start().await;
    let glue = with_job(&app).await;

    let job = glue
        .get_job()
        .job_name("monthly")
        .send()
        .await
        .unwrap()
        .job
        .unwrap();
    assert_eq!(
        (job.name(), job.description()),
        (Some("monthly"), Some("Adds up what was sold in a month"))
    );
    assert_eq!(job.command().unwrap().name(), Some("glueetl"));
    assert_eq!(job.default_arguments().unwrap()["--job-definition"], DEFINITION);
    assert_eq!((job.max_retries(), job.glue_version()), (0, Some("5.0")));
    assert!(job.role().is_some() && job.created_on().is_some() && job.timeout().is_some());
    assert_eq!(glue.get_jobs().send().await.unwrap().jobs(), [job]);
    assert_eq!(glue.list_jobs().send().await.unwrap().job_names(), ["monthly"]);

    app.put("lake", "jobs/job.toml", DEFINITION.as_bytes().to_vec())
        .await;
    let same = create(&glue).default_arguments("--engine", "datafusion");
    same.default_arguments("--job-definition", "s3://lake/jobs/job.toml")
        .send()
        .await
        .unwrap();
    let other = create(&glue).default_arguments("--engine", "sql");
    let outcome = other
        .default_arguments("--job-definition", DEFINITION.replace("Adds", "Sums"))
        .send()
        .await;
    assert_eq!(refusal(outcome).0, "IdempotentParameterMismatchException");

    for _ in 0..2 {
        assert_eq!(
            glue.delete_job()
                .job_name("monthly")
                .send()
                .await
                .unwrap()
                .job_name(),
            Some("monthly")
        );
    }
    let outcome = glue.get_job().job_name("monthly").send().await;
    assert_eq!(
        refusal(outcome),
        saying("EntityNotFoundException", "Job monthly not found.")
    );
}

#[tokio::test]
async fn a_job_that_cannot_run_is_refused_with_what_to_give() {
    let app = TestApp::start().await;
    let glue = client(&app);
    app.put("lake", "jobs/sum.sql", SCRIPT.as_bytes().to_vec()).await;
    let invalid = |outcome| {
        let (exception, message): (String, String) = outcome;
        assert_eq!(exception, "InvalidInputException", "{message}");
        message
    };
    let nameless = create(&glue).default_arguments("--job-definition", DEFINITION);
    assert!(invalid(refusal(nameless.send().await)).contains("The job names no engine. Give"));
    let spark = create(&glue).default_arguments("--engine", "spark");
    let spark = spark.default_arguments("--job-definition", DEFINITION);
    assert!(invalid(refusal(spark.send().await)).contains("The engine 'spark' can't be run."));
    let bare = create(&glue).default_arguments("--engine", "sql");
    assert!(invalid(refusal(bare.clone().send().await)).contains("no definition"));
    let extra = bare.clone().default_arguments("--ym", "2022-01");
    assert!(invalid(refusal(extra.send().await)).contains("--ym, which would be ignored"));
    let lost = bare
        .clone()
        .default_arguments("--job-definition", "s3://lake/jobs/none.toml");
    assert!(invalid(refusal(lost.send().await)).contains("There is no object s3://lake/jobs/none.toml."));
    let wrong = bare.default_arguments("--job-definition", DEFINITION.replace("engine", "engin"));
    assert!(invalid(refusal(wrong.send().await)).contains("Did you mean 'engine'?"));
    let script = JobCommand::builder()
        .name("glueetl")
        .script_location("sum.sql")
        .build();
    let outcome = create(&glue).command(script).send().await;
    assert!(invalid(refusal(outcome)).contains("The job's script is no object."));
}

#[tokio::test]
async fn a_run_is_started_watched_and_stopped() {
    let app = TestApp::start().await;
    let glue = with_job(&app).await;
    let start = |ym: &str| {
        glue.start_job_run()
            .job_name("monthly")
            .arguments("--ym", ym)
            .send()
    };
    let get = |id: &str| glue.get_job_run().job_name("monthly").run_id(id).send();

    let id = start("2022-01").await.unwrap().job_run_id.unwrap();
    let waiting = get(&id).await.unwrap().job_run.unwrap();
    assert_eq!(
        (waiting.job_run_state(), waiting.attempt()),
        (Some(&JobRunState::Starting), 0)
    );
    assert!(waiting.started_on().is_some() && waiting.completed_on().is_none());
    app.run_tasks().await;
    let done = get(&id).await.unwrap().job_run.unwrap();
    assert_eq!(
        done.job_run_state(),
        Some(&JobRunState::Succeeded),
        "{:?}",
        done.error_message()
    );
    assert_eq!((done.id(), done.job_name()), (Some(id.as_str()), Some("monthly")));
    assert_eq!(done.arguments().unwrap()["--ym"], "2022-01");
    assert_eq!(done.log_group_name(), Some("/aws-glue/jobs"));
    assert!(done.completed_on().is_some() && done.trigger_name().is_none());

    let failing = start("1999-01").await.unwrap().job_run_id.unwrap();
    app.run_tasks().await;
    let failed = get(&failing).await.unwrap().job_run.unwrap();
    assert_eq!(failed.job_run_state(), Some(&JobRunState::Failed));
    assert!(failed.error_message().is_some());

    let unwanted = start("2022-01").await.unwrap().job_run_id.unwrap();
    let stop = glue
        .batch_stop_job_run()
        .job_name("monthly")
        .job_run_ids(&unwanted)
        .job_run_ids(&id)
        .job_run_ids("none");
    let stopped = stop.send().await.unwrap();
    assert_eq!(
        stopped.successful_submissions()[0].job_run_id(),
        Some(unwanted.as_str())
    );
    let codes: Vec<&str> = stopped
        .errors()
        .iter()
        .map(|error| error.error_detail().unwrap().error_code().unwrap())
        .collect();
    assert_eq!(codes, ["InvalidInputException", "EntityNotFoundException"]);
    app.run_tasks().await;
    let stopped = get(&unwanted).await.unwrap().job_run.unwrap();
    assert_eq!(stopped.job_run_state(), Some(&JobRunState::Stopped));

    let first = glue
        .get_job_runs()
        .job_name("monthly")
        .max_results(2)
        .send()
        .await
        .unwrap();
    let ids: Vec<&str> = first.job_runs().iter().filter_map(|run| run.id()).collect();
    assert_eq!(ids, [unwanted.as_str(), failing.as_str()], "the newest first");
    let rest = glue
        .get_job_runs()
        .job_name("monthly")
        .set_next_token(first.next_token)
        .send()
        .await
        .unwrap();
    assert_eq!(
        (rest.job_runs()[0].id(), rest.next_token()),
        (Some(id.as_str()), None)
    );
}

#[tokio::test]
async fn a_run_that_cannot_be_is_refused() {
    let app = TestApp::start().await;
    let glue = with_job(&app).await;
    let start = || glue.start_job_run().job_name("monthly");

    assert_eq!(
        refusal(start().send().await).0,
        "InvalidInputException",
        "a parameter is missing"
    );
    assert_eq!(
        refusal(start().arguments("--ym", "soon").send().await).0,
        "InvalidInputException"
    );
    assert_eq!(
        refusal(start().arguments("--other", "x").send().await).0,
        "InvalidInputException"
    );
    let outcome = start().arguments("--ym", "2022-01").timeout(10_081).send().await;
    assert_eq!(
        refusal(outcome),
        saying(
            "InvalidInputException",
            "Timeout is 10081, and 1 to 10080 are allowed."
        )
    );
    let outcome = glue.start_job_run().job_name("none").send().await;
    assert_eq!(
        refusal(outcome),
        saying("EntityNotFoundException", "Job none not found.")
    );
    let outcome = glue.get_job_runs().job_name("none").send().await;
    assert_eq!(
        refusal(outcome),
        saying("EntityNotFoundException", "Job none not found.")
    );
    let id = start()
        .arguments("--ym", "2022-01")
        .send()
        .await
        .unwrap()
        .job_run_id
        .unwrap();
    let outcome = glue.get_job_run().job_name("other").run_id(id).send().await;
    assert_eq!(refusal(outcome).0, "EntityNotFoundException");
}
