//! The engine as it works here: what it may hold in memory and on the disk, and files as one table of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{DataFrame, SessionConfig, SessionContext};

use super::children::Means;
use super::failure::failure;
use super::{FileOfTable, ObjectToRead, TableToRead, source};
use crate::buckets::Buckets;
use crate::error::Result;

/// A session within what the child may use.
pub(super) fn context(means: &Means) -> Result<SessionContext> {
    let pool_bytes = usize::try_from(means.limits.memory_bytes / 2).unwrap_or(usize::MAX);
    let disk = match &means.spill {
        Some(spill) => DiskManagerBuilder::default()
            .with_mode(DiskManagerMode::Directories(vec![spill.folder.clone()]))
            .with_max_temp_directory_size(spill.bytes),
        None => DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled),
    };
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(FairSpillPool::new(pool_bytes)))
        .with_disk_manager_builder(disk)
        .build_arc()
        .map_err(|cause| failure(&cause))?;
    // The engine would read and write this machine's files by itself.
    let files_of_this_machine = datafusion::execution::object_store::ObjectStoreUrl::local_filesystem();
    runtime
        .deregister_object_store(files_of_this_machine.as_ref())
        .map_err(|cause| failure(&cause))?;
    let config = SessionConfig::new()
        .with_information_schema(false)
        .with_round_robin_repartition(false);
    Ok(SessionContext::new_with_config_rt(config, runtime))
}

/// Files as one table.
pub(super) async fn table_of(
    buckets: &Buckets,
    files: Vec<ObjectToRead>,
    means: &Means,
) -> Result<DataFrame> {
    const NAME: &str = "files";
    let of_no_partition = |object| FileOfTable {
        object,
        partition: BTreeMap::new(),
    };
    let table = TableToRead {
        name: NAME.to_owned(),
        files: files.into_iter().map(of_no_partition).collect(),
        columns: Vec::new(),
        as_declared: false,
        csv: None,
        null: None,
        strict: false,
    };
    let ctx = context(means)?;
    source::register(&ctx, buckets, vec![table]).await?;
    ctx.table(NAME).await.map_err(|cause| failure(&cause))
}
