//! The job we ship, on small months of different shapes.

use std::time::Duration;

use mastic::catalog;
use mastic::etl::jobs::JobSource;
use mastic::model::crawl::WorkState;
use mastic::model::name::TableRef;
use mastic::model::page::PageRequest;

use crate::both_databases;
use crate::harness::{Database, TestApp};

both_databases! {
    a_month_becomes_one_csv_when_both_colours_have_landed,
    the_same_upload_again_changes_nothing_and_another_replaces_the_month,
    arrivals_within_the_batch_window_are_one_run,
    colours_and_months_may_differ_in_types_and_lack_columns,
    what_was_there_before_the_job_is_not_acted_on,
    a_lost_event_is_found_by_the_listing,
}

const HEADER: &str = "pickup_datetime,dropoff_datetime,vendor_id,ratecode_id,pu_location_id,do_location_id,payment_type,\
fare_amount,extra,mta_tax,tip_amount,improvement_surcharge,tolls_amount,total_amount,congestion_surcharge,taxi_type";
const OUTPUT: &str = "curated/yellow_green/ym=2022-01/part-00000.csv";

fn yellow(total: &str) -> String {
    format!(
        "VendorID,tpep_pickup_datetime,tpep_dropoff_datetime,passenger_count,trip_distance,RatecodeID,\
store_and_fwd_flag,PULocationID,DOLocationID,payment_type,fare_amount,extra,mta_tax,tip_amount,tolls_amount,\
improvement_surcharge,total_amount,congestion_surcharge\n\
1,2022-01-01 00:35:40,2022-01-01 00:53:29,2.0,3.8,1.0,N,142,236,1,14.5,3.0,0.5,3.65,0.0,0.3,{total},2.5\n\
2,2022-01-01 00:33:43,2022-01-01 00:42:07,,2.1,,N,236,42,1,8.0,0.5,0.5,4.0,0.0,0.3,13.3,0.0\n"
    )
}

const GREEN: &str = "VendorID,lpep_pickup_datetime,lpep_dropoff_datetime,store_and_fwd_flag,RatecodeID,PULocationID,\
DOLocationID,fare_amount,extra,mta_tax,tip_amount,tolls_amount,ehail_fee,improvement_surcharge,total_amount,payment_type,\
trip_type\n\
2,2022-01-01 00:14:21,2022-01-01 00:15:33,N,1,42,42,3.5,0.5,0.5,0,0,,0.3,4.8,2,1\n";

async fn with_job(database: Database) -> TestApp {
    let app = TestApp::start_on(database).await;
    register(&app).await;
    app
}

async fn register(app: &TestApp) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/jobs/monthly-union");
    let source = JobSource::read(folder.as_ref()).unwrap();
    mastic::etl::jobs::register(app.app(), &source).await.unwrap();
}

async fn put_yellow(app: &TestApp, total: &str) {
    app.put("lake", "raw/yellow/yellow_tripdata_2022-01.csv", yellow(total))
        .await;
}

async fn put_green(app: &TestApp) {
    app.put("lake", "raw/green/green_tripdata_2022-01.csv", GREEN)
        .await;
}

async fn a_month_becomes_one_csv_when_both_colours_have_landed(database: Database) {
    let app = with_job(database).await;
    put_yellow(&app, "21.95").await;
    app.run_tasks().await;
    assert_eq!(app.runs().await.len(), 0, "half a month is no month");
    assert_eq!(
        app.outcomes().await,
        ["raw/yellow/yellow_tripdata_2022-01.csv: waiting"]
    );

    put_green(&app).await;
    app.run_tasks().await;
    let csv = app.text("lake", OUTPUT).await.unwrap();
    assert_eq!(
        csv.lines().collect::<Vec<_>>(),
        [
            HEADER,
            "2022-01-01 00:35:40,2022-01-01 00:53:29,1,1,142,236,1,14.5,3.0,0.5,3.65,0.3,0.0,21.95,2.5,yellow",
            "2022-01-01 00:33:43,2022-01-01 00:42:07,2,,236,42,1,8.0,0.5,0.5,4.0,0.3,0.0,13.3,0.0,yellow",
            "2022-01-01 00:14:21,2022-01-01 00:15:33,2,1,42,42,2,3.5,0.5,0.5,0.0,0.3,0.0,4.8,,green",
        ]
    );

    let runs = app.runs().await;
    let run = &runs[0];
    assert_eq!(
        (runs.len(), run.state, run.body.rows_in, run.body.rows_out),
        (1, WorkState::Succeeded, Some(3), Some(3))
    );
    assert_eq!(run.body.parameters["ym"], "2022-01");
    assert_eq!(run.body.inputs.len(), 2);
    let log = app.log(&run.id).await;
    assert!(
        log.contains("green: 1 rows in 1 file") && log.contains("published s3://lake/curated"),
        "{log}"
    );

    let name = TableRef::parse("curated.yellow_green").unwrap();
    let table = catalog::tables::get(app.app(), &name).await.unwrap();
    assert_eq!(table.input.location(), Some("s3://lake/curated/yellow_green/"));
    assert_eq!(table.input.columns()[0].data_type.as_deref(), Some("timestamp"));
    assert_eq!(table.input.partition_keys[0].name, "ym");
    let partitions = catalog::partitions::list(app.app(), &name, &PageRequest::first(10))
        .await
        .unwrap();
    assert_eq!(partitions.items[0].own.values, ["2022-01"]);
    assert_eq!(partitions.items[0].own.parameters["recordCount"], "3");

    let sql =
        "SELECT ym, taxi_type, sum(total_amount) AS total FROM curated.yellow_green GROUP BY 1, 2 ORDER BY 2";
    assert_eq!(
        app.rows(sql).await,
        r#"[["2022-01","green",4.8],["2022-01","yellow",35.25]]"#
    );
}

