//! How many runs of a job are at work, which goes first, and what follows a failure.

use std::time::Duration;

use mastic::etl::runs;
use mastic::model::crawl::WorkState;
use mastic::model::page::PageRequest;
use mastic::model::run::Run;
use mastic::queue::{self, Task};

use crate::both_databases;
use crate::harness::setup::{JobText, sql_job};
use crate::harness::{Database, TestApp};

both_databases! {
    so_many_runs_are_at_work_as_the_job_says,
    a_limit_that_is_raised_holds_of_runs_that_wait,
    the_more_urgent_job_goes_first,
    a_failed_run_is_tried_again_for_the_same_events,
    an_arrival_does_not_wait_for_a_retry,
    workers_that_take_at_the_same_moment_keep_to_the_limit,
}

fn job(name: &str) -> JobText {
    sql_job(&format!("s3://lake/out-{name}/n={{n}}/"))
        .parameter("n")
        .reads("rows", &format!("s3://lake/{name}/{{n}}.csv"))
}

async fn started(app: &TestApp, job: &str, n: &str) -> String {
    app.start_run(job, &[("n", n)]).await
}

/// Takes a task as a worker does, and says of which run it is.
async fn taken(app: &TestApp) -> Option<(queue::Lease, String)> {
    let app = app.app();
    let (lease, task) = queue::claim(&app.store, &*app.clock).await.unwrap()?;
    match task {
        Task::Run { run } => Some((lease, run)),
        other => panic!("{other:?} is no run"),
    }
}

async fn finished(app: &TestApp, lease: &queue::Lease) {
    let mut tx = app.app().store.note().await.unwrap();
    assert!(lease.finish(&mut tx).await.is_ok());
    tx.commit().await.unwrap();
}

async fn so_many_runs_are_at_work_as_the_job_says(database: Database) {
    let app = TestApp::start_on(database).await;
    app.register("a", job("a").head("concurrency = 2"), "SELECT * FROM rows")
        .await
        .unwrap();
    let mut ids = Vec::new();
    for n in ["1", "2", "3", "4"] {
        ids.push(started(&app, "a", n).await);
    }
    let third = runs::get(app.app(), &ids[2]).await.unwrap();
    assert_eq!(
        third.waiting.as_deref(),
        Some("the job may have 2 run(s) at a time, and 2 came before")
    );
    let (first, run) = taken(&app).await.unwrap();
    assert_eq!(run, ids[0]);
    let (_second, run) = taken(&app).await.unwrap();
    assert_eq!(run, ids[1]);
    assert!(taken(&app).await.is_none(), "two are at work");
    finished(&app, &first).await;
    let (_third, run) = taken(&app).await.unwrap();
    assert_eq!(run, ids[2], "there is room for one");
    assert!(taken(&app).await.is_none());
}

async fn workers_that_take_at_the_same_moment_keep_to_the_limit(database: Database) {
    let app = TestApp::start_on(database).await;
    app.register("a", job("a").head("concurrency = 3"), "SELECT * FROM rows")
        .await
        .unwrap();
    for n in 0..12 {
        started(&app, "a", &n.to_string()).await;
    }
    // Who came too late for a slot tries again.
    for _ in 0..4 {
        futures::future::join_all((0..12).map(|_| taken(&app))).await;
    }
    let running = mastic::model::task::TaskState::Running;
    let page = PageRequest::first(20);
    let at_work = queue::list::list(app.app(), Some(running), &page).await.unwrap();
    assert_eq!(at_work.items.len(), 3);
}

async fn a_limit_that_is_raised_holds_of_runs_that_wait(database: Database) {
    let app = TestApp::start_on(database).await;
    let register = async |more: &str| {
        app.register("a", job("a").head(more), "SELECT * FROM rows")
            .await
            .unwrap();
    };
    register("concurrency = 1").await;
    for n in ["1", "2", "3"] {
        started(&app, "a", n).await;
    }
    let _first = taken(&app).await.unwrap();
    assert!(taken(&app).await.is_none());
    register("concurrency = 2").await;
    let _second = taken(&app).await.unwrap();
    assert!(taken(&app).await.is_none());
    register("").await;
    assert!(taken(&app).await.is_some(), "there is no limit any more");
}

async fn the_more_urgent_job_goes_first(database: Database) {
    let app = TestApp::start_on(database).await;
    for (name, priority) in [("a", ""), ("b", "priority = 5"), ("c", "priority = -1")] {
        app.register(name, job(name).head(priority), "SELECT * FROM rows")
            .await
            .unwrap();
    }
    let mut of = Vec::new();
    for name in ["c", "a", "b"] {
        of.push(started(&app, name, "1").await);
        app.advance(Duration::from_secs(1));
    }
    for wanted in [&of[2], &of[1], &of[0]] {
        assert_eq!(&taken(&app).await.unwrap().1, wanted);
    }
}

