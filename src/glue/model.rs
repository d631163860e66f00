//! What AWS says of the Glue API. `model/operations.json` is made by the `extract.py` beside it from botocore's model of the
//! version 2017-03-31.

use std::sync::LazyLock;

use crate::aws::Model;

/// Its operations, and the shapes of the requests of those that are performed.
pub(super) static MODEL: LazyLock<Model> = LazyLock::new(|| Model::of(include_str!("model/operations.json")));

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::aws::Exception;

    fn refusal(operation: &str, request: Value) -> String {
        let failure = MODEL.read_request(operation, request).unwrap_err();
        let (exception, message) = failure.told(|_| Exception::INTERNAL_SERVICE);
        format!("{}: {message}", exception.name())
    }

    #[test]
    fn every_pattern_is_one() {
        assert_eq!(MODEL.wrong_patterns(), Vec::<&str>::new());
    }

    #[test]
    fn limits_are_refused_in_awss_words() {
        assert_eq!(
            refusal("GetTable", json!({"DatabaseName": ""})),
            "ValidationException: 2 validation errors detected: Value '' at 'databaseName' failed to satisfy constraint: \
             Member must have length greater than or equal to 1; Value null at 'name' failed to satisfy constraint: \
             Member must not be null"
        );
        let columns = json!([{"Name": "a"}, {"Name": "b", "Comment": "x".repeat(256)}]);
        let input = json!({"Name": "t", "StorageDescriptor": {"Columns": columns}});
        let refused = refusal("CreateTable", json!({"DatabaseName": "d", "TableInput": input}));
        assert!(
            refused.ends_with(
                "…' at 'tableInput.storageDescriptor.columns.2.member.comment' failed to satisfy constraint: \
                 Member must have length less than or equal to 255"
            ),
            "{refused}"
        );
        assert_eq!(
            refusal("GetTables", json!({"DatabaseName": "d", "MaxResults": 101})),
            "ValidationException: 1 validation error detected: Value '101' at 'maxResults' failed to satisfy constraint: \
             Member must have value less than or equal to 100"
        );
    }

    #[test]
    fn types_are_checked_and_unknown_members_left_out() {
        assert_eq!(
            refusal("GetTable", json!({"DatabaseName": 1, "Name": "t"})),
            "SerializationException: NUMBER_VALUE can not be converted to a String"
        );
        let read = MODEL.read_request(
            "GetTable",
            json!({"DatabaseName": "d", "Name": "t", "CatalogId": null, "Nmae": 1}),
        );
        assert_eq!(read.unwrap(), json!({"DatabaseName": "d", "Name": "t"}));
    }
}
