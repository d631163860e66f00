//! Avro files: each way to say a type, and each way to say it wrongly.

use classifiers::{ClassifyErrorKind, Layout};
use expect_test::{Expect, expect};
use serde_json::{Value, json};

use crate::support::{classify_bytes, show};

const SYNC: &[u8; 16] = b"sixteen bytes..\n";

fn long(value: i64) -> Vec<u8> {
    let mut value = (value << 1 ^ value >> 63) as u64;
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

fn entry(name: &str, value: &[u8]) -> Vec<u8> {
    [
        long(name.len() as i64),
        name.into(),
        long(value.len() as i64),
        value.to_vec(),
    ]
    .concat()
}

/// A header with a schema and a codec.
pub(crate) fn header(schema: &str, codec: &str) -> Vec<u8> {
    let entries = [
        entry("avro.schema", schema.as_bytes()),
        entry("avro.codec", codec.as_bytes()),
    ]
    .concat();
    [b"Obj\x01".to_vec(), long(2), entries, long(0), SYNC.to_vec()].concat()
}

fn block(rows: i64, bytes: usize) -> Vec<u8> {
    [long(rows), long(bytes as i64), vec![7; bytes], SYNC.to_vec()].concat()
}

fn record(fields: &[(&str, Value)]) -> String {
    let fields: Vec<Value> = fields
        .iter()
        .map(|(name, t)| json!({"name": name, "type": t}))
        .collect();
    json!({"type": "record", "name": "Row", "fields": fields}).to_string()
}

#[track_caller]
fn check(schema: &str, expected: Expect) {
    expected.assert_eq(&show(&classify_bytes("a.avro", &header(schema, "null"))));
}

#[track_caller]
fn refused(schema: &str, expected: Expect) {
    check(schema, expected);
}

#[test]
fn a_file_that_fastavro_wrote() {
    let bytes = include_bytes!("fixtures/avro/trips.avro");
    let verdict = classify_bytes("trips.avro", bytes).expect("Avro");
    let Some(Layout::Avro(avro)) = &verdict.layout else {
        panic!("it is no Avro")
    };
    assert_eq!(avro.codec, "deflate");
    assert!(avro.schema.starts_with('{'), "{}", avro.schema);
    assert_eq!(verdict.row_count, Some(3));
    expect![[r#"
        avro 1 3 rows sampled
          id: bigint — long
          fare: decimal(9,2)? — bytes decimal(9,2), or null
          at: timestamp — long timestamp-micros
          kind: string — enum Kind of 2 symbols
          stops: array<struct<zone:int,next:string>> — array of record Stop
          because its header holds the schema: record lake.Trip, 5 columns, blocks compressed by deflate
    "#]]
    .assert_eq(&show(&Ok(verdict)));
}

#[test]
fn primitive_and_logical_types() {
    let logical = |base: &str, name: &str| json!({"type": base, "logicalType": name});
    check(
        &record(&[
            ("none", json!("null")),
            ("flag", json!("boolean")),
            ("small", json!("int")),
            ("large", json!("long")),
            ("single", json!("float")),
            ("double", json!("double")),
            ("raw", json!("bytes")),
            ("text", json!({"type": "string", "avro.java.string": "String"})),
            (
                "kind",
                json!({"type": "enum", "name": "Kind", "symbols": ["A", "B"]}),
            ),
            ("hash", json!({"type": "fixed", "name": "Md5", "size": 16})),
            ("day", logical("int", "date")),
            ("millis", logical("long", "timestamp-millis")),
            ("micros", logical("long", "timestamp-micros")),
            ("local", logical("long", "local-timestamp-micros")),
            ("clock", logical("int", "time-millis")),
            ("clock_micros", logical("long", "time-micros")),
            ("uuid", logical("string", "uuid")),
            (
                "price",
                json!({"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2}),
            ),
            (
                "whole",
                json!({"type": "fixed", "name": "D", "size": 8, "logicalType": "decimal", "precision": 18}),
            ),
            (
                "huge",
                json!({"type": "bytes", "logicalType": "decimal", "precision": 50, "scale": 2}),
            ),
            (
                "span",
                json!({"type": "fixed", "name": "S", "size": 12, "logicalType": "duration"}),
            ),
            // The specification says to ignore a logical type that does not fit.
            ("odd", logical("string", "date")),
        ]),
        expect![[r#"
            avro 1 0 rows
              none: void? — null
              flag: boolean — boolean
              small: int — int
              large: bigint — long
              single: float — float
              double: double — double
              raw: binary — bytes
              text: string — string
              kind: string — enum Kind of 2 symbols
              hash: binary — fixed Md5 of 16 bytes
              day: date — int date
              millis: timestamp — long timestamp-millis
              micros: timestamp — long timestamp-micros
              local: timestamp — long local-timestamp-micros
              clock: int — int time-millis, in milliseconds since midnight
              clock_micros: bigint — long time-micros, in microseconds since midnight
              uuid: string — string uuid
              price: decimal(10,2) — bytes decimal(10,2)
              whole: decimal(18,0) — fixed decimal(18,0)
              huge: binary — bytes decimal(50,2), which is outside Hive's 38 digits
              span: binary — fixed duration, which has no Hive type
              odd: string — string
              because its header holds the schema: record Row, 22 columns, blocks compressed by null
        "#]],
    );
}

#[test]
fn nested_types_and_unions() {
    check(
        &record(&[
            ("tags", json!({"type": "array", "items": "string"})),
            ("counts", json!({"type": "map", "values": ["null", "long"]})),
            ("maybe", json!(["null", "int"])),
            (
                "maybe_last",
                json!([{"type": "record", "name": "P", "fields": [{"name": "x", "type": "int"}]}, "null"]),
            ),
            ("again", json!(["null", "P"])),
            ("wider", json!(["null", "int", "long"])),
            ("floats", json!(["float", "double"])),
            ("either", json!(["null", "int", "string"])),
            ("only_null", json!(["null"])),
            ("wrapped", json!({"type": {"type": "array", "items": "P"}})),
        ]),
        expect![[r#"
            avro 1 0 rows
              tags: array<string> — array of string
              counts: map<string,bigint> — map of long, or null
              maybe: int? — int, or null
              maybe_last: struct<x:int>? — record P, or null
              again: struct<x:int>? — record P, or null
              wider: bigint? — union of int, long, of which bigint is the wider, or null
              floats: double — union of float, double, of which double is the wider
              either: struct<member0:int,member1:string>? — union of int, string, as a struct of which one member is set, or null
              only_null: void? — null: no value can be anything else
              wrapped: array<struct<x:int>> — array of record P
              because its header holds the schema: record Row, 10 columns, blocks compressed by null
        "#]],
    );
}

#[test]
fn names_are_found_in_their_namespaces() {
    let schema = json!({"type": "record", "name": "Row", "namespace": "a.b", "fields": [
        {"name": "one", "type": {"type": "enum", "name": "Kind", "symbols": ["X"]}},
        {"name": "same", "type": "Kind"},
        {"name": "full", "type": "a.b.Kind"},
        {"name": "other", "type": {"type": "record", "name": "c.Inner", "fields": [
            {"name": "deep", "type": {"type": "fixed", "name": "F", "size": 2}}]}},
        {"name": "by_name", "type": "c.F"},
    ]});
    check(
        &schema.to_string(),
        expect![[r#"
        avro 1 0 rows
          one: string — enum Kind of 1 symbols
          same: string — enum Kind of 1 symbols
          full: string — enum Kind of 1 symbols
          other: struct<deep:binary> — record Inner
          by_name: binary — fixed F of 2 bytes
          because its header holds the schema: record a.b.Row, 5 columns, blocks compressed by null
    "#]],
    );
}

#[test]
fn a_schema_that_is_not_a_record_is_one_column() {
    check(
        "\"long\"",
        expect![[r#"
        avro 1 0 rows
          value: bigint — long
          because its header holds the schema: values without a record around them, so they are one column, 1 columns, blocks compressed by null
    "#]],
    );
}

#[test]
fn schemas_that_can_not_be_a_table() {
    let tree = json!({"type": "record", "name": "Tree", "fields": [
        {"name": "value", "type": "int"},
        {"name": "children", "type": {"type": "array", "items": "Tree"}}]});
    refused(
        &tree.to_string(),
        expect![[r#"
        error unsupported: the Avro schema is recursive: "Tree" contains itself, and a table has no type for that; cut the recursion when writing the file
    "#]],
    );
    refused(
        "{",
        expect![[r#"
        error malformed: the Avro header is corrupt: its schema is not JSON (EOF while parsing an object at line 1 column 1); write the file again
    "#]],
    );
    refused(
        "{\"type\":\"record\",\"name\":\"R\"}",
        expect![[r#"
        error malformed: the Avro header is corrupt: a record of its schema has no "fields"; write the file again
    "#]],
    );
    refused(
        &record(&[("a", json!("Missing"))]),
        expect![[r#"
        error malformed: the Avro header is corrupt: its schema uses "Missing", which it doesn't define; write the file again
    "#]],
    );
    refused(
        "7",
        expect![[r#"
        error malformed: the Avro header is corrupt: a type of its schema is neither text, an object nor an array; write the file again
    "#]],
    );
}

#[test]
fn rows_are_counted_by_block() {
    let schema = record(&[("a", json!("int"))]);
    let whole = [header(&schema, "zstandard"), block(1_000, 40), block(234, 20)].concat();
    let verdict = classify_bytes("a.avro", &whole).expect("Avro");
    assert_eq!((verdict.rows_sampled, verdict.row_count), (1_234, Some(1_234)));

    let cut = classify_bytes("a.avro", &whole[..whole.len() - 5]).expect("Avro");
    assert_eq!((cut.rows_sampled, cut.row_count), (1_000, None));
    expect!["the last block is cut off: the 1000 rows before it can be read, so upload the file again"]
        .assert_eq(&cut.reasons[1]);

    let large = [whole.clone(), vec![block(1, 1_000); 2_000].concat()].concat();
    let sampled = classify_bytes("a.avro", &large).expect("Avro");
    assert_eq!(sampled.row_count, None);
    assert!(sampled.rows_sampled > 2_000, "{}", sampled.rows_sampled);

    let mut odd = whole;
    let end = odd.len() - 1;
    odd[end] = b'!';
    expect![
        "after 1000 rows a block does not end with the file's sync marker, so what follows can't be read"
    ]
    .assert_eq(&classify_bytes("a.avro", &odd).expect("Avro").reasons[1]);
}

#[test]
fn an_unknown_codec_is_named() {
    let verdict = classify_bytes("a.avro", &header("\"int\"", "brotli")).expect("Avro");
    expect![[r#""brotli" is not one of Avro's codecs, so other readers may refuse the file"#]]
        .assert_eq(&verdict.reasons[1]);
}

#[test]
fn a_header_that_was_cut_off() {
    let whole = header(&record(&[("a", json!("int"))]), "null");
    for end in 4..whole.len() {
        let error = classify_bytes("a.avro", &whole[..end]).expect_err("cut off");
        assert_eq!(error.kind, ClassifyErrorKind::Truncated, "cut at {end}");
    }
}
