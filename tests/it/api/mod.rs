//! The REST API as a program meets it.

mod costs;
mod notices;
mod operations;
mod preconditions;
mod requests;
mod runs;
mod silence;
mod start;

use serde_json::{Value, json};
use ureq::Agent;

use crate::both_databases;
use crate::harness::{Database, TestApp};

/// Sends a request, and gives back the status, the content type and the body.
pub(crate) async fn send(
    app: &TestApp,
    method: &str,
    path: &str,
    body: Option<Value>,
) -> (u16, String, Value) {
    send_text(app, method, path, body.map(|body| body.to_string()), &[]).await
}

async fn send_text(
    app: &TestApp,
    method: &str,
    path: &str,
    body: Option<String>,
    headers: &[(&str, &str)],
) -> (u16, String, Value) {
    let uri = format!("http://{}{path}", app.server().address);
    let mut request = ureq::http::Request::builder().method(method).uri(uri);
    if body.is_some() {
        request = request.header("content-type", "application/json");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(body.unwrap_or_default()).unwrap();
    tokio::task::spawn_blocking(move || {
        let agent: Agent = Agent::config_builder().http_status_as_error(false).build().into();
        let mut response = agent.run(request).unwrap();
        let media = response
            .headers()
            .get("content-type")
            .map(|value| value.to_str().unwrap().to_owned());
        let text = response.body_mut().read_to_string().unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        (response.status().as_u16(), media.unwrap_or_default(), body)
    })
    .await
    .unwrap()
}

async fn get(app: &TestApp, path: &str) -> Value {
    let (status, _, body) = send(app, "GET", path, None).await;
    assert_eq!(status, 200, "{path}: {body}");
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn databases_are_made_listed_in_pages_and_removed() {
    let app = TestApp::start().await;
    for name in ["b", "a", "C"] {
        let (status, _, made) = send(&app, "POST", "/api/v1/databases", Some(json!({ "name": name }))).await;
        assert_eq!((status, &made["name"]), (201, &json!(name.to_lowercase())));
    }
    let first = get(&app, "/api/v1/databases?limit=2").await;
    assert_eq!(
        (&first["items"][0]["name"], &first["items"][1]["name"]),
        (&json!("a"), &json!("b"))
    );
    let cursor = first["next"].as_str().unwrap();
    let last = get(&app, &format!("/api/v1/databases?limit=2&cursor={cursor}")).await;
    assert_eq!(
        (&last["items"][0]["name"], &last["next"]),
        (&json!("c"), &Value::Null)
    );
    assert_eq!(send(&app, "DELETE", "/api/v1/databases/a", None).await.0, 204);
    assert_eq!(send(&app, "GET", "/api/v1/databases/a", None).await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_made_tried_and_never_tell_their_passwords() {
    let app = TestApp::start().await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let url = format!("jdbc:postgresql://127.0.0.1:{port}/shop");
    let properties = json!({ "JDBC_CONNECTION_URL": url, "USERNAME": "ada", "PASSWORD": "hush" });
    let body = json!({ "name": "shop", "properties": properties });
    let (status, _, made) = send(&app, "POST", "/api/v1/connections", Some(body.clone())).await;
    assert_eq!((status, &made["kind"]), (201, &json!("JDBC")), "{made}");
    assert_eq!(send(&app, "POST", "/api/v1/connections", Some(body)).await.0, 409);
    let shown = get(&app, "/api/v1/connections/shop").await;
    let hidden = json!({ "JDBC_CONNECTION_URL": url, "USERNAME": "ada", "PASSWORD": "***" });
    assert_eq!(shown["properties"], hidden);
    assert_eq!(get(&app, "/api/v1/connections").await["items"], json!([shown]));
    drop(listener);
    let (status, _, problem) = send(&app, "POST", "/api/v1/connections/shop/test", None).await;
    assert_eq!(status, 503);
    assert!(
        problem["detail"].as_str().unwrap().contains("can't be reached"),
        "{problem}"
    );
    assert_eq!(
        send(&app, "DELETE", "/api/v1/connections/shop", None).await.0,
        204
    );
    assert_eq!(send(&app, "GET", "/api/v1/connections/shop", None).await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_problem_documents_that_say_what_is_wrong() {
    let app = TestApp::start().await;
    send(&app, "POST", "/api/v1/databases", Some(json!({ "name": "a" }))).await;
    for (method, path, body, status, said) in [
        (
            "POST",
            "/api/v1/databases",
            Some(json!({ "name": "a" })),
            409,
            "exists already",
        ),
        (
            "POST",
            "/api/v1/databases",
            Some(json!({ "name": "" })),
            400,
            "name is empty",
        ),
        (
            "POST",
            "/api/v1/databases",
            Some(json!({ "nam": "a" })),
            400,
            "nam",
        ),
        (
            "GET",
            "/api/v1/databases/a/tables/x",
            None,
            404,
            "table x not found",
        ),
        ("GET", "/api/v1/databases?limit=0", None, 400, "limit is 0"),
        ("GET", "/api/v1/databases?cursor=zz", None, 400, "cursor is wrong"),
        ("GET", "/api/v1/runs?state=LOST", None, 400, "LOST"),
        ("GET", "/api/v1/runs/nope", None, 404, "run nope not found"),
        (
            "GET",
            "/api/v1/nowhere",
            None,
            404,
            "there is no GET /api/v1/nowhere",
        ),
        (
            "POST",
            "/api/v1/crawls",
            Some(json!({ "path": "/tmp" })),
            400,
            "not a location",
        ),
        (
            "POST",
            "/api/v1/sql",
            Some(json!({ "query": "SELECT * FROM a.x" })),
            404,
            "table x not found",
        ),
        ("POST", "/api/v1/sql", Some(json!({ "query": "SELECT" })), 400, ""),
        (
            "PUT",
            "/api/v1/jobs/j",
            Some(json!({ "definition": "engine = 1", "script": "x" })),
            400,
            "job.toml, line 1",
        ),
    ] {
        let (found, media, problem) = send(&app, method, path, body).await;
        assert_eq!(
            (found, media.as_str()),
            (status, "application/problem+json"),
            "{method} {path}: {problem}"
        );
        assert!(
            problem["detail"].as_str().unwrap().contains(said),
            "{method} {path}: {problem}"
        );
        assert_eq!(problem["status"], status);
        assert!(problem["request_id"].is_string() && problem["title"].is_string());
    }
    let (status, _, problem) = send_text(&app, "POST", "/api/v1/databases", Some("{".to_owned()), &[]).await;
    assert_eq!((status, problem["hint"].is_string()), (400, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crawl_a_query_a_job_and_its_log_through_the_api_alone() {
    let app = TestApp::start().await;
    app.put("lake", "in/sales/a.csv", "shop,amount\nnorth,1\nsouth,2\n")
        .await;
    let asked = json!({ "path": "s3://lake/in/", "database": "shop" });
    let (status, _, crawl) = send(&app, "POST", "/api/v1/crawls", Some(asked)).await;
    assert_eq!((status, &crawl["state"]), (202, &json!("QUEUED")));
    app.run_tasks().await;
    let crawl = get(&app, &format!("/api/v1/crawls/{}", crawl["id"].as_str().unwrap())).await;
    assert_eq!(
        (&crawl["state"], &crawl["changes"]),
        (&json!("SUCCEEDED"), &json!(2))
    );
    let table = get(&app, "/api/v1/databases/shop/tables/sales").await;
    assert_eq!(
        table["columns"][1],
        json!({ "name": "amount", "type": "bigint", "comment": null })
    );
    let ddl = get(&app, "/api/v1/databases/shop/tables/sales/ddl").await;
    assert!(
        ddl["ddl"]
            .as_str()
            .unwrap()
            .starts_with("CREATE EXTERNAL TABLE `shop`.`sales` (\n  `shop` string,")
    );
    let sample = get(&app, "/api/v1/databases/shop/tables/sales/sample?limit=1").await;
    assert_eq!(
        (&sample["rows"], &sample["truncated"]),
        (&json!([["north", 1]]), &json!(true))
    );
    let found = get(&app, "/api/v1/search?q=SAL").await;
    assert_eq!(
        (&found["items"][0]["kind"], &found["items"][0]["database"]),
        (&json!("table"), &json!("shop"))
    );

    let definition = "engine = 'sql'\nscript = 's.sql'\n[inputs]\nsales = 's3://lake/in/sales/'\n\
                      [output]\nlocation = 's3://lake/out/'\nformat = 'json'\n";
    let job = json!({ "definition": definition, "script": "SELECT sum(amount) AS total FROM sales" });
    assert_eq!(send(&app, "PUT", "/api/v1/jobs/total", Some(job)).await.0, 200);
    let (status, _, run) = send(&app, "POST", "/api/v1/jobs/total/runs", Some(json!({}))).await;
    assert_eq!(status, 202);
    app.run_tasks().await;
    let run = get(&app, &format!("/api/v1/runs/{}", run["id"].as_str().unwrap())).await;
    assert_eq!(
        (&run["state"], &run["rows_in"], &run["rows_out"]),
        (&json!("SUCCEEDED"), &json!(2), &json!(1))
    );
    assert_eq!(
        app.text("lake", "out/part-00000.json").await.unwrap(),
        "{\"total\":3}\n"
    );

    let logs = format!("/api/v1/runs/{}/logs", run["id"].as_str().unwrap());
    let lines = get(&app, &logs).await["items"].as_array().unwrap().len();
    let (_, media, text) = send_text(&app, "GET", &logs, None, &[("accept", "text/plain")]).await;
    assert!(media.starts_with("text/plain"));
    assert_eq!(text.as_str().unwrap().lines().count(), lines);
    let (_, media, stream) = send_text(&app, "GET", &logs, None, &[("accept", "text/event-stream")]).await;
    assert!(media.starts_with("text/event-stream"));
    assert_eq!(stream.as_str().unwrap().matches("data: {").count(), lines);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stores_notifications_are_taken_down_before_they_are_acknowledged() {
    let app = TestApp::start().await;
    let record = |sequencer: &str, etag: &str| {
        json!({ "Records": [{ "eventSource": "minio:s3", "eventName": "s3:ObjectCreated:Put", "s3": {
            "bucket": { "name": "other" },
            "object": { "key": "a+b.csv", "size": 3, "eTag": etag, "sequencer": sequencer } } }] })
    };
    for body in [record("02", "x"), record("02", "x"), record("01", "old")] {
        let (status, _, received) = send(&app, "POST", "/api/v1/events/s3", Some(body)).await;
        assert_eq!((status, &received["accepted"]), (200, &json!(1)));
    }
    assert_eq!(
        app.outcomes().await,
        ["a b.csv: unmatched", "a b.csv: duplicate", "a b.csv: superseded"]
    );
    let (status, _, problem) = send(&app, "POST", "/api/v1/events/s3", Some(json!({ "hello": 1 }))).await;
    assert_eq!((status, problem["hint"].is_string()), (400, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_dropped_with_a_200() {
    let app = TestApp::start().await;
    let record = |key: &str| {
        json!({ "eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": {
            "bucket": { "name": "other" }, "object": { "key": key } } })
    };
    let body = json!({ "Records": [record("one")] }).to_string();
    let queued =
        json!({ "Messages": [{ "Body": body }, { "Body": json!({ "Message": body }).to_string() }] });
    let (status, _, received) = send(&app, "POST", "/api/v1/events/s3", Some(queued)).await;
    assert_eq!((status, &received["accepted"]), (200, &json!(2)));

    // One record that can't be acted on refuses the whole: whoever sent it sends it again.
    let before = app.outcomes().await.len();
    let (status, _, problem) = send(
        &app,
        "POST",
        "/api/v1/events/s3",
        Some(json!({ "Records": [record("two"), record("")] })),
    )
    .await;
    assert_eq!(
        (status, &problem["detail"]),
        (400, &json!("the notification: Records[1] lacks s3.object.key"))
    );
    assert_eq!(app.outcomes().await.len(), before);

    let asks = json!({ "Type": "SubscriptionConfirmation", "TopicArn": "arn:aws:sns:eu-west-1:1:t",
        "SubscribeURL": "https://sns.example/confirm" });
    for _ in 0..2 {
        let (status, _, received) = send(&app, "POST", "/api/v1/events/s3", Some(asks.clone())).await;
        assert_eq!(
            (status, &received["to_confirm"][0]),
            (200, &json!("arn:aws:sns:eu-west-1:1:t"))
        );
    }
    let waiting = get(&app, "/api/v1/events/confirmations").await;
    assert_eq!(waiting["items"].as_array().unwrap().len(), 1);
    assert_eq!(waiting["items"][0]["url"], "https://sns.example/confirm");
}

async fn a_nul_is_refused_in_words(database: Database) {
    let app = TestApp::start_on(database).await;
    for (method, path, body) in [
        (
            "POST",
            "/api/v1/databases",
            Some(json!({ "name": "a", "description": "\u{0}" })),
        ),
        (
            "POST",
            "/api/v1/crawls",
            Some(json!({ "path": "s3://lake/\u{0}" })),
        ),
        ("GET", "/api/v1/search?q=%00", None),
        ("GET", "/api/v1/databases?cursor=00", None),
        ("GET", "/api/v1/databases/a%00b", None),
    ] {
        let (status, _, problem) = send(&app, method, path, body).await;
        assert_eq!(status, 400, "{method} {path}: {problem}");
    }
    // A backslash before it makes it four digits.
    let fine = json!({ "name": "fine", "description": "\\u0000" });
    assert_eq!(send(&app, "POST", "/api/v1/databases", Some(fine)).await.0, 201);
}

both_databases! { a_nul_is_refused_in_words }

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_site_can_change_nothing() {
    let app = TestApp::start().await;
    let body = Some(json!({ "name": "theirs" }).to_string());
    let evil = [("origin", "http://evil.example")];
    assert_eq!(
        send_text(&app, "POST", "/api/v1/databases", body.clone(), &evil)
            .await
            .0,
        403
    );
    // A frame in a sandbox has no origin that can be told, and browsers say whose page it is, too.
    for theirs in [
        ("origin", "null"),
        ("origin", "file://"),
        ("sec-fetch-site", "cross-site"),
    ] {
        for path in ["/api/v1/databases", "/api/v1/events/s3", "/api/v1/runs/x/cancel"] {
            let (status, ..) = send_text(&app, "POST", path, body.clone(), &[theirs]).await;
            assert_eq!(status, 403, "{theirs:?} {path}");
        }
    }
    // A name of theirs that they make point at this machine.
    let rebound = [("host", "evil.example:8080")];
    assert_eq!(
        send_text(&app, "GET", "/api/v1/databases", None, &rebound)
            .await
            .0,
        403
    );
    // Who meant Glue is told in Glue's words.
    let (status, _, refused) = send_text(&app, "POST", "/", Some("{}".to_owned()), &evil).await;
    assert_eq!(
        (status, refused),
        (
            400,
            json!({ "__type": "AccessDeniedException", "Message": "The request comes from another site. Call the server by its \
                     address, as 127.0.0.1." })
        )
    );
    let own = format!("http://{}", app.server().address);
    assert_eq!(
        send_text(&app, "POST", "/api/v1/databases", body, &[("origin", &own)])
            .await
            .0,
        201
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_and_browsers_find_what_they_look_for() {
    let app = TestApp::start().await;
    assert_eq!(send(&app, "GET", "/healthz", None).await.2, "ok");
    assert_eq!(send(&app, "GET", "/readyz", None).await.0, 200);
    let (_, _, metrics) = send(&app, "GET", "/metrics", None).await;
    for told in ["mastic_tasks_unfinished 0", "mastic_children_started_total 0"] {
        assert!(metrics.as_str().unwrap().contains(told));
    }
    let (status, media, _) = send(&app, "GET", "/databases/raw/tables/yellow", None).await;
    assert_eq!((status, media.as_str()), (200, "text/html; charset=utf-8"));
    assert_eq!(send(&app, "GET", "/assets/nothing.js", None).await.0, 404);
    let document = get(&app, "/api/v1/openapi.json").await;
    assert!(document["paths"]["/api/v1/runs/{id}/logs"].is_object());
}
