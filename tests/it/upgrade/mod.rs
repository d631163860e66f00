//! What an earlier version of the program left, opened by this one: nothing is lost, and nothing is done twice.

use std::process::Command;

use mastic::etl::jobs::JobSource;
use mastic::etl::{jobs, runs};
use mastic::events;
use mastic::model::crawl::WorkState;
use mastic::model::pattern::Captures;

use crate::both_databases;
use crate::harness::{Database, TestApp};

both_databases! {
    what_an_earlier_version_knew_is_not_done_again,
    an_output_of_an_earlier_version_is_the_jobs_own,
}

/// A database and a lake of migration 4, once on SQLite and once as a dump of PostgreSQL: the jobs `copy` and `broken`, which listen to `in/{d}/*.csv`, two objects there, a
/// run of each job for each, and the outputs of `copy`.
fn before_arrivals(database: Database) -> String {
    let name = match database {
        Database::Sqlite => "before-arrivals.tar.gz",
        Database::Postgres => "before-arrivals-postgres.tar.gz",
    };
    format!("{}/tests/it/upgrade/{name}", env!("CARGO_MANIFEST_DIR"))
}

async fn opened(database: Database) -> TestApp {
    let folder = tempfile::tempdir().unwrap();
    let unpacked = Command::new("tar")
        .args(["-xzf", &before_arrivals(database), "-C"])
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
    let app = opened(database).await;
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
    let app = opened(database).await;
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
