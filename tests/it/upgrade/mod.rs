//! What an earlier version of the program left, opened by this one: nothing is lost, and nothing is done twice.

use std::path::Path;
use std::process::Command;

use mastic::etl::jobs::JobSource;
use mastic::etl::{jobs, runs};
use mastic::events;
use mastic::model::crawl::WorkState;
use mastic::model::pattern::Captures;
use serde_json::{Value, json};
use sqlx::migrate::Migrator;
use sqlx::{Connection as _, PgConnection, SqliteConnection};

use crate::api::send;
use crate::both_databases;
use crate::glue;
use crate::harness::{Database, TestApp};

both_databases! {
    what_an_earlier_version_knew_is_not_done_again,
    an_output_of_an_earlier_version_is_the_jobs_own,
    crawls_of_an_earlier_version_show_what_they_did,
    the_catalog_of_the_first_version_is_there,
    the_work_of_the_first_version_is_there_and_goes_on,
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

/// A database of migration 1 with rows in every table, and an empty lake.
async fn opened_of_the_first_version(database: Database) -> TestApp {
    const ROWS: &str = include_str!("first.sql");
    let folder = tempfile::tempdir().unwrap();
    let url = database.url(&folder).await;
    let kind = match database {
        Database::Sqlite => "sqlite",
        Database::Postgres => "postgres",
    };
    let first = folder.path().join("first");
    std::fs::create_dir(&first).unwrap();
    let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    std::fs::copy(
        migrations.join(kind).join("0001_first.sql"),
        first.join("0001_first.sql"),
    )
    .unwrap();
    let migrator = Migrator::new(first).await.unwrap();
    match database {
        Database::Sqlite => {
            let url = format!("{url}?mode=rwc");
            let mut connection = SqliteConnection::connect(&url).await.unwrap();
            migrator.run(&mut connection).await.unwrap();
            sqlx::raw_sql(ROWS).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        }
        Database::Postgres => {
            let mut connection = PgConnection::connect(&url).await.unwrap();
            migrator.run(&mut connection).await.unwrap();
            sqlx::raw_sql(ROWS).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        }
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
            requirements: None,
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

async fn the_catalog_of_the_first_version_is_there(database: Database) {
    let app = opened_of_the_first_version(database).await;
    let get = async |path: &str| send(&app, "GET", &format!("/api/v1/{path}"), None).await.2;
    let shop = get("databases/shop").await;
    assert_eq!(
        [&shop["description"], &shop["location"], &shop["parameters"]],
        [
            &json!("What is sold"),
            &json!("s3://lake/shop/"),
            &json!({ "team": "sales" })
        ]
    );
    let sales = get("databases/shop/tables/sales").await;
    assert_eq!(
        [&sales["version"], &sales["description"], &sales["partitions"]],
        [&json!(1), &json!("Every sale"), &json!(2)]
    );
    let versions = get("databases/shop/tables/sales/versions").await;
    let types = |at: usize| versions["items"][at]["table"]["columns"][0]["type"].clone();
    assert_eq!([types(0), types(1)], ["bigint", "int"]);
    // By their values as numbers, which the first version didn't sort by.
    let partitions = get("databases/shop/tables/sales/partitions").await;
    let values = |at: usize| partitions["items"][at]["values"].clone();
    assert_eq!([values(0), values(1)], [json!(["9"]), json!(["10"])]);
    let glue = glue::client(&app);
    let found = glue.get_partitions().database_name("shop").table_name("sales");
    let found = found.expression("day > 9").send().await.unwrap();
    let [ten] = found.partitions() else {
        panic!("{found:?}");
    };
    assert_eq!(ten.parameters().unwrap()["rows"], "7");
    let storage = ten.storage_descriptor().unwrap();
    assert_eq!(storage.location(), Some("s3://lake/shop/sales/day=10/"));
    assert_eq!(storage.columns()[0].r#type(), Some("bigint"));
    let crawler = get("crawlers/in").await;
    let target = &crawler["targets"][0];
    assert_eq!(
        (&target["path"], &target["exclusions"]),
        (&json!("s3://lake/shop/"), &json!(["*.tmp"]))
    );
    let last = &crawler["last_crawl"];
    assert_eq!(
        [&last["state"], &last["changes"], &last["warnings"]],
        [&json!("SUCCEEDED"), &json!(1), &json!(1)]
    );
    let crawl = get(&format!("crawls/{}", last["id"].as_str().unwrap())).await;
    assert_eq!(crawl["plan"]["changes"][0]["name"], "shop.sales");
}

async fn the_work_of_the_first_version_is_there_and_goes_on(database: Database) {
    let app = opened_of_the_first_version(database).await;
    let get = async |path: &str| send(&app, "GET", &format!("/api/v1/{path}"), None).await.2;
    let job = get("jobs/copy").await;
    assert_eq!(
        (&job["version"], &job["script"]),
        (&json!(3), &json!("SELECT n FROM t"))
    );
    let trigger = get("triggers/copy-1").await;
    assert_eq!(
        (&trigger["job"], &trigger["enabled"]),
        (&json!("copy"), &json!(true))
    );
    let run = get("runs").await["items"][0].take();
    assert_eq!(
        (&run["state"], &run["rows_out"]),
        (&json!("SUCCEEDED"), &json!(1))
    );
    assert_eq!(run["outputs"][0]["path"], "s3://lake/out/d=1/part-00000.csv");
    let logs = get(&format!("runs/{}/logs", run["id"].as_str().unwrap())).await;
    assert_eq!(logs["items"][1]["message"], "one row only");
    let failed = get("tasks?state=failed").await;
    let failed = &failed["items"][0];
    assert_eq!(
        (&failed["error"], &failed["job"]),
        (&json!("the worker is gone"), &json!("copy"))
    );
    assert_eq!(
        app.outcomes().await,
        ["in/1/a.csv: started", "in/2/a.csv: batched"]
    );
    // The objects are known in these versions, and the batch that was open becomes a run.
    app.put("lake", "in/1/a.csv", "n\n1\n").await;
    app.put("lake", "in/2/a.csv", "n\n2\n").await;
    app.run_tasks().await;
    let newest = get("runs").await["items"][0].take();
    assert_eq!(
        (&newest["state"], &newest["parameters"]),
        (&json!("SUCCEEDED"), &json!({ "d": "2" }))
    );
    assert_eq!(app.runs().await.len(), 2);
    assert_eq!(
        app.text("lake", "out/d=2/part-00000.csv").await.unwrap(),
        "n\n2\n"
    );
}
