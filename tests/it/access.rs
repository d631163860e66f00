//! Who may do what: every operation of both APIs, asked for by every role.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use hyper::HeaderMap;
use mastic::access::{Authenticator, Caller, Holder, Role};
use serde_json::{Value, json};
use ureq::Agent;

use crate::harness::TestApp;

/// Whoever asks is Ada, whose role is in the test's hand.
struct Ada(Mutex<Role>);

impl Ada {
    fn caller(&self) -> Caller {
        Caller::new("ada", *self.0.lock().unwrap())
    }
}

impl Authenticator for Ada {
    fn holder(&self, _: &str) -> Option<Holder> {
        None
    }

    fn unsigned(&self) -> Option<Caller> {
        Some(self.caller())
    }

    fn sender(&self, _: &HeaderMap) -> Option<Caller> {
        Some(self.caller())
    }
}

/// Nobody is known.
struct Closed;

impl Authenticator for Closed {
    fn holder(&self, _: &str) -> Option<Holder> {
        None
    }

    fn unsigned(&self) -> Option<Caller> {
        None
    }

    fn sender(&self, _: &HeaderMap) -> Option<Caller> {
        None
    }
}

/// Sends a request; the status and the answer.
async fn ask(method: &str, url: String, target: &str, body: &str) -> (u16, Value) {
    let request = ureq::http::Request::builder()
        .method(method)
        .uri(url)
        .header("x-amz-target", target)
        .header("content-type", "application/json")
        .body(body.to_owned())
        .unwrap();
    tokio::task::spawn_blocking(move || {
        let agent: Agent = Agent::config_builder().http_status_as_error(false).build().into();
        let mut response = agent.run(request).unwrap();
        let text = response.body_mut().read_to_string().unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        (response.status().as_u16(), body)
    })
    .await
    .unwrap()
}

async fn with_ada() -> (Arc<Ada>, TestApp) {
    let ada = Arc::new(Ada(Mutex::new(Role::Viewer)));
    let app = TestApp::start_for(Arc::clone(&ada) as Arc<dyn Authenticator>).await;
    (ada, app)
}

/// The operations that more than a viewer may do, by role; a viewer may do all others.
const REST: [(Role, &[&str]); 3] = [
    (Role::Analyst, &["run_sql", "sample_table"]),
    (
        Role::Editor,
        &[
            "create_classifier",
            "create_connection",
            "create_crawler",
            "create_database",
            "delete_classifier",
            "delete_connection",
            "delete_crawler",
            "delete_database",
            "delete_job",
            "delete_table",
            "put_classifier",
            "put_crawler",
            "register_job",
        ],
    ),
    (
        Role::Operator,
        &[
            "cancel_crawl",
            "cancel_run",
            "fire_trigger",
            "list_confirmations",
            "pause_crawler",
            "receive_events",
            "replay_event",
            "resume_crawler",
            "retry_run",
            "retry_task",
            "settle_task",
            "start_crawl",
            "start_crawler",
            "start_run",
            "stop_crawler",
            "test_connection",
            "undo_crawl",
        ],
    ),
];

/// The same of the Glue API.
const GLUE: [(Role, &[&str]); 2] = [
    (
        Role::Editor,
        &[
            "BatchCreatePartition",
            "BatchDeleteConnection",
            "BatchDeletePartition",
            "BatchDeleteTable",
            "BatchDeleteTableVersion",
            "BatchUpdatePartition",
            "CreateClassifier",
            "CreateConnection",
            "CreateCrawler",
            "CreateDatabase",
            "CreateJob",
            "CreatePartition",
            "CreatePartitionIndex",
            "CreateTable",
            "CreateUserDefinedFunction",
            "DeleteClassifier",
            "DeleteColumnStatisticsForPartition",
            "DeleteColumnStatisticsForTable",
            "DeleteConnection",
            "DeleteCrawler",
            "DeleteDatabase",
            "DeleteJob",
            "DeletePartition",
            "DeletePartitionIndex",
            "DeleteTable",
            "DeleteTableVersion",
            "DeleteUserDefinedFunction",
            "TagResource",
            "UntagResource",
            "UpdateClassifier",
            "UpdateColumnStatisticsForPartition",
            "UpdateColumnStatisticsForTable",
            "UpdateConnection",
            "UpdateCrawler",
            "UpdateCrawlerSchedule",
            "UpdateDatabase",
            "UpdateJob",
            "UpdatePartition",
            "UpdateTable",
            "UpdateUserDefinedFunction",
        ],
    ),
    (
        Role::Operator,
        &[
            "BatchStopJobRun",
            "StartCrawler",
            "StartCrawlerSchedule",
            "StartJobRun",
            "StopCrawler",
            "StopCrawlerSchedule",
            "TestConnection",
        ],
    ),
];

fn needed(table: &[(Role, &[&str])], operation: &str) -> Role {
    let row = table.iter().find(|(_, names)| names.contains(&operation));
    row.map_or(Role::Viewer, |(role, _)| *role)
}

