//! What crawls change over time, what they leave alone, and how a crawl is undone.

use mastic::catalog;
use mastic::crawl;
use mastic::error::ErrorKind;
use mastic::model::crawl::Crawl;
use mastic::model::table::Column;
use serde_json::json;

use super::{changes, columns, edit, name, partitions};
use crate::both_databases;
use crate::harness::{Database, TestApp};

both_databases! {
    what_a_person_wrote_stays,
    a_table_that_a_person_made_stays_theirs,
    partitions_follow_their_table,
    a_crawl_is_undone_and_then_done_again,
    what_somebody_changed_since_is_not_undone,
}

async fn sales(app: &TestApp) -> Crawl {
    app.put(
        "lake",
        "raw/sales/d=2021-01-01/a.csv",
        "id,price,note\n1,2,x\n2,3,y\n",
    )
    .await;
    app.crawl("s3://lake/raw/", "shop", false).await
}

async fn what_a_person_wrote_stays(database: Database) {
    let app = TestApp::start_on(database).await;
    sales(&app).await;
    edit(&app, "shop.sales", |input| {
        input.description = Some("What was sold".to_owned());
        input.parameters.insert("owner_team".to_owned(), "web".to_owned());
        input.partition_keys[0].data_type = Some("date".to_owned());
        let columns = &mut input.storage.as_mut().unwrap().columns;
        columns[0].comment = Some("The sale's number".to_owned());
        columns[0].data_type = Some("string".to_owned());
        columns[2].name = "remark".to_owned();
    })
    .await;
    app.put(
        "lake",
        "raw/sales/d=2021-01-02/b.csv",
        "id,price,note,shop\n3,2.5,z,eu\n4,1,q,us\n",
    )
    .await;
    let crawl = app.crawl("s3://lake/raw/", "shop", false).await;
    assert_eq!(
        changes(&crawl),
        [
            "change column shop.sales.price: bigint → double",
            "add column shop.sales.shop: string",
            "add partitions shop.sales: 1",
            "change partitions shop.sales: 1 follow the table",
        ]
    );
    assert_eq!(
        columns(&app, "shop.sales").await,
        "id string, price double, remark string, shop string"
    );
    let input = app.table("shop.sales").await.input;
    assert_eq!(input.description.as_deref(), Some("What was sold"));
    assert_eq!(input.parameters["owner_team"], "web");
    assert_eq!(input.parameters["objectCount"], "2");
    assert_eq!(input.columns()[0].comment.as_deref(), Some("The sale's number"));
    assert_eq!(input.partition_keys[0].data_type.as_deref(), Some("date"));
    let told: Vec<String> = crawl
        .plan
        .unwrap()
        .changes
        .iter()
        .filter(|change| change.name.ends_with(".id") || change.name.ends_with(".note"))
        .map(|change| format!("{}: {}", change.detail, change.reason))
        .collect();
    assert_eq!(
        told,
        [
            "stays string: somebody gave it this type; the files have bigint",
            "stays away: somebody renamed or removed it",
        ]
    );
    let again = app.crawl("s3://lake/raw/", "shop", false).await;
    assert_eq!(changes(&again), Vec::<String>::new());
}

async fn a_table_that_a_person_made_stays_theirs(database: Database) {
    let app = TestApp::start_on(database).await;
    sales(&app).await;
    // The same folder, described by hand in another database.
    let mut input = app.table("shop.sales").await.input;
    input.parameters.clear();
    let storage = input.storage.as_mut().unwrap();
    storage.columns[1] = Column::new("price", "decimal(10,2)");
    storage.parameters = None;
    catalog::databases::create(
        app.app(),
        serde_json::from_value(json!({"name": "hand"})).unwrap(),
    )
    .await
    .unwrap();
    catalog::tables::create(app.app(), "hand", input).await.unwrap();
    // And one of the same name at another place.
    app.put("lake", "raw/other/a.json", "{\"x\": 1}").await;
    catalog::tables::create(
        app.app(),
        "hand",
        serde_json::from_value(json!({"name": "other", "storage": {"location": "s3://elsewhere/other/"}}))
            .unwrap(),
    )
    .await
    .unwrap();

    app.crawl("s3://lake/raw/", "hand", false).await;
    assert_eq!(
        columns(&app, "hand.sales").await,
        "id bigint, price decimal(10,2), note string"
    );
    let made = app.table("hand.sales").await.input;
    assert!(!made.parameters.contains_key("UPDATED_BY_CRAWLER"));
    assert_eq!(
        app.table("hand.other").await.input.location(),
        Some("s3://elsewhere/other/")
    );
    assert_eq!(columns(&app, "hand.raw_other").await, "x int");
}

