//! What is over is forgotten after a while; what it taught stays.

use std::time::Duration;

use mastic::config::KeepConfig;
use mastic::crawl::{self, crawlers};
use mastic::etl::runs;
use mastic::events;
use mastic::model::crawl::{Crawl, CrawlTarget, CrawlerInput};
use mastic::model::crawl_options::{CrawlOptions, RecrawlBehavior};
use mastic::model::page::PageRequest;
use mastic::model::task::TaskState;
use mastic::queue::list as tasks;
use mastic::retention;

use crate::both_databases;
use crate::harness::setup::{JobText, sql_job};
use crate::harness::{Database, TestApp};

both_databases! {
    events_and_runs_are_forgotten_and_what_they_made_is_not,
    what_was_forgotten_is_no_news_when_it_comes_again,
    arrivals_that_nothing_came_of_stay_until_something_does,
    a_failed_task_keeps_its_run,
    crawls_are_forgotten_and_what_they_learned_is_not,
    a_crawl_by_events_lists_where_events_were_forgotten,
    a_log_of_many_lines_and_many_events_go_in_slices,
    forever_is_forever,
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn copy() -> JobText {
    sql_job("s3://lake/out/d={d}/")
        .parameter("d")
        .reads("t", "s3://lake/in/{d}/*")
        .table("out.t")
        .listens_to("s3://lake/in/{d}/*")
}

/// The same to another place, whenever somebody asks.
fn broken() -> JobText {
    sql_job("s3://lake/broken/d={d}/")
        .parameter("d")
        .reads("t", "s3://lake/in/{d}/*")
        .table("out.b")
}

async fn with_job(database: Database) -> TestApp {
    let app = TestApp::start_on(database).await;
    app.register("copy", copy(), "SELECT n FROM t").await.unwrap();
    app
}

async fn put(app: &TestApp, key: &str, text: &str) {
    app.put("lake", key, text).await;
    app.run_tasks().await;
}

/// As workers do now and then: what runs left that are over goes first.
async fn sweep_after(app: &TestApp, time: Duration) -> u64 {
    app.advance(time);
    mastic::etl::sweep(app.app()).await.unwrap();
    retention::sweep(app.app()).await.unwrap()
}

async fn states(app: &TestApp) -> Vec<&'static str> {
    app.runs().await.iter().map(|run| run.state.as_str()).collect()
}

async fn events_and_runs_are_forgotten_and_what_they_made_is_not(database: Database) {
    let app = with_job(database).await;
    put(&app, "in/1/a.csv", "n\n1\n").await;
    assert_eq!(sweep_after(&app, DAY * 20).await, 0, "nothing is old");
    put(&app, "in/2/a.csv", "n\n2\n").await;
    // The arrival of the first day, its batch, and the event of its output; runs are kept for longer.
    assert_eq!(sweep_after(&app, DAY * 20).await, 3);
    assert_eq!(app.outcomes().await.len(), 2, "the later arrival, and its output");
    assert_eq!(states(&app).await.len(), 2);
    sweep_after(&app, DAY * 60).await;
    assert_eq!(app.outcomes().await, [""; 0]);
    let left = app.runs().await;
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].body.parameters["d"], "2");
    assert!(!app.log(&left[0].id).await.is_empty());
    assert_eq!(
        app.rows("SELECT d, n FROM out.t ORDER BY n").await,
        r#"[["1",1],["2",2]]"#
    );
}

async fn what_was_forgotten_is_no_news_when_it_comes_again(database: Database) {
    let app = with_job(database).await;
    put(&app, "in/1/a.csv", "n\n1\n").await;
    sweep_after(&app, DAY * 200).await;
    assert_eq!(states(&app).await, [""; 0]);

    put(&app, "in/1/a.csv", "n\n1\n").await;
    events::reconcile::run(app.app()).await.unwrap();
    app.run_tasks().await;
    assert_eq!(states(&app).await, [""; 0], "the same bytes are no arrival");

    // The output is still the job's own: other bytes replace it.
    put(&app, "in/1/a.csv", "n\n5\n").await;
    assert_eq!(states(&app).await, ["SUCCEEDED"]);
    assert_eq!(app.rows("SELECT n FROM out.t").await, "[[5]]");
}

