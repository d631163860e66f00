//! Which objects a table is made of.

use mastic::catalog;
use mastic::etl::query;
use mastic::model::name::TableRef;
use serde_json::json;

use crate::harness::TestApp;

/// A table of CSV files that somebody made, with partitions at these places.
async fn table(app: &TestApp, location: &str, parameters: serde_json::Value, partitions: &[(&str, &str)]) {
    let storage = |location: &str| {
        json!({
            "location": location,
            "columns": [{"name": "n", "type": "int"}],
            "serde_info": {"serialization_library": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
                           "parameters": {"field.delim": ","}},
        })
    };
    catalog::databases::create(app.app(), serde_json::from_value(json!({"name": "d"})).unwrap())
        .await
        .unwrap();
    let keys = match partitions.is_empty() {
        true => json!([]),
        false => json!([{"name": "p", "type": "string"}]),
    };
    let input = json!({
        "name": "t", "storage": storage(location), "partition_keys": keys, "parameters": parameters,
    });
    catalog::tables::create(app.app(), "d", serde_json::from_value(input).unwrap())
        .await
        .unwrap();
    let inputs: Vec<_> = partitions
        .iter()
        .map(|(value, place)| {
            serde_json::from_value(json!({"values": [value], "storage": storage(place)})).unwrap()
        })
        .collect();
    let name = TableRef::parse("d.t").unwrap();
    for made in catalog::partitions::create(app.app(), &name, &inputs)
        .await
        .unwrap()
    {
        made.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hidden_names_on_any_level_markers_and_neighbours_are_no_data() {
    let app = TestApp::start().await;
    table(&app, "s3://lake/t", json!({"classification": "csv"}), &[]).await;
    for key in [
        "t/a.csv",
        "t/sub/b.csv",
        "t/_year=1/c.csv",
        "t/_temporary/0/d.csv",
        "t/.hive-staging_1/e.csv",
        "t/_SUCCESS.csv",
        "t/sub_$folder$",
        "t2/f.csv",
        "tt.csv",
    ] {
        app.put("lake", key, "1\n").await;
    }
    app.put("lake", "t/empty.csv", "").await;
    assert_eq!(app.rows("SELECT count(*) AS n FROM d.t").await, "[[3]]");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_is_of_the_innermost_partition_wherever_that_lies() {
    let app = TestApp::start().await;
    table(
        &app,
        "s3://lake/t/",
        json!({"classification": "csv"}),
        &[
            ("a", "s3://lake/t/p=a/"),
            ("inner", "s3://lake/t/p=a/p=inner"),
            ("away", "s3://lake/elsewhere/"),
            ("file", "s3://lake/elsewhere/sub/one.csv"),
            ("twin", "s3://lake/elsewhere/"),
            ("gone", "s3://lake/t/p=gone/"),
        ],
    )
    .await;
    for (key, n) in [
        ("t/p=a/1.csv", 1),
        ("t/p=a/p=inner/2.csv", 2),
        ("t/p=unknown/3.csv", 3),
        ("t/4.csv", 4),
        ("elsewhere/5.csv", 5),
        ("elsewhere/sub/one.csv", 6),
    ] {
        app.put("lake", key, format!("{n}\n")).await;
    }
    assert_eq!(
        app.rows("SELECT p, n FROM d.t ORDER BY p, n").await,
        r#"[["a",1],["away",5],["file",6],["inner",2],["twin",5]]"#
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_in_a_folder_full_of_other_things_are_read_by_themselves() {
    let app = TestApp::start().await;
    for n in 0..2_100 {
        app.put("lake", &format!("t/other/{n}.csv"), "0\n").await;
    }
    table(
        &app,
        "s3://lake/t/",
        json!({"classification": "csv"}),
        &[("a", "s3://lake/t/p=a/"), ("b", "s3://lake/t/p=b/")],
    )
    .await;
    app.put("lake", "t/p=a/1.csv", "1\n").await;
    app.put("lake", "t/p=b/2.csv", "2\n").await;
    assert_eq!(
        app.rows("SELECT p, n FROM d.t ORDER BY p").await,
        r#"[["a",1],["b",2]]"#
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_whose_log_says_what_counts_is_refused_by_name() {
    for (parameters, format) in [
        (
            json!({"table_type": "ICEBERG", "metadata_location": "s3://lake/t/metadata/1.json"}),
            "Iceberg",
        ),
        (json!({"spark.sql.sources.provider": "delta"}), "Delta Lake"),
        (json!({"spark.sql.sources.provider": "hudi"}), "Hudi"),
    ] {
        let app = TestApp::start().await;
        table(&app, "s3://lake/t/", parameters, &[]).await;
        app.put("lake", "t/a.csv", "1\n").await;
        let refused = query::run(app.app(), "SELECT * FROM d.t", 10).await.unwrap_err();
        assert!(
            refused
                .message
                .contains(&format!("table d.t is a table of {format}")),
            "{}",
            refused.message
        );
        assert!(refused.hint.is_some());
    }
}
