//! What a crawler's policies and its configuration make of a crawl.

use mastic::catalog;
use mastic::model::crawl::{Crawl, CrawlRequest, CrawlTarget, WorkState};
use mastic::model::crawl_options::{Compatibility, CrawlOptions, DeleteBehavior, UpdateBehavior};
use mastic::model::name::TableRef;
use mastic::model::page::PageRequest;

use super::{changes, columns};
use crate::both_databases;
use crate::harness::setup::crawl_of;
use crate::harness::{Database, TestApp};

both_databases! {
    log_changes_nothing_that_is_there,
    deleted_tables_go_and_come_back_when_that_is_undone,
    new_columns_are_merged_and_nothing_else,
    glues_examples_come_out_as_documented,
    exclusions_sample_sizes_and_prefixes_are_kept_to,
}

async fn crawl(app: &TestApp, path: &str, options: CrawlOptions) -> Crawl {
    app.crawl_as(CrawlRequest {
        options,
        ..crawl_of(path, "shop")
    })
    .await
}

fn configured(configuration: &str) -> CrawlOptions {
    CrawlOptions {
        configuration: Some(configuration.to_owned()),
        ..CrawlOptions::default()
    }
}

async fn lake(database: Database) -> TestApp {
    let app = TestApp::start_on(database).await;
    app.put("lake", "raw/sales/d=1/a.csv", "id,price\n1,2\n2,3\n")
        .await;
    app.put("lake", "raw/old/a.json", "{\"x\": 1}").await;
    crawl(&app, "s3://lake/raw/", CrawlOptions::default()).await;
    app.put("lake", "raw/sales/d=2/a.csv", "id,price,shop\n1,2.5,eu\n2,3,us\n")
        .await;
    app.put("lake", "raw/new/a.json", "{\"y\": 1}").await;
    app.app().buckets.delete("lake", "raw/old/a.json").await.unwrap();
    app
}

async fn log_changes_nothing_that_is_there(database: Database) {
    let app = lake(database).await;
    let options = CrawlOptions {
        update: UpdateBehavior::Log,
        delete: DeleteBehavior::Log,
        ..CrawlOptions::default()
    };
    let crawl = crawl(&app, "s3://lake/raw/", options).await;
    assert_eq!(
        changes(&crawl),
        [
            "add table shop.new: json, 1 column, 1 file at s3://lake/raw/new/",
            "add partitions shop.sales: 1",
        ]
    );
    let told: Vec<String> = crawl
        .plan
        .unwrap()
        .changes
        .iter()
        .filter(|change| change.detail.contains("LOG"))
        .map(|change| format!("{} {}", change.name, change.detail))
        .collect();
    assert_eq!(
        told,
        [
            "shop.sales.price not changed, as UpdateBehavior is LOG: bigint → double",
            "shop.sales.shop not added, as UpdateBehavior is LOG: string",
            "shop.old stays: DeleteBehavior is LOG",
        ]
    );
    assert_eq!(columns(&app, "shop.sales").await, "id bigint, price bigint");
}

async fn deleted_tables_go_and_come_back_when_that_is_undone(database: Database) {
    let app = lake(database).await;
    let options = CrawlOptions {
        delete: DeleteBehavior::DeleteFromDatabase,
        ..CrawlOptions::default()
    };
    let crawl = crawl(&app, "s3://lake/raw/", options).await;
    assert!(
        changes(&crawl).contains(&"retire table shop.old: deleted; the objects stay".to_owned()),
        "{:?}",
        changes(&crawl)
    );
    let old = TableRef::parse("shop.old").unwrap();
    assert!(catalog::tables::get(app.app(), &old).await.is_err());
    mastic::crawl::undo(app.app(), &crawl.id).await.unwrap();
    assert_eq!(columns(&app, "shop.old").await, "x int");
    assert_eq!(columns(&app, "shop.sales").await, "id bigint, price bigint");
}

async fn new_columns_are_merged_and_nothing_else(database: Database) {
    let app = lake(database).await;
    let configuration = r#"{"Version":1.0,"CrawlerOutput":{"Tables":{"AddOrUpdateBehavior":"MergeNewColumns"},
        "Partitions":{"AddOrUpdateBehavior":"InheritFromTable"}},"CreatePartitionIndex":true}"#;
    crawl(&app, "s3://lake/raw/", configured(configuration)).await;
    assert_eq!(
        columns(&app, "shop.sales").await,
        "id bigint, price bigint, shop string"
    );
    let sales = TableRef::parse("shop.sales").unwrap();
    let (_, indexes) = catalog::partitions::indexes(app.app(), &sales).await.unwrap();
    assert_eq!(indexes.len(), 1);
    let table = catalog::tables::get(app.app(), &sales).await.unwrap();
    assert_eq!(table.input.parameters["partition_filtering.enabled"], "true");
    let partitions = catalog::partitions::list(app.app(), &sales, &PageRequest::first(10))
        .await
        .unwrap();
    for partition in partitions.items {
        assert_eq!(partition.storage().unwrap().columns, table.input.columns());
    }

    // Another delimiter can't be bridged.
    for day in ["1", "2"] {
        let key = format!("raw/sales/d={day}/a.csv");
        app.put("lake", &key, "id;price\n1;2\n2;3\n").await;
    }
    let crawled = crawl(&app, "s3://lake/raw/", configured(configuration)).await;
    let change = &crawled.plan.unwrap().changes;
    let sales = change.iter().find(|change| change.name == "shop.sales").unwrap();
    assert_eq!(
        sales.reason,
        "new columns can't be merged into it, because the parameter 'delimiter' has changed: the existing value is \
         ',', and the crawled value is ';'"
    );

    let crawled = crawl(
        &app,
        "s3://lake/raw/",
        configured(r#"{"CrawlerOutput":{"Tables":{"TableThreshold":1}}}"#),
    )
    .await;
    assert_eq!(crawled.state, WorkState::Failed);
    let error = crawled.error.unwrap();
    assert!(
        error.starts_with(
            "The number of tables detected by crawler: 2 is greater than the table threshold value provided: 1."
        ),
        "{error}"
    );
}