async fn arrivals_that_nothing_came_of_stay_until_something_does(database: Database) {
    let app = TestApp::start_on(database).await;
    let pair = copy()
        .reads("u", "s3://lake/more/{d}/*")
        .listens_also_to("s3://lake/more/{d}/*");
    app.register("pair", pair, "SELECT t.n FROM t, u").await.unwrap();
    let broken = broken()
        .reads("t", "s3://lake/b/{d}/*")
        .listens_to("s3://lake/b/{d}/*");
    app.register("broken", &broken, "SELECT nope FROM t")
        .await
        .unwrap();
    put(&app, "in/1/a.csv", "n\n1\n").await;
    put(&app, "b/1/a.csv", "n\n1\n").await;
    assert_eq!(
        app.outcomes().await,
        ["in/1/a.csv: waiting", "b/1/a.csv: started"]
    );
    assert_eq!(sweep_after(&app, DAY * 400).await, 0);
    assert_eq!(
        app.outcomes().await,
        ["in/1/a.csv: waiting", "b/1/a.csv: started"]
    );

    // A year later the same bytes are tried again, and the other half arrives.
    app.register("broken", &broken, "SELECT n FROM t").await.unwrap();
    put(&app, "b/1/a.csv", "n\n1\n").await;
    put(&app, "more/1/a.csv", "m\n1\n").await;
    assert_eq!(states(&app).await, ["FAILED", "SUCCEEDED", "SUCCEEDED"]);
    // The failed one stands in the list of what failed until somebody settles it.
    sweep_after(&app, DAY * 400).await;
    assert_eq!(
        (app.outcomes().await.len(), states(&app).await),
        (0, vec!["FAILED"])
    );
    let failed = failed_tasks(&app).await;
    tasks::settle(app.app(), &failed[0]).await.unwrap();
    sweep_after(&app, Duration::ZERO).await;
    assert_eq!(states(&app).await, [""; 0]);
}

async fn failed_tasks(app: &TestApp) -> Vec<String> {
    let failed = tasks::list(app.app(), Some(TaskState::Failed), &PageRequest::first(9)).await;
    failed
        .unwrap()
        .items
        .into_iter()
        .map(|listed| listed.task.id)
        .collect()
}

async fn a_failed_task_keeps_its_run(database: Database) {
    let app = with_job(database).await;
    app.register("broken", broken(), "SELECT n FROM t").await.unwrap();
    let run = runs::start(
        app.app(),
        "broken",
        &[("d".to_owned(), "1".to_owned())].into(),
        None,
    )
    .await
    .unwrap();
    // Ten workers die with it.
    for _ in 0..11 {
        let claimed = mastic::queue::claim(&app.app().store, &*app.app().clock)
            .await
            .unwrap();
        drop(claimed);
        app.advance(Duration::from_secs(60));
    }
    app.run_tasks().await;
    let failed = failed_tasks(&app).await;
    assert_eq!(failed.len(), 1);
    sweep_after(&app, DAY * 400).await;
    assert_eq!(runs::get(app.app(), &run.id).await.unwrap().id, run.id);
    tasks::settle(app.app(), &failed[0]).await.unwrap();
    sweep_after(&app, Duration::ZERO).await;
    assert!(runs::get(app.app(), &run.id).await.is_err());
}

async fn crawler(app: &TestApp, recrawl: RecrawlBehavior) {
    let input = CrawlerInput {
        name: "raw".to_owned(),
        database: "shop".to_owned(),
        targets: vec![CrawlTarget {
            path: "s3://lake/raw/".to_owned(),
            ..CrawlTarget::default()
        }],
        options: CrawlOptions {
            recrawl,
            ..CrawlOptions::default()
        },
        ..CrawlerInput::default()
    };
    crawlers::create(app.app(), input).await.unwrap();
}

