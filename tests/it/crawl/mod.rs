//! A prefix becomes tables, with reasons; what is bad is set aside and the rest goes on.

mod changes;
mod classifiers;
mod crash;
mod hostile;
mod inventory;
mod lakes;
mod layouts;
mod memory;
mod odd_names;
mod others;
mod policies;
mod quotes;
mod reading;
mod reasons;
mod scale;
mod slices;

use mastic::catalog;
use mastic::model::crawl::{Change, ChangeOp, Crawl, WorkState};
use mastic::model::name::TableRef;
use mastic::model::page::PageRequest;
use mastic::model::partition::Partition;
use mastic::model::table::TableInput;

use crate::both_databases;
use crate::harness::{Database, TestApp};

both_databases! {
    a_prefix_becomes_tables_with_partitions,
    a_second_crawl_changes_only_what_changed,
    a_dry_run_changes_nothing,
}

pub(crate) fn changes(crawl: &Crawl) -> Vec<String> {
    let plan = crawl.plan.as_ref().unwrap();
    plan.changes
        .iter()
        .filter(|change| change.op != ChangeOp::Unchanged)
        .map(|change| {
            format!(
                "{:?} {:?} {}: {}",
                change.op, change.kind, change.name, change.detail
            )
            .to_lowercase()
        })
        .collect()
}

/// A thing of a plan, with its reason.
fn in_words(change: &Change) -> String {
    format!("{} {}: {}", change.name, change.detail, change.reason)
}

fn name(text: &str) -> TableRef {
    TableRef::parse(text).unwrap()
}

/// Changes a table as a person would.
async fn edit(app: &TestApp, text: &str, change: impl FnOnce(&mut TableInput)) {
    let mut input = app.table(text).await.input;
    change(&mut input);
    catalog::tables::update(app.app(), &name(text), input, Default::default())
        .await
        .unwrap();
}

async fn partitions(app: &TestApp, text: &str) -> Vec<Partition> {
    catalog::partitions::list(app.app(), &name(text), &PageRequest::first(100))
        .await
        .unwrap()
        .items
}

pub(crate) fn set_aside(crawl: &Crawl) -> Vec<String> {
    let plan = crawl.plan.as_ref().unwrap();
    plan.set_aside
        .iter()
        .map(|aside| format!("{}: {}", aside.path, aside.reason))
        .collect()
}

pub(crate) async fn columns(app: &TestApp, name: &str) -> String {
    let text: Vec<String> = app
        .table(name)
        .await
        .input
        .columns()
        .iter()
        .map(|column| format!("{} {}", column.name, column.data_type.clone().unwrap_or_default()))
        .collect();
    text.join(", ")
}

fn gzip(text: &str) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

async fn a_small_lake(database: Database) -> TestApp {
    let app = TestApp::start_on(database).await;
    app.put(
        "lake",
        "raw/sales/year=2021/a.csv",
        "Id;Price;Day\n1;2;2021-01-01\n2;3;2021-01-02\n",
    )
    .await;
    app.put(
        "lake",
        "raw/sales/year=2022/b.csv.gz",
        gzip("Id;Price;Day\n3;2.5;2022-01-01\n"),
    )
    .await;
    app.put("lake", "raw/sales/_SUCCESS", "").await;
    app.put(
        "lake",
        "raw/clicks/1.json",
        "{\"user\": {\"id\": 1}, \"at\": \"x\"}\n{\"user\": {\"id\": 2}, \"tags\": [\"a\"]}\n",
    )
    .await;
    app.put("lake", "raw/list/1.json", "[{\"a\": 1}, {\"a\": 2.5}]")
        .await;
    app
}

