//! Crawlers.

use std::time::Duration;

use aws_sdk_glue::types::{
    CrawlerHistoryState, CrawlerState, CrawlerTargets, CrawlsFilter, CreateCsvClassifierRequest,
    DeleteBehavior, DynamoDbTarget, LastCrawlStatus, RecrawlBehavior, RecrawlPolicy, S3Target, ScheduleState,
    SchemaChangePolicy, UpdateBehavior,
};

use super::{client, crawler_named, create_crawler, refusal, saying};
use crate::both_databases;
use crate::harness::{Database, TestApp};

fn targets(path: &str) -> CrawlerTargets {
    CrawlerTargets::builder()
        .s3_targets(S3Target::builder().path(path).build())
        .build()
}

#[tokio::test]
async fn a_crawl_fills_the_catalog() {
    let app = TestApp::start().await;
    let glue = client(&app);
    app.put("lake", "raw/people.csv", b"id,name\n1,ada\n2,grace\n".to_vec())
        .await;
    let create = create_crawler(&glue, "raw", "s3://lake/raw/", "Lab");
    create.table_prefix("lab_").send().await.unwrap();
    glue.start_crawler().name("raw").send().await.unwrap();

    let crawler = crawler_named(&glue, "raw").await;
    assert_eq!(crawler.state(), Some(&CrawlerState::Running));
    assert!(crawler.last_crawl().is_none());
    let outcome = glue.start_crawler().name("raw").send().await;
    assert_eq!(refusal(outcome).0, "CrawlerRunningException");
    let outcome = glue.delete_crawler().name("raw").send().await;
    assert_eq!(refusal(outcome).0, "CrawlerRunningException");

    app.run_tasks().await;
    let crawler = crawler_named(&glue, "raw").await;
    let last = crawler.last_crawl().unwrap();
    assert_eq!(
        (crawler.state(), last.status()),
        (Some(&CrawlerState::Ready), Some(&LastCrawlStatus::Succeeded))
    );
    assert_eq!(
        (last.log_group(), last.log_stream()),
        (Some("/aws-glue/crawlers"), Some("raw"))
    );
    assert!(last.start_time().is_some() && last.message_prefix().is_some() && last.error_message().is_none());
    let tables = glue.get_tables().database_name("lab").send().await.unwrap();
    assert_eq!(tables.table_list().len(), 1);
    assert!(tables.table_list()[0].name().starts_with("lab_"));
    let metrics = glue
        .get_crawler_metrics()
        .crawler_name_list("raw")
        .send()
        .await
        .unwrap();
    assert_eq!(metrics.crawler_metrics_list()[0].tables_created(), 1);

    glue.delete_crawler().name("raw").send().await.unwrap();
    let outcome = glue.get_crawler().name("raw").send().await;
    assert_eq!(
        refusal(outcome),
        saying(
            "EntityNotFoundException",
            "Crawler entry with name raw does not exist"
        )
    );
}

