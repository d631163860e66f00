//! Notifications as stores send them, told apart by their shape: S3, EventBridge, MinIO, Ceph; as they are, or in the
//! envelopes of SNS, SQS and Lambda. Pure: text in, events out.
//!
//! All or nothing: what isn't understood is an error that says which part, so that the sender sends the whole again.

mod record;

use serde_json::Value;

use self::record::Told;
use crate::error::{Error, Result};
use crate::model::event::{Confirmation, ObjectEvent};

/// How many envelopes are opened, one in another: S3 in SNS in SQS in Lambda are three.
const MAX_DEPTH: usize = 6;
/// How many events and other messages one notification may hold: SQS and SNS hold a few, and lists of them some more.
const MAX_MESSAGES: usize = 10_000;
/// How many of the messages that nothing acts on are put in words.
const MAX_IN_WORDS: usize = 20;
/// The longest address that confirms a subscription, and the longest ARN of a topic, in bytes. SNS's own are shorter.
const MAX_ADDRESS: usize = 2048;

/// What a notification holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Notification {
    /// Objects that were written or removed.
    pub events: Vec<ObjectEvent>,
    /// What it tells beside that, and nothing here acts on.
    pub ignored: Ignored,
    /// Subscriptions that wait for somebody to confirm them.
    pub confirmations: Vec<Confirmation>,
    /// The topic of SNS that sent it, whose subscription has been confirmed, then. (What came out of a queue tells of the
    /// queue's subscription, not of ours.)
    pub speaker: Option<String>,
}

impl Notification {
    fn len(&self) -> usize {
        self.events.len() + self.ignored.count + self.confirmations.len()
    }

    fn add(&mut self, told: Told) {
        match told {
            Told::Of(event) => self.events.push(event),
            Told::Nothing(message) => self.ignored.add(message),
        }
    }
}

/// Messages that nothing here acts on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ignored {
    /// How many there are.
    pub count: usize,
    /// The first of them, in words.
    pub first: Vec<String>,
}

impl Ignored {
    fn add(&mut self, message: String) {
        self.count += 1;
        if self.first.len() < MAX_IN_WORDS {
            self.first.push(message);
        }
    }

    /// The first in words, and the number of the others.
    pub fn in_words(self) -> Vec<String> {
        let others = self.count - self.first.len();
        let rest = (others > 0).then(|| format!("and {others} more"));
        self.first.into_iter().chain(rest).collect()
    }
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
    if found.len() >= MAX_MESSAGES {
        return Err(Error::invalid(format!(
            "the notification holds more than {MAX_MESSAGES} messages"
        ))
        .hint("send fewer at a time"));
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
        found.ignored.add(format!("{place} is the test message of S3"));
        return Ok(());
    }
    match value["Type"].as_str() {
        Some("SubscriptionConfirmation") => {
            found.confirmations.push(confirmation(value, place)?);
            return Ok(());
        }
        Some("UnsubscribeConfirmation") => {
            found
                .ignored
                .add(format!("{place} says that a subscription has ended"));
            return Ok(());
        }
        Some("Notification") if depth == 0 => {
            let topic = value["TopicArn"].as_str().filter(|topic| is_plain(topic));
            found.speaker = topic.map(str::to_owned);
        }
        _ => {}
    }
    if value["source"] == "aws.s3" && value["detail"].is_object() {
        found.add(record::of_bridge(value, place)?);
        return Ok(());
    }
    if value["s3"].is_object() {
        found.add(record::of_record(value, place)?);
        return Ok(());
    }
    // SNS puts the notification, as text, into an envelope.
    if let Some(inner) = value["Message"].as_str() {
        return open_text(inner, &format!("{place}: Message"), depth + 1, found);
    }
    Err(Error::invalid(format!("{place} has none of the shapes that are known")).hint(SHAPES))
}

fn each(list: &[Value], place: &str, depth: usize, found: &mut Notification) -> Result<()> {
    if list.is_empty() {
        found.ignored.add(format!("{place} is an empty list"));
    }
    for (index, value) in list.iter().enumerate() {
        open(value, &format!("{place}[{index}]"), depth + 1, found)?;
    }
    Ok(())
}

