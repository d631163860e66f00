//! What an earlier version of the program left, opened by this one: nothing is lost, and nothing is done twice.

use std::process::Command;

use mastic::etl::jobs::JobSource;
use mastic::etl::{jobs, query, runs};
use mastic::events;
use mastic::model::crawl::WorkState;
use mastic::model::pattern::Captures;

use crate::harness::TestApp;

/// A database and a lake of migration 4: the jobs `copy` and `broken`, which listen to `in/{d}/*.csv`, two objects there, a
/// run of each job for each, and the outputs of `copy`.
const BEFORE_ARRIVALS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/it/upgrade/before-arrivals.tar.gz"
);

async fn opened() -> TestApp {
    let folder = tempfile::tempdir().unwrap();
    let unpacked = Command::new("tar")
        .args(["-xzf", BEFORE_ARRIVALS, "-C"])
        .arg(folder.path())
        .status()
        .unwrap();
    assert!(unpacked.success());
    TestApp::start_in(folder).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_earlier_version_knew_is_not_done_again() {
    let app = opened().await;
    assert_eq!(app.runs().await.len(), 4);
    app.run_tasks().await;
    assert_eq!(
        events::reconcile::run(app.app()).await.unwrap(),
        0,
        "nothing is new"
    );
    // Jobs whose text is the same are registered as they are.
    for name in ["copy", "broken"] {
        let job = jobs::get(app.app(), name).await.unwrap();
        let source = JobSource {
            name: name.to_owned(),
            definition: job.definition_text,
            script: job.script,
        };
        assert_eq!(jobs::register(app.app(), &source).await.unwrap().version, 0);
    }
    app.put("lake", "in/1/a.csv", "n\n1\n").await;
    app.run_tasks().await;
    assert!(app.outcomes().await.contains(&"in/1/a.csv: duplicate".to_owned()));
    assert_eq!(app.runs().await.len(), 4);
    let rows = query::run(app.app(), "SELECT d, n FROM out.t ORDER BY d", 10)
        .await
        .unwrap()
        .rows;
    assert_eq!(serde_json::to_string(&rows).unwrap(), r#"[["1",1],["2",2]]"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_output_of_an_earlier_version_is_the_jobs_own() {
    let app = opened().await;
    app.put("lake", "in/1/a.csv", "n\n10\n").await;
    app.run_tasks().await;
    assert_eq!(
        app.text("lake", "out/d=1/part-00000.csv").await.unwrap(),
        "n\n10\n"
    );
    let failed = app
        .runs()
        .await
        .into_iter()
        .find(|run| run.state == WorkState::Failed);
    let again = runs::retry(app.app(), &failed.unwrap().id).await.unwrap();
    assert_eq!(
        again.body.parameters,
        Captures::from([("d".to_owned(), "1".to_owned())])
    );
}
