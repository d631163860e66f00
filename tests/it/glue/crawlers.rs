//! Crawlers.

use aws_sdk_glue::types::{
    CrawlerState, CrawlerTargets, DeleteBehavior, DynamoDbTarget, LastCrawlStatus, RecrawlBehavior,
    RecrawlPolicy, S3Target, ScheduleState, SchemaChangePolicy, UpdateBehavior,
};

use super::{client, refusal, saying};
use crate::harness::TestApp;

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
    let create = glue
        .create_crawler()
        .name("raw")
        .role("r")
        .database_name("Lab")
        .targets(targets("s3://lake/raw/"));
    create.table_prefix("lab_").send().await.unwrap();
    glue.start_crawler().name("raw").send().await.unwrap();

    let crawler = glue
        .get_crawler()
        .name("raw")
        .send()
        .await
        .unwrap()
        .crawler
        .unwrap();
    assert_eq!(crawler.state(), Some(&CrawlerState::Running));
    assert!(crawler.last_crawl().is_none());
    let outcome = glue.start_crawler().name("raw").send().await;
    assert_eq!(refusal(outcome).0, "CrawlerRunningException");
    let outcome = glue.delete_crawler().name("raw").send().await;
    assert_eq!(refusal(outcome).0, "CrawlerRunningException");

    app.run_tasks().await;
    let crawler = glue
        .get_crawler()
        .name("raw")
        .send()
        .await
        .unwrap()
        .crawler
        .unwrap();
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
    glue.create_crawler()
        .name("Raw")
        .role("arn:aws:iam::123456789012:role/crawl")
        .targets(CrawlerTargets::builder().s3_targets(target.clone()).build())
        .description("All that comes in")
        .schedule("cron(15 12 * * ? *)")
        .classifiers("mine")
        .schema_change_policy(policy.clone())
        .configuration(r#"{"Version":1.0}"#)
        .tags("team", "data")
        .send()
        .await
        .unwrap();

    let crawler = glue
        .get_crawler()
        .name("Raw")
        .send()
        .await
        .unwrap()
        .crawler
        .unwrap();
    assert_eq!(crawler.role(), Some("arn:aws:iam::123456789012:role/crawl"));
    assert_eq!(crawler.targets().unwrap().s3_targets(), [target]);
    assert_eq!(
        (crawler.database_name(), crawler.description()),
        (Some("default"), Some("All that comes in"))
    );
    let schedule = crawler.schedule().unwrap();
    assert_eq!(schedule.schedule_expression(), Some("cron(15 12 * * ? *)"));
    assert_eq!(
        schedule.state(),
        Some(&ScheduleState::NotScheduled),
        "nothing starts it by the clock"
    );
    assert_eq!(
        (crawler.classifiers(), crawler.schema_change_policy()),
        (&["mine".to_owned()][..], Some(&policy))
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
    let crawler = glue
        .get_crawler()
        .name("c")
        .send()
        .await
        .unwrap()
        .crawler
        .unwrap();
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
    let crawler = glue
        .get_crawler()
        .name("d")
        .send()
        .await
        .unwrap()
        .crawler
        .unwrap();
    assert_eq!(crawler.configuration(), Some(r#"{"CreatePartitionIndex":true}"#));
    assert_eq!(crawler.targets().unwrap().s3_targets()[0].sample_size(), Some(7));
    assert_eq!(
        crawler.schema_change_policy().unwrap().update_behavior(),
        Some(&UpdateBehavior::Log)
    );
}
