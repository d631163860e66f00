//! The protocol itself, below what a client would send.

use serde_json::{Value, json};
use ureq::Agent;
use ureq::http::{HeaderMap, Request, StatusCode};

use crate::harness::TestApp;

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

async fn call(app: &TestApp, target: &str, body: &str) -> Answer {
    let request = Request::post(app.glue_url()).header("x-amz-target", target);
    let request = request.body(body.to_owned()).unwrap();
    tokio::task::spawn_blocking(move || {
        let agent: Agent = Agent::config_builder().http_status_as_error(false).build().into();
        let (parts, mut body) = agent.run(request).unwrap().into_parts();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: serde_json::from_str(&body.read_to_string().unwrap()).unwrap(),
        }
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn an_answer_is_json_1_1_with_a_request_id() {
    let app = TestApp::start().await;
    let made = call(
        &app,
        "AWSGlue.CreateDatabase",
        r#"{"DatabaseInput":{"Name":"a","Description":null}}"#,
    )
    .await;
    assert_eq!((made.status, made.body), (StatusCode::OK, json!({})));
    assert_eq!(made.headers["content-type"], "application/x-amz-json-1.1");
    assert!(!made.headers["x-amzn-requestid"].is_empty());

    let mut got = call(&app, "AWSGlue.GetDatabase", r#"{"Name":"a"}"#).await.body;
    let time = got["Database"]["CreateTime"].take();
    assert!(
        time.as_f64()
            .is_some_and(|seconds| seconds > 1e9 && seconds < 1e11),
        "seconds since 1970: {time}"
    );
    let expected =
        json!({"Database": {"Name": "a", "Parameters": {}, "CreateTime": null, "CatalogId": "123456789012"}});
    assert_eq!(got, expected);
    assert_eq!(
        call(&app, "AWSGlue.GetDatabases", "").await.status,
        StatusCode::OK,
        "no body asks for the defaults"
    );
}

#[tokio::test]
async fn what_cannot_be_read_is_refused() {
    let app = TestApp::start().await;
    for body in ["{", "[]", r#"{"Name":5}"#, r#"{"Name":"a"} x"#] {
        let answer = call(&app, "AWSGlue.GetDatabase", body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert_eq!(answer.body["__type"], "SerializationException", "{body}");
        assert!(
            answer.body["Message"]
                .as_str()
                .is_some_and(|message| !message.is_empty())
        );
    }
    let kept = r#"{"DatabaseName":"d","TableInput":{"Name":"t","Retention":"forever"}}"#;
    let answer = call(&app, "AWSGlue.CreateTable", kept).await;
    assert_eq!(
        answer.body["__type"], "SerializationException",
        "what is only kept is checked too"
    );
}

#[tokio::test]
async fn what_is_not_served_is_named() {
    let app = TestApp::start().await;
    let unserved = call(&app, "AWSGlue.CreateBlueprint", "{}").await;
    assert_eq!(unserved.status, StatusCode::BAD_REQUEST);
    assert_eq!(unserved.body["__type"], "OperationNotSupportedException");
    assert!(
        unserved.body["Message"]
            .as_str()
            .unwrap()
            .contains("CreateBlueprint")
    );
    for target in ["", "DynamoDB_20120810.ListTables", "GetDatabases"] {
        let answer = call(&app, target, "{}").await;
        assert_eq!(answer.body["__type"], "UnknownOperationException", "{target}");
    }
}

#[tokio::test]
async fn members_that_the_model_does_not_know_are_left_out() {
    let app = TestApp::start().await;
    call(
        &app,
        "AWSGlue.CreateDatabase",
        r#"{"DatabaseInput":{"Name":"d"}}"#,
    )
    .await;
    let table = json!({"DatabaseName": "d", "TableInput": {
        "Name": "t",
        "VersionId": "77",
        "FutureMember": {"a": [1]},
        "StorageDescriptor": {"Columns": [{"Name": "c"}], "Future": true},
    }});
    call(&app, "AWSGlue.CreateTable", &table.to_string()).await;
    let got = call(&app, "AWSGlue.GetTable", r#"{"DatabaseName":"d","Name":"t"}"#)
        .await
        .body;
    assert!(got["Table"].get("FutureMember").is_none());
    assert!(got["Table"]["StorageDescriptor"].get("Future").is_none());
    assert_eq!(got["Table"]["VersionId"], json!("0"));
    assert_eq!(
        got["Table"]["StorageDescriptor"]["Columns"],
        json!([{"Name": "c"}])
    );
    assert_eq!(got["Table"]["Retention"], json!(0));

    let nameless = r#"{"DatabaseName":"d","TableInput":{"Name":"u","PartitionKeys":[{"Type":"int"}]}}"#;
    let refused = call(&app, "AWSGlue.CreateTable", nameless).await.body;
    assert!(
        refused["Message"]
            .as_str()
            .unwrap()
            .contains("'tableInput.partitionKeys.1.member.name'"),
        "{refused}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metadata_of_an_iceberg_table_is_shown_and_what_is_none_is_refused_by_name() {
    let app = TestApp::start().await;
    call(
        &app,
        "AWSGlue.CreateDatabase",
        r#"{"DatabaseInput":{"Name":"a"}}"#,
    )
    .await;
    let location = "s3://lake/t/metadata/00000.metadata.json";
    let table = json!({ "DatabaseName": "a", "TableInput": { "Name": "t",
        "Parameters": { "table_type": "ICEBERG", "metadata_location": location } } });
    call(&app, "AWSGlue.CreateTable", &table.to_string()).await;
    let get = r#"{"DatabaseName":"a","Name":"t","AttributesToGet":["NAME","LATEST_ICEBERG_METADATA"]}"#;
    let latest = async || call(&app, "AWSGlue.GetTable", get).await;
    let put = async |text: String| app.put("lake", "t/metadata/00000.metadata.json", text).await;

    let missing = latest().await.body;
    let why = format!("table's metadata file {location} isn't there");
    assert!(missing["Message"].as_str().unwrap().contains(&why), "{missing}");
    for (text, why) in [
        ("[".repeat(1_000_000), "it is no JSON"),
        ("[]".to_owned(), "it is no JSON object"),
        (String::new(), "it is no JSON"),
    ] {
        put(text).await;
        let refused = latest().await.body;
        let why = format!("metadata file {location}: {why}");
        assert!(refused["Message"].as_str().unwrap().contains(&why), "{refused}");
    }
    let snapshots: Vec<Value> = (0..1000).map(|id| json!({ "snapshot-id": id })).collect();
    let metadata = json!({ "format-version": 2, "table-uuid": "u", "current-schema-id": 0, "snapshots": snapshots,
        "schemas": [{ "schema-id": 0, "type": "struct", "fields": [
            { "id": 1, "name": "n", "required": false, "type": "long" }] }] });
    put(metadata.to_string()).await;
    let shown = latest().await.body["Table"]["IcebergTableMetadata"].take();
    let field = json!({ "Id": 1, "Name": "n", "Required": false, "Type": "long" });
    assert_eq!(shown["FormatVersion"], "2");
    assert_eq!(shown["Schemas"][0]["Fields"], json!([field]));
}