#[tokio::test]
async fn a_crawler_comes_back_as_it_was_sent() {
    let app = TestApp::start().await;
    let glue = client(&app);
    let target = S3Target::builder()
        .path("s3://lake/raw/")
        .exclusions("**.tmp")
        .sample_size(3)
        .build();
    let policy = SchemaChangePolicy::builder()
        .update_behavior(UpdateBehavior::Log)
        .build();
    let semicolons = CreateCsvClassifierRequest::builder()
        .name("semicolons")
        .delimiter(";")
        .build()
        .unwrap();
    glue.create_classifier()
        .csv_classifier(semicolons)
        .send()
        .await
        .unwrap();
    glue.create_crawler()
        .name("Raw")
        .role("arn:aws:iam::123456789012:role/crawl")
        .targets(CrawlerTargets::builder().s3_targets(target.clone()).build())
        .description("All that comes in")
        .schedule("cron(15 12 * * ? *)")
        .classifiers("semicolons")
        .schema_change_policy(policy.clone())
        .configuration(r#"{"Version":1.0}"#)
        .tags("team", "data")
        .send()
        .await
        .unwrap();

    let crawler = crawler_named(&glue, "Raw").await;
    assert_eq!(crawler.role(), Some("arn:aws:iam::123456789012:role/crawl"));
    assert_eq!(crawler.targets().unwrap().s3_targets(), [target]);
    assert_eq!(
        (crawler.database_name(), crawler.description()),
        (Some("default"), Some("All that comes in"))
    );
    let schedule = crawler.schedule().unwrap();
    assert_eq!(schedule.schedule_expression(), Some("cron(15 12 * * ? *)"));
    assert_eq!(schedule.state(), Some(&ScheduleState::Scheduled));
    assert_eq!(
        (crawler.classifiers(), crawler.schema_change_policy()),
        (&["semicolons".to_owned()][..], Some(&policy))
    );
    assert_eq!(crawler.configuration(), Some(r#"{"Version":1.0}"#));
    assert_eq!(
        crawler.recrawl_policy().unwrap().recrawl_behavior(),
        Some(&RecrawlBehavior::CrawlEverything)
    );
    assert!(crawler.creation_time().is_some() && crawler.last_updated().is_some() && crawler.version() == 1);

    let tagged = glue.list_crawlers().tags("team", "data").send().await.unwrap();
    assert_eq!(tagged.crawler_names(), ["Raw"]);
    assert!(
        glue.list_crawlers()
            .tags("team", "web")
            .send()
            .await
            .unwrap()
            .crawler_names()
            .is_empty()
    );
    assert_eq!(glue.get_crawlers().send().await.unwrap().crawlers(), [crawler]);
}

#[tokio::test]
async fn what_cannot_be_crawled_is_refused() {
    let app = TestApp::start().await;
    let glue = client(&app);
    let create = |name: &str| glue.create_crawler().name(name).role("r");

    let outcome = create("c").targets(targets("/tmp/x")).send().await;
    assert_eq!(refusal(outcome).0, "InvalidInputException");
    let dynamo = DynamoDbTarget::builder().path("t").build();
    let outcome = create("c")
        .targets(CrawlerTargets::builder().dynamo_db_targets(dynamo).build())
        .send()
        .await;
    assert_eq!(
        refusal(outcome),
        saying(
            "InvalidInputException",
            "DynamoDBTargets can't be crawled yet: give S3Targets and JdbcTargets only."
        )
    );
    let outcome = create("c")
        .targets(CrawlerTargets::builder().build())
        .send()
        .await;
    assert_eq!(refusal(outcome).0, "InvalidInputException");
    let outcome = create("c").send().await;
    assert!(refusal(outcome).1.contains("Value null at 'targets'"));
    create("c").targets(targets("s3://lake/")).send().await.unwrap();
    let outcome = create("c").targets(targets("s3://lake/")).send().await;
    assert_eq!(
        refusal(outcome),
        saying("AlreadyExistsException", "Crawler c already exists.")
    );
    let outcome = glue.start_crawler().name("d").send().await;
    assert_eq!(refusal(outcome).0, "EntityNotFoundException");
}

#[tokio::test]
async fn policies_and_configuration_are_kept_and_checked_in_glues_words() {
    let app = TestApp::start().await;
    let glue = client(&app);
    let create = |name: &str| {
        glue.create_crawler()
            .name(name)
            .role("r")
            .targets(targets("s3://lake/raw/"))
    };
    let outcome = create("c")
        .configuration(r#"{"Version":1.0,"CrawlerOutput":{"Partitions":{"UpdateBehavior":"LOG"}}}"#)
        .send()
        .await;
    assert_eq!(
        refusal(outcome),
        saying(
            "InvalidInputException",
            "CrawlerOutput.Partitions contains unsupported keys: UpdateBehavior."
        )
    );
    let new_folders = RecrawlPolicy::builder()
        .recrawl_behavior(RecrawlBehavior::CrawlNewFoldersOnly)
        .build();
    let outcome = create("c").recrawl_policy(new_folders.clone()).send().await;
    assert_eq!(
        refusal(outcome),
        saying(
            "InvalidInputException",
            "The SchemaChangePolicy for \"Crawl new folders only\" Amazon S3 target can have only LOG DeleteBehavior \
             value and LOG UpdateBehavior value."
        )
    );
    let log = SchemaChangePolicy::builder()
        .update_behavior(UpdateBehavior::Log)
        .delete_behavior(DeleteBehavior::Log)
        .build();
    create("c")
        .recrawl_policy(new_folders.clone())
        .schema_change_policy(log.clone())
        .send()
        .await
        .unwrap();
    let crawler = crawler_named(&glue, "c").await;
    assert_eq!(
        (crawler.recrawl_policy(), crawler.schema_change_policy()),
        (Some(&new_folders), Some(&log))
    );

    // One made by the REST API shows the same.
    let body = serde_json::json!({
        "name": "d", "database": "shop", "targets": [{"path": "s3://lake/raw/", "sample_size": 7}],
        "options": {"compatibility": "glue", "update_behavior": "LOG", "configuration": {"CreatePartitionIndex": true}},
    });
    let (status, _, shown) = crate::api::send(&app, "POST", "/api/v1/crawlers", Some(body)).await;
    assert_eq!(status, 201, "{shown}");
    assert_eq!(
        shown["options"],
        serde_json::json!({
            "compatibility": "glue", "update_behavior": "LOG", "delete_behavior": "DEPRECATE_IN_DATABASE",
            "recrawl_behavior": "CRAWL_EVERYTHING", "configuration": {"CreatePartitionIndex": true},
        })
    );
    let crawler = crawler_named(&glue, "d").await;
    assert_eq!(crawler.configuration(), Some(r#"{"CreatePartitionIndex":true}"#));
    assert_eq!(crawler.targets().unwrap().s3_targets()[0].sample_size(), Some(7));
    assert_eq!(
        crawler.schema_change_policy().unwrap().update_behavior(),
        Some(&UpdateBehavior::Log)
    );
}

both_databases! { a_schedule_starts_crawls_while_it_is_in_force, a_crawl_can_be_stopped }

/// Every test begins on Tuesday the 14th of November 2023 at 22:13:20.
async fn a_schedule_starts_crawls_while_it_is_in_force(database: Database) {
    let app = TestApp::start_on(database).await;
    let glue = client(&app);
    app.put("lake", "raw/people.csv", b"id,name\n1,ada\n2,grace\n".to_vec())
        .await;
    let create = |name: &str, cron: &str| create_crawler(&glue, name, "s3://lake/raw/", "lab").schedule(cron);
    for wrong in ["cron(0 12 * * * *)", "cron(* * * * ? *)", "every day"] {
        let outcome = create("raw", wrong).send().await;
        assert_eq!(refusal(outcome).0, "InvalidInputException", "{wrong}");
    }
    create("raw", "cron(30 * * * ? *)").send().await.unwrap();
    let crawls = async || {
        app.run_due_tasks().await;
        let crawls = glue.list_crawls().crawler_name("raw").send().await.unwrap();
        crawls.crawls().len()
    };
    assert_eq!(crawls().await, 0, "it is 22:13");
    app.advance(Duration::from_secs(17 * 60));
    assert_eq!(crawls().await, 1, "it is 22:30");
    assert_eq!(crawls().await, 1, "once");
    app.advance(Duration::from_secs(5 * 3600));
    assert_eq!(crawls().await, 2, "hours that passed unwatched count once");
    app.advance(Duration::from_secs(3600));
    assert_eq!(crawls().await, 3);

    let start = || glue.start_crawler_schedule().crawler_name("raw").send();
    let stop = || glue.stop_crawler_schedule().crawler_name("raw").send();
    assert_eq!(refusal(start().await).0, "SchedulerRunningException");
    stop().await.unwrap();
    assert_eq!(refusal(stop().await).0, "SchedulerNotRunningException");
    app.advance(Duration::from_secs(3600));
    assert_eq!(crawls().await, 3, "not in force");
    start().await.unwrap();
    app.advance(Duration::from_secs(3600));
    assert_eq!(crawls().await, 4);

    let schedule = glue.update_crawler_schedule().crawler_name("raw");
    schedule.schedule("cron(0 0 1 1 ? 2030)").send().await.unwrap();
    app.advance(Duration::from_secs(3600));
    assert_eq!(crawls().await, 4, "another schedule");
    glue.update_crawler()
        .name("raw")
        .schedule("")
        .send()
        .await
        .unwrap();
    let crawler = glue.get_crawler().name("raw").send().await.unwrap();
    assert!(crawler.crawler().unwrap().schedule().is_none());
    assert_eq!(refusal(start().await).0, "NoScheduleException");
    let outcome = glue.start_crawler_schedule().crawler_name("none").send().await;
    assert_eq!(refusal(outcome).0, "EntityNotFoundException");
}

async fn a_crawl_can_be_stopped(database: Database) {
    let app = TestApp::start_on(database).await;
    let glue = client(&app);
    app.put("lake", "raw/people.csv", b"id,name\n1,ada\n2,grace\n".to_vec())
        .await;
    let create = create_crawler(&glue, "raw", "s3://lake/raw/", "lab");
    create.send().await.unwrap();
    let stop = || glue.stop_crawler().name("raw").send();
    assert_eq!(refusal(stop().await).0, "CrawlerNotRunningException");

    glue.start_crawler().name("raw").send().await.unwrap();
    stop().await.unwrap();
    app.run_tasks().await;
    let crawler = crawler_named(&glue, "raw").await;
    assert_eq!(
        (crawler.state(), crawler.last_crawl().unwrap().status()),
        (Some(&CrawlerState::Ready), Some(&LastCrawlStatus::Cancelled))
    );
    let outcome = glue.get_tables().database_name("lab").send().await;
    assert_eq!(
        refusal(outcome).0,
        "EntityNotFoundException",
        "nothing was changed"
    );

    // One that a worker is at: it was claimed, and says how far it is when it is told.
    glue.start_crawler().name("raw").send().await.unwrap();
    let (lease, task) = mastic::queue::claim(&app.app().store, &*app.app().clock)
        .await
        .unwrap()
        .unwrap();
    let mastic::queue::Task::Crawl { crawl } = task else {
        panic!("{task:?}")
    };
    let mut tx = app.app().store.write().await.unwrap();
    mastic::store::crawls::start(&mut tx, &crawl, app.app().clock.now())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    stop().await.unwrap();
    let crawler = crawler_named(&glue, "raw").await;
    assert_eq!(crawler.state(), Some(&CrawlerState::Stopping));
    assert_eq!(refusal(stop().await).0, "CrawlerStoppingException");
    mastic::crawl::run(app.app(), &lease, &crawl).await.unwrap();
    let history = glue.list_crawls().crawler_name("raw").send().await.unwrap();
    let states: Vec<&CrawlerHistoryState> = history
        .crawls()
        .iter()
        .filter_map(|crawl| crawl.state())
        .collect();
    assert_eq!(
        states,
        [&CrawlerHistoryState::Stopped, &CrawlerHistoryState::Stopped]
    );
}

#[tokio::test]
async fn a_crawler_can_be_changed() {
    let app = TestApp::start().await;
    let glue = client(&app);
    let log = SchemaChangePolicy::builder()
        .update_behavior(UpdateBehavior::Log)
        .delete_behavior(DeleteBehavior::Log)
        .build();
    let create = glue.create_crawler().name("raw").role("r").description("kept");
    create
        .targets(targets("s3://lake/raw/"))
        .schema_change_policy(log.clone())
        .send()
        .await
        .unwrap();
    let update = || glue.update_crawler().name("raw");
    update()
        .targets(targets("s3://lake/other/"))
        .table_prefix("x_")
        .send()
        .await
        .unwrap();
    let get = async || crawler_named(&glue, "raw").await;
    let crawler = get().await;
    assert_eq!(
        crawler.targets().unwrap().s3_targets()[0].path(),
        Some("s3://lake/other/")
    );
    assert_eq!(
        (crawler.description(), crawler.role(), crawler.table_prefix()),
        (Some("kept"), Some("r"), Some("x_"))
    );
    assert_eq!(
        (crawler.schema_change_policy(), crawler.version()),
        (Some(&log), 2)
    );

    let new_folders = RecrawlPolicy::builder()
        .recrawl_behavior(RecrawlBehavior::CrawlNewFoldersOnly)
        .build();
    update().recrawl_policy(new_folders).send().await.unwrap();
    let outcome = update().targets(targets("s3://lake/raw/")).send().await;
    let (exception, message) = refusal(outcome);
    assert_eq!(exception, "InvalidInputException");
    assert!(message.contains("new folders only can't be changed"), "{message}");
    let outcome = update().classifiers("none").send().await;
    assert_eq!(refusal(outcome).0, "InvalidInputException");
    assert_eq!(get().await.version(), 3, "what was refused changed nothing");

    glue.start_crawler().name("raw").send().await.unwrap();
    assert_eq!(
        refusal(update().description("other").send().await),
        saying(
            "CrawlerRunningException",
            "Cannot update Crawler while running. Please stop crawl or wait until it completes to update."
        )
    );
    let outcome = glue.update_crawler().name("none").send().await;
    assert_eq!(refusal(outcome).0, "EntityNotFoundException");
    let many = glue
        .batch_get_crawlers()
        .crawler_names("raw")
        .crawler_names("none");
    let many = many.send().await.unwrap();
    assert_eq!(many.crawlers()[0].name(), Some("raw"));
    assert_eq!(many.crawlers_not_found(), ["none"]);
}

#[tokio::test]
async fn history_and_metrics_tell_what_crawls_did() {
    let app = TestApp::start().await;
    let glue = client(&app);
    let create = create_crawler(&glue, "raw", "s3://lake/raw/", "lab");
    create.send().await.unwrap();
    for (at, text) in ["id,name\n1,ada\n", "id,name,age\n1,ada,36\n"].iter().enumerate() {
        app.put("lake", "raw/people/people.csv", text.as_bytes().to_vec())
            .await;
        glue.start_crawler().name("raw").send().await.unwrap();
        app.advance(Duration::from_secs(3600 * (1 + at as u64)));
        app.run_tasks().await;
    }
    let list = || glue.list_crawls().crawler_name("raw");
    let crawls = list().send().await.unwrap().crawls;
    let crawls = crawls.unwrap();
    assert_eq!(crawls.len(), 2);
    assert_eq!(
        (crawls[0].summary(), crawls[1].state()),
        (
            Some(r#"{"TABLE":{"UPDATE":{"Details":{"names":["lab.people"]},"Count":1}}}"#),
            Some(&CrawlerHistoryState::Completed)
        )
    );
    let first = list().max_results(1).send().await.unwrap();
    assert_eq!(first.crawls(), &crawls[..1]);
    let second = list()
        .next_token(first.next_token().unwrap())
        .send()
        .await
        .unwrap();
    assert_eq!((second.crawls(), second.next_token()), (&crawls[1..], None));

    let filtered = async |field: &str, operator: &str, value: &str| {
        let filter = CrawlsFilter::builder()
            .field_name(field.into())
            .filter_operator(operator.into())
            .field_value(value)
            .build();
        list()
            .filters(filter)
            .send()
            .await
            .map(|found| found.crawls().len())
    };
    let newest = crawls[0].crawl_id().unwrap();
    assert_eq!(filtered("CRAWL_ID", "EQ", newest).await.unwrap(), 1);
    assert_eq!(filtered("STATE", "NE", "COMPLETED").await.unwrap(), 0);
    assert_eq!(
        filtered("START_TIME", "LT", "2023-11-14T23:30:00Z")
            .await
            .unwrap(),
        1
    );
    assert_eq!(filtered("END_TIME", "GE", "1700000000").await.unwrap(), 2);
    assert_eq!(filtered("DPU_HOUR", "GT", "0.5").await.unwrap(), 0);
    for (field, operator, value) in [("STATE", "GT", "FAILED"), ("START_TIME", "GT", "yesterday")] {
        let outcome = filtered(field, operator, value).await;
        assert_eq!(refusal(outcome).0, "InvalidInputException", "{field}");
    }
    assert_eq!(
        refusal(glue.list_crawls().crawler_name("none").send().await).0,
        "EntityNotFoundException"
    );
    let metrics = glue.get_crawler_metrics().send().await.unwrap();
    let metrics = &metrics.crawler_metrics_list()[0];
    assert_eq!((metrics.tables_created(), metrics.tables_updated()), (0, 1));
    assert!(!metrics.still_estimating() && metrics.time_left_seconds() == 0.0);
}
