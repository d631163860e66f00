//! Verdicts as they are written down: `mastic infer` shows them so, and databases keep what earlier versions wrote.

use classifiers::{CsvLayout, JsonDocuments, JsonLayout, Layout, RegexLayout, Verdict};
use expect_test::expect;
use serde_json::json;

use crate::custom::judge;
use crate::support::classify_bytes;
use crate::{avro, orc, parquet};

fn file(name: &str, bytes: &[u8]) -> Verdict {
    classify_bytes(name, bytes).expect(name)
}

/// A file of each format, and of each custom classifier that says more than a format.
fn verdicts() -> Vec<Verdict> {
    let schema = r#"{"type":"record","name":"R","fields":[{"name":"a","type":"long"}]}"#;
    vec![
        file("a.csv", b"id,name\n1,\"a,b\"\n2,c\n\n"),
        file("a.csv", b"haus;boot\nkatze;hund\nbaum;stein\n(2 rows)\n"),
        file("a.json", b"{\"a\":1}\n{\"a\":2}\n"),
        file("a.json", b"[{\"a\":1}]"),
        file("a.parquet", &parquet::example()),
        file(
            "a.orc",
            &orc::schema(&[orc::node(12, &[1], &["a"]), orc::node(4, &[], &[])]),
        ),
        file("a.avro", &avro::header(schema, "deflate")),
        file("a.xml", b"<r><x a='1'/><x a='2'/></r>"),
        file("a.log", b"[    1.000000] one\n[    2.000000] two\n"),
        file("a.txt", b"some words.\n"),
        judge(
            "1|2\n3|4\n",
            &[json!({"CsvClassifier": {"Name": "bars", "Delimiter": "|", "Serde": "OpenCSVSerDe"}})],
        ),
        judge(
            "{\"rows\":[{\"a\":1},{\"a\":2}]}",
            &[json!({"JsonClassifier": {"Name": "rows", "JsonPath": "$.rows[*]"}})],
        ),
        judge(
            "a 1\nb 2\n",
            &[json!({"GrokClassifier": {
                "Name": "pairs", "Classification": "orc", "GrokPattern": "%{LETTER:a} %{INT:b:int}",
                "CustomPatterns": "LETTER [a-z]",
            }})],
        ),
    ]
}

