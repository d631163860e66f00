//! Classifiers that people define, from their making to the tables that they decide.

use aws_sdk_glue::types::{
    CreateCsvClassifierRequest, CreateGrokClassifierRequest, CreateJsonClassifierRequest,
    CreateXmlClassifierRequest, CsvHeaderOption, UpdateCsvClassifierRequest, UpdateGrokClassifierRequest,
};
use mastic::crawl;
use mastic::model::crawl::CrawlRequest;
use serde_json::json;

use super::columns;
use crate::api::send;
use crate::both_databases;
use crate::glue::{client, crawler_named, create_crawler, refusal, saying};
use crate::harness::setup::crawl_of;
use crate::harness::{Database, TestApp};

both_databases! {
    all_four_kinds_decide_what_files_are,
    a_changed_classifier_reads_again_what_it_concerns,
}

const GROK: &str = "%{WORD:level:string} %{INT:code:int} %{GREEDYDATA:message}";

async fn make_all(app: &TestApp) {
    let glue = client(app);
    let grok = CreateGrokClassifierRequest::builder()
        .name("lines")
        .classification("shoplog")
        .grok_pattern("%{LEVEL:level} %{INT:code:int} %{GREEDYDATA:message}")
        .custom_patterns("LEVEL (INFO|WARN)")
        .build()
        .unwrap();
    let xml = CreateXmlClassifierRequest::builder()
        .name("books")
        .classification("books")
        .row_tag("book")
        .build()
        .unwrap();
    let json = CreateJsonClassifierRequest::builder()
        .name("inside")
        .json_path("$.records[*]")
        .build()
        .unwrap();
    let csv = CreateCsvClassifierRequest::builder()
        .name("carets")
        .delimiter("^")
        .contains_header(CsvHeaderOption::Absent)
        .header("city")
        .header("people")
        .build()
        .unwrap();
    glue.create_classifier()
        .grok_classifier(grok)
        .send()
        .await
        .unwrap();
    glue.create_classifier().xml_classifier(xml).send().await.unwrap();
    glue.create_classifier()
        .json_classifier(json)
        .send()
        .await
        .unwrap();
    glue.create_classifier().csv_classifier(csv).send().await.unwrap();
}

async fn put_all(app: &TestApp) {
    app.put("lake", "raw/lines/a.log", "INFO 1 it begins\nWARN 22 it ends\n")
        .await;
    app.put(
        "lake",
        "raw/books/a.xml",
        "<shop><book><title>Emma</title></book><book><title>Ida</title></book></shop>",
    )
    .await;
    app.put(
        "lake",
        "raw/inside/a.json",
        r#"{"records": [{"a": 1}, {"a": 2}]}"#,
    )
    .await;
    app.put("lake", "raw/carets/a.txt", "Aba^7\nOslo^9\n").await;
    app.put("lake", "raw/plain/a.csv", "id,name\n1,ada\n2,eva\n")
        .await;
}

