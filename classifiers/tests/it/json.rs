//! JSON files and text that only starts like JSON.

use expect_test::{Expect, expect};

use crate::support::{classify_bytes, show};

#[track_caller]
fn check(name: &str, text: &str, expected: Expect) {
    expected.assert_eq(&show(&classify_bytes(name, text.as_bytes())));
}

#[test]
fn lines_with_missing_fields_and_nulls() {
    check(
        "a.json",
        "{\"A\":1,\"b\":null,\"c\":\"x\"}\n{\"A\":5000000000,\"b\":null}\n\n{\"A\":3,\"b\":null,\"c\":null}\n",
        expect![[r#"
            json 1 Lines 3 rows sampled
              A: bigint — 2 of 3 values are integers of 32 bits, but 1 are integers of 64 bits, such as 5000000000 (row 2): bigint holds them all
              b: void? — all 3 values are null
              c: string? — 1 of 1 values are text; 1 more is null; 1 row lacks it
              because layout: one object a line (3 rows)
        "#]],
    );
}

#[test]
fn types_that_conflict() {
    check(
        "a.json",
        "{\"a\":1,\"b\":1,\"c\":{\"x\":1},\"d\":[1]}\n{\"a\":1.5,\"b\":\"one\",\"c\":{\"y\":true},\"d\":[2.5,null]}\n{\"a\":2,\"b\":2,\"c\":[],\"d\":[]}\n",
        expect![[r#"
            json 1 Lines 3 rows sampled
              a: double — 2 of 3 values are integers of 32 bits, but 1 are numbers with a fraction, an exponent or more than 64 bits, such as 1.5 (row 2): double holds them all
              b: string — 2 of 3 values are integers of 32 bits, but 1 are text, such as "one" (row 2): string holds them all
              c: string — 2 of 3 values are objects, but 1 are arrays, such as […] (row 3): string holds them all
              d: array<double> — 3 of 3 values are arrays
              because layout: one object a line (3 rows)
        "#]],
    );
}

#[test]
fn numbers_beyond_64_bits() {
    check(
        "a.json",
        "{\"a\":18446744073709551615}\n{\"a\":1}\n",
        expect![[r#"
        json 1 Lines 2 rows sampled
          a: decimal(20,0) — 1 of 2 values are integers of 32 bits, but 1 are integers of more than 63 bits, such as 18446744073709551615 (row 1): decimal(20,0) holds them all
          because layout: one object a line (2 rows)
    "#]],
    );
    check(
        "a.json",
        "{\"a\":184467440737095516150}\n{\"a\":1}\n",
        expect![[r#"
        json 1 Lines 2 rows sampled
          a: double — 1 of 2 values are integers of 32 bits, but 1 are numbers with a fraction, an exponent or more than 64 bits, such as 184467440737095500000 (row 1): double holds them all
          because layout: one object a line (2 rows)
    "#]],
    );
}

#[test]
fn nested_values() {
    check(
        "a.json",
        "{\"user\":{\"id\":1,\"tags\":[\"a\"]},\"items\":[{\"sku\":\"x\",\"n\":1},{\"sku\":\"y\",\"price\":2.5}],\"e\":{},\"f\":[]}\n",
        expect![[r#"
            json 1 Lines 1 rows sampled
              user: struct<id:int,tags:array<string>> — 1 of 1 values are objects
              items: array<struct<sku:string,n:int,price:double>> — 1 of 1 values are arrays
              e: struct<> — 1 of 1 values are objects
              f: array<void> — 1 of 1 values are arrays
              because layout: one object a line (1 row)
              because its one document holds an array of objects under "items"; a JSON classifier with the path $.items[*] makes a row of each
        "#]],
    );
}

#[test]
fn one_array() {
    check(
        "a.json",
        "[\n  {\"a\": 1},\n  {\"a\": 2, \"b\": true}\n]\n",
        expect![[r#"
        json 1 Array 2 rows sampled
          a: int — 2 of 2 values are integers of 32 bits
          b: boolean? — 1 of 1 values are boolean; 1 row lacks it
          because layout: one array whose elements are the rows (2 rows)
    "#]],
    );
    check(
        "a.json",
        "[]",
        expect![[r#"
        json 1 Array 0 rows
          because layout: one array whose elements are the rows (0 rows)
    "#]],
    );
}

#[test]
fn objects_over_several_lines() {
    check(
        "a.json",
        "{\n  \"a\": 1\n}\n{\n  \"a\": 2\n}\n",
        expect![[r#"
        json 1 Concatenated 2 rows sampled
          a: int — 2 of 2 values are integers of 32 bits
          because layout: objects one after another, not one a line (2 rows)
    "#]],
    );
    check(
        "a.json",
        "{\"a\":1}{\"a\":2}\n",
        expect![[r#"
        json 1 Concatenated 2 rows sampled
          a: int — 2 of 2 values are integers of 32 bits
          because layout: objects one after another, not one a line (2 rows)
    "#]],
    );
}

#[test]
fn names_that_differ_in_case() {
    check(
        "a.json",
        "{\"Id\":1,\"s\":{\"X\":1,\"x\":2}}\n{\"id\":\"two\",\"s\":{}}\n",
        expect![[r#"
        json 1 Lines 2 rows sampled
          Id: string — 1 of 2 values are integers of 32 bits, but 1 are text, such as "two" (row 2): string holds them all
          s: struct<X:int> — 2 of 2 values are objects
          because layout: one object a line (2 rows)
          because "Id" and "id" differ only in case, which a catalog can't tell apart: they are one column
    "#]],
    );
}

#[test]
fn scalars_are_no_rows() {
    check(
        "a.json",
        "1\n2\n3\n",
        expect![[r#"
        UNKNOWN 0 0 rows sampled
          because no delimiter (comma, semicolon, tab, bar, Ctrl-A, tilde, caret, colon or space) splits its lines into the same number of fields
          because the name says json, but its content is not
    "#]],
    );
    check(
        "a.json",
        "[1,2,3]",
        expect![[r#"
        UNKNOWN 0 0 rows sampled
          because it starts like JSON, but line 1: '1' stands where an object should start or end
          because one line alone is too little to tell a table from text, and its name does not say
          because the name says json, but its content is not
    "#]],
    );
    check(
        "a.json",
        "\"a\"\n\"b\"\n",
        expect![[r#"
        UNKNOWN 0 0 rows sampled
          because no delimiter (comma, semicolon, tab, bar, Ctrl-A, tilde, caret, colon or space) splits its lines into the same number of fields
          because the name says json, but its content is not
    "#]],
    );
}

#[test]
fn broken_documents() {
    check(
        "a.json",
        "{\"a\": 1,, \"b\": 2}\n",
        expect![[r#"
        UNKNOWN 0 0 rows sampled
          because it starts like JSON, but line 1, column 9 is not valid JSON: key must be a string
          because the name says json, but its content is not
    "#]],
    );
    check(
        "a.json",
        "{\"a\": 1}\n{\"a\": 2}\n{\"a\": ",
        expect![[r#"
        json 0.66 Lines 2 rows sampled
          a: int — 2 of 2 values are integers of 32 bits
          because layout: one object a line (2 rows)
          because 1 of 3 lines are broken, the first: line 3, column 5 is not valid JSON: EOF while parsing a value
    "#]],
    );
    check(
        "a.json",
        "[{\"a\": 1}, {\"a\": ",
        expect![[r#"
        error truncated: the JSON ends inside the object that starts on line 1: it was cut off; upload it again
    "#]],
    );
    check(
        "a.ndjson",
        "{\"a\": 1}\n{\"a\": 2}\n{\"a\": \"3}\n{\"a\": 4}\n{\"a\": 5}\n",
        expect![[r#"
        json 0.8 Lines 4 rows sampled
          a: int — 4 of 4 values are integers of 32 bits
          because layout: one object a line (4 rows)
          because 1 of 5 lines are broken, the first: line 3, column 9 is not valid JSON: EOF while parsing a string
    "#]],
    );
    let mut lines = "{\"a\":1}\n".repeat(99);
    lines.push_str("oops\n");
    check(
        "a.json",
        &lines,
        expect![[r#"
        json 0.99 Lines 99 rows sampled
          a: int — 99 of 99 values are integers of 32 bits
          because layout: one object a line (99 rows)
          because 1 of 100 lines are broken, the first: line 100, column 1 is not valid JSON: expected value
    "#]],
    );
}

#[test]
fn deep_documents() {
    check(
        "a.json",
        &format!("{{\"a\":{}1{}}}\n", "[".repeat(200), "]".repeat(200)),
        expect![[r#"
        error too_large: line 1 nests values more than 128 deep
    "#]],
    );
}

#[test]
fn names_that_are_data_become_a_map() {
    let names: Vec<String> = (0..1_500).map(|n| format!("\"k{n}\":{{\"n\":{n}}}")).collect();
    check(
        "a.json",
        &format!("{{\"id\":1,\"by_key\":{{{}}}}}\n", names.join(",")),
        expect![[r#"
        json 1 Lines 1 rows sampled
          id: int — 1 of 1 values are integers of 32 bits
          by_key: map<string,struct<n:int>> — 1 of 1 values are objects
          because layout: one object a line (1 row)
    "#]],
    );
}

#[test]
fn a_document_larger_than_the_sample() {
    let text = format!("{{\"id\": 1, \"text\": \"{}\"}}\n", "x".repeat(2 << 20));
    check(
        "a.json",
        &text,
        expect![[r#"
        json 0.6 Concatenated 0 rows sampled
          id: int — 1 of 1 values are integers of 32 bits
          text: void — no value was seen
          because layout: objects one after another, not one a line (0 rows)
          because the first document is longer than the sample; its columns are those of the first 1048576 bytes
    "#]],
    );
    let text = format!(
        "{{\"records\": [{}]}}\n",
        "{\"n\": 1, \"s\": \"x\"}, ".repeat(100_000)
    );
    check(
        "a.json",
        &text,
        expect![[r#"
        json 0.6 Concatenated 0 rows sampled
          records: array<struct<n:int,s:string>> — 1 of 1 values are arrays
          because layout: objects one after another, not one a line (0 rows)
          because the first document is longer than the sample; its columns are those of the first 1048576 bytes
    "#]],
    );
}

#[test]
fn names_that_are_days_or_keys() {
    check(
        "a.json",
        "{\"by_day\":{\"2024-01-01\":5,\"2024-01-02\":2.5},\"by_id\":{\"17\":{\"n\":1},\"23\":{\"n\":2,\"m\":\"x\"}},\"mixed\":{\"1\":5,\"2\":\"x\"}}\n",
        expect![[r#"
            json 1 Lines 1 rows sampled
              by_day: map<string,double> — 1 of 1 values are objects; their names are data (such as "2024-01-01"), so they are maps
              by_id: map<string,struct<m:string,n:int>> — 1 of 1 values are objects; their names are data (such as "17"), so they are maps
              mixed: struct<1:int,2:string> — 1 of 1 values are objects
              because layout: one object a line (1 row)
        "#]],
    );
    let sparse: Vec<String> = (0..100)
        .map(|n| format!("{{\"id\":{n},\"price\":{{\"item_{n}\":{n}.5}}}}\n"))
        .collect();
    check(
        "a.json",
        &sparse.concat(),
        expect![[r#"
        json 1 Lines 100 rows sampled
          id: int — 100 of 100 values are integers of 32 bits
          price: map<string,double> — 100 of 100 values are objects; their names are data (such as "item_0"), so they are maps
          because layout: one object a line (100 rows)
    "#]],
    );
}

#[test]
fn values_in_quotes() {
    check(
        "a.json",
        "{\"d\":\"2024-01-31\",\"t\":\"2024-01-31T10:00:00Z\",\"n\":\"5\",\"b\":\"true\",\"s\":\"x\",\"m\":\"5\"}\n\
         {\"d\":\"2024-02-01\",\"t\":\"2024-02-01T10:00:00Z\",\"n\":\"6\",\"b\":\"false\",\"s\":\"5\",\"m\":\"x\"}\n",
        expect![[r#"
            json 1 Lines 2 rows sampled
              d: string — 2 of 2 values are text; each could be read as a date
              t: string — 2 of 2 values are text; each could be read as a timestamp
              n: string — 2 of 2 values are text; each is a number in quotes
              b: string — 2 of 2 values are text; each is true or false in quotes
              s: string — 2 of 2 values are text
              m: string — 2 of 2 values are text
              because layout: one object a line (2 rows)
        "#]],
    );
}

#[test]
fn records_inside_one_document() {
    check(
        "a.json",
        "{\"count\": 2, \"data\": [{\"id\": 1}, {\"id\": 2}]}\n",
        expect![[r#"
            json 1 Lines 1 rows sampled
              count: int — 1 of 1 values are integers of 32 bits
              data: array<struct<id:int>> — 1 of 1 values are arrays
              because layout: one object a line (1 row)
              because its one document holds an array of objects under "data"; a JSON classifier with the path $.data[*] makes a row of each
        "#]],
    );
}