#[test]
fn what_is_written_down_stays() {
    let lines = verdicts()
        .into_iter()
        .map(|verdict| serde_json::to_string(&verdict).expect("JSON") + "\n");
    expect![[r#"
        {"classification":"csv","certainty":1.0,"classifier":"csv","compression":"none","encoding":"utf-8","rows_sampled":2,"average_row_bytes":6.0,"row_count":2,"csv":{"delimiter":",","quote":"\"","escape":null,"comment":null,"header":true,"skip_lines":0,"line_terminator":"\n"},"quoted":true,"columns":[{"name":"id","type":"bigint","nullable":false,"reason":"2 of 2 values parse as bigint"},{"name":"name","type":"string","nullable":false,"reason":"2 of 2 values are text"}],"reasons":["delimiter: 3 of the first 3 records have 2 fields when split at the comma","header: every name is text, and 1 of 2 columns below are not"]}
        {"classification":"csv","certainty":0.88,"classifier":"csv","compression":"none","encoding":"utf-8","rows_sampled":3,"average_row_bytes":10.666666666666666,"row_count":3,"csv":{"delimiter":";","quote":"\"","escape":null,"comment":null,"header":false,"skip_lines":0,"skip_footer":1,"line_terminator":"\n"},"first_record":["haus","boot"],"second_record":["katze","hund"],"columns":[{"name":"col0","type":"string","nullable":false,"reason":"3 of 3 values are text"},{"name":"col1","type":"string","nullable":false,"reason":"3 of 3 values are text"}],"reasons":["delimiter: 3 of the first 3 records have 2 fields when split at the semicolon","header: none, because all columns are text and the first row is like those below","of the records at the end, 1 is not data: a note, or a count of rows"]}
        {"classification":"json","certainty":1.0,"classifier":"json","compression":"none","encoding":"utf-8","rows_sampled":2,"average_row_bytes":8.0,"row_count":2,"json":"lines","columns":[{"name":"a","type":"int","nullable":false,"reason":"2 of 2 values are integers of 32 bits"}],"reasons":["layout: one object a line (2 rows)"]}
        {"classification":"json","certainty":1.0,"classifier":"json","compression":"none","encoding":"utf-8","rows_sampled":1,"average_row_bytes":8.0,"row_count":1,"json":"array","columns":[{"name":"a","type":"int","nullable":false,"reason":"1 of 1 values are integers of 32 bits"}],"reasons":["layout: one array whose elements are the rows (1 row)"]}
        {"classification":"parquet","certainty":1.0,"classifier":"parquet","compression":"none","rows_sampled":0,"row_count":7,"columns":[{"name":"a","type":"int","nullable":false,"reason":"INT32, required"},{"name":"l","type":"array<string>","nullable":true,"reason":"LIST of two levels, optional"}],"reasons":["its footer holds the schema: 2 columns, 7 rows"]}
        {"classification":"orc","certainty":1.0,"classifier":"orc","compression":"none","rows_sampled":0,"row_count":42,"columns":[{"name":"a","type":"bigint","nullable":true,"reason":"long"}],"reasons":["its footer holds the schema: 1 columns, 42 rows, compressed by nothing"]}
        {"classification":"avro","certainty":1.0,"classifier":"avro","compression":"none","rows_sampled":0,"row_count":0,"avro":{"schema":"{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"long\"}]}","codec":"deflate"},"columns":[{"name":"a","type":"bigint","nullable":false,"reason":"long"}],"reasons":["its header holds the schema: record R, 1 columns, blocks compressed by deflate"]}
        {"classification":"xml","certainty":1.0,"classifier":"xml","compression":"none","encoding":"utf-8","rows_sampled":2,"average_row_bytes":10.0,"row_count":2,"xml":{"row_tag":"x"},"columns":[{"name":"_a","type":"bigint","nullable":false,"reason":"2 of 2 values parse as bigint"}],"reasons":["row: \"x\" repeats 2 times in \"r\"","2 rows are written as empty elements (`<row …/>`), which Glue's own XML reader passes over"]}
        {"classification":"linux_kernel","certainty":1.0,"classifier":"linux_kernel","compression":"none","encoding":"utf-8","rows_sampled":2,"average_row_bytes":19.0,"row_count":2,"grok":{"pattern":"^\\[ *%{UPTIME:uptime:double}\\] %{GREEDYDATA:message}$","custom_patterns":"UPTIME [0-9]+\\.[0-9]{6}"},"columns":[{"name":"uptime","type":"double","nullable":false,"reason":"the pattern says double"},{"name":"message","type":"string","nullable":false,"reason":"the pattern names no type, so it is text"}],"reasons":["2 of 2 lines match the pattern"]}
        {"classification":"UNKNOWN","certainty":0.0,"classifier":"","compression":"none","encoding":"utf-8","rows_sampled":0,"columns":[],"reasons":["no delimiter (comma, semicolon, tab, bar, Ctrl-A, tilde, caret, colon or space) splits its lines into the same number of fields"]}
        {"classification":"csv","certainty":1.0,"classifier":"bars","compression":"none","encoding":"utf-8","rows_sampled":2,"average_row_bytes":4.0,"row_count":2,"csv":{"delimiter":"|","quote":"\"","escape":null,"comment":null,"header":false,"skip_lines":0,"line_terminator":"\n"},"csv_serde":"OpenCSVSerDe","columns":[{"name":"col0","type":"bigint","nullable":false,"reason":"2 of 2 values parse as bigint"},{"name":"col1","type":"bigint","nullable":false,"reason":"2 of 2 values parse as bigint"}],"reasons":["delimiter: \"|\" makes 2 columns","header: none, because the first row holds \"1\", which is a value","the custom classifier \"bars\" says so"]}
        {"classification":"json","certainty":1.0,"classifier":"rows","compression":"none","encoding":"utf-8","rows_sampled":2,"average_row_bytes":8.0,"row_count":2,"json":"concatenated","json_path":"$.rows[*]","columns":[{"name":"a","type":"int","nullable":false,"reason":"2 of 2 values are integers of 32 bits"}],"reasons":["layout: 2 values at the path are the rows","the custom classifier \"rows\" says so"]}
        {"classification":"orc","certainty":1.0,"classifier":"pairs","compression":"none","encoding":"utf-8","rows_sampled":2,"average_row_bytes":4.0,"row_count":2,"grok":{"pattern":"%{LETTER:a} %{INT:b:int}","custom_patterns":"LETTER [a-z]"},"columns":[{"name":"a","type":"string","nullable":false,"reason":"the pattern names no type, so it is text"},{"name":"b","type":"int","nullable":false,"reason":"the pattern says int"}],"reasons":["2 of 2 lines match the pattern","the custom classifier \"pairs\" says so"]}
    "#]]
    .assert_eq(&lines.collect::<String>());
}

#[test]
fn what_was_written_down_is_read() {
    for verdict in verdicts().into_iter().chain(what_only_tables_say()) {
        let written = serde_json::to_string(&verdict).expect("JSON");
        let read: Verdict = serde_json::from_str(&written).expect("a verdict");
        assert_eq!(read, verdict, "{written}");
    }
}

/// Layouts that no classifier finds by itself.
fn what_only_tables_say() -> Vec<Verdict> {
    let csv = CsvLayout {
        null: Some("\\N".to_owned()),
        ..CsvLayout::default()
    };
    let json = JsonLayout {
        names: [("a".to_owned(), "A b".to_owned())].into(),
        ..JsonDocuments::Lines.into()
    };
    let regex = RegexLayout {
        pattern: "(.) (.)".to_owned(),
    };
    [
        Layout::Csv(Box::new(csv)),
        Layout::Json(json),
        Layout::Regex(regex),
    ]
    .map(|layout| Verdict {
        layout: Some(layout),
        ..file("a.txt", b"some words.\n")
    })
    .into()
}
