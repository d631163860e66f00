//! The TLC's own files. They are not part of this repository: where they are absent, these tests say so and pass, unless
//! somebody named their folder.

use std::path::PathBuf;

use mastic::etl::jobs::JobSource;

use crate::harness::TestApp;

/// A folder of shared data: in `MASTIC_SHARED_DATA`, or `../shared/data` beside the checkout.
#[expect(clippy::disallowed_methods, reason = "how a developer says where the data is")]
pub(crate) fn shared_data(name: &str) -> Option<PathBuf> {
    let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data"));
    let named = std::env::var_os("MASTIC_SHARED_DATA").map(PathBuf::from);
    let is_named = named.is_some();
    let folder = named.unwrap_or_else(beside).join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(
        !is_named,
        "MASTIC_SHARED_DATA is set, and there is no {}",
        folder.display()
    );
    crate::harness::skipped(&format!("tests on shared data: there is no {}", folder.display()));
    None
}

fn trips() -> Option<PathBuf> {
    shared_data("tlc")
}

fn column_sum(csv: &str, name: &str) -> (usize, f64) {
    let mut lines = csv.lines();
    let index = lines
        .next()
        .unwrap()
        .split(',')
        .position(|column| column == name)
        .unwrap();
    let values: Vec<f64> = lines
        .map(|line| line.split(',').nth(index).unwrap().parse::<f64>().unwrap_or(0.0))
        .collect();
    (values.len(), values.iter().sum())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_month_of_parquet_becomes_one_csv() {
    let Some(folder) = trips() else { return };
    let app = TestApp::start().await;
    let source =
        JobSource::read(concat!(env!("CARGO_MANIFEST_DIR"), "/jobs/monthly-union").as_ref()).unwrap();
    mastic::etl::jobs::register(app.app(), &source).await.unwrap();
    let green = std::fs::read(folder.join("green/green_tripdata_2022-01.parquet")).unwrap();
    let yellow = std::fs::read(folder.join("yellow/yellow_tripdata_2025-01_sample.parquet")).unwrap();
    app.put("lake", "raw/green/green_tripdata_2022-01.parquet", green)
        .await;
    app.put("lake", "raw/yellow/yellow_tripdata_2022-01.parquet", yellow)
        .await;
    app.run_tasks().await;
    let csv = app
        .text("lake", "curated/yellow_green/ym=2022-01/part-00000.csv")
        .await
        .unwrap();
    let (rows, total) = column_sum(&csv, "total_amount");
    assert_eq!(rows, 72_495);
    // The sum over both inputs as DuckDB computes it.
    assert!((total - REAL_TOTAL).abs() < 0.01, "{total}");
}

const REAL_TOTAL: f64 = 1_362_226.10;

const APRIL: &str = r#"
engine = "sql"
script = "april.sql"
[inputs]
yellow = "s3://lake/april/yellow*.csv"
green = "s3://lake/april/green*.csv"
[output]
location = "s3://lake/april-out/"
format = "csv"
"#;

const APRIL_SQL: &str = "SELECT pickup_datetime, vendor_id, total_amount, 'yellow' AS taxi_type FROM yellow \
UNION ALL SELECT lpep_pickup_datetime, vendorid, total_amount, 'green' FROM green";

#[tokio::test(flavor = "multi_thread")]
async fn a_real_month_of_csv_is_joined_by_a_job_of_ones_own() {
    let Some(folder) = trips() else { return };
    let app = TestApp::start().await;
    for name in [
        "yellow/yellow_tripdata_sample_2020-04.csv",
        "green/green_tripdata_2020-04_with_index.csv",
    ] {
        let key = format!("april/{}", name.rsplit('/').next().unwrap());
        app.put("lake", &key, std::fs::read(folder.join(name)).unwrap())
            .await;
    }
    app.register("april", APRIL, APRIL_SQL).await.unwrap();
    let run = app.run_job("april", &[]).await;
    assert_eq!((run.body.error, run.body.rows_out), (None, Some(45_612)));
    let csv = app.text("lake", "april-out/part-00000.csv").await.unwrap();
    assert_eq!(
        csv.lines()
            .filter(|line| line.ends_with(",green") && line.split(',').nth(1) == Some(""))
            .count(),
        11_110
    );
}
