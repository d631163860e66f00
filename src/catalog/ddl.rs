//! A table as the Hive statement that would make it.

use std::fmt::Write as _;

use crate::model::table::{Column, StorageDescriptor, Table};

/// `CREATE EXTERNAL TABLE …` for a table. One of another database has no files, so it comes with a remark and without a
/// location.
pub fn create_statement(table: &Table) -> String {
    let input = &table.input;
    let connection = input.connection();
    let mut ddl = connection.map_or(String::new(), |connection| {
        let connection = connection.replace(['\n', '\r'], " ");
        format!("-- in the database that connection {connection} leads to: this makes an empty table of the same form\n")
    });
    let _ = writeln!(
        ddl,
        "CREATE EXTERNAL TABLE {}.{} (",
        quoted(&table.database),
        quoted(&input.name)
    );
    ddl.push_str(&column_list(input.columns()));
    ddl.push_str("\n)");
    if let Some(description) = &input.description {
        let _ = write!(ddl, "\nCOMMENT {}", text(description));
    }
    if !input.partition_keys.is_empty() {
        let _ = write!(
            ddl,
            "\nPARTITIONED BY (\n{}\n)",
            column_list(&input.partition_keys)
        );
    }
    let storage = input.storage.clone().unwrap_or_default();
    ddl.push_str(&buckets(&storage));
    let serde = storage.serde_info.unwrap_or_default();
    if let Some(library) = serde.serialization_library {
        let _ = write!(ddl, "\nROW FORMAT SERDE {}", text(&library));
        if !serde.parameters.is_empty() {
            let _ = write!(ddl, "\nWITH SERDEPROPERTIES ({})", pairs(&serde.parameters));
        }
    }
    if let (Some(reader), Some(writer)) = (storage.input_format, storage.output_format) {
        let _ = write!(
            ddl,
            "\nSTORED AS INPUTFORMAT {}\nOUTPUTFORMAT {}",
            text(&reader),
            text(&writer)
        );
    }
    if let Some(location) = storage.location.filter(|_| connection.is_none()) {
        let _ = write!(ddl, "\nLOCATION {}", text(&location));
    }
    if !input.parameters.is_empty() {
        let _ = write!(ddl, "\nTBLPROPERTIES ({})", pairs(&input.parameters));
    }
    ddl.push(';');
    ddl
}

/// `CLUSTERED BY …` for a table whose rows are spread over files by columns.
fn buckets(storage: &StorageDescriptor) -> String {
    let (Some(columns), Some(count @ 1..)) = (&storage.bucket_columns, storage.number_of_buckets) else {
        return String::new();
    };
    if columns.is_empty() {
        return String::new();
    }
    let columns: Vec<String> = columns.iter().map(|column| quoted(column)).collect();
    let sorted = storage
        .other
        .get("SortColumns")
        .and_then(|sorted| sorted.as_array());
    let sorted: Vec<String> = sorted
        .into_iter()
        .flatten()
        .filter_map(|sorted| {
            let order = if sorted["SortOrder"] == 0 { " DESC" } else { "" };
            Some(format!("{}{order}", quoted(sorted["Column"].as_str()?)))
        })
        .collect();
    let sorted = match sorted.as_slice() {
        [] => String::new(),
        columns => format!(" SORTED BY ({})", columns.join(", ")),
    };
    format!(
        "\nCLUSTERED BY ({}){sorted} INTO {count} BUCKETS",
        columns.join(", ")
    )
}

fn column_list(columns: &[Column]) -> String {
    let lines: Vec<String> = columns
        .iter()
        .map(|column| {
            let data_type = column.data_type.as_deref().unwrap_or("string");
            let comment = column
                .comment
                .as_ref()
                .map_or(String::new(), |comment| format!(" COMMENT {}", text(comment)));
            format!("  {} {data_type}{comment}", quoted(&column.name))
        })
        .collect();
    lines.join(",\n")
}

/// Keys and values, as every clause of properties has them.
pub fn pairs(parameters: &std::collections::BTreeMap<String, String>) -> String {
    let pairs: Vec<String> = parameters
        .iter()
        .map(|(key, value)| format!("{} = {}", text(key), text(value)))
        .collect();
    pairs.join(", ")
}

/// A name in backquotes.
pub fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A text in quotes.
pub fn text(value: &str) -> String {
    format!("'{}'", value.replace('\\', "\\\\").replace('\'', "\\'"))
}
