//! The catalog as resources of Terraform's AWS provider, in Terraform's JSON syntax.

use serde_json::{Map, Value, json};

use super::glue_requests::{Request, text};

/// Resources by type and name.
#[derive(Default)]
pub(super) struct Resources {
    types: Map<String, Value>,
    /// The address and the partition keys of the table that was made last.
    table: String,
}

impl Resources {
    /// Adds what a request makes. Statistics are no resource of Terraform's.
    pub(super) fn add(&mut self, request: &Request) {
        let members = &request.members;
        let database = text(members, "DatabaseName");
        match request.operation {
            "CreateDatabase" => {
                let input = &members["DatabaseInput"];
                let name = text(input, "Name");
                let resource = json!({
                    "name": name,
                    "description": input["Description"],
                    "location_uri": input["LocationUri"],
                    "parameters": some(&input["Parameters"]),
                });
                self.put("aws_glue_catalog_database", &[&name], resource);
            }
            "CreateTable" => {
                let name = text(&members["TableInput"], "Name");
                let resource = table(&database, members);
                self.table = self.put("aws_glue_catalog_table", &[&database, &name], resource);
            }
            "BatchCreatePartition" => {
                for partition in members["PartitionInputList"].as_array().into_iter().flatten() {
                    self.add_partition(members, partition);
                }
            }
            "CreateUserDefinedFunction" => {
                let input = &members["FunctionInput"];
                let name = text(input, "FunctionName");
                let uris = input["ResourceUris"].as_array().into_iter().flatten();
                let uris: Vec<Value> = uris
                    .map(|uri| json!({ "resource_type": uri["ResourceType"], "uri": uri["Uri"] }))
                    .collect();
                let resource = json!({
                    "name": name,
                    "database_name": database,
                    "class_name": input["ClassName"],
                    "owner_name": input["OwnerName"],
                    "owner_type": input["OwnerType"],
                    "resource_uris": uris,
                });
                self.put("aws_glue_user_defined_function", &[&database, &name], resource);
            }
            "CreateConnection" => {
                let input = &members["ConnectionInput"];
                let name = text(input, "Name");
                let place = &input["PhysicalConnectionRequirements"];
                let resource = json!({
                    "name": name,
                    "connection_type": input["ConnectionType"],
                    "connection_properties": input["ConnectionProperties"],
                    "description": input["Description"],
                    "match_criteria": input["MatchCriteria"],
                    "physical_connection_requirements": place.is_object().then(|| json!({
                        "availability_zone": place["AvailabilityZone"],
                        "subnet_id": place["SubnetId"],
                        "security_group_id_list": place["SecurityGroupIdList"],
                    })),
                });
                self.put("aws_glue_connection", &[&name], resource);
            }
            "TagResource" => self.add_tags(members),
            _ => {}
        }
    }

    fn add_partition(&mut self, members: &Value, partition: &Value) {
        let (database, table) = (text(members, "DatabaseName"), text(members, "TableName"));
        let values = partition["Values"].as_array().into_iter().flatten();
        let values: Vec<&str> = values.filter_map(Value::as_str).collect();
        let parts: Vec<&str> = [database.as_str(), table.as_str()]
            .into_iter()
            .chain(values.clone())
            .collect();
        let resource = json!({
            "database_name": database,
            "table_name": table,
            "partition_values": values,
            "parameters": some(&partition["Parameters"]),
            "storage_descriptor": storage(&partition["StorageDescriptor"]),
            "depends_on": [self.table],
        });
        self.put("aws_glue_partition", &parts, resource);
    }

    /// Databases and connections have tags in Terraform; tables have none.
    fn add_tags(&mut self, members: &Value) {
        let arn = text(members, "ResourceArn");
        let resource = arn.rsplit(':').next().unwrap_or_default();
        let (kind, name) = resource.split_once('/').unwrap_or_default();
        let kind = match kind {
            "database" => "aws_glue_catalog_database",
            "connection" => "aws_glue_connection",
            _ => return,
        };
        let made = self
            .types
            .get_mut(kind)
            .and_then(|made| made.get_mut(label(&[name])));
        if let Some(made) = made {
            made["tags"] = literal(members["TagsToAdd"].clone());
        }
    }

    /// Adds a resource under a name made of `parts`, and says its address.
    fn put(&mut self, kind: &str, parts: &[&str], resource: Value) -> String {
        let named = self.types.entry(kind).or_insert_with(|| json!({}));
        let wanted = label(parts);
        // Different names may have the same label.
        let mut label = wanted.clone();
        let mut number = 2;
        while named.get(&label).is_some() {
            label = format!("{wanted}_{number}");
            number += 1;
        }
        named[&label] = literal(resource);
        format!("{kind}.{label}")
    }