async fn a_prefix_becomes_tables_with_partitions(database: Database) {
    let app = a_small_lake(database).await;
    let crawl = app.crawl("s3://lake/raw/", "shop", false).await;
    assert_eq!((crawl.state, crawl.error.clone()), (WorkState::Succeeded, None));
    assert_eq!(
        changes(&crawl),
        [
            "add database shop: new",
            "add table shop.clicks: json, 3 columns, 1 file at s3://lake/raw/clicks/",
            "add table shop.list: json, 1 column, 1 file at s3://lake/raw/list/",
            "add table shop.sales: csv, 3 columns, 2 files at s3://lake/raw/sales/",
            "add partitions shop.sales: 2 by year",
        ]
    );
    assert_eq!(
        columns(&app, "shop.sales").await,
        "id bigint, price double, day date"
    );
    assert_eq!(
        columns(&app, "shop.clicks").await,
        "user struct<id:int>, at string, tags array<string>"
    );
    assert_eq!(columns(&app, "shop.list").await, "a double");
    let plan = crawl.plan.as_ref().unwrap();
    let price = &plan
        .tables
        .iter()
        .find(|table| table.name == "sales")
        .unwrap()
        .columns[1];
    assert_eq!(price.reason, "bigint before b.csv.gz, which has double");

    let partitions = catalog::partitions::list(app.app(), &name("shop.sales"), &PageRequest::first(10))
        .await
        .unwrap()
        .items;
    let places: Vec<_> = partitions
        .iter()
        .map(|partition| partition.location().unwrap())
        .collect();
    assert_eq!(
        places,
        ["s3://lake/raw/sales/year=2021/", "s3://lake/raw/sales/year=2022/"]
    );
    let sql = "SELECT year, sum(price) AS price, min(day) AS day FROM shop.sales GROUP BY year ORDER BY year";
    assert_eq!(
        app.rows(sql).await,
        r#"[["2021",5.0,"2021-01-01"],["2022",2.5,"2022-01-01"]]"#
    );
}

async fn a_second_crawl_changes_only_what_changed(database: Database) {
    let app = a_small_lake(database).await;
    app.crawl("s3://lake/raw/", "shop", false).await;
    assert_eq!(
        changes(&app.crawl("s3://lake/raw/", "shop", false).await),
        Vec::<String>::new()
    );
    assert_eq!(app.table("shop.sales").await.version, 0);

    app.put(
        "lake",
        "raw/sales/year=2023/c.csv",
        "Id;Price;Day;Note\n4;2;2023-01-01;new\n",
    )
    .await;
    app.app()
        .buckets
        .delete("lake", "raw/sales/year=2021/a.csv")
        .await
        .unwrap();
    app.app()
        .buckets
        .delete("lake", "raw/clicks/1.json")
        .await
        .unwrap();
    let crawl = app.crawl("s3://lake/raw/", "shop", false).await;
    assert_eq!(
        changes(&crawl),
        [
            "add column shop.sales.note: string",
            "add partitions shop.sales: 1",
            "change partitions shop.sales: 1 follow the table",
            "retire partitions shop.sales: 1",
            "retire table shop.clicks: marked as deprecated; nothing is deleted",
        ]
    );
    assert_eq!(app.table("shop.sales").await.version, 1);
    let clicks = app.table("shop.clicks").await;
    assert!(clicks.input.parameters.contains_key("DEPRECATED_BY_CRAWLER"));
}

