//! Notifications of other stores, as those send them.

use std::time::Duration;

use serde_json::{Value, json};
use ureq::Agent;

use super::{get, send};
use crate::both_databases;
use crate::harness::setup::{JobText, sql_job};
use crate::harness::{Database, TestApp};

const WEBHOOK: &str = "/api/v1/events/s3";

both_databases! {
    the_newest_subscriptions_wait_until_their_topics_speak,
    what_no_database_can_hold_is_refused_in_words,
}

fn copy() -> JobText {
    sql_job("s3://lake/out/")
        .reads("t", "s3://lake/in/*")
        .output("mode = \"append\"")
        .listens_to("s3://lake/in/*")
}

fn record(source: &str, name: &str, bucket: &str, object: &Value) -> Value {
    json!({ "eventSource": source, "eventName": name, "s3": { "bucket": { "name": bucket }, "object": object } })
}

/// Sends a notification that is taken, and gives back what is said of it.
async fn taken(app: &TestApp, notification: Value) -> Value {
    let (status, _, received) = send(app, "POST", WEBHOOK, Some(notification)).await;
    assert_eq!(status, 200, "{received}");
    received
}

/// Sends a notification that is refused, and gives back why.
async fn refused(app: &TestApp, notification: Value) -> String {
    let (status, media, problem) = send(app, "POST", WEBHOOK, Some(notification)).await;
    assert_eq!(
        (status, media.as_str()),
        (400, "application/problem+json"),
        "{problem}"
    );
    problem["detail"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn ceph_tells_what_came_later() {
    let app = TestApp::start().await;
    // A second begins between the two, so that the first byte falls while the time goes on.
    let (before, after) = ("FFA1F0660B000000", "00A2F06601000000");
    for (sequencer, etag) in [(before, "e1"), (after, "e2"), (before, "e1")] {
        let object = json!({ "key": "a.csv", "size": 3, "eTag": "", "etag": etag, "sequencer": sequencer });
        let notice = record("ceph:s3", "ObjectCreated:Put", "other", &object);
        taken(&app, json!({ "Records": [notice] })).await;
    }
    assert_eq!(
        app.outcomes().await,
        ["a.csv: unmatched", "a.csv: unmatched", "a.csv: superseded"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_locks_and_older_versions_change_no_object() {
    let app = TestApp::start().await;
    app.register("copy", copy(), "SELECT n FROM t").await.unwrap();
    app.put("lake", "in/a.csv", "n\n1\n").await;
    app.run_tasks().await;
    for (source, name) in [
        ("minio:s3", "s3:ObjectCreated:PutTagging"),
        ("minio:s3", "s3:ObjectCreated:DeleteTagging"),
        ("minio:s3", "s3:ObjectCreated:PutRetention"),
        ("minio:s3", "s3:ObjectCreated:PutLegalHold"),
        ("minio:s3", "s3:ObjectRemoved:NoOP"),
        ("ceph:s3", "ObjectLifecycle:Expiration:Noncurrent"),
        ("ceph:s3", "ObjectLifecycle:Expiration:AbortMPU"),
        ("ceph:s3", "ObjectLifecycle:Expiration:DeleteMarker"),
    ] {
        let object = json!({ "key": "in/a.csv", "size": 4, "eTag": "another" });
        let notice = record(source, name, "lake", &object);
        let received = taken(&app, json!({ "Records": [notice] })).await;
        let bare = received["ignored"][0].as_str().unwrap();
        assert_eq!(received["accepted"], 0);
        assert_eq!(
            bare,
            format!("the notification: Records[0] is '{name}', which changes no object's bytes")
        );
    }
    // Had one of them been a removal, the object would be new now.
    app.put("lake", "in/a.csv", "n\n1\n").await;
    app.run_tasks().await;
    assert_eq!(app.runs().await.len(), 1);

    let notice = record("aws:s3", "ObjectTagging:Put", "lake", &json!({ "key": "x" }));
    let received = taken(&app, json!({ "Records": vec![notice; 100] })).await;
    let ignored = received["ignored"].as_array().unwrap();
    assert_eq!((ignored.len(), &ignored[20]), (21, &json!("and 80 more")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_understood_is_refused_with_its_reason() {
    let app = TestApp::start().await;
    for (name, key, reason) in [
        (
            "ObjectDreamt:Up",
            "a.csv",
            "is of the unknown event 'ObjectDreamt:Up'",
        ),
        ("ObjectCreated:Put", "caf%E9.csv", "has a key that isn't UTF-8"),
        ("ObjectCreated:Put", "", "lacks s3.object.key"),
        (
            "ObjectCreated:Put",
            &"k".repeat(1025),
            "has a key of 1025 bytes, and S3 knows none of more than 1024",
        ),
    ] {
        let fine = record("aws:s3", "ObjectCreated:Put", "other", &json!({ "key": "fine" }));
        let notice = record("aws:s3", name, "other", &json!({ "key": key }));
        assert_eq!(
            refused(&app, json!({ "Records": [fine, notice] })).await,
            format!("the notification: Records[1] {reason}")
        );
    }
    assert!(app.outcomes().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_cannot_be_read_is_a_problem_like_all_others() {
    let app = TestApp::start().await;
    for (path, body, status, kind) in [
        (WEBHOOK, b"\xff\xfe".to_vec(), 400, "urn:mastic:invalid"),
        (WEBHOOK, b"nope".to_vec(), 400, "urn:mastic:invalid"),
        (WEBHOOK, Vec::new(), 400, "urn:mastic:invalid"),
        (WEBHOOK, vec![b' '; (10 << 20) + 1], 413, "urn:mastic:too_large"),
        (
            "/api/v1/databases",
            vec![b' '; (10 << 20) + 1],
            413,
            "urn:mastic:too_large",
        ),
    ] {
        let uri = format!("http://{}{path}", app.server().address);
        let answer = tokio::task::spawn_blocking(move || {
            let agent: Agent = Agent::config_builder().http_status_as_error(false).build().into();
            let request = agent.post(uri).header("content-type", "application/json");
            let mut response = request.send(&body).unwrap();
            let media = response.headers()["content-type"].to_str().unwrap().to_owned();
            let problem: Value = response.body_mut().read_json().unwrap();
            (response.status().as_u16(), media, problem["type"].clone())
        });
        assert_eq!(
            answer.await.unwrap(),
            (status, "application/problem+json".to_owned(), json!(kind)),
            "{path}"
        );
    }
}

fn asks(topic: &str, url: &str) -> Value {
    json!({ "Type": "SubscriptionConfirmation", "TopicArn": topic, "SubscribeURL": url })
}

async fn waiting(app: &TestApp) -> Vec<Value> {
    let waiting = get(app, "/api/v1/events/confirmations").await;
    waiting["items"].as_array().unwrap().clone()
}

async fn the_newest_subscriptions_wait_until_their_topics_speak(database: Database) {
    let app = TestApp::start_on(database).await;
    taken(&app, asks("arn:first", "https://sns.example/first")).await;
    for address in ["https://sns.example/former", "https://sns.example/latter"] {
        app.advance(Duration::from_secs(1));
        taken(&app, asks("arn:second", address)).await;
    }
    app.advance(Duration::from_secs(1));
    let many: Vec<Value> = (0..999)
        .map(|n| json!({ "Body": asks(&format!("arn:t{n:03}"), "https://sns.example/t").to_string() }))
        .collect();
    taken(&app, json!({ "Messages": many })).await;
    let kept = waiting(&app).await;
    assert_eq!(kept.len(), 1_000);
    assert_eq!(
        (&kept[0]["topic"], &kept[0]["url"]),
        (&json!("arn:second"), &json!("https://sns.example/latter"))
    );

    // S3 sends its test message through the topic as soon as the topic may send here.
    let test = json!({ "Service": "Amazon S3", "Event": "s3:TestEvent" }).to_string();
    let speaks = json!({ "Type": "Notification", "TopicArn": "arn:second", "Message": test });
    let queued = json!({ "Messages": [{ "Body": speaks.to_string() }] });
    taken(&app, queued).await;
    assert_eq!(
        waiting(&app).await.len(),
        1_000,
        "a queue's subscription is another"
    );
    taken(&app, speaks).await;
    let left = waiting(&app).await;
    assert_eq!((left.len(), &left[0]["topic"]), (999, &json!("arn:t000")));

    for address in [
        "http://sns.example/",
        "https:///confirm",
        "https://sns.example@evil.example/",
    ] {
        assert_eq!(
            refused(&app, asks("arn:third", address)).await,
            "the notification has a SubscribeURL that isn't of https, with a host"
        );
    }
}

async fn what_no_database_can_hold_is_refused_in_words(database: Database) {
    let app = TestApp::start_on(database).await;
    let object = json!({ "key": "k", "sequencer": "\0", "eTag": "\0" });
    refused(
        &app,
        json!({ "Records": [record("aws:s3", "ObjectCreated:Put", "b", &object)] }),
    )
    .await;
    let object = json!({ "key": "k" });
    let long = "b".repeat(100_000);
    refused(
        &app,
        json!({ "Records": [record("aws:s3", "ObjectCreated:Put", &long, &object)] }),
    )
    .await;
    refused(&app, asks("arn:t", "https://sns.example/\0")).await;
    refused(&app, asks("arn:\0", "https://sns.example/")).await;
    let longest = record(
        "aws:s3",
        "ObjectCreated:Put",
        &"b".repeat(255),
        &json!({ "key": "\u{1f4a7}".repeat(256) }),
    );
    let message = json!({ "Records": [longest] }).to_string();
    let speaks = json!({ "Type": "Notification", "TopicArn": "\0", "Message": message });
    assert_eq!(taken(&app, speaks).await["accepted"], 1);
}
