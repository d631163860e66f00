//! An output harms nobody: what is replaced, what stays, and what is refused.

use mastic::catalog;
use mastic::etl::{self, query, runs};
use mastic::model::crawl::WorkState;
use mastic::model::name::TableRef;
use mastic::model::page::PageRequest;
use mastic::model::pattern::Captures;
use mastic::model::run::Run;
use mastic::model::table::TableInput;

use serde_json::json;
use sqlx::Connection as _;

use crate::both_databases;
use crate::harness::setup::{JobText, sql_job};
use crate::harness::{Database, TestApp};

both_databases! {
    an_output_replaces_its_own_and_touches_nothing_else,
    an_output_above_others_leaves_them_alone,
    a_foreign_object_under_the_outputs_name_is_not_replaced,
    a_folder_is_replaced_where_that_is_meant,
    an_older_month_takes_no_column_from_a_newer,
    partition_values_are_read_back_alike,
    a_job_may_read_its_own_former_output,
    a_table_takes_the_keys_that_its_job_has_now,
}

/// The pages of a month, as they are.
fn pages() -> JobText {
    sql_job("s3://lake/out/m={m}/")
        .parameter("m")
        .reads("pages", "s3://lake/in/{m}/*.csv")
        .table("out.pages")
}

async fn run(app: &TestApp, job: &str, m: &str) -> Run {
    app.run_job(job, &[("m", m)]).await
}

async fn succeed(app: &TestApp, job: &str, m: &str) -> Run {
    app.succeed(job, &[("m", m)]).await
}

async fn with_pages(database: Database) -> TestApp {
    let app = TestApp::start_on(database).await;
    app.put("lake", "in/a/1.csv", "n,title\n1,one\n").await;
    app
}

async fn an_output_replaces_its_own_and_touches_nothing_else(database: Database) {
    let app = with_pages(database).await;
    app.register("pages", pages().output("files = 2"), "SELECT * FROM pages")
        .await
        .unwrap();
    succeed(&app, "pages", "a").await;
    let first = app.keys("lake", "out/m=a/part-").await;
    assert_eq!(first.len(), 2);
    for key in ["note.csv", "part-00000-mine.csv", "sub/part-00000.csv"] {
        app.put("lake", &format!("out/m=a/{key}"), "n,title\n7,seven\n")
            .await;
    }
    // A copy has the metadata of what it is a copy of.
    let copied = app.app().buckets.head("lake", &first[0]).await.unwrap().unwrap();
    assert!(copied.metadata.iter().any(|(name, _)| name == "mastic-run"));
    let run = succeed(&app, "pages", "a").await;
    let after = app.keys("lake", "out/m=a/").await;
    assert!(first.iter().all(|key| !after.contains(key)), "{after:?}");
    for key in ["note.csv", "part-00000-mine.csv", "sub/part-00000.csv"] {
        assert!(after.contains(&format!("out/m=a/{key}")), "{key} of {after:?}");
    }
    let log = app.log(&run.id).await;
    assert!(log.contains(&format!("removed s3://lake/{}", first[0])), "{log}");
    assert!(
        log.contains("3 object(s) in s3://lake/out/m=a/ aren't this job's and stay"),
        "{log}"
    );
}

async fn an_output_above_others_leaves_them_alone(database: Database) {
    let app = with_pages(database).await;
    for key in [
        "out/m=a/other/x.csv",
        "out/m=a/other/part-00000.csv",
        "outer/part-00000.csv",
    ] {
        app.put("lake", key, "n\n1\n").await;
    }
    app.register("pages", pages(), "SELECT * FROM pages")
        .await
        .unwrap();
    succeed(&app, "pages", "a").await;
    succeed(&app, "pages", "a").await;
    assert_eq!(
        app.keys("lake", "out").await,
        [
            "out/m=a/other/part-00000.csv",
            "out/m=a/other/x.csv",
            "out/m=a/part-00000.csv",
            "outer/part-00000.csv"
        ]
    );
}

