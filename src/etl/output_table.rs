//! The output's table: kept in the catalog with the partition that a run wrote.

use classifiers::{DataType, JsonDocuments, Layout};

use crate::app::App;
use crate::catalog::formats::{self, FileFormat};
use crate::catalog::{databases, tables};
use crate::error::{Error, Result};
use crate::model::job::{Job, OutputDefinition, OutputFormat, OutputMode};
use crate::model::location::{Location, partition_of_segment};
use crate::model::name::TableRef;
use crate::model::partition::PartitionInput;
use crate::model::run::RunOutput;
use crate::model::table::{Column, Table, TableInput, UPDATED_BY_JOB};
use crate::store::{self, Write};

/// An output folder, taken apart: the table's location, and the partition's keys and values.
struct Place {
    root: String,
    partition: Vec<(String, String)>,
}

impl Place {
    fn keys(&self) -> Vec<Column> {
        let key = |(key, _): &(String, String)| Column::new(key.clone(), "string");
        self.partition.iter().map(key).collect()
    }
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

/// What a run wrote.
pub(super) struct Written<'a> {
    /// The columns with their types.
    pub(super) columns: &'a [(String, String)],
    /// The files.
    pub(super) files: &'a [RunOutput],
    /// Whether any field of CSV is in quotes.
    pub(super) quoted: bool,
}

/// Brings the table and its partition up to date, in the transaction that ends the run.
pub(super) async fn keep(
    app: &App,
    tx: &mut Write,
    job: &Job,
    output: &OutputDefinition,
    folder: &Location,
    written: &Written<'_>,
) -> Result<()> {
    let Some(table) = &output.table else {
        return Ok(());
    };
    let name = TableRef::parse(table)?;
    databases::ensure(app, tx, &name.database).await?;
    let place = place_of(folder);
    let format = format_of(output, written.quoted)?;
    let columns: Vec<Column> = written
        .columns
        .iter()
        .map(|(name, hive)| Column::new(name.to_lowercase(), hive.clone()))
        .collect();
    let mut table = tables::ensure(app, tx, &name, || {
        table_input(job, &name, &place, &format, concrete(columns.clone()), None)
    })
    .await?;
    let kept = !place.partition.is_empty();
    if kept {
        let partition = partition_input(&place, &format, &columns, folder, written.files);
        table = keep_partition(app, tx, table, place.keys(), &partition).await?;
    }
    let columns = match kept {
        // The sum of the partitions, which have their own each.
        true => sum(
            &store::partitions::columns_in_use(tx, &table.id).await?,
            table.input.columns(),
        ),
        false if output.mode == OutputMode::Append => {
            sum(&[table.input.columns().to_vec(), columns], table.input.columns())
        }
        false => sum(&[columns], &[]),
    };
    let columns = with_words(columns, table.input.columns());
    // One partition in quotes is enough: without a SerDe that knows them it would be read wrongly.
    let stays = kept || output.mode == OutputMode::Append;
    let was_quoted = stays && table.input.storage.as_ref().is_some_and(formats::is_open_csv);
    let format = format_of(output, written.quoted || was_quoted)?;
    let input = table_input(job, &name, &place, &format, columns, Some(&table.input));
    if input != table.input {
        tables::replace(app, tx, &table, input).await?;
    }
    Ok(())
}

/// Brings the partition up to date, in a table with these keys; gives the table as it is then.
async fn keep_partition(
    app: &App,
    tx: &mut Write,
    mut table: Table,
    keys: Vec<Column>,
    partition: &PartitionInput,
) -> Result<Table> {
    if table.input.partition_keys != keys {
        let mut input = table.input.clone();
        input.partition_keys = keys;
        tables::replace(app, tx, &table, input).await?;
        table = tables::require(tx, &table.name()).await?;
    }
    store::partitions::Adding::to(&table, app.clock.now())
        .upsert(tx, partition)
        .await?;
    Ok(table)
}

fn partition_input(
    place: &Place,
    format: &FileFormat,
    columns: &[Column],
    folder: &Location,
    files: &[RunOutput],
) -> PartitionInput {
    let mut parameters = format.parameters();
    let total = |count: fn(&RunOutput) -> i64| files.iter().map(count).sum::<i64>().to_string();
    parameters.insert("recordCount".to_owned(), total(|file| file.rows));
    parameters.insert("sizeKey".to_owned(), total(|file| file.size));
    parameters.insert("objectCount".to_owned(), files.len().to_string());
    PartitionInput {
        values: place.partition.iter().map(|(_, value)| value.clone()).collect(),
        storage: Some(format.storage(folder.to_string(), concrete(columns.to_vec()))),
        parameters,
        other: serde_json::Map::new(),
    }
}

