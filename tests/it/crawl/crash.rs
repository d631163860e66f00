//! A worker dies in the middle of a crawl, which goes on from what was read; and nothing depends on how many there are.

use serde_json::{Value, json};

use crate::both_databases;
use crate::harness::Database;
use crate::harness::process::ServeProcess;

both_databases! { a_crawl_is_taken_up_after_kill_9 }

const FILES: i64 = 1_200;

fn begin(server: &ServeProcess) -> String {
    let body = json!({ "path": "s3://lake/raw/", "database": "shop", "sample_size": 1 });
    post(server, "/crawls", &body)
}

/// Starts a crawl, and gives back where it is.
fn post(server: &ServeProcess, path: &str, body: &Value) -> String {
    let text = ureq::post(format!("{}/api/v1{path}", server.url))
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

/// What lies in the bucket, in the order in which it is put there.
const MIXED: [(&str, &str); 9] = [
    ("orders/2022/01/02/a.csv", "id,price\n1,2\n2,3\n"),
    ("orders/2022/01/03/a.csv", "id,price\n1,2.5\n2,3\n"),
    ("orders/2022/01/03/notes.json", "{\"a\": 1}"),
    ("events/year=2021/a.json", "{\"at\": 1, \"by\": {\"id\": 1}}\n"),
    (
        "events/year=2022/a.json",
        "{\"at\": 2, \"by\": {\"name\": \"ada\"}}\n",
    ),
    ("people/a.csv", "id,name\n1,\"Doe, Jane\"\n"),
    ("people/b.csv", "id,name\n2,eva\n"),
    ("lookups/rates.csv", "code,rate\n1,2.5\n2,3\n"),
    ("lookups/zones.csv", "zone,borough\nA,x\nB,y\n"),
];

#[tokio::test(flavor = "multi_thread")]
async fn the_same_bucket_gives_the_same_plan_whatever_the_order_and_the_workers() {
    let plans: Vec<String> = tokio::task::spawn_blocking(|| {
        [(1, false), (4, false), (1, true), (4, true)]
            .map(|(workers, is_backwards)| {
                let folder = tempfile::tempdir().unwrap();
                let settings = format!("[tasks]\nworkers = {workers}\n");
                std::fs::write(folder.path().join("mastic.toml"), settings).unwrap();
                let mut files = MIXED.to_vec();
                if is_backwards {
                    files.reverse();
                }
                for (name, text) in files {
                    let path = folder.path().join("lake/lake/raw").join(name);
                    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                    std::fs::write(path, text).unwrap();
                }
                let url = format!("sqlite://{}", folder.path().join("mastic.db").display());
                let server = ServeProcess::start(folder.path(), &url);
                // Other crawls are at work beside it.
                let beside: Vec<String> = ["orders", "people", "lookups"]
                    .map(|name| {
                        let body = json!({ "path": format!("s3://lake/raw/{name}/"), "database": name });
                        post(&server, "/crawls", &body)
                    })
                    .to_vec();
                let path = post(
                    &server,
                    "/crawls",
                    &json!({ "path": "s3://lake/raw/", "database": "shop" }),
                );
                let done = server.wait_for(&path, |crawl| crawl["state"] == "SUCCEEDED");
                for other in beside {
                    server.wait_for(&other, |crawl| crawl["state"] == "SUCCEEDED");
                }
                done["plan"].to_string()
            })
            .to_vec()
    })
    .await
    .unwrap();
    assert!(
        plans[0].contains("shop.orders") && plans[0].contains("notes.json"),
        "{}",
        plans[0]
    );
    for other in &plans[1..] {
        assert_eq!(*other, plans[0]);
    }
}