async fn partitions_follow_their_table(database: Database) {
    let app = TestApp::start_on(database).await;
    sales(&app).await;
    app.put(
        "lake",
        "raw/sales/d=2021-01-02/b.csv",
        "id,price,note\n3,2.5,z\n4,1,q\n",
    )
    .await;
    app.crawl("s3://lake/raw/", "shop", false).await;
    for partition in partitions(&app, "shop.sales").await {
        let storage = partition.storage().unwrap();
        assert_eq!(storage.columns, app.table("shop.sales").await.input.columns());
        assert_eq!(partition.own.parameters["recordCount"], "2");
        assert_eq!(partition.own.parameters["objectCount"], "1");
    }
    app.put(
        "lake",
        "raw/sales/d=2021-01-02/c.csv",
        "id,price,note\n5,2.5,z\n6,1,q\n",
    )
    .await;
    let crawl = app.crawl("s3://lake/raw/", "shop", false).await;
    assert_eq!(
        changes(&crawl),
        [
            "change table shop.sales: objectcount, recordcount, sizekey",
            "change partitions shop.sales: 1",
        ]
    );
    let plan = crawl.plan.unwrap();
    let items: Vec<&String> = plan.changes.iter().flat_map(|change| &change.items).collect();
    assert_eq!(items, ["d=2021-01-02"]);
    let counts: Vec<String> = partitions(&app, "shop.sales")
        .await
        .iter()
        .map(|partition| partition.own.parameters["objectCount"].clone())
        .collect();
    assert_eq!(counts, ["1", "2"]);
}

async fn a_crawl_is_undone_and_then_done_again(database: Database) {
    let app = TestApp::start_on(database).await;
    let first = sales(&app).await;
    app.put("lake", "raw/clicks/1.json", "{\"at\": 1}").await;
    app.put(
        "lake",
        "raw/sales/d=2021-01-02/b.csv",
        "id,price,note\n3,2.5,z\n4,1,q\n",
    )
    .await;
    app.app()
        .buckets
        .delete("lake", "raw/sales/d=2021-01-01/a.csv")
        .await
        .unwrap();
    let before = (
        app.table("shop.sales").await.input,
        partitions(&app, "shop.sales").await,
    );
    let second = app.crawl("s3://lake/raw/", "shop", false).await;
    assert_eq!(
        changes(&second),
        [
            "add table shop.clicks: json, 1 column, 1 file at s3://lake/raw/clicks/",
            "change column shop.sales.price: bigint → double",
            "add partitions shop.sales: 1",
            "retire partitions shop.sales: 1",
        ]
    );
    let undone = crawl::undo(app.app(), &second.id).await.unwrap();
    assert!(undone.undone_at.is_some());
    assert!(
        catalog::tables::get(app.app(), &name("shop.clicks"))
            .await
            .is_err()
    );
    assert_eq!(app.table("shop.sales").await.input, before.0);
    let now = partitions(&app, "shop.sales").await;
    assert_eq!(now.len(), 1);
    assert_eq!(
        (&now[0].own, now[0].storage()),
        (&before.1[0].own, before.1[0].storage())
    );
    let refusal = crawl::undo(app.app(), &second.id).await.unwrap_err();
    assert_eq!(
        (refusal.kind, refusal.message),
        (
            ErrorKind::Conflict,
            format!("crawl {} was undone already", second.id)
        )
    );

    let third = app.crawl("s3://lake/raw/", "shop", false).await;
    assert_eq!(changes(&third), changes(&second));
    crawl::undo(app.app(), &third.id).await.unwrap();
    // The first crawl left another version of the table than is there now.
    let refusal = crawl::undo(app.app(), &first.id).await.unwrap_err();
    assert_eq!(refusal.kind, ErrorKind::Conflict);
}

async fn what_somebody_changed_since_is_not_undone(database: Database) {
    let app = TestApp::start_on(database).await;
    let crawl = sales(&app).await;
    app.advance(std::time::Duration::from_secs(1));
    edit(&app, "shop.sales", |input| {
        input.description = Some("Mine".to_owned())
    })
    .await;
    let refusal = crawl::undo(app.app(), &crawl.id).await.unwrap_err();
    assert_eq!(
        (refusal.kind, refusal.message.as_str()),
        (
            ErrorKind::Conflict,
            "shop.sales was changed since the crawl, so nothing was undone"
        )
    );
    assert_eq!(
        app.table("shop.sales").await.input.description.as_deref(),
        Some("Mine")
    );
    let path = format!("/api/v1/crawls/{}/undo", crawl.id);
    let (status, _, problem) = crate::api::send(&app, "POST", &path, None).await;
    assert_eq!(
        (status, problem["hint"].as_str().unwrap()),
        (409, "change it back, or undo what came after the crawl first")
    );
    let dry = app.crawl("s3://lake/raw/", "shop", true).await;
    let refusal = crawl::undo(app.app(), &dry.id).await.unwrap_err();
    assert_eq!(refusal.kind, ErrorKind::Invalid);
}
