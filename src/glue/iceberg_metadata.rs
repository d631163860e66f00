//! What a table's Iceberg metadata says, in Glue's shape (`IcebergTableMetadata`).

use serde_json::{Map, Value};

use crate::app::App;
use crate::aws::{Answer, without_nulls};
use crate::catalog::iceberg;
use crate::model::table::Table;

/// The members of a metadata file that are shown, as Iceberg and as Glue spell them.
const METADATA: [(&str, &str); 12] = [
    ("table-uuid", "TableUuid"),
    ("location", "Location"),
    ("properties", "Properties"),
    ("schemas", "Schemas"),
    ("current-schema-id", "CurrentSchemaId"),
    ("last-column-id", "LastColumnId"),
    ("partition-specs", "PartitionSpecs"),
    ("default-spec-id", "DefaultSpecId"),
    ("last-partition-id", "LastPartitionId"),
    ("sort-orders", "SortOrders"),
    ("default-sort-order-id", "DefaultSortOrderId"),
    ("format-version", "FormatVersion"),
];
const SCHEMA: [(&str, &str); 4] = [
    ("schema-id", "SchemaId"),
    ("identifier-field-ids", "IdentifierFieldIds"),
    ("type", "Type"),
    ("fields", "Fields"),
];
const FIELD: [(&str, &str); 7] = [
    ("id", "Id"),
    ("name", "Name"),
    ("type", "Type"),
    ("required", "Required"),
    ("doc", "Doc"),
    ("initial-default", "InitialDefault"),
    ("write-default", "WriteDefault"),
];
const PARTITION_SPEC: [(&str, &str); 2] = [("spec-id", "SpecId"), ("fields", "Fields")];
const PARTITION_FIELD: [(&str, &str); 4] = [
    ("source-id", "SourceId"),
    ("transform", "Transform"),
    ("name", "Name"),
    ("field-id", "FieldId"),
];
const SORT_ORDER: [(&str, &str); 2] = [("order-id", "OrderId"), ("fields", "Fields")];
const SORT_FIELD: [(&str, &str); 4] = [
    ("source-id", "SourceId"),
    ("transform", "Transform"),
    ("direction", "Direction"),
    ("null-order", "NullOrder"),
];

/// The current metadata of an Iceberg table; absent of any other.
///
/// # Errors
/// Those of reading the table's metadata file.
pub(super) async fn latest(app: &App, table: &Table) -> Answer<Option<Value>> {
    let found = iceberg::latest_metadata(app, table).await?;
    Ok(found.as_ref().map(rendered))
}

fn rendered(metadata: &Value) -> Value {
    let mut shown = renamed(metadata, &METADATA);
    if let Some(version) = metadata["format-version"].as_i64() {
        shown["FormatVersion"] = version.to_string().into();
    }
    each(&mut shown["Schemas"], |schema| {
        let mut shown = renamed(schema, &SCHEMA);
        each(&mut shown["Fields"], |field| renamed(field, &FIELD));
        shown
    });
    each(&mut shown["PartitionSpecs"], |spec| {
        let mut shown = renamed(spec, &PARTITION_SPEC);
        each(&mut shown["Fields"], |field| renamed(field, &PARTITION_FIELD));
        shown
    });
    each(&mut shown["SortOrders"], |order| {
        let mut shown = renamed(order, &SORT_ORDER);
        each(&mut shown["Fields"], |field| renamed(field, &SORT_FIELD));
        shown
    });
    without_nulls(shown)
}

fn renamed(members: &Value, names: &[(&str, &str)]) -> Value {
    let members = names.iter().filter_map(|(theirs, ours)| {
        let value = members.get(theirs)?;
        Some(((*ours).to_owned(), value.clone()))
    });
    Value::Object(members.collect::<Map<_, _>>())
}

fn each(items: &mut Value, rendered: impl Fn(&Value) -> Value) {
    if let Some(items) = items.as_array_mut() {
        for item in items {
            *item = rendered(item);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_are_glues_and_types_stay_icebergs() {
        let metadata = json!({
            "format-version": 2,
            "table-uuid": "9c12d441-03fe-4693-9a96-a0705ddf69c1",
            "schemas": [{"schema-id": 0, "type": "struct", "fields": [
                {"id": 1, "name": "tags", "required": false,
                 "type": {"type": "list", "element-id": 2, "element": "string", "element-required": true}}
            ]}],
            "sort-orders": [{"order-id": 1, "fields": [
                {"transform": "identity", "source-id": 1, "direction": "asc", "null-order": "nulls-first"}
            ]}],
            "snapshots": [{"snapshot-id": 1}],
        });
        assert_eq!(
            rendered(&metadata),
            json!({
                "FormatVersion": "2",
                "TableUuid": "9c12d441-03fe-4693-9a96-a0705ddf69c1",
                "Schemas": [{"SchemaId": 0, "Type": "struct", "Fields": [
                    {"Id": 1, "Name": "tags", "Required": false,
                     "Type": {"type": "list", "element-id": 2, "element": "string", "element-required": true}}
                ]}],
                "SortOrders": [{"OrderId": 1, "Fields": [
                    {"Transform": "identity", "SourceId": 1, "Direction": "asc", "NullOrder": "nulls-first"}
                ]}],
            })
        );
    }
}
