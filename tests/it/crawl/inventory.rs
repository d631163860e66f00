//! S3 Inventories in place of listings.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use mastic::model::crawl::{Crawl, CrawlRequest, CrawlTarget, WorkState};
use serde_json::json;

use super::changes;
use crate::both_databases;
use crate::harness::{Database, TestApp};

both_databases! { the_newest_inventory_is_taken_instead_of_a_listing }

const PLACE: &str = "inventories/lake/daily/";

async fn crawl(app: &TestApp, inventory: &str) -> Crawl {
    app.crawl_as(CrawlRequest {
        database: "shop".to_owned(),
        targets: vec![CrawlTarget {
            path: "s3://lake/raw/".to_owned(),
            inventory: Some(inventory.to_owned()),
            ..CrawlTarget::default()
        }],
        ..CrawlRequest::default()
    })
    .await
}

async fn put_manifest(app: &TestApp, date: &str, format: &str, schema: &str, file: &str, size: usize) {
    let manifest = json!({
        "sourceBucket": "lake", "destinationBucket": "arn:aws:s3:::lake", "version": "2016-11-30",
        "creationTimestamp": "1700000000000", "fileFormat": format, "fileSchema": schema,
        "files": [{ "key": file, "size": size, "MD5checksum": "d41d8cd98f00b204e9800998ecf8427e" }],
    });
    app.put(
        "lake",
        &format!("{PLACE}{date}/manifest.json"),
        manifest.to_string(),
    )
    .await;
}

/// A line for each object that is there, and some for versions that aren't.
async fn put_csv(app: &TestApp, date: &str, fields: &str, keys: &[&str]) {
    let mut lines = String::new();
    for key in keys {
        let object = app.app().buckets.head("lake", key).await.unwrap().unwrap();
        let key = key.replace(' ', "+").replace('=', "%3D");
        lines += &format!(
            "\"lake\",\"{key}\",\"\",\"true\",\"false\",\"{}\",\"2023-11-14T22:00:00.000Z\",\"{}\"\n",
            object.size, object.etag
        );
    }
    lines +=
        "\"lake\",\"raw/old/a.csv\",\"1\",\"false\",\"false\",\"9\",\"2023-11-14T22:00:00.000Z\",\"e\"\n";
    lines += "\"lake\",\"raw/gone/a.csv\",\"2\",\"true\",\"true\",\"\",\"2023-11-14T22:00:00.000Z\",\"\"\n";
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(lines.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    let file = format!("{PLACE}data/{date}.csv.gz");
    put_manifest(app, date, "CSV", fields, &file, packed.len()).await;
    app.put("lake", &file, packed).await;
}

const FIELDS: &str = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag";

async fn the_newest_inventory_is_taken_instead_of_a_listing(database: Database) {
    let app = TestApp::start_on(database).await;
    for day in ["d=1", "d=2 b"] {
        app.put("lake", &format!("raw/t/{day}/a.csv"), "id,name\n1,ada\n2,eva\n")
            .await;
    }
    put_csv(&app, "2031-01-01T01-00Z", FIELDS, &["raw/t/d=1/a.csv"]).await;
    put_csv(
        &app,
        "2031-01-02T01-00Z",
        FIELDS,
        &["raw/t/d=1/a.csv", "raw/t/d=2 b/a.csv"],
    )
    .await;
    // Newer still, and without its manifest: it is under way.
    app.put(
        "lake",
        &format!("{PLACE}2031-01-03T01-00Z/manifest.checksum"),
        "x",
    )
    .await;
    app.put("lake", "raw/late/a.csv", "id\n1\n").await;

    let first = crawl(&app, &format!("s3://lake/{PLACE}")).await;
    assert_eq!((first.state, &first.error), (WorkState::Succeeded, &None));
    assert_eq!(
        changes(&first),
        [
            "add database shop: new",
            "add table shop.t: csv, 2 columns, 2 files at s3://lake/raw/t/",
            "add partitions shop.t: 2 by d",
        ],
        "what came later is not in it"
    );
    let reasons = &first.plan.as_ref().unwrap().tables[0].reasons;
    let told = format!("its files are those that s3://lake/{PLACE}2031-01-02T01-00Z/manifest.json lists");
    assert!(reasons.contains(&told), "{reasons:?}");

    // A listing knows the same versions of the same files.
    let listed = app.crawl("s3://lake/raw/t/", "shop", false).await;
    assert_eq!((changes(&listed), listed.progress.files_read), (Vec::new(), 0));
    // One inventory, by its own name.
    let older = crawl(&app, &format!("s3://lake/{PLACE}2031-01-01T01-00Z/manifest.json")).await;
    assert_eq!(older.progress.objects, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inventory_of_parquet_is_read_too() {
    let app = TestApp::start().await;
    let parquet = include_bytes!("../../data/inventory.parquet");
    let file = format!("{PLACE}data/a.parquet");
    app.put("lake", &file, parquet.to_vec()).await;
    let schema = "message s3.inventory { required binary bucket (STRING); }";
    put_manifest(&app, "2031-01-02T01-00Z", "Parquet", schema, &file, parquet.len()).await;
    let crawl = crawl(&app, &format!("s3://lake/{PLACE}")).await;
    assert_eq!((crawl.state, &crawl.error), (WorkState::Succeeded, &None));
    // Three lines: a newest version, an older one of it, and one that was deleted.
    assert_eq!(crawl.progress.objects, 1);
    let aside = super::set_aside(&crawl);
    assert!(
        aside.len() == 1 && aside[0].starts_with("s3://lake/raw/t/d=1/a.csv: "),
        "it is listed, and gone since: {aside:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inventory_that_cannot_be_used_fails_the_crawl_with_its_reason() {
    let app = TestApp::start().await;
    app.put("lake", "raw/a.csv", "id,name\n1,ada\n").await;
    let error = async |place: &str| {
        let crawl = crawl(&app, place).await;
        assert_eq!(crawl.state, WorkState::Failed);
        crawl.error.unwrap()
    };
    let place = format!("s3://lake/{PLACE}");
    assert!(error(&place).await.contains("there is no inventory at"));
    app.put("lake", &format!("{PLACE}manifest.json"), "{}").await;
    assert!(error(&place).await.contains("no manifest of an S3 Inventory"));
    put_csv(
        &app,
        "1",
        "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size",
        &["raw/a.csv"],
    )
    .await;
    let told = error(&format!("{place}1/")).await;
    assert!(
        told.contains("no field ETag") && told.contains("add ETag"),
        "{told}"
    );
    put_manifest(&app, "2", "ORC", FIELDS, &format!("{PLACE}manifest.json"), 2).await;
    assert!(
        error(&format!("{place}2/"))
            .await
            .contains("let the inventory be CSV or Parquet")
    );
    put_manifest(&app, "3", "CSV", FIELDS, "nowhere.csv.gz", 2).await;
    assert!(
        error(&format!("{place}3/"))
            .await
            .contains("its file nowhere.csv.gz is not there")
    );
}
