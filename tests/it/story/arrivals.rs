//! Arrivals: what counts as seen, what is acted on again, what is no data, and where loops end.

use mastic::etl::{jobs, query, runs};
use mastic::events;
use mastic::model::crawl::WorkState;
use mastic::model::event::{EventKind, ObjectEvent, Source};
use mastic::model::page::PageRequest;
use mastic::model::run::Run;
use mastic::queue;

use crate::both_databases;
use crate::harness::setup::{JobText, sql_job};
use crate::harness::{Database, TestApp};

both_databases! {
    the_same_bytes_after_a_failed_run_start_another,
    a_failed_run_is_retried_and_an_event_replayed,
    a_rejected_arrival_can_be_sent_again,
    a_b_and_a_again_each_run_and_so_does_what_was_removed,
    one_version_is_one_run_however_its_tag_was_spelled,
    a_waiting_arrival_is_settled_by_the_run_that_reads_it,
    markers_hidden_names_and_empty_objects_start_nothing,
    a_flag_that_the_pattern_spells_starts_a_run,
    a_loop_of_jobs_ends_with_a_word,
    arrivals_join_the_run_that_waits_for_its_turn,
}

/// What lies in a folder is added to a table, whenever something arrives.
fn copy() -> JobText {
    sql_job("s3://lake/out/")
        .parameter("d")
        .reads("t", "s3://lake/in/{d}/*")
        .output("mode = \"append\"")
        .table("out.t")
        .listens_to("s3://lake/in/{d}/*")
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

async fn states(app: &TestApp) -> Vec<&'static str> {
    app.runs().await.iter().map(|run| run.state.as_str()).collect()
}

async fn rows(app: &TestApp) -> i64 {
    let rows = query::run(app.app(), "SELECT count(*) FROM out.t", 1)
        .await
        .unwrap()
        .rows;
    rows[0][0].as_i64().unwrap()
}

async fn the_same_bytes_after_a_failed_run_start_another(database: Database) {
    let app = with_job(database).await;
    app.register("copy", copy(), "SELECT nope FROM t").await.unwrap();
    put(&app, "in/1/a.csv", "n\n1\n").await;
    assert_eq!(states(&app).await, ["FAILED"]);
    app.register("copy", copy(), "SELECT n FROM t").await.unwrap();
    put(&app, "in/1/a.csv", "n\n1\n").await;
    assert_eq!(states(&app).await, ["FAILED", "SUCCEEDED"]);
    put(&app, "in/1/a.csv", "n\n1\n").await;
    assert_eq!(
        states(&app).await.len(),
        2,
        "after a success they are a duplicate"
    );
    assert_eq!(rows(&app).await, 1);
}

async fn a_failed_run_is_retried_and_an_event_replayed(database: Database) {
    let app = with_job(database).await;
    app.register("copy", copy(), "SELECT nope FROM t").await.unwrap();
    put(&app, "in/1/a.csv", "n\n1\n").await;
    let failed = app.runs().await.remove(0).id;
    app.register("copy", copy(), "SELECT n FROM t").await.unwrap();
    let again = runs::retry(app.app(), &failed).await.unwrap();
    assert_eq!(again.body.parameters["d"], "1");
    // The run that took its place counts for the arrival from now on.
    app.put("lake", "in/1/a.csv", "n\n1\n").await;
    app.run_tasks().await;
    assert_eq!(states(&app).await, ["FAILED", "SUCCEEDED"]);
    assert!(
        runs::retry(app.app(), &again.id)
            .await
            .unwrap_err()
            .message
            .contains("SUCCEEDED")
    );

    let first = events::list(app.app(), &PageRequest::first(10))
        .await
        .unwrap()
        .items
        .pop()
        .unwrap();
    events::replay(app.app(), &first.id).await.unwrap();
    app.run_tasks().await;
    assert_eq!(states(&app).await.len(), 3, "who asks for it gets it");
    app.app().buckets.delete("lake", "in/1/a.csv").await.unwrap();
    let gone = events::replay(app.app(), &first.id).await.unwrap_err();
    assert!(
        gone.message.contains("s3://lake/in/1/a.csv isn't there any more"),
        "{}",
        gone.message
    );
}

