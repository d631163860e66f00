//! Workers that stop, die, or have a wrong clock.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use mastic::clock::{Clock, SystemClock};
use mastic::model::crawl::WorkState;
use mastic::queue::{self, MAX_DEATHS, Task, Turn};
use mastic::store::Store;
use mastic::worker;

use crate::both_databases;
use crate::harness::process::{SLOW_SCRIPT, ServeProcess};
use crate::harness::setup::{JobText, sql_job};
use crate::harness::{Database, TestApp};

both_databases! {
    three_orderly_stops_cost_a_run_no_try,
    ten_workers_that_die_in_a_row_set_a_run_aside,
    nine_workers_that_die_and_one_that_ends_in_order_set_nothing_aside,
}

fn slow() -> JobText {
    sql_job("s3://lake/slow/")
}

async fn three_orderly_stops_cost_a_run_no_try(database: Database) {
    let folder = tempfile::tempdir().unwrap();
    let url = database.url(&folder).await;
    tokio::task::spawn_blocking(move || {
        let mut server = ServeProcess::start(folder.path(), &url);
        let path = server.start_slow_run(folder.path());
        for _ in 0..3 {
            server.wait_for(&path, |run| run["state"] == "RUNNING");
            server.stop();
            server = ServeProcess::start(folder.path(), &url);
        }
        let run = server.wait_for(&path, |run| run["state"] != "RUNNING" && run["state"] != "QUEUED");
        assert_eq!(
            (&run["state"], &run["attempt"]),
            (&"SUCCEEDED".into(), &1.into()),
            "{run}"
        );
    })
    .await
    .unwrap();
}

/// Lets a worker take the task and die: nothing is heard of it any more.
async fn die(test: &TestApp) {
    let app = test.app();
    queue::claim(&app.store, &*app.clock).await.unwrap().unwrap();
    test.advance(queue::LEASE + std::time::Duration::from_secs(1));
}

async fn with_run(database: Database) -> TestApp {
    let test = TestApp::start_on(database).await;
    test.register("slow", slow(), "SELECT 1 AS x").await.unwrap();
    mastic::etl::runs::start(test.app(), "slow", &Default::default(), None)
        .await
        .unwrap();
    test
}

async fn ten_workers_that_die_in_a_row_set_a_run_aside(database: Database) {
    let test = with_run(database).await;
    for _ in 0..MAX_DEATHS {
        die(&test).await;
    }
    test.run_tasks().await;
    let run = &test.runs().await[0];
    assert_eq!(run.state, WorkState::Failed);
    let error = run.body.error.clone().unwrap();
    assert_eq!(error.message, "ten workers in a row died of it");
}

async fn nine_workers_that_die_and_one_that_ends_in_order_set_nothing_aside(database: Database) {
    let test = with_run(database).await;
    for _ in 0..2 {
        for _ in 1..MAX_DEATHS {
            die(&test).await;
        }
        let app = test.app();
        let (lease, _) = queue::claim(&app.store, &*app.clock).await.unwrap().unwrap();
        let mut tx = app.store.write().await.unwrap();
        lease.release(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
    }
    test.run_tasks().await;
    assert_eq!(test.runs().await[0].state, WorkState::Succeeded);
}

/// A machine's clock that is wrong.
struct Ahead(TimeDelta);

impl Clock for Ahead {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + self.0
    }

    fn new_id(&self) -> String {
        SystemClock.new_id()
    }
}

#[tokio::test]
async fn a_worker_whose_clock_is_ahead_takes_nothing_from_others() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&Database::Postgres.url(&folder).await).await.unwrap();
    let right: Arc<dyn Clock> = Arc::new(SystemClock);
    for ahead in [TimeDelta::minutes(1), TimeDelta::minutes(-1), TimeDelta::days(1)] {
        let wrong = Ahead(ahead);
        let mut tx = store.write().await.unwrap();
        let task = Task::Run { run: "r".to_owned() };
        queue::enqueue(&mut tx, &wrong, &task, wrong.now(), Turn::default())
            .await
            .unwrap();
        tx.commit().await.unwrap();
        // What the wrong clock calls now is now, for everybody.
        let (lease, _) = queue::claim(&store, &*right).await.unwrap().unwrap();
        assert!(queue::claim(&store, &wrong).await.unwrap().is_none(), "{ahead}");
        // A worker with a wrong clock holds what it has no shorter and no longer.
        let mut tx = store.write().await.unwrap();
        lease.hold(&mut tx, wrong.now()).await.unwrap();
        tx.commit().await.unwrap();
        let wait = queue::time_to_next(&store, &wrong).await.unwrap().unwrap();
        assert!(
            wait <= TimeDelta::seconds(30) && wait > TimeDelta::seconds(20),
            "{wait}"
        );
        let mut tx = store.write().await.unwrap();
        lease.finish(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_told_to_stop_gives_its_tasks_back_at_once() {
    let test = with_run(Database::Sqlite).await;
    let app = test.app().clone();
    let (tell, told) = tokio::sync::oneshot::channel::<()>();
    test.register("slow", slow(), SLOW_SCRIPT).await.unwrap();
    let working = tokio::spawn(worker::run(app, async move { drop(told.await) }));
    while test.runs().await[0].state != WorkState::Running {
        tokio::task::yield_now().await;
    }
    tell.send(()).unwrap();
    working.await.unwrap();
    let run = &test.runs().await[0];
    assert_eq!(run.state, WorkState::Queued);
    let wait = queue::time_to_next(&test.app().store, &*test.app().clock)
        .await
        .unwrap();
    assert_eq!(wait, Some(TimeDelta::zero()));
}

/// A program that is killed from outside the first time it is started, and is this one from then on.
fn killed_once(folder: &std::path::Path) -> std::path::PathBuf {
    let (program, mark) = (folder.join("killed-once"), folder.join("killed"));
    let text = format!(
        "#!/bin/sh\nif [ ! -e '{mark}' ]; then : > '{mark}'; kill -9 $$; fi\nexec '{mastic}' \"$@\"\n",
        mark = mark.display(),
        mastic = env!("CARGO_BIN_EXE_mastic")
    );
    std::fs::write(&program, text).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    program
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_process_was_killed_from_outside_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let program = killed_once(folder.path());
    let app = TestApp::start_with(move |config| config.tasks.program.clone_from(&program)).await;
    app.register("slow", slow(), "SELECT 1 AS one").await.unwrap();
    let run = app.run_job("slow", &[]).await;
    let log = app.log(&run.id).await;
    assert_eq!((run.state, run.attempt), (WorkState::Succeeded, 2), "{log}");
    assert!(log.contains("the process at work was killed"), "{log}");
}
