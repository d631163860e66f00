//! ORC files: footers of two writers under every codec, and footers that lie.

use classifiers::ClassifyErrorKind;
use expect_test::{Expect, expect};

use crate::support::{classify_bytes, show};

pub(crate) const EVERY_TYPE: [(&str, &[u8]); 5] = [
    ("nothing", include_bytes!("fixtures/orc/every-type-none.orc")),
    ("zlib", include_bytes!("fixtures/orc/every-type-zlib.orc")),
    ("snappy", include_bytes!("fixtures/orc/every-type-snappy.orc")),
    ("lz4", include_bytes!("fixtures/orc/every-type-lz4.orc")),
    ("zstd", include_bytes!("fixtures/orc/every-type-zstd.orc")),
];

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

fn number(field: u64, value: u64) -> Vec<u8> {
    [varint(field << 3), varint(value)].concat()
}

fn bytes(field: u64, value: &[u8]) -> Vec<u8> {
    [varint(field << 3 | 2), varint(value.len() as u64), value.to_vec()].concat()
}

/// A node of the type tree.
pub(crate) fn node(kind: u64, children: &[u64], names: &[&str]) -> Vec<u8> {
    let children: Vec<u8> = children.iter().flat_map(|child| varint(*child)).collect();
    let names = names.iter().flat_map(|name| bytes(3, name.as_bytes()));
    let packed = if children.is_empty() {
        vec![]
    } else {
        bytes(2, &children)
    };
    [number(1, kind), packed, names.collect()].concat()
}

/// A file of a footer alone. `compression` is the number of a codec.
pub(crate) fn file(footer: &[u8], announced: u64, compression: u64) -> Vec<u8> {
    let postscript = [number(1, announced), number(2, compression), bytes(8000, b"ORC")].concat();
    let length = postscript.len() as u8;
    [b"ORC".to_vec(), footer.to_vec(), postscript, vec![length]].concat()
}

pub(crate) fn schema(types: &[Vec<u8>]) -> Vec<u8> {
    let types: Vec<u8> = types.iter().flat_map(|node| bytes(4, node)).collect();
    let footer = [types, number(6, 42)].concat();
    file(&footer, footer.len() as u64, 0)
}

#[track_caller]
fn check(bytes: &[u8], expected: Expect) {
    expected.assert_eq(&show(&classify_bytes("a.orc", bytes)));
}

