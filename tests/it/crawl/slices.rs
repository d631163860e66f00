//! A large crawl is applied slice by slice: what happens between two of them, and what is left of it afterwards.

use std::time::Duration;

use futures::poll;
use mastic::catalog;
use mastic::crawl::{self, log};
use mastic::error::ErrorKind;
use mastic::model::crawl::{Crawl, WorkState};
use mastic::model::partition::PartitionInput;
use mastic::queue::{self, Halt, Lease, Task};
use serde_json::{Value, json};

use super::{changes, columns, edit, name, partitions};
use crate::both_databases;
use crate::harness::process::ServeProcess;
use crate::harness::setup::crawl_of;
use crate::harness::{Database, TestApp};

both_databases! {
    what_a_worker_left_is_done_without_looking_again,
    a_server_that_is_killed_between_slices_goes_on,
    what_others_write_between_slices_stays,
    a_table_that_is_removed_between_slices_ends_the_crawl_by_name,
    a_later_table_that_changes_between_slices_ends_the_crawl_by_name,
    a_plan_that_was_overtaken_before_its_first_slice_is_made_anew,
    a_crawl_that_is_stopped_between_slices_says_what_it_wrote,
    partitions_that_a_stopped_crawl_did_not_come_to_follow_their_table_at_the_next,
    an_object_that_is_put_between_slices_is_not_kept_waiting,
}

/// A server whose crawls write so many partitions in one transaction.
async fn server(database: Database, slice: u64) -> TestApp {
    TestApp::start_on_with(database, move |config| config.crawl_slice = slice).await
}

/// Puts partitions of a table into the lake, one file each.
fn fill(app: &TestApp, table: &str, days: std::ops::Range<usize>, text: &str) {
    for day in days {
        let folder = app.lake_folder().join(format!("lake/raw/{table}/d={day}"));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("a.csv"), text).unwrap();
    }
}

const ROWS: &str = "id,price\n1,2\n2,3\n";
const MORE: &str = "id,price,more\n1,2,3\n2,3,4\n";

/// Asks for a crawl and takes it up, as a worker does.
async fn begin(app: &TestApp) -> (String, Lease) {
    let request = crawl_of("s3://lake/raw/", "shop");
    let id = crawl::start(app.app(), request).await.unwrap().id;
    let claimed = queue::claim(&app.app().store, &*app.app().clock).await.unwrap();
    let (lease, task) = claimed.unwrap();
    assert!(matches!(task, Task::Crawl { crawl } if crawl == id));
    (id, lease)
}

async fn get(app: &TestApp, id: &str) -> Crawl {
    crawl::get(app.app(), id).await.unwrap()
}

/// How many partitions a slice has in these tests. One poll of a crawl may come through several transactions, as many as
/// the runtime lets a future do in a row; so slices are small, and there are many.
const SLICE: u64 = 1;

/// A crawl whose worker is gone as soon as it has written so many partitions, or some more.
async fn left_after(app: &TestApp, written: i64) -> String {
    let (id, lease) = begin(app).await;
    let mut crawling = Box::pin(crawl::run(app.app(), &lease, &id));
    while get(app, &id).await.progress.partitions_written < written {
        let outcome = poll!(crawling.as_mut());
        assert!(outcome.is_pending(), "it is over already: {outcome:?}");
    }
    drop(crawling);
    id
}

/// Whether a crawl's plan is made, and the first of it is written down.
async fn is_written_down(app: &TestApp, id: &str) -> bool {
    let mut tx = app.app().store.read().await.unwrap();
    mastic::store::crawl_slices::next::<Value>(&mut tx, id)
        .await
        .unwrap()
        .is_some()
}

/// Has the next worker do what is left.
async fn taken_up(app: &TestApp, id: &str) -> Crawl {
    app.advance(Duration::from_secs(60));
    app.run_tasks().await;
    get(app, id).await
}

async fn count(app: &TestApp, text: &str) -> i64 {
    let table = app.table(text).await;
    let mut tx = app.app().store.read().await.unwrap();
    mastic::store::partitions::count(&mut tx, &table.id)
        .await
        .unwrap()
}

/// What is said of a table and of its partitions.
async fn state(app: &TestApp, text: &str) -> String {
    let input = app.table(text).await.input;
    let partitions = partitions(app, text).await;
    let partitions: Vec<_> = partitions
        .iter()
        .map(|partition| (&partition.own, partition.storage()))
        .collect();
    serde_json::to_string(&json!([input, partitions])).unwrap()
}

