//! A worker dies in the middle of a crawl; the crawl goes on from what was read.

use serde_json::{Value, json};

use crate::both_databases;
use crate::harness::Database;
use crate::harness::process::ServeProcess;

both_databases! { a_crawl_is_taken_up_after_kill_9 }

const FILES: i64 = 1_200;

fn begin(server: &ServeProcess) -> String {
    let body = json!({ "path": "s3://lake/raw/", "database": "shop", "sample_size": 1 });
    let text = ureq::post(format!("{}/api/v1/crawls", server.url))
        .send_json(body)
        .unwrap()
        .body_mut()
        .read_to_string()
        .unwrap();
    let crawl: Value = serde_json::from_str(&text).unwrap();
    format!("/crawls/{}", crawl["id"].as_str().unwrap())
}

async fn a_crawl_is_taken_up_after_kill_9(database: Database) {
    let folder = tempfile::tempdir().unwrap();
    let url = database.url(&folder).await;
    for at in 0..FILES {
        let day = folder.path().join(format!("lake/lake/raw/t/d={at}"));
        std::fs::create_dir_all(&day).unwrap();
        std::fs::write(day.join("a.csv"), "id,price\n1,2\n2,3\n").unwrap();
    }
    tokio::task::spawn_blocking(move || {
        let server = ServeProcess::start(folder.path(), &url);
        let path = begin(&server);
        server.wait_for(&path, |crawl| crawl["files_read"].as_i64() > Some(0));
        server.kill();

        let server = ServeProcess::start(folder.path(), &url);
        let done = server.wait_for(&path, |crawl| {
            crawl["state"] != "RUNNING" && crawl["state"] != "QUEUED"
        });
        assert_eq!(
            (&done["state"], &done["plan"]["tables"][0]["partitions"]),
            (&"SUCCEEDED".into(), &FILES.into()),
            "{}",
            done["error"]
        );
        let number = |name: &str| done[name].as_i64().unwrap();
        assert!(number("files_known") > 0, "what was read is known");
        assert_eq!(number("files_known") + number("files_read"), FILES);
        let again = begin(&server);
        let again = server.wait_for(&again, |crawl| crawl["state"] == "SUCCEEDED");
        assert_eq!((&again["changes"], &again["files_read"]), (&0.into(), &0.into()));
    })
    .await
    .unwrap();
}
