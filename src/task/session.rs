//! The engine as it works here: what it may hold in memory and on the disk, and files as one table of it.

use std::sync::Arc;

use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::optimizer::AnalyzerRule;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::prelude::{DataFrame, SessionConfig, SessionContext};

use super::children::Means;
use super::failure::failure;
use super::{FilesToRead, ObjectToRead, TableToRead, read};
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
    let ctx = SessionContext::new_with_config_rt(config, runtime);
    let mut rules: Vec<Arc<dyn AnalyzerRule + Send + Sync>> = vec![Arc::new(read::CompareAsMeant)];
    rules.extend(ctx.state().analyzer().rules.iter().cloned());
    let mut physical: Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> =
        vec![Arc::new(read::ExtremesFromFooters)];
    physical.extend(ctx.state().physical_optimizers().iter().cloned());
    let state = SessionStateBuilder::new_from_existing(ctx.state())
        .with_analyzer_rules(rules)
        .with_physical_optimizer_rules(physical)
        .build();
    Ok(SessionContext::new_with_state(state))
}

/// Files as one table.
pub(super) async fn table_of(
    buckets: &Buckets,
    files: Vec<ObjectToRead>,
    means: &Means,
) -> Result<DataFrame> {
    const NAME: &str = "files";
    let table = TableToRead {
        name: NAME.to_owned(),
        columns: Vec::new(),
        keys: Vec::new(),
        as_declared: false,
        format: None,
        strict: false,
        rows: None,
        files: FilesToRead::whole(files),
    };
    let ctx = context(means)?;
    read::register(&ctx, buckets, vec![table]).await?;
    ctx.table(NAME).await.map_err(|cause| failure(&cause))
}
