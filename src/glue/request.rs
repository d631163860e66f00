//! What all requests have in common: JSON, required members, the catalog's id, pages, and times.

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::app::App;
use crate::model::page::PageRequest;

use super::error::{Answer, Exception, Failure};

/// Members as they were sent, by name.
pub(super) type Members = Map<String, Value>;

/// Reads a request. A null member is one that isn't there, and no body at all is one without members.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Answer<T> {
    let value = if body.trim_ascii().is_empty() {
        Value::Object(Members::new())
    } else {
        serde_json::from_slice(body).map_err(unreadable)?
    };
    if !value.is_object() {
        return Err(Failure::new(
            Exception::Serialization,
            "A request is a JSON object.",
        ));
    }
    serde_json::from_value(without_nulls(value)).map_err(unreadable)
}

/// Reads members that we only keep, so that they are of the types that clients will read them back as.
pub(super) fn read_kept<T: DeserializeOwned>(members: &Members) -> Answer<T> {
    read_value(&Value::Object(members.clone()))
}

/// Reads a part of a request.
pub(super) fn read_value<T: DeserializeOwned>(value: &Value) -> Answer<T> {
    T::deserialize(value).map_err(unreadable)
}

fn unreadable(cause: serde_json::Error) -> Failure {
    Failure::new(
        Exception::Serialization,
        format!("The request can't be read: {cause}"),
    )
}

/// The same value with every null member left out, at every depth.
pub(super) fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .filter(|(_, member)| !member.is_null())
                .map(|(name, member)| (name, without_nulls(member)))
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(without_nulls).collect()),
        other => other,
    }
}

/// A member that must be there. `member` is its path as AWS writes it, `tableInput.name`.
pub(super) fn required<T>(value: Option<T>, member: &str) -> Answer<T> {
    value.ok_or_else(|| Failure::constraint("null", member, "Member must not be null"))
}

/// Makes sure that a request is about this catalog: it names none, or the one that there is.
pub(super) fn check_catalog(app: &App, catalog: Option<&str>) -> Answer<()> {
    let ours = &app.config.catalog.account_id;
    match catalog {
        Some(other) if other != ours => Err(Failure::new(
            Exception::AccessDenied,
            format!("Catalog {other} is not served here; this is catalog {ours}."),
        )),
        _ => Ok(()),
    }
}

/// The page that a request asks for. It may ask for up to `max` items, and gets that many where it doesn't say.
pub(super) fn page(limit: Option<i64>, token: Option<&str>, max: u32) -> Answer<PageRequest> {
    let limit = match limit {
        None => max,
        Some(limit) if limit < 1 => return Err(out_of_bounds(limit, "greater than or equal to 1")),
        Some(limit) => u32::try_from(limit)
            .ok()
            .filter(|limit| *limit <= max)
            .ok_or_else(|| out_of_bounds(limit, &format!("less than or equal to {max}")))?,
    };
    let after = token
        .filter(|token| !token.is_empty())
        .map(key_of_token)
        .transpose()?;
    Ok(PageRequest::new(limit, after))
}

fn out_of_bounds(limit: i64, bound: &str) -> Failure {
    Failure::constraint(
        &format!("'{limit}'"),
        "maxResults",
        &format!("Member must have value {bound}"),
    )
}

fn key_of_token(token: &str) -> Answer<String> {
    let key = hex::decode(token)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    key.ok_or_else(|| Failure::invalid("The NextToken is not one that this catalog gave."))
}

/// The token that asks for the page behind `key`; clients are not to read it.
pub(super) fn token(key: Option<String>) -> Option<String> {
    key.map(hex::encode)
}

/// A time as JSON 1.1 has it: seconds since 1970, with a fraction.
#[expect(
    clippy::cast_precision_loss,
    reason = "microseconds since 1970 fit into 53 bits until the year 2255"
)]
pub(super) fn seconds(time: DateTime<Utc>) -> f64 {
    time.timestamp_micros() as f64 / 1e6
}

/// Our members and, behind them, those that were kept and that we don't say ourselves.
pub(super) fn with_kept(own: Value, kept: &Members) -> Value {
    let Value::Object(mut members) = own else {
        return own;
    };
    for (name, value) in kept {
        if !members.contains_key(name) {
            members.insert(name.clone(), value.clone());
        }
    }
    Value::Object(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_lead_back_to_their_key_and_others_are_refused() {
        let token = token(Some("ü/%2F".into())).unwrap();
        assert_eq!(
            page(None, Some(&token), 100).unwrap(),
            PageRequest::new(100, Some("ü/%2F".into()))
        );
        assert_eq!(
            page(None, Some("next"), 100).unwrap_err().exception,
            Exception::InvalidInput
        );
        assert_eq!(
            page(Some(0), None, 100).unwrap_err().exception,
            Exception::Validation
        );
        assert_eq!(
            page(Some(101), None, 100).unwrap_err().exception,
            Exception::Validation
        );
    }

    #[test]
    fn nulls_are_absent_and_no_body_is_an_empty_one() {
        assert_eq!(read::<Value>(b" ").unwrap(), serde_json::json!({}));
        let nested = read::<Value>(br#"{"a":null,"b":[{"c":null,"d":1}]}"#).unwrap();
        assert_eq!(nested, serde_json::json!({"b": [{"d": 1}]}));
        assert_eq!(
            read::<Value>(b"{").unwrap_err().exception,
            Exception::Serialization
        );
        assert_eq!(
            read::<Value>(b"[]").unwrap_err().exception,
            Exception::Serialization
        );
    }
}