async fn glues_examples_come_out_as_documented(database: Database) {
    let app = TestApp::start_on(database).await;
    app.put("lake", "table1/year=2017/data1.json", "{\"A\": 1, \"B\": 2}")
        .await;
    app.put("lake", "table1/year=2018/data2.json", "{\"C\": 3, \"D\": 4}")
        .await;
    let glue = |configuration: Option<&str>| CrawlOptions {
        compatibility: Some(Compatibility::Glue),
        configuration: configuration.map(str::to_owned),
        ..CrawlOptions::default()
    };
    let apart = crawl(&app, "s3://lake/table1/", glue(None)).await;
    assert_eq!(
        changes(&apart)[1..],
        [
            "add table shop.year_2017: json, 2 columns, 1 file at s3://lake/table1/year=2017/",
            "add table shop.year_2018: json, 2 columns, 1 file at s3://lake/table1/year=2018/",
        ]
    );
    mastic::crawl::undo(app.app(), &apart.id).await.unwrap();
    let combine = r#"{"Version":1.0,"Grouping":{"TableGroupingPolicy":"CombineCompatibleSchemas"}}"#;
    let one = crawl(&app, "s3://lake/table1/", glue(Some(combine))).await;
    assert_eq!(one.plan.unwrap().tables.len(), 1);
    assert_eq!(columns(&app, "shop.table1").await, "a int, b int, c int, d int");
    let table = app.table("shop.table1").await;
    let key = &table.input.partition_keys[0];
    assert_eq!(
        (key.name.as_str(), key.data_type.as_deref()),
        ("year", Some("string"))
    );

    for folder in ["table1", "table2"] {
        for partition in 1..=5 {
            let key = format!("folder1/{folder}/partition{partition}/file.txt");
            app.put("lake", &key, "id,price\n1,2\n2,3\n").await;
        }
    }
    let crawl = crawl(&app, "s3://lake/folder1/", glue(None)).await;
    assert_eq!(
        changes(&crawl),
        [
            "add table shop.folder1: csv, 2 columns, 10 files at s3://lake/folder1/",
            "add partitions shop.folder1: 10 by partition_0, partition_1",
        ]
    );
}

async fn exclusions_sample_sizes_and_prefixes_are_kept_to(database: Database) {
    let app = TestApp::start_on(database).await;
    for day in 1..=3 {
        for file in 1..=4 {
            let key = format!("raw/sales/d={day}/{file}.csv");
            app.put("lake", &key, "id,price\n1,2\n2,3\n").await;
        }
    }
    app.put("lake", "raw/sales/d=1/x.tmp", "nothing").await;
    app.put("lake", "eu/sales/a.json", "{\"x\": 1}").await;
    let target = |path: &str| CrawlTarget {
        path: path.to_owned(),
        exclusions: vec!["**.tmp".to_owned()],
        sample_size: Some(1),
        ..CrawlTarget::default()
    };
    let crawl = app
        .crawl_as(CrawlRequest {
            database: "shop".to_owned(),
            targets: vec![target("s3://lake/raw/"), target("s3://lake/eu")],
            table_prefix: Some("In-".to_owned()),
            ..CrawlRequest::default()
        })
        .await;
    let names: Vec<String> = crawl
        .plan
        .unwrap()
        .tables
        .into_iter()
        .map(|table| table.name)
        .collect();
    assert_eq!(names, ["in_eu_sales", "in_raw_sales"]);
    assert_eq!((crawl.progress.objects, crawl.progress.files_read), (14, 4));
    let table = app.table("shop.in_raw_sales").await.input;
    let parameters: Vec<String> = table
        .parameters
        .iter()
        .filter(|(key, _)| *key != "CRAWL_RUN_ID")
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    assert_eq!(
        parameters,
        [
            "CrawlerSchemaDeserializerVersion=1.0",
            "CrawlerSchemaSerializerVersion=1.0",
            "UPDATED_BY_CRAWLER=mastic crawl",
            "areColumnsQuoted=false",
            "averageRecordSize=8",
            "classification=csv",
            "columnsOrdered=true",
            "compressionType=none",
            "delimiter=,",
            r#"exclusions=["s3://lake/raw/**.tmp"]"#,
            "objectCount=12",
            "recordCount=24",
            "sizeKey=204",
            "skip.header.line.count=1",
            "typeOfData=file",
        ]
    );
    let storage = table.storage.unwrap();
    assert_eq!(storage.parameters.as_ref(), Some(&table.parameters));
    assert_eq!(
        (storage.compressed, storage.number_of_buckets),
        (Some(false), Some(-1))
    );
    assert_eq!(storage.location.as_deref(), Some("s3://lake/raw/sales/"));
}