async fn the_same_upload_again_changes_nothing_and_another_replaces_the_month(database: Database) {
    let app = with_job(database).await;
    put_yellow(&app, "21.95").await;
    put_green(&app).await;
    app.run_tasks().await;
    let first = app.text("lake", OUTPUT).await.unwrap();

    put_green(&app).await;
    put_yellow(&app, "21.95").await;
    app.run_tasks().await;
    assert_eq!(app.runs().await.len(), 1);
    assert_eq!(
        app.outcomes()
            .await
            .iter()
            .filter(|line| line.ends_with(": duplicate"))
            .count(),
        2
    );

    put_yellow(&app, "99.99").await;
    app.run_tasks().await;
    let second = app.text("lake", OUTPUT).await.unwrap();
    assert_eq!(second, first.replace("21.95", "99.99"));

    // Back to what it was at first: a version that was acted on before, but isn't what the output shows.
    put_yellow(&app, "21.95").await;
    app.run_tasks().await;
    assert_eq!(app.text("lake", OUTPUT).await.unwrap(), first);
    assert_eq!(app.runs().await.len(), 3);
    assert_eq!(app.keys("lake", "curated/").await, [OUTPUT]);
}

async fn arrivals_within_the_batch_window_are_one_run(database: Database) {
    let app = with_job(database).await;
    put_yellow(&app, "21.95").await;
    app.advance(Duration::from_secs(4));
    put_green(&app).await;
    app.run_tasks().await;
    let runs = app.runs().await;
    assert_eq!((runs.len(), runs[0].body.events.len()), (1, 2));
    assert_eq!(runs[0].body.trigger.as_deref(), Some("monthly-union-1"));
}

async fn colours_and_months_may_differ_in_types_and_lack_columns(database: Database) {
    let app = with_job(database).await;
    // Codes as doubles and as nothing, a date without a time, amounts without a fraction, an unknown column more.
    let yellow = "vendorid,TPEP_pickup_datetime,tpep_dropoff_datetime,payment_type,total_amount,extra,cbd_fee\n\
2.0,2022-01-01,2022-01-01 10:00:00,,5,0,1\nNULL,2022-01-02,2022-01-02 10:00:00,1.0,6,0,1\n";
    app.put("lake", "raw/yellow/yellow_tripdata_2022-01.csv", yellow)
        .await;
    let green = "{\"VendorID\": 1, \"lpep_pickup_datetime\": \"2022-01-03T00:00:00\", \"total_amount\": 7.5, \"extra\": null}\n";
    app.put("lake", "raw/green/green_tripdata_2022-01.json", green)
        .await;
    app.run_tasks().await;
    let run = &app.runs().await[0];
    assert_eq!(run.body.error, None);
    assert_eq!(
        app.text("lake", OUTPUT)
            .await
            .unwrap()
            .lines()
            .skip(1)
            .collect::<Vec<_>>(),
        [
            "2022-01-01 00:00:00,2022-01-01 10:00:00,2,,,,,,0.0,,,,,5.0,,yellow",
            "2022-01-02 00:00:00,2022-01-02 10:00:00,,,,,1,,0.0,,,,,6.0,,yellow",
            "2022-01-03 00:00:00,,1,,,,,,,,,,,7.5,,green",
        ]
    );
}

async fn what_was_there_before_the_job_is_not_acted_on(database: Database) {
    let app = TestApp::start_on(database).await;
    put_yellow(&app, "21.95").await;
    put_green(&app).await;
    register(&app).await;
    app.run_tasks().await;
    mastic::events::reconcile::run(app.app()).await.unwrap();
    app.run_tasks().await;
    assert_eq!(app.runs().await.len(), 0);
    // But a change of one of them is news.
    put_yellow(&app, "22.00").await;
    app.run_tasks().await;
    assert_eq!(app.runs().await.len(), 1);
}

async fn a_lost_event_is_found_by_the_listing(database: Database) {
    let mut app = with_job(database).await;
    put_yellow(&app, "21.95").await;
    app.run_tasks().await;
    // Written behind the server's back, as when a notification is lost.
    let lost = app.lake_folder().join("lake/raw/green");
    std::fs::create_dir_all(&lost).unwrap();
    std::fs::write(lost.join("green_tripdata_2022-01.csv"), GREEN).unwrap();
    app.restart().await;
    assert_eq!(mastic::events::reconcile::run(app.app()).await.unwrap(), 1);
    assert_eq!(mastic::events::reconcile::run(app.app()).await.unwrap(), 0);
    app.run_tasks().await;
    assert_eq!(app.text("lake", OUTPUT).await.unwrap().lines().count(), 4);
}