async fn a_rejected_arrival_can_be_sent_again(database: Database) {
    let app = TestApp::start_on(database).await;
    let strict = copy().parameter_with("d", r"pattern = '\d'");
    app.register("copy", strict, "SELECT n FROM t").await.unwrap();
    put(&app, "in/x/a.csv", "n\n1\n").await;
    assert_eq!(app.outcomes().await, ["in/x/a.csv: rejected"]);
    let loose = copy().parameter_with("d", r"pattern = '\w'");
    app.register("copy", loose, "SELECT n FROM t").await.unwrap();
    put(&app, "in/x/a.csv", "n\n1\n").await;
    assert_eq!(states(&app).await, ["SUCCEEDED"]);
}

async fn a_b_and_a_again_each_run_and_so_does_what_was_removed(database: Database) {
    let app = with_job(database).await;
    for text in ["n\n1\n", "n\n2\n", "n\n1\n"] {
        put(&app, "in/1/a.csv", text).await;
    }
    assert_eq!(states(&app).await.len(), 3);
    app.app().buckets.delete("lake", "in/1/a.csv").await.unwrap();
    put(&app, "in/1/a.csv", "n\n1\n").await;
    assert_eq!(states(&app).await.len(), 4);
}

async fn one_version_is_one_run_however_its_tag_was_spelled(database: Database) {
    let app = with_job(database).await;
    put(&app, "in/1/a.csv", "n\n1\n").await;
    let etag = app
        .app()
        .buckets
        .head("lake", "in/1/a.csv")
        .await
        .unwrap()
        .unwrap()
        .etag;
    let told = [
        None,
        Some(etag.to_uppercase()),
        Some(format!("\"{etag}\"")),
        Some("0123456789abcdef0123456789abcdef".to_owned()),
        None,
    ];
    for etag in told {
        let event = ObjectEvent {
            bucket: "lake".to_owned(),
            key: "in/1/a.csv".to_owned(),
            kind: EventKind::Created,
            size: None,
            etag,
            sequencer: None,
            source: Source::Webhook,
        };
        events::accept(app.app(), &event).await.unwrap();
        app.run_tasks().await;
        assert_eq!(events::reconcile::run(app.app()).await.unwrap(), 0);
    }
    assert_eq!((states(&app).await.len(), rows(&app).await), (1, 1));
    let gone = ObjectEvent {
        bucket: "lake".to_owned(),
        key: "in/1/never.csv".to_owned(),
        kind: EventKind::Created,
        size: None,
        etag: None,
        sequencer: None,
        source: Source::Webhook,
    };
    events::accept(app.app(), &gone).await.unwrap();
    assert!(
        app.outcomes()
            .await
            .contains(&"in/1/never.csv: superseded".to_owned())
    );
}

async fn a_waiting_arrival_is_settled_by_the_run_that_reads_it(database: Database) {
    let app = TestApp::start_on(database).await;
    let job = copy()
        .reads_no("t")
        .reads("a", "s3://lake/in/{d}/a*")
        .reads("b", "s3://lake/in/{d}/b*");
    app.register("both", job, "SELECT n FROM a UNION ALL SELECT n FROM b")
        .await
        .unwrap();
    put(&app, "in/1/a.csv", "n\n1\n").await;
    put(&app, "in/1/b.csv", "n\n2\n").await;
    assert_eq!(
        app.outcomes().await[..2],
        ["in/1/a.csv: started", "in/1/b.csv: started"]
    );
    put(&app, "in/1/a.csv", "n\n1\n").await;
    assert_eq!((states(&app).await.len(), rows(&app).await), (1, 2));
}

async fn markers_hidden_names_and_empty_objects_start_nothing(database: Database) {
    let app = TestApp::start_on(database).await;
    let deep = "s3://lake/in/{d}/**";
    let job = copy().reads("t", deep).listens_to(deep);
    app.register("copy", job, "SELECT n FROM t").await.unwrap();
    for (key, text) in [
        ("in/1/", ""),
        ("in/1/_SUCCESS", ""),
        ("in/1/.a.csv.crc", "x"),
        ("in/1/_temporary/0/a.csv", "n\n9\n"),
        ("in/1/empty.csv", ""),
    ] {
        put(&app, key, text).await;
    }
    assert_eq!(states(&app).await.len(), 0);
    assert!(
        app.outcomes()
            .await
            .iter()
            .all(|line| line.ends_with(": unmatched"))
    );
    put(&app, "in/1/a.csv", "n\n1\n").await;
    put(&app, "in/1/_k=2/a.csv", "n\n2\n").await;
    assert_eq!(states(&app).await, ["SUCCEEDED", "SUCCEEDED"]);
    let read: Vec<usize> = app.runs().await.iter().map(|run| run.body.inputs.len()).collect();
    assert_eq!(read, [1, 2]);
}

