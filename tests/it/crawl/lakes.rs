//! Tables of a table format are one table each.

use super::{changes, columns, set_aside};
use crate::harness::TestApp;

#[tokio::test(flavor = "multi_thread")]
async fn an_iceberg_table_and_a_delta_table_are_one_table_each() {
    let app = TestApp::start().await;
    let metadata = |fields: &str| {
        format!(
            r#"{{"format-version": 2, "current-schema-id": 1, "schemas": [{{"schema-id": 0, "type": "struct", "fields": []}},
            {{"schema-id": 1, "type": "struct", "fields": [{fields}]}}]}}"#
        )
    };
    let id = r#"{"id": 1, "name": "id", "required": true, "type": "long"}"#;
    let more = r#"{"id": 2, "name": "Tags", "required": false, "type": {"type": "list", "element-id": 3,
        "element": {"type": "struct", "fields": [{"id": 4, "name": "n", "type": "decimal(9, 2)"}]}}}"#;
    app.put("lake", "w/ice/metadata/00000-a.metadata.json", metadata(id))
        .await;
    app.put(
        "lake",
        "w/ice/metadata/00010-c.metadata.json",
        metadata(&format!("{id}, {more}")),
    )
    .await;
    app.put("lake", "w/ice/metadata/00009-b.metadata.json", metadata(id))
        .await;
    app.put("lake", "w/ice/data/00000.parquet", "not read").await;
    put_delta(&app).await;
    app.put("lake", "w/delta/d=1/part-0.parquet", "not read").await;
    app.put(
        "lake",
        "w/lost/_delta_log/00000000000000000007.json",
        "{\"commitInfo\":{}}",
    )
    .await;
    app.put("lake", "w/torn/metadata/00000-a.metadata.json", "{")
        .await;
    app.put("lake", "w/torn/data/a.parquet", "not read").await;

    let crawl = app.crawl("s3://lake/w/", "w", false).await;
    assert_eq!(
        changes(&crawl),
        [
            "add database w: new",
            "add table w.delta: delta, 4 columns, 1 file at s3://lake/w/delta/",
            "add table w.ice: iceberg, 2 columns, 1 file at s3://lake/w/ice/",
        ]
    );
    assert_eq!(
        columns(&app, "w.ice").await,
        "id bigint, tags array<struct<n:decimal(9,2)>>"
    );
    assert_eq!(
        columns(&app, "w.delta").await,
        "id bigint, price decimal(9,2), tags array<struct<k:string,n:int>>, d date"
    );
    let ice = app.table("w.ice").await;
    let parameter = |name: &str| ice.input.parameters[name].as_str();
    assert_eq!(
        (parameter("table_type"), parameter("metadata_location")),
        ("ICEBERG", "s3://lake/w/ice/metadata/00010-c.metadata.json")
    );
    assert_eq!(
        set_aside(&crawl),
        [
            "s3://lake/w/lost/_delta_log/: it is no log of a Delta Lake table: neither the commits behind its last checkpoint \
             nor that checkpoint name a schema",
            "s3://lake/w/torn/metadata/00000-a.metadata.json: it is no metadata of an Iceberg table: it is no JSON"
        ]
    );
    assert_eq!(
        changes(&app.crawl("s3://lake/w/", "w", false).await),
        Vec::<String>::new()
    );
}

/// A log of two commits: the second changes the schema, and a third adds a file.
async fn put_delta(app: &TestApp) {
    let commit = async |version: u8, lines: String| {
        app.put("lake", &format!("w/delta/_delta_log/{version:020}.json"), lines)
            .await;
    };
    let metadata = |fields: &[&str]| {
        let schema = format!(r#"{{"type":"struct","fields":[{}]}}"#, fields.join(","));
        let action = serde_json::json!({ "metaData": {
            "id": "t", "format": { "provider": "parquet", "options": {} }, "schemaString": schema,
            "partitionColumns": ["d"], "configuration": {},
        } });
        format!(
            "{}\n{action}\n",
            r#"{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}"#
        )
    };
    let id = r#"{"name":"id","type":"long","nullable":true,"metadata":{}}"#;
    let day = r#"{"name":"d","type":"date","nullable":true,"metadata":{}}"#;
    let price = r#"{"name":"price","type":"decimal(9,2)","nullable":true,"metadata":{}}"#;
    let tags = r#"{"name":"tags","type":{"type":"array","elementType":{"type":"struct","fields":[
        {"name":"k","type":"string","nullable":true,"metadata":{}},
        {"name":"n","type":"integer","nullable":true,"metadata":{}}]},"containsNull":true},"nullable":true,"metadata":{}}"#;
    commit(0, metadata(&[id, day])).await;
    commit(1, metadata(&[id, price, tags, day])).await;
    commit(2, r#"{"add":{"path":"d=1/part-0.parquet"}}"#.to_owned()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delta_tables_columns_come_from_its_checkpoint_where_its_commits_are_gone() {
    let app = TestApp::start().await;
    app.put(
        "lake",
        "w/delta/_delta_log/00000000000000000010.checkpoint.parquet",
        include_bytes!("../../data/delta_checkpoint.parquet").to_vec(),
    )
    .await;
    app.put(
        "lake",
        "w/delta/_delta_log/00000000000000000011.json",
        "{\"add\":{}}\n",
    )
    .await;
    app.put("lake", "w/delta/part-0.parquet", "not read").await;
    let crawl = app.crawl("s3://lake/w/", "w", false).await;
    assert_eq!(set_aside(&crawl), Vec::<String>::new());
    assert_eq!(columns(&app, "w.delta").await, "id bigint, name string");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_tables_are_looked_at_by_one_child_and_each_fails_alone() {
    let app = TestApp::start().await;
    let metadata = r#"{"format-version": 2, "current-schema-id": 0, "schemas": [{"schema-id": 0, "type": "struct",
        "fields": [{"id": 1, "name": "id", "required": true, "type": "long"}]}]}"#;
    for number in 0..20 {
        let text = if number == 7 { "{" } else { metadata };
        let key = format!("w/t{number:02}/metadata/00000-a.metadata.json");
        app.put("lake", &key, text).await;
        app.put("lake", &format!("w/t{number:02}/data/a.parquet"), "not read")
            .await;
    }
    let before = app.app().children.started();
    let crawl = app.crawl("s3://lake/w/", "w", false).await;
    assert_eq!(app.app().children.started() - before, 1);
    assert_eq!(changes(&crawl).len(), 1 + 19);
    assert_eq!(crawl.progress.files_read, 20);
    assert_eq!(
        set_aside(&crawl),
        [
            "s3://lake/w/t07/metadata/00000-a.metadata.json: it is no metadata of an Iceberg table: it is no JSON"
        ]
    );
    app.put("lake", "w/t99/metadata/00000-a.metadata.json", metadata)
        .await;
    let before = app.app().children.started();
    app.crawl("s3://lake/w/", "w", true).await;
    assert_eq!(app.app().children.started() - before, 2, "twenty for each");
}
