//! A table reads as what the crawl saw: each file as what it is, columns by their names, values as their types.

use std::path::Path;

use mastic::etl::query;
use serde_json::{Value, json};

use crate::api::send;
use crate::harness::TestApp;
use crate::harness::process::ServeProcess;

/// A lake with these files, crawled into the database `d`.
async fn crawled(files: &[(&str, &str)]) -> TestApp {
    let app = TestApp::start().await;
    for (key, text) in files {
        app.put("lake", key, text.as_bytes()).await;
    }
    app.crawl("s3://lake/", "d", false).await;
    app
}

/// A query's rows as JSON, and what is said beside them.
async fn answer(app: &TestApp, sql: &str) -> (String, Vec<String>) {
    let answer = query::run(app.app(), sql, 1000).await.unwrap();
    (serde_json::to_string(&answer.rows).unwrap(), answer.remarks)
}

/// Crawls files and asks.
async fn rows_of(files: &[(&str, &str)], sql: &str) -> String {
    let app = crawled(files).await;
    let (rows, remarks) = answer(&app, sql).await;
    assert_eq!(remarks, Vec::<String>::new());
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn csv_with_a_header_is_read_by_name_whatever_the_order_and_number_of_its_columns() {
    let files = [
        ("t/a.csv", "id,name,amount\n1,ada,1.5\n2,bob,2.5\n"),
        ("t/b.csv", "id,amount,name\n3,4.5,cyd\n4,5.5,dan\n"),
        (
            "t/c.csv",
            "ID,Name,amount,zone\n5,eve,6.5,north\n6,fay,7.5,south\n",
        ),
    ];
    let rows = rows_of(&files, "SELECT id, name, amount FROM d.t ORDER BY id").await;
    let wanted = r#"[[1,"ada",1.5],[2,"bob",2.5],[3,"cyd",4.5],[4,"dan",5.5],[5,"eve",6.5],[6,"fay",7.5]]"#;
    assert_eq!(rows, wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_file_of_a_table_has_its_own_signs_and_title_lines() {
    let files = [
        ("t/a.csv", "id,qty\n1,2\n3,4\n"),
        ("t/b.csv", "id;qty\n5;6\n7;8\n"),
        ("t/c.csv", "Report of things\nid,qty\n9,10\n11,12\n"),
    ];
    let rows = rows_of(&files, "SELECT id, qty FROM d.t ORDER BY id").await;
    assert_eq!(rows, "[[1,2],[3,4],[5,6],[7,8],[9,10],[11,12]]");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_row_is_lost_below_a_title_where_there_is_no_header() {
    let rows = rows_of(
        &[("t/a.csv", "made by us\n\n1,2,7\n3,4,8\n5,6,9\n")],
        "SELECT * FROM d.t",
    )
    .await;
    assert_eq!(rows, "[[1,2,7],[3,4,8],[5,6,9]]");
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_that_are_tables_of_their_own_are_no_part_of_the_table_above() {
    let app = crawled(&[
        ("t/a.csv", "id,v\n1,a\n2,b\n"),
        ("t/b.csv", "id,v\n3,a\n4,b\n"),
        ("t/old/c.csv", "k,w,x\n5,a,1\n6,b,2\n"),
    ])
    .await;
    assert_eq!(app.rows("SELECT count(*) FROM d.t").await, "[[4]]");
    assert_eq!(app.rows("SELECT count(*) FROM d.old").await, "[[2]]");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_crawl_set_aside_is_left_out_by_name() {
    let app = crawled(&[
        ("t/a.csv", "id,v\n1,5\n"),
        ("t/b.csv", "id,v\n2,6\n"),
        ("t/c.csv", "name,city,v2\nx,y,3\n"),
        ("t/README.txt", "This folder holds things.\nAsk Bob about them.\n"),
        ("t/d.json", "{\"id\": 1, "),
    ])
    .await;
    let (rows, remarks) = answer(&app, "SELECT * FROM d.t ORDER BY id").await;
    assert_eq!(rows, "[[1,5],[2,6]]");
    let [remark] = remarks.as_slice() else {
        panic!("{remarks:?}")
    };
    assert!(
        remark.starts_with("d.t: 3 files are left out: s3://lake/t/"),
        "{remark}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_after_the_crawl_and_is_something_else_is_left_out_by_name() {
    let app = crawled(&[("t/a.csv", "id,v\n1,5\n"), ("t/b.csv", "id,v\n2,6\n")]).await;
    app.put("lake", "t/new.csv", "v;id\n7;3\n").await;
    app.put("lake", "t/other.csv", "town,street\nBonn,Main\nKiel,Long\n")
        .await;
    app.put("lake", "t/notes.json", "{\"id\": 9, \"v\": 9}\n").await;
    let (rows, remarks) = answer(&app, "SELECT id, v FROM d.t ORDER BY id").await;
    assert_eq!(rows, "[[1,5],[2,6],[3,7]]");
    assert_eq!(remarks.len(), 1, "{remarks:?}");
    assert!(
        remarks[0].starts_with("d.t: 2 files are left out: s3://lake/t/"),
        "{remarks:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nested_json_that_differs_between_files_is_what_all_of_them_are() {
    let cases = [
        (
            r#"{"v":{"a":1}}"#,
            r#"{"v":{"b":2}}"#,
            r#"[[{"a":1,"b":null}],[{"a":null,"b":2}]]"#,
        ),
        (r#"{"v":{"a":1}}"#, r#"{"v":"x"}"#, r#"[["{\"a\":1}"],["x"]]"#),
        (r#"{"v":[]}"#, r#"{"v":[{"x":1}]}"#, r#"[[[]],[[{"x":1}]]]"#),
        (
            r#"{"v":[1,2]}"#,
            r#"{"v":[[1,2]]}"#,
            r#"[[["1","2"]],[["[1,2]"]]]"#,
        ),
        (r#"{"v":1}"#, r#"{"v":"two"}"#, r#"[["1"],["two"]]"#),
        (r#"{"v":{"a":1}}"#, r#"{"V":{"A":2}}"#, r#"[[{"a":1}],[{"a":2}]]"#),
        (
            r#"{"v":12345678901}"#,
            r#"{"v":0.9218677462777123}"#,
            "[[12345678901.0],[0.9218677462777123]]",
        ),
    ];
    for (first, second, wanted) in cases {
        let app = crawled(&[
            ("t/n=1/a.json", &format!("{first}\n")),
            ("t/n=2/b.json", &format!("{second}\n")),
        ])
        .await;
        let (rows, remarks) = answer(&app, "SELECT v FROM d.t ORDER BY n").await;
        assert_eq!(
            (rows.to_lowercase().as_str(), remarks.len()),
            (wanted.to_lowercase().as_str(), 0)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn json_arrays_are_read_at_any_size_and_with_a_byte_order_mark() {
    let element = |id: usize| format!("  {{\"id\": {id},\n   \"text\": \"{}\"}}", "x".repeat(200));
    let elements: Vec<String> = (0..10_000).map(element).collect();
    let array = format!("\u{feff}[\n{}\n]\n", elements.join(",\n"));
    assert!(array.len() > 2 << 20);
    let rows = rows_of(&[("t/a.json", &array)], "SELECT count(*), sum(id) FROM d.t").await;
    assert_eq!(rows, "[[10000,49995000]]");
}

#[tokio::test(flavor = "multi_thread")]
async fn polluted_csv_is_read_as_a_careful_person_reads_it() {
    let cases = [
        (
            "a,b,c\n1, \"a, b\", 2\n2, \"c, d\", 3\n",
            r#"[[1,"a, b",2],[2,"c, d",3]]"#,
            0,
        ),
        (
            "a,b,c\n1,\"say \\\"hi\\\", ok\",2\n2,\"no\",3\n",
            r#"[[1,"say \"hi\", ok",2],[2,"no",3]]"#,
            0,
        ),
        ("a,b\n1,2\n# a comment\n3,4\n#x\n5,6\n", "[[1,2],[3,4],[5,6]]", 0),
        (
            "a,b\n1,x\n2,\"b,4\n3,y\n4,z\n",
            r#"[[1,"x"],[2,"\"b"],[3,"y"],[4,"z"]]"#,
            1,
        ),
        ("id,v,w\n1,2,3\n2,3,4,9\n3,4,5\n", "[[1,2,3],[2,3,4],[3,4,5]]", 1),
        (
            "id,name\n1,null\n2,bob\n3,\"null\"\n4,\n5,\"\"\n",
            r#"[[1,null],[2,"bob"],[3,"null"],[4,null],[5,""]]"#,
            0,
        ),
    ];
    for (text, wanted, remarked) in cases {
        let app = crawled(&[("t/a.csv", text)]).await;
        let (rows, remarks) = answer(&app, "SELECT * FROM d.t ORDER BY 1").await;
        assert_eq!(
            (rows.as_str(), remarks.len()),
            (wanted, remarked),
            "{text}: {remarks:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_its_type_is_null_and_told_with_an_example() {
    let app = crawled(&[("t/a.csv", "id,n\n1,10\n2,20\n")]).await;
    app.put("lake", "t/b.csv", "id,n\n3,many\n4,40\n5,more\n").await;
    let (rows, remarks) = answer(&app, "SELECT id, n FROM d.t ORDER BY id").await;
    assert_eq!(rows, "[[1,10],[2,20],[3,null],[4,40],[5,null]]");
    assert_eq!(
        remarks,
        ["d.t.n: 2 values are no bigint, and NULL here: 'many' in line 2 of s3://lake/t/b.csv"]
    );
    // Who asks by REST is told too.
    let ask = json!({ "query": "SELECT sum(n) AS n FROM d.t" });
    let (status, _, answer) = send(&app, "POST", "/api/v1/sql", Some(ask)).await;
    assert_eq!(
        (status, &answer["rows"], &answer["remarks"]),
        (200, &json!([[70]]), &json!(remarks))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn partition_keys_are_texts_that_compare_as_what_they_are_compared_with() {
    let app = crawled(&[
        ("t/year=2021/month=08/a.csv", "v\n1\n"),
        ("t/year=2021/month=10/a.csv", "v\n2\n"),
        ("t/year=2021/month=__HIVE_DEFAULT_PARTITION__/a.csv", "v\n4\n"),
    ])
    .await;
    for (test, wanted) in [
        ("month = '08'", "[[1]]"),
        ("month = 8", "[[1]]"),
        ("month > 8 AND year = 2021", "[[2]]"),
        ("month IN (8, 10)", "[[3]]"),
        ("month BETWEEN 9 AND 11", "[[2]]"),
        ("month IS NULL", "[[4]]"),
        ("month IS NOT NULL", "[[3]]"),
        ("month = '8'", "[[null]]"),
    ] {
        let rows = app.rows(&format!("SELECT sum(v) FROM d.t WHERE {test}")).await;
        assert_eq!(rows, wanted, "{test}");
    }
    let months = app.rows("SELECT month FROM d.t ORDER BY v").await;
    assert_eq!(months, r#"[["08"],["10"],[null]]"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_hold_numbers_to_the_last_digit() {
    let app = TestApp::start().await;
    let sql = "SELECT 9007199254740993 AS a, CAST(1.10 AS decimal(10,2)) AS b, 0.9218677462777123 AS c, \
               named_struct('x', 1, 'y', 'z') AS d, make_array(1, 2) AS e, CAST(1 AS bigint) AS f";
    let (status, _, answer) = send(&app, "POST", "/api/v1/sql", Some(json!({ "query": sql }))).await;
    let wanted = json!([["9007199254740993", "1.10", 0.9218677462777123, {"x": 1, "y": "z"}, [1, 2], 1]]);
    assert_eq!((status, &answer["rows"]), (200, &wanted));
    let types: Vec<&Value> = answer["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|column| &column["type"])
        .collect();
    let wanted = json!([
        "bigint",
        "decimal(10,2)",
        "double",
        "struct<x:bigint,y:string>",
        "array<bigint>",
        "bigint"
    ]);
    assert_eq!(json!(types), wanted);
}

/// A server whose log names each request; `settings` are its file's.
fn logging_server(folder: &Path, settings: &str) -> ServeProcess {
    let database = format!("sqlite://{}/mastic.db", folder.display());
    std::fs::write(folder.join("mastic.toml"), settings).unwrap();
    let wanted = Some("info,mastic::access=debug");
    ServeProcess::start_with_log(folder, &database, wanted, &folder.join("log"))
}

/// How often an object of the bucket `lake` was asked for over the lake's endpoint, by a server that has ended.
fn requests_for(folder: &Path, path: &str) -> usize {
    let log = std::fs::read_to_string(folder.join("log")).unwrap();
    let request = format!("wire=\"lake\" method=GET path=\"/lake/{path}\"");
    log.lines().filter(|line| line.contains(&request)).count()
}

#[test]
fn files_of_the_embedded_lake_are_read_from_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let server = logging_server(folder.path(), "");
    let put = |key: &str, text: &str| {
        ureq::put(format!("{}/lake/{key}", server.lake))
            .send(text)
            .unwrap();
    };
    put("t/a.csv", "id,n\n1,10\n");
    put("t/b%20%C3%BC.csv", "id,n\n2,20\n");
    // A file that came by other means than the endpoint.
    std::fs::write(folder.path().join("lake/lake/t/c.csv"), "id,n\n3,30\n").unwrap();
    let crawled = server.mastic(&["crawl", "s3://lake/", "--database", "d"]);
    assert_eq!(crawled.2, 0, "{crawled:?}");
    let sum = || {
        server
            .mastic(&["sql", "SELECT sum(n) AS n FROM d.t", "--output", "csv"])
            .0
    };
    assert_eq!(sum(), "n\n60\n");
    // Another version since the crawl.
    put("t/a.csv", "id,n\n1,11\n");
    assert_eq!(sum(), "n\n61\n");
    server.stop();
    let requests = ["t/a.csv", "t/b%20%C3%BC.csv", "t/c.csv"].map(|key| requests_for(folder.path(), key));
    assert_eq!(requests, [0, 0, 0]);
}

#[test]
fn no_file_is_opened_that_a_query_does_not_need() {
    let folder = tempfile::tempdir().unwrap();
    // Each read is a request that the log names.
    let server = logging_server(folder.path(), "[lake]\nreads = \"endpoint\"\n");
    for month in 1..=12 {
        let url = format!("{}/lake/t/month={month:02}/a.csv", server.lake);
        ureq::put(&url).send(&format!("n\n{month}\n")).unwrap();
    }
    let crawled = server.mastic(&["crawl", "s3://lake/", "--database", "d"]);
    assert_eq!(crawled.2, 0, "{crawled:?}");
    for (sql, rows) in [
        ("SELECT n FROM d.t WHERE month = '03'", "n\n3\n"),
        ("SELECT n FROM d.t WHERE month = 3", "n\n3\n"),
        ("SELECT n FROM d.t WHERE month > 12", "n\n"),
        (
            "SELECT count(*) AS n FROM d.t WHERE month IN ('03', '04')",
            "n\n2\n",
        ),
    ] {
        let asked = server.mastic(&["sql", sql, "--output", "csv"]);
        assert_eq!(asked.0, rows, "{sql}: {asked:?}");
    }
    server.stop();
    let opened = |month: &str| requests_for(folder.path(), &format!("t/month%3D{month}/a.csv"));
    // Once by the crawl, and by the queries that ask for its rows: how many there are the crawl knows.
    assert_eq!(
        [opened("02"), opened("03"), opened("04"), opened("12")],
        [1, 3, 1, 1]
    );
}

const JOB: &str = r#"
engine = "sql"
script = "script.sql"

[parameters.month]

[inputs.trips]
table = "d.t"
partitions = "month = '{month}'"

[output]
location = "s3://lake/out/month={month}/"
format = "csv"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_jobs_input_may_be_a_table_of_the_catalog() {
    let app = crawled(&[
        ("t/month=01/a.csv", "id,n\n1,10\n2,20\n"),
        ("t/month=01/b.csv", "n,id\nmany,3\n"),
        ("t/month=01/notes.json", "{\"id\": 1, "),
        ("t/month=02/a.csv", "id,n\n4,40\n"),
    ])
    .await;
    app.register(
        "by_month",
        JOB,
        "SELECT id, n FROM trips WHERE month = 1 ORDER BY id",
    )
    .await
    .unwrap();
    let run = app.succeed("by_month", &[("month", "01")]).await;
    assert_eq!(
        app.text("lake", "out/month=01/part-00000.csv").await.unwrap(),
        "id,n\n1,10\n2,20\n3,many\n"
    );
    // What is no part of the table is named.
    let log = app.log(&run.id).await;
    assert!(
        log.contains("trips: 1 file is left out: s3://lake/t/month=01/notes.json"),
        "{log}"
    );
    // Its objects are named, version by version, as those of a pattern are.
    let read: Vec<&str> = run.body.inputs.iter().map(|input| input.path.as_str()).collect();
    assert_eq!(read, ["s3://lake/t/month=01/a.csv", "s3://lake/t/month=01/b.csv"]);
    let refused = JOB.replace(
        "partitions = \"month = '{month}'\"",
        "partitions = \"day = '{month}'\"",
    );
    let refused = refused.replace("s3://lake/out/", "s3://lake/by_day/");
    app.register("by_day", &refused, "SELECT * FROM trips")
        .await
        .unwrap();
    let run = app.run_job("by_day", &[("month", "01")]).await;
    let error = run.body.error.unwrap().message;
    assert!(error.starts_with("input trips: "), "{error}");
}