async fn what_a_worker_left_is_done_without_looking_again(database: Database) {
    let app = server(database, SLICE).await;
    fill(&app, "t", 0..60, ROWS);
    let first = app.crawl("s3://lake/raw/", "shop", false).await;
    assert_eq!(first.state, WorkState::Succeeded);
    let before = state(&app, "shop.t").await;
    fill(&app, "t", 0..1, MORE);
    fill(&app, "t", 60..90, ROWS);
    std::fs::remove_dir_all(app.lake_folder().join("lake/raw/t/d=1")).unwrap();
    app.advance(Duration::from_secs(1));

    let id = left_after(&app, 30).await;
    // Readers see the table with what its new partitions need, and not all of these yet.
    assert_eq!(
        columns(&app, "shop.t").await,
        "id bigint, price bigint, more bigint"
    );
    assert!(count(&app, "shop.t").await < 89);
    assert_eq!(
        (get(&app, &id).await.state, get(&app, &id).await.plan),
        (WorkState::Running, None)
    );
    let refusal = crawl::undo(app.app(), &id).await.unwrap_err();
    assert_eq!(refusal.kind, ErrorKind::Invalid);
    std::fs::remove_dir_all(app.lake_folder().join("lake/raw/t")).unwrap();

    let done = taken_up(&app, &id).await;
    assert_eq!(
        (done.state, changes(&done)),
        (
            WorkState::Succeeded,
            [
                "add column shop.t.more: bigint",
                "add partitions shop.t: 30",
                "change partitions shop.t: 1",
                "change partitions shop.t: 59 follow the table",
                "retire partitions shop.t: 1",
            ]
            .map(str::to_owned)
            .to_vec()
        )
    );
    assert_eq!(
        (done.progress.tables_written, done.progress.partitions_written),
        (1, 59 + 1 + 1 + 30)
    );
    let now = partitions(&app, "shop.t").await;
    assert_eq!(now.len(), 89);
    let shape = app.table("shop.t").await.input.columns().to_vec();
    assert!(
        now.iter()
            .all(|partition| partition.storage().unwrap().columns == shape)
    );

    crawl::undo(app.app(), &id).await.unwrap();
    assert_eq!(state(&app, "shop.t").await, before);
}

async fn a_server_that_is_killed_between_slices_goes_on(database: Database) {
    const DAYS: usize = 400;
    let folder = tempfile::tempdir().unwrap();
    let url = database.url(&folder).await;
    std::fs::write(folder.path().join("mastic.toml"), "[crawl]\nslice = 21\n").unwrap();
    for day in 0..DAYS {
        let day = folder.path().join(format!("lake/lake/raw/t/d={day}"));
        std::fs::create_dir_all(&day).unwrap();
        std::fs::write(day.join("a.csv"), ROWS).unwrap();
    }
    tokio::task::spawn_blocking(move || {
        let post = |server: &ServeProcess, path: &str, body: serde_json::Value| {
            let answer = ureq::post(format!("{}/api/v1{path}", server.url)).send_json(body);
            let text = answer.unwrap().body_mut().read_to_string().unwrap();
            serde_json::from_str::<serde_json::Value>(&text).unwrap()
        };
        let server = ServeProcess::start(folder.path(), &url);
        let body = json!({ "path": "s3://lake/raw/", "database": "shop", "sample_size": 1 });
        let crawl = post(&server, "/crawls", body);
        let path = format!("/crawls/{}", crawl["id"].as_str().unwrap());
        server.wait_for("/databases", |list| list.to_string().contains("\"shop\""));
        server.kill();

        let server = ServeProcess::start(folder.path(), &url);
        let done = server.wait_for(&path, |crawl| {
            crawl["state"] != "RUNNING" && crawl["state"] != "QUEUED"
        });
        assert_eq!(
            (&done["state"], &done["plan"]["tables"][0]["partitions"]),
            (&"SUCCEEDED".into(), &DAYS.into()),
            "{}",
            done["error"]
        );
        let table = server.get("/databases/shop/tables/t");
        assert_eq!(table["partitions"], json!(DAYS), "{table}");
        post(&server, &format!("{path}/undo"), json!({}));
        assert!(!server.get("/databases").to_string().contains("\"shop\""));
    })
    .await
    .unwrap();
}

