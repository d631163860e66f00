//! The objects that a program is given as files.

use std::fs::File;
use std::io::Write;

use futures::TryStreamExt;

use super::{Copied, Placed, WORK, with_the_store};
use crate::buckets::{Access, Buckets};
use crate::error::{Error, ErrorKind, Result};

/// The most that all of them may have together, in bytes.
const MAX_BYTES: u64 = 1 << 30;

impl Placed {
    /// Copies its objects into its folder.
    ///
    /// # Errors
    /// Invalid where one isn't there; TooLarge where they are too much; those of the store.
    pub(super) fn fetch(&self, access: Option<&Access>) -> Result<()> {
        let (Some(access), false) = (access, self.program.objects.is_empty()) else {
            return Ok(());
        };
        with_the_store(async {
            let buckets = Buckets::new(access).await?;
            let mut left = MAX_BYTES;
            for object in &self.program.objects {
                left = self.copy(&buckets, object, left).await?;
            }
            Ok(())
        })
    }

    /// Copies one; how many bytes of those that were left are left now.
    async fn copy(&self, buckets: &Buckets, object: &Copied, mut left: u64) -> Result<u64> {
        let what = format!("s3://{}/{}", object.bucket, object.key);
        let unwritable =
            |cause: std::io::Error| Error::unavailable("a script's folder can't be filled").source(cause);
        let path = self.folder.join(WORK).join(object.name());
        if path.exists() {
            return Err(Error::invalid(format!(
                "the script is given two files that are called {}: one is {what}",
                object.name()
            )));
        }
        let found = buckets.get_stream(&object.bucket, &object.key, None).await;
        let mut pieces = found.map_err(|error| match error.kind {
            ErrorKind::NotFound => Error::invalid(format!("{what}, which the script is given, isn't there")),
            _ => error,
        })?;
        let mut file = File::create_new(path).map_err(unwritable)?;
        while let Some(piece) = pieces.try_next().await? {
            let length = piece.len() as u64;
            left = left.checked_sub(length).ok_or_else(|| {
                Error::new(
                    ErrorKind::TooLarge,
                    format!("the files that the script is given have more than {MAX_BYTES} bytes"),
                )
            })?;
            file.write_all(&piece).map_err(unwritable)?;
        }
        Ok(left)
    }
}
