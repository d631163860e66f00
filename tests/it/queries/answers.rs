//! How large an answer may be, and how it ends.

use std::io::Read;

use mastic::error::ErrorKind;
use mastic::etl::query;
use serde_json::{Value, json};

use super::little_memory;
use crate::api::send;
use crate::harness::TestApp;
use crate::harness::process::ServeProcess;

/// Ten rows of `["xxxxx"]`, nine commas between them.
const TEN_ROWS: &str = "SELECT repeat('x', 5) AS x FROM (SELECT unnest(range(0, 10)))";
/// Sixty megabytes go well, and then a row doesn't.
const FAILS_LATE: &str = "SELECT repeat('x', 1500) AS x, 1 / (40000 - a * 1000 - b) AS y \
                          FROM (SELECT unnest(range(0, 50)) AS a) CROSS JOIN (SELECT unnest(range(0, 1000)) AS b)";

#[tokio::test(flavor = "multi_thread")]
async fn a_result_may_be_as_large_as_the_limit_and_one_byte_more_is_refused_by_name() {
    let app = TestApp::start_with(|config| config.query.max_bytes = 99).await;
    let ask = |sql: String| json!({ "query": sql, "limit": 20 });
    let (status, media, answer) = send(&app, "POST", "/api/v1/sql", Some(ask(TEN_ROWS.to_owned()))).await;
    assert_eq!((status, media.as_str()), (200, "application/json"), "{answer}");
    assert_eq!(answer["columns"], json!([{ "name": "x", "type": "string" }]));
    assert_eq!(answer["rows"], json!(vec![["xxxxx"]; 10]));
    assert_eq!(
        (&answer["truncated"], &answer["elapsed_ms"]),
        (&json!(false), &json!(0))
    );
    assert_eq!(
        (&answer["remarks"], answer.as_object().unwrap().len()),
        (&json!([]), 5)
    );

    let larger = TEN_ROWS.replace(", 5)", ", 6)");
    let (status, _, problem) = send(&app, "POST", "/api/v1/sql", Some(ask(larger))).await;
    assert_eq!((status, &problem["type"]), (422, &json!("urn:mastic:limit")));
    assert_eq!(
        problem["detail"],
        "the result is larger than the 99 bytes that query.max_bytes allows: column x of row 10 goes beyond it, and up \
         to 20 rows were asked for"
    );
    assert_eq!(
        problem["hint"],
        "ask for fewer rows (LIMIT) or fewer columns, or raise query.max_bytes"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_50_mib_is_given_where_it_may_be_and_refused_where_not() {
    let app = TestApp::start().await;
    let answer = query::run(app.app(), "SELECT repeat('é', 26214400) AS x", 1)
        .await
        .unwrap();
    assert_eq!(answer.rows[0][0].as_str().unwrap().len(), 50 << 20);
    for sql in [
        "SELECT repeat('x', 70000000) AS x",
        // Escapes count as they are written.
        "SELECT repeat(chr(1), 20000000) AS x",
        "SELECT repeat('x', 40000000) AS y, repeat('x', 40000000) AS x",
    ] {
        let error = query::run(app.app(), sql, 1).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Limit, "{sql}");
        let named = "larger than the 64 MiB that query.max_bytes allows: column x of row 1";
        assert!(error.message.contains(named), "{sql}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_one_and_as_many_rows_as_were_asked_for() {
    let app = TestApp::start_with(|config| config.query.max_rows = 50).await;
    for (there, limit, given, truncated) in [
        (0, 1, 0, false),
        (1, 1, 1, false),
        (2, 1, 1, true),
        (49, 50, 49, false),
        (50, 50, 50, false),
        (51, 50, 50, true),
    ] {
        let sql = format!("SELECT unnest(range(0, {there})) AS value");
        let (status, _, answer) = send(
            &app,
            "POST",
            "/api/v1/sql",
            Some(json!({ "query": sql, "limit": limit })),
        )
        .await;
        assert_eq!(status, 200, "{answer}");
        assert_eq!(answer["rows"].as_array().unwrap().len(), given);
        assert_eq!(answer["truncated"], truncated, "{there} of {limit}");
    }
    for limit in [0, 51] {
        let body = json!({ "query": "SELECT 1", "limit": limit });
        let (status, _, problem) = send(&app, "POST", "/api/v1/sql", Some(body)).await;
        assert_eq!(status, 400, "{limit}");
        assert_eq!(problem["hint"], "it may be 1 to 50, which query.max_rows says");
    }
    let (status, _, answer) = send(
        &app,
        "POST",
        "/api/v1/sql",
        Some(json!({ "query": "SELECT 1 AS a" })),
    )
    .await;
    assert_eq!((status, &answer["rows"]), (200, &json!([[1]])));
}

/// Sends a query and reads the answer as far as it comes: status, text, and whether it ended as it should.
async fn read_all(app: &TestApp, accept: &'static str, sql: &'static str) -> (u16, String, bool) {
    let url = format!("{}/api/v1/sql", app.glue_url());
    tokio::task::spawn_blocking(move || {
        let mut response = ureq::post(url)
            .header("accept", accept)
            .header("content-type", "application/json")
            .send(json!({ "query": sql, "limit": 100_000 }).to_string())
            .unwrap();
        let mut bytes = Vec::new();
        let ended = response.body_mut().as_reader().read_to_end(&mut bytes).is_ok();
        (
            response.status().as_u16(),
            String::from_utf8(bytes).unwrap(),
            ended,
        )
    })
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_come_as_lines_to_who_asks_for_lines() {
    let app = TestApp::start().await;
    let sql = "SELECT unnest(range(1, 3)) AS n, 'a\nb' AS t";
    let (status, text, ended) = read_all(&app, "application/x-ndjson", sql).await;
    assert_eq!((status, ended), (200, true));
    let expected = r#"{"columns":[{"name":"n","type":"bigint"},{"name":"t","type":"string"}]}
[1,"a\nb"]
[2,"a\nb"]
{"rows":2,"truncated":false,"remarks":[],"elapsed_ms":0}
"#;
    assert_eq!(text, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_result_that_fails_in_the_middle_is_taken_for_a_whole_one_by_nobody() {
    let app = TestApp::start_with(little_memory).await;
    let (status, text, ended) = read_all(&app, "application/json", FAILS_LATE).await;
    assert_eq!((status, ended), (200, false));
    assert!(
        text.len() > 20 << 20
            && serde_json::from_str::<Value>(&text).is_ok_and(|answer| answer["error"]["detail"].is_string())
    );
    assert!(!text.contains("\"truncated\""));

    let (status, text, ended) = read_all(&app, "application/x-ndjson", FAILS_LATE).await;
    assert_eq!((status, ended), (200, false));
    let last: Value = serde_json::from_str(text.lines().next_back().unwrap()).unwrap();
    assert!(
        last["error"]["detail"]
            .as_str()
            .unwrap()
            .contains("Divide by zero"),
        "{last}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_says_that_rows_are_missing_and_fails() {
    let folder = tempfile::tempdir().unwrap();
    let settings = "[tasks]\nsql_memory_mib = 800\n";
    std::fs::write(folder.path().join("mastic.toml"), settings).unwrap();
    tokio::task::spawn_blocking(move || {
        let database = format!("sqlite://{}/mastic.db", folder.path().display());
        let server = ServeProcess::start(folder.path(), &database);
        for format in ["csv", "jsonl", "json", "table"] {
            let all = ["--output", format, "sql", FAILS_LATE, "--limit", "100000"];
            let (_, said, code) = server.mastic(&all);
            assert_eq!(code, 1, "{format}: {said}");
            assert!(said.contains("the rows that came are not all"), "{format}: {said}");
        }
        let sql = "SELECT unnest(range(1, 3)) AS n, 'a, \"b\"' AS t";
        for (format, expected) in [
            ("csv", "n,t\n1,\"a, \"\"b\"\"\"\n2,\"a, \"\"b\"\"\"\n"),
            ("jsonl", "{\"n\":1,\"t\":\"a, \\\"b\\\"\"}\n{\"n\":2,\"t\":\"a, \\\"b\\\"\"}\n"),
            (
                "json",
                "[\n  {\n    \"n\": 1,\n    \"t\": \"a, \\\"b\\\"\"\n  },\n  {\n    \"n\": 2,\n    \"t\": \"a, \\\"b\\\"\"\n  }\n]\n",
            ),
        ] {
            let (data, said, code) = server.mastic(&["--output", format, "sql", sql]);
            assert_eq!((data.as_str(), code), (expected, 0), "{said}");
            assert!(said.starts_with("2 rows in "), "{said}");
        }
        let (data, _, code) = server.mastic(&["--output", "json", "sql", "SELECT 1 AS a WHERE false"]);
        assert_eq!((data.as_str(), code), ("[]\n", 0));
        let (data, _, code) = server.mastic(&["--output", "csv", "sql", "SELECT 1 AS a WHERE false"]);
        assert_eq!((data.as_str(), code), ("a\n", 0));
        let (_, said, code) = server.mastic(&["sql", "SELECT 1", "--limit", "100001"]);
        assert_eq!(code, 1);
        assert!(said.contains("which query.max_rows says"), "{said}");
    })
    .await
    .unwrap();
}
