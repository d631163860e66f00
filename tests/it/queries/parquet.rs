//! Parquet files of one table that differ, and what of a file is read at all.

use std::sync::Arc;

use datafusion::arrow::array::types::ArrowPrimitiveType;
use datafusion::arrow::array::{
    ArrayRef, Decimal128Array, Float16Array, Int32Array, Int64Array, RecordBatch, StringArray, StructArray,
    Time64MicrosecondArray, TimestampNanosecondArray, UInt64Array,
};
use datafusion::arrow::datatypes::{DataType, Field, Float16Type};
use mastic::etl::query;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::{EnabledStatistics, WriterProperties};

use crate::harness::TestApp;

fn file_with(columns: Vec<(&str, ArrayRef)>, properties: WriterProperties) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

fn file(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    file_with(columns, WriterProperties::default())
}

fn array<A: datafusion::arrow::array::Array + 'static>(array: A) -> ArrayRef {
    Arc::new(array)
}

fn structs(fields: Vec<(&str, ArrayRef)>) -> ArrayRef {
    let fields = fields.into_iter().map(|(name, values)| {
        (
            Arc::new(Field::new(name, values.data_type().clone(), true)),
            values,
        )
    });
    array(StructArray::from(fields.collect::<Vec<_>>()))
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_differ_are_read_by_name_as_the_types_of_all() {
    let app = TestApp::start().await;
    let decimal = |value| {
        Decimal128Array::from(vec![value])
            .with_precision_and_scale(10, 2)
            .unwrap()
    };
    let files = [
        file(vec![
            ("id", array(Int32Array::from(vec![1]))),
            ("Price", array(Int32Array::from(vec![7]))),
            (
                "who",
                structs(vec![("name", array(StringArray::from(vec!["ada"])))]),
            ),
        ]),
        file(vec![
            (
                "who",
                structs(vec![
                    ("age", array(Int64Array::from(vec![36]))),
                    ("Name", array(StringArray::from(vec!["bob"]))),
                ]),
            ),
            ("price", array(decimal(1234))),
            ("ID", array(Int64Array::from(vec![1 << 40]))),
        ]),
    ];
    for (number, bytes) in files.into_iter().enumerate() {
        app.put("lake", &format!("t/n={number}/a.parquet"), bytes).await;
    }
    app.crawl("s3://lake/", "d", false).await;
    let rows = app.rows("SELECT id, price, who FROM d.t ORDER BY n").await;
    let wanted = r#"[[1,"7.00",{"age":null,"name":"ada"}],[1099511627776,"12.34",{"age":36,"name":"bob"}]]"#;
    assert_eq!(rows.to_lowercase(), wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn types_that_a_catalog_has_no_word_for_are_read_as_what_comes_next() {
    let app = TestApp::start().await;
    let half = <Float16Type as ArrowPrimitiveType>::Native::from_f32(1.5);
    let bytes = file(vec![
        ("u", array(UInt64Array::from(vec![u64::MAX]))),
        ("h", array(Float16Array::from(vec![half]))),
        ("t", array(Time64MicrosecondArray::from(vec![3_600_000_001]))),
        (
            "n",
            array(TimestampNanosecondArray::from(vec![1_000_000_123_456_789_012])),
        ),
    ]);
    app.put("lake", "t/a.parquet", bytes).await;
    app.crawl("s3://lake/", "d", false).await;
    let answer = query::run(app.app(), "SELECT u, h, t, n FROM d.t", 10)
        .await
        .unwrap();
    let types: Vec<&str> = answer.columns.iter().map(|(_, hive)| hive.as_str()).collect();
    assert_eq!(types, ["decimal(20,0)", "float", "bigint", "timestamp"]);
    assert_eq!(
        serde_json::to_string(&answer.rows).unwrap(),
        r#"[["18446744073709551615",1.5,3600000001,"2001-09-09 01:48:43.456789"]]"#
    );
    assert_eq!(
        answer.remarks,
        ["d.t.n: its nanoseconds are cut to microseconds: s3://lake/t/a.parquet"]
    );
}

/// Ten row groups of a hundred rows, ten pages each: `id` counts up, `name` is its text. Between the footer and the rows
/// of `kept` there is nothing left that could be read.
fn mostly_broken(kept: std::ops::Range<i64>) -> Vec<u8> {
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(100))
        .set_data_page_row_count_limit(10)
        .set_write_batch_size(10)
        .set_dictionary_enabled(false)
        .set_compression(parquet::basic::Compression::UNCOMPRESSED)
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_bloom_filter_enabled(true)
        .build();
    let names = (0..1000).map(|id| format!("n{:03}", (id * 7) % 1000));
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", array(Int64Array::from_iter_values(0..1000))),
        ("name", array(StringArray::from_iter_values(names))),
    ];
    let mut bytes = file_with(columns, properties);
    let metadata = parquet::file::metadata::ParquetMetaDataReader::new()
        .with_page_index_policy(parquet::file::metadata::PageIndexPolicy::Required)
        .parse_and_finish(&bytes::Bytes::from(bytes.clone()))
        .unwrap();
    for (group, pages) in metadata.offset_index().unwrap().iter().enumerate() {
        for column in pages {
            let places = column.page_locations();
            for (page, place) in places.iter().enumerate() {
                let first = i64::try_from(group).unwrap() * 100 + i64::try_from(page).unwrap() * 10;
                if !kept.contains(&first) {
                    let start = usize::try_from(place.offset).unwrap();
                    bytes[start..start + usize::try_from(place.compressed_page_size).unwrap()].fill(0xff);
                }
            }
        }
    }
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn row_groups_and_pages_that_cannot_have_what_is_asked_for_are_not_read() {
    let app = TestApp::start().await;
    app.put("lake", "t/a.parquet", mostly_broken(430..440)).await;
    app.crawl("s3://lake/", "d", false).await;
    for (sql, wanted) in [
        ("SELECT count(*) FROM d.t", "[[1000]]"),
        ("SELECT min(id), max(id) FROM d.t", "[[0,999]]"),
        ("SELECT id, name FROM d.t WHERE id = 432", r#"[[432,"n024"]]"#),
        (
            "SELECT count(*), sum(id) FROM d.t WHERE id BETWEEN 430 AND 439",
            "[[10,4345]]",
        ),
        ("SELECT id FROM d.t WHERE id > 999", "[]"),
        // Nothing tells by least and greatest: the bloom filters do.
        ("SELECT id FROM d.t WHERE name = 'n999x'", "[]"),
    ] {
        assert_eq!(app.rows(sql).await, wanted, "{sql}");
    }
    let error = query::run(app.app(), "SELECT sum(id) FROM d.t", 10)
        .await
        .unwrap_err();
    assert!(error.message.starts_with("s3://lake/t/a.parquet: "), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_file_is_an_error_by_name_and_what_is_no_parquet_is_left_out() {
    let app = TestApp::start().await;
    let whole = file(vec![("id", array(Int32Array::from(vec![1, 2])))]);
    app.put("lake", "t/a.parquet", whole.clone()).await;
    app.crawl("s3://lake/", "d", false).await;
    app.put("lake", "t/notes.txt", "these are some notes, and no data")
        .await;
    let answer = query::run(app.app(), "SELECT id FROM d.t", 10).await.unwrap();
    assert_eq!(answer.rows.len(), 2);
    assert_eq!(
        answer.remarks,
        ["d.t: 1 file is left out: s3://lake/t/notes.txt: it is no Parquet"]
    );
    app.put("lake", "t/b.parquet", &whole[..whole.len() - 20]).await;
    let error = query::run(app.app(), "SELECT id FROM d.t", 10).await.unwrap_err();
    assert!(
        error
            .message
            .starts_with("s3://lake/t/b.parquet: it can't be read as Parquet"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_a_columns_type_is_its_text() {
    let app = TestApp::start().await;
    let nested = structs(vec![("a", array(Int32Array::from(vec![1])))]);
    app.put("lake", "t/n=1/a.parquet", file(vec![("v", nested)]))
        .await;
    let text = array(StringArray::from(vec!["x"]));
    app.put("lake", "t/n=2/a.parquet", file(vec![("v", text)])).await;
    app.crawl("s3://lake/", "d", false).await;
    assert_eq!(
        app.rows("SELECT v FROM d.t ORDER BY n").await,
        r#"[["{\"a\":1}"],["x"]]"#
    );
    let answer = query::run(app.app(), "SELECT v FROM d.t", 10).await.unwrap();
    assert_eq!(
        answer.columns,
        [(
            "v".to_owned(),
            DataType::Utf8.to_string().replace("Utf8", "string")
        )]
    );
}
