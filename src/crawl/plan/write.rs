//! What a crawl writes of a table and of its partitions, were they new. Pure.

use crate::crawl::shape::found::{DatabaseTable, FoundFormat, FoundTable};
use crate::model::crawl::{CrawlRequest, PlannedColumn};
use crate::model::crawl_options::{Compatibility, Writing};
use crate::model::crawl_steps::FoundPartition;
use crate::model::partition::PartitionInput;
use crate::model::source::Engine;
use crate::model::table::{Column, Parameters, SerdeInfo, StorageDescriptor, TableInput};

/// The parameter that says which crawler made a table.
pub const UPDATED_BY_CRAWLER: &str = "UPDATED_BY_CRAWLER";
/// The parameter that says that a table's data is gone.
pub const DEPRECATED_BY_CRAWLER: &str = "DEPRECATED_BY_CRAWLER";
/// The parameter that names the crawl that last changed a table.
pub const CRAWL_RUN_ID: &str = "CRAWL_RUN_ID";
/// The parameter that says that a partition index is there.
const PARTITION_FILTERING: &str = "partition_filtering.enabled";
/// The parameter that names the columns of a database's primary key.
const PRIMARY_KEY: &str = "primaryKey";
/// Who made a table, where a bare prefix was crawled.
const NO_CRAWLER: &str = "mastic crawl";
const DELTA_INPUT: &str = "org.apache.hadoop.mapred.SequenceFileInputFormat";
const DELTA_OUTPUT: &str = "org.apache.hadoop.hive.ql.io.HiveSequenceFileOutputFormat";
const ICEBERG_INPUT: &str = "org.apache.iceberg.mr.hive.HiveIcebergInputFormat";
const ICEBERG_OUTPUT: &str = "org.apache.iceberg.mr.hive.HiveIcebergOutputFormat";
const ICEBERG_SERDE: &str = "org.apache.iceberg.mr.hive.HiveIcebergSerDe";
const LAZY_SERDE: &str = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe";

/// The name that a crawl's tables bear as their maker's.
pub fn crawler_name(request: &CrawlRequest) -> &str {
    request.crawler.as_deref().unwrap_or(NO_CRAWLER)
}

/// A table as the crawl would write it, were it new.
pub fn fresh(request: &CrawlRequest, writing: &Writing, found: &FoundTable) -> TableInput {
    let columns: Vec<Column> = found
        .columns
        .iter()
        .map(|column| Column::new(column.name.clone(), column.data_type.clone()))
        .collect();
    let location = found.location.to_string();
    let (mut storage, mut parameters) = match &found.format {
        FoundFormat::Files(format) => {
            let format = match writing.compatibility {
                Compatibility::Mastic => format.clone(),
                Compatibility::Glue => format.clone().as_glue_writes_it(),
            };
            (format.storage(location, columns), format.parameters())
        }
        FoundFormat::Iceberg(metadata) => (
            lake_storage(location, columns, [ICEBERG_INPUT, ICEBERG_OUTPUT, ICEBERG_SERDE]),
            pairs(&[
                ("classification", "iceberg"),
                ("table_type", "ICEBERG"),
                ("metadata_location", metadata),
            ]),
        ),
        FoundFormat::Delta => {
            let storage = lake_storage(location.clone(), columns, [DELTA_INPUT, DELTA_OUTPUT, LAZY_SERDE]);
            let parameters = pairs(&[
                ("classification", "delta"),
                ("table_type", "DELTA"),
                ("spark.sql.sources.provider", "delta"),
            ]);
            (storage, parameters)
        }
        FoundFormat::Database(table) => return fresh_of_database(request, found, table),
    };
    add_parameters(request, writing, found, &mut parameters);
    storage.compressed = Some(false);
    storage.parameters = Some(parameters.clone());
    storage
        .other
        .insert("SortColumns".to_owned(), serde_json::json!([]));
    TableInput {
        name: found.name.clone(),
        owner: Some("owner".to_owned()),
        table_type: Some("EXTERNAL_TABLE".to_owned()),
        storage: Some(storage),
        partition_keys: found
            .partition_keys
            .iter()
            .map(|key| Column::new(key, "string"))
            .collect(),
        parameters,
        ..TableInput::default()
    }
}

/// A table of another database. It has no files, so no classes that read any.
fn fresh_of_database(request: &CrawlRequest, found: &FoundTable, table: &DatabaseTable) -> TableInput {
    let mut parameters = crawler_parameters(request);
    let mut set = |key: &str, value: &str| parameters.insert(key.to_owned(), value.to_owned());
    set("classification", table.engine.classification());
    set("compressionType", "none");
    set("typeOfData", if table.is_view { "view" } else { "table" });
    set("connectionName", &table.connection);
    if !table.primary_key.is_empty() {
        set(PRIMARY_KEY, &table.primary_key.join(","));
    }
    if let Some(rows) = found.rows {
        set("recordCount", &rows.to_string());
    }
    if !found.exclusions.is_empty() {
        set("exclusions", &serde_json::json!(found.exclusions).to_string());
    }
    TableInput {
        name: found.name.clone(),
        description: table.description.clone(),
        owner: Some("owner".to_owned()),
        table_type: Some("EXTERNAL_TABLE".to_owned()),
        storage: Some(StorageDescriptor {
            columns: table.columns.clone(),
            location: Some(found.location.to_string()),
            compressed: Some(false),
            number_of_buckets: Some(-1),
            serde_info: Some(SerdeInfo::default()),
            bucket_columns: Some(Vec::new()),
            stored_as_sub_directories: Some(false),
            parameters: Some(parameters.clone()),
            other: serde_json::Map::from_iter([("SortColumns".to_owned(), serde_json::json!([]))]),
            ..StorageDescriptor::default()
        }),
        parameters,
        ..TableInput::default()
    }
}

