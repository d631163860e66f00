//! Tables of quoted text: readable for engines whose SerDe knows text alone, and typed for our own.

use mastic::model::crawl::{CrawlRequest, WorkState};
use mastic::model::crawl_options::{Compatibility, CrawlOptions};
use mastic::model::table::TableInput;
use serde_json::json;

use super::{changes, columns};
use crate::api::send;
use crate::both_databases;
use crate::harness::setup::crawl_of;
use crate::harness::{Database, TestApp};

both_databases! { quoted_tables_are_text_to_others_and_typed_to_us }

async fn quoted_tables_are_text_to_others_and_typed_to_us(database: Database) {
    let app = TestApp::start_on(database).await;
    app.put(
        "lake",
        "raw/t/a.csv",
        "id,name,price\n1,\"Doe, Jane\",2\n2,\"Roe, Rick\",3\n",
    )
    .await;
    let first = app.crawl("s3://lake/raw/t/", "shop", false).await;
    assert_eq!((first.state, &first.error), (WorkState::Succeeded, &None));
    let table = async || app.table("shop.t").await.input;
    let serde = |input: &TableInput| {
        let serde = input.storage.clone().unwrap().serde_info.unwrap();
        serde
            .serialization_library
            .unwrap()
            .rsplit('.')
            .next()
            .unwrap()
            .to_owned()
    };
    assert_eq!(serde(&table().await), "OpenCSVSerde");
    assert_eq!(
        columns(&app, "shop.t").await,
        "id string, name string, price string"
    );
    let real: Vec<Option<String>> = table()
        .await
        .columns()
        .iter()
        .map(|column| column.parameters.get("mastic.type").cloned())
        .collect();
    assert_eq!(real, [Some("bigint".to_owned()), None, Some("bigint".to_owned())]);
    let sum = json!({ "query": "SELECT sum(price) AS s, max(name) AS n FROM shop.t" });
    let (status, _, answer) = send(&app, "POST", "/api/v1/sql", Some(sum)).await;
    assert_eq!(
        (status, &answer["rows"]),
        (200, &json!([[5, "Roe, Rick"]])),
        "{answer}"
    );

    assert_eq!(
        changes(&app.crawl("s3://lake/raw/t/", "shop", false).await),
        Vec::<String>::new()
    );
    app.put("lake", "raw/t/b.csv", "id,name,price\n3,\"Poe, Ann\",2.5\n")
        .await;
    let wider = app.crawl("s3://lake/raw/t/", "shop", false).await;
    assert_eq!(changes(&wider), ["change column shop.t.price: bigint → double"]);
    assert_eq!(
        columns(&app, "shop.t").await,
        "id string, name string, price string"
    );

    // A file without quotes, and then one with them: the table follows.
    app.put("lake", "raw/u/a.csv", "id,name\n1,ada\n2,eva\n").await;
    app.crawl("s3://lake/raw/u/", "shop", false).await;
    assert_eq!(columns(&app, "shop.u").await, "id bigint, name string");
    app.put("lake", "raw/u/b.csv", "id,name\n3,\"Doe, Jane\"\n").await;
    app.crawl("s3://lake/raw/u/", "shop", false).await;
    assert_eq!(columns(&app, "shop.u").await, "id string, name string");

    // Glue's own crawlers write the plain SerDe in any case.
    let glue = app
        .crawl_as(CrawlRequest {
            options: CrawlOptions {
                compatibility: Some(Compatibility::Glue),
                ..CrawlOptions::default()
            },
            ..crawl_of("s3://lake/raw/t/", "glue")
        })
        .await;
    assert_eq!((glue.state, &glue.error), (WorkState::Succeeded, &None));
    assert_eq!(
        columns(&app, "glue.t").await,
        "id bigint, name string, price double"
    );
}
