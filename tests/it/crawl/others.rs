//! Tables that no crawler made: a crawl adds what is new to them, and changes nothing else.

use mastic::catalog;
use mastic::crawl;
use mastic::model::crawl::{ChangeKind, ChangeOp, Crawl, CrawlRequest};
use mastic::model::crawl_options::{CrawlOptions, DeleteBehavior, UpdateBehavior};
use mastic::model::partition::PartitionInput;
use mastic::model::table::TableInput;
use serde_json::{Value, json};

use super::{changes, columns, edit, in_words, name, partitions};
use crate::both_databases;
use crate::harness::setup::crawl_of;
use crate::harness::{Database, TestApp};

both_databases! {
    a_table_that_others_made_is_not_written_where_nothing_is_new,
    new_columns_and_partitions_are_added_to_it_and_nothing_else,
    a_column_that_its_maker_removed_stays_away,
    what_a_crawl_added_to_it_is_undone,
}

const LAZY: &str = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe";
const OPEN_CSV: &str = "org.apache.hadoop.hive.serde2.OpenCSVSerde";
const PARQUET: &str = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe";
const JSON: &str = "org.apache.hive.hcatalog.data.JsonSerDe";

/// Columns as the API takes them, of `id bigint, price double`.
fn described(columns: &str) -> Vec<Value> {
    let columns = columns.split(", ").filter(|column| !column.is_empty());
    columns
        .map(|column| {
            let (name, hive) = column.split_once(' ').unwrap();
            json!({ "name": name, "type": hive })
        })
        .collect()
}

/// Makes a table in the database `shop`, as somebody does who knows no crawler.
async fn make(app: &TestApp, name: &str, place: &str, serde: &str, columns: &str, keys: &str) {
    let input = json!({
        "name": name,
        "storage": {
            "location": place,
            "columns": described(columns),
            "serde_info": { "serialization_library": serde, "parameters": { "field.delim": "," } },
        },
        "partition_keys": described(keys),
        "parameters": { "team": "web" },
    });
    make_of(app, input).await;
}

async fn make_of(app: &TestApp, input: Value) {
    if catalog::databases::get(app.app(), "shop").await.is_err() {
        let database = serde_json::from_value(json!({ "name": "shop" })).unwrap();
        catalog::databases::create(app.app(), database).await.unwrap();
    }
    let input: TableInput = serde_json::from_value(input).unwrap();
    catalog::tables::create(app.app(), "shop", input).await.unwrap();
}

async fn add_partition(app: &TestApp, input: Value) {
    let input: PartitionInput = serde_json::from_value(input).unwrap();
    let added = catalog::partitions::create(app.app(), &name("shop.sales"), &[input]).await;
    assert!(added.unwrap().iter().all(Result::is_ok));
}

/// A folder of sales in one partition, and the table that somebody made of it: as other engines spell places.
async fn sales_of_others(database: Database) -> TestApp {
    let app = TestApp::start_on(database).await;
    app.put("lake", "raw/sales/d=1/a.csv", "id,price\n1,2\n2,3\n")
        .await;
    make(
        &app,
        "sales",
        "s3a://lake/raw/sales",
        LAZY,
        "id bigint, price int",
        "d string",
    )
    .await;
    let partition = json!({
        "values": ["1"],
        "storage": { "location": "s3n://lake/raw/sales/d=1", "columns": described("id bigint, price int") },
        "parameters": { "mine": "yes" },
    });
    add_partition(&app, partition).await;
    app
}

/// Why each thing of a plan is as it is.
fn told(crawl: &Crawl) -> Vec<String> {
    let changes = &crawl.plan.as_ref().unwrap().changes;
    changes.iter().map(in_words).collect()
}

async fn crawl_with(app: &TestApp, options: CrawlOptions) -> Crawl {
    app.crawl_as(CrawlRequest {
        options,
        ..crawl_of("s3://lake/raw/", "shop")
    })
    .await
}

