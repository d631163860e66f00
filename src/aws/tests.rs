//! A service of the tests' own beside Glue: what a second one has to say, and that each gets its requests.

use std::sync::{Arc, LazyLock};

use axum::http::Request;
use tempfile::TempDir;

use super::*;
use crate::clock::SystemClock;
use crate::config::{Config, Flags};
use crate::error::Error;
use crate::glue::Glue;

/// Greets by name.
struct Greeter;

static MODEL: LazyLock<Model> = LazyLock::new(|| {
    Model::of(
        r#"{"inputs": {"Greet": "GreetRequest"}, "others": {"Forget": null, "ListGuests": ["Guests"]}, "shapes": {
            "GreetRequest": {"type": "structure", "members": {"Name": "Name"}, "required": ["Name"]},
            "Name": {"type": "string", "max": 5}}}"#,
    )
});

#[async_trait::async_trait]
impl Service for Greeter {
    fn name(&self) -> &'static str {
        "Greeter"
    }

    fn prefix(&self) -> &'static str {
        "Greeter_2026"
    }

    fn signing_name(&self) -> &'static str {
        "greeter"
    }

    fn model(&self) -> &'static Model {
        &MODEL
    }

    fn exception(&self, kind: ErrorKind) -> Exception {
        match kind {
            ErrorKind::NotFound => Exception::new("NobodyException"),
            _ => Exception::of(kind),
        }
    }

    fn role(&self, operation: &str) -> Option<Role> {
        (operation == "Greet").then_some(Role::Analyst)
    }

    async fn perform(&self, _: &App, _: &str, request: Value) -> Answer<Body> {
        match request["Name"].as_str() {
            Some("ghost") => Err(Error::not_found("there is nobody").into()),
            name => Ok(json!({ "Greeting": name }).into()),
        }
    }
}

async fn app(folder: &TempDir) -> App {
    let flags = Flags {
        database: Some(format!("sqlite://{}", folder.path().join("mastic.db").display())),
        lake: Some(folder.path().join("lake")),
        ..Flags::default()
    };
    let config = Config::resolve(&flags, &Default::default()).unwrap();
    crate::server::put_together(config, Arc::new(SystemClock))
        .await
        .unwrap()
}

async fn call(app: &App, target: &str, body: &'static str) -> (u16, Value) {
    let request = Request::post("/").header("x-amz-target", target);
    let (head, ()) = request.body(()).unwrap().into_parts();
    let services: [Box<dyn Service>; 2] = [Box::new(Glue::default()), Box::new(Greeter)];
    let response = handle(&services, app, &head, Some(Bytes::from_static(body.as_bytes()))).await;
    let status = response.status().as_u16();
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await;
    (status, serde_json::from_slice(&bytes.unwrap()).unwrap())
}

#[tokio::test]
async fn each_service_gets_its_requests_and_words_its_failures() {
    let folder = tempfile::tempdir().unwrap();
    let app = app(&folder).await;
    let answer = |target, body| call(&app, target, body);
    let greeted = answer("Greeter_2026.Greet", r#"{"Name": "Ada", "Title": "Dr"}"#).await;
    assert_eq!(greeted, (200, json!({ "Greeting": "Ada" })));
    let databases = answer("AWSGlue.GetDatabases", "{}").await;
    assert_eq!(databases, (200, json!({ "DatabaseList": [] })));
    let guests = answer("Greeter_2026.ListGuests", "{}").await;
    assert_eq!(guests, (200, json!({ "Guests": [] })));
    for (target, body, exception, message) in [
        (
            "Greeter_2026.Greet",
            r#"{"Name": "ghost"}"#,
            "NobodyException",
            "There is nobody.",
        ),
        (
            "Greeter_2026.Greet",
            r#"{"Name": "Adalbert"}"#,
            "ValidationException",
            "1 validation error detected: Value 'Adalbert' at 'name' failed to satisfy constraint: Member must have length \
             less than or equal to 5",
        ),
        (
            "Greeter_2026.Forget",
            "{}",
            "OperationNotSupportedException",
            "Operation Forget is not supported by this catalog.",
        ),
        (
            "Greeter_2026.GetDatabases",
            "{}",
            "UnknownOperationException",
            "The Greeter API has no operation GetDatabases.",
        ),
        (
            "Greeter.Greet",
            "{}",
            "UnknownOperationException",
            "The header X-Amz-Target is 'Greeter.Greet'; this service takes AWSGlue.Operation and Greeter_2026.Operation.",
        ),
    ] {
        let refused = json!({ "__type": exception, "Message": message });
        assert_eq!(answer(target, body).await, (400, refused), "{target}");
    }
}
