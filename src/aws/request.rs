//! What all requests have in common: JSON, pages, and times.

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::error::Error;
use crate::model::page::PageRequest;

use super::error::{Answer, Exception, Failure};

/// Members as they were sent, by name.
pub(crate) type Members = Map<String, Value>;

/// A body as JSON. No body at all is one without members.
pub(super) fn parsed(body: &[u8]) -> Answer<Value> {
    let value = if body.trim_ascii().is_empty() {
        Value::Object(Members::new())
    } else {
        serde_json::from_slice(body).map_err(unreadable)?
    };
    if !value.is_object() {
        return Err(Failure::new(
            Exception::SERIALIZATION,
            "A request is a JSON object.",
        ));
    }
    Ok(value)
}

/// Reads a request.
///
/// # Errors
/// Serialization.
pub(crate) fn read<T: DeserializeOwned>(request: Value) -> Answer<T> {
    serde_json::from_value(request).map_err(unreadable)
}

/// Reads a part of a request.
pub(crate) fn read_value<T: DeserializeOwned>(value: &Value) -> Answer<T> {
    T::deserialize(value).map_err(unreadable)
}

fn unreadable(cause: serde_json::Error) -> Failure {
    Failure::new(
        Exception::SERIALIZATION,
        format!("The request can't be read: {cause}"),
    )
}

/// The same value with every null member left out, at every depth.
pub(crate) fn without_nulls(value: Value) -> Value {
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

/// A member that must be there though the model doesn't say so. `member` is its path as AWS writes it, `tableInput.name`.
pub(crate) fn required<T>(value: Option<T>, member: &str) -> Answer<T> {
    value.ok_or_else(|| Failure::constraint("null", member, "Member must not be null"))
}

/// The page that a request asks for. It gets `max` items where it doesn't say.
pub(crate) fn page(limit: Option<u32>, token: Option<&str>, max: u32) -> Answer<PageRequest> {
    let after = token
        .filter(|token| !token.is_empty())
        .map(key_of_token)
        .transpose()?;
    Ok(PageRequest::new(limit.unwrap_or(max).min(max), after))
}

fn key_of_token(token: &str) -> Answer<String> {
    let key = hex::decode(token)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    key.filter(|key| !key.contains('\0')).ok_or_else(wrong_token)
}

/// The refusal of a token that no page ended with.
pub(crate) fn wrong_token() -> Failure {
    Failure::Of(Error::invalid("The NextToken is not one that this catalog gave."))
}

/// The token that asks for the page behind `key`; clients are not to read it.
pub(crate) fn token(key: Option<String>) -> Option<String> {
    key.map(hex::encode)
}

/// A time as JSON 1.1 has it: seconds since 1970, with a fraction.
#[expect(
    clippy::cast_precision_loss,
    reason = "microseconds since 1970 fit into 53 bits until the year 2255"
)]
pub(crate) fn seconds(time: DateTime<Utc>) -> f64 {
    time.timestamp_micros() as f64 / 1e6
}

/// Our members and, behind them, those that were kept and that we don't say ourselves.
pub(crate) fn with_kept(own: Value, kept: &Members) -> Value {
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
    use crate::error::ErrorKind;

    #[test]
    fn tokens_lead_back_to_their_key_and_others_are_refused() {
        let token = token(Some("ü/%2F".into())).unwrap();
        assert_eq!(
            page(None, Some(&token), 100).unwrap(),
            PageRequest::new(100, Some("ü/%2F".into()))
        );
        for wrong in ["next", "00"] {
            assert!(matches!(
                page(None, Some(wrong), 100).unwrap_err(),
                Failure::Of(error) if error.kind == ErrorKind::Invalid
            ));
        }
    }

    #[test]
    fn no_body_is_an_empty_one_and_nothing_but_an_object_is_a_request() {
        assert_eq!(parsed(b" ").unwrap(), serde_json::json!({}));
        for wrong in [&b"{"[..], b"[]", b"\xff"] {
            let (exception, _) = parsed(wrong).unwrap_err().told(Exception::of);
            assert_eq!(exception, Exception::SERIALIZATION);
        }
    }
}
