//! Every operation of the OpenAPI document is asked for once and does what it says. What the document has and the walk
//! doesn't ask for is a failure.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::send;
use crate::both_databases;
use crate::harness::{Database, TestApp};

both_databases! { every_operation_does_what_it_says }

/// The API by the names of its operations, and which of them were asked for.
struct Api<'a> {
    app: &'a TestApp,
    /// The method and the path of each.
    operations: BTreeMap<String, (String, String)>,
    asked: BTreeSet<String>,
}

impl<'a> Api<'a> {
    async fn of(app: &'a TestApp) -> Self {
        let (_, _, document) = send(app, "GET", "/api/v1/openapi.json", None).await;
        let mut operations = BTreeMap::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let name = operation["operationId"].as_str().unwrap().to_owned();
                operations.insert(name, (method.to_uppercase(), path.clone()));
            }
        }
        Self {
            app,
            operations,
            asked: BTreeSet::new(),
        }
    }

    /// Asks for an operation, which must answer with this status. What stands behind `?` goes to its query, and `names` take
    /// the places in its path.
    async fn ask(&mut self, operation: &str, names: &[&str], body: Option<Value>, status: u16) -> Value {
        let (operation, query) = operation.split_once('?').unwrap_or((operation, ""));
        let (method, path) = self.operations[operation].clone();
        self.asked.insert(operation.to_owned());
        let mut names = names.iter();
        let parts: Vec<&str> = path
            .split('/')
            .map(|part| {
                if part.starts_with('{') {
                    names.next().unwrap()
                } else {
                    part
                }
            })
            .collect();
        let path = format!("{}?{query}", parts.join("/"));
        let (found, _, answer) = send(self.app, &method, &path, body).await;
        assert_eq!(found, status, "{method} {path}: {answer}");
        answer
    }

    async fn get(&mut self, operation: &str, names: &[&str]) -> Value {
        self.ask(operation, names, None, 200).await
    }

    /// The only item of a list.
    async fn only(&mut self, operation: &str, names: &[&str]) -> Value {
        let list = self.get(operation, names).await;
        assert_eq!(list["items"].as_array().unwrap().len(), 1, "{operation}: {list}");
        list["items"][0].clone()
    }

    /// Removes something, which is gone then.
    async fn remove(&mut self, delete: &str, get: &str, names: &[&str]) {
        self.ask(delete, names, None, 204).await;
        self.ask(get, names, None, 404).await;
    }

    fn not_asked(&self) -> Vec<&String> {
        let names = self.operations.keys();
        names.filter(|name| !self.asked.contains(*name)).collect()
    }
}

fn id(answer: &Value) -> String {
    answer["id"].as_str().unwrap().to_owned()
}

