//! Names that no catalog can hold: each costs one column or one folder its name, and nothing else.

use mastic::model::crawl::WorkState;

use super::columns;
use crate::both_databases;
use crate::harness::{Database, TestApp};

both_databases! { one_odd_name_costs_one_column, an_odd_partition_is_a_partition_or_a_folder }

async fn one_odd_name_costs_one_column(database: Database) {
    let app = TestApp::start_on(database).await;
    app.put(
        "lake",
        "raw/control/a.json",
        "{\"a\\u0001b\":1,\"n\":2}\n{\"a\\u0001b\":1,\"n\":3}\n",
    )
    .await;
    app.put(
        "lake",
        "raw/nul/a.json",
        "{\"a\\u0000b\":1,\"n\":2}\n{\"a\\u0000b\":1,\"n\":3}\n",
    )
    .await;
    app.put(
        "lake",
        "raw/inside/a.json",
        "{\"s\":{\"x\\u0000\":1},\"n\":2}\n{\"s\":{\"x\\u0000\":1},\"n\":2}\n",
    )
    .await;
    let long = format!("{{\"{}\":1,\"n\":2}}\n", "x".repeat(300));
    app.put("lake", "raw/long/a.json", long).await;
    app.put("lake", "raw/csv/a.csv", "a\u{1}b,n\n1,2\n3,4\n").await;
    app.put("lake", "raw/good/a.json", "{\"n\":2}\n").await;
    let crawl = app.crawl("s3://lake/raw/", "odd", false).await;
    assert_eq!((crawl.state, &crawl.error), (WorkState::Succeeded, &None));
    for table in ["control", "nul", "inside", "long", "good"] {
        assert_eq!(columns(&app, &format!("odd.{table}")).await, "n int", "{table}");
    }
    // A column of text keeps its place, under another name.
    assert_eq!(columns(&app, "odd.csv").await, "a b bigint, n bigint");
}

async fn an_odd_partition_is_a_partition_or_a_folder(database: Database) {
    let app = TestApp::start_on(database).await;
    app.put("lake", "one/k=%00/x.csv", "n,m\n1,2\n").await;
    app.put("lake", "one/k=a/x.csv", "n,m\n1,2\n").await;
    let crawl = app.crawl("s3://lake/one/", "odd", false).await;
    assert_eq!((crawl.state, &crawl.error), (WorkState::Succeeded, &None));
    assert_eq!(columns(&app, "odd.one").await, "n bigint, m bigint");
}
