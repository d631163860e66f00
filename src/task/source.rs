//! Objects as tables: each file is read as what it is, and brought to the columns that all files of the table share.
//!
//! Files may differ. A column that one lacks is NULL there; one that has different types has the widest of them. Types of
//! text files come from all their values, not from a sample: a row at the end counts as much as the first. Names are in
//! lower case, as in the catalog.

mod assemble;
mod look;

use std::sync::Arc;

use classifiers::{DataType as Hive, Verdict};
use datafusion::error::DataFusionError;
use datafusion::prelude::{DataFrame, SessionContext};
use futures::{StreamExt, TryStreamExt};

use assemble::{assemble, log_changes, target_columns};
use look::{FileRead, Format, look};

use super::failure::{failure, refused};
use super::{TableToRead, judge};
use crate::buckets::Buckets;
use crate::buckets::pinned::{PinnedObject, PinnedStore};
use crate::error::{Error, Result};

/// Where the pinned objects of this process are registered.
const STORE_URL: &str = "pinned://run/";
/// How many files are looked at at the same time.
const LOOKS: usize = 4;

/// The tables that a script or a query reads.
pub(super) struct Sources {
    pinned: Arc<PinnedStore>,
    tables: Vec<TableToRead>,
    /// The files of each.
    looked: Vec<Vec<FileRead>>,
}

/// Looks at the files of every table, and registers it.
pub(super) async fn register(
    ctx: &SessionContext,
    buckets: &Buckets,
    tables: Vec<TableToRead>,
) -> Result<Sources> {
    let objects: Vec<PinnedObject> = tables
        .iter()
        .flat_map(|table| &table.files)
        .map(|file| PinnedObject {
            bucket: file.object.bucket.clone(),
            key: file.object.key.clone(),
            etag: file.object.etag.clone(),
            size: file.object.size,
            last_modified: file.object.last_modified,
        })
        .collect();
    let pinned = Arc::new(PinnedStore::new(buckets.clone(), objects));
    let url = datafusion::execution::object_store::ObjectStoreUrl::parse(STORE_URL).map_err(refused)?;
    ctx.register_object_store(
        url.as_ref(),
        Arc::clone(&pinned) as Arc<dyn object_store::ObjectStore>,
    );

    let mut all = Vec::new();
    let mut first = 0;
    for table in &tables {
        let files = table.files.iter().cloned();
        let mut verdicts: Vec<Verdict> = futures::stream::iter(files.clone())
            .map(|file| async move {
                let verdict = judge::one(buckets, &file.object).await;
                verdict.map_err(|error| error.within(file.object.path()))
            })
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
        let looked: Vec<FileRead> = futures::stream::iter(files.zip(verdicts).enumerate())
            .map(|(index, (file, verdict))| look(ctx, buckets, &pinned, first + index, table, file, verdict))
            .buffered(LOOKS)
            .try_collect()
            .await?;
        let target = target_columns(table, &looked)?;
        log_changes(table, &target, &looked);
        let files: Vec<_> = table.files.iter().zip(&looked).collect();
        let frame = assemble(ctx, &pinned, first, table, &target, &files)?;
        register_view(ctx, &table.name, frame)?;
        all.push(looked);
        first += table.files.len();
    }
    Ok(Sources {
        pinned,
        tables,
        looked: all,
    })
}

impl Sources {
    /// The rows of each file of each table, where they were counted.
    pub(super) fn rows(&self) -> Vec<Vec<Option<u64>>> {
        let of_table = |files: &Vec<FileRead>| files.iter().map(|file| file.rows).collect();
        self.looked.iter().map(of_table).collect()
    }

    /// What is wrong by the name of its file, where the engine failed at a value and didn't say whose it is: the files are
    /// read by themselves, one after the other, up to the one that fails too.
    pub(super) async fn blame(&self, ctx: &SessionContext, cause: DataFusionError) -> Error {
        let error = failure(&cause);
        if !matches!(
            cause.find_root(),
            DataFusionError::ArrowError(..) | DataFusionError::ParquetError(_)
        ) {
            return error;
        }
        let mut first = 0;
        for (table, looked) in self.tables.iter().zip(&self.looked) {
            let Ok(target) = target_columns(table, looked) else {
                return error;
            };
            for (index, file) in table.files.iter().zip(looked).enumerate() {
                if matches!(file.1.format, Format::Csv(_)) {
                    continue;
                }
                let frame = assemble(ctx, &self.pinned, first + index, table, &target, &[file]);
                if let Err(cause) = read_through(frame).await {
                    return cause.within(file.0.object.path());
                }
            }
            first += table.files.len();
        }
        error
    }
}

async fn read_through(frame: Result<DataFrame>) -> Result<()> {
    let mut stream = frame?.execute_stream().await.map_err(|cause| failure(&cause))?;
    while stream
        .try_next()
        .await
        .map_err(|cause| failure(&cause))?
        .is_some()
    {}
    Ok(())
}

fn register_view(ctx: &SessionContext, name: &str, frame: DataFrame) -> Result<()> {
    use datafusion::catalog::{MemorySchemaProvider, SchemaProvider};
    let view = frame.into_view();
    let Some((database, table)) = name.split_once('.') else {
        ctx.register_table(datafusion::common::TableReference::bare(name), view)
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
    schema.register_table(table.to_owned(), view).map_err(refused)?;
    Ok(())
}

fn parse_type(text: &str) -> Result<Hive> {
    text.parse()
        .map_err(|cause| Error::invalid(format!("'{text}' is not a type: {cause}")))
}
