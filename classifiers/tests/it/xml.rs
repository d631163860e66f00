//! XML: rows, columns, and documents that are wrong or mean harm.

use std::time::{Duration, Instant};

use classifiers::{ClassifyErrorKind, Layout};
use expect_test::{Expect, expect};

use crate::support::{classify_bytes, show};

#[track_caller]
fn check(text: &str, expected: Expect) {
    expected.assert_eq(&show(&classify_bytes("a.xml", text.as_bytes())));
}

fn row_tag(text: &str) -> String {
    let verdict = classify_bytes("a.xml", text.as_bytes()).expect("XML");
    let Some(Layout::Xml(xml)) = verdict.layout else {
        panic!("it is no XML")
    };
    xml.row_tag
}

#[test]
fn attributes_nested_elements_and_repeated_ones() {
    check(
        r#"<?xml version="1.0"?>
<orders>
  <order id="1" paid="true"><total currency="EUR">9.50</total><line>a</line><line>b</line></order>
  <order id="2"><total currency="USD">12</total><ship><city>Oslo</city><zip>0150</zip></ship></order>
</orders>"#,
        expect![[r#"
            xml 1 2 rows sampled
              _id: bigint — 2 of 2 values parse as bigint
              _paid: boolean? — 1 of 1 values parse as boolean; 1 more is null
              total: struct<_currency:string,_VALUE:double> — 2 elements have fields of their own and text
              line: array<string>? — up to 2 in a row; 2 of 2 values are text; 1 rows have none
              ship: struct<city:string,zip:string>? — 1 elements have fields of their own; 1 rows have none
              because row: "order" repeats 2 times in "orders"
        "#]],
    );
}

#[test]
fn the_row_is_what_repeats() {
    assert_eq!(
        row_tag("<rows><row><a>1</a></row><row><a>2</a></row></rows>"),
        "row"
    );
    // A feed says things about itself before its entries.
    let feed = "<feed><title>t</title><link href='x'/><link href='y'/><entry><id>1</id><text>long enough</text></entry>\
                <entry><id>2</id><text>long enough</text></entry></feed>";
    assert_eq!(row_tag(feed), "entry");
    let rss = "<rss version='2.0'><channel><title>t</title><item><a>1</a></item><item><a>2</a></item></channel></rss>";
    assert_eq!(row_tag(rss), "item");
    assert_eq!(
        row_tag("<catalog><book id='1'><title>only one</title></book></catalog>"),
        "book"
    );
    assert_eq!(row_tag("<book id='1'><title>only one</title></book>"), "book");
    assert_eq!(
        row_tag("<x:rows xmlns:x='u'><x:row><a>1</a></x:row><x:row/></x:rows>"),
        "x:row"
    );
}

#[test]
fn nothing_but_attributes_or_text() {
    check(
        "<rows><row a='1' b='x'/><row a='2' b='y'/></rows>",
        expect![[r#"
        xml 1 2 rows sampled
          _a: bigint — 2 of 2 values parse as bigint
          _b: string — 2 of 2 values are text
          because row: "row" repeats 2 times in "rows"
          because 2 rows are written as empty elements (`<row …/>`), which Glue's own XML reader passes over
    "#]],
    );
    check(
        "<names><name>Ada</name><name>Alan</name></names>",
        expect![[r#"
        xml 1 2 rows sampled
          _VALUE: string — 2 of 2 values are text
          because row: "name" repeats 2 times in "names"
    "#]],
    );
}

#[test]
fn names_that_differ_in_case_or_prefix() {
    check(
        "<r xmlns:a='urn:a'><x><a:Id>1</a:Id></x><x><id>2</id></x><x><ID>x</ID><e xmlns:xsi='u' xsi:nil='true'/></x></r>",
        expect![[r#"
            xml 1 3 rows sampled
              Id: string — 2 of 3 values parse as bigint, but "x" (row 3) is text
              e: void? — all 3 values are null
              because row: "x" repeats 3 times in "r"
              because prefixes, such as "a", are left out of the names
        "#]],
    );
}

#[test]
fn entities_comments_and_sections() {
    check(
        "<r><x><a>1 &lt; 2 &#65;&#x42;</a><b><![CDATA[<not> & a tag]]></b></x><!-- <x> --><x><a>&unknown;</a><?skip <x>?></x></r>",
        expect![[r#"
            xml 1 2 rows sampled
              a: string — 2 of 2 values are text
              b: string? — 1 of 1 values are text; 1 more is null
              because row: "x" repeats 2 times in "r"
        "#]],
    );
}

#[test]
fn entities_are_never_expanded() {
    let laughs: String = (1..30)
        .map(|n| {
            format!(
                "<!ENTITY l{n} \"&l{m};&l{m};&l{m};&l{m};&l{m};&l{m};&l{m};&l{m};\">",
                m = n - 1
            )
        })
        .collect();
    let start = Instant::now();
    check(
        &format!(
            "<?xml version='1.0'?><!DOCTYPE r [<!ENTITY l0 \"ha\">{laughs}<!ENTITY f SYSTEM \"file:///etc/passwd\">]>\
             <r><x><a>&l29;</a></x><x><a>&f;</a></x></r>"
        ),
        expect![[r#"
            xml 1 2 rows sampled
              a: string — 2 of 2 values are text
              because row: "x" repeats 2 times in "r"
        "#]],
    );
    assert!(start.elapsed() < Duration::from_secs(2));
}

#[test]
fn malformed_documents_say_where() {
    check(
        "<?xml version='1.0'?>\n<r>\n  <x>1</y>\n</r>",
        expect![[r#"
        error malformed: the XML is malformed at line 3, column 7: `</y>` stands where `</x>` is due
    "#]],
    );
    check(
        "<r><x a=1></x></r>",
        expect![[r#"
        error malformed: the XML is malformed at line 1, column 9: the value of the attribute `a` is not quoted
    "#]],
    );
    check(
        "<r><x a='1' a='2'/></r>",
        expect![[r#"
        error malformed: the XML is malformed at line 1, column 13: `x` has the attribute `a` twice
    "#]],
    );
    check(
        "<r>fish & chips</r>",
        expect![[r#"
        error malformed: the XML is malformed at line 1, column 9: `&` starts no entity; write `&amp;`
    "#]],
    );
    check(
        "<r/><s/>",
        expect![[r#"
        error malformed: the XML is malformed at line 1, column 5: `s` is a second root element
    "#]],
    );
    check(
        "<r></r>\ntrailing",
        expect![[r#"
        error malformed: the XML is malformed at line 1, column 8: text stands behind the root element
    "#]],
    );
    check(
        "<r><x></x>",
        expect![[r#"
        error truncated: the XML ends inside the r that starts at line 1, column 1: it was cut off; upload it again
    "#]],
    );
}

#[test]
fn what_only_looks_like_xml() {
    for text in [
        "<!DOCTYPE html><html><body><p>1</p></body></html>",
        "<HTML><br></HTML>",
        "<34>1 2003-10-11 host app\n",
        "<a b, c>\n",
    ] {
        let verdict = classify_bytes("page", text.as_bytes()).expect("a verdict");
        assert_eq!(verdict.classification, "UNKNOWN", "{text}");
    }
}

#[test]
fn a_sample_of_a_large_document() {
    let rows: String = (0..60_000)
        .map(|n| format!("<row><id>{n}</id><name>n{n}</name></row>\n"))
        .collect();
    let text = format!("<rows>\n{rows}</rows>");
    let verdict = classify_bytes("a.xml", text.as_bytes()).expect("XML");
    assert_eq!(verdict.row_count, None);
    assert!(
        (20_000..40_000).contains(&verdict.rows_sampled),
        "{}",
        verdict.rows_sampled
    );
    assert!(
        verdict.columns.iter().all(|column| !column.nullable),
        "{:?}",
        verdict.columns
    );
}

#[test]
fn documents_beyond_a_limit() {
    let kind = |text: String| {
        classify_bytes("a.xml", text.as_bytes())
            .expect_err("a limit")
            .kind
    };
    assert_eq!(kind("<a>".repeat(10_000)), ClassifyErrorKind::TooLarge);
    let attributes: String = (0..5_000).map(|n| format!(" a{n}='1'")).collect();
    assert_eq!(
        kind(format!("<r><x{attributes}/></r>")),
        ClassifyErrorKind::TooLarge
    );
    let columns: String = (0..60_000).map(|n| format!("<c{n}/>")).collect();
    assert_eq!(
        kind(format!("<r><x>{columns}</x></r>")),
        ClassifyErrorKind::TooLarge
    );
}