async fn a_table_that_others_made_is_not_written_where_nothing_is_new(database: Database) {
    let app = sales_of_others(database).await;
    let before = (
        app.table("shop.sales").await,
        partitions(&app, "shop.sales").await,
    );
    let is_as_before = async || {
        (
            app.table("shop.sales").await,
            partitions(&app, "shop.sales").await,
        ) == before
    };
    for _ in 0..3 {
        let crawl = app.crawl("s3://lake/raw/", "shop", false).await;
        assert_eq!(
            told(&crawl),
            [
                "shop.sales.price stays int: its maker gave it this type; the files have bigint",
                "shop.sales 1 file: others made it, and no crawler: new columns and partitions are added, and \
                 nothing else of it is changed"
            ]
        );
        assert!(is_as_before().await);
    }
    // Other files of the same columns, and columns that can't be merged by a crawler's own rules.
    app.put("lake", "raw/sales/d=1/b.csv", "id,price\n1,2\n2,3\n3,4.5\n")
        .await;
    let configuration = r#"{"Version":1.0,"CrawlerOutput":{"Tables":{"AddOrUpdateBehavior":"MergeNewColumns"},
        "Partitions":{"AddOrUpdateBehavior":"InheritFromTable"}},"CreatePartitionIndex":true}"#;
    let options = CrawlOptions {
        configuration: Some(configuration.to_owned()),
        ..CrawlOptions::default()
    };
    let crawl = crawl_with(&app, options).await;
    assert_eq!(changes(&crawl), Vec::<String>::new());
    assert!(is_as_before().await);
    let (_, indexes) = catalog::partitions::indexes(app.app(), &name("shop.sales"))
        .await
        .unwrap();
    assert_eq!(indexes.len(), 0);

    // Nor is it missed when its files are gone.
    for file in ["a", "b"] {
        let key = format!("raw/sales/d=1/{file}.csv");
        app.app().buckets.delete("lake", &key).await.unwrap();
    }
    app.put("lake", "raw/more/a.json", "{\"x\": 1}").await;
    let options = CrawlOptions {
        delete: DeleteBehavior::DeleteFromDatabase,
        ..CrawlOptions::default()
    };
    let crawl = crawl_with(&app, options).await;
    assert_eq!(
        changes(&crawl),
        ["add table shop.more: json, 1 column, 1 file at s3://lake/raw/more/"]
    );
    assert!(is_as_before().await);
}

async fn new_columns_and_partitions_are_added_to_it_and_nothing_else(database: Database) {
    let app = sales_of_others(database).await;
    app.put("lake", "raw/sales/d=2/b.csv", "id,price,shop\n1,2.5,eu\n2,3,us\n")
        .await;
    let before = (
        app.table("shop.sales").await,
        partitions(&app, "shop.sales").await,
    );
    let crawl = app.crawl("s3://lake/raw/", "shop", false).await;
    assert_eq!(
        changes(&crawl),
        [
            "add column shop.sales.shop: string",
            "add partitions shop.sales: 1",
        ]
    );
    let after = app.table("shop.sales").await;
    assert_eq!(after.version, 1);
    let mut expected = before.0.input.clone();
    let shop = serde_json::from_value(json!({ "name": "shop", "type": "string" })).unwrap();
    expected.storage.as_mut().unwrap().columns.push(shop);
    assert_eq!(after.input, expected);
    let now = partitions(&app, "shop.sales").await;
    assert_eq!(now[0], before.1[0]);
    assert_eq!(now[1].location(), Some("s3://lake/raw/sales/d=2/"));
    assert_eq!(now[1].storage().unwrap().columns, after.input.columns());

    // The crawl keeps up the partition that it added, and no other.
    for day in ["1", "2"] {
        let key = format!("raw/sales/d={day}/c.csv");
        app.put("lake", &key, "id,price,shop\n5,2.5,eu\n").await;
    }
    let again = app.crawl("s3://lake/raw/", "shop", false).await;
    assert_eq!(changes(&again), ["change partitions shop.sales: 1"]);
    let last = partitions(&app, "shop.sales").await;
    assert_eq!(
        (&last[0], last[1].own.parameters["objectCount"].as_str()),
        (&now[0], "2")
    );
    for day in ["1", "2"] {
        for file in ["a", "b", "c"] {
            let key = format!("raw/sales/d={day}/{file}.csv");
            app.app().buckets.delete("lake", &key).await.unwrap();
        }
    }
    app.put("lake", "raw/sales/d=3/d.csv", "id,price,shop\n5,2.5,eu\n")
        .await;
    let last = app.crawl("s3://lake/raw/", "shop", false).await;
    assert_eq!(
        changes(&last),
        ["add partitions shop.sales: 1", "retire partitions shop.sales: 1"]
    );
    let values: Vec<Vec<String>> = partitions(&app, "shop.sales")
        .await
        .iter()
        .map(|partition| partition.values().to_vec())
        .collect();
    assert_eq!(values, [["1"], ["3"]]);
    assert_eq!(app.table("shop.sales").await, after);
}

