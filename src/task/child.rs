//! The child's side: limits first, then the work, then one last line.

use std::io::{BufRead, Write};

use rustix::process::{Resource, Rlimit, Signal, getppid, set_parent_process_death_signal, setrlimit};

use super::children::Means;
use super::{Assignment, Done, Failure, Message, Spec, Tables, Work, classify, inventory, sql};
use crate::buckets::Buckets;
use crate::error::{Error, Result};
use crate::model::run::LogLevel;

/// Stack of the threads that plan and run SQL, in bytes: plans are walked recursively.
const STACK_BYTES: usize = 16 << 20;

/// Does what the line on stdin says, and says on stdout what came of it.
///
/// # Errors
/// Invalid where stdin holds no spec. Failures of the work itself are said, not returned.
pub fn main() -> Result<()> {
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
    limit_this_process(&spec)?;
    let means = Means {
        limits: spec.limits,
        spill,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(std::thread::available_parallelism().map_or(2, usize::from))
        .thread_stack_size(STACK_BYTES)
        .enable_all()
        .build()
        .map_err(|cause| Error::unavailable("no threads can be started").source(cause))?;
    runtime.block_on(async {
        // On a thread of the pool, whose stack is the big one.
        let outcome = tokio::spawn(work(spec, means)).await;
        match outcome {
            Ok(Ok(Some(done))) => say(&Message::Done(Box::new(done))),
            Ok(Ok(None)) => say(&Message::Done(Box::default())),
            Ok(Err(error)) => say(&Message::Failed(Failure::from(error))),
            Err(panic) => say(&Message::Failed(Failure::from(Error::internal(format!(
                "it panicked: {panic}"
            ))))),
        }
    });
    Ok(())
}

async fn work(spec: Spec, means: Means) -> Result<Option<Done>> {
    let buckets = match &spec.access {
        Some(access) => Some(Buckets::new(access).await?),
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
            Ok(None)
        }
        Work::Inventory { manifest, bucket } => {
            inventory::run(&required()?, &manifest, &bucket, &means).await?;
            Ok(None)
        }
        Work::Script(script) => sql::run_script(required()?, script, &means).await.map(Some),
        Work::Query(query) => sql::run_query(required()?, query, &means).await.map(Some),
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

/// Says one line to the parent. Where nobody listens any more there is nothing left to do.
pub(super) fn say(message: &Message) {
    let mut stdout = std::io::stdout().lock();
    let written = serde_json::to_writer(&mut stdout, message)
        .map_err(std::io::Error::from)
        .and_then(|()| stdout.write_all(b"\n"))
        .and_then(|()| stdout.flush());
    if written.is_err() {
        std::process::exit(1);
    }
}

/// Says a piece of a query's rows.
pub(super) fn say_rows(text: &[u8]) {
    say(&Message::Rows {
        length: text.len(),
        text: Vec::new(),
    });
    let mut stdout = std::io::stdout().lock();
    if stdout.write_all(text).and_then(|()| stdout.flush()).is_err() {
        std::process::exit(1);
    }
}

/// Adds a line to the run's log.
pub(super) fn log(level: LogLevel, message: impl Into<String>) {
    say(&Message::Log {
        level,
        message: message.into(),
    });
}

/// Asks the parent for the tables of a query.
pub(super) fn ask_for_tables(names: Vec<String>) -> Result<Tables> {
    say(&Message::NeedTables { names });
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|cause| Error::internal("the server did not answer").source(cause))?;
    serde_json::from_str(&line)
        .map_err(|cause| Error::internal("the server's answer can't be read").source(cause))
}
