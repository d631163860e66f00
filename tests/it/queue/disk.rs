//! A disk that is full, and a database whose file goes away.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use mastic::error::ErrorKind;
use mastic::model::database::DatabaseInput;
use mastic::store::{self, Store};
use serde_json::{Value, json};

use crate::harness::process::ServeProcess;
use crate::harness::start_of_time;

/// A small file system of its own, for as long as it lives.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=8m", "tmpfs"])
            .arg(folder.path())
            .status();
        mounted
            .is_ok_and(|status| status.success())
            .then_some(Self(folder))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn fill(&self) {
        let mut file = std::fs::File::create(self.path().join("filler")).unwrap();
        while std::io::Write::write_all(&mut file, &[0; 4096]).is_ok() {}
    }

    fn make_room(&self) {
        std::fs::remove_file(self.path().join("filler")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

async fn write(store: &Store, name: &str) -> mastic::error::Result<()> {
    let mut input = DatabaseInput {
        name: name.to_owned(),
        ..DatabaseInput::default()
    };
    input.parameters.insert("long".to_owned(), "x".repeat(200_000));
    let mut tx = store.write().await?;
    store::databases::insert(&mut tx, &input, start_of_time()).await?;
    tx.commit().await
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_full_disk_the_next_write_works() {
    let Some(disk) = SmallDisk::mount() else {
        println!("skipped: can't mount a small file system");
        return;
    };
    let url = format!("sqlite://{}", disk.path().join("mastic.db").display());
    let store = Store::open(&url).await.unwrap();
    write(&store, "before").await.unwrap();
    for round in 0..3 {
        disk.fill();
        let mut refused = 0;
        for number in 0..5 {
            if let Err(error) = write(&store, &format!("full{round}_{number}")).await {
                assert_eq!(error.kind, ErrorKind::Unavailable, "{error}");
                refused += 1;
            }
        }
        assert!(refused > 0, "the disk was not full");
        disk.make_room();
        let asked = Instant::now();
        write(&store, &format!("after{round}")).await.unwrap();
        assert!(asked.elapsed() < Duration::from_secs(2));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_to_a_database_that_was_removed_or_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mastic.db");
    let store = Store::open(&format!("sqlite://{}", path.display()))
        .await
        .unwrap();
    write(&store, "before").await.unwrap();
    let aside = folder.path().join("aside.db");
    std::fs::rename(&path, &aside).unwrap();
    let error = write(&store, "removed").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert!(error.message.ends_with("was removed"), "{error}");
    std::fs::copy(&aside, &path).unwrap();
    let error = write(&store, "replaced").await.unwrap_err();
    assert!(error.message.ends_with("was replaced by another"), "{error}");
    std::fs::rename(&aside, &path).unwrap();
    write(&store, "after").await.unwrap();
}

/// What `/readyz` answers, asked until its status is the expected one.
fn readiness(server: &ServeProcess, expected: u16) -> Value {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let (status, text) = call(server, "GET", "/readyz", None);
        if status == expected {
            return serde_json::from_str(&text).unwrap();
        }
        assert!(Instant::now() < deadline, "{status} {text}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn call(server: &ServeProcess, method: &str, path: &str, body: Option<&Value>) -> (u16, String) {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into();
    let request = ureq::http::Request::builder()
        .method(method)
        .uri(format!("{}{path}", server.url))
        .header("content-type", "application/json")
        .body(body.map(Value::to_string).unwrap_or_default())
        .unwrap();
    let mut answer = agent.run(request).unwrap();
    let text = answer.body_mut().read_to_string().unwrap();
    (answer.status().as_u16(), text)
}

fn make_database(server: &ServeProcess, name: &str) -> (u16, String) {
    let body = json!({ "name": name, "description": "x".repeat(2000) });
    call(server, "POST", "/api/v1/databases", Some(&body))
}

#[test]
fn a_server_on_a_full_disk_says_so_and_goes_on_when_there_is_room() {
    let Some(disk) = SmallDisk::mount() else {
        println!("skipped: can't mount a small file system");
        return;
    };
    let url = format!("sqlite://{}", disk.path().join("mastic.db").display());
    let server = ServeProcess::start(disk.path(), &url);
    assert_eq!(readiness(&server, 200)["ready"], true);
    disk.fill();
    let report = readiness(&server, 503);
    let problems: Vec<&Value> = report["parts"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|part| part["ok"] == false)
        .collect();
    assert!(problems.iter().any(|part| part["part"] == "lake"), "{report}");
    let refused = (0..500)
        .map(|number| make_database(&server, &format!("full{number}")))
        .find(|(status, _)| *status != 201);
    let (status, text) = refused.expect("the disk was not full");
    assert_eq!(status, 503, "{text}");
    assert!(text.contains("disk"), "{text}");
    disk.make_room();
    let (status, text) = make_database(&server, "after");
    assert_eq!(status, 201, "{text}");
    assert_eq!(readiness(&server, 200)["ready"], true);
}

#[test]
fn a_server_whose_database_was_removed_is_not_ready_and_takes_no_changes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mastic.db");
    let server = ServeProcess::start(folder.path(), &format!("sqlite://{}", path.display()));
    let aside = folder.path().join("aside");
    std::fs::rename(&path, &aside).unwrap();
    let report = readiness(&server, 503);
    assert_eq!(report["parts"][0]["part"], "database");
    let problem = report["parts"][0]["problem"].as_str().unwrap();
    assert!(problem.ends_with("was removed"), "{problem}");
    let (status, text) = make_database(&server, "lost");
    assert_eq!(status, 503, "{text}");
    std::fs::rename(&aside, &path).unwrap();
    assert_eq!(make_database(&server, "kept").0, 201);
    readiness(&server, 200);
}
