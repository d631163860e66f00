//! Bug reports of other catalogs and engines, rebuilt: crawled, and then read by SQL. Their files are not part of this
//! repository: where they are absent, these tests say so and pass, unless somebody named their folder.

use std::path::{Path, PathBuf};

use crate::harness::TestApp;
use crate::real_data::shared_data;

/// A lake with a report's files, crawled into the database `d`.
async fn report(name: &str) -> Option<TestApp> {
    let folder = shared_data("reports/crawl")?.join(name).join("input");
    let app = TestApp::start().await;
    for file in files_of(&folder) {
        let key = file.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned();
        app.put("lake", &key, std::fs::read(&file).unwrap()).await;
    }
    app.crawl("s3://lake/", "d", false).await;
    Some(app)
}

fn files_of(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.extend(files_of(&path)),
            false => files.push(path),
        }
    }
    files.sort();
    files
}

/// Asks a report's tables one question after the other.
async fn check(name: &str, questions: &[(&str, &str)]) {
    let Some(app) = report(name).await else { return };
    for (sql, wanted) in questions {
        assert_eq!(app.rows(sql).await, *wanted, "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_failed_job_left_below_a_partition_is_no_data() {
    let sql = "SELECT dt, count(*) FROM d.test GROUP BY dt ORDER BY dt";
    let wanted = r#"[["2023-10-10",3],["2023-10-11",2],["2023-10-12",4]]"#;
    check("04-spark-temporary-in-partition", &[(sql, wanted)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hives_word_for_null_is_null_in_a_partition_key() {
    let sql = "SELECT a, b FROM d.foo WHERE b IS NULL OR b > '' ORDER BY a";
    let wanted = r#"[[2,"a"],[3,"b"],[4,null]]"#;
    check("05-empty-and-null-partition-values", &[(sql, wanted)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn decimals_and_integers_of_one_column_are_exact() {
    let sql = "SELECT id FROM d.partition_test ORDER BY month_code";
    let wanted = r#"[["1000"],["12345678901234567890123456789"],["1002"],["9007199254740993"]]"#;
    check("07-decimal-then-int64", &[(sql, wanted)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn structs_in_lists_have_the_fields_of_all_partitions() {
    let questions = [
        ("SELECT count(*) FROM d.cost_anomaly_data", "[[5]]"),
        (
            "SELECT rootcauses[1]['Region'] FROM d.cost_anomaly_data WHERE anomalyid = 'an-2'",
            r#"[["eu-west-1"]]"#,
        ),
        (
            "SELECT anomalyid, rootcauses FROM d.cost_anomaly_data WHERE anomalyid IN ('an-3', 'an-4') ORDER BY 1",
            r#"[["an-3",[]],["an-4",null]]"#,
        ),
    ];
    check("09-nested-drift-by-partition", &questions).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_stand_in_the_files_too_are_the_partitions() {
    let questions = [
        ("SELECT count(*), min(date_month) FROM d.events", r#"[[4,"08"]]"#),
        (
            "SELECT id FROM d.events ORDER BY date_day, id LIMIT 1",
            r#"[["00000000-0000-0000-0000-000000000001"]]"#,
        ),
        ("SELECT v FROM d.plainbinary", "[[1]]"),
    ];
    check("12-uuid-and-partition-columns-in-files", &questions).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_a_table_format_is_refused_rather_than_read_wrongly() {
    let Some(app) = report("16-delta-with-symlink-manifest").await else {
        return;
    };
    let error = mastic::etl::query::run(app.app(), "SELECT * FROM d.cliente", 10)
        .await
        .unwrap_err();
    assert!(error.message.contains("is a table of Delta Lake"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_that_was_added_in_the_middle_stays_under_its_name() {
    let questions = [
        (
            "SELECT id, name, balance, country FROM d.customers ORDER BY id",
            r#"[[1,"Ada",10.5,null],[2,"Grace",20.25,null],[3,"Alan",30.75,"GB"],[4,"Barbara",40.0,"US"]]"#,
        ),
        (
            "SELECT customer, total FROM d.orders ORDER BY order_id",
            r#"[["Ada",5.5],["Grace",6.5],["Alan",7.5],["Barbara",8.5]]"#,
        ),
    ];
    check("18-csv-column-added-in-the-middle", &questions).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_value_is_lost_where_a_name_comes_in_several_spellings() {
    let Some(app) = report("31-json-keys-in-several-spellings").await else {
        return;
    };
    let tables = mastic::catalog::tables::list(app.app(), "d", &mastic::model::page::PageRequest::first(10))
        .await
        .unwrap();
    let name = &tables.items[0].0.input.name;
    let rows = app
        .rows(&format!("SELECT value FROM d.\"{name}\" ORDER BY key"))
        .await;
    assert_eq!(rows, "[[1],[2],[3]]");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_odd_column_name_stops_no_other_table() {
    check(
        "33-line-feed-in-column-name",
        &[("SELECT sum(total) FROM d.good", "[[12.0]]")],
    )
    .await;
}
