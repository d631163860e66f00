//! Custom classifiers: Glue's four kinds, the order in which they are asked, and definitions that are refused.

use classifiers::{ClassifierDefinition, CustomClassifier, Layout, Outcome, Sample, Verdict, classify_with};
use expect_test::{Expect, expect};
use serde_json::{Value, json};

use crate::support::show;

pub(crate) fn classifier(definition: Value) -> CustomClassifier {
    serde_json::from_value(definition).unwrap_or_else(|e| panic!("{e}"))
}

pub(crate) fn judge(text: &str, definitions: &[Value]) -> Verdict {
    let custom: Vec<CustomClassifier> = definitions.iter().cloned().map(classifier).collect();
    let sample = Sample {
        name: "data.txt",
        size: text.len() as u64,
        head: text.as_bytes(),
        tail: &[],
    };
    match classify_with(&sample, &custom) {
        Ok(Outcome::Verdict(verdict)) => *verdict,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
pub(crate) fn check(text: &str, definition: Value, expected: Expect) {
    let verdict = judge(text, &[definition]);
    let classifier = verdict.classifier.clone();
    expected.assert_eq(&format!("{classifier}: {}", show(&Ok(verdict))));
}

#[track_caller]
pub(crate) fn refused(definition: Value, expected: Expect) {
    let error = serde_json::from_value::<CustomClassifier>(definition).expect_err("refused");
    expected.assert_eq(&error.to_string());
}

fn grok(pattern: &str, custom: &str) -> Value {
    json!({"GrokClassifier": {"Name": "app", "Classification": "app_log", "GrokPattern": pattern, "CustomPatterns": custom}})
}

fn csv(members: Value) -> Value {
    let mut definition = json!({"Name": "mine"});
    for (name, value) in members.as_object().expect("members") {
        definition[name] = value.clone();
    }
    json!({"CsvClassifier": definition})
}

#[test]
fn grok_with_types_and_patterns_of_ones_own() {
    let text =
        "2024-05-01 10:00:00 [worker-1] WARN : 17 jobs\n2024-05-01 10:00:01 [worker-2] INFO : many jobs\n\n";
    check(
        text,
        grok(
            r"%{TIMESTAMP_ISO8601:at} \[%{THREAD:thread}\] %{LOGLEVEL:level} : (?:%{NUMBER:jobs:int}|%{WORD:how}) jobs",
            "# threads are numbered\nTHREAD %{WORD}-[0-9]+\n",
        ),
        expect![[r#"
            app: app_log 1 2 rows sampled
              at: string — the pattern names no type, so it is text
              thread: string — the pattern names no type, so it is text
              level: string — the pattern names no type, so it is text
              jobs: int? — the pattern says int; 1 of 2 rows have none
              how: string? — the pattern names no type, so it is text; 1 of 2 rows have none
              because 2 of 2 lines match the pattern
              because the custom classifier "app" says so
        "#]],
    );
    let verdict = judge(text, &[grok("%{TIMESTAMP_ISO8601:at} (?<rest>.*)", "")]);
    assert_eq!(verdict.classification, "app_log");
    let Some(Layout::Grok(grok)) = verdict.layout else {
        panic!("it is no grok")
    };
    assert_eq!(grok.pattern, "%{TIMESTAMP_ISO8601:at} (?<rest>.*)");
}

#[test]
fn grok_that_does_not_match_says_so() {
    check(
        "a,b\n1,2\n3,4\n",
        grok("%{IPV4:ip} .*", ""),
        expect![[r#"
        csv: csv 1 delimiter "," header 2 rows sampled
          a: bigint — 2 of 2 values parse as bigint
          b: bigint — 2 of 2 values parse as bigint
          because delimiter: 3 of the first 3 records have 2 fields when split at the comma
          because header: every name is text, and 2 of 2 columns below are not
          because the custom classifier "app" does not match: 0 of 3 lines match the pattern; the first that does not: "a,b"
    "#]],
    );
}

#[test]
fn values_that_a_type_does_not_hold() {
    check(
        "7 a\n300 b\n",
        grok("^%{INT:n:byte} %{WORD:w}$", ""),
        expect![[r#"
            app: app_log 1 2 rows sampled
              n: tinyint? — the pattern says byte; 1 of 2 values are not tinyint, such as "300", and read as null
              w: string — the pattern names no type, so it is text
              because 2 of 2 lines match the pattern
              because the custom classifier "app" says so
        "#]],
    );
}

#[test]
fn grok_patterns_that_are_refused() {
    refused(
        grok("%{NOPE:a}", "NOPE %{MISSING}"),
        expect![[
            r#"GrokPattern: the pattern "MISSING" is not known; define it as a custom pattern, or use one of USERNAME, USER, EMAILLOCALPART, EMAILADDRESS, INT, BASE10NUM, NUMBER, BASE16NUM, BASE16FLOAT, BOOLEAN, POSINT, NONNEGINT, WORD, NOTSPACE, SPACE, DATA, GREEDYDATA, QUOTEDSTRING, QS, UUID, CISCOMAC, WINDOWSMAC, COMMONMAC, MAC, IPV6, IPV4, IP, HOSTNAME, HOST, IPORHOST, HOSTPORT, UNIXPATH, TTY, WINPATH, PATH, URIPROTO, URIHOST, URIPATH, URIPARAM, URIPATHPARAM, URI, MONTH, MONTHNUM, MONTHNUM2, MONTHDAY, DAY, YEAR, HOUR, MINUTE, SECOND, TIME, DATE_US, DATE_EU, ISO8601_TIMEZONE, ISO8601_SECOND, TIMESTAMP_ISO8601, DATE, DATESTAMP, TZ, DATESTAMP_RFC822, DATESTAMP_RFC2822, DATESTAMP_OTHER, DATESTAMP_EVENTLOG, HTTPDATE, SYSLOGTIMESTAMP, PROG, SYSLOGPROG, SYSLOGHOST, SYSLOGFACILITY, SYSLOGBASE, MESSAGESLOG, COMMONAPACHELOG, COMBINEDAPACHELOG, COMMONAPACHELOG_DATATYPED, LOGLEVEL"#
        ]],
    );
    refused(
        grok("%{A:a}", "A %{B}\nB %{A}"),
        expect![[r#"GrokPattern: the pattern "A" contains itself"#]],
    );
    refused(
        grok("no fields", ""),
        expect!["GrokPattern: the pattern names no field; write at least one as %{PATTERN:name}"],
    );
    refused(
        grok("%{INT:a", ""),
        expect!["GrokPattern: `%{INT:a` has no closing brace"],
    );
    refused(
        grok("%{INT:a:decimal}", ""),
        expect![[
            r#"GrokPattern: "decimal" is not a type of a field; use byte, boolean, double, short, int, long, float or string"#
        ]],
    );
    refused(
        grok("%{INT:a:int} %{INT:a:long}", ""),
        expect![[r#"GrokPattern: the field "a" is int in one place and bigint in another"#]],
    );
    refused(
        grok("(?<!x)%{INT:a}", ""),
        expect![
            "GrokPattern: the pattern is not a regular expression that can be read: look-around, including look-ahead and look-behind, is not supported"
        ],
    );
    refused(
        grok("(%{INT:a}", ""),
        expect!["GrokPattern: the pattern is not a regular expression that can be read: unclosed group"],
    );
    refused(
        grok("%{X:a}", "X (?:(?:[a-z]{1000}){1000}){1000}"),
        expect![
            "GrokPattern: the pattern is too large once it is compiled; use fewer or smaller repetitions"
        ],
    );
    refused(
        grok("%{INT:a}", "lonely"),
        expect![[r#"GrokPattern: the custom pattern "lonely" is not a name, a blank and an expression"#]],
    );
    refused(
        grok("", ""),
        expect!["GrokPattern: it has 0 characters; 1 to 2048 are allowed"],
    );
    // Each pattern is the next one twice: a thousand million bytes, if written out.
    let doubling: String = (0..30)
        .map(|n| format!("D{n} %{{D{}}}%{{D{}}}\n", n + 1, n + 1))
        .collect();
    refused(
        grok("%{D0:a}", &format!("{doubling}D30 x")),
        expect![
            "GrokPattern: the pattern is longer than 262144 bytes once the patterns in it are written out"
        ],
    );
}

#[test]
fn letters_are_those_of_java() {
    let words = judge(
        "\u{e9}t\u{e9} 1\nhiver 2\n",
        &[grok(r"^(?<season>[^ ]+) (?<n>\d{1,64}\w{0,64})$", "")],
    );
    assert_eq!((words.classifier.as_str(), words.rows_sampled), ("app", 2));
    let unicode = judge("\u{e9}t\u{e9} 1\n", &[grok(r"^(?<season>\p{L}+) 1$", "")]);
    assert_eq!(unicode.classifier, "app");
    let ascii = judge("\u{e9}t\u{e9} 1\n", &[grok(r"^(?<season>\w+) 1$", "")]);
    assert_ne!(ascii.classifier, "app");
}

#[test]
fn a_pattern_that_is_too_large_for_the_text() {
    let text = format!("{}\n", "a".repeat(200_000));
    let verdict = judge(&text, &[grok("(?<a>(?:[a-z]?){8000}x)", "")]);
    expect![[r#"the custom classifier "app" does not match: the pattern is too large, or the first line too long, to be tried in reasonable time"#]].assert_eq(verdict.reasons.last().expect("a reason"));
}

#[test]
fn patterns_that_would_hang_elsewhere() {
    let start = std::time::Instant::now();
    let text = format!("{}b\n", "a".repeat(50_000)).repeat(20);
    for pattern in [
        "%{X:a}$",
        "^(?<a>(a+)+)$",
        "(?<a>(a|a)*)c",
        "(?<a>(.*)(.*)(.*)(.*)(.*)x)",
        "(?<a>(?:[a-z]?){3000}x)",
    ] {
        judge(&text, &[grok(pattern, "X (?:(?:a*)*)*")]);
    }
    assert!(
        start.elapsed() < std::time::Duration::from_secs(20),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn xml_by_row_tag() {
    let text =
        "<data><meta><n>1</n><n>2</n></meta><row id='1'><v>x</v></row><row id='2'><v>y</v></row></data>";
    let xml =
        |tag: &str| json!({"XMLClassifier": {"Name": "rows", "Classification": "my_xml", "RowTag": tag}});
    check(
        text,
        xml("row"),
        expect![[r#"
        rows: my_xml 1 2 rows sampled
          _id: bigint — 2 of 2 values parse as bigint
          v: string — 2 of 2 values are text
          because row: 2 elements are called "row"
          because the custom classifier "rows" says so
    "#]],
    );
    check(
        text,
        xml("data"),
        expect![[r#"
        rows: my_xml 1 1 rows sampled
          meta: struct<n:array<bigint>> — 1 elements have fields of their own
          row: array<struct<_id:bigint,v:string>> — up to 2 in a row; 2 elements have fields of their own
          because row: 1 elements are called "data"
          because the custom classifier "rows" says so
    "#]],
    );
    let other = judge(text, &[xml("item")]);
    assert_eq!(other.classification, "xml");
    expect![[r#"the custom classifier "rows" does not match: no element is called "item""#]]
        .assert_eq(other.reasons.last().expect("a reason"));
    refused(
        xml("<row>"),
        expect![[r#"RowTag: "<row>" is no element's name; write it without brackets, such as `row`"#]],
    );
}

#[test]
fn csv_by_its_marks() {
    let text = "1~'a~b'~ 7\n2~'c'~8\n";
    check(
        text,
        csv(
            json!({"Delimiter": "~", "QuoteSymbol": "'", "ContainsHeader": "ABSENT", "Header": ["id", "text", "n"]}),
        ),
        expect![[r#"
            mine: csv 1 delimiter "~" quote Some("'") no-header 2 rows sampled
              id: bigint — 2 of 2 values parse as bigint
              text: string — 2 of 2 values are text
              n: bigint — 2 of 2 values parse as bigint
              because delimiter: "~" makes 3 columns
              because header: the classifier says there is none
              because the custom classifier "mine" says so
        "#]],
    );
    check(
        text,
        csv(
            json!({"Delimiter": "~", "QuoteSymbol": "'", "ContainsHeader": "PRESENT", "DisableValueTrimming": true}),
        ),
        expect![[r#"
            mine: csv 1 delimiter "~" quote Some("'") header 1 rows sampled
              1: bigint — 1 of 1 values parse as bigint
              a~b: string — 1 of 1 values are text
              7: bigint — 1 of 1 values parse as bigint
              because delimiter: "~" makes 3 columns
              because header: the classifier says there is one
              because the custom classifier "mine" says so
        "#]],
    );
    check(
        "a;b\nx;y\n",
        csv(
            json!({"Delimiter": ";", "CustomDatatypeConfigured": true, "CustomDatatypes": ["STRING", "binary"], "Serde": "OpenCSVSerDe"}),
        ),
        expect![[r#"
            mine: csv 1 delimiter ";" no-header 2 rows sampled
              col0: string — the classifier says STRING; 2 of 2 values are text
              col1: binary — the classifier says binary; 2 of 2 values are text
              because delimiter: ";" makes 2 columns
              because header: none, because all columns are text and the first row is like those below
              because the custom classifier "mine" says so
        "#]],
    );
    check(
        "id,name\n1,Ada\n2,Alan\n",
        csv(json!({"Header": ["key"], "ContainsHeader": "UNKNOWN"})),
        expect![[r#"
            mine: csv 1 delimiter "," header 2 rows sampled
              key: bigint — 2 of 2 values parse as bigint
              name: string — 2 of 2 values are text
              because delimiter: "," makes 2 columns
              because header: every name is text, and 1 of 2 columns below are not
              because the classifier names 1 columns where the file has 2
              because the custom classifier "mine" says so
        "#]],
    );
}

#[test]
fn one_column_only_where_it_is_allowed() {
    let text = "word\nalpha\nbeta\n";
    check(
        text,
        csv(json!({"Delimiter": ",", "AllowSingleColumn": true, "ContainsHeader": "PRESENT"})),
        expect![[r#"
            mine: csv 1 delimiter "," header 2 rows sampled
              word: string — 2 of 2 values are text
              because delimiter: "," makes 1 columns
              because header: the classifier says there is one
              because the custom classifier "mine" says so
        "#]],
    );
    let not_allowed = judge(text, &[csv(json!({"Delimiter": ","}))]);
    assert_eq!(not_allowed.classifier, "");
    expect![[r#"the custom classifier "mine" does not match: it has 1 column when split at ","; set AllowSingleColumn if that is right"#]].assert_eq(not_allowed.reasons.last().expect("a reason"));
}

#[test]
fn csv_definitions_that_are_refused() {
    refused(
        csv(json!({"Delimiter": ",,"})),
        expect![[r#"Delimiter: ",," must be one ASCII character that is no line end"#]],
    );
    refused(
        csv(json!({"Delimiter": "\n"})),
        expect![[r#"Delimiter: "\n" must be one ASCII character that is no line end"#]],
    );
    refused(
        csv(json!({"Delimiter": "\""})),
        expect!["QuoteSymbol: it must be another character than the delimiter"],
    );
    refused(
        csv(json!({"Header": ["a", "A"]})),
        expect![[r#"Header: the column name "a" occurs twice"#]],
    );
    refused(
        csv(json!({"CustomDatatypes": ["NUMBER"]})),
        expect![[
            r#"CustomDatatypes: "NUMBER" is not one of BINARY, BOOLEAN, DATE, DECIMAL, DOUBLE, FLOAT, INT, LONG, SHORT, STRING and TIMESTAMP"#
        ]],
    );
    refused(
        csv(json!({"Name": ""})),
        expect!["Name: it has 0 characters; 1 to 255 are allowed"],
    );
    refused(
        csv(json!({"ContainsHeader": "MAYBE"})),
        expect!["unknown variant `MAYBE`, expected one of `UNKNOWN`, `PRESENT`, `ABSENT`"],
    );
}

#[test]
fn the_first_that_is_certain_decides() {
    let line = "10.0.0.7 - - [10/Oct/2000:13:55:38 -0700] \"GET / HTTP/1.1\" 200 5\n";
    let named = |name: &str, pattern: &str| json!({"GrokClassifier": {"Name": name, "Classification": name, "GrokPattern": pattern}});
    let (sure, also, unsure) = (
        named("sure", "%{IPV4:ip} "),
        named("also", "%{GREEDYDATA:all}"),
        named("unsure", "^(?<a>1.*)$"),
    );
    assert_eq!(judge(line, &[sure.clone(), also.clone()]).classifier, "sure");
    assert_eq!(judge(line, &[also, sure.clone()]).classifier, "also");
    // Nineteen of twenty lines: the built-in classifier, which is certain, wins.
    let text = line.repeat(19) + &line.replacen('1', "2", 1);
    assert_eq!(judge(&text, std::slice::from_ref(&unsure)).classifier, "apache");
    assert_eq!(judge(&text, &[unsure, sure]).classifier, "sure");
}

#[test]
fn definitions_are_written_as_glue_writes_them() {
    let definition = json!({"XMLClassifier": {"Name": "x", "Classification": "c", "RowTag": "row"}});
    let custom = classifier(definition.clone());
    assert_eq!(custom.name(), "x");
    assert_eq!(serde_json::to_value(&custom).expect("JSON"), definition);
    assert!(matches!(custom.definition(), ClassifierDefinition::Xml(_)));
    let stored =
        json!({"JsonClassifier": {"Name": "j", "JsonPath": "$[*]", "Version": 3, "CreationTime": 1.5}});
    assert_eq!(classifier(stored).name(), "j");
}
