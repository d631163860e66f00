//! Custom classifiers of JSON: rows that are somewhere inside of documents.

use classifiers::{CustomClassifier, Outcome, Sample, classify_with};
use expect_test::expect;
use serde_json::{Value, json};

use crate::custom::{check, classifier, judge, refused};

fn path(path: &str) -> Value {
    json!({"JsonClassifier": {"Name": "inner", "JsonPath": path}})
}

#[test]
fn json_by_path() {
    let text = r#"{"count": 2, "data": {"items": [{"id": 1, "tags": ["a"]}, {"id": 2, "price": 1.5}]}, "ids": [1, 2]}
{"count": 1, "data": {"items": [{"id": 3000000000}]}, "ids": [null, 7]}"#;
    check(
        text,
        path("$.data.items[*]"),
        expect![[r#"
        inner: json 1 Concatenated 3 rows sampled
          id: bigint — 2 of 3 values are integers of 32 bits, but 1 are integers of 64 bits, such as 3000000000 (row 3): bigint holds them all
          tags: array<string>? — 1 of 1 values are arrays; 2 rows lack it
          price: double? — 1 of 1 values are numbers with a fraction, an exponent or more than 64 bits; 2 rows lack it
          because layout: 3 values at the path are the rows
          because the custom classifier "inner" says so
    "#]],
    );
    check(
        text,
        path("$['data'].items[0]"),
        expect![[r#"
        inner: json 1 Concatenated 2 rows sampled
          id: bigint — 1 of 2 values are integers of 32 bits, but 1 are integers of 64 bits, such as 3000000000 (row 2): bigint holds them all
          tags: array<string>? — 1 of 1 values are arrays; 1 row lacks it
          because layout: 2 values at the path are the rows
          because the custom classifier "inner" says so
    "#]],
    );
    check(
        text,
        path("$.ids[*]"),
        expect![[r#"
        inner: json 1 Concatenated 3 rows sampled
          ids: int — 3 of 3 values are integers of 32 bits
          because layout: 3 values at the path are the rows
          because the custom classifier "inner" says so
    "#]],
    );
    check(
        text,
        path("$.ids"),
        expect![[r#"
        inner: json 1 Concatenated 2 rows sampled
          ids: array<int> — 2 of 2 values are arrays
          because layout: 2 values at the path are the rows
          because the custom classifier "inner" says so
    "#]],
    );
    check(
        text,
        path("$"),
        expect![[r#"
        inner: json 1 Lines 2 rows sampled
          count: int — 2 of 2 values are integers of 32 bits
          data: struct<items:array<struct<id:bigint,tags:array<string>,price:double>>> — 2 of 2 values are objects
          ids: array<int> — 2 of 2 values are arrays
          because layout: one object a line (2 rows)
          because the custom classifier "inner" says so
    "#]],
    );
    check(
        r#"[{"a": {"b": 1}}, {"a": {"b": 2}}]"#,
        path("$[*].a"),
        expect![[r#"
            inner: json 1 Array 2 rows sampled
              b: int — 2 of 2 values are integers of 32 bits
              because layout: 2 values at the path are the rows
              because the custom classifier "inner" says so
        "#]],
    );
    check(
        r#"[{"a": 1}, {"a": 2}]"#,
        path("$[*]"),
        expect![[r#"
        inner: json 1 Array 2 rows sampled
          a: int — 2 of 2 values are integers of 32 bits
          because layout: one array whose elements are the rows (2 rows)
          because the custom classifier "inner" says so
    "#]],
    );
    check(
        r#"{"x": {"n": 1}, "y": {"n": 2}}"#,
        path("$.*"),
        expect![[r#"
        inner: json 1 Concatenated 2 rows sampled
          n: int — 2 of 2 values are integers of 32 bits
          because layout: 2 values at the path are the rows
          because the custom classifier "inner" says so
    "#]],
    );
    let elsewhere = judge(text, &[path("$.nothing[*]")]);
    assert_eq!(elsewhere.classifier, "json");
    expect![[r#"the custom classifier "inner" does not match: nothing is at the path in it"#]]
        .assert_eq(elsewhere.reasons.last().expect("a reason"));
}

#[test]
fn a_document_that_is_longer_than_the_sample() {
    let items: String = (0..60_000)
        .map(|n| format!("{{\"id\":{n},\"name\":\"n{n}\"}},\n"))
        .collect();
    let text = format!("{{\"items\":[{items}");
    let head = &text.as_bytes()[..1 << 20];
    let custom = [classifier(path("$.items[*]"))];
    let sample = Sample {
        name: "a.json",
        size: 10 << 20,
        head,
        tail: &[],
    };
    let Ok(Outcome::Verdict(verdict)) = classify_with(&sample, &custom) else {
        panic!("no verdict")
    };
    assert_eq!(verdict.classifier, "inner");
    assert!(
        verdict.rows_sampled > 20_000 && verdict.row_count.is_none(),
        "{verdict:?}"
    );
}

#[test]
fn json_paths_that_are_refused() {
    for bad in [
        "",
        "data",
        "$.",
        "$..a",
        "$.a[",
        "$[1:2]",
        "$[?(@.x)]",
        "$['a",
        "$[-1]",
        "$x",
    ] {
        let error = serde_json::from_value::<CustomClassifier>(path(bad)).expect_err(bad);
        assert!(error.to_string().starts_with("JsonPath: the path "), "{error}");
    }
    refused(
        path("$..a"),
        expect![[
            r#"JsonPath: the path "$..a" looks at every depth (`..`), which is not supported; name each step"#
        ]],
    );
}
