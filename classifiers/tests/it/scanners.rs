//! Whole files, fed in pieces: every value counts, wherever the pieces end.

use classifiers::{ClassifyErrorKind, CsvDialect, CsvScanner, JsonDocuments, JsonScanner, Scanned};
use expect_test::expect;
use proptest::prelude::*;

fn show(scanned: &Scanned) -> String {
    let columns: Vec<String> = scanned
        .columns
        .iter()
        .map(|c| {
            format!(
                "{}: {:#}{} — {}\n",
                c.name,
                c.data_type,
                if c.nullable { "?" } else { "" },
                c.reason
            )
        })
        .collect();
    format!("{} rows\n{}", scanned.rows, columns.concat())
}

fn scan_csv(dialect: &CsvDialect, bytes: &[u8], piece: usize) -> Result<Scanned, classifiers::ClassifyError> {
    let mut scanner = CsvScanner::new(dialect);
    for piece in bytes.chunks(piece) {
        scanner.feed(piece)?;
    }
    scanner.finish()
}

fn scan_json(
    layout: JsonDocuments,
    bytes: &[u8],
    piece: usize,
) -> Result<Scanned, classifiers::ClassifyError> {
    let mut scanner = JsonScanner::new(layout);
    for piece in bytes.chunks(piece) {
        scanner.feed(piece)?;
    }
    scanner.finish()
}

