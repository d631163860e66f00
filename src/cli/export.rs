//! `mastic export`: the catalog as Glue requests, as Hive's DDL, as Terraform.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use futures::StreamExt as _;
use serde_json::{Map, Value, json};

use super::glue_client::GlueClient;
use super::glue_requests::{Request, make, text};
use super::serve::block_on;
use super::{Global, Outcome, hive_ddl, output, terraform};
use crate::error::{Error, ErrorKind, Result};

/// How many columns' statistics are asked for at a time (Glue's limit).
const STATISTICS: usize = 100;
/// How many partitions are made by one request (Glue's limit).
const PARTITIONS: usize = 100;
/// How many questions are asked at the same time.
const AT_A_TIME: usize = 16;
/// What a catalog says of its own accord, and nobody can tell it.
const OWN_MEMBERS: [&str; 17] = [
    "CatalogId",
    "CreateTime",
    "CreatedBy",
    "CreationTime",
    "DatabaseName",
    "FederatedTable",
    "IcebergTableMetadata",
    "IsMaterializedView",
    "IsMultiDialectView",
    "IsRegisteredWithLakeFormation",
    "LastUpdatedBy",
    "LastUpdatedTime",
    "RLSProperties",
    "Status",
    "TableName",
    "UpdateTime",
    "VersionId",
];

/// How an export is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// One Glue request a line, for `mastic import glue-json`
    GlueJson,
    /// CREATE statements for Hive, Spark and Athena
    HiveDdl,
    /// Resources of Terraform's AWS provider, in Terraform's JSON (a .tf.json file)
    Terraform,
}

/// Write the catalog out: for another mastic, for Hive, for Terraform.
#[derive(Debug, Args)]
pub(super) struct Export {
    /// How it is written
    #[arg(long, value_enum)]
    format: Kind,
    /// Only this database; may be repeated
    #[arg(long)]
    database: Vec<String>,
    /// Where to; stdout where nothing is said
    #[arg(long, short)]
    file: Option<PathBuf>,
}

impl Export {
    pub(super) fn run(self, global: &Global) -> Result<Outcome> {
        let glue = GlueClient::of_mastic(&global.url);
        // Written beside its place: half an export never stands where a whole one did.
        let beside = self.file.as_ref().map(|path| path.with_added_extension("part"));
        let mut out: Box<dyn Write> = match &beside {
            Some(path) => {
                let file = std::fs::File::create(path).map_err(|cause| cant_write(path, &cause))?;
                Box::new(std::io::BufWriter::new(file))
            }
            None => Box::new(std::io::BufWriter::new(std::io::stdout().lock())),
        };
        let mut counts = Counts::default();
        let mut statements = hive_ddl::Statements::default();
        let mut resources = terraform::Resources::default();
        let kind = self.format;
        block_on(async {
            read(&glue, &self.database, async |request: Request| {
                counts.add(&request);
                match kind {
                    Kind::GlueJson => {
                        let line = json!({ request.operation: sorted(request.members) });
                        write(&mut out, &format!("{line}\n"))
                    }
                    Kind::HiveDdl => match statements.of(&request) {
                        Some(statement) => write(&mut out, &format!("{statement}\n\n")),
                        None => Ok(()),
                    },
                    Kind::Terraform => {
                        resources.add(&request);
                        Ok(())
                    }
                }
            })
            .await
        })?;
        if kind == Kind::Terraform {
            write(&mut out, &format!("{:#}\n", resources.document()))?;
        }
        out.flush().map_err(unwritable)?;
        drop(out);
        if let (Some(beside), Some(path)) = (&beside, &self.file) {
            std::fs::rename(beside, path).map_err(|cause| cant_write(path, &cause))?;
        }
        output::say(global.quiet, &format!("exported {counts}"));
        Ok(Outcome::Done)
    }
}

fn write(out: &mut impl Write, text: &str) -> Result<()> {
    out.write_all(text.as_bytes()).map_err(unwritable)
}

fn cant_write(path: &Path, cause: &std::io::Error) -> Error {
    Error::unavailable(format!("can't write {}: {cause}", path.display()))
}