    /// The whole document.
    pub(super) fn document(&self) -> Value {
        json!({ "resource": self.types })
    }
}

fn table(database: &str, members: &Value) -> Value {
    let input = &members["TableInput"];
    let indexes = members["PartitionIndexes"].as_array().into_iter().flatten();
    let indexes: Vec<Value> = indexes
        .map(|index| json!({ "index_name": index["IndexName"], "keys": index["Keys"] }))
        .collect();
    let target = &input["TargetTable"];
    json!({
        "database_name": database,
        "name": input["Name"],
        "description": input["Description"],
        "owner": input["Owner"],
        "retention": input["Retention"],
        "table_type": input["TableType"],
        "parameters": some(&input["Parameters"]),
        "partition_keys": columns(&input["PartitionKeys"]),
        "partition_index": (!indexes.is_empty()).then_some(indexes),
        "storage_descriptor": storage(&input["StorageDescriptor"]),
        "view_original_text": input["ViewOriginalText"],
        "view_expanded_text": input["ViewExpandedText"],
        "target_table": target.is_object().then(|| json!({
            "catalog_id": target["CatalogId"],
            "database_name": target["DatabaseName"],
            "name": target["Name"],
            "region": target["Region"],
        })),
    })
}

fn storage(described: &Value) -> Value {
    if !described.is_object() {
        return Value::Null;
    }
    let serde = &described["SerdeInfo"];
    let order = described["SortColumns"].as_array().into_iter().flatten();
    let order: Vec<Value> = order
        .map(|order| json!({ "column": order["Column"], "sort_order": order["SortOrder"] }))
        .collect();
    let skewed = &described["SkewedInfo"];
    json!({
        "location": described["Location"],
        "input_format": described["InputFormat"],
        "output_format": described["OutputFormat"],
        "compressed": described["Compressed"],
        "number_of_buckets": described["NumberOfBuckets"],
        "bucket_columns": described["BucketColumns"],
        "additional_locations": described["AdditionalLocations"],
        "stored_as_sub_directories": described["StoredAsSubDirectories"],
        "parameters": some(&described["Parameters"]),
        "columns": columns(&described["Columns"]),
        "sort_columns": (!order.is_empty()).then_some(order),
        "ser_de_info": serde.is_object().then(|| json!({
            "name": serde["Name"],
            "serialization_library": serde["SerializationLibrary"],
            "parameters": some(&serde["Parameters"]),
        })),
        "skewed_info": skewed.is_object().then(|| json!({
            "skewed_column_names": skewed["SkewedColumnNames"],
            "skewed_column_values": skewed["SkewedColumnValues"],
            "skewed_column_value_location_maps": skewed["SkewedColumnValueLocationMaps"],
        })),
    })
}

fn columns(described: &Value) -> Value {
    let column = |column: &Value| {
        json!({
            "name": column["Name"],
            "type": column["Type"],
            "comment": column["Comment"],
            "parameters": some(&column["Parameters"]),
        })
    };
    let columns: Vec<Value> = described.as_array().into_iter().flatten().map(column).collect();
    if columns.is_empty() {
        Value::Null
    } else {
        Value::Array(columns)
    }
}

/// A map that isn't empty.
fn some(map: &Value) -> Value {
    match map.as_object() {
        Some(entries) if !entries.is_empty() => map.clone(),
        _ => Value::Null,
    }
}

/// The name of a resource: letters, digits and underscores, a letter first.
fn label(parts: &[&str]) -> String {
    let label: String = parts
        .join("_")
        .chars()
        .map(|letter| {
            if letter.is_ascii_alphanumeric() {
                letter
            } else {
                '_'
            }
        })
        .collect();
    match label.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') {
        true => label,
        false => format!("_{label}"),
    }
}

/// The same value with what is absent left out, and with texts that Terraform doesn't take for templates.
fn literal(value: Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .filter(|(_, member)| !member.is_null())
                .map(|(name, member)| (name, literal(member)))
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(literal).collect()),
        Value::String(text) => Value::String(text.replace("${", "$${").replace("%{", "%%{")),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_labels_and_texts_stay_texts() {
        let mut resources = Resources::default();
        for name in ["a-b", "a.b", "1st"] {
            let members = json!({ "DatabaseInput": { "Name": name, "Description": "${x} %{y}" } });
            resources.add(&Request {
                operation: "CreateDatabase",
                members,
            });
        }
        let databases = &resources.document()["resource"]["aws_glue_catalog_database"];
        let labels: Vec<&String> = databases.as_object().unwrap().keys().collect();
        assert_eq!(labels, ["a_b", "a_b_2", "_1st"]);
        assert_eq!(databases["a_b_2"]["name"], "a.b");
        assert_eq!(databases["a_b"]["description"], "$${x} %%{y}");
    }
}