/// The kind of database that a table is in.
pub fn engine_of(table: &TableInput) -> Option<Engine> {
    [Engine::PostgreSql, Engine::MySql]
        .into_iter()
        .find(|engine| table.classification() == Some(engine.classification()))
}

/// Names the crawl that writes a table.
pub fn set_run(input: &mut TableInput, crawl: &str) {
    let storage = input
        .storage
        .iter_mut()
        .filter_map(|storage| storage.parameters.as_mut());
    for parameters in storage.chain(std::iter::once(&mut input.parameters)) {
        parameters.insert(CRAWL_RUN_ID.to_owned(), crawl.to_owned());
    }
}

fn lake_storage(location: String, columns: Vec<Column>, classes: [&str; 3]) -> StorageDescriptor {
    let [input, output, serde] = classes;
    StorageDescriptor {
        columns,
        location: Some(location.clone()),
        input_format: Some(input.to_owned()),
        output_format: Some(output.to_owned()),
        number_of_buckets: Some(-1),
        serde_info: Some(SerdeInfo {
            serialization_library: Some(serde.to_owned()),
            parameters: pairs(&[("path", &location)]),
            ..SerdeInfo::default()
        }),
        bucket_columns: Some(Vec::new()),
        stored_as_sub_directories: Some(false),
        ..StorageDescriptor::default()
    }
}

fn pairs(list: &[(&str, &str)]) -> Parameters {
    list.iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

/// The parameters that name the crawler.
fn crawler_parameters(request: &CrawlRequest) -> Parameters {
    pairs(&[
        (UPDATED_BY_CRAWLER, crawler_name(request)),
        ("CrawlerSchemaSerializerVersion", "1.0"),
        ("CrawlerSchemaDeserializerVersion", "1.0"),
    ])
}

/// The parameters that Glue's crawlers set (developer guide, "Parameters set on Data Catalog tables by crawler").
fn add_parameters(
    request: &CrawlRequest,
    writing: &Writing,
    found: &FoundTable,
    parameters: &mut Parameters,
) {
    parameters.extend(crawler_parameters(request));
    let mut set = |key: &str, value: String| parameters.insert(key.to_owned(), value);
    set("typeOfData", "file".to_owned());
    if matches!(found.format, FoundFormat::Files(_)) {
        set("compressionType", found.compression.clone());
    }
    set("objectCount", found.files.to_string());
    set("sizeKey", found.bytes.to_string());
    if let Some(rows) = found.rows {
        set("recordCount", rows.to_string());
        set("averageRecordSize", (found.bytes / rows.max(1)).to_string());
    }
    if !found.exclusions.is_empty() {
        set("exclusions", serde_json::json!(found.exclusions).to_string());
    }
    if writing.configuration.create_partition_index && !found.partition_keys.is_empty() {
        set(PARTITION_FILTERING, "true".to_owned());
    }
}

/// A partition as the crawl would write it: with the table's columns, so that the two never disagree.
pub fn partition_input(table: &TableInput, values: &[String], found: &FoundPartition) -> PartitionInput {
    let mut storage = partition_shape(table);
    storage.location = Some(found.location.to_string());
    let mut parameters = table.parameters.clone();
    let inherited = [
        "classification",
        "compressionType",
        "typeOfData",
        "delimiter",
        "columnsOrdered",
        "areColumnsQuoted",
        "skip.header.line.count",
    ];
    parameters.retain(|key, _| inherited.contains(&key.as_str()));
    parameters.extend(partition_counts(found));
    PartitionInput {
        values: values.to_vec(),
        storage: Some(storage),
        parameters,
        other: serde_json::Map::new(),
    }
}

/// The parameters that count what is in a partition.
pub fn partition_counts(found: &FoundPartition) -> Parameters {
    let mut counts = Parameters::from([
        ("objectCount".to_owned(), found.files.to_string()),
        ("sizeKey".to_owned(), found.bytes.to_string()),
    ]);
    if let Some(rows) = found.rows {
        counts.insert("recordCount".to_owned(), rows.to_string());
        counts.insert(
            "averageRecordSize".to_owned(),
            (found.bytes / rows.max(1)).to_string(),
        );
    }
    counts
}

/// Says of a partition which crawler added it, where its table doesn't say that.
pub fn sign(partition: &mut PartitionInput, crawler: &str) {
    let parameters = &mut partition.parameters;
    parameters.insert(UPDATED_BY_CRAWLER.to_owned(), crawler.to_owned());
}

/// Whether a partition says that this crawler added it.
pub fn is_signed(partition: &PartitionInput, crawler: &str) -> bool {
    let by = partition.parameters.get(UPDATED_BY_CRAWLER);
    by.is_some_and(|by| by == crawler)
}

/// What partitions have in common with their table.
pub fn partition_shape(table: &TableInput) -> StorageDescriptor {
    StorageDescriptor {
        location: None,
        parameters: None,
        ..table.storage.clone().unwrap_or_default()
    }
}

/// A column's reason, by its name.
pub fn reason_of(columns: &[PlannedColumn], name: &str) -> String {
    columns
        .iter()
        .find(|column| column.name == name)
        .map_or_else(String::new, |column| column.reason.clone())
}