fn table_input(
    job: &Job,
    name: &TableRef,
    place: &Place,
    format: &FileFormat,
    columns: Vec<Column>,
    current: Option<&TableInput>,
) -> TableInput {
    let mut input = current.cloned().unwrap_or_default();
    let storage = format.storage(place.root.clone(), columns);
    input.name.clone_from(&name.name);
    if input.description.is_none() {
        input.description.clone_from(&job.definition.description);
    }
    input.table_type = Some("EXTERNAL_TABLE".to_owned());
    input.partition_keys = place.keys();
    input.storage = Some(storage);
    input.parameters.extend(format.parameters());
    input
        .parameters
        .insert(UPDATED_BY_JOB.to_owned(), job.name.clone());
    input
}

/// The parameter of a column of which nothing but nulls was written: its type says nothing.
const ONLY_NULLS: &str = "mastic.only_nulls";

/// Columns as a catalog can hold them: one whose values are all null has a type, and says that it is none of its own.
fn concrete(columns: Vec<Column>) -> Vec<Column> {
    let concrete = |mut column: Column| {
        if type_of(&column) == Some(DataType::Null) {
            column.data_type = Some(DataType::String.to_string());
            column.parameters.insert(ONLY_NULLS.to_owned(), "true".to_owned());
        }
        column
    };
    columns.into_iter().map(concrete).collect()
}

fn type_of(column: &Column) -> Option<DataType> {
    if column.parameters.contains_key(ONLY_NULLS) {
        return Some(DataType::Null);
    }
    formats::real_type(column)?.parse().ok()
}

/// The columns of several parts of a table: each column of any, wide enough for all. They stand in the order that is known,
/// and behind those the new ones.
fn sum(parts: &[Vec<Column>], known: &[Column]) -> Vec<Column> {
    let mut all: Vec<Column> = Vec::new();
    // Of text that is kept as such, by what it is.
    let real = parts.iter().flatten().map(formats::as_it_is);
    for column in &real.collect::<Vec<_>>() {
        let Some(there) = all.iter_mut().find(|there| there.name == column.name) else {
            all.push(column.clone());
            continue;
        };
        let merged = match (type_of(there), type_of(column)) {
            (Some(DataType::Null), Some(_)) => column.clone(),
            (_, Some(DataType::Null)) => continue,
            (Some(a), Some(b)) => Column::new(there.name.clone(), a.merge(b).to_string()),
            _ => continue,
        };
        *there = merged;
    }
    let place = |column: &Column| {
        let at = known.iter().position(|known| known.name == column.name);
        at.unwrap_or(known.len())
    };
    all.sort_by_key(place);
    concrete(all)
}

/// Columns with the comments and the parameters that people wrote.
fn with_words(columns: Vec<Column>, known: &[Column]) -> Vec<Column> {
    let with_words = |mut column: Column| {
        if let Some(known) = known.iter().find(|known| known.name == column.name) {
            column.comment.clone_from(&known.comment);
            for (name, value) in &known.parameters {
                if !name.starts_with("mastic.") {
                    column.parameters.insert(name.clone(), value.clone());
                }
            }
        }
        column
    };
    columns.into_iter().map(with_words).collect()
}

fn format_of(output: &OutputDefinition, quoted: bool) -> Result<FileFormat> {
    Ok(match output.format {
        OutputFormat::Csv => formats::written_csv(&output.csv()?, quoted),
        OutputFormat::Json => Layout::Json(JsonDocuments::Lines.into()).into(),
        OutputFormat::Parquet => Layout::Parquet.into(),
    })
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
    fn a_table_is_the_sum_of_its_parts() {
        let part = |columns: &[(&str, &str)]| -> Vec<Column> {
            let column = |(name, hive): &(&str, &str)| Column::new((*name).to_owned(), *hive);
            concrete(columns.iter().map(column).collect())
        };
        let new = part(&[("fee", "double"), ("n", "int"), ("cbd", "double")]);
        let old = part(&[("n", "bigint"), ("fee", "void")]);
        let types = |columns: &[Column]| -> Vec<String> {
            let describe = |column: &Column| {
                format!(
                    "{} {:?}",
                    column.name,
                    column.data_type.as_deref().unwrap_or_default()
                )
            };
            columns.iter().map(describe).collect()
        };
        let both = sum(&[new.clone(), old.clone()], &new);
        assert_eq!(types(&both), ["fee \"double\"", "n \"bigint\"", "cbd \"double\""]);
        let other_way = sum(&[old.clone(), new], &old);
        assert_eq!(
            types(&other_way),
            ["n \"bigint\"", "fee \"double\"", "cbd \"double\""]
        );
        assert_eq!(
            types(&sum(&[old.clone(), old], &[])),
            ["n \"bigint\"", "fee \"string\""]
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
