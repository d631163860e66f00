//! What an earlier version of the program left, opened by this one: nothing is lost, and nothing is done twice.

use std::process::Command;

use mastic::etl::jobs::JobSource;
use mastic::etl::{jobs, runs};
use mastic::events;
use mastic::model::crawl::WorkState;
use mastic::model::pattern::Captures;
use serde_json::{Value, json};

use crate::api::send;
use crate::both_databases;
use crate::glue;
use crate::harness::{Database, TestApp};

both_databases! {
    what_an_earlier_version_knew_is_not_done_again,
    an_output_of_an_earlier_version_is_the_jobs_own,
    crawls_of_an_earlier_version_show_what_they_did,
}

/// A database and a lake of migration 4, once on SQLite and once as a dump of PostgreSQL: the jobs `copy` and `broken`, which listen to `in/{d}/*.csv`, two objects there, a
/// run of each job for each, and the outputs of `copy`.
const BEFORE_ARRIVALS: &str = "before-arrivals";

/// The same of migration 10: `s3://lake/in/` with the table `shops` of two partitions and a file that is none, and one crawl
/// of it by the crawler `in`.
const BEFORE_SUMMARIES: &str = "before-summaries";

async fn opened(database: Database, left: &str) -> TestApp {
    let folder = tempfile::tempdir().unwrap();
    let kind = match database {
        Database::Sqlite => "",
        Database::Postgres => "-postgres",
    };
    let packed = format!(
        "{}/tests/it/upgrade/{left}{kind}.tar.gz",
        env!("CARGO_MANIFEST_DIR")
    );
    let unpacked = Command::new("tar")
        .args(["-xzf", &packed, "-C"])
        .arg(folder.path())
        .status()
        .unwrap();
    assert!(unpacked.success());
    let url = database.url(&folder).await;
    if matches!(database, Database::Postgres) {
        let restored = Command::new("psql")
            .args(["--quiet", "--output=/dev/null", "--set=ON_ERROR_STOP=1", "--file"])
            .arg(folder.path().join("before.sql"))
            .arg(&url)
            .status()
            .unwrap();
        assert!(restored.success());
    }
    TestApp::start_in(folder, url).await
}

async fn what_an_earlier_version_knew_is_not_done_again(database: Database) {
    let app = opened(database, BEFORE_ARRIVALS).await;
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
    assert_eq!(
        app.rows("SELECT d, n FROM out.t ORDER BY d").await,
        r#"[["1",1],["2",2]]"#
    );
}

async fn an_output_of_an_earlier_version_is_the_jobs_own(database: Database) {
    let app = opened(database, BEFORE_ARRIVALS).await;
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

async fn crawls_of_an_earlier_version_show_what_they_did(database: Database) {
    let app = opened(database, BEFORE_SUMMARIES).await;
    let get = async |path: &str| send(&app, "GET", &format!("/api/v1/{path}"), None).await.2;
    let listed = get("crawls").await["items"][0].take();
    assert_eq!((&listed["changes"], &listed["warnings"]), (&json!(3), &json!(1)));
    // In the list as by itself, and beside its crawler.
    let mut crawl = get(&format!("crawls/{}", listed["id"].as_str().unwrap())).await;
    let plan = crawl.as_object_mut().unwrap().remove("plan").unwrap();
    assert_eq!(plan["changes"].as_array().unwrap().len(), 3);
    assert_eq!(crawl, listed);
    assert_eq!(get("crawlers/in").await["last_crawl"], listed);
    let glue = glue::client(&app);
    let metrics = glue.get_crawler_metrics().send().await.unwrap();
    assert_eq!(metrics.crawler_metrics_list()[0].tables_created(), 1);
    let history = glue.list_crawls().crawler_name("in").send().await.unwrap();
    let summary: Value = serde_json::from_str(history.crawls()[0].summary().unwrap()).unwrap();
    let table = json!({ "ADD": { "Details": { "names": ["old.shops"] }, "Count": 1 } });
    assert_eq!(
        summary,
        json!({ "TABLE": table, "PARTITION": { "ADD": { "Count": 2 } } })
    );
}
