//! What any operation may use.

use std::future::Future;
use std::ops::Deref;
use std::sync::Arc;

use tokio::sync::Notify;

use crate::access::{Authenticator, Caller};
use crate::buckets::{Access, Buckets};
use crate::clock::Clock;
use crate::config::Config;
use crate::error::Result;
use crate::store::Store;
use crate::store::watches::Watches;
use crate::task::Children;

/// The program's parts, and who asks for something to be done with them. Cheap to clone.
#[derive(Clone)]
pub struct App {
    parts: Arc<AppParts>,
    /// Who asks now: the program itself, unless a wire says otherwise.
    pub caller: Caller,
}

/// What the program is put together of.
#[derive(Clone)]
pub struct AppParts {
    /// The database.
    pub store: Store,
    /// The object stores.
    pub buckets: Buckets,
    /// How a child process reaches the object stores.
    pub access: Access,
    /// Who starts child processes.
    pub children: Arc<Children>,
    /// Time and ids.
    pub clock: Arc<dyn Clock>,
    /// The settings.
    pub config: Arc<Config>,
    /// The triggers in force, parsed.
    pub watches: Arc<Watches>,
    /// Says who asks.
    pub authenticator: Arc<dyn Authenticator>,
    /// Told whenever a task was put on the queue, so that a worker needn't wait for its next look.
    pub work_arrived: Arc<Notify>,
}

impl Deref for App {
    type Target = AppParts;

    fn deref(&self) -> &AppParts {
        &self.parts
    }
}

impl App {
    /// These parts, for the program itself.
    pub fn new(parts: AppParts) -> Self {
        Self {
            parts: Arc::new(parts),
            caller: Caller::program(),
        }
    }

    /// The same, for this caller.
    #[must_use]
    pub fn for_caller(&self, caller: Caller) -> Self {
        Self {
            parts: Arc::clone(&self.parts),
            caller,
        }
    }

    /// Waits for the commit of a transaction that put a task on the queue, and wakes a worker.
    ///
    /// # Errors
    /// As the commit.
    pub async fn commit_with_work(&self, commit: impl Future<Output = Result<()>> + Send) -> Result<()> {
        commit.await?;
        self.work_arrived.notify_one();
        Ok(())
    }
}