async fn a_column_that_its_maker_removed_stays_away(database: Database) {
    let app = TestApp::start_on(database).await;
    app.put(
        "lake",
        "raw/clicks/a.json",
        "{\"at\": 1, \"who\": \"x\", \"ip\": \"y\"}",
    )
    .await;
    make(
        &app,
        "clicks",
        "s3://lake/raw/clicks/",
        JSON,
        "at bigint, who string",
        "",
    )
    .await;
    let first = app.crawl("s3://lake/raw/", "shop", false).await;
    assert_eq!(changes(&first), ["add column shop.clicks.ip: string"]);
    edit(&app, "shop.clicks", |input| {
        let columns = &mut input.storage.as_mut().unwrap().columns;
        columns.retain(|column| column.name == "at");
    })
    .await;
    let second = app.crawl("s3://lake/raw/", "shop", false).await;
    assert_eq!(
        told(&second)[..2],
        [
            "shop.clicks.who stays away: somebody renamed or removed it",
            "shop.clicks.ip stays away: somebody renamed or removed it",
        ]
    );
    assert_eq!(columns(&app, "shop.clicks").await, "at bigint");
    assert_eq!(app.table("shop.clicks").await.version, 2);
}

async fn what_a_crawl_added_to_it_is_undone(database: Database) {
    let app = sales_of_others(database).await;
    app.put("lake", "raw/sales/d=2/b.csv", "id,price,shop\n1,2.5,eu\n2,3,us\n")
        .await;
    let before = (
        app.table("shop.sales").await.input,
        partitions(&app, "shop.sales").await,
    );
    let crawl = app.crawl("s3://lake/raw/", "shop", false).await;
    crawl::undo(app.app(), &crawl.id).await.unwrap();
    assert_eq!(
        (
            app.table("shop.sales").await.input,
            partitions(&app, "shop.sales").await
        ),
        before
    );
    let again = app.crawl("s3://lake/raw/", "shop", false).await;
    assert_eq!(changes(&again), changes(&crawl));
}

