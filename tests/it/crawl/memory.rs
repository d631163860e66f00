//! A crawl reads only what changed, and looks only where its policy says.

use std::time::Duration;

use mastic::crawl::crawlers;
use mastic::model::crawl::{Crawl, CrawlTarget, CrawlerInput};
use mastic::model::crawl_options::{CrawlOptions, DeleteBehavior, RecrawlBehavior, UpdateBehavior};

use super::{changes, columns};
use crate::both_databases;
use crate::harness::{Database, TestApp};

both_databases! {
    what_is_known_is_not_read_again,
    only_new_folders_are_looked_at,
    only_folders_that_events_name_are_listed,
    the_order_of_arrival_and_an_interruption_change_nothing,
}

async fn crawler(app: &TestApp, recrawl: RecrawlBehavior) {
    let is_log = recrawl == RecrawlBehavior::CrawlNewFoldersOnly;
    let input = CrawlerInput {
        name: "raw".to_owned(),
        database: "shop".to_owned(),
        targets: vec![CrawlTarget {
            path: "s3://lake/raw/".to_owned(),
            ..CrawlTarget::default()
        }],
        options: CrawlOptions {
            recrawl,
            update: if is_log {
                UpdateBehavior::Log
            } else {
                UpdateBehavior::UpdateInDatabase
            },
            delete: if is_log {
                DeleteBehavior::Log
            } else {
                DeleteBehavior::DeprecateInDatabase
            },
            ..CrawlOptions::default()
        },
        ..CrawlerInput::default()
    };
    crawlers::create(app.app(), input).await.unwrap();
}

async fn run(app: &TestApp) -> Crawl {
    app.advance(Duration::from_secs(60));
    let id = crawlers::start(app.app(), "raw", false).await.unwrap().id;
    app.run_tasks().await;
    mastic::crawl::get(app.app(), &id).await.unwrap()
}

/// Objects listed, files read, files known.
fn work(crawl: &Crawl) -> (i64, i64, i64) {
    let progress = &crawl.progress;
    (progress.objects, progress.files_read, progress.files_known)
}

async fn three_days(app: &TestApp) {
    for day in 1..=3 {
        let key = format!("raw/sales/d={day}/a.csv");
        app.put("lake", &key, "id,price\n1,2\n2,3\n").await;
    }
}

async fn what_is_known_is_not_read_again(database: Database) {
    let app = TestApp::start_on(database).await;
    three_days(&app).await;
    app.put("lake", "raw/broken/a.parquet", "PAR1 and no more").await;
    let first = app.crawl("s3://lake/raw/", "shop", true).await;
    assert_eq!(work(&first), (4, 4, 0));
    let second = app.crawl("s3://lake/raw/", "shop", false).await;
    assert_eq!(work(&second), (4, 0, 4));
    assert_eq!(first.plan, second.plan);
    app.put("lake", "raw/sales/d=3/a.csv", "id,price\n1,2.5\n2,3\n")
        .await;
    let third = app.crawl("s3://lake/raw/", "shop", false).await;
    assert_eq!(work(&third), (4, 1, 3));
    assert_eq!(columns(&app, "shop.sales").await, "id bigint, price double");
}

async fn only_new_folders_are_looked_at(database: Database) {
    let app = TestApp::start_on(database).await;
    crawler(&app, RecrawlBehavior::CrawlNewFoldersOnly).await;
    three_days(&app).await;
    run(&app).await;
    // An old folder's new file is not seen; a new folder is; one that is gone stays.
    app.put("lake", "raw/sales/d=1/b.csv", "id,price,more\n1,2,3\n")
        .await;
    app.put("lake", "raw/sales/d=4/a.csv", "id,price\n1,2\n2,3\n")
        .await;
    app.app()
        .buckets
        .delete("lake", "raw/sales/d=2/a.csv")
        .await
        .unwrap();
    let crawl = run(&app).await;
    assert_eq!(changes(&crawl), ["add partitions shop.sales: 1"]);
    assert_eq!(crawl.progress.files_read, 1);
    assert_eq!(columns(&app, "shop.sales").await, "id bigint, price bigint");
}

async fn only_folders_that_events_name_are_listed(database: Database) {
    let app = TestApp::start_on(database).await;
    crawler(&app, RecrawlBehavior::CrawlEventMode).await;
    three_days(&app).await;
    assert_eq!(work(&run(&app).await), (3, 3, 0));
    let idle = run(&app).await;
    assert_eq!((idle.progress.objects, changes(&idle)), (0, Vec::new()));

    app.put("lake", "raw/sales/d=4/a.csv", "id,price,shop\n1,2,eu\n2,3,us\n")
        .await;
    app.app()
        .buckets
        .delete("lake", "raw/sales/d=2/a.csv")
        .await
        .unwrap();
    let crawl = run(&app).await;
    assert_eq!(work(&crawl), (1, 1, 2));
    assert_eq!(
        changes(&crawl),
        [
            "add column shop.sales.shop: string",
            "add partitions shop.sales: 1",
            "change partitions shop.sales: 2 follow the table",
            "retire partitions shop.sales: 1",
        ]
    );
    // It is what listing everything would have found.
    let whole = app.crawl("s3://lake/raw/", "whole", false).await;
    let (listed, heard) = (whole.plan.unwrap().tables, crawl.plan.unwrap().tables);
    assert_eq!(
        (&listed[0].columns, listed[0].files, listed[0].partitions),
        (&heard[0].columns, heard[0].files, heard[0].partitions)
    );
}

async fn the_order_of_arrival_and_an_interruption_change_nothing(database: Database) {
    let app = TestApp::start_on(database).await;
    let mut files: Vec<(String, &str)> = (1..=9)
        .map(|day| (format!("raw/sales/d={day}/a.csv"), "id,price\n1,2\n2,3\n"))
        .collect();
    files.push(("raw/a/x.json".to_owned(), "{\"x\": 1}"));
    files.push(("raw/b/2022/01/x.json".to_owned(), "{\"x\": 1}"));
    for (key, text) in &files {
        app.put("lake", key, *text).await;
    }
    let first = app.crawl("s3://lake/raw/", "shop", true).await;
    let other = TestApp::start_on(database).await;
    for (key, text) in files.iter().rev() {
        other.put("lake", key, *text).await;
    }
    // A worker takes the crawl up and dies at once; the next attempt does it.
    let request = first.request.clone();
    let id = mastic::crawl::start(other.app(), request).await.unwrap().id;
    let lost = mastic::queue::claim(&other.app().store, &*other.app().clock)
        .await
        .unwrap();
    let (lease, _) = lost.unwrap();
    let crawling = mastic::crawl::run(other.app(), &lease, &id);
    let _ = tokio::time::timeout(Duration::from_millis(20), crawling).await;
    other.advance(Duration::from_secs(60));
    other.run_tasks().await;
    let second = mastic::crawl::get(other.app(), &id).await.unwrap();
    assert_eq!(
        serde_json::to_string(&first.plan).unwrap(),
        serde_json::to_string(&second.plan).unwrap()
    );
}
