//! Requests to a Glue catalog, as an export writes them down.

use std::collections::BTreeMap;

use serde_json::Value;

/// A Glue request, in the order in which a catalog is made anew.
pub(super) struct Request {
    /// The operation.
    pub(super) operation: &'static str,
    /// Its members.
    pub(super) members: Value,
}

/// A request.
pub(super) fn make(operation: &'static str, members: Value) -> Request {
    Request { operation, members }
}

/// A text member; empty where there is none.
pub(super) fn text(value: &Value, member: &str) -> String {
    value[member].as_str().unwrap_or_default().to_owned()
}

/// Parameters of a value, sorted.
pub(super) fn parameters(value: &Value) -> BTreeMap<String, String> {
    let pairs = value.as_object().into_iter().flatten();
    pairs
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect()
}
