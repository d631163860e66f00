//! Edits of several people at once: who says what they read loses nobody's edit.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;

use serde_json::{Value, json};
use ureq::Agent;

use super::send;
use crate::both_databases;
use crate::harness::{Database, TestApp};

both_databases! {
    an_edit_of_what_somebody_changed_since_is_refused,
    a_put_may_be_told_to_replace_nothing,
    without_a_precondition_the_last_edit_counts,
    of_many_edits_of_one_version_one_is_made,
}

const JOB: &str = r#"
engine = "sql"
script = "x.sql"

[output]
location = "s3://lake/out/"
format = "csv"
"#;

/// The nouns that are edited: each by its path, with two bodies that may be put there.
fn nouns() -> [(&'static str, Value, Value); 3] {
    let crawler = |path: &str| json!({ "database": "d", "targets": [{ "path": path }] });
    let rule = |path: &str| json!({ "kind": "json", "json_path": path });
    let job = |sql: &str| json!({ "definition": JOB, "script": sql });
    [
        ("crawlers/c", crawler("s3://lake/a/"), crawler("s3://lake/b/")),
        ("classifiers/k", rule("$.a[*]"), rule("$.b[*]")),
        ("jobs/j", job("SELECT 1 AS n"), job("SELECT 2 AS n")),
    ]
}

/// A server where each of the nouns is there once.
async fn with_one_of_each(database: Database) -> TestApp {
    let app = TestApp::start_on(database).await;
    for (path, body, _) in nouns() {
        let (noun, name) = path.split_once('/').unwrap();
        let (status, _, made) = if noun == "jobs" {
            send(&app, "PUT", &format!("/api/v1/{path}"), Some(body)).await
        } else {
            let mut new = body;
            new["name"] = json!(name);
            send(&app, "POST", &format!("/api/v1/{noun}"), Some(new)).await
        };
        assert!(status < 300, "{made}");
    }
    app
}

/// Asks with headers; gives the status, the tag and the body.
async fn ask(
    app: &TestApp,
    method: &str,
    path: &str,
    header: Option<(&str, &str)>,
    body: Option<Value>,
) -> (u16, String, Value) {
    let uri = format!("http://{}/api/v1/{path}", app.server().address);
    let mut request = ureq::http::Request::builder()
        .method(method)
        .uri(uri)
        .header("content-type", "application/json");
    if let Some((name, value)) = header {
        request = request.header(name, value);
    }
    let body = body.map(|body| body.to_string()).unwrap_or_default();
    let request = request.body(body).unwrap();
    tokio::task::spawn_blocking(move || {
        let agent: Agent = Agent::config_builder().http_status_as_error(false).build().into();
        let mut response = agent.run(request).unwrap();
        let tag = response.headers().get("etag");
        let tag = tag.map_or(String::new(), |tag| tag.to_str().unwrap().to_owned());
        let text = response.body_mut().read_to_string().unwrap();
        (
            response.status().as_u16(),
            tag,
            serde_json::from_str(&text).unwrap(),
        )
    })
    .await
    .unwrap()
}

async fn an_edit_of_what_somebody_changed_since_is_refused(database: Database) {
    let app = with_one_of_each(database).await;
    for (path, first, second) in nouns() {
        let (status, read, shown) = ask(&app, "GET", path, None, None).await;
        assert_eq!(
            (status, &read),
            (200, &format!("\"{}\"", shown["version"])),
            "{path}"
        );

        // Two read the same version, and the first of them writes.
        let if_read = Some(("if-match", read.as_str()));
        let (status, next, put) = ask(&app, "PUT", path, if_read, Some(second.clone())).await;
        assert_eq!(
            (status, &next),
            (200, &format!("\"{}\"", put["version"])),
            "{path}: {put}"
        );
        assert_ne!(next, read);
        let (status, _, problem) = ask(&app, "PUT", path, if_read, Some(first.clone())).await;
        assert_eq!((status, &problem["type"]), (412, &json!("urn:mastic:outdated")));
        let detail = problem["detail"].as_str().unwrap();
        let (now, then) = (next.trim_matches('"'), read.trim_matches('"'));
        let newer = format!("was changed since: it has version {now}, not {then}");
        assert!(detail.ends_with(&newer), "{detail}");
        let hint = "read it again, and make the change to what it is now";
        assert_eq!(problem["hint"], hint);

        // The other reads again, as the hint says. Several versions may be named, and any.
        let (_, again, shown) = ask(&app, "GET", path, None, None).await;
        assert_eq!((&again, &shown["updated_at"]), (&next, &put["updated_at"]));
        let either = format!("{read}, {again}");
        let (status, _, put) = ask(&app, "PUT", path, Some(("if-match", &either)), Some(first)).await;
        assert_eq!(status, 200, "{put}");
        let (status, _, put) = ask(&app, "PUT", path, Some(("if-match", "*")), Some(second.clone())).await;
        assert_eq!(status, 200, "{put}");

        for wrong in ["3", "W/\"3\"", "\"x\""] {
            let header = Some(("if-match", wrong));
            let (status, _, problem) = ask(&app, "PUT", path, header, Some(second.clone())).await;
            let detail = format!("If-Match has {wrong}, which is no ETag of this API");
            assert_eq!((status, &problem["detail"]), (400, &json!(detail)));
        }
    }
}

async fn a_put_may_be_told_to_replace_nothing(database: Database) {
    let app = with_one_of_each(database).await;
    let new = Some(("if-none-match", "*"));
    for (path, _, other) in nouns() {
        let (_, tag, before) = ask(&app, "GET", path, None, None).await;
        let (status, _, problem) = ask(&app, "PUT", path, new, Some(other.clone())).await;
        assert_eq!((status, &problem["type"]), (412, &json!("urn:mastic:outdated")));
        let there = format!("is there, in version {}", tag.trim_matches('"'));
        assert!(problem["detail"].as_str().unwrap().ends_with(&there), "{problem}");
        assert_eq!(ask(&app, "GET", path, None, None).await.2, before);
        let header = Some(("if-none-match", "\"1\""));
        assert_eq!(ask(&app, "PUT", path, header, Some(other)).await.0, 400);
    }
    let (_, mut job, _) = nouns()[2].clone();
    job["definition"] = json!(JOB.replace("out/", "other/"));
    let (status, tag, _) = ask(&app, "PUT", "jobs/new", new, Some(job.clone())).await;
    assert_eq!((status, tag.as_str()), (200, "\"0\""));
    let (status, _, problem) = ask(
        &app,
        "PUT",
        "jobs/none",
        Some(("if-match", "\"0\"")),
        Some(job.clone()),
    )
    .await;
    assert_eq!(
        (status, &problem["detail"]),
        (412, &json!("job none isn't there")),
        "{problem}"
    );
}

async fn without_a_precondition_the_last_edit_counts(database: Database) {
    let app = with_one_of_each(database).await;
    for (path, first, second) in nouns() {
        for body in [second, first] {
            let (status, _, put) = ask(&app, "PUT", path, None, Some(body)).await;
            assert_eq!(status, 200, "{put}");
        }
    }
}

async fn of_many_edits_of_one_version_one_is_made(database: Database) {
    let app = with_one_of_each(database).await;
    for (path, _, body) in nouns() {
        let (_, tag, before) = ask(&app, "GET", path, None, None).await;
        let edit = |number: usize| {
            let mut body = body.clone();
            match path {
                "crawlers/c" => body["description"] = json!(format!("by {number}")),
                "classifiers/k" => body["json_path"] = json!(format!("$.by{number}[*]")),
                _ => body["script"] = json!(format!("SELECT {number} AS n")),
            }
            ask(&app, "PUT", path, Some(("if-match", tag.as_str())), Some(body))
        };
        let answers = futures::future::join_all((10..18).map(edit)).await;
        let mut statuses: Vec<u16> = answers.iter().map(|(status, _, _)| *status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412, 412, 412, 412, 412, 412, 412], "{path}");
        let (_, _, made) = answers.into_iter().find(|(status, _, _)| *status == 200).unwrap();
        let (_, _, after) = ask(&app, "GET", path, None, None).await;
        assert_eq!(after, made);
        assert_eq!(
            after["version"].as_i64().unwrap(),
            before["version"].as_i64().unwrap() + 1
        );
    }
}

