//! Every change of a plan says what caused it, by name.

use mastic::catalog;
use mastic::crawl::log;
use mastic::model::crawl::{ChangeOp, Crawl};
use mastic::model::name::TableRef;
use mastic::model::partition::PartitionInput;

use super::in_words;
use crate::both_databases;
use crate::harness::{Database, TestApp};

both_databases! {
    columns_and_counts_say_which_files_changed_them,
    other_files_say_what_they_were,
    partitions_say_which_folders_they_are,
}

/// What changes, each with its reason.
fn reasons(crawl: &Crawl) -> Vec<String> {
    let changes = crawl.plan.as_ref().unwrap().changes.iter();
    changes
        .filter(|change| change.op != ChangeOp::Unchanged)
        .map(in_words)
        .collect()
}

async fn crawl(app: &TestApp) -> Crawl {
    app.crawl("s3://lake/raw/", "shop", false).await
}

async fn columns_and_counts_say_which_files_changed_them(database: Database) {
    let app = TestApp::start_on(database).await;
    app.put("lake", "raw/sales/d=1/a.csv", "id,price\n1,2\n2,3\n")
        .await;
    crawl(&app).await;
    app.put("lake", "raw/sales/d=1/b.csv", "id,price\n3,4\n4,5\n")
        .await;
    assert_eq!(
        reasons(&crawl(&app).await),
        [
            "shop.sales objectCount, recordCount, sizeKey: it has 2 files of 34 bytes, and had 1 file of 17 bytes",
            "shop.sales 1: d=1 has 2 files of 34 bytes, and had 1 file of 17 bytes",
        ]
    );
    app.put("lake", "raw/sales/d=2/c.csv", "id,price,shop\n5,2.5,eu\n")
        .await;
    let crawled = crawl(&app).await;
    assert_eq!(
        reasons(&crawled),
        [
            "shop.sales.price bigint → double: d=2/c.csv has double",
            "shop.sales.shop string: first found in d=2/c.csv; in 1 of 3 files; 1 of 1 values are text",
            "shop.sales 1: s3://lake/raw/sales/d=2/ has files, and had no partition",
            "shop.sales 1 follow the table: price is double in the table, and bigint in them; the table has shop string",
        ]
    );
    let told = log::lines(&crawled);
    let line = "INFO : Updated column sales.price in database shop (bigint → double): d=2/c.csv has double";
    assert!(told.iter().any(|told| told.ends_with(line)), "{told:#?}");
}

async fn other_files_say_what_they_were(database: Database) {
    let app = TestApp::start_on(database).await;
    app.put("lake", "raw/t/a.csv", "id,price\n1,2\n2,3\n").await;
    crawl(&app).await;
    // Quotes want another reader, which knows text alone.
    app.put("lake", "raw/t/a.csv", "id,price\n\"1\",2\n\"2\",3\n")
        .await;
    assert_eq!(
        reasons(&crawl(&app).await),
        [
            "shop.t areColumnsQuoted, averageRecordSize, sizeKey, what is said of columns: what reads them is 'OpenCSVSerde', and was \
             'LazySimpleSerDe'; it has 1 file of 21 bytes, and had 1 file of 17 bytes; areColumnsQuoted is \
             'true', and was 'false'"
        ]
    );
    app.put("lake", "raw/t/a.csv", "id;price\n1;2\n2;3\n").await;
    let reason = reasons(&crawl(&app).await).remove(0);
    assert!(reason.contains("delimiter is ';', and was ','"), "{reason}");

    app.app().buckets.delete("lake", "raw/t/a.csv").await.unwrap();
    app.put(
        "lake",
        "raw/t/b.json",
        "{\"id\": 1, \"price\": 2}\n{\"id\": 2, \"price\": 3}\n",
    )
    .await;
    let reason = reasons(&crawl(&app).await).pop().unwrap();
    assert!(reason.contains("its files are json, and were csv"), "{reason}");
}

async fn partitions_say_which_folders_they_are(database: Database) {
    let app = TestApp::start_on(database).await;
    for day in 1..=3 {
        let key = format!("raw/sales/d={day}/a.csv");
        app.put("lake", &key, "id,price\n1,2\n2,3\n").await;
    }
    let first = reasons(&crawl(&app).await).pop().unwrap();
    assert!(first.starts_with("shop.sales 3 by d: "), "{first}");

    // The same folder in another spelling is the same; another folder isn't.
    let sales = TableRef::parse("shop.sales").unwrap();
    for (day, place) in [("1", "s3a://lake/raw/sales/d=1"), ("2", "s3://lake/old/d=2/")] {
        let values = [day.to_owned()];
        let partition = catalog::partitions::find(app.app(), &sales, &values)
            .await
            .unwrap()
            .unwrap();
        let mut storage = partition.storage().unwrap();
        storage.location = Some(place.to_owned());
        let input = PartitionInput {
            storage: Some(storage),
            ..partition.own
        };
        catalog::partitions::update(app.app(), &sales, &[(values.to_vec(), input)])
            .await
            .unwrap();
    }
    assert_eq!(
        reasons(&crawl(&app).await),
        ["shop.sales 1: d=2 lies at s3://lake/raw/sales/d=2/, and lay at s3://lake/old/d=2/"]
    );
    let spelt = catalog::partitions::find(app.app(), &sales, &["1".to_owned()])
        .await
        .unwrap();
    assert_eq!(spelt.unwrap().location(), Some("s3a://lake/raw/sales/d=1"));

    for day in 1..=2 {
        let key = format!("raw/sales/d={day}/a.csv");
        app.app().buckets.delete("lake", &key).await.unwrap();
    }
    assert_eq!(
        reasons(&crawl(&app).await).pop().unwrap(),
        "shop.sales 2: s3a://lake/raw/sales/d=1 and 1 other folder hold no files any more"
    );

    app.app()
        .buckets
        .delete("lake", "raw/sales/d=3/a.csv")
        .await
        .unwrap();
    app.put("lake", "raw/sales/d=3/hour=1/a.csv", "id,price\n1,2\n2,3\n")
        .await;
    assert_eq!(
        reasons(&crawl(&app).await)[0],
        "shop.sales partitions by d → d, hour: its files lie in folders like s3://lake/raw/sales/d=3/hour=1/"
    );
}