async fn every_operation_does_what_it_says(database: Database) {
    let app = TestApp::start_on(database).await;
    let mut api = Api::of(&app).await;
    databases_and_connections(&mut api).await;
    crawls_and_tables(&mut api).await;
    crawlers(&mut api).await;
    classifiers(&mut api).await;
    jobs_and_runs(&mut api).await;
    events(&mut api).await;
    tasks(&mut api).await;
    let system = api.get("system", &[]).await;
    assert_eq!(system["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(api.not_asked(), Vec::<&String>::new(), "nobody asked for these");
}

async fn databases_and_connections(api: &mut Api<'_>) {
    let new = json!({ "name": "own", "description": "ours" });
    api.ask("create_database", &[], Some(new), 201).await;
    assert_eq!(api.get("get_database", &["own"]).await["description"], "ours");
    assert_eq!(api.only("list_databases", &[]).await["name"], "own");
    api.remove("delete_database", "get_database", &["own"]).await;

    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let place = listener.local_addr().unwrap().to_string();
    let properties = json!({ "KAFKA_BOOTSTRAP_SERVERS": place });
    let new = json!({ "name": "k", "kind": "KAFKA", "properties": properties });
    api.ask("create_connection", &[], Some(new), 201).await;
    assert_eq!(api.get("get_connection", &["k"]).await["properties"], properties);
    assert_eq!(api.only("list_connections", &[]).await["name"], "k");
    let tried = api.ask("test_connection", &["k"], None, 200).await;
    let reached = format!("{place} can be reached");
    assert!(
        tried["message"].as_str().unwrap().starts_with(&reached),
        "{tried}"
    );
    api.remove("delete_connection", "get_connection", &["k"]).await;
}

async fn crawls_and_tables(api: &mut Api<'_>) {
    let rows = "shop,amount\nnorth,1\nsouth,2\n";
    api.app.put("lake", "in/sales/year=2022/a.csv", rows).await;
    let asked = json!({ "path": "s3://lake/in/", "database": "shop" });
    let crawl = api.ask("start_crawl", &[], Some(asked.clone()), 202).await;
    assert_eq!(crawl["state"], "QUEUED");
    api.app.run_tasks().await;
    let crawl = api.get("get_crawl", &[&id(&crawl)]).await;
    assert_eq!(
        (&crawl["state"], &crawl["tables"]),
        (&json!("SUCCEEDED"), &json!(1))
    );
    assert_eq!(api.only("list_crawls", &[]).await["id"], crawl["id"]);
    let log = api.get("crawl_log", &[&id(&crawl)]).await;
    assert!(log.as_str().unwrap().contains("sales"), "{log}");

    let table = &["shop", "sales"];
    assert_eq!(api.only("list_tables", &["shop"]).await["name"], "sales");
    let shown = api.get("get_table", table).await;
    assert_eq!(
        (&shown["columns"][1]["name"], &shown["partition_keys"][0]["name"]),
        (&json!("amount"), &json!("year"))
    );
    let partition = api.only("list_partitions", table).await;
    assert_eq!(partition["values"], json!(["2022"]));
    assert_eq!(api.only("list_table_versions", table).await["version"], 0);
    let sample = api.get("sample_table?limit=1", table).await;
    assert_eq!(sample["rows"].as_array().unwrap().len(), 1);
    let ddl = api.get("table_ddl", table).await;
    let begins = "CREATE EXTERNAL TABLE `shop`.`sales`";
    assert!(ddl["ddl"].as_str().unwrap().starts_with(begins), "{ddl}");
    assert_eq!(api.only("search?q=sales", &[]).await["database"], "shop");
    let query = json!({ "query": "SELECT sum(amount) FROM shop.sales" });
    assert_eq!(
        api.ask("run_sql", &[], Some(query), 200).await["rows"],
        json!([[3]])
    );

    let undone = api.ask("undo_crawl", &[&id(&crawl)], None, 200).await;
    assert!(undone["undone_at"].is_string(), "{undone}");
    api.ask("get_table", table, None, 404).await;

    api.ask("start_crawl", &[], Some(asked.clone()), 202).await;
    api.app.run_tasks().await;
    api.remove("delete_table", "get_table", table).await;

    let stopped = api.ask("start_crawl", &[], Some(asked), 202).await;
    api.ask("cancel_crawl", &[&id(&stopped)], None, 202).await;
    api.app.run_tasks().await;
    assert_eq!(api.get("get_crawl", &[&id(&stopped)]).await["state"], "CANCELLED");
    api.ask("get_table", table, None, 404).await;
}

async fn crawlers(api: &mut Api<'_>) {
    let targets = json!([{ "path": "s3://lake/in/" }]);
    let schedule = "cron(0 12 * * ? *)";
    let new = json!({ "name": "c", "database": "shop", "targets": targets, "schedule": schedule });
    let made = api.ask("create_crawler", &[], Some(new), 201).await;
    assert_eq!(
        (&made["state"], &made["schedule"]["expression"]),
        (&json!("READY"), &json!(schedule))
    );
    assert!(made["schedule"]["next_at"].is_string(), "{made}");
    assert_eq!(api.get("get_crawler", &["c"]).await, made);
    assert_eq!(api.only("list_crawlers", &[]).await, made);
    let paused = api.ask("pause_crawler", &["c"], None, 200).await;
    assert_eq!(
        paused["schedule"],
        json!({ "expression": schedule, "next_at": null })
    );
    let resumed = api.ask("resume_crawler", &["c"], None, 200).await;
    assert_eq!(resumed["schedule"], made["schedule"]);

    let crawl = api.ask("start_crawler", &["c"], Some(json!({})), 202).await;
    // It hadn't begun, so there is nothing to wait for.
    let stopped = api.ask("stop_crawler", &["c"], None, 202).await;
    assert_eq!(stopped["state"], "READY");
    assert_eq!(api.get("get_crawl", &[&id(&crawl)]).await["state"], "CANCELLED");

    let settings = json!({ "database": "other", "targets": targets });
    let put = api.ask("put_crawler", &["c"], Some(settings), 200).await;
    assert_eq!(
        (&put["database"], &put["schedule"]),
        (&json!("other"), &Value::Null)
    );
    let crawl = api.ask("start_crawler", &["c"], Some(json!({})), 202).await;
    api.app.run_tasks().await;
    let crawl = api.get("get_crawl", &[&id(&crawl)]).await;
    assert_eq!(
        (&crawl["state"], &crawl["crawler"]),
        (&json!("SUCCEEDED"), &json!("c"))
    );
    api.get("get_table", &["other", "sales"]).await;
    api.remove("delete_crawler", "get_crawler", &["c"]).await;
}

async fn classifiers(api: &mut Api<'_>) {
    let rule = json!({ "kind": "grok", "classification": "logs", "grok_pattern": "%{WORD:level}" });
    let mut new = rule.clone();
    new["name"] = json!("g");
    let made = api.ask("create_classifier", &[], Some(new), 201).await;
    assert_eq!(made["classification"], "logs");
    assert_eq!(api.get("get_classifier", &["g"]).await, made);
    assert_eq!(api.only("list_classifiers", &[]).await, made);
    let mut other = rule;
    other["classification"] = json!("words");
    let put = api.ask("put_classifier", &["g"], Some(other), 200).await;
    assert_eq!(put["classification"], "words");
    assert_eq!(
        put["version"].as_i64(),
        made["version"].as_i64().map(|version| version + 1)
    );
    api.remove("delete_classifier", "get_classifier", &["g"]).await;
}

/// A job that reads orders, of which one arrives by itself.
const JOB: &str = r#"
engine = "sql"
script = "s.sql"
[inputs]
orders = "s3://lake/orders/*.csv"
[output]
location = "s3://lake/totals/"
format = "csv"
[[triggers]]
on = "object_created"
match = "s3://lake/orders/*.csv"
"#;

async fn jobs_and_runs(api: &mut Api<'_>) {
    api.app.put("lake", "orders/a.csv", "amount\n1\n2\n").await;
    let source = json!({ "definition": JOB, "script": "SELECT sum(amount) AS total FROM orders" });
    let job = api.ask("register_job", &["total"], Some(source), 200).await;
    assert_eq!(job["triggers"], json!(["total-1"]));
    assert_eq!(api.get("get_job", &["total"]).await, job);
    assert_eq!(api.only("list_jobs", &[]).await["name"], "total");
    let trigger = api.get("get_trigger", &["total-1"]).await;
    assert_eq!(trigger["match"], "s3://lake/orders/*.csv");
    assert_eq!(api.only("list_triggers", &[]).await, trigger);

    let preview = json!({ "dry_run": true });
    let preview = api.ask("start_run", &["total"], Some(preview), 200).await;
    assert_eq!(preview["inputs"][0]["path"], "s3://lake/orders/a.csv");
    let run = api.ask("start_run", &["total"], Some(json!({})), 202).await;
    api.ask("cancel_run", &[&id(&run)], None, 202).await;
    api.app.run_tasks().await;
    assert_eq!(api.get("get_run", &[&id(&run)]).await["state"], "CANCELLED");
    let again = api.ask("retry_run", &[&id(&run)], None, 202).await;
    let fired = api.ask("fire_trigger", &["total-1"], Some(json!({})), 202).await;
    assert_eq!(
        (&again["trigger"], &fired["trigger"]),
        (&Value::Null, &json!("total-1"))
    );
    api.app.run_tasks().await;
    for run in [&again, &fired] {
        let run = api.get("get_run", &[&id(run)]).await;
        assert_eq!(
            (&run["state"], &run["rows_out"]),
            (&json!("SUCCEEDED"), &json!(1)),
            "{run}"
        );
    }
    let totals = api.app.text("lake", "totals/part-00000.csv").await;
    assert_eq!(totals.as_deref(), Some("total\n3\n"));
    let logged = api.get("run_logs", &[&id(&again)]).await;
    assert_eq!(logged["items"][0]["seq"], 1);
    let listed = api.get("list_runs?job=total&state=SUCCEEDED", &[]).await;
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);
}

async fn events(api: &mut Api<'_>) {
    let before = api.app.runs().await.len();
    let listed = api.get("list_events", &[]).await;
    let arrived = listed["items"].as_array().unwrap().iter();
    let arrived = arrived
        .filter(|event| event["key"] == "orders/a.csv")
        .collect::<Vec<_>>();
    let replayed = api.ask("replay_event", &[&id(arrived[0])], None, 202).await;
    assert_ne!(replayed["id"], arrived[0]["id"]);
    api.app.run_tasks().await;
    assert_eq!(api.app.runs().await.len(), before + 1, "its trigger fired");

    let record = json!({ "eventName": "ObjectCreated:Put", "s3": {
        "bucket": { "name": "elsewhere" }, "object": { "key": "k" } } });
    let notice = json!({ "Records": [record] });
    let received = api.ask("receive_events", &[], Some(notice), 200).await;
    assert_eq!(received["accepted"], 1);
    let asks = json!({ "Type": "SubscriptionConfirmation", "TopicArn": "arn:aws:sns:eu-west-1:1:t",
        "SubscribeURL": "https://sns.example/confirm" });
    api.ask("receive_events", &[], Some(asks), 200).await;
    let waiting = api.only("list_confirmations", &[]).await;
    assert_eq!(waiting["url"], "https://sns.example/confirm");
}

async fn tasks(api: &mut Api<'_>) {
    let source = |script: &str| json!({ "definition": JOB, "script": script });
    api.ask(
        "register_job",
        &["total"],
        Some(source("SELECT nothing FROM orders")),
        200,
    )
    .await;
    let run = api.ask("start_run", &["total"], Some(json!({})), 202).await;
    api.app.run_tasks().await;
    let failed = api.only("list_tasks?state=FAILED", &[]).await;
    assert_eq!((&failed["about"], &failed["job"]), (&run["id"], &json!("total")));
    assert_eq!(api.get("get_task", &[&id(&failed)]).await, failed);

    // Mended and tried again, it is the same run.
    api.ask(
        "register_job",
        &["total"],
        Some(source("SELECT 7 AS total FROM orders LIMIT 1")),
        200,
    )
    .await;
    api.ask("retry_task", &[&id(&failed)], None, 202).await;
    api.app.run_tasks().await;
    assert_eq!(api.get("get_run", &[&id(&run)]).await["state"], "SUCCEEDED");

    api.ask(
        "register_job",
        &["total"],
        Some(source("SELECT nothing FROM orders")),
        200,
    )
    .await;
    api.ask("start_run", &["total"], Some(json!({})), 202).await;
    api.app.run_tasks().await;
    let failed = api.only("list_tasks?state=FAILED", &[]).await;
    api.ask("settle_task", &[&id(&failed)], None, 204).await;
    api.ask("get_task", &[&id(&failed)], None, 404).await;
    api.remove("delete_job", "get_job", &["total"]).await;
}