/// The same with members by name: what is the same catalog is the same text.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members: BTreeMap<String, Value> = members.into_iter().collect();
            let members = members.into_iter();
            Value::Object(members.map(|(name, value)| (name, sorted(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

fn unwritable(cause: std::io::Error) -> Error {
    Error::unavailable(format!("the export can't be written: {cause}"))
}

/// What went over.
#[derive(Default)]
pub(super) struct Counts {
    databases: usize,
    tables: usize,
    partitions: usize,
    others: usize,
}

impl Counts {
    /// Counts what a request makes.
    pub(super) fn add(&mut self, request: &Request) {
        match request.operation {
            "CreateDatabase" => self.databases += 1,
            "CreateTable" => self.tables += 1,
            "BatchCreatePartition" => {
                let list = request.members["PartitionInputList"].as_array();
                self.partitions += list.map_or(0, Vec::len);
            }
            _ => self.others += 1,
        }
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            databases,
            tables,
            partitions,
            others,
        } = self;
        write!(
            f,
            "databases: {databases}, tables: {tables}, partitions: {partitions}, others: {others}"
        )
    }
}

/// Reads a catalog as the requests that would make it, in their order. Former versions of tables are no part of it.
///
/// # Errors
/// Those of the endpoint, and of `take`.
pub(super) async fn read(
    glue: &GlueClient,
    only: &[String],
    mut take: impl AsyncFnMut(Request) -> Result<()>,
) -> Result<()> {
    let mut arns = Arns::default();
    let databases = match only {
        [] => glue.all("GetDatabases", json!({}), "DatabaseList").await?,
        names => {
            let mut found = Vec::new();
            for name in names {
                let mut answer = glue.call("GetDatabase", &json!({ "Name": name })).await?;
                found.push(answer["Database"].take());
            }
            found
        }
    };
    for database in databases {
        let name = text(&database, "Name");
        arns.account = text(&database, "CatalogId");
        take(make(
            "CreateDatabase",
            json!({ "DatabaseInput": without_own(database) }),
        ))
        .await?;
        read_tags(glue, &mut arns, &format!("database/{name}"), &mut take).await?;
        let request = json!({ "DatabaseName": name });
        glue.pages("GetTables", request, "TableList", async |tables: Vec<Value>| {
            for table in tables {
                read_table(glue, &mut arns, &name, table, &mut take).await?;
            }
            Ok(())
        })
        .await?;
        let request = json!({ "DatabaseName": name, "Pattern": "*" });
        for function in glue
            .all("GetUserDefinedFunctions", request, "UserDefinedFunctions")
            .await?
        {
            let members = json!({ "DatabaseName": name, "FunctionInput": without_own(function) });
            take(make("CreateUserDefinedFunction", members)).await?;
        }
    }
    if only.is_empty() {
        for connection in glue.all("GetConnections", json!({}), "ConnectionList").await? {
            let name = text(&connection, "Name");
            let mut input = without_own(connection);
            for answered in [
                "ConnectionSchemaVersion",
                "StatusReason",
                "LastConnectionValidationTime",
            ] {
                input.remove(answered);
            }
            if let Some(environments) = input.remove("CompatibleComputeEnvironments") {
                input.insert("ValidateForComputeEnvironments".to_owned(), environments);
            }
            take(make("CreateConnection", json!({ "ConnectionInput": input }))).await?;
            read_tags(glue, &mut arns, &format!("connection/{name}"), &mut take).await?;
        }
    }
    Ok(())
}

async fn read_table(
    glue: &GlueClient,
    arns: &mut Arns,
    database: &str,
    table: Value,
    take: &mut impl AsyncFnMut(Request) -> Result<()>,
) -> Result<()> {
    let name = text(&table, "Name");
    let place = json!({ "DatabaseName": database, "TableName": name });
    let is_partitioned = table["PartitionKeys"]
        .as_array()
        .is_some_and(|keys| !keys.is_empty());
    let columns: Vec<String> = [&table["StorageDescriptor"]["Columns"], &table["PartitionKeys"]]
        .into_iter()
        .filter_map(Value::as_array)
        .flatten()
        .map(|column| text(column, "Name"))
        .collect();
    let mut members = json!({ "DatabaseName": database, "TableInput": without_own(table) });
    let indexes = match is_partitioned {
        true => {
            glue.all(
                "GetPartitionIndexes",
                place.clone(),
                "PartitionIndexDescriptorList",
            )
            .await?
        }
        false => Vec::new(),
    };
    if !indexes.is_empty() {
        let index = |index: &Value| {
            let keys = index["Keys"].as_array().into_iter().flatten();
            let keys: Vec<String> = keys.map(|key| text(key, "Name")).collect();
            json!({ "IndexName": index["IndexName"], "Keys": keys })
        };
        members["PartitionIndexes"] = indexes.iter().map(index).collect();
    }
    take(make("CreateTable", members)).await?;
    read_tags(glue, arns, &format!("table/{database}/{name}"), take).await?;
    for request in statistics(glue, "Table", place.clone(), &columns).await? {
        take(request).await?;
    }
    if is_partitioned {
        glue.pages(
            "GetPartitions",
            place.clone(),
            "Partitions",
            async |partitions: Vec<Value>| {
                for some in partitions.chunks(PARTITIONS) {
                    let list: Vec<Value> = some
                        .iter()
                        .map(|partition| Value::Object(without_own(partition.clone())))
                        .collect();
                    let mut members = place.clone();
                    members["PartitionInputList"] = Value::Array(list);
                    take(make("BatchCreatePartition", members)).await?;
                    let statistics = some.iter().map(|partition| {
                        let mut place = place.clone();
                        place["PartitionValues"] = partition["Values"].clone();
                        statistics(glue, "Partition", place, &columns)
                    });
                    // A question for each partition: many at a time, answered in their order.
                    let mut answers = futures::stream::iter(statistics).buffered(AT_A_TIME);
                    while let Some(requests) = answers.next().await {
                        for request in requests? {
                            take(request).await?;
                        }
                    }
                }
                Ok(())
            },
        )
        .await?;
    }
    Ok(())
}

/// The statistics of a table's or a partition's columns, as the requests that would make them.
async fn statistics(
    glue: &GlueClient,
    owner: &str,
    place: Value,
    columns: &[String],
) -> Result<Vec<Request>> {
    let mut requests = Vec::new();
    let (get, update) = match owner {
        "Table" => ("GetColumnStatisticsForTable", "UpdateColumnStatisticsForTable"),
        _ => (
            "GetColumnStatisticsForPartition",
            "UpdateColumnStatisticsForPartition",
        ),
    };
    for some in columns.chunks(STATISTICS) {
        let mut request = place.clone();
        request["ColumnNames"] = json!(some);
        let mut answer = glue.call(get, &request).await?;
        let Some(Value::Array(list)) = answer.get_mut("ColumnStatisticsList").map(Value::take) else {
            continue;
        };
        // Glue takes 25 at a time.
        for some in list.chunks(25) {
            let mut members = place.clone();
            members["ColumnStatisticsList"] = json!(some);
            requests.push(make(update, members));
        }
    }
    Ok(requests)
}

/// How resources of the catalog that is read are called.
#[derive(Default)]
struct Arns {
    account: String,
    /// The kinds of resource that this catalog has no tags for.
    untagged: Vec<String>,
}

async fn read_tags(
    glue: &GlueClient,
    arns: &mut Arns,
    resource: &str,
    take: &mut impl AsyncFnMut(Request) -> Result<()>,
) -> Result<()> {
    let kind = resource.split('/').next().unwrap_or_default().to_owned();
    if arns.untagged.contains(&kind) {
        return Ok(());
    }
    let arn = format!("arn:aws:glue:us-east-1:{}:{resource}", arns.account);
    match glue.call("GetTags", &json!({ "ResourceArn": arn })).await {
        Ok(answer) => {
            let tags = answer["Tags"].as_object().cloned().unwrap_or_default();
            if tags.is_empty() {
                return Ok(());
            }
            take(make(
                "TagResource",
                json!({ "ResourceArn": arn, "TagsToAdd": tags }),
            ))
            .await
        }
        // AWS tags some kinds of resource only, and asks for a permission of its own.
        Err(error)
            if matches!(
                error.kind,
                ErrorKind::Invalid | ErrorKind::NotFound | ErrorKind::Denied
            ) =>
        {
            arns.untagged.push(kind);
            Ok(())
        }
        Err(error) => Err(error),
    }
}

fn without_own(described: Value) -> Map<String, Value> {
    let Value::Object(mut members) = described else {
        return Map::new();
    };
    members.retain(|name, _| !OWN_MEMBERS.contains(&name.as_str()));
    members
}
