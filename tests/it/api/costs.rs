//! What pages cost: one of a hundred things takes as many statements as one of a single thing.

use mastic::catalog::{databases, partitions, tables};
use mastic::model::database::DatabaseInput;
use mastic::model::name::TableRef;
use mastic::model::partition::PartitionInput;
use mastic::model::table::{Column, StorageDescriptor, TableInput};
use serde_json::{Value, json};

use super::{get, send};
use crate::both_databases;
use crate::harness::{Database, TestApp};

both_databases! {
    a_page_of_crawlers_and_of_crawls_costs_the_same_whatever_its_length,
    a_page_of_tables_and_of_partitions_costs_the_same_whatever_its_length,
    a_page_of_jobs_of_runs_of_events_and_of_tasks_costs_the_same_whatever_its_length,
}

/// How many things there are.
const MANY: usize = 100;

const JOB: &str = r#"
engine = "sql"
script = "x.sql"

[parameters]
d = {}

[output]
location = "s3://lake/out/NAME/d={d}/"
format = "csv"

[[triggers]]
on = "object_created"
match = "s3://lake/in/NAME/{d}.csv"
"#;

/// A list shows one and many for the same number of statements.
async fn costs_the_same(app: &TestApp, list: &str) {
    let mut costs = Vec::new();
    for limit in [1, MANY] {
        let page = format!("/api/v1/{list}limit={limit}");
        let (cost, shown) = app.statements(get(app, &page)).await;
        assert_eq!(shown["items"].as_array().unwrap().len(), limit, "{page}");
        costs.push(cost);
    }
    assert_eq!(costs[0], costs[1], "{list}");
}

async fn post(app: &TestApp, path: &str, body: Value) -> Value {
    let (status, _, answer) = send(app, "POST", &format!("/api/v1/{path}"), Some(body)).await;
    assert!(status < 300, "{path}: {answer}");
    answer
}

async fn a_page_of_crawlers_and_of_crawls_costs_the_same_whatever_its_length(database: Database) {
    let app = TestApp::start_on(database).await;
    for number in 0..=MANY {
        let name = format!("c{number:03}");
        let targets = json!([{ "path": "s3://lake/none/" }]);
        let new = json!({ "name": name, "database": "d", "targets": targets });
        post(&app, "crawlers", new).await;
        // One crawl that is over, and one that isn't.
        let path = format!("crawlers/{name}/crawls");
        let first = post(&app, &path, json!({})).await;
        let cancel = format!("crawls/{}/cancel", first["id"].as_str().unwrap());
        post(&app, &cancel, json!({})).await;
        post(&app, &path, json!({})).await;
    }
    for list in ["crawlers?", "crawls?"] {
        costs_the_same(&app, list).await;
    }
    let shown = get(&app, "/api/v1/crawlers?limit=2").await;
    for crawler in shown["items"].as_array().unwrap() {
        let of = &crawler["last_crawl"]["crawler"];
        assert_eq!((&crawler["state"], of), (&json!("RUNNING"), &crawler["name"]));
    }
}

/// A column `a`, and one of its own for each number.
fn storage(number: usize) -> StorageDescriptor {
    let column = |name: String| Column {
        name,
        data_type: Some("int".to_owned()),
        ..Column::default()
    };
    StorageDescriptor {
        columns: vec![column("a".to_owned()), column(format!("b{number}"))],
        ..StorageDescriptor::default()
    }
}

/// A database `d` with many tables, of which the first has many partitions, no two of them with the same columns.
async fn many_tables(app: &TestApp) -> TableRef {
    let input = DatabaseInput {
        name: "d".to_owned(),
        ..DatabaseInput::default()
    };
    databases::create(app.app(), input).await.unwrap();
    for number in 0..=MANY {
        let input = TableInput {
            name: format!("t{number:03}"),
            storage: Some(storage(number)),
            partition_keys: vec![Column {
                name: "k".to_owned(),
                data_type: Some("string".to_owned()),
                ..Column::default()
            }],
            ..TableInput::default()
        };
        tables::create(app.app(), "d", input).await.unwrap();
    }
    let table = TableRef::new("d", "t000").unwrap();
    let partition = |number: usize| PartitionInput {
        values: vec![format!("{number:03}")],
        storage: Some(storage(number)),
        ..PartitionInput::default()
    };
    let inputs: Vec<PartitionInput> = (0..=MANY).map(partition).collect();
    let made = partitions::create(app.app(), &table, &inputs).await.unwrap();
    assert!(made.iter().all(Result::is_ok));
    table
}

async fn a_page_of_tables_and_of_partitions_costs_the_same_whatever_its_length(database: Database) {
    let app = TestApp::start_on(database).await;
    many_tables(&app).await;
    costs_the_same(&app, "databases/d/tables?").await;
    costs_the_same(&app, "databases/d/tables/t000/partitions?").await;
    let shown = get(&app, "/api/v1/databases/d/tables?limit=2").await;
    let counts = [&shown["items"][0]["partitions"], &shown["items"][1]["partitions"]];
    assert_eq!(counts, [&json!(MANY + 1), &json!(0)]);
}

async fn a_page_of_jobs_of_runs_of_events_and_of_tasks_costs_the_same_whatever_its_length(
    database: Database,
) {
    let app = TestApp::start_on(database).await;
    for number in 0..=MANY {
        let name = format!("j{number:03}");
        let definition = JOB.replace("NAME", &name);
        app.register(&name, &definition, "SELECT 1 AS n").await.unwrap();
        post(
            &app,
            &format!("jobs/{name}/runs"),
            json!({ "parameters": { "d": "1" } }),
        )
        .await;
        app.put("lake", &format!("in/{name}/1.csv"), "n\n1\n").await;
    }
    for list in ["jobs?", "triggers?", "runs?", "events?", "tasks?"] {
        costs_the_same(&app, list).await;
    }
    // The newest two are of the last job: its run, and the batch of what arrived for it.
    let shown = get(&app, "/api/v1/tasks?limit=2").await;
    let task = |at: usize| (&shown["items"][at]["kind"], &shown["items"][at]["job"]);
    let job = &json!("j100");
    assert_eq!(task(0), (&json!("close_batch"), job));
    assert_eq!(task(1), (&json!("run"), job));
}
