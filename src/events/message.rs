//! Notifications as stores send them, told apart by their shape: S3, EventBridge, MinIO, Ceph; as they are, or in the
//! envelopes of SNS, SQS and Lambda. Pure: text in, events out.
//!
//! All or nothing: what isn't understood is an error that says which part, so that the sender sends the whole again.

use serde_json::Value;

use crate::error::{Error, Result};
use crate::model::event::{Confirmation, EventKind, ObjectEvent, etag_of};
use crate::model::location::percent_decoded;

/// How many envelopes are opened, one in another: S3 in SNS in SQS in Lambda are three.
const MAX_DEPTH: usize = 6;
/// How many events one notification may hold: SQS and SNS hold a few, and lists of them some more.
const MAX_EVENTS: usize = 10_000;

/// What a notification holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Notification {
    /// Objects that were written or removed.
    pub events: Vec<ObjectEvent>,
    /// What it tells beside that, and nothing here acts on: each in words.
    pub ignored: Vec<String>,
    /// Subscriptions that wait for somebody to confirm them.
    pub confirmations: Vec<Confirmation>,
}

/// Reads a notification.
///
/// # Errors
/// Invalid where any part of it is of no known shape, or lacks a bucket or a key; the message says which part.
pub fn parse(text: &str) -> Result<Notification> {
    let mut found = Notification::default();
    open_text(text, "the notification", 0, &mut found)?;
    Ok(found)
}

fn open_text(text: &str, place: &str, depth: usize, found: &mut Notification) -> Result<()> {
    if text.trim().is_empty() {
        return Err(Error::invalid(format!("{place} is empty")).hint(SHAPES));
    }
    let value: Value = serde_json::from_str(text)
        .map_err(|cause| Error::invalid(format!("{place} is not JSON: {cause}")))?;
    open(&value, place, depth, found)
}

const SHAPES: &str = "notifications of S3, EventBridge, MinIO and Ceph are understood, also inside those of SNS, SQS and Lambda";

/// Opens one envelope, or reads one notification.
fn open(value: &Value, place: &str, depth: usize, found: &mut Notification) -> Result<()> {
    if depth > MAX_DEPTH {
        return Err(Error::invalid(format!(
            "{place} has more than {MAX_DEPTH} envelopes around it"
        )));
    }
    if found.events.len() > MAX_EVENTS {
        return Err(
            Error::invalid(format!("the notification holds more than {MAX_EVENTS} events"))
                .hint("send fewer at a time"),
        );
    }
    if let Some(list) = value.as_array() {
        return each(list, place, depth, found);
    }
    for member in ["Records", "Messages"] {
        if let Some(list) = value[member].as_array() {
            return each(list, &format!("{place}: {member}"), depth, found);
        }
    }
    // SQS: as it is received, and as Lambda hands it on.
    for member in ["Body", "body"] {
        if let Some(inner) = value[member].as_str() {
            return open_text(inner, &format!("{place}: {member}"), depth + 1, found);
        }
    }
    if value["Sns"].is_object() {
        return open(&value["Sns"], &format!("{place}: Sns"), depth + 1, found);
    }
    if value["Event"] == "s3:TestEvent" {
        found.ignored.push(format!("{place} is the test message of S3"));
        return Ok(());
    }
    match value["Type"].as_str() {
        Some("SubscriptionConfirmation") => {
            found.confirmations.push(Confirmation {
                topic: required(&value["TopicArn"], place, "TopicArn")?.to_owned(),
                url: required(&value["SubscribeURL"], place, "SubscribeURL")?.to_owned(),
            });
            return Ok(());
        }
        Some("UnsubscribeConfirmation") => {
            found
                .ignored
                .push(format!("{place} says that a subscription has ended"));
            return Ok(());
        }
        _ => {}
    }
    if value["source"] == "aws.s3" && value["detail"].is_object() {
        return bridge_event(value, place, found);
    }
    if value["s3"].is_object() {
        return record_event(value, place, found);
    }
    // SNS puts the notification, as text, into an envelope.
    if let Some(inner) = value["Message"].as_str() {
        return open_text(inner, &format!("{place}: Message"), depth + 1, found);
    }
    Err(Error::invalid(format!("{place} has none of the shapes that are known")).hint(SHAPES))
}

fn each(list: &[Value], place: &str, depth: usize, found: &mut Notification) -> Result<()> {
    if list.is_empty() {
        found.ignored.push(format!("{place} is an empty list"));
    }
    for (index, value) in list.iter().enumerate() {
        open(value, &format!("{place}[{index}]"), depth + 1, found)?;
    }
    Ok(())
}

