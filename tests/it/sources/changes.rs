//! What a second crawl of a database makes of what changed there, and of what people wrote meanwhile.

use mastic::catalog;
use mastic::crawl;
use mastic::model::crawl::{AdditionalMetadata, Crawl, CrawlRequest};
use mastic::model::crawl_options::DeleteBehavior;
use mastic::model::name::TableRef;
use mastic::model::table::TableInput;
use serde_json::json;

use super::{Theirs, request};
use crate::crawl::{changes, columns};
use crate::harness::TestApp;

/// A crawl of the connection `shop` with all that is said there.
async fn crawl_all(app: &TestApp, theirs: &Theirs, change: impl FnOnce(&mut CrawlRequest)) -> Crawl {
    let mut request = request(&theirs.name, &[]);
    request.targets[0].additional_metadata = vec![AdditionalMetadata::Comments];
    change(&mut request);
    app.crawl_as(request).await
}

/// Changes a table as a person would.
async fn edit(app: &TestApp, name: &str, change: impl FnOnce(&mut TableInput)) {
    let mut input = app.table(name).await.input;
    change(&mut input);
    let name = TableRef::parse(name).unwrap();
    catalog::tables::update(app.app(), &name, input, Default::default())
        .await
        .unwrap();
}

/// What changes, with the database's name left out.
fn changes_in(crawl: &Crawl, theirs: &Theirs) -> Vec<String> {
    let all = changes(crawl);
    all.iter()
        .map(|change| {
            change
                .replace(&format!("{}_", theirs.name), "")
                .replace(&format!("{}.", theirs.name), "")
        })
        .collect()
}

async fn the_catalog_follows(theirs: Theirs, schema: &str) {
    theirs
        .run(
            "CREATE TABLE orders (id int, total int, note varchar(9), old int);
             CREATE TABLE gone (id int)",
        )
        .await;
    let app = TestApp::start().await;
    theirs.connect(&app).await;
    let first = crawl_all(&app, &theirs, |_| {}).await;
    assert_eq!(first.plan.unwrap().tables.len(), 2);
    theirs
        .run(
            "ALTER TABLE orders ADD COLUMN paid boolean; ALTER TABLE orders DROP COLUMN old;
             DROP TABLE gone; CREATE TABLE fresh (id int)",
        )
        .await;
    let retype = if schema.is_empty() {
        "ALTER TABLE orders MODIFY total varchar(20)"
    } else {
        "ALTER TABLE orders ALTER COLUMN total TYPE varchar(20)"
    };
    theirs.run(retype).await;
    let orders = theirs.table(&format!("{schema}orders"));
    let before = columns(&app, &orders).await;
    let expected = vec![
        format!(
            "add table lab.{schema}fresh: {}, 1 column, a table at {}fresh",
            kind(schema),
            schema.replace('_', ".")
        ),
        format!("change column lab.{schema}orders.total: int → string"),
        format!("add column lab.{schema}orders.paid: boolean"),
        format!("retire column lab.{schema}orders.old: removed"),
        format!("retire table lab.{schema}gone: marked as deprecated; nothing is deleted"),
    ];
    let dry = crawl_all(&app, &theirs, |request| request.dry_run = true).await;
    assert_eq!(changes_in(&dry, &theirs), expected);
    assert_eq!(columns(&app, &orders).await, before, "a dry run changes nothing");

    let second = crawl_all(&app, &theirs, |_| {}).await;
    assert_eq!(changes_in(&second, &theirs), expected);
    assert_eq!(
        columns(&app, &orders).await,
        "id int, total string, note string, paid boolean"
    );
    let gone = app.table(&theirs.table(&format!("{schema}gone"))).await.input;
    assert!(gone.parameters.contains_key("DEPRECATED_BY_CRAWLER"));
    let third = crawl_all(&app, &theirs, |_| {}).await;
    assert_eq!(changes(&third), Vec::<String>::new());

    crawl::undo(app.app(), &third.id).await.unwrap();
    crawl::undo(app.app(), &second.id).await.unwrap();
    assert_eq!(columns(&app, &orders).await, before);
    let deleted = crawl_all(&app, &theirs, |request| {
        request.options.delete = DeleteBehavior::DeleteFromDatabase;
    })
    .await;
    let last = changes_in(&deleted, &theirs).pop().unwrap();
    assert_eq!(
        last,
        format!("retire table lab.{schema}gone: deleted from the catalog")
    );
}