async fn a_foreign_object_under_the_outputs_name_is_not_replaced(database: Database) {
    let app = with_pages(database).await;
    app.put("lake", "out/m=a/part-00000.csv", "somebody's").await;
    app.register("pages", pages(), "SELECT * FROM pages")
        .await
        .unwrap();
    let refused = run(&app, "pages", "a").await;
    let error = refused.body.error.unwrap();
    assert!(
        error
            .message
            .contains("s3://lake/out/m=a/part-00000.csv is there, and job pages did not write it"),
        "{}",
        error.message
    );
    assert_eq!(
        app.text("lake", "out/m=a/part-00000.csv").await.unwrap(),
        "somebody's"
    );

    let other = pages().writes("s3://lake/fine/m={m}/").table("out.fine");
    app.register("fine", other, "SELECT * FROM pages").await.unwrap();
    succeed(&app, "fine", "a").await;
    app.put("lake", "fine/m=a/part-00000.csv", "mended by hand").await;
    assert_eq!(run(&app, "fine", "a").await.state, WorkState::Failed);
    assert_eq!(
        app.text("lake", "fine/m=a/part-00000.csv").await.unwrap(),
        "mended by hand"
    );
}

async fn a_folder_is_replaced_where_that_is_meant(database: Database) {
    let app = with_pages(database).await;
    let job = pages().output("mode = \"replace_folder\"");
    app.put("lake", "out/m=a/part-00000.csv", "old").await;
    app.put("lake", "out/m=a/sub/old.csv", "old").await;
    app.put("lake", "out/m=b/old.csv", "old").await;
    app.register("pages", job, "SELECT * FROM pages").await.unwrap();
    let parameters = Captures::from([("m".to_owned(), "a".to_owned())]);
    let preview = etl::preview(app.app(), "pages", &parameters).await.unwrap();
    assert_eq!(preview.inputs[0].path, "s3://lake/in/a/1.csv");
    assert_eq!(
        preview.replaces,
        [
            "s3://lake/out/m=a/sub/old.csv",
            "s3://lake/out/m=a/part-00000.csv"
        ]
    );
    assert_eq!(
        app.keys("lake", "out/m=a/").await.len(),
        2,
        "a preview changes nothing"
    );
    let run = succeed(&app, "pages", "a").await;
    assert!(
        app.log(&run.id)
            .await
            .contains("removed s3://lake/out/m=a/sub/old.csv")
    );
    assert_eq!(
        app.keys("lake", "out/").await,
        ["out/m=a/part-00000.csv", "out/m=b/old.csv"]
    );
}

async fn an_older_month_takes_no_column_from_a_newer(database: Database) {
    let app = TestApp::start_on(database).await;
    app.put("lake", "in/2025-01/1.csv", "n,fee,cbd\n1,2.5,1.5\n")
        .await;
    app.put("lake", "in/2024-12/1.csv", "n,fee\n2,3.5\n").await;
    app.register("pages", pages(), "SELECT * FROM pages")
        .await
        .unwrap();
    succeed(&app, "pages", "2025-01").await;
    succeed(&app, "pages", "2024-12").await;
    let name = TableRef::parse("out.pages").unwrap();
    let table = app.table("out.pages").await;
    let columns: Vec<&str> = table
        .input
        .columns()
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    assert_eq!(columns, ["n", "fee", "cbd"]);
    let sql = "SELECT m, sum(cbd) AS cbd, sum(fee) AS fee FROM out.pages GROUP BY m ORDER BY m";
    assert_eq!(
        app.rows(sql).await,
        r#"[["2024-12",null,3.5],["2025-01",1.5,2.5]]"#
    );
    let partitions = catalog::partitions::list(app.app(), &name, &PageRequest::first(10))
        .await
        .unwrap();
    let own = partitions.items[0].storage().unwrap();
    assert_eq!(own.columns.len(), 2, "each partition has its own schema");
}

async fn a_table_takes_the_keys_that_its_job_has_now(database: Database) {
    let app = with_pages(database).await;
    app.register("pages", pages(), "SELECT * FROM pages")
        .await
        .unwrap();
    succeed(&app, "pages", "a").await;
    let other = pages().writes("s3://lake/out/month={m}/");
    app.register("pages", other, "SELECT * FROM pages").await.unwrap();
    succeed(&app, "pages", "a").await;
    let table = app.table("out.pages").await;
    assert_eq!(table.input.partition_keys[0].name, "month");
    assert_eq!(
        app.rows("SELECT month, n FROM out.pages WHERE month = 'a'").await,
        r#"[["a",1]]"#
    );
}

