//! Starting runs over REST: nothing is started twice, and a job of the Glue API is a job like any other.

use aws_sdk_glue::types::JobCommand;
use serde_json::{Value, json};

use super::{get, send, send_text};
use crate::both_databases;
use crate::glue;
use crate::harness::setup::{JobText, sql_job};
use crate::harness::{Database, TestApp};

both_databases! {
    a_request_under_the_same_key_starts_nothing_twice,
    a_job_of_the_glue_api_is_seen_and_run_here_too,
    requests_at_the_same_moment_start_no_more_than_may_be,
}

fn copy() -> JobText {
    sql_job("s3://lake/out/n={n}/")
        .parameter("n")
        .reads("rows", "s3://lake/in/{n}.csv")
}

async fn start(app: &TestApp, job: &str, n: &str, key: &str) -> (u16, Value) {
    let body = json!({ "parameters": { "n": n } }).to_string();
    let path = format!("/api/v1/jobs/{job}/runs");
    let (status, _, body) = send_text(app, "POST", &path, Some(body), &[("Idempotency-Key", key)]).await;
    (status, body)
}

async fn a_request_under_the_same_key_starts_nothing_twice(database: Database) {
    let app = TestApp::start_on(database).await;
    for job in ["copy", "other"] {
        let definition = copy().writes(&format!("s3://lake/out-{job}/n={{n}}/"));
        app.register(job, definition, "SELECT * FROM rows").await.unwrap();
    }
    let (status, first) = start(&app, "copy", "1", "monday").await;
    assert_eq!(status, 202);
    let (status, again) = start(&app, "copy", "1", "monday").await;
    assert_eq!((status, &again), (202, &first), "the run that there is");
    app.run_tasks().await;
    let (_, over) = start(&app, "copy", "1", "monday").await;
    assert_eq!(
        (&over["id"], &over["state"]),
        (&first["id"], &json!("FAILED")),
        "also when it is over"
    );

    let (status, problem) = start(&app, "copy", "2", "monday").await;
    assert_eq!((status, &problem["type"]), (409, &json!("urn:mastic:conflict")));
    let said = problem["detail"].as_str().unwrap();
    assert!(
        said.starts_with("the key 'monday' was given to another request"),
        "{said}"
    );
    for (job, key) in [("copy", "tuesday"), ("other", "monday")] {
        let (status, run) = start(&app, job, "1", key).await;
        assert_eq!(status, 202);
        assert_ne!(run["id"], first["id"]);
    }
    let (status, _) = start(&app, "copy", "1", &"x".repeat(256)).await;
    assert_eq!(status, 400);
    assert_eq!(app.runs().await.len(), 3);
}

async fn requests_at_the_same_moment_start_no_more_than_may_be(database: Database) {
    let app = TestApp::start_on(database).await;
    app.register("copy", copy(), "SELECT * FROM rows").await.unwrap();
    let answers = futures::future::join_all((0..8).map(|_| start(&app, "copy", "1", "monday"))).await;
    for (status, run) in &answers {
        assert_eq!((*status, &run["id"]), (202, &answers[0].1["id"]));
    }
    let client = glue::client(&app);
    let command = JobCommand::builder().name("glueetl").build();
    let made = client.create_job().name("load").role("any").command(command);
    made.send().await.unwrap();
    let starts = (0..8).map(|_| client.start_job_run().job_name("load").send());
    let outcomes = futures::future::join_all(starts).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert_eq!(app.runs().await.len(), 2);
}

async fn a_job_of_the_glue_api_is_seen_and_run_here_too(database: Database) {
    let app = TestApp::start_on(database).await;
    let client = glue::client(&app);
    let command = JobCommand::builder()
        .name("glueetl")
        .script_location("s3://lake/load.py")
        .build();
    let made = client
        .create_job()
        .name("Load it all")
        .role("any")
        .command(command);
    let made = made.description("All of it").default_arguments("--day", "today");
    made.send().await.unwrap();

    let listed = get(&app, "/api/v1/jobs").await;
    let job = &listed["items"][0];
    assert_eq!(
        (&job["name"], &job["engine"], &job["description"]),
        (&json!("Load it all"), &json!("pyspark"), &json!("All of it"))
    );
    assert_eq!(job["script_name"], "s3://lake/load.py");
    assert_eq!(job["parameters"]["day"]["default"], "today");
    assert_eq!((&job["concurrency"], &job["retries"]), (&json!(1), &json!(0)));
    assert_eq!(job["glue"]["Command"]["Name"], "glueetl");
    assert_eq!(&get(&app, "/api/v1/jobs/Load%20it%20all").await, job);

    let runs = "/api/v1/jobs/Load%20it%20all/runs";
    let told = json!({ "parameters": { "hour": "7" } });
    let (status, _, run) = send(&app, "POST", runs, Some(told)).await;
    assert_eq!(status, 202, "{run}");
    assert_eq!(run["parameters"], json!({ "day": "today", "hour": "7" }));
    assert_eq!((&run["previous"], &run["retry"]), (&Value::Null, &json!(0)));
    let (status, _, problem) = send(&app, "POST", runs, Some(json!({}))).await;
    assert_eq!(
        (status, &problem["type"]),
        (422, &json!("urn:mastic:limit")),
        "one at a time"
    );
    app.run_tasks().await;
    let failed = run["id"].as_str().unwrap();
    let (status, _, retried) = send(&app, "POST", &format!("/api/v1/runs/{failed}/retry"), None).await;
    assert_eq!(status, 202, "{retried}");
    assert_eq!((&retried["previous"], &retried["retry"]), (&run["id"], &json!(1)));
    let (status, _, _) = send(&app, "DELETE", "/api/v1/jobs/Load%20it%20all", None).await;
    assert_eq!(status, 204);
    assert_eq!(client.get_jobs().send().await.unwrap().jobs(), []);
}