fn kind(schema: &str) -> &'static str {
    if schema.is_empty() { "mysql" } else { "postgresql" }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_catalog_follows_postgresql() {
    the_catalog_follows(Theirs::postgres().await, "public_").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_catalog_follows_mariadb() {
    the_catalog_follows(Theirs::mariadb().await, "").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_wrote_stays() {
    let theirs = Theirs::postgres().await;
    theirs
        .run(
            "CREATE TABLE orders (id int, total int, note text, code text);
             COMMENT ON TABLE orders IS 'Orders'; COMMENT ON COLUMN orders.id IS 'The number';
             COMMENT ON COLUMN orders.note IS 'What they said'",
        )
        .await;
    let app = TestApp::start().await;
    theirs.connect(&app).await;
    crawl_all(&app, &theirs, |_| {}).await;
    let name = theirs.table("public_orders");
    edit(&app, &name, |input| {
        input.description = Some("Orders of all shops".to_owned());
        let columns = &mut input.storage.as_mut().unwrap().columns;
        columns[1].data_type = Some("bigint".to_owned());
        columns[2].comment = Some("Free text".to_owned());
        columns[3].comment = Some("See the handbook".to_owned());
        input.parameters.insert("team".to_owned(), "data".to_owned());
    })
    .await;
    theirs
        .run(
            "COMMENT ON TABLE orders IS 'All orders'; COMMENT ON COLUMN orders.id IS 'The order''s number';
             COMMENT ON COLUMN orders.note IS 'Their words'; ALTER TABLE orders DROP COLUMN code",
        )
        .await;
    let crawl = crawl_all(&app, &theirs, |_| {}).await;
    let input = app.table(&name).await.input;
    let described: Vec<String> = input
        .columns()
        .iter()
        .map(|column| {
            let kind = column.data_type.as_deref().unwrap();
            format!(
                "{} {kind} {}",
                column.name,
                column.comment.as_deref().unwrap_or("-")
            )
        })
        .collect();
    assert_eq!(
        described,
        [
            "id int The order's number",
            "total bigint -",
            "note string Free text",
            "code string See the handbook"
        ]
    );
    assert_eq!(
        (input.description.as_deref(), input.parameters["team"].as_str()),
        (Some("Orders of all shops"), "data")
    );
    let reasons: Vec<String> = crawl
        .plan
        .unwrap()
        .changes
        .into_iter()
        .map(|change| format!("{}: {}", change.detail, change.reason))
        .collect();
    assert_eq!(
        json!(reasons),
        json!([
            "what is said of columns: the database says so",
            "stays bigint: somebody gave it this type; the database has int",
            "stays: the database has it no more; it is kept for what somebody wrote of it"
        ])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guess_that_moved_a_little_makes_no_new_version() {
    let theirs = Theirs::postgres().await;
    theirs
        .run("CREATE TABLE t (id int); INSERT INTO t SELECT generate_series(1, 1000); ANALYZE t")
        .await;
    let app = TestApp::start().await;
    theirs.connect(&app).await;
    crawl_all(&app, &theirs, |_| {}).await;
    theirs
        .run("INSERT INTO t SELECT generate_series(1, 50); ANALYZE t")
        .await;
    let little = crawl_all(&app, &theirs, |_| {}).await;
    assert_eq!(changes(&little), Vec::<String>::new());
    theirs
        .run("INSERT INTO t SELECT generate_series(1, 500); ANALYZE t")
        .await;
    let much = crawl_all(&app, &theirs, |_| {}).await;
    assert_eq!(
        changes_in(&much, &theirs),
        ["change table lab.public_t: recordcount"]
    );
    let input = app.table(&theirs.table("public_t")).await.input;
    assert_eq!(input.parameters["recordCount"], "1550");
}