#[test]
fn a_value_in_the_last_row_counts() {
    let mut text = "\u{feff}id,fee\r\n".to_owned();
    for row in 0..300_000 {
        text.push_str(&format!("{row},\r\n"));
    }
    text.push_str("N/A,2.5");
    let scanned = scan_csv(&CsvDialect::default(), text.as_bytes(), 64 << 10).expect("CSV");
    expect![[r#"
        300001 rows
        id: bigint? — 300000 of 300000 values parse as bigint; 1 more is null (such as "N/A")
        fee: double? — 1 of 1 values parse as double; 300000 more are null
    "#]]
    .assert_eq(&show(&scanned));
}

#[test]
fn preamble_comments_and_no_header() {
    let dialect = CsvDialect {
        delimiter: ";".to_owned(),
        comment: Some("#".to_owned()),
        header: false,
        skip_lines: 2,
        ..CsvDialect::default()
    };
    let scanned = scan_csv(&dialect, b"a \"title\nand more\n# note\n1;x\n\n# note\n2;y\n", 5).expect("CSV");
    expect![[r#"
        2 rows
        col0: bigint — 2 of 2 values parse as bigint
        col1: string — 2 of 2 values are text
    "#]]
    .assert_eq(&show(&scanned));
}

#[test]
fn a_header_alone_and_nothing_at_all() {
    let scanned = scan_csv(&CsvDialect::default(), b"id,name", 64).expect("CSV");
    expect![[r#"
        0 rows
        id: void — there are no rows to go by
        name: void — there are no rows to go by
    "#]]
    .assert_eq(&show(&scanned));
    let scanned = scan_csv(&CsvDialect::default(), b"", 64).expect("CSV");
    expect![[r#"
        0 rows
    "#]]
    .assert_eq(&show(&scanned));
}

#[test]
fn csv_that_cannot_be_read() {
    let dialect = CsvDialect::default();
    let error = scan_csv(&dialect, b"a,b\n1,\"never closed\n2,3\n", 64).expect_err("open quotes");
    expect!["the CSV ends inside quotes (its last record starts in line 2): it was cut off, or a quote is never closed"].assert_eq(&error.to_string());
    let error = scan_csv(
        &dialect,
        format!("a,b\n1,\"{}", "x\n".repeat(600_000)).as_bytes(),
        4096,
    )
    .expect_err("long");
    assert_eq!(error.kind, ClassifyErrorKind::TooLarge);
    expect!["record 2 of the CSV is longer than 1 MiB; a quote that is never closed is the usual cause, or the delimiter is wrong"].assert_eq(&error.to_string());
    let error = scan_csv(&dialect, ",".repeat(20_000).as_bytes(), 4096).expect_err("wide");
    expect!["record 1 of the CSV has more than 10000 fields; a quote that is never closed is the usual cause, or the delimiter is wrong"].assert_eq(&error.to_string());
    let error = scan_csv(
        &CsvDialect {
            delimiter: "<tab>".to_owned(),
            ..dialect
        },
        b"a<tab>b\n",
        64,
    )
    .expect_err("five characters");
    expect![[r#"the CSV delimiter is "<tab>"; it must be one to four bytes and no line end"#]]
        .assert_eq(&error.to_string());
}

#[test]
fn delimiters_of_several_characters() {
    let dialect = CsvDialect {
        delimiter: "||".to_owned(),
        ..CsvDialect::default()
    };
    let text = b"id||name||score\n1||\"a||b\"||1.5\n2||x|y||\n3||\"c\"|||0.5|\n";
    let whole = show(&scan_csv(&dialect, text, text.len()).expect("CSV"));
    expect![[r#"
        3 rows
        id: bigint — 3 of 3 values parse as bigint
        name: string — 3 of 3 values are text
        score: string? — 1 of 2 values parse as double, but "|0.5|" (row 3) is text; 1 more is null
    "#]]
    .assert_eq(&whole);
    for piece in 1..text.len() {
        assert_eq!(
            show(&scan_csv(&dialect, text, piece).expect("CSV")),
            whole,
            "in pieces of {piece}"
        );
    }
}

#[test]
fn what_is_no_data_below_the_header_and_at_the_end() {
    let dialect = CsvDialect {
        skip_after_header: 1,
        skip_footer: 1,
        ..CsvDialect::default()
    };
    let text = b"id,day\n--,---\n1,2024-01-31\n2,2024-02-01\n(2 rows)\n";
    expect![[r#"
        2 rows
        id: bigint — 2 of 2 values parse as bigint
        day: date — 2 of 2 values parse as date
    "#]]
    .assert_eq(&show(&scan_csv(&dialect, text, 5).expect("CSV")));
}

#[test]
fn json_that_cannot_be_read() {
    let error = scan_json(JsonDocuments::Lines, b"{\"a\":1}\n{\"a\":\n{\"a\":2}\n", 3).expect_err("broken");
    expect!["line 2, column 5 is not valid JSON: EOF while parsing a value"].assert_eq(&error.to_string());
    let error = scan_json(JsonDocuments::Array, b"[{\"a\":1}", 3).expect_err("open");
    expect!["the JSON ends inside the array that starts on line 1: it was cut off; upload it again"]
        .assert_eq(&error.to_string());
    let error = scan_json(JsonDocuments::Concatenated, b"{\"a\":1} x", 3).expect_err("stray");
    expect!["line 1: 'x' stands where an object should start or end"].assert_eq(&error.to_string());
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(9 << 20));
    let error = scan_json(JsonDocuments::Lines, long.as_bytes(), 1 << 20).expect_err("long");
    assert_eq!(error.kind, ClassifyErrorKind::TooLarge);
}

#[test]
fn json_in_every_layout_is_the_same_table() {
    let lines = scan_json(
        JsonDocuments::Lines,
        b"{\"a\":1,\"b\":[{\"c\":\"]}\\\"\"}]}\r\n{\"a\":null}",
        4,
    )
    .expect("lines");
    let array = scan_json(
        JsonDocuments::Array,
        b" [ {\"a\":1,\"b\":[{\"c\":\"]}\\\"\"}]} ,\n{\"a\":null} ] ",
        4,
    )
    .expect("array");
    let concatenated = scan_json(
        JsonDocuments::Concatenated,
        b"{\"a\":1,\"b\":\n[{\"c\":\"]}\\\"\"}]}{\"a\":null}",
        4,
    )
    .expect("objects");
    expect![[r#"
        2 rows
        a: int? — 1 of 1 values are integers of 32 bits; 1 more is null
        b: array<struct<c:string>>? — 1 of 1 values are arrays; 1 row lacks it
    "#]]
    .assert_eq(&show(&lines));
    assert_eq!(lines, array);
    assert_eq!(lines, concatenated);
}

proptest! {
    #[test]
    fn pieces_do_not_matter_to_csv(
        text in "[ab1,|\"\n\r #;'\\\\]{0,60}",
        piece in 1_usize..9,
        delimiter in prop::sample::select(vec![",", "||", "|;|"]),
        skip_footer in 0_u64..3,
    ) {
        let (comment, delimiter) = (Some("#".to_owned()), delimiter.to_owned());
        let dialect = CsvDialect { comment, delimiter, skip_footer, ..CsvDialect::default() };
        let whole = scan_csv(&dialect, text.as_bytes(), 1 << 20);
        prop_assert_eq!(whole, scan_csv(&dialect, text.as_bytes(), piece));
    }

    #[test]
    fn pieces_do_not_matter_to_json(text in "[\\[{}\\]a1,\":\n ]{0,60}", piece in 1_usize..9) {
        for layout in [JsonDocuments::Lines, JsonDocuments::Array, JsonDocuments::Concatenated] {
            let whole = scan_json(layout, text.as_bytes(), 1 << 20);
            prop_assert_eq!(whole, scan_json(layout, text.as_bytes(), piece));
        }
    }
}
