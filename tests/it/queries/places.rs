//! How many queries there may be at once.

use std::time::Duration;

use futures::future::try_join_all;
use mastic::error::ErrorKind;
use mastic::etl::query::{self, RowForm};
use serde_json::json;

use super::{ENDLESS, children, little_memory, until};
use crate::api::send;
use crate::harness::TestApp;

async fn with_one_place() -> TestApp {
    TestApp::start_with(|config| {
        little_memory(config);
        config.query.at_once = 1;
        config.query.queue = 1;
        config.query.wait = Duration::from_secs(3600);
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn one_is_at_work_one_waits_the_next_is_told_to_come_later_and_nothing_is_lost() {
    let app = with_one_place().await;
    app.put("lake", "t/a.csv", "a,b\n1,x\n").await;
    app.crawl("s3://lake/t/", "d", false).await;
    let at_work = query::begin(app.app(), ENDLESS, 99_999, RowForm::Listed)
        .await
        .unwrap();
    let mut waiting = Box::pin(query::run(app.app(), "SELECT a FROM d.t", 1));
    assert!(futures::poll!(&mut waiting).is_pending());

    let url = format!("{}/api/v1", app.glue_url());
    let refusals = tokio::task::spawn_blocking(move || {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build()
            .into();
        let sql = agent
            .post(format!("{url}/sql"))
            .header("content-type", "application/json")
            .send(json!({ "query": "SELECT 1" }).to_string())
            .unwrap();
        let sample = agent
            .get(format!("{url}/databases/d/tables/t/sample"))
            .call()
            .unwrap();
        [sql, sample].map(|mut response| {
            let later = response.headers()["retry-after"].to_str().unwrap().to_owned();
            (
                response.status().as_u16(),
                later,
                response.body_mut().read_to_string().unwrap(),
            )
        })
    })
    .await
    .unwrap();
    for (status, later, text) in refusals {
        assert_eq!((status, later.as_str()), (503, "5"), "{text}");
        let problem: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(problem["type"], "urn:mastic:unavailable");
        assert_eq!(problem["detail"], "too many queries: 1 are at work and 1 wait");
        assert!(
            problem["hint"].as_str().unwrap().contains("query.at_once"),
            "{text}"
        );
    }
    assert_eq!(children(&app).len(), 1);
    // Everything else is answered meanwhile, and background work goes on.
    assert_eq!(send(&app, "GET", "/api/v1/databases", None).await.0, 200);
    app.put("lake", "u/a.csv", "a,b\n1,x\n").await;
    app.crawl("s3://lake/u/", "d", false).await;

    drop(at_work);
    assert_eq!(waiting.await.unwrap().rows, [[json!(1)]]);
    assert_eq!(
        query::run(app.app(), "SELECT 2", 1).await.unwrap().rows,
        [[json!(2)]]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_that_takes_too_long_ends() {
    let app = TestApp::start_with(|config| {
        little_memory(config);
        config.query.at_once = 1;
        config.query.wait = Duration::from_millis(1);
    })
    .await;
    let _at_work = query::begin(app.app(), ENDLESS, 99_999, RowForm::Listed)
        .await
        .unwrap();
    let error = query::run(app.app(), "SELECT 1", 1).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert!(
        error.message.contains("for its turn: 1 others are at work"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn twelve_at_once_are_two_at_a_time_and_all_are_answered() {
    let app = TestApp::start_with(|config| config.query.at_once = 2).await;
    let asked = (0..12).map(|number| {
        let app = app.app().clone();
        async move { query::run(&app, &format!("SELECT {number}"), 1).await }
    });
    let counting = async {
        let mut most = 0;
        for _ in 0..100 {
            most = most.max(children(&app).len());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        most
    };
    let (answers, most) = tokio::join!(try_join_all(asked), counting);
    for (number, answer) in answers.unwrap().into_iter().enumerate() {
        assert_eq!(answer.rows, [[json!(number)]]);
    }
    assert!((1..=2).contains(&most), "{most}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_hangs_up_ends_the_query_and_makes_room() {
    let app = with_one_place().await;
    // While rows are computed, and while they are sent.
    let never = "SELECT count(DISTINCT md5(cast(a * b * c AS varchar))) FROM (SELECT unnest(range(0, 100000)) AS a) \
                 CROSS JOIN (SELECT unnest(range(0, 100000)) AS b) CROSS JOIN (SELECT unnest(range(0, 10)) AS c)";
    for sql in [never, ENDLESS] {
        let address = app.server().address;
        let body = json!({ "query": sql, "limit": 99_999 }).to_string();
        let mut client = std::net::TcpStream::connect(address).unwrap();
        let request = format!(
            "POST /api/v1/sql HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        std::io::Write::write_all(&mut client, request.as_bytes()).unwrap();
        until("a child", || children(&app).len() == 1).await;
        drop(client);
        until("no child", || children(&app).is_empty()).await;
        assert_eq!(
            query::run(app.app(), "SELECT 1", 1).await.unwrap().rows,
            [[json!(1)]]
        );
    }
    // Those who gave up while they waited don't count.
    let at_work = query::begin(app.app(), ENDLESS, 99_999, RowForm::Listed)
        .await
        .unwrap();
    for _ in 0..3 {
        let mut waiting = Box::pin(query::run(app.app(), "SELECT 1", 1));
        assert!(futures::poll!(&mut waiting).is_pending());
    }
    drop(at_work);
    query::run(app.app(), "SELECT 1", 1).await.unwrap();
}