async fn partition_values_are_read_back_alike(database: Database) {
    let app = TestApp::start_on(database).await;
    let values = ["Brand#21", "50%", "a:b", "a%3Ab", "x y", "ü", "1=2"];
    for (n, value) in values.iter().enumerate() {
        app.put("lake", &format!("in/{value}/1.csv"), format!("n\n{n}\n"))
            .await;
    }
    app.register("pages", pages(), "SELECT * FROM pages")
        .await
        .unwrap();
    for value in values {
        succeed(&app, "pages", value).await;
    }
    assert!(
        app.text("lake", "out/m=Brand%2321/part-00000.csv")
            .await
            .is_some()
    );
    assert!(app.text("lake", "out/m=a%253Ab/part-00000.csv").await.is_some());
    let rows = query::run(app.app(), "SELECT m, n FROM out.pages ORDER BY n", 100)
        .await
        .unwrap()
        .rows;
    let read: Vec<&str> = rows.iter().map(|row| row[0].as_str().unwrap()).collect();
    assert_eq!(read, values);
    // And a job that reads these folders by their values finds each, and gives it back alike.
    let again = pages()
        .reads("pages", "s3://lake/out/m={m}/*.csv")
        .writes("s3://lake/again/m={m}/")
        .table("out.again");
    app.register("again", again, "SELECT * FROM pages").await.unwrap();
    for value in values {
        succeed(&app, "again", value).await;
    }
    let rows = query::run(app.app(), "SELECT m, n FROM out.again ORDER BY n", 100)
        .await
        .unwrap()
        .rows;
    let read: Vec<&str> = rows.iter().map(|row| row[0].as_str().unwrap()).collect();
    assert_eq!(read, values);
}

async fn a_job_may_read_its_own_former_output(database: Database) {
    let app = TestApp::start_on(database).await;
    let old = "optional = true, columns = { n = \"bigint\" }";
    let job = sql_job("s3://lake/state/")
        .parameter("m")
        .reads("new", "s3://lake/in/{m}/*.csv")
        .reads_with("old", "s3://lake/state/*.csv", old);
    app.register(
        "state",
        job,
        "SELECT sum(n) AS n FROM (SELECT n FROM old UNION ALL SELECT n FROM new)",
    )
    .await
    .unwrap();
    for (m, n) in [("a", 1), ("b", 2), ("c", 4)] {
        app.put("lake", &format!("in/{m}/1.csv"), format!("n\n{n}\n"))
            .await;
        succeed(&app, "state", m).await;
    }
    assert_eq!(app.text("lake", "state/part-00000.csv").await.unwrap(), "n\n7\n");
    app.put("lake", "state/foreign.csv", "n\n100\n").await;
    let refused = run(&app, "state", "a").await.body.error.unwrap();
    assert!(
        refused
            .message
            .contains("input old reads s3://lake/state/foreign.csv, which lies in the output folder"),
        "{}",
        refused.message
    );
}

fn job(input: &str, output: &str) -> JobText {
    sql_job(output).reads("t", input)
}

