//! A job's parameters, as they are given on the command line.

use serde_json::{Map, Value};

/// A parameter as it is given: `key=value`.
pub(super) fn key_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text
        .split_once('=')
        .ok_or_else(|| "write it as key=value".to_owned())?;
    Ok((key.to_owned(), value.to_owned()))
}

/// Parameters as a JSON object.
pub(super) fn object(parameters: Vec<(String, String)>) -> Value {
    Value::Object(
        parameters
            .into_iter()
            .map(|(key, value)| (key, Value::String(value)))
            .collect::<Map<_, _>>(),
    )
}
