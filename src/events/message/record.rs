//! One record: what happened to which object, by the names that S3, EventBridge, MinIO and Ceph have for it.

use serde_json::Value;

use super::required;
use crate::error::{Error, Result};
use crate::model::event::{EventKind, ObjectEvent, Source, etag_of};
use crate::model::location::percent_decoded_strictly;

/// The longest key of an object, in bytes (S3 User Guide, "Naming Amazon S3 objects").
const MAX_KEY: usize = 1024;
/// The longest name of a bucket, in bytes: older ones of S3, and Ceph's, may be as long as this.
const MAX_BUCKET: usize = 255;
/// The longest sequencer that is compared, in digits. S3's have 18, MinIO's and Ceph's 16.
const MAX_SEQUENCER: usize = 64;

/// What a record tells of.
pub(super) enum Told {
    /// An object that was written or removed.
    Of(ObjectEvent),
    /// Nothing that is acted on, in words.
    Nothing(String),
}

/// A record of S3, MinIO (`s3:` before the name) or Ceph (a size may be text).
pub(super) fn of_record(record: &Value, place: &str) -> Result<Told> {
    let name = required(&record["eventName"], place, "eventName")?;
    let kind = match meaning(name.strip_prefix("s3:").unwrap_or(name)) {
        Some(Meaning::Change(kind)) => kind,
        Some(Meaning::Nothing) => {
            return Ok(nothing(name, place));
        }
        None => return Err(unknown(name, place)),
    };
    let is_ceph = record["eventSource"] == "ceph:s3";
    let object = &record["s3"]["object"];
    let key = required(&object["key"], place, "s3.object.key")?;
    let size = number(&object["size"]);
    // Ceph announces the start of a multipart upload as an object of no bytes.
    if is_ceph && name.ends_with(":Post") && size == Some(0) {
        return Ok(Told::Nothing(format!("{place} tells of the start of an upload")));
    }
    let event = ObjectEvent {
        bucket: required(&record["s3"]["bucket"]["name"], place, "s3.bucket.name")?.to_owned(),
        // Ceph writes keys as they are; all others form-encode them.
        key: match is_ceph {
            true => key.to_owned(),
            false => percent_decoded_strictly(&key.replace('+', " "))
                .ok_or_else(|| Error::invalid(format!("{place} has a key that isn't UTF-8")))?,
        },
        kind,
        size,
        etag: etag(object),
        sequencer: match is_ceph {
            true => sequencer(object).and_then(|text| ceph_sequencer(&text)),
            false => sequencer(object),
        },
        source: Source::Webhook,
    };
    Ok(Told::Of(checked(event, place)?))
}

/// An event of EventBridge; its key is plain. The names are those of the S3 User Guide, "Using EventBridge".
pub(super) fn of_bridge(value: &Value, place: &str) -> Result<Told> {
    let name = required(&value["detail-type"], place, "detail-type")?;
    let kind = match name {
        "Object Created" => EventKind::Created,
        "Object Deleted" => EventKind::Removed,
        "Object Restore Initiated"
        | "Object Restore Completed"
        | "Object Restore Expired"
        | "Object Storage Class Changed"
        | "Object Access Tier Changed"
        | "Object ACL Updated"
        | "Object Tags Added"
        | "Object Tags Deleted" => {
            return Ok(nothing(name, place));
        }
        other => return Err(unknown(other, place)),
    };
    let detail = &value["detail"];
    let object = &detail["object"];
    let event = ObjectEvent {
        bucket: required(&detail["bucket"]["name"], place, "detail.bucket.name")?.to_owned(),
        key: required(&object["key"], place, "detail.object.key")?.to_owned(),
        kind,
        size: number(&object["size"]),
        etag: etag(object),
        sequencer: sequencer(object),
        source: Source::Webhook,
    };
    Ok(Told::Of(checked(event, place)?))
}

/// Refuses what no store has, and no database here can hold.
fn checked(event: ObjectEvent, place: &str) -> Result<ObjectEvent> {
    let etag = event.etag.as_deref().unwrap_or_default();
    if [&event.bucket, &event.key, etag]
        .iter()
        .any(|text| text.contains('\0'))
    {
        return Err(Error::invalid(format!(
            "{place} has a NUL in its bucket, key or eTag"
        )));
    }
    for (what, text, most) in [
        ("key", &event.key, MAX_KEY),
        ("bucket", &event.bucket, MAX_BUCKET),
    ] {
        if text.len() > most {
            return Err(Error::invalid(format!(
                "{place} has a {what} of {} bytes, and S3 knows none of more than {most}",
                text.len()
            )));
        }
    }
    Ok(event)
}

/// The entity tag: S3, MinIO and newer Cephs write `eTag`, EventBridge and older Cephs `etag`; some write both, one empty.
fn etag(object: &Value) -> Option<String> {
    ["eTag", "etag"]
        .iter()
        .find_map(|name| etag_of(object[name].as_str()?))
}