async fn a_failed_run_is_tried_again_for_the_same_events(database: Database) {
    let app = TestApp::start_on(database).await;
    let triggered = "retries = 3\nretry_backoff = \"1m\"";
    let definition = job("a").head(triggered).listens_to("s3://lake/a/{n}.csv");
    app.register("a", &definition, "SELECT * FROM rows WHERE price = 1")
        .await
        .unwrap();
    app.put("lake", "a/1.csv", "id,prise\n1,1\n").await;
    app.run_due_tasks().await;
    app.run_due_tasks().await;
    let both = app.runs().await;
    let [first, second] = &both[..] else {
        panic!("{both:?}");
    };
    assert_eq!(
        (first.state, second.state),
        (WorkState::Failed, WorkState::Queued)
    );
    assert_eq!(
        (second.body.previous.as_ref(), second.body.retry),
        (Some(&first.id), 1)
    );
    assert_eq!(second.body.events, first.body.events);
    assert!(!second.body.events.is_empty());
    // What failed isn't left for people to look after: something follows it.
    let failed = mastic::model::task::TaskState::Failed;
    let page = PageRequest::first(10);
    let left = queue::list::list(app.app(), Some(failed), &page).await.unwrap();
    assert_eq!(left.items.len(), 0);

    // Mended meanwhile, the second is well, and nothing follows it.
    app.register("a", &definition, "SELECT * FROM rows WHERE prise = 1")
        .await
        .unwrap();
    app.run_tasks().await;
    let all: Vec<Run> = app.runs().await;
    let states: Vec<WorkState> = all.iter().map(|run| run.state).collect();
    assert_eq!(states, [WorkState::Failed, WorkState::Succeeded]);
    let waited = all[1].started_at.unwrap() - all[0].finished_at.unwrap();
    assert_eq!(waited.num_seconds(), 60);
    assert_eq!(app.outcomes().await[0], "a/1.csv: started");
}

async fn an_arrival_does_not_wait_for_a_retry(database: Database) {
    let app = TestApp::start_on(database).await;
    let triggered = "retries = 1\nretry_backoff = \"1h\"";
    let definition = job("a").head(triggered).listens_to("s3://lake/a/{n}.csv");
    app.register("a", &definition, "SELECT price FROM rows")
        .await
        .unwrap();
    app.put("lake", "a/1.csv", "id,prise\n1,1\n").await;
    app.run_due_tasks().await;
    app.run_due_tasks().await;
    app.put("lake", "a/1.csv", "id,price\n1,1\n").await;
    app.run_due_tasks().await;
    app.run_due_tasks().await;
    let states: Vec<WorkState> = app.runs().await.iter().map(|run| run.state).collect();
    assert_eq!(
        states,
        [WorkState::Failed, WorkState::Queued, WorkState::Succeeded],
        "the retry is still to come"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_that_is_stopped_while_it_waits_is_over_at_once() {
    let app = TestApp::start().await;
    app.register("a", job("a").head("retries = 1"), "SELECT * FROM rows")
        .await
        .unwrap();
    started(&app, "a", "1").await;
    app.run_due_tasks().await;
    let waiting = app.runs().await.pop().unwrap();
    assert_eq!(waiting.state, WorkState::Queued);
    let stopped = runs::cancel(app.app(), &waiting.id).await.unwrap();
    assert_eq!(stopped.state, WorkState::Cancelled);
    app.run_tasks().await;
    assert_eq!(app.runs().await.len(), 2, "what was stopped isn't tried again");
    let stopped = runs::get(app.app(), &waiting.id).await.unwrap();
    assert_eq!((stopped.state, stopped.started_at), (WorkState::Cancelled, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_time_is_over_says_so_and_is_not_tried_again() {
    let app = TestApp::start().await;
    app.put("lake", "a/1.csv", "n\n1\n2\n3\n4\n5\n6\n7\n8\n9\n").await;
    let definition = job("a").head("retries = 1").head("timeout = \"1s\"");
    let tables: Vec<String> = (0..12).map(|at| format!("rows t{at}")).collect();
    let forever = format!(
        "SELECT count(*) AS n FROM {} WHERE t0.n * t1.n * t2.n > t3.n + t11.n",
        tables.join(", ")
    );
    app.register("a", &definition, &forever).await.unwrap();
    let run = app.run_job("a", &[("n", "1")]).await;
    let error = run.body.error.unwrap();
    assert_eq!(
        (run.state, error.timed_out, error.message.as_str()),
        (
            WorkState::Failed,
            true,
            "it took more than 1 seconds and was stopped"
        )
    );
    assert_eq!(app.runs().await.len(), 1);
}