#[tokio::test(flavor = "multi_thread")]
async fn outputs_that_overlap_are_refused_by_name() {
    let app = TestApp::start().await;
    let table: TableInput = serde_json::from_value(serde_json::json!({
        "name": "theirs", "storage": { "location": "s3://lake/theirs/deep" }
    }))
    .unwrap();
    catalog::databases::create(
        app.app(),
        serde_json::from_value(serde_json::json!({ "name": "db" })).unwrap(),
    )
    .await
    .unwrap();
    catalog::tables::create(app.app(), "db", table).await.unwrap();
    let log = job("s3://lake/in/*.csv", "s3://lake/log/").output("mode = \"append\"");
    for (name, definition) in [
        ("a", job("s3://lake/in/*.csv", "s3://lake/a/x/")),
        ("log", log.clone()),
        ("log2", log),
    ] {
        app.register(name, definition, "SELECT 1 AS x").await.unwrap();
    }
    for (what, definition, said) in [
        (
            "beside its input",
            job("s3://lake/q/*.csv", "s3://lake/q/"),
            "overlaps inputs.t",
        ),
        (
            "above its input",
            job("s3://lake/q/r/*.csv", "s3://lake/q/"),
            "overlaps inputs.t",
        ),
        (
            "inside its input",
            job("s3://lake/q/", "s3://lake/q/r/"),
            "overlaps inputs.t",
        ),
        (
            "inside a deep input",
            job("s3://lake/q/**", "s3://lake/q/r/"),
            "overlaps inputs.t",
        ),
        (
            "where it listens, whatever the name",
            job("s3://lake/z/*", "s3://lake/q/").listens_to("s3://lake/q/done.flag"),
            "would trigger itself",
        ),
        (
            "where it listens, by a capture",
            job("s3://lake/z/*", "s3://lake/q/").listens_to("s3://lake/*/x"),
            "would trigger itself",
        ),
        (
            "another's",
            job("s3://lake/z/*", "s3://lake/a/x/"),
            "overlaps that of job a, 's3://lake/a/x/'",
        ),
        (
            "above another's",
            job("s3://lake/z/*", "s3://lake/a/"),
            "overlaps that of job a",
        ),
        (
            "inside another's",
            job("s3://lake/z/*", "s3://lake/a/x/y/"),
            "overlaps that of job a",
        ),
        (
            "a log that isn't only added to",
            job("s3://lake/z/*", "s3://lake/log/"),
            "overlaps that of job log",
        ),
        (
            "around another's input",
            job("s3://lake/z/*", "s3://lake/"),
            "overlaps",
        ),
        (
            "a table",
            job("s3://lake/z/*", "s3://lake/theirs/deep/"),
            "overlaps the table db.theirs",
        ),
        (
            "above a table",
            job("s3://lake/z/*", "s3://lake/theirs/"),
            "overlaps the table db.theirs",
        ),
        (
            "inside a table",
            job("s3://lake/z/*", "s3://lake/theirs/deep/er/"),
            "overlaps the table db.theirs",
        ),
        (
            "somebody's table",
            job("s3://lake/z/*", "s3://lake/q/").table("db.theirs"),
            "its table db.theirs is there already",
        ),
    ] {
        let error = app
            .register("new", definition, "SELECT 1 AS x")
            .await
            .expect_err(what);
        assert!(error.message.contains(said), "{what}: {}", error.message);
    }
    for (what, definition) in [
        ("a namesake", job("s3://lake/z/*", "s3://lake/a/xy/")),
        ("beside a table", job("s3://lake/z/*", "s3://lake/theirs/deeper/")),
        (
            "a chain",
            job("s3://lake/a/x/*.csv", "s3://lake/chain/").listens_to("s3://lake/a/x/*.csv"),
        ),
        ("deeper than it reads", job("s3://lake/q/*.csv", "s3://lake/q/r/")),
    ] {
        let registered = app.register("new", definition, "SELECT 1 AS x").await;
        assert!(registered.is_ok(), "{what}: {registered:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn csv_tells_null_from_the_empty_text_and_its_table_knows_of_quotes() {
    let app = with_pages(Database::Sqlite).await;
    app.register(
        "pages",
        pages(),
        "SELECT * FROM (VALUES ('Tesla', NULL, '', 1e21), ('Lada, red', '', NULL, 2.0)) AS t (make, comment, blank, price)",
    )
    .await
    .unwrap();
    succeed(&app, "pages", "a").await;
    assert_eq!(
        app.text("lake", "out/m=a/part-00000.csv").await.unwrap(),
        "make,comment,blank,price\nTesla,,\"\",1000000000000000000000.0\n\"Lada, red\",\"\",,2.0\n"
    );
    let table = app.table("out.pages").await;
    let storage = table.input.storage.unwrap();
    let serde = storage.serde_info.unwrap().serialization_library.unwrap();
    assert!(serde.ends_with("OpenCSVSerde"), "{serde}");
    let rows = query::run(app.app(), "SELECT make, price FROM out.pages ORDER BY price", 10)
        .await
        .unwrap()
        .rows;
    assert_eq!(rows[0][0], "Lada, red");

    app.put("lake", "in/b/1.csv", "n,title\n1,one\n").await;
    // A month without a quote doesn't take the SerDe from those with.
    app.register(
        "pages",
        pages(),
        "SELECT 'Audi' AS make, 'x' AS comment, 'y' AS blank, 3.0 AS price",
    )
    .await
    .unwrap();
    succeed(&app, "pages", "b").await;
    let table = app.table("out.pages").await;
    let serde = table
        .input
        .storage
        .unwrap()
        .serde_info
        .unwrap()
        .serialization_library
        .unwrap();
    assert!(serde.ends_with("OpenCSVSerde"), "{serde}");
    assert_eq!(
        app.rows("SELECT make, price FROM out.pages ORDER BY price").await,
        r#"[["Lada, red",2.0],["Audi",3.0],["Tesla",1e+21]]"#
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn csv_is_written_as_the_job_wants_it_and_read_back() {
    let app = with_pages(Database::Sqlite).await;
    let job = pages()
        .output("delimiter = \"|\"")
        .output("header = false")
        .output("quote = \"always\"");
    app.register("pages", job, "SELECT n, title FROM pages")
        .await
        .unwrap();
    succeed(&app, "pages", "a").await;
    assert_eq!(
        app.text("lake", "out/m=a/part-00000.csv").await.unwrap(),
        "\"1\"|\"one\"\n"
    );
    assert_eq!(
        app.rows("SELECT n, title, m FROM out.pages").await,
        r#"[[1,"one","a"]]"#
    );
    for (job, said) in [
        (pages().output("delimiter = \"ab\""), "output.delimiter"),
        (pages().output("delimiter = \"\\n\""), "output.delimiter"),
        (
            pages().output("format = \"parquet\"").output("header = false"),
            "output.header is an option of csv",
        ),
    ] {
        let error = app.register("wrong", job, "SELECT 1 AS x").await.unwrap_err();
        assert!(error.message.contains(said), "{}", error.message);
    }
}

/// Waits until somebody waits for another's transaction.
async fn until_somebody_waits(app: &TestApp) {
    const SQL: &str = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let mut connection = sqlx::PgConnection::connect(&app.app().config.database_url)
        .await
        .unwrap();
    loop {
        let waiting: i64 = sqlx::query_scalar(SQL).fetch_one(&mut connection).await.unwrap();
        if waiting > 0 {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_waits_for_whoever_makes_its_table_at_the_same_time() {
    for has_database in [false, true] {
        let app = with_pages(Database::Postgres).await;
        app.register("pages", pages(), "SELECT * FROM pages")
            .await
            .unwrap();
        let id = app.start_run("pages", &[("m", "a")]).await;
        if has_database {
            let out = serde_json::from_value(json!({"name": "out"})).unwrap();
            catalog::databases::create(app.app(), out).await.unwrap();
        }
        let mut tx = app.app().store.write().await.unwrap();
        catalog::databases::ensure(app.app(), &mut tx, "out")
            .await
            .unwrap();
        let name = TableRef::parse("out.pages").unwrap();
        let input = || serde_json::from_value(json!({"name": "pages"})).unwrap();
        catalog::tables::ensure(app.app(), &mut tx, &name, input)
            .await
            .unwrap();
        let made = async {
            until_somebody_waits(&app).await;
            tx.commit().await.unwrap();
        };
        tokio::join!(app.run_due_tasks(), made);
        let run = runs::get(app.app(), &id).await.unwrap();
        assert_eq!((run.state, run.body.error), (WorkState::Succeeded, None));
        assert_eq!(
            app.rows("SELECT m, n, title FROM out.pages").await,
            r#"[["a",1,"one"]]"#
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_earlier_run_decided_comes_before_what_a_later_one_writes() {
    let app = with_pages(Database::Postgres).await;
    app.register("pages", pages(), "SELECT * FROM pages ORDER BY n")
        .await
        .unwrap();
    succeed(&app, "pages", "a").await;
    // Somebody changes the table just when a run is about to, which therefore tries again later; meanwhile more arrives.
    app.put("lake", "in/a/1.csv", "n,title,x\n1,one,1\n").await;
    app.start_run("pages", &[("m", "a")]).await;
    let name = TableRef::parse("out.pages").unwrap();
    let mut tx = app.app().store.write().await.unwrap();
    let table = catalog::tables::require(&mut tx, &name).await.unwrap();
    let described = TableInput {
        description: Some("Pages".to_owned()),
        ..table.input.clone()
    };
    catalog::tables::replace(app.app(), &mut tx, &table, described)
        .await
        .unwrap();
    let changed = async {
        until_somebody_waits(&app).await;
        app.put("lake", "in/a/2.csv", "n,title,x\n2,two,2\n").await;
        app.start_run("pages", &[("m", "a")]).await;
        tx.commit().await.unwrap();
    };
    tokio::join!(app.run_due_tasks(), changed);
    app.run_tasks().await;
    for run in app.runs().await {
        assert_eq!((run.state, run.body.error), (WorkState::Succeeded, None));
    }
    assert_eq!(
        app.text("lake", "out/m=a/part-00000.csv").await.unwrap(),
        "n,title,x\n1,one,1\n2,two,2\n"
    );
    assert_eq!(
        app.rows("SELECT n, x FROM out.pages ORDER BY n").await,
        "[[1,1],[2,2]]"
    );
}
