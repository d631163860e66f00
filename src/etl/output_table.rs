//! The output's table: kept in the catalog with the partition that a run wrote.

use classifiers::DataType;

use crate::app::App;
use crate::catalog::formats::{self, FileFormat};
use crate::catalog::{databases, tables};
use crate::error::{Error, Result};
use crate::model::job::{Job, OutputDefinition, OutputFormat};
use crate::model::location::{Location, partition_of_segment};
use crate::model::name::TableRef;
use crate::model::partition::PartitionInput;
use crate::model::run::RunOutput;
use crate::model::table::{Column, TableInput};
use crate::store::{self, Tx};

/// An output folder, taken apart: the table's location, and the partition's keys and values.
struct Place {
    root: String,
    partition: Vec<(String, String)>,
}

/// Takes `…/yellow_green/ym=2022-01/` apart at its first `key=value` folder.
fn place_of(folder: &Location) -> Place {
    let segments: Vec<&str> = folder
        .key
        .split('/')
        .filter(|segment| !segment.is_empty())
        .collect();
    let first = segments
        .iter()
        .position(|segment| partition_of_segment(segment).is_some())
        .unwrap_or(segments.len());
    let root = segments[..first]
        .iter()
        .fold(String::new(), |root, segment| format!("{root}{segment}/"));
    Place {
        root: folder.with_key(root).to_string(),
        partition: segments[first..]
            .iter()
            .filter_map(|segment| partition_of_segment(segment))
            .collect(),
    }
}

/// Refuses columns that no catalog could hold, before anything is published.
pub(super) fn check(folder: &Location, columns: &[(String, String)]) -> Result<()> {
    let mut seen: Vec<String> = place_of(folder)
        .partition
        .into_iter()
        .map(|(key, _)| key)
        .collect();
    let keys = seen.len();
    for (name, _) in columns {
        let name = name.to_lowercase();
        match seen.iter().position(|known| *known == name) {
            Some(key) if key < keys => {
                return Err(Error::invalid(format!(
                    "the result has the column {name}, which is a partition key too"
                ))
                .hint(format!(
                    "its value is in the folder's name: leave {name} out of the SELECT"
                )));
            }
            Some(_) => {
                return Err(Error::invalid(format!("the result has the column {name} twice"))
                    .hint("give one of them another name with AS"));
            }
            None => seen.push(name),
        }
    }
    Ok(())
}

/// Brings the table and its partition up to date, in the transaction that ends the run.
pub(super) async fn keep(
    app: &App,
    tx: &mut Tx,
    job: &Job,
    output: &OutputDefinition,
    folder: &Location,
    columns: &[(String, String)],
    files: &[RunOutput],
) -> Result<()> {
    let Some(table) = &output.table else {
        return Ok(());
    };
    let name = TableRef::parse(table)?;
    databases::ensure(app, tx, &name.database).await?;
    let place = place_of(folder);
    let format = format_of(output.format);
    let columns: Vec<Column> = columns
        .iter()
        .map(|(name, hive)| Column::new(name.to_lowercase(), hive.clone()))
        .collect();
    let found = store::tables::find(tx, &name).await?;
    let input = table_input(
        job,
        &name,
        &place,
        &format,
        &columns,
        found.as_ref().map(|table| &table.input),
    );
    match found {
        Some(current) => tables::replace(app, tx, &current, input).await?,
        None => {
            tables::insert(app, tx, &name.database, input).await?;
        }
    }
    if place.partition.is_empty() {
        return Ok(());
    }
    let mut parameters = format.parameters();
    let total = |count: fn(&RunOutput) -> i64| files.iter().map(count).sum::<i64>().to_string();
    parameters.insert("recordCount".to_owned(), total(|file| file.rows));
    parameters.insert("sizeKey".to_owned(), total(|file| file.size));
    parameters.insert("objectCount".to_owned(), files.len().to_string());
    let partition = PartitionInput {
        values: place.partition.into_iter().map(|(_, value)| value).collect(),
        storage: Some(format.storage(folder.to_string(), columns)),
        parameters,
        other: serde_json::Map::new(),
    };
    let table = tables::require(tx, &name).await?;
    let mut adding = store::partitions::Adding::to(&table, app.clock.now());
    adding.upsert(tx, &partition).await
}

fn table_input(
    job: &Job,
    name: &TableRef,
    place: &Place,
    format: &FileFormat,
    columns: &[Column],
    current: Option<&TableInput>,
) -> TableInput {
    let mut input = current.cloned().unwrap_or_default();
    let columns = widened(columns, input.columns());
    let storage = format.storage(place.root.clone(), columns);
    input.name.clone_from(&name.name);
    if input.description.is_none() {
        input.description.clone_from(&job.definition.description);
    }
    input.table_type = Some("EXTERNAL_TABLE".to_owned());
    input.partition_keys = place
        .partition
        .iter()
        .map(|(key, _)| Column::new(key.clone(), "string"))
        .collect();
    input.storage = Some(storage);
    input.parameters.extend(format.parameters());
    input
        .parameters
        .insert("UPDATED_BY_JOB".to_owned(), job.name.clone());
    input
}

/// The new columns, each wide enough for what was there before, with the comments that people wrote.
fn widened(new: &[Column], old: &[Column]) -> Vec<Column> {
    let widen = |column: &Column| {
        let Some(known) = old.iter().find(|known| known.name == column.name) else {
            return column.clone();
        };
        let data_type = match (
            column.data_type.as_deref().map(str::parse),
            known.data_type.as_deref().map(str::parse),
        ) {
            (Some(Ok(new)), Some(Ok(old))) => {
                let merged: DataType = DataType::merge(new, old);
                Some(merged.to_string())
            }
            _ => column.data_type.clone(),
        };
        Column {
            data_type,
            comment: known.comment.clone(),
            parameters: known.parameters.clone(),
            ..column.clone()
        }
    };
    new.iter().map(widen).collect()
}

fn format_of(format: OutputFormat) -> FileFormat {
    match format {
        OutputFormat::Csv => formats::written_csv(),
        OutputFormat::Json => FileFormat::Json { path: None },
        OutputFormat::Parquet => FileFormat::Parquet,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_folder_is_a_table_and_a_partition() {
        let place = place_of(&Location::parse("s3://lake/curated/yellow_green/ym=2022-01/").unwrap());
        assert_eq!(place.root, "s3://lake/curated/yellow_green/");
        assert_eq!(place.partition, [("ym".to_owned(), "2022-01".to_owned())]);
        let plain = place_of(&Location::parse("s3://lake/out/").unwrap());
        assert_eq!(
            (plain.root.as_str(), plain.partition.len()),
            ("s3://lake/out/", 0)
        );
    }

    #[test]
    fn a_column_may_not_repeat_a_partition_key() {
        let folder = Location::parse("s3://lake/t/ym=2022-01/").unwrap();
        let columns = |names: &[&str]| {
            names
                .iter()
                .map(|n| ((*n).to_owned(), "int".to_owned()))
                .collect::<Vec<_>>()
        };
        assert!(check(&folder, &columns(&["a", "b"])).is_ok());
        assert!(
            check(&folder, &columns(&["YM"]))
                .unwrap_err()
                .message
                .contains("partition key")
        );
        assert!(
            check(&folder, &columns(&["a", "A"]))
                .unwrap_err()
                .message
                .contains("twice")
        );
    }
}
