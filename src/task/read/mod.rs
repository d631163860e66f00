//! Tables as what the crawl saw: the one reading layer that queries, samples and jobs share.
//!
//! A table is a [`TableProvider`](datafusion::catalog::TableProvider) over files of any format. Its scan takes files as it
//! gets to them, from the spec or from the catalog, which is asked with the query's bounds on partition keys; each is read
//! as what it is, by what a crawl saw of it (by its ETag), and only one that no crawl saw is looked at. Files that name
//! their columns are read by name, others by position, and each column is brought to its table's type. What doesn't fit is
//! NULL in a catalogued table, counted and told, and an error in a job's input.
//!
//! In reading order: `table` is the provider, `scan` its execution, `files` where files come from, `keys` what a query asks
//! of partitions; `file` says how a file is read and `look` what it is; `text_file` (with `json`, `text` and `column`) and
//! `parquet_file` (with `prune` and `adapt`) read them; `remarks` is what there is to say; `to_json` writes values.

mod adapt;
mod column;
mod compare;
mod extremes;
mod file;
mod files;
mod json;
mod keys;
mod look;
mod parquet_file;
mod prune;
mod ranges;
mod reading;
mod remarks;
mod scan;
mod shape;
mod table;
mod text;
mod text_file;
pub(super) mod to_json;

use std::collections::HashSet;
use std::sync::Arc;

use classifiers::{DataType as Hive, Verdict};
use datafusion::catalog::{MemorySchemaProvider, SchemaProvider};
use datafusion::common::TableReference;
use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;
use futures::{StreamExt, TryStreamExt};

use file::FileRead;
use files::{FileAt, Files};
use remarks::{Kind, Remarks};
use shape::TableShape;
use table::LakeTable;

use super::failure::refused;
use super::{FilesToRead, TableToRead, judge, speech};
use crate::buckets::Buckets;
use crate::error::{Error, Result};
use crate::model::run::LogLevel;

pub(super) use compare::CompareAsMeant;
pub(super) use extremes::ExtremesFromFooters;

/// How many files are looked at at the same time.
const LOOKS: usize = 4;

/// The tables that a script or a query reads.
pub(super) struct Tables {
    tables: Vec<Arc<TableShape>>,
    /// The rows of each file of each, where they are known beforehand.
    rows: Vec<Vec<Option<u64>>>,
}

/// Registers tables with the engine. Files of a job's input are looked at, because they say which columns it has.
///
/// # Errors
/// Invalid where a file can't be read as a table; those of the store.
pub(super) async fn register(
    ctx: &SessionContext,
    buckets: &Buckets,
    tables: Vec<TableToRead>,
) -> Result<Tables> {
    let (mut shapes, mut rows) = (Vec::new(), Vec::new());
    for (number, table) in tables.into_iter().enumerate() {
        let name = table.name.clone();
        let (shape, files, counted) = shaped(buckets, number, table).await?;
        let shape = Arc::new(shape);
        let provider = LakeTable {
            schema: shape.schema(),
            shape: Arc::clone(&shape),
            buckets: buckets.clone(),
            files,
        };
        register_as(ctx, &name, provider)?;
        shapes.push(shape);
        rows.push(counted);
    }
    Ok(Tables { tables: shapes, rows })
}

impl Tables {
    /// The rows of each file of each table, where they are known beforehand.
    pub(super) fn rows(&self) -> Vec<Vec<Option<u64>>> {
        self.rows.clone()
    }

    /// What is worth saying of the rows that were read.
    pub(super) fn remarks(&self) -> Vec<String> {
        let tables = self.tables.iter();
        tables
            .flat_map(|table| table.remarks.sentences(&table.name))
            .collect()
    }
}

