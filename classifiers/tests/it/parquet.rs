//! Parquet footers, written by hand: each way to say a type, and each way to lie.

use classifiers::ClassifyErrorKind;
use expect_test::{Expect, expect};

use crate::support::{classify_bytes, show};

/// Writes Thrift's compact protocol, as far as footers need it.
#[derive(Default, Clone)]
struct Thrift {
    bytes: Vec<u8>,
    last: i16,
}

impl Thrift {
    fn header(&mut self, id: i16, wire_type: u8) {
        let step = u8::try_from(id - self.last).expect("ascending");
        self.bytes.push(step << 4 | wire_type);
        self.last = id;
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    fn int(mut self, id: i16, value: i32) -> Self {
        self.header(id, 5);
        self.varint((value << 1 ^ value >> 31) as u32 as u64);
        self
    }

    fn long(mut self, id: i16, value: i64) -> Self {
        self.header(id, 6);
        self.varint((value << 1 ^ value >> 63) as u64);
        self
    }

    fn text(mut self, id: i16, value: &str) -> Self {
        self.header(id, 8);
        self.varint(value.len() as u64);
        self.bytes.extend(value.as_bytes());
        self
    }

    fn structure(mut self, id: i16, value: Thrift) -> Self {
        self.header(id, 12);
        self.bytes.extend(value.end());
        self
    }

    fn list(mut self, id: i16, announced: u64, elements: Vec<Vec<u8>>) -> Self {
        self.header(id, 9);
        self.bytes.push(0xfc);
        self.varint(announced);
        self.bytes.extend(elements.concat());
        self
    }

    fn end(mut self) -> Vec<u8> {
        self.bytes.push(0);
        self.bytes
    }
}

fn element(physical: Option<i32>, repetition: i32, name: &str, children: i32) -> Thrift {
    let thrift = Thrift::default();
    let thrift = match physical {
        Some(physical) => thrift.int(1, physical),
        None => thrift,
    };
    let thrift = thrift.int(3, repetition).text(4, name);
    if children != 0 {
        thrift.int(5, children)
    } else {
        thrift
    }
}

fn file(footer: Vec<u8>) -> Vec<u8> {
    let length = (footer.len() as u32).to_le_bytes();
    [b"PAR1".to_vec(), footer, length.to_vec(), b"PAR1".to_vec()].concat()
}

fn footer(elements: Vec<Thrift>) -> Vec<u8> {
    let elements: Vec<Vec<u8>> = elements.into_iter().map(Thrift::end).collect();
    Thrift::default()
        .int(1, 2)
        .list(2, elements.len() as u64, elements)
        .long(3, 7)
        .list(4, 0, vec![])
        .end()
}

fn schema(children: i32, elements: Vec<Thrift>) -> Vec<u8> {
    let root = element(None, 0, "root", children);
    file(footer([vec![root], elements].concat()))
}

#[track_caller]
fn check(bytes: &[u8], expected: Expect) {
    expected.assert_eq(&show(&classify_bytes("a.parquet", bytes)));
}

#[test]
fn annotated_columns() {
    let empty = Thrift::default;
    let logical = |id, value| Thrift::default().structure(id, value);
    let decimal = empty().int(1, 2).int(2, 9);
    check(
        &schema(
            13,
            vec![
                element(Some(1), 1, "int_8", 0).int(6, 15),
                element(Some(1), 1, "uint_32", 0).int(6, 13),
                element(Some(2), 1, "uint_64", 0).int(6, 14),
                element(Some(1), 1, "time", 0).int(6, 7),
                element(Some(2), 0, "timestamp", 0).int(6, 10),
                element(Some(6), 1, "text", 0).int(6, 0),
                element(Some(6), 1, "bytes", 0),
                element(Some(7), 1, "uuid", 0).structure(10, logical(14, empty())),
                element(Some(7), 1, "half", 0).structure(10, logical(15, empty())),
                element(Some(1), 1, "nothing", 0).structure(10, logical(11, empty())),
                element(Some(2), 1, "money", 0).structure(10, logical(5, decimal)),
                element(Some(2), 1, "newer", 0).structure(10, logical(99, empty())),
                element(Some(1), 2, "bare_repeated", 0),
            ],
        ),
        expect![[r#"
            parquet 1 7 rows
              int_8: tinyint? — INT_8, optional
              uint_32: bigint? — UINT_32, the next wider type that holds it, optional
              uint_64: decimal(20,0)? — UINT_64, which bigint does not hold, optional
              time: int? — INT32 TIME, in milliseconds since midnight, optional
              timestamp: timestamp — INT64 TIMESTAMP, required
              text: string? — BYTE_ARRAY STRING, optional
              bytes: binary? — BYTE_ARRAY that is not marked as text, optional
              uuid: string? — UUID, optional
              half: float? — FLOAT16, optional
              nothing: void? — null-typed (logical type UNKNOWN): the file holds only nulls, optional
              money: decimal(9,2)? — Int64 DECIMAL(9,2), optional
              newer: bigint? — INT64, optional
              bare_repeated: array<int> — repeated INT32, without a list around it, required
              because its footer holds the schema: 13 columns, 7 rows
        "#]],
    );
}

#[test]
fn lists_and_maps_as_writers_have_spelled_them() {
    check(
        &schema(
            6,
            vec![
                element(None, 1, "modern", 1).int(6, 3),
                element(None, 2, "list", 1),
                element(Some(1), 1, "element", 0),
                element(None, 1, "two_levels", 1).int(6, 3),
                element(Some(1), 2, "element", 0),
                element(None, 1, "avro", 1).int(6, 3),
                element(None, 2, "array", 1),
                element(Some(1), 0, "str", 0),
                element(None, 1, "thrift", 1).int(6, 3),
                element(None, 2, "thrift_tuple", 1),
                element(Some(1), 0, "str", 0),
                element(None, 1, "pairs", 1).int(6, 3),
                element(None, 2, "element", 2),
                element(Some(1), 0, "a", 0),
                element(Some(5), 0, "b", 0),
                element(None, 1, "old_map", 1).int(6, 2),
                element(None, 2, "map", 2),
                element(Some(6), 0, "key", 0).int(6, 0),
                element(Some(1), 1, "value", 0),
            ],
        ),
        expect![[r#"
            parquet 1 7 rows
              modern: array<int>? — LIST, optional
              two_levels: array<int>? — LIST of two levels, optional
              avro: array<struct<str:int>>? — LIST of two levels, optional
              thrift: array<struct<str:int>>? — LIST of two levels, optional
              pairs: array<struct<a:int,b:double>>? — LIST of two levels, optional
              old_map: map<string,int>? — MAP, optional
              because its footer holds the schema: 6 columns, 7 rows
        "#]],
    );
}

#[test]
fn no_columns() {
    check(
        &schema(0, vec![]),
        expect![[r#"
        parquet 1 7 rows
          because its footer holds the schema: 0 columns, 7 rows
    "#]],
    );
    check(
        &schema(1, vec![element(None, 1, "empty_group", 0)]),
        expect![[r#"
        parquet 1 7 rows
          empty_group: struct<>? — group, optional
          because its footer holds the schema: 1 columns, 7 rows
    "#]],
    );
}

#[test]
fn lists_that_claim_more_than_there_is() {
    let huge = |id| {
        Thrift::default()
            .int(1, 2)
            .list(id, u64::from(u32::MAX), vec![])
            .end()
    };
    check(
        &file(huge(2)),
        expect![[r#"
        error malformed: the Parquet footer is corrupt: it announces a list of 4294967295 where 1 bytes are left; write the file again
    "#]],
    );
    check(
        &file([vec![0x15, 2], huge(4)[2..].to_vec()].concat()),
        expect![[r#"
        error malformed: the Parquet footer is corrupt: it announces a list of 4294967295 where 1 bytes are left; write the file again
    "#]],
    );
}

#[test]
fn children_that_are_not_there() {
    check(
        &schema(i32::MAX, vec![]),
        expect![[r#"
        error malformed: the Parquet footer is corrupt: "root" announces 2147483647 children where 0 elements are left; write the file again
    "#]],
    );
    check(
        &schema(-1, vec![]),
        expect![[r#"
        error malformed: the Parquet footer is corrupt: an element of its schema has -1 children; write the file again
    "#]],
    );
    check(
        &schema(1, vec![element(Some(1), 0, "a", 0), element(Some(1), 0, "b", 0)]),
        expect![[r#"
        error malformed: the Parquet footer is corrupt: 1 elements of its schema belong to no group; write the file again
    "#]],
    );
}

#[test]
fn depth_without_end() {
    let nested = (0..5_000)
        .map(|_| element(None, 1, "g", 1))
        .chain([element(Some(1), 0, "x", 0)])
        .collect();
    check(
        &schema(1, nested),
        expect![[r#"
        error too_large: the Parquet footer goes beyond a limit: its schema is more than 64 levels deep
    "#]],
    );
    // A field of a struct in a field of a struct …
    check(
        &file([vec![0x1c; 100_000], vec![0; 100_000]].concat()),
        expect![[r#"
        error too_large: the Parquet footer goes beyond a limit: it nests values more than 64 deep
    "#]],
    );
    // A list of a list of a list …
    check(
        &file([vec![0x19], vec![0x19; 100_000], vec![0; 100_000]].concat()),
        expect![[r#"
        error too_large: the Parquet footer goes beyond a limit: it nests values more than 64 deep
    "#]],
    );
}

#[test]
fn too_many_elements() {
    let many = (0..10_001)
        .map(|n| element(Some(1), 0, &n.to_string(), 0))
        .collect();
    check(
        &schema(10_001, many),
        expect![[r#"
        error too_large: the Parquet footer goes beyond a limit: its schema has 10002 elements; at most 10000 are read
    "#]],
    );
}

#[test]
fn cut_off_or_encrypted() {
    let whole = schema(1, vec![element(Some(1), 0, "a", 0)]);
    check(
        &whole[..whole.len() - 3],
        expect![[r#"
        error truncated: the Parquet file ends without its footer: it was cut off while being written or copied; upload it again
    "#]],
    );
    check(
        b"PAR1",
        expect![[r#"
        error truncated: the Parquet file ends without its footer: it was cut off while being written or copied; upload it again
    "#]],
    );
    check(
        &[b"PAR1", &[0xff_u8, 0xff, 0xff, 0x7f] as &[u8], b"PAR1"].concat(),
        expect![[r#"
        error malformed: the Parquet footer is corrupt: it is said to be 2147483647 bytes long, in a file of 12 bytes; write the file again
    "#]],
    );
    check(
        &[b"PARE", &whole[4..whole.len() - 4], b"PARE"].concat(),
        expect![[r#"
        error unsupported: the Parquet file is encrypted (its footer is); only unencrypted files can be read
    "#]],
    );
}

#[test]
fn a_footer_larger_than_the_tail_is_asked_for() {
    let footer = footer(vec![element(None, 0, "root", 1), element(Some(1), 0, "a", 0)]);
    let padding = "x".repeat(200_000);
    // Key-value metadata make a footer large.
    let mut thrift = Thrift {
        bytes: footer[..footer.len() - 1].to_vec(),
        last: 4,
    };
    thrift = thrift.text(6, &padding);
    let mut bytes = file(thrift.end());
    bytes.splice(4..4, vec![0; 2 << 20]);
    check(
        &bytes,
        expect![[r#"
        parquet 1 7 rows
          a: int — INT32, required
          because its footer holds the schema: 1 columns, 7 rows
    "#]],
    );
}

#[test]
fn a_footer_larger_than_the_limit_is_refused() {
    let mut bytes = vec![0; 20 << 20];
    let end = bytes.len();
    bytes[..4].copy_from_slice(b"PAR1");
    bytes[end - 8..end - 4].copy_from_slice(&(17_u32 << 20).to_le_bytes());
    bytes[end - 4..].copy_from_slice(b"PAR1");
    let error = classify_bytes("a.parquet", &bytes).expect_err("too large");
    assert_eq!(error.kind, ClassifyErrorKind::TooLarge);
}

/// A small right file.
pub(crate) fn example() -> Vec<u8> {
    schema(
        2,
        vec![
            element(Some(1), 0, "a", 0),
            element(None, 1, "l", 1).int(6, 3),
            element(Some(6), 2, "x", 0).int(6, 0),
        ],
    )
}

#[test]
fn nanoseconds_are_pointed_out() {
    let nested = |id, inner| Thrift::default().structure(id, inner);
    let unit = |unit| nested(8, nested(2, nested(unit, Thrift::default())));
    check(
        &schema(
            2,
            vec![
                element(Some(2), 1, "micros", 0).structure(10, unit(2)),
                element(Some(2), 1, "nanos", 0).structure(10, unit(3)),
            ],
        ),
        expect![[r#"
            parquet 1 7 rows
              micros: timestamp? — INT64 TIMESTAMP, optional
              nanos: timestamp? — INT64 TIMESTAMP in nanoseconds, which Hive, Glue and Athena read as bigint, optional
              because its footer holds the schema: 2 columns, 7 rows
        "#]],
    );
}
