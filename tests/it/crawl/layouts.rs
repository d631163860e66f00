//! A table of each format: the SerDe and the parameters by which other engines read it, byte for byte.

use std::fmt::Write as _;

use expect_test::expect;
use mastic::catalog;
use mastic::model::page::PageRequest;
use mastic::model::table::{Parameters, Table};

use crate::harness::TestApp;

/// What differs from crawl to crawl, or says nothing of the format.
const LEFT_OUT: [&str; 9] = [
    "CRAWL_RUN_ID",
    "CrawlerSchemaDeserializerVersion",
    "CrawlerSchemaSerializerVersion",
    "UPDATED_BY_CRAWLER",
    "averageRecordSize",
    "objectCount",
    "recordCount",
    "sizeKey",
    "typeOfData",
];

fn last_word(name: Option<&String>) -> &str {
    name.and_then(|name| name.rsplit('.').next()).unwrap_or("nothing")
}

fn lines(shown: &mut String, sign: char, parameters: &Parameters) {
    for (name, value) in parameters {
        if !LEFT_OUT.contains(&name.as_str()) {
            writeln!(shown, "  {sign} {name}={value:?}").unwrap();
        }
    }
}

fn show(table: &Table) -> String {
    let storage = table.input.storage.as_ref().unwrap();
    let serde = storage.serde_info.as_ref().unwrap();
    let mut shown = format!(
        "{}: {}, {}\n",
        table.input.name,
        last_word(serde.serialization_library.as_ref()),
        last_word(storage.input_format.as_ref())
    );
    lines(&mut shown, '-', &serde.parameters);
    lines(&mut shown, '*', &table.input.parameters);
    shown
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_each_format_says_how_it_is_read() {
    let app = TestApp::start().await;
    app.put("lake", "raw/plain/a.csv", "Some notes\nid,name\n1,ada\n2,eva\n")
        .await;
    app.put("lake", "raw/quoted/a.csv", "id;name\n1;\"a;b\"\n2;c\n")
        .await;
    app.put("lake", "raw/long/a.csv", "id||name\n1||ada\n2||eva\n")
        .await;
    app.put(
        "lake",
        "raw/latin/a.csv",
        b"id,name\n1,Zo\xeb\n2,Andr\xe9\n3,Ren\xe9e\n",
    )
    .await;
    app.put("lake", "raw/docs/a.json", "{\"b\":1,\"a\":2}\n").await;
    app.put(
        "lake",
        "raw/books/a.xml",
        "<s><book><t>Emma</t></book><book><t>Ida</t></book></s>",
    )
    .await;
    app.put(
        "lake",
        "raw/kernel/a.log",
        "[    1.000000] one\n[    2.000000] two\n",
    )
    .await;
    let parquet = include_bytes!("../../data/two_rows.parquet");
    app.put("lake", "raw/parquet/a.parquet", parquet).await;
    let avro = include_bytes!("../../../classifiers/tests/it/fixtures/avro/trips.avro");
    app.put("lake", "raw/avro/a.avro", avro).await;
    let orc = include_bytes!("../../../classifiers/tests/it/fixtures/orc/three-rows.orc");
    app.put("lake", "raw/orc/a.orc", orc).await;

    app.crawl("s3://lake/raw/", "shop", false).await;

    let tables = catalog::tables::list_named(app.app(), "shop", None, &PageRequest::first(100)).await;
    let shown: String = tables.unwrap().items.iter().map(show).collect();
    expect![[r#"
        avro: AvroSerDe, AvroContainerInputFormat
          - avro.schema.literal="{\"type\": \"record\", \"name\": \"lake.Trip\", \"fields\": [{\"name\": \"id\", \"type\": \"long\"}, {\"name\": \"fare\", \"type\": [\"null\", {\"logicalType\": \"decimal\", \"precision\": 9, \"scale\": 2, \"type\": \"bytes\"}]}, {\"name\": \"at\", \"type\": {\"logicalType\": \"timestamp-micros\", \"type\": \"long\"}}, {\"name\": \"kind\", \"type\": {\"type\": \"enum\", \"name\": \"lake.Kind\", \"symbols\": [\"DAY\", \"NIGHT\"]}}, {\"name\": \"stops\", \"type\": {\"type\": \"array\", \"items\": {\"type\": \"record\", \"name\": \"lake.Stop\", \"fields\": [{\"name\": \"zone\", \"type\": \"int\"}, {\"name\": \"next\", \"type\": [\"null\", \"lake.Kind\"]}]}}}]}"
          - serialization.format="1"
          * avro.schema.literal="{\"type\": \"record\", \"name\": \"lake.Trip\", \"fields\": [{\"name\": \"id\", \"type\": \"long\"}, {\"name\": \"fare\", \"type\": [\"null\", {\"logicalType\": \"decimal\", \"precision\": 9, \"scale\": 2, \"type\": \"bytes\"}]}, {\"name\": \"at\", \"type\": {\"logicalType\": \"timestamp-micros\", \"type\": \"long\"}}, {\"name\": \"kind\", \"type\": {\"type\": \"enum\", \"name\": \"lake.Kind\", \"symbols\": [\"DAY\", \"NIGHT\"]}}, {\"name\": \"stops\", \"type\": {\"type\": \"array\", \"items\": {\"type\": \"record\", \"name\": \"lake.Stop\", \"fields\": [{\"name\": \"zone\", \"type\": \"int\"}, {\"name\": \"next\", \"type\": [\"null\", \"lake.Kind\"]}]}}}]}"
          * classification="avro"
          * compressionType="none"
        books: XmlSerDe, TextInputFormat
          - rowTag="book"
          * classification="xml"
          * compressionType="none"
          * rowTag="book"
        docs: JsonSerDe, TextInputFormat
          - paths="a,b"
          * classification="json"
          * compressionType="none"
        kernel: GrokSerDe, TextInputFormat
          - input.format="^\\[ *%{UPTIME:uptime:double}\\] %{GREEDYDATA:message}$"
          - input.grokCustomPatterns="UPTIME [0-9]+\\.[0-9]{6}"
          * classification="linux_kernel"
          * compressionType="none"
          * grokPattern="^\\[ *%{UPTIME:uptime:double}\\] %{GREEDYDATA:message}$"
        latin: LazySimpleSerDe, TextInputFormat
          - field.delim=","
          - serialization.encoding="iso-8859-1"
          * areColumnsQuoted="false"
          * classification="csv"
          * columnsOrdered="true"
          * compressionType="none"
          * delimiter=","
          * skip.header.line.count="1"
        long: MultiDelimitSerDe, TextInputFormat
          - field.delim="||"
          * areColumnsQuoted="false"
          * classification="csv"
          * columnsOrdered="true"
          * compressionType="none"
          * delimiter="||"
          * skip.header.line.count="1"
        orc: OrcSerde, OrcInputFormat
          - serialization.format="1"
          * classification="orc"
          * compressionType="none"
        parquet: ParquetHiveSerDe, MapredParquetInputFormat
          - serialization.format="1"
          * classification="parquet"
          * compressionType="none"
        plain: LazySimpleSerDe, TextInputFormat
          - field.delim=","
          * areColumnsQuoted="false"
          * classification="csv"
          * columnsOrdered="true"
          * compressionType="none"
          * delimiter=","
          * skip.header.line.count="2"
        quoted: OpenCSVSerde, TextInputFormat
          - escapeChar="\\"
          - quoteChar="\""
          - separatorChar=";"
          * areColumnsQuoted="true"
          * classification="csv"
          * columnsOrdered="true"
          * compressionType="none"
          * delimiter=";"
          * skip.header.line.count="1"
    "#]].assert_eq(&shown);
}