/// Takes one request and answers it; gives what it said.
fn answer(listener: &TcpListener, status: &str, body: &Value) -> String {
    let (stream, _) = listener.accept().unwrap();
    let mut reader = BufReader::new(&stream);
    let mut asked = String::new();
    while !asked.ends_with("\r\n\r\n") {
        assert!(reader.read_line(&mut asked).unwrap() > 0, "{asked}");
    }
    asked.make_ascii_lowercase();
    let length = asked
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let mut sent = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    reader.read_exact(&mut sent).unwrap();
    let body = body.to_string();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n",
        body.len()
    );
    write!(&stream, "{head}content-type: application/json\r\n\r\n{body}").unwrap();
    asked + &String::from_utf8(sent).unwrap()
}

#[test]
fn the_command_line_puts_back_the_crawler_that_it_read_and_no_other() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let shown = json!({ "name": "c", "database": "d", "targets": [{ "path": "s3://lake/a/" }],
            "options": {}, "classifiers": [], "version": 3 });
        let refusal = json!({ "type": "urn:mastic:outdated", "title": "Changed since", "status": 412,
            "detail": "crawler c was changed since", "hint": "read it again", "request_id": "1" });
        answer(&listener, "200 OK", &shown);
        answer(&listener, "412 Precondition Failed", &refusal)
    });
    let output = Command::new(env!("CARGO_BIN_EXE_mastic"))
        .args(["--url", &url, "crawlers", "update", "c", "--prefix", "p_"])
        .output()
        .unwrap();
    let put = server.join().unwrap();
    assert!(
        put.starts_with("put /api/v1/crawlers/c ") && put.contains("if-match: \"3\""),
        "{put}"
    );
    assert!(put.contains("p_"), "{put}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(
        said.contains("crawler c was changed since") && said.contains("read it again"),
        "{said}"
    );
}
