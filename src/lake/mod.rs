//! The embedded S3 endpoint: buckets in a folder, for those who have no object store yet.
//!
//! An object is a plain file at `ROOT/BUCKET/KEY`, so that other programs can look at it. Everything else (ETags,
//! metadata, uploads in progress) is in `ROOT/.mastic`. What holds, whatever happens:
//!
//! - a reader sees an object whole: the old one or the new one;
//! - an answered write or deletion is on the disk, even if the power fails in the next moment;
//! - every write or deletion is announced once, after it is on the disk and before it is answered.

mod arrival;
mod assembly;
mod bucket;
mod checksums;
mod conditions;
mod disk;
mod folder;
mod folder_cache;
mod keys;
mod listing;
mod multipart;
mod near;
mod object;
mod parse;
mod place;
mod publish;
mod receive;
mod record;
mod render;
mod roles;
mod serve;
mod shelf;
mod signed;
mod sweep;
mod unsigned;
mod wire;
mod writers;
mod xml;

use std::fmt;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::access::Authenticator;
use crate::clock::Clock;
use crate::error::{Error, Result};
use folder::Folder;
pub use near::near;
pub use sweep::Sweeper;

/// What became of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectChangeKind {
    /// It was written, for the first time or anew.
    Created,
    /// It is gone.
    Removed,
}

/// One completed change of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectChange {
    /// The bucket.
    pub bucket: String,
    /// The raw key.
    pub key: String,
    /// Written or gone.
    pub kind: ObjectChangeKind,
    /// Bytes; none of an object that is gone.
    pub size: Option<u64>,
    /// Without quotes; none of an object that is gone.
    pub etag: Option<String>,
    /// S3's name for it: `ObjectCreated:Put`, `ObjectCreated:Copy`, `ObjectCreated:CompleteMultipartUpload` or
    /// `ObjectRemoved:Delete`.
    pub event_name: &'static str,
}

/// Whoever wants to know of changes. The client has its answer when the future is done.
pub type Announce = Arc<dyn Fn(ObjectChange) -> BoxFuture<'static, ()> + Send + Sync>;

/// Buckets in a folder, ready to be served.
pub struct Lake {
    folder: Arc<Folder>,
    authenticator: Arc<dyn Authenticator>,
    region: Option<String>,
    upload_expiry: Duration,
    announce: Announce,
    /// Changes wait until this says true; there is nothing to wait for without it.
    gate: Option<watch::Receiver<bool>>,
}

/// How old an unfinished upload may get unless it is said otherwise.
pub const UPLOAD_EXPIRY: Duration = Duration::from_secs(7 * 24 * 60 * 60);

impl fmt::Debug for Lake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lake")
            .field("root", &self.folder.root())
            .finish_non_exhaustive()
    }
}

impl Lake {
    /// Takes the folder `root`, which is made where it is missing. Where `authenticator` takes
    /// requests that aren't signed, whoever reaches the endpoint is taken, so serve it on a loopback address only.
    ///
    /// # Errors
    /// `Conflict` when another process has the folder; `Unavailable` when it can't be made or written.
    pub fn new(root: PathBuf, authenticator: Arc<dyn Authenticator>, announce: Announce) -> Result<Self> {
        Ok(Self {
            folder: Arc::new(Folder::open(root)?),
            authenticator,
            region: None,
            upload_expiry: UPLOAD_EXPIRY,
            announce,
            gate: None,
        })
    }

    /// Lets changes wait, reads not, until `gate` says true: until those who listen are ready to hear of them.
    #[must_use]
    pub fn open_for_changes_after(mut self, gate: watch::Receiver<bool>) -> Self {
        self.gate = Some(gate);
        self
    }

    /// Takes signatures for `region` only. Without this, and where none is needed, those for any region will do.
    #[must_use]
    pub fn in_region(mut self, region: Option<String>) -> Self {
        self.region = region;
        self
    }

    /// Takes the time from `clock`. To be said before a [`Sweeper`] is taken.
    #[must_use]
    pub fn by_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        if let Some(folder) = Arc::get_mut(&mut self.folder) {
            folder.clock = clock;
        }
        self
    }

    /// Gives up uploads that nobody writes to for this long.
    #[must_use]
    pub fn expire_uploads(mut self, after: Duration) -> Self {
        self.upload_expiry = after;
        self
    }

    /// What gives up such uploads. [`Lake::serve`] has one of its own.
    pub fn sweeper(&self) -> Sweeper {
        Sweeper {
            folder: Arc::clone(&self.folder),
            expiry: self.upload_expiry,
        }
    }

    /// Makes a bucket unless there is one of that name.
    ///
    /// # Errors
    /// `Invalid` when it can't be a bucket's name; `Unavailable` when the folder can't be written.
    pub fn create_bucket_if_absent(&self, name: &str) -> Result<()> {
        if !s3s::path::check_bucket_name(name) {
            return Err(Error::invalid(format!("`{name}` can't be a bucket's name"))
                .hint("use 3 to 63 lower-case letters, digits and hyphens"));
        }
        self.folder.make_bucket(name).map(|_| ()).map_err(|error| {
            Error::unavailable(format!("couldn't make the bucket `{name}`: {error}")).source(error)
        })
    }

    /// Serves the buckets on `listener` until `shutdown` is done, then lets open requests finish for a bounded time.
    ///
    /// # Errors
    /// None at present: a connection that fails is logged and the others go on.
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()> + Send) -> Result<()> {
        serve::serve(self, listener, shutdown).await
    }
}