async fn a_flag_that_the_pattern_spells_starts_a_run(database: Database) {
    let app = TestApp::start_on(database).await;
    let job = copy().listens_to("s3://lake/in/{d}/_SUCCESS");
    app.register("copy", job, "SELECT n FROM t").await.unwrap();
    put(&app, "in/1/a.csv", "n\n1\n").await;
    assert_eq!(states(&app).await.len(), 0);
    put(&app, "in/1/_SUCCESS", "").await;
    assert_eq!(states(&app).await, ["SUCCEEDED"]);
    assert_eq!(app.runs().await[0].body.inputs.len(), 1);
}

async fn a_loop_of_jobs_ends_with_a_word(database: Database) {
    let app = TestApp::start_on(database).await;
    let link = |from: &str, to: &str| {
        let arrivals = format!("s3://lake/{from}/*.csv");
        sql_job(&format!("s3://lake/{to}/"))
            .reads("t", &arrivals)
            .listens_to(&arrivals)
    };
    app.register("b", link("b", "c"), "SELECT n + 1 AS n FROM t")
        .await
        .unwrap();
    app.register("c", link("c", "a"), "SELECT n + 1 AS n FROM t")
        .await
        .unwrap();
    app.register("a", link("a", "b"), "SELECT n + 1 AS n FROM t")
        .await
        .unwrap();
    put(&app, "b/start.csv", "n\n1\n").await;
    let jobs: Vec<String> = app.runs().await.into_iter().map(|run| run.job).collect();
    assert_eq!(jobs, ["b", "c", "a"]);
    assert!(
        app.runs()
            .await
            .iter()
            .all(|run| run.state == WorkState::Succeeded)
    );
    let last = app.runs().await.pop().unwrap();
    assert_eq!(last.body.chain, ["b", "c"]);
    let newest = events::list(app.app(), &PageRequest::first(1))
        .await
        .unwrap()
        .items
        .remove(0);
    assert_eq!(newest.object.key, "b/part-00000.csv");
    let detail = newest.outcomes[0].detail.clone().unwrap();
    assert!(detail.contains("b → c → a → b: the loop ends here"), "{detail}");
    assert_eq!(jobs::get(app.app(), "b").await.unwrap().version, 0);
}

async fn arrivals_join_the_run_that_waits_for_its_turn(database: Database) {
    let app = TestApp::start_on(database).await;
    let whole = copy()
        .output("mode = \"overwrite\"")
        .writes("s3://lake/out/d={d}/");
    app.register("copy", whole, "SELECT n FROM t").await.unwrap();
    app.put("lake", "in/1/a.csv", "n\n1\n").await;
    // A worker closes the batch and takes the run, which keeps others of the same place waiting.
    app.run_next_task().await;
    let (_busy, _) = queue::claim(&app.app().store, &*app.app().clock)
        .await
        .unwrap()
        .unwrap();
    for (key, rows) in [
        ("in/1/b.csv", "n\n2\n"),
        ("in/1/c.csv", "n\n3\n"),
        ("in/2/a.csv", "n\n4\n"),
    ] {
        app.put("lake", key, rows).await;
        app.run_next_task().await;
    }
    let events = |runs: Vec<Run>| runs.iter().map(|run| run.body.events.len()).collect::<Vec<_>>();
    assert_eq!(
        events(app.runs().await),
        [1, 2, 1],
        "one run for what came meanwhile, one for the other folder"
    );
    app.run_tasks().await;
    assert_eq!(states(&app).await, ["SUCCEEDED"; 3]);
    assert_eq!(rows(&app).await, 4);
    // What a person asks for is a run of its own.
    app.start_run("copy", &[("d", "1")]).await;
    app.start_run("copy", &[("d", "1")]).await;
    assert_eq!(states(&app).await.len(), 5);
}