/// An error of ours on its way through the engine, where it is found in again.
fn outward(error: Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// What a table is, and its files.
async fn shaped(
    buckets: &Buckets,
    number: usize,
    table: TableToRead,
) -> Result<(TableShape, Files, Vec<Option<u64>>)> {
    let keys = typed(&table.keys)?;
    let mut shape = TableShape {
        name: table.name.clone(),
        columns: typed(&table.columns)?,
        keys: keys.len(),
        format: table.format,
        is_declared: table.as_declared,
        is_strict: table.strict,
        rows: table.rows,
        remarks: Arc::new(Remarks::default()),
    };
    let given = match table.files {
        FilesToRead::Asked => None,
        FilesToRead::Given(page) => {
            let (files, left_out) = files::files_of(page);
            for why in left_out {
                shape.remarks.add(Kind::LeftOut, &why, 1, || why.clone());
            }
            Some(files)
        }
    };
    if table.as_declared {
        add_keys(&mut shape, keys);
        let rows = given.iter().flatten().map(|_| None).collect();
        let files = given.map_or(Files::Asked(number), Files::Given);
        return Ok((shape, files, rows));
    }
    let files = given.unwrap_or_default();
    let declared = Arc::new(shape);
    let reads = looked_at(buckets, &declared, &files).await?;
    let mut shape = Arc::unwrap_or_clone(declared);
    merge_columns(&mut shape, &reads);
    add_keys(&mut shape, keys);
    log_changes(&shape, &reads);
    let rows: Vec<Option<u64>> = reads.iter().map(|read| read.rows).collect();
    shape.rows = rows.iter().copied().sum();
    let files = files.into_iter().zip(reads);
    let files = files.map(|(file, read)| FileAt {
        read: Some(Arc::new(read)),
        ..file
    });
    Ok((shape, Files::Given(files.collect()), rows))
}

/// Adds the partition keys. One that is among the columns too is the partition's.
fn add_keys(shape: &mut TableShape, keys: Vec<(String, Hive)>) {
    shape
        .columns
        .retain(|(name, _)| !keys.iter().any(|(key, _)| key == name));
    shape.columns.extend(keys);
}

/// The files of a job's input: what each is, beside the others, with the types of all values.
async fn looked_at(buckets: &Buckets, shape: &Arc<TableShape>, files: &[FileAt]) -> Result<Vec<FileRead>> {
    let mut verdicts: Vec<Verdict> = futures::stream::iter(files.to_vec())
        .map(|file| verdict_of(buckets.clone(), file))
        .buffered(LOOKS)
        .try_collect()
        .await?;
    // As a crawl does.
    let settled = classifiers::settle_headers(&verdicts.iter().collect::<Vec<_>>());
    for (verdict, settled) in verdicts.iter_mut().zip(settled) {
        if let Some(settled) = settled {
            *verdict = settled;
        }
    }
    let owned: Vec<(FileAt, Verdict)> = files.iter().cloned().zip(verdicts).collect();
    futures::stream::iter(owned)
        .map(|(file, verdict)| look::whole(buckets.clone(), Arc::clone(shape), file, verdict))
        .buffered(LOOKS)
        .try_collect()
        .await
}

async fn verdict_of(buckets: Buckets, file: FileAt) -> Result<Verdict> {
    match file.look.as_deref() {
        Some(Ok(verdict)) => Ok(verdict.clone()),
        _ => {
            let verdict = judge::one(&buckets, &file.object).await;
            verdict.map_err(|error| error.within(file.object.path()))
        }
    }
}

/// The declared columns, then what else the files have: each as wide as all of them need it.
fn merge_columns(shape: &mut TableShape, files: &[FileRead]) {
    let declared = shape.columns.len();
    for column in files.iter().flat_map(|file| &file.columns) {
        let known = shape.columns.iter().position(|(name, _)| *name == column.name);
        match known {
            Some(known) if known < declared => {}
            Some(known) => {
                let merged = shape.columns[known].1.clone().merge(column.hive.clone());
                shape.columns[known].1 = merged;
            }
            None => shape.columns.push((column.name.clone(), column.hive.clone())),
        }
    }
}

/// Says in the log which columns differ between files.
fn log_changes(shape: &TableShape, files: &[FileRead]) {
    let mut said = HashSet::new();
    for column in files.iter().flat_map(|file| &file.columns) {
        let Some(hive) = shape.type_of(&column.name) else {
            continue;
        };
        if *hive != column.hive && column.hive != Hive::Null {
            let line = format!(
                "{}.{}: {} is read as {hive}",
                shape.name, column.name, column.hive
            );
            if said.insert(line.clone()) {
                speech::log(LogLevel::Info, line);
            }
        }
    }
}

fn typed(columns: &[(String, String)]) -> Result<Vec<(String, Hive)>> {
    let mut typed: Vec<(String, Hive)> = Vec::with_capacity(columns.len());
    for (name, text) in columns {
        let name = name.to_lowercase();
        // No engine has two columns of one name: the first is it.
        if typed.iter().any(|(known, _)| *known == name) {
            continue;
        }
        let hive = text
            .parse()
            .map_err(|cause| Error::invalid(format!("'{text}' is not a type: {cause}")))?;
        typed.push((name, hive));
    }
    Ok(typed)
}

fn register_as(ctx: &SessionContext, name: &str, table: LakeTable) -> Result<()> {
    let Some((database, name)) = name.split_once('.') else {
        ctx.register_table(TableReference::bare(name), Arc::new(table))
            .map_err(refused)?;
        return Ok(());
    };
    let catalog = ctx
        .catalog("datafusion")
        .ok_or_else(|| Error::internal("the engine has no catalog"))?;
    let schema = match catalog.schema(database) {
        Some(schema) => schema,
        None => {
            let schema: Arc<dyn SchemaProvider> = Arc::new(MemorySchemaProvider::new());
            catalog
                .register_schema(database, Arc::clone(&schema))
                .map_err(refused)?;
            schema
        }
    };
    schema
        .register_table(name.to_owned(), Arc::new(table))
        .map_err(refused)?;
    Ok(())
}
