//! What queries put aside on disk: it has a limit, and it goes with them.

use mastic::error::{Error, ErrorKind, Result};
use mastic::etl::query::{self, QueryResult, RowForm};
use serde_json::json;

use super::{ENDLESS, children, files_below, folders_of_children, little_memory, spill_folder, until};
use crate::harness::TestApp;
use crate::harness::process::ServeProcess;

/// Sorts more than fits into little memory: 366 MB.
const SORTS: &str = "SELECT max(r) AS r, max(length(x)) AS l FROM (SELECT x, row_number() OVER (ORDER BY x) AS r FROM \
                     (SELECT md5(cast(a * 1000 + b AS varchar)) || repeat('x', 700) AS x FROM \
                     (SELECT unnest(range(0, 500)) AS a) CROSS JOIN (SELECT unnest(range(0, 1000)) AS b)))";

async fn with_little_memory() -> TestApp {
    // A little more than that: a sort needs room beside what it may spill.
    TestApp::start_with(|config| {
        little_memory(config);
        config.tasks.sql_memory_bytes = 1100 << 20;
    })
    .await
}

/// Begins to sort, and answers when something is spilled.
async fn spilling(app: &TestApp) -> tokio::task::JoinHandle<Result<QueryResult>> {
    let served = app.app().clone();
    let sorting = tokio::spawn(async move { query::run(&served, SORTS, 1).await });
    until("spilled data", || files_below(&spill_folder(app)) > 0).await;
    sorting
}

async fn is_tidy(app: &TestApp) {
    until("an empty folder", || folders_of_children(&spill_folder(app)) == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_spilled_goes_with_a_query_that_ends_well() {
    let app = with_little_memory().await;
    let sorting = spilling(&app).await;
    assert_eq!(
        sorting.await.unwrap().unwrap().rows,
        [[json!(500_000), json!(732)]]
    );
    is_tidy(&app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_spilled_goes_with_a_query_whose_process_is_killed() {
    let app = with_little_memory().await;
    let sorting = spilling(&app).await;
    let [child] = children(&app)[..] else {
        panic!("there is not one child");
    };
    let killed = std::process::Command::new("kill")
        .args(["-9", &child.to_string()])
        .status();
    assert!(killed.unwrap().success());
    let error: Error = sorting.await.unwrap().unwrap_err();
    assert_eq!(error.message, "the process at work was killed");
    is_tidy(&app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_spilled_goes_with_a_query_that_nobody_waits_for() {
    let app = with_little_memory().await;
    spilling(&app).await.abort();
    is_tidy(&app).await;
    assert!(children(&app).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_the_quota_is_refused_by_name() {
    let app = TestApp::start_with(|config| {
        little_memory(config);
        config.tasks.spill_bytes = 8 << 20;
    })
    .await;
    let error = query::run(app.app(), SORTS, 1).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Limit, "{error}");
    assert_eq!(
        error.message,
        "it needs more than the 8.0 MB of disk that tasks.spill_bytes allows for what doesn't fit in memory"
    );
    assert!(error.hint.unwrap().contains("raise tasks.spill_bytes"));
    is_tidy(&app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_cannot_be_is_named() {
    let app = TestApp::start_with(|config| config.tasks.spill_dir = "/dev/null/spill".into()).await;
    let error = query::run(app.app(), "SELECT 1", 1).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert!(
        error.message.contains("can be made in /dev/null/spill"),
        "{error}"
    );
    assert_eq!(error.hint.unwrap(), "tasks.spill_dir says where it is");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_starts_removes_what_the_dead_left_and_nothing_of_the_living() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("spill");
    let shared = place.clone();
    let settings = format!(
        "[tasks]\nspill_dir = \"{}\"\nsql_memory_mib = 800\n",
        place.display()
    );
    std::fs::write(folder.path().join("mastic.toml"), settings).unwrap();
    let living = TestApp::start_with(move |config| {
        little_memory(config);
        config.tasks.spill_dir.clone_from(&shared);
    })
    .await;
    let at_work = query::begin(living.app(), ENDLESS, 99_999, RowForm::Listed)
        .await
        .unwrap();
    assert_eq!(folders_of_children(&place), 1);

    let of_the_dead = place.clone();
    tokio::task::spawn_blocking(move || {
        let database = format!("sqlite://{}/mastic.db", folder.path().display());
        let server = ServeProcess::start(folder.path(), &database);
        let url = format!("{}/api/v1/sql", server.url);
        let asking = std::thread::spawn(move || {
            ureq::post(url)
                .header("content-type", "application/json")
                .send(json!({ "query": SORTS }).to_string())
                .is_err()
        });
        let deadline = std::time::Instant::now() + super::PATIENCE;
        while files_below(&of_the_dead) == 0 {
            assert!(std::time::Instant::now() < deadline, "nothing was spilled");
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        server.kill();
        assert!(asking.join().unwrap());
        assert_eq!(folders_of_children(&of_the_dead), 2);
        let _next = ServeProcess::start(folder.path(), &database);
        assert_eq!(folders_of_children(&of_the_dead), 1);
        folder
    })
    .await
    .unwrap();
    assert_eq!(children(&living).len(), 1);
    drop(at_work);
    is_tidy(&living).await;
}