/// Crawls a table with one file below it, and gives what was changed, and the reason of what wasn't.
async fn crawled(app: &TestApp, file: &str, bytes: impl AsRef<[u8]>) -> (Vec<String>, Vec<String>) {
    app.put("lake", file, bytes.as_ref().to_vec()).await;
    let crawl = app.crawl("s3://lake/raw/", "shop", false).await;
    let not_made = crawl.plan.as_ref().unwrap().changes.iter();
    let reasons = not_made
        .filter(|change| change.op == ChangeOp::Unchanged && change.kind != ChangeKind::Table)
        .map(in_words)
        .collect();
    (changes(&crawl), reasons)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_is_added_only_at_the_end_of_what_is_read_by_position() {
    let app = TestApp::start().await;
    // Names of its maker's own, for columns that stand there.
    make(
        &app,
        "named",
        "s3://lake/raw/named",
        LAZY,
        "number bigint, cost int",
        "",
    )
    .await;
    let (changed, reasons) = crawled(&app, "raw/named/a.csv", "id,price,shop\n1,2,eu\n2,3,us\n").await;
    assert_eq!(
        (changed, reasons),
        (vec!["add column shop.named.shop: string".to_owned()], vec![])
    );

    let app = TestApp::start().await;
    make(
        &app,
        "between",
        "s3://lake/raw/between",
        OPEN_CSV,
        "id string, price string",
        "",
    )
    .await;
    let (changed, reasons) = crawled(&app, "raw/between/a.csv", "id,shop,price\n1,eu,2\n2,us,3\n").await;
    assert_eq!(changed, Vec::<String>::new());
    assert_eq!(
        reasons,
        [
            "shop.between.shop not added: the table's columns are read by their places, and in the files it isn't behind them"
        ]
    );

    // What knows text alone gets text, with its real type beside it.
    let app = TestApp::start().await;
    make(&app, "text", "s3://lake/raw/text/", OPEN_CSV, "id string", "").await;
    let (changed, _) = crawled(&app, "raw/text/a.csv", "id,price\n1,2\n2,3\n").await;
    assert_eq!(changed, ["add column shop.text.price: bigint"]);
    assert_eq!(columns(&app, "shop.text").await, "id string, price string");

    // By another delimiter, it is other columns.
    let app = TestApp::start().await;
    make(&app, "cut", "s3://lake/raw/cut/", LAZY, "id string", "").await;
    let (changed, reasons) = crawled(&app, "raw/cut/a.csv", "id;price\n1;2\n2;3\n").await;
    assert_eq!(changed, Vec::<String>::new());
    assert_eq!(
        reasons,
        ["shop.cut.price not added: the table's delimiter is ',', and the files' is ';'"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_column_is_added_to_what_is_read_otherwise_than_the_files_are() {
    let app = TestApp::start().await;
    make(&app, "lines", "s3://lake/raw/lines/", LAZY, "line string", "").await;
    let (changed, reasons) = crawled(&app, "raw/lines/a.json", "{\"a\": 1}").await;
    assert_eq!(changed, Vec::<String>::new());
    assert_eq!(
        reasons,
        ["shop.lines.a not added: the table reads csv, by LazySimpleSerDe, and the files are json"]
    );

    let parquet = std::fs::read(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/data/two_rows.parquet"
    ))
    .unwrap();
    for (told, format) in [("ICEBERG", "Iceberg"), ("DELTA", "Delta Lake"), ("HUDI", "Hudi")] {
        let app = TestApp::start().await;
        make_of(
            &app,
            json!({
                "name": "t",
                "storage": {
                    "location": "s3://lake/raw/t",
                    "columns": described("id bigint"),
                    "serde_info": { "serialization_library": PARQUET },
                },
                "parameters": { "table_type": told },
            }),
        )
        .await;
        let before = app.table("shop.t").await;
        let (changed, reasons) = crawled(&app, "raw/t/a.parquet", &parquet).await;
        assert_eq!(changed, Vec::<String>::new());
        assert_eq!(
            reasons,
            [format!(
                "shop.t.name not added: it is a table of {format}, whose columns are in its own metadata"
            )]
        );
        assert_eq!(app.table("shop.t").await, before);
    }
    let app = TestApp::start().await;
    make(&app, "t", "s3://lake/raw/t", PARQUET, "id bigint", "").await;
    let (changed, _) = crawled(&app, "raw/t/a.parquet", &parquet).await;
    assert_eq!(changed, ["add column shop.t.name: string"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_iceberg_table_that_an_engine_wrote_keeps_its_metadata() {
    let app = TestApp::start().await;
    let metadata = r#"{"format-version": 2, "current-schema-id": 0, "schemas": [{"schema-id": 0, "type": "struct",
        "fields": [{"id": 1, "name": "id", "required": true, "type": "long"}]}]}"#;
    app.put("lake", "raw/ice/metadata/00000-a.metadata.json", metadata)
        .await;
    make_of(
        &app,
        json!({
            "name": "ice",
            "storage": { "location": "s3://lake/raw/ice", "columns": described("id bigint") },
            "table_type": "EXTERNAL_TABLE",
            "parameters": {
                "table_type": "ICEBERG",
                "metadata_location": "s3://lake/raw/ice/metadata/00000-a.metadata.json",
            },
        }),
    )
    .await;
    let before = app.table("shop.ice").await;
    app.crawl("s3://lake/raw/", "shop", false).await;
    app.put("lake", "raw/ice/metadata/00001-b.metadata.json", metadata)
        .await;
    let crawl = app.crawl("s3://lake/raw/", "shop", false).await;
    assert_eq!(changes(&crawl), Vec::<String>::new());
    assert_eq!(app.table("shop.ice").await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_by_other_keys_are_not_added() {
    let app = TestApp::start().await;
    app.put(
        "lake",
        "raw/sales/year=2021/month=1/a.csv",
        "id,price\n1,2\n2,3\n",
    )
    .await;
    make(
        &app,
        "sales",
        "s3://lake/raw/sales",
        LAZY,
        "id bigint, price bigint",
        "year string",
    )
    .await;
    let before = app.table("shop.sales").await;
    let crawl = app.crawl("s3://lake/raw/", "shop", false).await;
    assert_eq!(changes(&crawl), Vec::<String>::new());
    assert_eq!(
        told(&crawl)[0],
        "shop.sales 1 not added: the table is partitioned by year, and the folders by year, month"
    );
    assert_eq!(app.table("shop.sales").await, before);
    assert_eq!(partitions(&app, "shop.sales").await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_a_partition_already_is_not_added_by_another_value() {
    let app = TestApp::start().await;
    app.put("lake", "raw/sales/d=01/a.csv", "id,price\n1,2\n2,3\n")
        .await;
    make(
        &app,
        "sales",
        "s3://lake/raw/sales",
        LAZY,
        "id bigint, price bigint",
        "d int",
    )
    .await;
    let partition = json!({ "values": ["1"], "storage": { "location": "s3a://lake/raw/sales/d=01" } });
    add_partition(&app, partition).await;
    let crawl = app.crawl("s3://lake/raw/", "shop", false).await;
    assert_eq!(changes(&crawl), Vec::<String>::new());
    assert_eq!(partitions(&app, "shop.sales").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jobs_output_stays_the_jobs() {
    let app = TestApp::start().await;
    app.put("lake", "in/a/1.csv", "n,title\n1,one\n").await;
    let definition = r#"
engine = "sql"
script = "s.sql"
[parameters.m]
[inputs]
pages = "s3://lake/in/{m}/*.csv"
[output]
location = "s3://lake/raw/m={m}/"
format = "csv"
table = "shop.pages"
"#;
    app.register("pages", definition, "SELECT * FROM pages")
        .await
        .unwrap();
    app.succeed("pages", &[("m", "a")]).await;
    let before = (
        app.table("shop.pages").await,
        partitions(&app, "shop.pages").await,
    );
    for _ in 0..2 {
        let crawl = app.crawl("s3://lake/raw/", "shop", false).await;
        assert_eq!(
            told(&crawl),
            [
                "shop.pages 1 file: the job pages writes it, and no crawler: new columns and partitions are added, and \
              nothing else of it is changed"
            ]
        );
    }
    assert_eq!(
        (
            app.table("shop.pages").await,
            partitions(&app, "shop.pages").await
        ),
        before
    );
    // Somebody else's file beside the job's is a partition, and the job's own are as the job left them.
    app.put("lake", "raw/m=b/part.csv", "n,title\n2,two\n").await;
    let crawl = app.crawl("s3://lake/raw/", "shop", false).await;
    assert_eq!(changes(&crawl), ["add partitions shop.pages: 1"]);
    assert_eq!(app.table("shop.pages").await, before.0);
    assert_eq!(partitions(&app, "shop.pages").await[0], before.1[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_updates_are_only_logged_no_column_is_added() {
    let app = TestApp::start().await;
    make(&app, "t", "s3://lake/raw/t", JSON, "a int", "d string").await;
    app.put("lake", "raw/t/d=1/a.json", "{\"a\": 1, \"b\": 2}").await;
    let before = app.table("shop.t").await;
    let options = CrawlOptions {
        update: UpdateBehavior::Log,
        ..CrawlOptions::default()
    };
    let crawl = crawl_with(&app, options).await;
    assert_eq!(changes(&crawl), ["add partitions shop.t: 1"]);
    assert!(
        told(&crawl)[0]
            .starts_with("shop.t.b not added, as UpdateBehavior is LOG: int: first found in d=1/a.json")
    );
    assert_eq!(app.table("shop.t").await, before);
}