fn count(table: &[(Role, &[&str])]) -> usize {
    table.iter().map(|(_, names)| names.len()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_rest_operation_is_for_those_who_have_its_role() {
    let (ada, app) = with_ada().await;
    let (_, document) = ask("GET", format!("{}/api/v1/openapi.json", app.glue_url()), "", "").await;
    let mut operations = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap();
            let role = needed(&REST, name);
            assert_eq!(operation["x-role"], role.as_str(), "{name}");
            let parts = path.split('/');
            let path: Vec<&str> = parts
                .map(|part| if part.starts_with('{') { "x" } else { part })
                .collect();
            operations.insert(name, (method.to_uppercase(), path.join("/"), role));
        }
    }
    let above_viewer = operations.values().filter(|(_, _, role)| *role > Role::Viewer);
    assert_eq!(above_viewer.count(), count(&REST), "a name that is no operation");
    for role in Role::ALL {
        *ada.0.lock().unwrap() = role;
        for (name, (method, path, needed)) in &operations {
            let url = format!("{}{path}", app.glue_url());
            let body = if ["POST", "PUT"].contains(&method.as_str()) {
                "{}"
            } else {
                ""
            };
            let (status, answer) = ask(method, url, "", body).await;
            if role >= *needed {
                assert_ne!(status, 403, "{role} {name}: {answer}");
            } else {
                let why = format!("{name} needs the role {needed}, and ada has the role {role}");
                assert_eq!((status, &answer["detail"]), (403, &json!(why)), "{name}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_glue_operation_is_for_those_who_have_its_role() {
    let (ada, app) = with_ada().await;
    let model: Value = serde_json::from_str(include_str!("../../src/glue/model/operations.json")).unwrap();
    let served: Vec<&String> = model["inputs"].as_object().unwrap().keys().collect();
    let above_viewer = served.iter().filter(|name| needed(&GLUE, name) > Role::Viewer);
    assert_eq!(above_viewer.count(), count(&GLUE), "a name that is no operation");
    for role in Role::ALL {
        *ada.0.lock().unwrap() = role;
        for name in &served {
            let (status, answer) = ask("POST", app.glue_url(), &format!("AWSGlue.{name}"), "{}").await;
            let needed = needed(&GLUE, name);
            if role >= needed {
                assert_ne!(
                    answer["__type"], "AccessDeniedException",
                    "{role} {name}: {answer}"
                );
                assert_ne!(
                    answer["__type"], "OperationNotSupportedException",
                    "{role} {name}: {answer}"
                );
            } else {
                let why = format!(
                    "{name} needs the role {needed}, and ada has the role {role}. Ask whoever runs this server."
                );
                let refused = json!({ "__type": "AccessDeniedException", "Message": why });
                assert_eq!((status, answer), (400, refused));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_are_shown_to_admins_alone() {
    let (ada, app) = with_ada().await;
    let properties =
        json!({ "JDBC_CONNECTION_URL": "jdbc:mysql://db/x", "USERNAME": "u", "PASSWORD": "hush" });
    let input = json!({ "Name": "db", "ConnectionType": "JDBC", "ConnectionProperties": properties });
    let new = json!({ "ConnectionInput": input }).to_string();
    *ada.0.lock().unwrap() = Role::Editor;
    let (status, made) = ask("POST", app.glue_url(), "AWSGlue.CreateConnection", &new).await;
    assert_eq!(status, 200, "{made}");
    for role in Role::ALL {
        *ada.0.lock().unwrap() = role;
        let (_, one) = ask(
            "POST",
            app.glue_url(),
            "AWSGlue.GetConnection",
            r#"{"Name": "db"}"#,
        )
        .await;
        let (_, all) = ask("POST", app.glue_url(), "AWSGlue.GetConnections", "{}").await;
        let password = (role == Role::Admin).then_some("hush");
        for connection in [&one["Connection"], &all["ConnectionList"][0]] {
            let shown = &connection["ConnectionProperties"];
            assert_eq!(
                (shown["USERNAME"].as_str(), shown["PASSWORD"].as_str()),
                (Some("u"), password),
                "{role}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_nobody_knows_is_let_in_nowhere() {
    let app = TestApp::start_for(Arc::new(Closed)).await;
    let (status, answer) = ask("GET", format!("{}/api/v1/databases", app.glue_url()), "", "").await;
    assert_eq!((status, &answer["type"]), (403, &json!("urn:mastic:denied")));
    let (status, answer) = ask("POST", app.glue_url(), "AWSGlue.GetDatabases", "{}").await;
    assert_eq!(
        (status, &answer["__type"]),
        (400, &json!("MissingAuthenticationTokenException"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_is_read_by_analysts_and_changed_by_editors() {
    let (ada, app) = with_ada().await;
    *ada.0.lock().unwrap() = Role::Admin;
    app.put("lake", "in/a.csv", "n\n1\n").await;
    let reads = [
        ("GET", "/in/a.csv"),
        ("HEAD", "/in/a.csv"),
        ("GET", "?list-type=2"),
        ("GET", "?uploads"),
    ];
    let changes = [
        ("PUT", "/in/b.csv"),
        ("POST", "/in/c.csv?uploads"),
        ("DELETE", "/in/b.csv"),
        ("PUT", ""),
    ];
    for role in Role::ALL {
        *ada.0.lock().unwrap() = role;
        let all = reads.map(|read| (read, Role::Analyst)).into_iter();
        for ((method, place), needed) in all.chain(changes.map(|change| (change, Role::Editor))) {
            let (status, answer) = ask(method, format!("{}/lake{place}", app.lake_url()), "", "").await;
            let answer = answer.to_string();
            if role >= needed {
                assert_ne!(status, 403, "{role} {method} {place}: {answer}");
                continue;
            }
            assert_eq!(status, 403, "{role} {method} {place}: {answer}");
            let why = format!("needs the role {needed}, and ada has the role {role}");
            assert!(
                method == "HEAD" || answer.contains(&why),
                "{method} {place}: {answer}"
            );
        }
    }
    assert_eq!(app.keys("lake", "in/").await, ["in/a.csv"]);
}
