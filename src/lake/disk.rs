//! What makes a change durable, and what the disk's failures mean.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use s3s::{S3Error, S3ErrorCode, s3_error};

use super::place::is_link;

/// Makes what `folder` says about its files durable.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Makes `folder` and those above it where they are missing, durably.
pub(super) fn make_folders(folder: &Path) -> io::Result<()> {
    match fs::create_dir(folder) {
        Ok(()) => folder.parent().map_or(Ok(()), sync_folder),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            match fs::symlink_metadata(folder)?.is_dir() {
                true => Ok(()),
                false => Err(io::ErrorKind::NotADirectory.into()),
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            folder.parent().map_or(Ok(()), make_folders)?;
            make_folders(folder)
        }
        Err(error) => Err(error),
    }
}

/// Why there can't be an object of some key.
pub(super) fn no_room_for_key(error: io::Error) -> S3Error {
    match error.kind() {
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => s3_error!(
            InvalidArgument,
            "this store can't hold the key: a part of it before a `/` is an object itself"
        ),
        io::ErrorKind::IsADirectory | io::ErrorKind::DirectoryNotEmpty => s3_error!(
            InvalidArgument,
            "this store can't hold the key: there are objects whose keys begin with it and a `/`"
        ),
        _ => disk_failure(error),
    }
}

pub(super) fn leads_through_link() -> S3Error {
    s3_error!(
        AccessDenied,
        "the key leads through a symbolic link in the store's folder; this store doesn't follow those"
    )
}

/// A failure of the disk as S3 says it. The log has the cause; the client has what it can act on.
pub(super) fn disk_failure(error: io::Error) -> S3Error {
    match error.kind() {
        _ if is_link(&error) => leads_through_link(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            tracing::error!(%error, "the lake's disk is full");
            let code = S3ErrorCode::Custom("InsufficientStorage".into());
            let mut full = S3Error::with_message(code, "the lake's disk is full");
            full.set_status_code(hyper::StatusCode::INSUFFICIENT_STORAGE);
            full
        }
        io::ErrorKind::InvalidFilename => s3_error!(KeyTooLongError),
        _ => {
            tracing::error!(%error, "the lake's disk failed");
            S3Error::internal_error(error)
        }
    }
}
