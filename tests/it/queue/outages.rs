//! A store that is away loses no arrival; one that refuses is asked for an hour.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use mastic::model::crawl::WorkState;
use mastic::worker;
use serde_json::Value;

use crate::api::send;
use crate::both_databases;
use crate::harness::{Database, TestApp};

both_databases! {
    an_outage_of_the_store_loses_no_arrival,
    a_run_waits_for_the_store_and_says_so,
    what_is_refused_for_an_hour_fails_by_name_and_is_tried_again_when_somebody_says_so,
    a_failed_run_stands_in_the_list_until_it_is_settled,
}

const JOB: &str = r#"
engine = "sql"
script = "copy.sql"
[parameters.month]
pattern = '\d{4}-\d{2}'
[inputs]
sales = "s3://lake/sales/{month}.csv"
[output]
location = "s3://lake/out/month={month}/"
format = "csv"
[[triggers]]
on = "object_created"
match = "s3://lake/sales/{month}.csv"
batch_window = "1s"
"#;

/// A place where nobody listens.
fn nowhere() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// A store that refuses everything.
fn refusing() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 8192]);
            let body = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
            let _ = write!(
                stream,
                "HTTP/1.1 403 Forbidden\r\ncontent-type: application/xml\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    url
}

async fn with_job(database: Database) -> TestApp {
    let test = TestApp::start_on(database).await;
    test.register("copy", JOB, "SELECT * FROM sales").await.unwrap();
    test
}

async fn tasks(test: &TestApp, query: &str) -> Vec<Value> {
    let (status, _, body) = send(test, "GET", &format!("/api/v1/tasks{query}"), None).await;
    assert_eq!(status, 200, "{body}");
    body["items"].as_array().unwrap().clone()
}

async fn metric(test: &TestApp, name: &str) -> String {
    let (_, _, text) = send(test, "GET", "/metrics", None).await;
    let start = format!("{name} ");
    let line = text
        .as_str()
        .unwrap()
        .lines()
        .find(|line| line.starts_with(&start));
    line.unwrap()[start.len()..].to_owned()
}

async fn an_outage_of_the_store_loses_no_arrival(database: Database) {
    let test = with_job(database).await;
    for month in ["2022-01", "2022-02", "2022-03"] {
        test.put("lake", &format!("sales/{month}.csv"), "a,b\n1,2\n")
            .await;
    }
    let away = test.with_store(nowhere()).await;
    for _ in 0..5 {
        test.advance(Duration::from_secs(300));
        worker::run_due(&away).await.unwrap();
    }
    assert!(test.runs().await.is_empty());
    assert_eq!(metric(&test, "mastic_tasks_waiting").await, "3");
    assert_eq!(metric(&test, "mastic_tasks_failed").await, "0");
    let waiting = tasks(&test, "?state=waiting").await;
    assert_eq!(waiting.len(), 3);
    assert_eq!(
        (&waiting[0]["kind"], &waiting[0]["job"], &waiting[0]["waits"]),
        (&"close_batch".into(), &"copy".into(), &5.into()),
    );

    test.run_tasks().await;
    let states: Vec<WorkState> = test.runs().await.iter().map(|run| run.state).collect();
    assert_eq!(states, [WorkState::Succeeded; 3]);
    assert_eq!(test.runs().await[0].attempt, 1);
    assert!(tasks(&test, "").await.is_empty());
}

async fn a_run_waits_for_the_store_and_says_so(database: Database) {
    let test = with_job(database).await;
    test.put("lake", "sales/2022-01.csv", "a,b\n1,2\n").await;
    test.advance(Duration::from_secs(2));
    // The batch is closed; the run finds nobody.
    let closed = mastic::queue::claim(&test.app().store, &*test.app().clock)
        .await
        .unwrap();
    let (lease, task) = closed.unwrap();
    let mastic::queue::Task::CloseBatch { batch } = task else {
        panic!("{task:?}")
    };
    mastic::etl::triggers::close_batch(test.app(), &lease, &batch)
        .await
        .unwrap();
    let away = test.with_store(nowhere()).await;
    for _ in 0..4 {
        worker::run_due(&away).await.unwrap();
        let run = &test.runs().await[0];
        assert_eq!(run.state, WorkState::Queued);
        let (_, _, shown) = send(&test, "GET", &format!("/api/v1/runs/{}", run.id), None).await;
        assert!(
            shown["waiting"].as_str().unwrap().contains("couldn't list"),
            "{shown}"
        );
        test.advance(Duration::from_secs(300));
    }
    let id = test.runs().await[0].id.clone();
    assert!(
        test.log(&id).await.contains("trying again"),
        "{}",
        test.log(&id).await
    );
    test.run_tasks().await;
    let run = &test.runs().await[0];
    assert_eq!(
        (run.state, run.attempt, &run.waiting),
        (WorkState::Succeeded, 1, &None)
    );
}

async fn what_is_refused_for_an_hour_fails_by_name_and_is_tried_again_when_somebody_says_so(
    database: Database,
) {
    let test = with_job(database).await;
    test.put("lake", "sales/2022-01.csv", "a,b\n1,2\n").await;
    let refused = test.with_store(refusing()).await;
    test.advance(Duration::from_secs(2));
    worker::run_due(&refused).await.unwrap();
    test.advance(Duration::from_secs(59 * 60));
    worker::run_due(&refused).await.unwrap();
    assert!(tasks(&test, "?state=failed").await.is_empty());
    test.advance(Duration::from_secs(5 * 60));
    worker::run_due(&refused).await.unwrap();

    let failed = tasks(&test, "?state=failed").await;
    assert_eq!(failed.len(), 1);
    assert!(
        failed[0]["error"].as_str().unwrap().contains("Access Denied"),
        "{failed:?}"
    );
    assert_eq!(failed[0]["hint"], "these keys aren't allowed to do this");
    assert_eq!(metric(&test, "mastic_tasks_failed").await, "1");

    let path = format!("/api/v1/tasks/{}", failed[0]["id"].as_str().unwrap());
    assert_eq!(send(&test, "POST", &format!("{path}/retry"), None).await.0, 202);
    assert_eq!(send(&test, "POST", &format!("{path}/retry"), None).await.0, 409);
    test.run_tasks().await;
    assert_eq!(test.runs().await[0].state, WorkState::Succeeded);
    assert_eq!(send(&test, "GET", &path, None).await.0, 404);
}

async fn a_failed_run_stands_in_the_list_until_it_is_settled(database: Database) {
    let test = with_job(database).await;
    test.register("copy", JOB, "SELECT nothing FROM sales")
        .await
        .unwrap();
    test.put("lake", "sales/2022-01.csv", "a,b\n1,2\n").await;
    test.run_tasks().await;
    assert_eq!(test.runs().await[0].state, WorkState::Failed);
    let failed = tasks(&test, "?state=failed").await;
    assert_eq!(failed[0]["about"], test.runs().await[0].id.as_str());

    // Mended and tried again, it is the same run.
    test.register("copy", JOB, "SELECT * FROM sales").await.unwrap();
    let path = format!("/api/v1/tasks/{}", failed[0]["id"].as_str().unwrap());
    assert_eq!(send(&test, "POST", &format!("{path}/settle"), None).await.0, 204);
    assert_eq!(send(&test, "POST", &format!("{path}/retry"), None).await.0, 404);
    assert_eq!(metric(&test, "mastic_tasks_failed").await, "0");
}
