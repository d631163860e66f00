//! Notifications as stores send them, told apart by their shape: S3, EventBridge, SNS around either, MinIO, Ceph.
//! Pure: text in, events out.

use serde_json::Value;

use crate::error::{Error, Result};
use crate::model::event::{EventKind, ObjectEvent};
use crate::model::location::percent_decoded;

/// The events in a notification. A test message, and records of other things, hold none.
///
/// # Errors
/// Invalid where the text is no JSON, or none of the known shapes.
pub fn parse(text: &str) -> Result<Vec<ObjectEvent>> {
    let value: Value = serde_json::from_str(text)
        .map_err(|cause| Error::invalid(format!("the notification is not JSON: {cause}")))?;
    events_in(&value, true)
}

fn events_in(value: &Value, may_be_wrapped: bool) -> Result<Vec<ObjectEvent>> {
    if let Some(records) = value["Records"].as_array() {
        return records
            .iter()
            .filter_map(|record| record_event(record).transpose())
            .collect();
    }
    if value["source"] == "aws.s3" && value["detail"].is_object() {
        return Ok(bridge_event(value)?.into_iter().collect());
    }
    if value["Event"] == "s3:TestEvent" || value["Type"] == "SubscriptionConfirmation" {
        return Ok(Vec::new());
    }
    // SNS puts the notification, as text, into an envelope.
    if let (true, Some(inner)) = (may_be_wrapped, value["Message"].as_str()) {
        let inner: Value = serde_json::from_str(inner).map_err(|cause| {
            Error::invalid(format!("the Message of the notification is not JSON: {cause}"))
        })?;
        return events_in(&inner, false);
    }
    Err(
        Error::invalid("the notification has none of the shapes that are known")
            .hint("S3, EventBridge, SNS, MinIO and Ceph notifications are understood"),
    )
}

/// A record of S3, MinIO (`s3:` before the name) or Ceph (a size may be text). The key is form-encoded.
fn record_event(record: &Value) -> Result<Option<ObjectEvent>> {
    let name = record["eventName"].as_str().unwrap_or_default();
    let Some(kind) = kind_of(name.strip_prefix("s3:").unwrap_or(name)) else {
        return Ok(None);
    };
    let object = &record["s3"]["object"];
    let key = required(&object["key"], "s3.object.key")?;
    let size = number(&object["size"]);
    // Ceph announces the start of a multipart upload as an object of no bytes.
    if record["eventSource"] == "ceph:s3" && name.ends_with(":Post") && size == Some(0) {
        return Ok(None);
    }
    Ok(Some(ObjectEvent {
        bucket: required(&record["s3"]["bucket"]["name"], "s3.bucket.name")?.to_owned(),
        key: percent_decoded(&key.replace('+', " ")),
        kind,
        size,
        etag: etag(object["eTag"].as_str()),
        sequencer: object["sequencer"]
            .as_str()
            .filter(|text| !text.is_empty())
            .map(str::to_owned),
        source: "webhook".to_owned(),
    }))
}

/// An event of EventBridge; its key is plain.
fn bridge_event(value: &Value) -> Result<Option<ObjectEvent>> {
    let kind = match value["detail-type"].as_str() {
        Some("Object Created") => EventKind::Created,
        Some("Object Deleted") => EventKind::Removed,
        _ => return Ok(None),
    };
    let detail = &value["detail"];
    Ok(Some(ObjectEvent {
        bucket: required(&detail["bucket"]["name"], "detail.bucket.name")?.to_owned(),
        key: required(&detail["object"]["key"], "detail.object.key")?.to_owned(),
        kind,
        size: number(&detail["object"]["size"]),
        etag: etag(detail["object"]["etag"].as_str()),
        sequencer: detail["object"]["sequencer"].as_str().map(str::to_owned),
        source: "webhook".to_owned(),
    }))
}

fn kind_of(name: &str) -> Option<EventKind> {
    if name.starts_with("ObjectCreated:") {
        Some(EventKind::Created)
    } else if name.starts_with("ObjectRemoved:") || name.starts_with("LifecycleExpiration:") {
        Some(EventKind::Removed)
    } else {
        None
    }
}

fn required<'a>(value: &'a Value, name: &str) -> Result<&'a str> {
    value
        .as_str()
        .ok_or_else(|| Error::invalid(format!("the notification lacks {name}")))
}

fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

fn etag(text: Option<&str>) -> Option<String> {
    text.map(|text| text.trim_matches('"').to_owned())
        .filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s3_and_minio_keys_are_form_encoded() {
        let s3 = r#"{"Records":[{"eventSource":"aws:s3","eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"b"},
            "object":{"key":"a/b+c%3D1.csv","size":1024,"eTag":"e1","sequencer":"0055AE"}}}]}"#;
        let events = parse(s3).unwrap();
        assert_eq!(
            (events[0].key.as_str(), events[0].size, events[0].kind),
            ("a/b c=1.csv", Some(1024), EventKind::Created)
        );
        let minio = s3
            .replace("ObjectCreated:Put", "s3:ObjectRemoved:Delete")
            .replace("aws:s3", "minio:s3");
        assert_eq!(parse(&minio).unwrap()[0].kind, EventKind::Removed);
    }

    #[test]
    fn eventbridge_keys_are_plain_and_sns_is_unwrapped() {
        let bridge = r#"{"source":"aws.s3","detail-type":"Object Created","detail":{"bucket":{"name":"b"},"object":{"key":"a+b%20.csv","etag":"e"}}}"#;
        assert_eq!(parse(bridge).unwrap()[0].key, "a+b%20.csv");
        let sns = serde_json::json!({"Type": "Notification", "Message": bridge}).to_string();
        assert_eq!(parse(&sns).unwrap()[0].etag.as_deref(), Some("e"));
    }

    #[test]
    fn tests_hold_nothing_and_nonsense_is_refused() {
        assert!(
            parse(r#"{"Service":"Amazon S3","Event":"s3:TestEvent"}"#)
                .unwrap()
                .is_empty()
        );
        assert!(parse(r#"{"hello":1}"#).unwrap_err().hint.is_some());
        assert!(parse("nope").unwrap_err().message.contains("not JSON"));
        assert!(
            parse(r#"{"Records":[{"eventName":"ObjectCreated:Put"}]}"#)
                .unwrap_err()
                .message
                .contains("lacks")
        );
    }
}
