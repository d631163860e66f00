//! The catalog as statements for Hive, Spark and Athena.

use serde_json::Value;

use super::glue_requests::{Request, parameters, text};
use crate::catalog::ddl;
use crate::model::table::{Column, SerdeInfo, StorageDescriptor, Table, TableInput};

/// Writes requests as statements, in their order.
#[derive(Default)]
pub(super) struct Statements {
    /// The partition keys of the table that was made last.
    keys: Vec<String>,
}

impl Statements {
    /// The statement that does in Hive what a request does in Glue; none where Hive has no word for it.
    pub(super) fn of(&mut self, request: &Request) -> Option<String> {
        let members = &request.members;
        match request.operation {
            "CreateDatabase" => Some(database(&members["DatabaseInput"])),
            "CreateTable" => {
                let input = &members["TableInput"];
                let keys = columns(&input["PartitionKeys"]);
                self.keys = keys.into_iter().map(|key| key.name).collect();
                Some(table(&text(members, "DatabaseName"), input))
            }
            "BatchCreatePartition" => Some(partitions(members, &self.keys)),
            _ => None,
        }
    }
}

fn database(input: &Value) -> String {
    let mut statement = format!(
        "CREATE DATABASE IF NOT EXISTS {}",
        ddl::quoted(&text(input, "Name"))
    );
    for (member, word) in [("Description", "COMMENT"), ("LocationUri", "LOCATION")] {
        if let Some(value) = input[member].as_str() {
            statement.push_str(&format!("\n{word} {}", ddl::text(value)));
        }
    }
    let properties = parameters(&input["Parameters"]);
    if !properties.is_empty() {
        statement.push_str(&format!("\nWITH DBPROPERTIES ({})", ddl::pairs(&properties)));
    }
    statement.push(';');
    statement
}

fn table(database: &str, input: &Value) -> String {
    let name = format!("{}.{}", ddl::quoted(database), ddl::quoted(&text(input, "Name")));
    if text(input, "TableType") == "VIRTUAL_VIEW" {
        let view = text(input, "ViewExpandedText");
        // Presto and Trino keep theirs encoded in a comment.
        if view.is_empty() || view.starts_with("/* ") {
            return format!("-- {name} is a view of another engine's, which Hive can't read.");
        }
        return format!("CREATE VIEW {name} AS\n{view};");
    }
    let described = Table {
        id: String::new(),
        database: database.to_owned(),
        version: 0,
        input: TableInput {
            name: text(input, "Name"),
            description: input["Description"].as_str().map(str::to_owned),
            storage: input.get("StorageDescriptor").map(storage),
            partition_keys: columns(&input["PartitionKeys"]),
            parameters: parameters(&input["Parameters"]),
            ..TableInput::default()
        },
        created_at: chrono::DateTime::UNIX_EPOCH,
        updated_at: chrono::DateTime::UNIX_EPOCH,
    };
    ddl::create_statement(&described)
}

fn storage(described: &Value) -> StorageDescriptor {
    let member = |name: &str| described[name].as_str().map(str::to_owned);
    StorageDescriptor {
        columns: columns(&described["Columns"]),
        location: member("Location"),
        input_format: member("InputFormat"),
        output_format: member("OutputFormat"),
        serde_info: described.get("SerdeInfo").map(|serde| SerdeInfo {
            name: None,
            serialization_library: serde["SerializationLibrary"].as_str().map(str::to_owned),
            parameters: parameters(&serde["Parameters"]),
        }),
        number_of_buckets: described["NumberOfBuckets"].as_i64(),
        bucket_columns: described["BucketColumns"].as_array().map(|columns| {
            let names = columns.iter().filter_map(Value::as_str);
            names.map(str::to_owned).collect()
        }),
        other: described.as_object().cloned().unwrap_or_default(),
        ..StorageDescriptor::default()
    }
}

fn columns(described: &Value) -> Vec<Column> {
    let column = |column: &Value| Column {
        name: text(column, "Name"),
        data_type: column["Type"].as_str().map(str::to_owned),
        comment: column["Comment"].as_str().map(str::to_owned),
        ..Column::default()
    };
    described.as_array().into_iter().flatten().map(column).collect()
}

fn partitions(members: &Value, keys: &[String]) -> String {
    let name = format!(
        "{}.{}",
        ddl::quoted(&text(members, "DatabaseName")),
        ddl::quoted(&text(members, "TableName"))
    );
    let mut statement = format!("ALTER TABLE {name} ADD IF NOT EXISTS");
    for partition in members["PartitionInputList"].as_array().into_iter().flatten() {
        let values = partition["Values"].as_array().into_iter().flatten();
        let pairs: Vec<String> = values
            .zip(keys)
            .map(|(value, key)| {
                let value = value.as_str().unwrap_or_default();
                format!("{} = {}", ddl::quoted(key), ddl::text(value))
            })
            .collect();
        statement.push_str(&format!("\n  PARTITION ({})", pairs.join(", ")));
        if let Some(location) = partition["StorageDescriptor"]["Location"].as_str() {
            statement.push_str(&format!(" LOCATION {}", ddl::text(location)));
        }
    }
    statement.push(';');
    statement
}
