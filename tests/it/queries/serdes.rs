//! Tables that a client or an engine defined are read as their SerDe says.

use mastic::catalog;
use mastic::etl::query;
use serde_json::{Value, json};

use crate::harness::TestApp;

const LAZY: &str = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe";
const OPEN_CSV: &str = "org.apache.hadoop.hive.serde2.OpenCSVSerde";
const REGEX: &str = "org.apache.hadoop.hive.serde2.RegexSerDe";
const OPENX: &str = "org.openx.data.jsonserde.JsonSerDe";

/// A table `d.t` with these columns over one file.
async fn table(columns: &[(&str, &str)], serde: Value, parameters: Value, key: &str, text: &str) -> TestApp {
    let app = TestApp::start().await;
    app.put("lake", &format!("t/{key}"), text.as_bytes()).await;
    let columns: Vec<Value> = columns
        .iter()
        .map(|(name, hive)| json!({"name": name, "type": hive}))
        .collect();
    let input = json!({
        "name": "t",
        "storage": {"location": "s3://lake/t/", "columns": columns, "serde_info": serde},
        "parameters": parameters,
    });
    catalog::databases::create(app.app(), serde_json::from_value(json!({"name": "d"})).unwrap())
        .await
        .unwrap();
    catalog::tables::create(app.app(), "d", serde_json::from_value(input).unwrap())
        .await
        .unwrap();
    app
}

fn serde(library: &str, parameters: Value) -> Value {
    json!({"serialization_library": library, "parameters": parameters})
}

const ID_NAME: [(&str, &str); 2] = [("id", "int"), ("name", "string")];

#[tokio::test(flavor = "multi_thread")]
async fn the_plain_serde_has_its_delimiter_its_null_and_no_quotes() {
    for (settings, parameters, text, wanted) in [
        (
            json!({"field.delim": "|"}),
            json!({}),
            "1|\"a\"\n2|\\N\n",
            r#"[[1,"\"a\""],[2,null]]"#,
        ),
        (
            json!({"field.delim": ",", "escape.delim": "\\"}),
            json!({}),
            "1,a\\,b\n2,\\N\n3,c\\\\\n4,\\,\n5,\\x\n",
            r#"[[1,"a,b"],[2,null],[3,"c\\"],[4,","],[5,"\\x"]]"#,
        ),
        (json!({}), json!({}), "1\u{1}a\n2\u{1}b\n", r#"[[1,"a"],[2,"b"]]"#),
        (json!({"field.delim": "\\t"}), json!({}), "1\ta\n", r#"[[1,"a"]]"#),
        (json!({"field.delim": "9"}), json!({}), "1\ta\n", r#"[[1,"a"]]"#),
        (
            json!({"field.delim": ",", "serialization.null.format": "-"}),
            json!({"skip.header.line.count": "1"}),
            "name,id\n1,-\n-,b\n3,null\n",
            r#"[[1,null],[null,"b"],[3,"null"]]"#,
        ),
    ] {
        let app = table(&ID_NAME, serde(LAZY, settings), parameters, "a.csv", text).await;
        assert_eq!(app.rows("SELECT * FROM d.t").await, wanted, "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_csv_serde_has_its_signs() {
    for (settings, text, wanted) in [
        (json!({}), "1,\"a, \\\"b\\\"\"\n", r#"[[1,"a, \"b\""]]"#),
        (
            json!({"separatorChar": ";", "quoteChar": "'", "escapeChar": "\\"}),
            "1;'it\\'s; ok'\n",
            r#"[[1,"it's; ok"]]"#,
        ),
    ] {
        let app = table(&ID_NAME, serde(OPEN_CSV, settings), json!({}), "a.csv", text).await;
        assert_eq!(app.rows("SELECT * FROM d.t").await, wanted, "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_regular_expression_takes_lines_apart() {
    let settings = json!({"input.regex": "(\\d+) \\[(.*?)\\]"});
    let app = table(
        &ID_NAME,
        serde(REGEX, settings),
        json!({}),
        "a.log",
        "1 [one]\nnothing\n2 [two]",
    )
    .await;
    let answer = query::run(app.app(), "SELECT * FROM d.t", 10).await.unwrap();
    assert_eq!(json!(answer.rows), json!([[1, "one"], [null, null], [2, "two"]]));
    assert_eq!(
        answer.remarks,
        [
            "d.t: 1 row is NULL, because line 2 doesn't match the table's input.regex: 'nothing', in s3://lake/t/a.log"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_of_json_may_be_called_otherwise_in_the_documents() {
    let settings = json!({"mapping.name": "Full Name"});
    let text = "{\"id\": 1, \"Full Name\": \"ada\", \"name\": \"no\"}\n";
    let app = table(&ID_NAME, serde(OPENX, settings), json!({}), "a.json", text).await;
    assert_eq!(app.rows("SELECT * FROM d.t").await, r#"[[1,"ada"]]"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn packed_files_are_unpacked_by_their_names_as_hadoop_does() {
    use std::io::Write as _;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(b"1,a\n2,b\n").unwrap();
    let app = table(
        &ID_NAME,
        serde(LAZY, json!({"field.delim": ","})),
        json!({}),
        "a.csv",
        "0,z\n",
    )
    .await;
    app.put("lake", "t/b.csv.gz", packed.finish().unwrap()).await;
    assert_eq!(
        app.rows("SELECT * FROM d.t ORDER BY id").await,
        r#"[[0,"z"],[1,"a"],[2,"b"]]"#
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_read_is_refused_by_name() {
    for (library, parameters, words) in [
        (
            "org.apache.hadoop.hive.ql.io.orc.OrcSerde",
            json!({}),
            "table d.t is made of ORC, which can't be read here yet",
        ),
        (
            "org.apache.hadoop.hive.serde2.avro.AvroSerDe",
            json!({}),
            "table d.t is made of Avro, which can't be read here yet",
        ),
        (
            LAZY,
            json!({"projection.enabled": "true"}),
            "table d.t has no partitions in the catalog, because Athena projects them (projection.enabled): it can't be read \
             here yet",
        ),
    ] {
        let app = table(&ID_NAME, serde(library, json!({})), parameters, "a", "x").await;
        let error = query::run(app.app(), "SELECT * FROM d.t", 10).await.unwrap_err();
        assert_eq!(error.message, words);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_of_links_names_the_files() {
    let app = table(
        &ID_NAME,
        serde(LAZY, json!({"field.delim": ","})),
        json!({}),
        "manifest",
        "",
    )
    .await;
    app.put("lake", "data/a.csv", "1,a\n").await;
    app.put("lake", "data/old.csv", "9,old\n").await;
    app.put("lake", "t/manifest", "s3://lake/data/a.csv\n").await;
    let name = mastic::model::name::TableRef::parse("d.t").unwrap();
    let mut input = catalog::tables::get(app.app(), &name).await.unwrap().input;
    let storage = input.storage.as_mut().unwrap();
    storage.input_format = Some("org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat".to_owned());
    catalog::tables::update(app.app(), &name, input, catalog::tables::Update::default())
        .await
        .unwrap();
    assert_eq!(app.rows("SELECT * FROM d.t").await, r#"[[1,"a"]]"#);
    app.put("lake", "t/manifest", "s3://lake/data/gone.csv\n").await;
    let error = query::run(app.app(), "SELECT * FROM d.t", 10).await.unwrap_err();
    assert!(error.message.contains("s3://lake/data/gone.csv"), "{error}");
}
