//! Who starts children: the one door that all of them pass, with how many there may be at once and where each may spill.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;

use super::door::Door;
use super::parent::{Child, Remains};
use super::spill::Spills;
use super::{Limits, Spec};
use crate::config::Config;
use crate::error::{Error, Result};

/// Starts children. A server has one of these, and every child of it comes from there.
#[derive(Debug)]
pub struct Children {
    program: PathBuf,
    queries: Door,
    background: Arc<Semaphore>,
    spills: Option<Spills>,
    started: AtomicU64,
}

impl Children {
    /// As many children as the settings allow.
    pub fn new(config: &Config) -> Self {
        let (tasks, queries) = (&config.tasks, &config.query);
        Self {
            program: tasks.program.clone(),
            queries: Door::new(queries.at_once, queries.queue, queries.wait),
            // Each worker's task has one child at the most, so nobody waits here unless that changes.
            background: Arc::new(Semaphore::new(tasks.workers.min(Semaphore::MAX_PERMITS))),
            spills: Some(Spills::new(tasks.spill_dir.clone(), tasks.spill_bytes)),
            started: AtomicU64::new(0),
        }
    }

    /// Those of a command that has no server: `at_once` of them, and they can't spill.
    pub fn of_a_command(program: PathBuf, at_once: usize) -> Self {
        Self {
            program,
            queries: Door::new(at_once, 0, Duration::ZERO),
            background: Arc::new(Semaphore::new(at_once)),
            spills: None,
            started: AtomicU64::new(0),
        }
    }

    /// Starts a child for a task of a worker, as soon as there is a place for one.
    ///
    /// # Errors
    /// Unavailable where the process can't be started.
    pub async fn start(&self, spec: &Spec) -> Result<Child> {
        let place = Arc::clone(&self.background)
            .acquire_owned()
            .await
            .map_err(|_| Error::unavailable("the server is stopping"))?;
        self.start_at(spec, place).await
    }

    /// Starts a child for somebody who waits for an answer.
    ///
    /// # Errors
    /// Unavailable where too many wait, and as [`Children::start`].
    pub async fn start_query(&self, spec: &Spec) -> Result<Child> {
        let place = self.queries.enter().await?;
        self.start_at(spec, place).await
    }

    /// Removes what servers that died left in the folder for spilled data.
    pub async fn remove_leftovers(self: &Arc<Self>) {
        let children = Arc::clone(self);
        let removing = move || children.spills.as_ref().map_or(0, Spills::remove_leftovers);
        match tokio::task::spawn_blocking(removing).await {
            Ok(1..) => tracing::info!("spilled data of a server that died is removed"),
            Ok(0) => {}
            Err(cause) => tracing::warn!("spilled data of servers that died stays: {cause}"),
        }
    }

    /// How many were started so far.
    pub fn started(&self) -> u64 {
        self.started.load(Ordering::Relaxed)
    }

    async fn start_at(&self, spec: &Spec, place: super::door::Place) -> Result<Child> {
        let spill = self.spills.as_ref().map(Spills::folder).transpose()?;
        self.started.fetch_add(1, Ordering::Relaxed);
        let remains = Remains { spill, place };
        Child::start(&self.program, spec, remains).await
    }
}

/// What a child is given to work with.
#[derive(Debug)]
pub(super) struct Means {
    pub(super) limits: Limits,
    pub(super) spill: Option<super::spill::Spill>,
}
