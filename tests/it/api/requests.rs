//! What every request has, whichever wire it goes to: an id, a line in the log; and how answers are sent.

use std::collections::BTreeSet;
use std::io::Read;

use flate2::read::GzDecoder;
use serde_json::{Value, json};
use ureq::Agent;
use ureq::http::{Request, Response};

use super::send;
use crate::harness::TestApp;
use crate::harness::process::ServeProcess;

/// Sends a request; the answer's head, and its bytes as they came.
async fn ask(request: Request<String>) -> (Response<()>, Vec<u8>) {
    tokio::task::spawn_blocking(move || {
        let agent: Agent = Agent::config_builder().http_status_as_error(false).build().into();
        let (head, mut body) = agent.run(request).unwrap().into_parts();
        let bytes = body.read_to_vec().unwrap();
        (Response::from_parts(head, ()), bytes)
    })
    .await
    .unwrap()
}

fn request(method: &str, url: &str, headers: &[(&str, &str)]) -> Request<String> {
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(String::new()).unwrap()
}

fn header<'a>(answer: &'a Response<()>, name: &str) -> Option<&'a str> {
    answer.headers().get(name).map(|value| value.to_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_request_has_an_id_of_the_clocks_that_its_wire_tells() {
    let app = TestApp::start().await;
    let api = app.glue_url();
    let lake = app.lake_url();
    let mut ids = BTreeSet::new();
    for (method, url, name) in [
        ("GET", format!("{api}/api/v1/databases"), "x-request-id"),
        ("GET", format!("{api}/api/v1/runs/nope"), "x-request-id"),
        ("GET", format!("{api}/api/nowhere"), "x-request-id"),
        ("GET", format!("{api}/healthz"), "x-request-id"),
        ("GET", format!("{api}/"), "x-request-id"),
        ("POST", format!("{api}/"), "x-amzn-requestid"),
        ("GET", format!("{lake}/lake?list-type=2"), "x-amz-request-id"),
        ("GET", format!("{lake}/lake/nope"), "x-amz-request-id"),
    ] {
        // A name that a client gives its request is no name of ours.
        let (answer, body) = ask(request(method, &url, &[("x-request-id", "mine"), (name, "mine")])).await;
        let id = header(&answer, name).unwrap_or_default().to_owned();
        assert!(id.starts_with("00000000-0000-7000-8000-"), "{method} {url}: {id}");
        if answer.status() == 404 && url.contains("/api/") {
            let problem: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(problem["request_id"], id, "{url}");
        }
        assert!(ids.insert(id), "{method} {url}: the id was given before");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn long_answers_are_compressed_and_no_others() {
    let app = TestApp::start().await;
    let text = "word ".repeat(1_000);
    app.put("lake", "in/t/a.csv", format!("a,b\n1,{text}\n")).await;
    app.crawl("s3://lake/in/", "shop", false).await;
    let described = json!({ "name": "long", "description": text });
    assert_eq!(
        send(&app, "POST", "/api/v1/databases", Some(described)).await.0,
        201
    );
    let api = app.glue_url();
    let lake = app.lake_url();
    for (url, is_compressed) in [
        (format!("{api}/api/v1/databases"), true),
        (format!("{api}/api/v1/databases/shop"), false),
        // Its rows come piece by piece.
        (
            format!("{api}/api/v1/databases/shop/tables/t/sample?limit=1"),
            false,
        ),
        (format!("{lake}/lake/in/t/a.csv"), false),
    ] {
        let (plain, expected) = ask(request("GET", &url, &[("accept-encoding", "identity")])).await;
        assert_eq!(
            (plain.status().as_u16(), header(&plain, "content-encoding")),
            (200, None)
        );
        let (answer, bytes) = ask(request("GET", &url, &[("accept-encoding", "gzip")])).await;
        let encoding = is_compressed.then_some("gzip");
        assert_eq!(header(&answer, "content-encoding"), encoding, "{url}");
        let mut unpacked = Vec::new();
        if is_compressed {
            assert!(bytes.len() < expected.len() / 2, "{url}");
            GzDecoder::new(&*bytes).read_to_end(&mut unpacked).unwrap();
        } else {
            unpacked = bytes;
        }
        assert_eq!(unpacked.len(), expected.len(), "{url}");
    }
    // An object keeps what its readers go by.
    let (object, _) = ask(request(
        "GET",
        &format!("{lake}/lake/in/t/a.csv"),
        &[("accept-encoding", "gzip"), ("range", "bytes=0-2")],
    ))
    .await;
    assert_eq!(object.status(), 206);
    assert_eq!(header(&object, "content-length"), Some("3"));
    assert_eq!(
        header(&object, "content-range"),
        Some(&*format!("bytes 0-2/{}", text.len() + 7))
    );
    assert!(header(&object, "etag").is_some());
}

/// What a server with this log writes of four requests.
fn logged(wanted: Option<&str>) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}/mastic.db", folder.path().display());
    let file = folder.path().join("log");
    let server = ServeProcess::start_with_log(folder.path(), &database, wanted, &file);
    let agent: Agent = Agent::config_builder().http_status_as_error(false).build().into();
    let signed = format!("{}/lake/a.csv?X-Amz-Signature=5ecre7", server.lake);
    agent.put(&signed).send("n\n1\n").unwrap();
    let key = ("authorization", "AWS4-HMAC-SHA256 Credential=5ecre7");
    let mut object = agent.get(&signed).header(key.0, key.1).call().unwrap();
    assert_eq!(object.body_mut().read_to_string().unwrap(), "n\n1\n");
    agent
        .post(&server.url)
        .header("x-amz-target", "AWSGlue.GetDatabases")
        .send("{}")
        .unwrap();
    let missing = agent
        .get(format!("{}/api/v1/runs/nope?token=5ecre7", server.url))
        .call()
        .unwrap();
    let id = missing.headers()["x-request-id"].to_str().unwrap().to_owned();
    drop(missing);
    server.stop();
    (std::fs::read_to_string(file).unwrap(), id)
}

#[test]
fn the_access_log_tells_of_every_request_and_of_no_secret() {
    let (log, id) = logged(Some("info,mastic::access=debug"));
    let lines: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("mastic::access"))
        .collect();
    for said in [
        "wire=\"lake\" method=PUT path=\"/lake/a.csv\"}: mastic::access: answered status=200 bytes=0 ms=",
        "wire=\"lake\" method=GET path=\"/lake/a.csv\"}: mastic::access: answered status=200 bytes=4 ms=",
        "wire=\"aws\" method=POST path=\"/\"}: mastic::access: answered status=200",
        &format!(
            "request{{id={id} wire=\"rest\" method=GET path=\"/api/v1/runs/nope\"}}: mastic::access: answered status=404"
        ),
    ] {
        assert_eq!(
            lines.iter().filter(|line| line.contains(said)).count(),
            1,
            "{said}\n{log}"
        );
    }
    assert!(!log.contains("5ecre7"), "{log}");
}

#[test]
fn nobody_who_did_not_ask_has_an_access_log() {
    let (log, _) = logged(None);
    assert!(!log.contains("answered"), "{log}");
}