#[test]
fn every_type_under_every_codec() {
    check(
        EVERY_TYPE[0].1,
        expect![[r#"
        orc 1 0 rows
          b: boolean? — boolean
          c: string? — char(3)
          v: string? — varchar(10)
          d: decimal(9,2)? — decimal(9,2)
          t: timestamp? — timestamp
          z: timestamp? — timestamp with local time zone
          day: date? — date
          bin: binary? — binary
          u: struct<member0:int,member1:string>? — union of 2 types, as a struct of which one member is set
          m: map<string,array<struct<x:int,y:double>>>? — map
          because its footer holds the schema: 10 columns, 0 rows, compressed by nothing
    "#]],
    );
    let plain = classify_bytes("a.orc", EVERY_TYPE[0].1).expect("ORC");
    for (codec, bytes) in EVERY_TYPE {
        let verdict = classify_bytes("a.orc", bytes).expect(codec);
        assert_eq!(verdict.columns, plain.columns, "{codec}");
        assert!(verdict.reasons[0].ends_with(codec), "{}", verdict.reasons[0]);
    }
}

#[test]
fn a_file_that_pyarrow_wrote() {
    check(
        include_bytes!("fixtures/orc/three-rows.orc"),
        expect![[r#"
        orc 1 3 rows
          id: bigint? — long
          price: double? — double
          because its footer holds the schema: 2 columns, 3 rows, compressed by zstd
    "#]],
    );
}

#[test]
fn a_footer_that_is_far_from_the_head() {
    let small = include_bytes!("fixtures/orc/three-rows.orc");
    let (start, end) = small.split_at(3);
    let large = [start, &vec![0; 3 << 20], end].concat();
    assert_eq!(classify_bytes("a.orc", &large).expect("ORC").row_count, Some(3));
}

#[test]
fn columns_without_names_and_files_without_columns() {
    check(
        &schema(&[
            node(12, &[1, 2], &["_col0", "_col1"]),
            node(4, &[], &[]),
            node(7, &[], &[]),
        ]),
        expect![[r#"
            orc 1 42 rows
              _col0: bigint? — long
              _col1: string? — string
              because its footer holds the schema: 2 columns, 42 rows, compressed by nothing
              because the writer did not know the columns' names and numbered them (_col0, _col1, …), as old versions of Hive did; name them in the table, in the same order
        "#]],
    );
    check(
        &schema(&[node(12, &[], &[])]),
        expect![[r#"
        orc 1 42 rows
          because its footer holds the schema: 0 columns, 42 rows, compressed by nothing
    "#]],
    );
    check(
        &schema(&[node(10, &[1], &[]), node(3, &[], &[])]),
        expect![[r#"
        orc 1 42 rows
          value: array<int>? — list, without a struct around it
          because its footer holds the schema: 1 columns, 42 rows, compressed by nothing
    "#]],
    );
}

#[test]
fn types_that_are_no_tree() {
    // A list of itself.
    check(
        &schema(&[node(12, &[1], &["a"]), node(10, &[1], &[])]),
        expect![[r#"
            error malformed: the ORC footer is corrupt: its types are not a tree: one is part of several others, or of itself; write the file again
        "#]],
    );
    // Each struct holds the next twice: thirty of them would be a thousand million fields.
    let doubling: Vec<Vec<u8>> = (0..30)
        .map(|at| node(12, &[at + 1, at + 1], &["a", "b"]))
        .chain([node(3, &[], &[])])
        .collect();
    check(
        &schema(&doubling),
        expect![[r#"
        error malformed: the ORC footer is corrupt: its types are not a tree: one is part of several others, or of itself; write the file again
    "#]],
    );
    check(
        &schema(&[node(12, &[9], &["a"])]),
        expect![[r#"
        error malformed: the ORC footer is corrupt: its schema refers to type 9, which is not there; write the file again
    "#]],
    );
    check(
        &schema(&[node(12, &[1, 1], &["a"]), node(3, &[], &[])]),
        expect![[r#"
            error malformed: the ORC footer is corrupt: a struct of its schema has 1 names for 2 fields; write the file again
        "#]],
    );
    check(
        &schema(&[node(12, &[1], &["a"]), node(99, &[], &[])]),
        expect![[r#"
            error malformed: the ORC footer is corrupt: type 99 does not exist; write the file again
        "#]],
    );
    check(
        &schema(&[]),
        expect![[r#"
        error malformed: the ORC footer is corrupt: it has no schema; write the file again
    "#]],
    );
}

#[test]
fn deep_types_are_refused() {
    let deep: Vec<Vec<u8>> = (0..10_000)
        .map(|at| node(12, &[at + 1], &["a"]))
        .chain([node(3, &[], &[])])
        .collect();
    assert_eq!(
        classify_bytes("a.orc", &schema(&deep))
            .expect_err("too deep")
            .kind,
        ClassifyErrorKind::TooLarge
    );
}

#[test]
fn postscripts_that_lie() {
    check(
        &file(b"", 10_000_000_000, 0),
        expect![[r#"
        error malformed: the ORC footer is corrupt: it is said to be 10000000000 bytes long, in a file of 19 bytes; write the file again
    "#]],
    );
    check(
        &file(b"", 0, 3),
        expect![[r#"
        error unsupported: the ORC file's footer is compressed by lzo, which is not read; write it with zlib, snappy, lz4 or zstd
    "#]],
    );
    check(
        &file(&[0xff, 0xff, 0xff, 1, 2], 5, 1),
        expect![[r#"
        error malformed: the ORC footer is corrupt: a chunk of it is said to have 8388607 bytes where 2 are left; write the file again
    "#]],
    );
    check(
        b"ORC\x00\x01\x02\x03",
        expect![[r#"
        error truncated: the ORC file ends without its footer: it was cut off while being written or copied; upload it again
    "#]],
    );
    check(
        b"ORC\x00\x00",
        expect![[r#"
        error truncated: the ORC file ends without its footer: it was cut off while being written or copied; upload it again
    "#]],
    );
}