/// A subscription that asks to be confirmed. People are shown its address so that they visit it, so it is one that leads
/// where it seems to: of `https`, plain ASCII, with a host and nothing before that.
fn confirmation(value: &Value, place: &str) -> Result<Confirmation> {
    let text = |name: &str| {
        let text = required(&value[name], place, name)?;
        match is_plain(text) {
            true => Ok(text.to_owned()),
            false => Err(Error::invalid(format!(
                "{place} has a {name} that is longer than {MAX_ADDRESS} bytes, or isn't of printable ASCII alone"
            ))),
        }
    };
    let (topic, url) = (text("TopicArn")?, text("SubscribeURL")?);
    let host = url
        .strip_prefix("https://")
        .and_then(|rest| rest.split(['/', '?', '#']).next())
        .unwrap_or_default();
    let is_host = |c: char| c.is_ascii_alphanumeric() || "-.:[]".contains(c);
    if host.starts_with(':') || host.is_empty() || !host.chars().all(is_host) {
        return Err(Error::invalid(format!(
            "{place} has a SubscribeURL that isn't of https, with a host"
        )));
    }
    Ok(Confirmation { topic, url })
}

fn is_plain(text: &str) -> bool {
    text.len() <= MAX_ADDRESS && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn required<'a>(value: &'a Value, place: &str, name: &str) -> Result<&'a str> {
    value
        .as_str()
        .filter(|text| !text.is_empty())
        .ok_or_else(|| Error::invalid(format!("{place} lacks {name}")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    pub(super) fn s3(key: &str) -> Value {
        json!({"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "b"},
            "object": {"key": key, "size": 1024, "eTag": "E1", "sequencer": "0055AE"}}}]})
    }

    pub(super) fn keys(value: &Value) -> Vec<String> {
        let found = parse(&value.to_string()).unwrap();
        found.events.into_iter().map(|event| event.key).collect()
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
                .count,
            1
        );
        let tagged = s3("x")
            .to_string()
            .replace("ObjectCreated:Put", "ObjectTagging:Put");
        let ignored = parse(&tagged).unwrap().ignored.in_words();
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
    fn of_much_that_is_ignored_the_first_are_named() {
        let mut notification = s3("x");
        notification["Records"][0]["eventName"] = "ObjectTagging:Put".into();
        let record = notification["Records"][0].clone();
        let ignored = |count: usize| {
            let records = vec![record.clone(); count];
            parse(&Value::from(records).to_string()).unwrap().ignored
        };
        assert_eq!(ignored(20).in_words().len(), 20);
        let many = ignored(10_000);
        assert_eq!(many.count, 10_000);
        assert_eq!(
            many.in_words()[19..],
            [
                "the notification[19] is 'ObjectTagging:Put', which changes no object's bytes",
                "and 9980 more"
            ]
        );
        let more = Value::from(vec![record.clone(); 10_001]).to_string();
        assert!(
            parse(&more)
                .unwrap_err()
                .message
                .contains("more than 10000 messages")
        );
        notification["Records"][0]["eventName"] = "Dream".repeat(100).into();
        let long = parse(&notification.to_string()).unwrap_err().message;
        assert!(long.len() < 200, "{long}");
    }

    #[test]
    fn an_address_that_somebody_is_to_visit_leads_where_it_seems_to() {
        let asks = |topic: &str, url: &str| {
            let text = json!({"Type": "SubscriptionConfirmation", "TopicArn": topic, "SubscribeURL": url});
            parse(&text.to_string())
        };
        for fine in [
            "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:eu-west-1:1:t&Token=2336",
            "https://ceph.example:8443/confirm",
            "https://[::1]",
        ] {
            assert_eq!(asks("arn:t", fine).unwrap().confirmations[0].url, fine);
        }
        let long = format!("https://sns.example/{}", "x".repeat(2048));
        for odd in [
            "http://sns.example/",
            "javascript:alert(1)",
            "https://",
            "https:///confirm",
            "https://:443/confirm",
            "https://sns.example@evil.example/",
            "https://evil.example\\.sns.example/",
            "https://sns.example/\0",
            "https://sns.example/\nhttps://evil.example/",
            "https://sns.example/\u{202e}",
            &long,
        ] {
            let message = asks("arn:t", odd).unwrap_err().message;
            assert!(
                message.starts_with("the notification has a SubscribeURL that is"),
                "{odd}: {message}"
            );
        }
        assert!(
            asks("arn:\0", "https://sns.example/")
                .unwrap_err()
                .message
                .contains("TopicArn")
        );
    }

    #[test]
    fn only_a_topic_that_speaks_here_is_confirmed() {
        let speaks = json!({"Type": "Notification", "TopicArn": "arn:t", "Message": s3("x").to_string()});
        let speaker = |value: &Value| parse(&value.to_string()).unwrap().speaker;
        assert_eq!(speaker(&speaks).as_deref(), Some("arn:t"));
        assert_eq!(
            speaker(&json!({"Messages": [{"Body": speaks.to_string()}]})),
            None
        );
        assert_eq!(
            speaker(&json!({"Records": [{"EventSource": "aws:sns", "Sns": speaks}]})),
            None
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