/// The store's order, where it is what S3 says it is: hexadecimal. By anything else no event is older than another.
fn sequencer(object: &Value) -> Option<String> {
    let text = object["sequencer"].as_str()?;
    let is_order = (1..=MAX_SEQUENCER).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit());
    is_order.then(|| text.to_owned())
}

/// Ceph's order as one that can be compared. Ceph writes the memory of a time in hexadecimal: seconds and nanoseconds, four
/// bytes each, the least significant first (`populate_event` in its `rgw_notify.cc`; `utime_t`).
fn ceph_sequencer(text: &str) -> Option<String> {
    let mut time = hex::decode(text).ok().filter(|bytes| bytes.len() == 8)?;
    time.chunks_mut(4).for_each(<[u8]>::reverse);
    Some(hex::encode(time))
}

/// What an event tells of.
enum Meaning {
    Change(EventKind),
    /// Something that changes no object's bytes.
    Nothing,
}

/// What the event of a name, without `s3:`, tells of; none where no store is known to send it.
///
/// The names are those of the S3 User Guide ("Event notification types and destinations"), of MinIO
/// (`internal/event/name.go`) and of Ceph (`rgw_notify_event_type.cc`).
fn meaning(name: &str) -> Option<Meaning> {
    let meaning = match name.split_once(':').unwrap_or((name, "")) {
        // MinIO's names for what S3 calls `ObjectTagging`, and for locks.
        ("ObjectCreated", "PutTagging" | "DeleteTagging" | "PutRetention" | "PutLegalHold") => {
            Meaning::Nothing
        }
        // MinIO's removal of what wasn't there, and of the marker that an object was removed before.
        ("ObjectRemoved", "NoOP") | ("LifecycleDelMarkerExpiration", _) => Meaning::Nothing,
        ("ObjectCreated" | "ObjectRemoved" | "LifecycleExpiration", "") => return None,
        ("ObjectCreated", _) => Meaning::Change(EventKind::Created),
        ("ObjectRemoved" | "LifecycleExpiration", _) => Meaning::Change(EventKind::Removed),
        // Ceph's. Older versions, markers and parts of uploads expire, too.
        ("ObjectLifecycle", "Expiration:Current") => Meaning::Change(EventKind::Removed),
        // Ceph's: what another zone did was done here.
        ("ObjectSynced" | "Replication", "Create") => Meaning::Change(EventKind::Created),
        ("ObjectSynced" | "Replication", "Delete" | "DeletionMarkerCreated") => {
            Meaning::Change(EventKind::Removed)
        }
        (
            "TestEvent"
            | "ReducedRedundancyLostObject"
            | "ObjectRestore"
            | "Replication"
            | "LifecycleTransition"
            | "IntelligentTiering"
            | "ObjectTagging"
            | "ObjectAcl"
            | "ObjectAccessed"
            | "ObjectTransition"
            | "BucketCreated"
            | "BucketRemoved"
            | "Scanner"
            | "ObjectLifecycle"
            | "ObjectSynced",
            _,
        ) => Meaning::Nothing,
        _ => return None,
    };
    Some(meaning)
}

fn nothing(name: &str, place: &str) -> Told {
    Told::Nothing(format!(
        "{place} is '{name:.100}', which changes no object's bytes"
    ))
}

fn unknown(name: &str, place: &str) -> Error {
    Error::invalid(format!("{place} is of the unknown event '{name:.100}'"))
        .hint("events of objects that were created and removed are acted on; subscribe to these alone")
}

fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::error::Result;
    use crate::events::message::tests::{keys, s3};
    use crate::events::message::{Notification, parse};
    use crate::model::event::{EventKind, is_older};

    fn named(source: &str, name: &str) -> Result<Notification> {
        let mut notification = s3("x");
        notification["Records"][0]["eventSource"] = source.into();
        notification["Records"][0]["eventName"] = name.into();
        parse(&notification.to_string())
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
    fn every_name_that_a_store_sends_is_understood_by_what_it_is() {
        let kind = |source: &str, name: &str| {
            let found = named(source, name).unwrap();
            assert_eq!(found.events.len() + found.ignored.count, 1, "{name}");
            found.events.first().map(|event| event.kind)
        };
        let (created, removed) = (Some(EventKind::Created), Some(EventKind::Removed));
        for (name, what) in [
            ("ObjectCreated:Put", created),
            ("ObjectCreated:Post", created),
            ("ObjectCreated:Copy", created),
            ("ObjectCreated:CompleteMultipartUpload", created),
            ("ObjectRemoved:Delete", removed),
            ("ObjectRemoved:DeleteMarkerCreated", removed),
            ("LifecycleExpiration:Delete", removed),
            ("LifecycleExpiration:DeleteMarkerCreated", removed),
            ("ReducedRedundancyLostObject", None),
            ("ObjectRestore:Post", None),
            ("ObjectRestore:Completed", None),
            ("ObjectRestore:Delete", None),
            ("Replication:OperationFailedReplication", None),
            ("Replication:OperationReplicatedAfterThreshold", None),
            ("LifecycleTransition", None),
            ("IntelligentTiering", None),
            ("ObjectTagging:Put", None),
            ("ObjectTagging:Delete", None),
            ("ObjectAcl:Put", None),
        ] {
            assert_eq!(kind("aws:s3", name), what, "{name}");
        }
        for (name, what) in [
            ("s3:ObjectCreated:Put", created),
            ("s3:ObjectCreated:PutTagging", None),
            ("s3:ObjectCreated:DeleteTagging", None),
            ("s3:ObjectCreated:PutRetention", None),
            ("s3:ObjectCreated:PutLegalHold", None),
            ("s3:ObjectRemoved:DeleteAllVersions", removed),
            ("s3:ObjectRemoved:NoOP", None),
            ("s3:LifecycleDelMarkerExpiration:Delete", None),
            ("s3:ObjectAccessed:Get", None),
            ("s3:ObjectTransition:Complete", None),
            ("s3:Replication:OperationCompletedReplication", None),
            ("s3:Scanner:BigPrefix", None),
            ("s3:BucketCreated:*", None),
        ] {
            assert_eq!(kind("minio:s3", name), what, "{name}");
        }
        for (name, what) in [
            ("ObjectLifecycle:Expiration:Current", removed),
            ("ObjectLifecycle:Expiration:Noncurrent", None),
            ("ObjectLifecycle:Expiration:DeleteMarker", None),
            ("ObjectLifecycle:Expiration:AbortMPU", None),
            ("ObjectLifecycle:Transition:Current", None),
            ("ObjectSynced:Create", created),
            ("ObjectSynced:Delete", removed),
            ("Replication:Create", created),
        ] {
            assert_eq!(kind("ceph:s3", name), what, "{name}");
        }
        for name in ["ObjectDreamt:Up", "ObjectCreated", "ObjectCreatedAnew:Put", "s3:"] {
            assert!(
                named("aws:s3", name)
                    .unwrap_err()
                    .message
                    .contains("unknown event"),
                "{name}"
            );
        }
    }

    #[test]
    fn ceph_orders_by_a_time_in_memory() {
        let sequencer = |source: &str, text: &str| {
            let mut notification = s3("x");
            notification["Records"][0]["eventSource"] = source.into();
            notification["Records"][0]["s3"]["object"]["sequencer"] = text.into();
            parse(&notification.to_string())
                .unwrap()
                .events
                .remove(0)
                .sequencer
        };
        // 0x66F0A1FF and 0x66F0A200 seconds, with 0x0B and 0x01 nanoseconds behind.
        let (before, after) = ("FFA1F0660B000000", "00A2F06601000000");
        let ceph = |text: &str| sequencer("ceph:s3", text);
        assert_eq!(ceph(before).as_deref(), Some("66f0a1ff0000000b"));
        assert!(is_older(&ceph(before).unwrap(), &ceph(after).unwrap()));
        for odd in [
            "",
            "66F0",
            "FFA1F0660B00000",
            "not in any memory",
            "FFA1F0660B00000000",
        ] {
            assert_eq!(ceph(odd), None, "{odd}");
        }
        // Everybody else's is compared as it is, if it can be.
        assert_eq!(sequencer("aws:s3", before).as_deref(), Some(before));
        assert_eq!(
            sequencer("aws:s3", "0055AED6DCD90281E5").as_deref(),
            Some("0055AED6DCD90281E5")
        );
        assert_eq!(sequencer("aws:s3", "the third"), None);
    }

    #[test]
    fn an_empty_tag_hides_no_other() {
        for (object, tag) in [
            (json!({"key": "x", "eTag": "", "etag": "E1"}), Some("e1")),
            (json!({"key": "x", "eTag": null, "etag": "\"E1\""}), Some("e1")),
            (json!({"key": "x", "eTag": "\"\"", "etag": "E1"}), Some("e1")),
            (json!({"key": "x", "eTag": "E1", "etag": ""}), Some("e1")),
            (json!({"key": "x", "eTag": "\"\""}), None),
            (json!({"key": "x"}), None),
        ] {
            let record =
                json!({"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "b"}, "object": object}});
            let event = parse(&record.to_string()).unwrap().events.remove(0);
            assert_eq!(event.etag.as_deref(), tag, "{record}");
        }
    }

    #[test]
    fn keys_that_no_store_has_are_refused_and_odd_ones_are_not() {
        assert_eq!(keys(&s3("caf%C3%A9+%+1%2+%")), ["caf\u{e9} % 1%2 %"]);
        let longest = "k".repeat(1024);
        assert_eq!(keys(&s3(&longest)).concat(), longest);
        assert_eq!(keys(&s3(&"%2F".repeat(1024))), ["/".repeat(1024)]);
        let refused = |key: &str| parse(&s3(key).to_string()).unwrap_err().message;
        assert_eq!(
            refused("caf%E9.csv"),
            "the notification: Records[0] has a key that isn't UTF-8"
        );
        assert_eq!(
            refused(&format!("{longest}k")),
            "the notification: Records[0] has a key of 1025 bytes, and S3 knows none of more than 1024"
        );
    }
}