async fn what_others_write_between_slices_stays(database: Database) {
    let app = server(database, SLICE).await;
    fill(&app, "t", 0..60, ROWS);
    let id = left_after(&app, 20).await;
    app.advance(Duration::from_secs(1));
    edit(&app, "shop.t", |input| {
        input.description = Some("What was sold".to_owned());
    })
    .await;
    // The last partition of the plan, which the crawl has not come to.
    let theirs = PartitionInput {
        values: vec!["9".to_owned()],
        ..PartitionInput::default()
    };
    catalog::partitions::create(app.app(), &name("shop.t"), std::slice::from_ref(&theirs))
        .await
        .unwrap();
    let done = taken_up(&app, &id).await;
    assert_eq!(
        (done.state, count(&app, "shop.t").await),
        (WorkState::Succeeded, 60)
    );
    let said = app.table("shop.t").await.input.description;
    assert_eq!(said.as_deref(), Some("What was sold"));
    let now = partitions(&app, "shop.t").await;
    assert!(now.iter().any(|partition| partition.own == theirs), "{now:#?}");
    let refusal = crawl::undo(app.app(), &id).await.unwrap_err();
    assert_eq!(
        refusal.message,
        "shop.t was changed since the crawl, so nothing was undone"
    );
}

async fn a_table_that_is_removed_between_slices_ends_the_crawl_by_name(database: Database) {
    for is_made_again in [false, true] {
        let app = server(database, SLICE).await;
        fill(&app, "t", 0..60, ROWS);
        let id = left_after(&app, 20).await;
        let input = app.table("shop.t").await.input;
        catalog::tables::delete(app.app(), &name("shop.t")).await.unwrap();
        let mut why = "somebody removed table shop.t meanwhile";
        if is_made_again {
            catalog::tables::create(app.app(), "shop", input).await.unwrap();
            why = "somebody put another table in the place of shop.t meanwhile";
        }
        let ended = taken_up(&app, &id).await;
        assert_eq!(
            (ended.state, ended.plan.clone(), ended.error.as_deref()),
            (
                WorkState::Failed,
                None,
                Some(
                    format!(
                        "{why} (hint: what the crawl wrote until then stays: crawl again for the rest, or undo it)"
                    )
                    .as_str()
                )
            )
        );
        let again = app.crawl("s3://lake/raw/", "shop", false).await;
        assert_eq!(
            (again.state, count(&app, "shop.t").await),
            (WorkState::Succeeded, 60)
        );
    }
}

async fn a_later_table_that_changes_between_slices_ends_the_crawl_by_name(database: Database) {
    let app = server(database, SLICE).await;
    fill(&app, "b", 0..3, ROWS);
    app.crawl("s3://lake/raw/", "shop", false).await;
    app.advance(Duration::from_secs(1));
    fill(&app, "a", 0..60, ROWS);
    fill(&app, "b", 0..3, MORE);
    let id = left_after(&app, 20).await;
    edit(&app, "shop.b", |input| {
        input.description = Some("Mine".to_owned())
    })
    .await;
    let before = state(&app, "shop.b").await;
    let ended = taken_up(&app, &id).await;
    assert_eq!(ended.state, WorkState::Failed);
    let error = ended.error.clone().unwrap();
    assert!(
        error.starts_with("table shop.b changed meanwhile (hint: "),
        "{error}"
    );
    assert_eq!(state(&app, "shop.b").await, before);
    // What it wrote before is whole, and goes again.
    assert_eq!(count(&app, "shop.a").await, 60);
    let lines = log::lines(&ended);
    let told = "What was written until then stays: 1 table and 60 partitions. It can be undone";
    assert!(lines.iter().any(|line| line.ends_with(told)), "{lines:#?}");
    crawl::undo(app.app(), &id).await.unwrap();
    assert!(catalog::tables::get(app.app(), &name("shop.a")).await.is_err());
    assert_eq!(state(&app, "shop.b").await, before);
}

