//! A server that starts: what it answers, and what waits, before its jobs are registered.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use mastic::clock::{Clock, ManualClock};
use mastic::config::{Config, Flags};
use mastic::etl::runs;
use mastic::model::crawl::WorkState;
use mastic::model::page::PageRequest;
use mastic::model::run::RunFilter;
use mastic::server::{Parts, Server};
use mastic::worker;
use serde_json::{Value, json};
use ureq::Agent;

use crate::harness::process::free_address;
use crate::harness::start_of_time;

const JOB: &str = r#"
engine = "sql"
script = "copy.sql"
[parameters.n]
[inputs]
t = "s3://lake/in/{n}.csv"
[output]
location = "s3://lake/out/{n}/"
format = "csv"
[[triggers]]
on = "object_created"
match = "s3://lake/in/{n}.csv"
"#;

/// A jobs folder that can't be read to its end before somebody writes the script: it is a pipe.
fn slow_jobs(folder: &Path) -> std::path::PathBuf {
    let job = folder.join("jobs/copy");
    std::fs::create_dir_all(&job).unwrap();
    std::fs::write(job.join("job.toml"), JOB).unwrap();
    let script = job.join("copy.sql");
    assert!(Command::new("mkfifo").arg(&script).status().unwrap().success());
    script
}

/// Sends a request; the status and the body, or nothing where nobody listens yet.
fn ask(method: &str, url: &str, body: &str) -> Option<(u16, Value)> {
    let agent: Agent = Agent::config_builder().http_status_as_error(false).build().into();
    let request = ureq::http::Request::builder().method(method).uri(url);
    let request = request.header("content-type", "application/json");
    let mut response = agent.run(request.body(body.to_owned()).unwrap()).ok()?;
    let text = response.body_mut().read_to_string().unwrap();
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    Some((response.status().as_u16(), body))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_comes_before_the_jobs_are_registered_waits_for_them() {
    let folder = tempfile::tempdir().unwrap();
    let script = slow_jobs(folder.path());
    let (api, lake) = (free_address(), free_address());
    let flags = Flags {
        listen: Some(api.clone()),
        lake_listen: Some(lake.clone()),
        lake: Some(folder.path().join("lake")),
        database: Some(format!("sqlite://{}", folder.path().join("mastic.db").display())),
        jobs: Some(folder.path().join("jobs")),
        ..Flags::default()
    };
    let mut config = Config::resolve(&flags, &Default::default()).unwrap();
    config.tasks.program = env!("CARGO_BIN_EXE_mastic").into();
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(start_of_time()));
    let starting = tokio::spawn(Server::start(config, clock, Parts::WithoutWorker));

    let asked = tokio::task::spawn_blocking(move || {
        // It says that it lives, and that it isn't ready, and why.
        let alive = loop {
            if let Some(answer) = ask("GET", &format!("http://{api}/healthz"), "") {
                break answer;
            }
        };
        assert_eq!(alive, (200, json!("ok")));
        let (status, report) = ask("GET", &format!("http://{api}/readyz"), "").unwrap();
        assert_eq!(
            (status, &report["parts"][0]["part"]),
            (503, &json!("jobs")),
            "{report}"
        );
        // What arrives now is not the past of the job that is being registered.
        let put = std::thread::spawn(move || ask("PUT", &format!("http://{lake}/lake/in/1.csv"), "n\n1\n"));
        let told = json!({ "Records": [{ "eventName": "ObjectCreated:Put", "s3": {
            "bucket": { "name": "lake" }, "object": { "key": "in/1.csv" } } }] });
        let notices = format!("http://{api}/api/v1/events/s3");
        let post = std::thread::spawn(move || ask("POST", &notices, &told.to_string()));
        std::fs::write(&script, "SELECT n FROM t").unwrap();
        let (put, post) = (put.join().unwrap().unwrap(), post.join().unwrap().unwrap());
        assert_eq!((put.0, post.0), (200, 200), "{put:?} {post:?}");
        let (status, report) = ask("GET", &format!("http://{api}/readyz"), "").unwrap();
        assert_eq!((status, &report["ready"]), (200, &json!(true)), "{report}");
    });
    asked.await.unwrap();
    let server = starting.await.unwrap().unwrap();
    while worker::run_due(&server.app).await.unwrap() > 0 {}
    let page = PageRequest::first(10);
    let runs = runs::list(&server.app, &RunFilter::default(), &page)
        .await
        .unwrap()
        .items;
    let states: Vec<WorkState> = runs.iter().map(|run| run.state).collect();
    assert_eq!(states, [WorkState::Succeeded]);
    server.stop().await;
}