async fn all_four_kinds_decide_what_files_are(database: Database) {
    let app = TestApp::start_on(database).await;
    let glue = client(&app);
    make_all(&app).await;
    put_all(&app).await;
    let mut create = create_crawler(&glue, "raw", "s3://lake/raw/", "shop");
    for name in ["lines", "books", "inside", "carets"] {
        create = create.classifiers(name);
    }
    create.send().await.unwrap();
    glue.start_crawler().name("raw").send().await.unwrap();
    app.run_tasks().await;

    let tables = glue.get_tables().database_name("shop").send().await.unwrap();
    let shown: Vec<String> = tables
        .table_list()
        .iter()
        .map(|table| {
            let classification = &table.parameters().unwrap()["classification"];
            let columns: Vec<String> = table
                .storage_descriptor()
                .unwrap()
                .columns()
                .iter()
                .map(|column| format!("{} {}", column.name(), column.r#type().unwrap()))
                .collect();
            format!("{} {classification}: {}", table.name(), columns.join(", "))
        })
        .collect();
    assert_eq!(
        shown,
        [
            "books books: title string",
            "carets csv: city string, people bigint",
            "inside json: a int",
            "lines shoplog: level string, code int, message string",
            "plain csv: id bigint, name string",
        ]
    );
    let lines = tables
        .table_list()
        .iter()
        .find(|table| table.name() == "lines")
        .unwrap();
    let serde = lines.storage_descriptor().unwrap().serde_info().unwrap();
    assert_eq!(
        serde.parameters().unwrap()["input.grokCustomPatterns"],
        "LEVEL (INFO|WARN)"
    );
    // They are read as they were classified.
    assert_eq!(
        app.rows("SELECT a FROM shop.inside ORDER BY a").await,
        "[[1],[2]]"
    );
    let carets = app.rows("SELECT * FROM shop.carets ORDER BY people").await;
    assert_eq!(carets, r#"[["Aba",7],["Oslo",9]]"#);

    // A crawler whose classifier is gone says so, and changes nothing.
    glue.delete_classifier().name("carets").send().await.unwrap();
    glue.start_crawler().name("raw").send().await.unwrap();
    app.run_tasks().await;
    let crawler = crawler_named(&glue, "raw").await;
    let error = crawler.last_crawl().unwrap().error_message().unwrap();
    assert!(error.contains("there is no classifier carets"), "{error}");
}

async fn a_changed_classifier_reads_again_what_it_concerns(database: Database) {
    let app = TestApp::start_on(database).await;
    let glue = client(&app);
    make_all(&app).await;
    put_all(&app).await;
    app.put(
        "lake",
        "raw/numbers/a.parquet",
        include_bytes!("../../data/two_rows.parquet"),
    )
    .await;
    let crawl = async || {
        app.crawl_as(CrawlRequest {
            classifiers: vec!["carets".to_owned()],
            ..crawl_of("s3://lake/raw/", "shop")
        })
        .await
    };
    assert_eq!(crawl().await.progress.files_read, 6);
    assert_eq!(crawl().await.progress.files_read, 0, "nothing changed");
    let csv = UpdateCsvClassifierRequest::builder()
        .name("carets")
        .header("town")
        .header("heads");
    glue.update_classifier()
        .csv_classifier(csv.build().unwrap())
        .send()
        .await
        .unwrap();
    let again = crawl().await;
    assert_eq!(
        again.progress.files_read, 5,
        "Parquet is shown to no custom classifier"
    );
    assert_eq!(
        columns(&app, "shop.carets").await,
        "town string, heads bigint",
        "and the delimiter stayed"
    );
}

#[tokio::test]
async fn a_classifier_comes_back_as_it_was_sent() {
    let app = TestApp::start().await;
    let glue = client(&app);
    make_all(&app).await;
    let get = async |name: &str| {
        glue.get_classifier()
            .name(name)
            .send()
            .await
            .unwrap()
            .classifier
            .unwrap()
    };
    let csv = get("carets").await;
    let csv = csv.csv_classifier().unwrap();
    assert_eq!((csv.delimiter(), csv.version()), (Some("^"), 1));
    assert_eq!(csv.header(), ["city", "people"]);
    assert!(csv.creation_time().is_some() && csv.last_updated().is_some());

    let grok = UpdateGrokClassifierRequest::builder()
        .name("lines")
        .grok_pattern(GROK);
    glue.update_classifier()
        .grok_classifier(grok.build().unwrap())
        .send()
        .await
        .unwrap();
    let grok = get("lines").await;
    let grok = grok.grok_classifier().unwrap();
    assert_eq!(
        (grok.grok_pattern(), grok.classification(), grok.version()),
        (GROK, "shoplog", 2)
    );
    let all = glue.get_classifiers().max_results(3).send().await.unwrap();
    let rest = glue
        .get_classifiers()
        .next_token(all.next_token().unwrap())
        .send()
        .await
        .unwrap();
    assert_eq!((all.classifiers().len(), rest.classifiers().len()), (3, 1));

    // The REST API shows the same, and takes the same.
    let (status, _, shown) = send(&app, "GET", "/api/v1/classifiers/books", None).await;
    assert_eq!(status, 200);
    assert_eq!(
        (&shown["kind"], &shown["row_tag"], &shown["version"]),
        (&json!("xml"), &json!("book"), &json!(1))
    );
    let body = json!({ "name": "tabs", "kind": "csv", "delimiter": "\t", "contains_header": "PRESENT" });
    let (status, _, made) = send(&app, "POST", "/api/v1/classifiers", Some(body)).await;
    assert_eq!((status, &made["delimiter"]), (201, &json!("\t")));
    let (status, _, put) = send(
        &app,
        "PUT",
        "/api/v1/classifiers/tabs",
        Some(json!({ "kind": "csv", "delimiter": "|" })),
    )
    .await;
    assert_eq!(
        (status, &put["contains_header"], &put["version"]),
        (200, &json!(null), &json!(2)),
        "it is what was put"
    );
    let (status, _, _) = send(&app, "DELETE", "/api/v1/classifiers/tabs", None).await;
    assert_eq!(status, 204);
    let (status, _, _) = send(&app, "GET", "/api/v1/classifiers/tabs", None).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn what_is_no_classifier_is_refused_with_its_reason() {
    let app = TestApp::start().await;
    let glue = client(&app);
    make_all(&app).await;
    let csv = |name: &str| CreateCsvClassifierRequest::builder().name(name);
    let create = async |csv: aws_sdk_glue::types::builders::CreateCsvClassifierRequestBuilder| {
        let outcome = glue
            .create_classifier()
            .csv_classifier(csv.build().unwrap())
            .send()
            .await;
        refusal(outcome)
    };
    assert_eq!(
        create(csv("carets")).await,
        saying("AlreadyExistsException", "Classifier carets already exists.")
    );
    let (exception, message) = create(csv("x").delimiter(";").quote_symbol(";")).await;
    assert_eq!(exception, "InvalidInputException");
    assert!(message.contains("QuoteSymbol"), "{message}");
    let outcome = glue.create_classifier().send().await;
    assert_eq!(refusal(outcome).0, "InvalidInputException");
    let outcome = glue.get_classifier().name("none").send().await;
    assert_eq!(refusal(outcome).0, "EntityNotFoundException");
    let wrong_kind = UpdateGrokClassifierRequest::builder()
        .name("carets")
        .grok_pattern("%{INT:x}");
    let outcome = glue
        .update_classifier()
        .grok_classifier(wrong_kind.build().unwrap())
        .send()
        .await;
    let (exception, message) = refusal(outcome);
    assert_eq!(exception, "InvalidInputException");
    assert!(message.contains("is a CsvClassifier"), "{message}");

    let body = json!({ "name": "tabs", "kind": "csv", "delimeter": "\t" });
    let (status, _, problem) = send(&app, "POST", "/api/v1/classifiers", Some(body)).await;
    assert_eq!(status, 400);
    assert!(
        problem["detail"].as_str().unwrap().contains("delimeter"),
        "{problem}"
    );
    let body = json!({ "name": "g", "kind": "grok", "classification": "x", "grok_pattern": "%{NOSUCH:a}" });
    let (status, _, problem) = send(&app, "POST", "/api/v1/classifiers", Some(body)).await;
    assert_eq!(status, 400);
    assert!(
        problem["detail"].as_str().unwrap().contains("NOSUCH"),
        "{problem}"
    );
    let request = CrawlRequest {
        classifiers: vec!["none".to_owned()],
        ..crawl_of("s3://lake/", "shop")
    };
    let error = crawl::start(app.app(), request).await.unwrap_err();
    assert!(error.message.contains("no classifier none"), "{}", error.message);
}

#[tokio::test]
async fn a_crawls_log_reads_like_glues() {
    let app = TestApp::start().await;
    app.put("lake", "raw/people/a.csv", "id,name\n1,ada\n2,eva\n")
        .await;
    app.put("lake", "raw/people/empty.csv", "").await;
    let crawl = app.crawl("s3://lake/raw/", "shop", false).await;
    let (_, _, log) = send(&app, "GET", &format!("/api/v1/crawls/{}/logs", crawl.id), None).await;
    let log = log.as_str().unwrap();
    let lines: Vec<&str> = log.lines().map(|line| line.split_once("] ").unwrap().1).collect();
    assert_eq!(
        lines[0],
        "BENCHMARK : Running Start Crawl for Crawler mastic crawl"
    );
    for told in [
        "BENCHMARK : Classification complete, writing results to database shop",
        "INFO : Run Summary For TABLE:",
        "INFO : ADD: 1",
        "BENCHMARK : Crawler has finished running and is in state READY",
    ] {
        assert!(lines.contains(&told), "{told} is not in {log}");
    }
    assert!(
        log.contains("INFO : Created table people in database shop"),
        "{log}"
    );
}