async fn crawl_it(app: &TestApp) -> Crawl {
    app.advance(Duration::from_secs(60));
    let id = crawlers::start(app.app(), "raw", false).await.unwrap().id;
    app.run_tasks().await;
    crawl::get(app.app(), &id).await.unwrap()
}

async fn crawls_are_forgotten_and_what_they_learned_is_not(database: Database) {
    let app = TestApp::start_on(database).await;
    app.put("lake", "raw/d=1/a.csv", "n\n1\n").await;
    crawler(&app, RecrawlBehavior::CrawlEverything).await;
    let first = crawl_it(&app).await;
    let second = crawl_it(&app).await;
    let loose = app.crawl("s3://lake/raw/", "loose", true).await;
    assert_eq!(sweep_after(&app, DAY * 20).await, 0);
    assert_eq!(
        sweep_after(&app, DAY * 80).await,
        3,
        "two crawls, and the event of the file"
    );
    for (crawl, stays) in [(&first, false), (&second, true), (&loose, false)] {
        assert_eq!(crawl::get(app.app(), &crawl.id).await.is_ok(), stays, "{crawl:?}");
    }
    let crawler = crawlers::get(app.app(), "raw").await.unwrap();
    assert_eq!(crawler.last_crawl.unwrap().id, second.id);
    crawl::undo(app.app(), &second.id).await.unwrap();
    let third = crawl_it(&app).await;
    assert_eq!((third.progress.files_read, third.progress.files_known), (0, 1));
}

async fn a_crawl_by_events_lists_where_events_were_forgotten(database: Database) {
    let app = TestApp::start_on(database).await;
    app.put("lake", "raw/d=1/a.csv", "n\n1\n").await;
    crawler(&app, RecrawlBehavior::CrawlEventMode).await;
    crawl_it(&app).await;
    app.put("lake", "raw/d=2/a.csv", "n\n1\n").await;
    // Its event is forgotten before the crawler runs again.
    sweep_after(&app, DAY * 40).await;
    assert_eq!(app.outcomes().await, [""; 0]);
    crawl_it(&app).await;
    assert_eq!(
        app.rows("SELECT DISTINCT d FROM shop.raw ORDER BY d").await,
        r#"[["1"],["2"]]"#
    );
    // From then on it goes by events again.
    app.put("lake", "raw/d=3/a.csv", "n\n1\n").await;
    let by_events = crawl_it(&app).await;
    assert_eq!(by_events.progress.objects, 1);
}

async fn a_log_of_many_lines_and_many_events_go_in_slices(database: Database) {
    let app = with_job(database).await;
    for number in 0..3 {
        app.put("lake", &format!("other/{number}"), "x").await;
    }
    put(&app, "in/1/a.csv", "n\n1\n").await;
    let run = app.runs().await.remove(0).id;
    let mut tx = app.app().store.note().await.unwrap();
    let level = mastic::model::run::LogLevel::Info;
    for number in 0..6_000 {
        let line = format!("line {number}");
        mastic::store::runs::append_log(&mut tx, &run, app.app().clock.now(), level, &line)
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    let before = app.app().store.statements();
    sweep_after(&app, DAY * 100).await;
    assert!(app.runs().await.is_empty() && app.outcomes().await.is_empty());
    assert!(app.app().store.statements() - before < 60);
}

async fn forever_is_forever(database: Database) {
    let app = TestApp::start_on_with(database, |config| config.keep = KeepConfig::default()).await;
    app.register("copy", copy(), "SELECT n FROM t").await.unwrap();
    put(&app, "in/1/a.csv", "n\n1\n").await;
    assert_eq!(sweep_after(&app, DAY * 4000).await, 0);
    assert_eq!(states(&app).await, ["SUCCEEDED"]);
}
