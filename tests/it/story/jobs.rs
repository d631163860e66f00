//! Jobs of one's own: what they may do, and what is said where they are wrong.

use std::fmt::Display;

use mastic::error::ErrorKind;
use mastic::etl::{jobs, query};
use mastic::model::crawl::WorkState;

use crate::harness::TestApp;
use crate::harness::setup::{JobText, sql_job};

fn sales() -> JobText {
    sql_job("s3://lake/out/").reads("sales", "s3://lake/sales/*")
}

/// The same where there is more than sales in their folder.
fn csv_sales() -> JobText {
    sales().reads("sales", "s3://lake/sales/*.csv")
}

async fn run_once(app: &TestApp, definition: impl Display, script: &str) -> mastic::model::run::Run {
    app.register("sum", definition, script).await.unwrap();
    app.run_job("sum", &[]).await
}

async fn with_sales() -> TestApp {
    let app = TestApp::start().await;
    app.put("lake", "sales/a.csv", "Shop,Amount\nnorth,1\nsouth,2\n")
        .await;
    app.put(
        "lake",
        "sales/b.csv",
        "amount,shop,note\n2.5,north,\"said \"\"hi\"\", left\"\n",
    )
    .await;
    app.put("lake", "sales/_SUCCESS", "").await;
    app
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_one_input_may_differ_in_order_columns_and_types() {
    let app = with_sales().await;
    let script =
        "SELECT shop, sum(amount) AS amount, max(note) AS note FROM sales GROUP BY shop ORDER BY shop";
    let run = run_once(&app, csv_sales(), script).await;
    assert_eq!(
        (run.state, run.body.error, run.body.rows_in),
        (WorkState::Succeeded, None, Some(3))
    );
    let csv = app.text("lake", "out/part-00000.csv").await.unwrap();
    assert_eq!(
        csv,
        "shop,amount,note\nnorth,3.5,\"said \"\"hi\"\", left\"\nsouth,2.0,\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn several_files_are_named_after_their_run_and_replace_those_of_the_last() {
    let app = with_sales().await;
    let definition = csv_sales()
        .output("format = \"json\"")
        .output("files = 2")
        .table("out.sales");
    run_once(&app, &definition, "SELECT * FROM sales").await;
    let first = app.keys("lake", "out/").await;
    assert_eq!(first.len(), 3, "two files and _SUCCESS: {first:?}");
    run_once(&app, &definition, "SELECT shop, amount FROM sales").await;
    let second = app.keys("lake", "out/").await;
    assert_eq!(second.len(), 3);
    assert!(
        first
            .iter()
            .all(|key| key.ends_with("_SUCCESS") || !second.contains(key)),
        "{first:?} {second:?}"
    );
    let rows = query::run(app.app(), "SELECT count(*) FROM out.sales", 10)
        .await
        .unwrap()
        .rows;
    assert_eq!(rows[0][0], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn parquet_output_is_read_back_with_its_types() {
    let app = with_sales().await;
    let definition = csv_sales().output("format = \"parquet\"").table("out.sales");
    let script =
        "SELECT shop, amount, CAST('2022-01-31' AS DATE) AS day, [1, 2] AS list FROM sales ORDER BY amount";
    let run = run_once(&app, &definition, script).await;
    assert_eq!(run.body.error, None);
    let result = query::run(app.app(), "SELECT * FROM out.sales ORDER BY amount", 10)
        .await
        .unwrap();
    let types: Vec<&str> = result.columns.iter().map(|(_, hive)| hive.as_str()).collect();
    assert_eq!(types, ["string", "double", "date", "array<bigint>"]);
    assert_eq!(result.rows[0][2], "2022-01-31");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_may_name_its_steps() {
    let app = with_sales().await;
    let script = "-- Two steps; and a semicolon in a text is none.
        CREATE TEMP VIEW Priced AS SELECT shop, amount, 'a;b' AS note FROM sales WHERE amount IS NOT NULL;
        CREATE OR REPLACE TEMPORARY VIEW shops AS SELECT shop, note, count(*) AS n FROM priced GROUP BY shop, note;
        SELECT note, sum(n) AS n FROM shops GROUP BY note;";
    let run = run_once(&app, csv_sales(), script).await;
    assert_eq!(run.body.error, None);
    let csv = app.text("lake", "out/part-00000.csv").await.unwrap();
    assert!(csv.starts_with("note,n\na;b,"), "{csv}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_sql_fails_the_run_and_nothing_else() {
    let app = with_sales().await;
    app.put("lake", "out/part-00000.csv", "what was there").await;
    for (script, said) in [
        ("SELECT nope FROM sales", "No field named nope"),
        ("SELEC 1", "Expected"),
        ("SELECT * FROM elsewhere", "elsewhere"),
        ("SELECT 1; SELECT 2", "more than one statement"),
        ("CREATE VIEW v AS SELECT 1", "not a query"),
        (
            "CREATE VIEW sales AS SELECT 1; SELECT * FROM sales",
            "there is a table sales already",
        ),
        ("CREATE VIEW v AS SELECT * FROM nowhere; SELECT 1 AS x", "nowhere"),
        ("DROP TABLE sales; SELECT 1 AS x", "is not CREATE TEMP VIEW"),
        ("DROP TABLE sales", "not a query"),
        (
            "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
            "not a query",
        ),
        ("COPY sales TO '/tmp/stolen.csv'", "not a query"),
        ("SELECT shop, shop FROM sales", "shop"),
    ] {
        let run = run_once(&app, csv_sales(), script).await;
        assert_eq!(run.state, WorkState::Failed, "{script}");
        let message = run.body.error.unwrap().message;
        assert!(message.contains(said), "{script}: {message}");
        assert!(app.log(&run.id).await.contains(said));
    }
    assert_eq!(
        app.text("lake", "out/part-00000.csv").await.unwrap(),
        "what was there"
    );
    assert_eq!(app.keys("lake", "out/").await, ["out/part-00000.csv"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn sql_that_would_abort_a_process_aborts_a_child() {
    let app = with_sales().await;
    let terms = vec!["1"; 20_000].join(" + ");
    let run = run_once(&app, csv_sales(), &format!("SELECT {terms} AS x")).await;
    // Answered or refused: either is fine. The server is still there.
    assert!(run.state.is_final());
    let run = run_once(&app, csv_sales(), "SELECT count(*) AS n FROM sales").await;
    assert_eq!(run.state, WorkState::Succeeded);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_input_that_is_broken_is_named() {
    let app = TestApp::start().await;
    app.put("lake", "sales/a.parquet", "PAR1 but not for long").await;
    let run = run_once(&app, sales(), "SELECT * FROM sales").await;
    let message = run.body.error.unwrap().message;
    assert!(message.starts_with("s3://lake/sales/a.parquet: "), "{message}");
    assert!(message.contains("footer"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_input_is_named_unless_it_is_optional() {
    let app = TestApp::start().await;
    let run = run_once(&app, sales(), "SELECT * FROM sales").await;
    let error = run.body.error.unwrap();
    assert!(
        error
            .message
            .contains("input sales: there is no object s3://lake/sales/*"),
        "{}",
        error.message
    );
    let optional = "optional = true, columns = { shop = \"string\", amount = \"double\" }";
    let optional = sales().reads_with("sales", "s3://lake/sales/*", optional);
    let run = run_once(&app, optional, "SELECT shop, amount FROM sales").await;
    assert_eq!((run.body.error, run.body.rows_out), (None, Some(0)));
    assert_eq!(
        app.text("lake", "out/part-00000.csv").await.unwrap(),
        "shop,amount\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_with_an_unknown_key_is_refused_and_the_others_are_registered() {
    let app = TestApp::start().await;
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("good", sales().to_string()),
        ("wrong", sales().to_string().replace("script =", "scrpt =")),
    ] {
        std::fs::create_dir(folder.path().join(name)).unwrap();
        std::fs::write(folder.path().join(name).join("job.toml"), text).unwrap();
        std::fs::write(folder.path().join(name).join("s.sql"), "SELECT 1 AS x").unwrap();
    }
    let (registered, errors) = jobs::register_all(app.app(), folder.path()).await.unwrap();
    assert_eq!(
        registered.iter().map(|job| job.name.as_str()).collect::<Vec<_>>(),
        ["good"]
    );
    assert!(
        errors[0]
            .message
            .starts_with("job wrong: job.toml, line 2: unknown field `scrpt`"),
        "{}",
        errors[0].message
    );
    assert_eq!(errors[0].hint.as_deref(), Some("did you mean 'script'?"));
}

#[tokio::test(flavor = "multi_thread")]
async fn registering_the_same_again_changes_nothing() {
    let app = TestApp::start().await;
    app.register("sum", sales(), "SELECT 1 AS x").await.unwrap();
    app.register("sum", sales(), "SELECT 1 AS x").await.unwrap();
    assert_eq!(jobs::get(app.app(), "sum").await.unwrap().version, 0);
    app.register("sum", sales(), "SELECT 2 AS x").await.unwrap();
    assert_eq!(jobs::get(app.app(), "sum").await.unwrap().version, 1);
    let error = app.register("sum", sales(), "  ").await.unwrap_err();
    assert_eq!(
        (error.kind, error.message.contains("is empty")),
        (ErrorKind::Invalid, true)
    );
}
