//! The child's side: limits first, then the work, then one last line.

use std::io::BufRead;
use std::path::Path;
use std::sync::Arc;

use rustix::process::{Resource, Rlimit, Signal, getppid, set_parent_process_death_signal, setrlimit};

use super::children::Means;
use super::speech::say;
use super::{Assignment, Failure, Message, Spec, Work, classify, gather, iceberg, inventory, process, sql};
use crate::buckets::{Buckets, NearObjects};
use crate::error::{Error, Result};

/// Stack of the threads that plan and run SQL, in bytes: plans are walked recursively.
const STACK_BYTES: usize = 16 << 20;

/// Opens a lake's folder for reading, where that can be had.
pub type Near = fn(&Path) -> Option<Arc<dyn NearObjects>>;

/// Does what the line on stdin says, and says on stdout what came of it.
///
/// # Errors
/// Invalid where stdin holds no spec. Failures of the work itself are said, not returned.
pub fn main(near: Near) -> Result<()> {
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|cause| Error::invalid("stdin can't be read").source(cause))?;
    let assignment: Assignment = serde_json::from_str(&line).map_err(|cause| {
        Error::invalid("stdin holds no task")
            .hint("`mastic task` is started by mastic itself")
            .source(cause)
    })?;
    let Assignment { spec, spill } = assignment;
    let means = Means {
        limits: spec.limits,
        spill,
    };
    match spec.work {
        Work::Run(program) => {
            say(&process::watch(program, spec.access.as_ref(), &means)
                .unwrap_or_else(|error| Message::Failed(Failure::from(error))));
            return Ok(());
        }
        Work::Become(placed) => return Err(process::become_it(placed, spec.limits)),
        _ => {}
    }
    limit_this_process(&spec)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(std::thread::available_parallelism().map_or(2, usize::from))
        .thread_stack_size(STACK_BYTES)
        .enable_all()
        .build()
        .map_err(|cause| Error::unavailable("no threads can be started").source(cause))?;
    runtime.block_on(async {
        // On a thread of the pool, whose stack is the big one.
        let outcome = tokio::spawn(work(spec, means, near)).await;
        match outcome {
            Ok(Ok(end)) => say(&end),
            Ok(Err(error)) => say(&Message::Failed(Failure::from(error))),
            Err(panic) => say(&Message::Failed(Failure::from(Error::internal(format!(
                "it panicked: {panic}"
            ))))),
        }
    });
    Ok(())
}

/// Does the work; the message that it ends with.
async fn work(spec: Spec, means: Means, near: Near) -> Result<Message> {
    let buckets = match &spec.access {
        Some(access) => {
            let near = access.folder().and_then(near);
            Some(Buckets::new(access).await?.beside(near))
        }
        None => None,
    };
    let required = || {
        buckets
            .clone()
            .ok_or_else(|| Error::internal("a task has no object store"))
    };
    match spec.work {
        Work::Classify { files, custom } => {
            classify::run(buckets, files, &custom, &means).await;
            Ok(Message::Done)
        }
        Work::Inventory { manifest, bucket } => {
            inventory::run(&required()?, &manifest, &bucket, &means).await?;
            Ok(Message::Done)
        }
        Work::IcebergMetadata { file } => {
            let metadata = iceberg::metadata(&required()?, &file).await?;
            say(&Message::IcebergMetadata { metadata });
            Ok(Message::Done)
        }
        Work::Script(script) => {
            let written = sql::run_script(required()?, script, &means).await?;
            Ok(Message::Wrote(Box::new(written)))
        }
        Work::Gather(work) => {
            let written = gather::run(required()?, work, &means).await?;
            Ok(Message::Wrote(Box::new(written)))
        }
        Work::Query(query) => sql::run_query(required()?, query, &means).await,
        Work::Run(_) | Work::Become(_) => Err(Error::internal("a program is run by itself")),
    }
}

/// Sets the limits that the spec names, and makes sure that this process doesn't outlive its parent.
fn limit_this_process(spec: &Spec) -> Result<()> {
    let parent = getppid();
    set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(|cause| Error::unavailable("the parent's death can't be watched").source(cause))?;
    if getppid() != parent {
        return Err(Error::unavailable("the parent died"));
    }
    let limit = |resource, value: u64| {
        let both = Rlimit {
            current: Some(value),
            maximum: Some(value),
        };
        setrlimit(resource, both)
            .map_err(|cause| Error::unavailable(format!("the limit {resource:?} can't be set")).source(cause))
    };
    limit(Resource::Core, 0)?;
    limit(Resource::As, spec.limits.memory_bytes)?;
    limit(Resource::Cpu, spec.limits.cpu_seconds)
}
