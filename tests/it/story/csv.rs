//! CSV as jobs find it and leave it: rows that don't fit their header, what is wrong and where, nothing and the empty text.

use std::fmt::Display;

use mastic::model::crawl::WorkState;
use mastic::model::run::Run;

use crate::harness::TestApp;
use crate::harness::setup::{JobText, sql_job};

fn trips() -> JobText {
    sql_job("s3://lake/out/")
        .reads("trips", "s3://lake/in/*")
        .table("out.trips")
}

/// The same with more said of what it reads.
fn trips_with(more: &str) -> JobText {
    trips().reads_with("trips", "s3://lake/in/*", more)
}

async fn run(app: &TestApp, definition: impl Display, script: &str) -> Run {
    app.register("trips", definition, script).await.unwrap();
    app.run_job("trips", &[]).await
}

async fn succeed(app: &TestApp, definition: impl Display, script: &str) -> Run {
    app.register("trips", definition, script).await.unwrap();
    app.succeed("trips", &[]).await
}

/// The error of a run that fails at its first attempt: what is wrong with a file is wrong again.
async fn error(app: &TestApp, definition: impl Display, script: &str) -> String {
    let run = run(app, definition, script).await;
    assert_eq!((run.state, run.attempt), (WorkState::Failed, 1));
    run.body.error.unwrap().message
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_narrower_than_its_rows_is_the_header() {
    let app = TestApp::start().await;
    let header = "VendorID,lpep_pickup_datetime,Fare_amount,Trip_type ";
    let row = |n: u32| format!("{n},2013-08-0{n} 08:14:37,{n}.5,{n}");
    let commas = |row: String| format!("{row},,");
    let of = |rows: Vec<String>| rows.join("\r\n");
    let blank = of(vec![
        header.to_owned(),
        String::new(),
        commas(row(1)),
        commas(row(2)),
        commas(row(3)),
    ]);
    let plain = of(vec![
        header.to_owned(),
        commas(row(4)),
        commas(row(5)),
        commas(row(6)),
    ]);
    app.put("lake", "in/2013-08.csv", format!("{blank}\r\n")).await;
    app.put("lake", "in/2015-04.csv", format!("{plain}\r\n")).await;
    let run = succeed(&app, trips(), "SELECT * FROM trips ORDER BY vendorid").await;
    assert_eq!(run.body.rows_in, Some(6));
    let text = app.text("lake", "out/part-00000.csv").await.unwrap();
    let mut lines = text.lines();
    assert_eq!(
        lines.next(),
        Some("vendorid,lpep_pickup_datetime,fare_amount,trip_type")
    );
    assert_eq!(lines.next(), Some("1,2013-08-01 08:14:37,1.5,1"));
    assert_eq!(lines.count(), 5);
    let log = app.log(&run.id).await;
    assert!(
        log.contains(
            "trips: 3 rows of s3://lake/in/2013-08.csv have more fields than there are columns, and what is too much is \
             left out: line 3, where it is empty"
        ),
        "{log}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_dont_fit_their_header_are_counted_or_refused() {
    let app = TestApp::start().await;
    app.put(
        "lake",
        "in/a.csv",
        "id,zone,note\n1,Harlem,x\n2,Astoria,\"a, b\",kept,too\n3\n4,Chelsea,y,\n5,Soho,z\n6,Nolita,w\n7,Noho,v\n",
    )
    .await;
    let run = succeed(&app, trips(), "SELECT * FROM trips ORDER BY id").await;
    assert_eq!(
        app.text("lake", "out/part-00000.csv").await.unwrap(),
        "id,zone,note\n1,Harlem,x\n2,Astoria,\"a, b\"\n3,,\n4,Chelsea,y\n5,Soho,z\n6,Nolita,w\n7,Noho,v\n"
    );
    let log = app.log(&run.id).await;
    for line in [
        "trips: 2 rows of s3://lake/in/a.csv have more fields than there are columns, and what is too much is left out: \
         line 3; it is something in 1 of 2",
        "trips: 1 row of s3://lake/in/a.csv has fewer fields than there are columns, and what is missing is NULL: line 4",
    ] {
        assert!(log.contains(line), "{log}");
    }
    let strict = trips_with("strict = true");
    assert_eq!(
        error(&app, &strict, "SELECT * FROM trips").await,
        "s3://lake/in/a.csv: line 3 has 5 fields, and the table has 3 columns"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_named_by_file_and_line() {
    let app = TestApp::start().await;
    let declared = trips_with("columns = { n = \"int\" }");
    app.put("lake", "in/a.csv", "n,t\n1,a\n").await;
    app.put("lake", "in/b.csv", "n,t\n2,b\nmany,c\n").await;
    assert_eq!(
        error(&app, &declared, "SELECT * FROM trips").await,
        "s3://lake/in/b.csv: line 3: 'many' is no int, which column n is"
    );
    // A value that the engine itself stumbles over, in one of several files that it reads by itself.
    app.put("lake", "in/b.csv", "n,t\n2,b\n").await;
    app.put("lake", "in/c.json", "{\"n\":3000000000,\"t\":\"c\"}\n")
        .await;
    let message = error(&app, &declared, "SELECT * FROM trips").await;
    assert!(message.starts_with("s3://lake/in/c.json: "), "{message}");
    assert!(message.contains("3000000000"), "{message}");
    // A file that isn't what it seems from its beginning.
    app.put("lake", "in/c.json", "{\"n\":3,\"t\":\"c\"}\n").await;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut packed, "n,t\n".as_bytes()).unwrap();
    for n in 0..500_000_u64 {
        std::io::Write::write_all(&mut packed, format!("{n},{}\n", n * 7919 % 104_729).as_bytes()).unwrap();
    }
    let mut packed = packed.finish().unwrap();
    let half = packed.len() / 2 + (1 << 19);
    assert!(
        half + 8 < packed.len(),
        "{} bytes are too few to be read in pieces",
        packed.len()
    );
    packed[half..half + 8].copy_from_slice(&[0xff; 8]);
    app.put("lake", "in/d.csv.gz", packed).await;
    let message = error(&app, trips(), "SELECT count(*) AS n FROM trips").await;
    assert!(
        message.starts_with("s3://lake/in/d.csv.gz: it is not valid gzip"),
        "{message}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_and_the_empty_text_stay_two_things() {
    let app = TestApp::start().await;
    app.put(
        "lake",
        "in/a.csv",
        "make,comment\nTesla,\nLada,\"\"\nFiat,\"go, go\"\n",
    )
    .await;
    let all = "SELECT make, comment FROM out.trips ORDER BY make";
    let both = r#"[["Fiat","go, go"],["Lada",""],["Tesla",null]]"#;
    succeed(&app, trips(), "SELECT * FROM trips").await;
    assert_eq!(
        app.text("lake", "out/part-00000.csv").await.unwrap(),
        "make,comment\nTesla,\nLada,\"\"\nFiat,\"go, go\"\n"
    );
    assert_eq!(app.rows(all).await, both);
    succeed(&app, trips().output("null = '\\N'"), "SELECT * FROM trips").await;
    assert_eq!(
        app.text("lake", "out/part-00000.csv").await.unwrap(),
        "make,comment\nTesla,\\N\nLada,\"\"\nFiat,\"go, go\"\n"
    );
    assert_eq!(app.rows(all).await, both);
    let never = trips().output("quote = \"never\"");
    let bare = never.clone().output("delimiter = \"|\"").output("null = '\\N'");
    succeed(&app, bare, "SELECT * FROM trips").await;
    assert_eq!(
        app.text("lake", "out/part-00000.csv").await.unwrap(),
        "make|comment\nTesla|\\N\nLada|\nFiat|go, go\n"
    );
    let message = error(&app, never, "SELECT * FROM trips").await;
    assert!(
        message.contains("column comment: 'go, go' can't be written without quotes"),
        "{message}"
    );
    let same = trips().output("null = \"-\"").output("empty = \"-\"");
    let refused = app.register("other", same, "SELECT 1").await.unwrap_err();
    assert!(
        refused
            .message
            .contains("output.null and output.empty are the same text"),
        "{}",
        refused.message
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_of_nothing_but_nulls_fixes_no_type() {
    for format in ["csv", "parquet", "json"] {
        let app = TestApp::start().await;
        app.put("lake", "in/2025-01/1.csv", "n,fee\n1,2.5\n").await;
        app.put("lake", "in/2024-12/1.csv", "n,fee\n2,\n").await;
        let job = trips()
            .parameter("ym")
            .reads("trips", "s3://lake/in/{ym}/*.csv")
            .writes("s3://lake/out/ym={ym}/")
            .output(&format!("format = \"{format}\""));
        app.register("trips", job, "SELECT * FROM trips").await.unwrap();
        // The month that knows no fee comes first, and once more at the end.
        for ym in ["2024-12", "2025-01", "2024-12"] {
            app.succeed("trips", &[("ym", ym)]).await;
        }
        let table = app.table("out.trips").await;
        let fee = table.input.columns().iter().find(|column| column.name == "fee");
        assert_eq!(fee.unwrap().data_type.as_deref(), Some("double"), "{format}");
        assert_eq!(
            app.rows("SELECT ym, n, fee FROM out.trips ORDER BY ym").await,
            r#"[["2024-12",2,null],["2025-01",1,2.5]]"#,
            "{format}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_only_a_header_is_a_table_without_rows() {
    let app = TestApp::start().await;
    app.put("lake", "in/a.csv", "n,fee,at,zone\n").await;
    let script = "SELECT zone, max(fee) AS fee, date_trunc('month', at) AS m FROM trips GROUP BY zone, at";
    succeed(&app, trips(), script).await;
    assert_eq!(
        app.text("lake", "out/part-00000.csv").await.unwrap(),
        "zone,fee,m\n"
    );
    let error = run(&app, trips(), "SELECT sum(fee) AS fee FROM trips")
        .await
        .body
        .error;
    let hint = error.unwrap().hint.unwrap();
    assert!(hint.contains("columns"), "{hint}");
    let declared = trips_with("columns = { fee = \"double\" }");
    succeed(
        &app,
        &declared,
        "SELECT sum(fee) AS fee, count(*) AS n FROM trips",
    )
    .await;
    assert_eq!(
        app.text("lake", "out/part-00000.csv").await.unwrap(),
        "fee,n\n,0\n"
    );
}