async fn a_plan_that_was_overtaken_before_its_first_slice_is_made_anew(database: Database) {
    let app = server(database, SLICE).await;
    fill(&app, "t", 0..60, ROWS);
    app.crawl("s3://lake/raw/", "shop", false).await;
    fill(&app, "t", 0..60, MORE);
    let (id, lease) = begin(&app).await;
    let mut crawling = Box::pin(crawl::run(app.app(), &lease, &id));
    while !is_written_down(&app, &id).await {
        let outcome = poll!(crawling.as_mut());
        assert!(outcome.is_pending(), "it is over already: {outcome:?}");
    }
    let changing = edit(&app, "shop.t", |input| {
        input.description = Some("Mine".to_owned())
    });
    let (ended, ()) = tokio::join!(crawling, changing);
    assert!(
        matches!(&ended, Err(Halt::Failed(error)) if error.kind == ErrorKind::Conflict),
        "{ended:?}"
    );
    assert!(!get(&app, &id).await.progress.has_written());
    let done = taken_up(&app, &id).await;
    assert_eq!(done.state, WorkState::Succeeded);
    assert_eq!(
        (
            columns(&app, "shop.t").await,
            app.table("shop.t").await.input.description
        ),
        (
            "id bigint, price bigint, more bigint".to_owned(),
            Some("Mine".to_owned())
        )
    );
}

async fn a_crawl_that_is_stopped_between_slices_says_what_it_wrote(database: Database) {
    let app = server(database, SLICE).await;
    fill(&app, "t", 0..60, ROWS);
    let id = left_after(&app, 20).await;
    crawl::cancel(app.app(), &id).await.unwrap();
    let ended = taken_up(&app, &id).await;
    let written = count(&app, "shop.t").await;
    assert_eq!((ended.state, ended.plan.clone()), (WorkState::Cancelled, None));
    assert_eq!(ended.progress.partitions_written, written);
    assert!((20..60).contains(&written), "{written}");
    let lines = log::lines(&ended);
    let told =
        format!("What was written until then stays: 1 table and {written} partitions. It can be undone");
    assert!(lines.iter().any(|line| line.ends_with(&told)), "{lines:#?}");
    crawl::undo(app.app(), &id).await.unwrap();
    assert!(catalog::databases::get(app.app(), "shop").await.is_err());
}

async fn partitions_that_a_stopped_crawl_did_not_come_to_follow_their_table_at_the_next(database: Database) {
    let app = server(database, SLICE).await;
    fill(&app, "t", 0..60, ROWS);
    app.crawl("s3://lake/raw/", "shop", false).await;
    app.advance(Duration::from_secs(1));
    fill(&app, "t", 60..61, MORE);
    let id = left_after(&app, 1).await;
    crawl::cancel(app.app(), &id).await.unwrap();
    let ended = taken_up(&app, &id).await;
    assert!(ended.progress.partitions_written < 60, "{ended:#?}");
    let next = app.crawl("s3://lake/raw/", "shop", false).await;
    let left = 60 - ended.progress.partitions_written;
    assert_eq!(
        changes(&next),
        [
            "add partitions shop.t: 1".to_owned(),
            format!("change partitions shop.t: {left} follow the table"),
        ]
    );
    let shape = app.table("shop.t").await.input.columns().to_vec();
    let now = partitions(&app, "shop.t").await;
    assert!(
        now.iter()
            .all(|partition| partition.storage().unwrap().columns == shape)
    );
    let last = app.crawl("s3://lake/raw/", "shop", false).await;
    assert_eq!(changes(&last), Vec::<String>::new());
}

async fn an_object_that_is_put_between_slices_is_not_kept_waiting(database: Database) {
    let app = server(database, SLICE).await;
    fill(&app, "t", 0..200, ROWS);
    let (id, lease) = begin(&app).await;
    let mut crawling = Box::pin(crawl::run(app.app(), &lease, &id));
    while get(&app, &id).await.progress.partitions_written < 1 {
        let outcome = poll!(crawling.as_mut());
        assert!(outcome.is_pending(), "it is over already: {outcome:?}");
    }
    let put = app.put("lake", "other/x.json", "{\"a\": 1}");
    tokio::select! {
        () = put => {}
        done = &mut crawling => panic!("it was over first: {done:?}"),
    }
    assert_eq!(get(&app, &id).await.state, WorkState::Running);
    crawling.await.unwrap();
    assert_eq!(
        (get(&app, &id).await.state, count(&app, "shop.t").await),
        (WorkState::Succeeded, 200)
    );
}