async fn a_dry_run_changes_nothing(database: Database) {
    let app = a_small_lake(database).await;
    let planned = app.crawl("s3://lake/raw/", "shop", true).await;
    assert!(catalog::databases::get(app.app(), "shop").await.is_err());
    let done = app.crawl("s3://lake/raw/", "shop", false).await;
    assert_eq!(planned.plan, done.plan);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_files_are_set_aside_with_reasons_and_the_rest_goes_on() {
    let app = TestApp::start().await;
    let parquet = std::fs::read(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/data/two_rows.parquet"
    ))
    .unwrap();
    app.put("lake", "trips/good.parquet", parquet.clone()).await;
    app.put("lake", "trips/cut_off.parquet", &parquet[..parquet.len() / 2])
        .await;
    app.put("lake", "trips/empty.parquet", "").await;
    app.put("lake", "trips/really_text.parquet", "a,b\n1,2\n3,4\n")
        .await;
    app.put("lake", "trips/liar.parquet", hostile_footer()).await;
    let crawl = app.crawl("s3://lake/trips/", "t", false).await;
    assert_eq!((crawl.state, crawl.error.clone()), (WorkState::Succeeded, None));
    assert_eq!(crawl.plan.as_ref().unwrap().tables.len(), 1);
    let aside = set_aside(&crawl);
    assert_eq!(aside.len(), 4, "{aside:#?}");
    assert!(
        aside[0].contains("cut_off.parquet") && aside[0].contains("cut off"),
        "{}",
        aside[0]
    );
    assert!(
        aside[1].contains("empty.parquet: the object is empty"),
        "{}",
        aside[1]
    );
    assert!(aside[2].contains("liar.parquet"), "{}", aside[2]);
    assert!(
        aside[3].contains("it is csv, though it is named .parquet"),
        "{}",
        aside[3]
    );
    assert_eq!(columns(&app, "t.trips").await, "id bigint, name string");
}

#[tokio::test(flavor = "multi_thread")]
async fn strays_are_set_aside_and_a_folder_of_lookups_is_a_table_each() {
    let app = TestApp::start().await;
    for day in 1..=4 {
        let key = format!("raw/orders/2022/01/{day:02}/orders.csv");
        app.put("lake", &key, "id,price\n1,2\n2,3\n").await;
    }
    app.put("lake", "raw/orders/2022/01/02/notes.json", "{\"a\": 1}")
        .await;
    app.put("lake", "raw/lookups/zones.csv", "zone,borough\n1,x\n2,y\n")
        .await;
    app.put(
        "lake",
        "raw/lookups/rates.csv",
        "code,rate,since\n1,2.5,2020-01-01\n2,3,2021-01-01\n",
    )
    .await;
    for run in ["9f86d081884c7d65", "a1b2c3d4e5f60718"] {
        let key = format!("raw/clicks/{run}/part-0.json");
        app.put("lake", &key, "{\"at\": 1}").await;
    }
    let crawl = app.crawl("s3://lake/raw/", "shop", false).await;
    assert_eq!(
        changes(&crawl),
        [
            "add database shop: new",
            "add table shop.clicks: json, 1 column, 2 files at s3://lake/raw/clicks/",
            "add table shop.rates_csv: csv, 3 columns, 1 file at s3://lake/raw/lookups/rates.csv",
            "add table shop.zones_csv: csv, 2 columns, 1 file at s3://lake/raw/lookups/zones.csv",
            "add table shop.orders: csv, 2 columns, 4 files at s3://lake/raw/orders/",
            "add partitions shop.orders: 4 by partition_0, partition_1, partition_2",
        ]
    );
    assert_eq!(
        set_aside(&crawl),
        [
            "s3://lake/raw/orders/2022/01/02/notes.json: it is json, unlike the 4 other files in the folder (csv): \
          move it to a folder of its own"
        ]
    );
}

/// 23 bytes that claim a schema of two thousand million columns.
fn hostile_footer() -> Vec<u8> {
    let mut file = b"PAR1".to_vec();
    let footer = [0x15, 0x02, 0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07, 0x00, 0x00];
    file.extend(footer);
    file.extend(u32::try_from(footer.len()).unwrap().to_le_bytes());
    file.extend(b"PAR1");
    file
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_is_not_there_fails_the_crawl_with_a_hint() {
    let app = TestApp::start().await;
    let crawl = app.crawl("s3://nowhere/x/", "t", false).await;
    assert_eq!(crawl.state, WorkState::Failed);
    let error = crawl.error.unwrap();
    assert!(
        error.contains("nowhere") && error.contains("make the bucket"),
        "{error}"
    );
}