/// A record of S3, MinIO (`s3:` before the name) or Ceph (a size may be text).
fn record_event(record: &Value, place: &str, found: &mut Notification) -> Result<()> {
    let name = required(&record["eventName"], place, "eventName")?;
    let bare = name.strip_prefix("s3:").unwrap_or(name);
    let Some(kind) = kind_of(bare) else {
        return ignore_other(bare, place, found);
    };
    let is_ceph = record["eventSource"] == "ceph:s3";
    let object = &record["s3"]["object"];
    let key = required(&object["key"], place, "s3.object.key")?;
    let size = number(&object["size"]);
    // Ceph announces the start of a multipart upload as an object of no bytes.
    if is_ceph && name.ends_with(":Post") && size == Some(0) {
        found
            .ignored
            .push(format!("{place} tells of the start of an upload"));
        return Ok(());
    }
    let tag = object["eTag"].as_str().or_else(|| object["etag"].as_str());
    found.events.push(ObjectEvent {
        bucket: required(&record["s3"]["bucket"]["name"], place, "s3.bucket.name")?.to_owned(),
        // Ceph writes keys as they are; all others form-encode them.
        key: match is_ceph {
            true => key.to_owned(),
            false => percent_decoded(&key.replace('+', " ")),
        },
        kind,
        size,
        etag: tag.and_then(etag_of),
        sequencer: object["sequencer"]
            .as_str()
            .filter(|text| !text.is_empty())
            .map(str::to_owned),
        source: "webhook".to_owned(),
    });
    clean(found, place)
}

/// An event of EventBridge; its key is plain.
fn bridge_event(value: &Value, place: &str, found: &mut Notification) -> Result<()> {
    let name = required(&value["detail-type"], place, "detail-type")?;
    let kind = match name {
        "Object Created" => EventKind::Created,
        "Object Deleted" => EventKind::Removed,
        other if other.starts_with("Object ") => {
            found
                .ignored
                .push(format!("{place} is '{other}', which changes no object's bytes"));
            return Ok(());
        }
        other => return Err(unknown(other, place)),
    };
    let detail = &value["detail"];
    let object = &detail["object"];
    found.events.push(ObjectEvent {
        bucket: required(&detail["bucket"]["name"], place, "detail.bucket.name")?.to_owned(),
        key: required(&object["key"], place, "detail.object.key")?.to_owned(),
        kind,
        size: number(&object["size"]),
        etag: object["etag"].as_str().and_then(etag_of),
        sequencer: object["sequencer"].as_str().map(str::to_owned),
        source: "webhook".to_owned(),
    });
    clean(found, place)
}

/// No store has a key with a NUL in it, and no database here can hold one.
fn clean(found: &Notification, place: &str) -> Result<()> {
    let has_nul = |event: &ObjectEvent| {
        let sequencer = event.sequencer.as_deref().unwrap_or_default();
        let etag = event.etag.as_deref().unwrap_or_default();
        [&event.bucket, &event.key, sequencer, etag]
            .iter()
            .any(|text| text.contains('\0'))
    };
    if found.events.last().is_some_and(has_nul) {
        return Err(Error::invalid(format!(
            "{place} has a NUL in its bucket, key, eTag or sequencer"
        )));
    }
    Ok(())
}

fn kind_of(name: &str) -> Option<EventKind> {
    if name.starts_with("ObjectCreated:") {
        Some(EventKind::Created)
    } else if name.starts_with("ObjectRemoved:")
        || name.starts_with("LifecycleExpiration:")
        || name.starts_with("ObjectLifecycle:Expiration:")
    {
        Some(EventKind::Removed)
    } else {
        None
    }
}

/// Events that S3 and its likes send about what is neither written nor removed.
fn ignore_other(name: &str, place: &str, found: &mut Notification) -> Result<()> {
    const OTHERS: [&str; 16] = [
        "TestEvent",
        "ObjectRestore:",
        "ObjectTagging:",
        "ObjectAcl:",
        "ReducedRedundancyLostObject",
        "Replication:",
        "ObjectReplication:",
        "LifecycleTransition",
        "ObjectLifecycle:",
        "IntelligentTiering",
        "ObjectAccessed:",
        "ObjectTransition:",
        "ObjectSynced:",
        "BucketCreated",
        "BucketRemoved",
        "Scanner:",
    ];
    if OTHERS.iter().any(|other| name.starts_with(other)) {
        found
            .ignored
            .push(format!("{place} is '{name}', which changes no object's bytes"));
        return Ok(());
    }
    Err(unknown(name, place))
}

fn unknown(name: &str, place: &str) -> Error {
    Error::invalid(format!("{place} is of the unknown event '{name}'"))
        .hint("events of objects that were created and removed are acted on; subscribe to these alone")
}

fn required<'a>(value: &'a Value, place: &str, name: &str) -> Result<&'a str> {
    value
        .as_str()
        .filter(|text| !text.is_empty())
        .ok_or_else(|| Error::invalid(format!("{place} lacks {name}")))
}

fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn s3(key: &str) -> Value {
        json!({"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "b"},
            "object": {"key": key, "size": 1024, "eTag": "E1", "sequencer": "0055AE"}}}]})
    }

    fn keys(value: &Value) -> Vec<String> {
        let found = parse(&value.to_string()).unwrap();
        found.events.into_iter().map(|event| event.key).collect()
    }

    #[test]
    fn s3_and_minio_keys_are_form_encoded() {
        let text = s3("a/b+c%3D1.csv").to_string();
        let event = parse(&text).unwrap().events.remove(0);
        assert_eq!(
            (event.key.as_str(), event.size, event.kind, event.etag.as_deref()),
            ("a/b c=1.csv", Some(1024), EventKind::Created, Some("e1"))
        );
        let minio = text
            .replace("ObjectCreated:Put", "s3:ObjectRemoved:Delete")
            .replace("aws:s3", "minio:s3");
        assert_eq!(parse(&minio).unwrap().events[0].kind, EventKind::Removed);
    }

    #[test]
    fn ceph_keys_are_literal_and_its_older_tags_are_read() {
        let ceph = |key: &str| {
            json!({"Records": [{"eventSource": "ceph:s3", "eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "b"},
                "object": {"key": key, "size": "3", "etag": "E1", "sequencer": ""}}}]})
        };
        assert_eq!(keys(&ceph("a+b.csv")), ["a+b.csv"]);
        assert_eq!(keys(&ceph("p%2Bq.csv")), ["p%2Bq.csv"]);
        let event = parse(&ceph("x").to_string()).unwrap().events.remove(0);
        assert_eq!(
            (event.etag.as_deref(), event.size, event.sequencer),
            (Some("e1"), Some(3), None)
        );
    }

    #[test]
    fn envelopes_are_opened() {
        let bare = s3("x+y");
        let text = bare.to_string();
        let bridge = json!({"source": "aws.s3", "detail-type": "Object Created",
            "detail": {"bucket": {"name": "b"}, "object": {"key": "x y", "etag": "e"}}});
        let sns = json!({"Type": "Notification", "TopicArn": "arn", "Message": text});
        for (what, value) in [
            ("bare", bare.clone()),
            ("EventBridge", bridge.clone()),
            ("SNS", sns.clone()),
            (
                "SQS, received",
                json!({"Messages": [{"MessageId": "1", "Body": text}]}),
            ),
            ("SQS, one message", json!({"MessageId": "1", "Body": text})),
            (
                "SQS in Lambda",
                json!({"Records": [{"eventSource": "aws:sqs", "body": text}]}),
            ),
            (
                "SNS in Lambda",
                json!({"Records": [{"EventSource": "aws:sns", "Sns": sns}]}),
            ),
            ("SNS in SQS", json!({"Messages": [{"Body": sns.to_string()}]})),
            (
                "SNS in SQS in Lambda",
                json!({"Records": [{"eventSource": "aws:sqs", "body": sns.to_string()}]}),
            ),
            (
                "EventBridge in SQS",
                json!({"Messages": [{"Body": bridge.to_string()}]}),
            ),
            (
                "EventBridge in SNS",
                json!({"Type": "Notification", "Message": bridge.to_string()}),
            ),
            ("a list", json!([bridge])),
            (
                "MinIO",
                json!({"EventName": "s3:ObjectCreated:Put", "Key": "b/x y", "Records": bare["Records"]}),
            ),
        ] {
            assert_eq!(keys(&value), ["x y"], "{what}");
        }
        let two = json!({"Messages": [{"Body": text}, {"Body": text}]});
        assert_eq!(keys(&two).len(), 2);
    }

    #[test]
    fn what_is_no_change_is_named_and_confirmations_wait() {
        let said = |value: Value| parse(&value.to_string()).unwrap();
        assert_eq!(
            said(json!({"Service": "Amazon S3", "Event": "s3:TestEvent"}))
                .ignored
                .len(),
            1
        );
        let tagged = s3("x")
            .to_string()
            .replace("ObjectCreated:Put", "ObjectTagging:Put");
        let ignored = parse(&tagged).unwrap().ignored;
        assert_eq!(
            ignored,
            ["the notification: Records[0] is 'ObjectTagging:Put', which changes no object's bytes"]
        );
        let waits = said(
            json!({"Type": "SubscriptionConfirmation", "TopicArn": "arn:t", "SubscribeURL": "https://x"}),
        );
        assert_eq!(
            (waits.confirmations[0].topic.as_str(), waits.events.len()),
            ("arn:t", 0)
        );
    }

    #[test]
    fn nonsense_is_refused_whole_and_says_where() {
        let refused = |text: &str| parse(text).unwrap_err().message;
        assert!(refused("").contains("is empty"));
        assert!(refused("nope").contains("not JSON"));
        assert!(parse(r#"{"hello":1}"#).unwrap_err().hint.is_some());
        assert!(
            refused(r#"{"Messages":[{"Body":"nope"}]}"#)
                .starts_with("the notification: Messages[0]: Body is not JSON")
        );
        let mut two = s3("x");
        let second =
            json!({"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "b"}, "object": {"key": ""}}});
        two["Records"].as_array_mut().unwrap().push(second);
        assert_eq!(
            refused(&two.to_string()),
            "the notification: Records[1] lacks s3.object.key"
        );
        let odd = s3("x")
            .to_string()
            .replace("ObjectCreated:Put", "ObjectDreamt:Up");
        assert!(refused(&odd).contains("unknown event 'ObjectDreamt:Up'"));
        assert!(refused(&s3("a%00b").to_string()).contains("NUL"));
        let mut deep = s3("x").to_string();
        for _ in 0..10 {
            deep = json!({"Message": deep}).to_string();
        }
        assert!(refused(&deep).contains("envelopes"));
    }
}
