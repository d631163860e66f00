//! What a program left in its output folder, on its way to the store.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::{OUTPUT, Placed, with_the_store};
use crate::buckets::{Access, Buckets, Completed};
use crate::error::{Error, Result};
use crate::task::Upload;
use crate::task::sink::Parts;

/// How much of a file is read at a time, in bytes.
const PIECE_BYTES: usize = 256 << 10;

impl Placed {
    /// Uploads every file of the output folder, under its name there. Links are no files.
    ///
    /// # Errors
    /// Those of the store; Unavailable where a file can't be read; Invalid where its name isn't UTF-8.
    pub(super) fn upload(&self, access: Option<&Access>) -> Result<()> {
        let root = self.folder.join(OUTPUT);
        let (Some((bucket, prefix)), Some(access)) = (&self.program.output, access) else {
            return Ok(());
        };
        let files = files_below(&root).map_err(unreadable)?;
        if files.is_empty() {
            return Ok(());
        }
        with_the_store(async {
            let buckets = Buckets::new(access).await?;
            for path in files {
                let name = path.strip_prefix(&root).ok().and_then(Path::to_str);
                let name = name
                    .ok_or_else(|| Error::invalid(format!("the name of {} isn't UTF-8", path.display())))?;
                upload(&buckets, bucket, &format!("{prefix}{name}"), &path).await?;
            }
            Ok(())
        })
    }
}

fn unreadable(cause: std::io::Error) -> Error {
    Error::unavailable("what the script wrote can't be read").source(cause)
}

fn files_below(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let (mut found, mut next) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = next.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                next.push(entry.path());
            } else if kind.is_file() {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

async fn upload(buckets: &Buckets, bucket: &str, key: &str, path: &Path) -> Result<()> {
    let mut file = File::open(path).map_err(unreadable)?;
    let id = buckets
        .create_upload(bucket, key, "application/octet-stream", &[])
        .await?;
    let upload = Upload {
        bucket: bucket.to_owned(),
        key: key.to_owned(),
        upload_id: id,
    };
    let mut parts = Parts::begin(buckets.clone(), upload.clone());
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        match file.read(&mut piece).map_err(unreadable)? {
            0 => break,
            length => parts.add(&piece[..length]).await?,
        }
    }
    let (parts, _) = parts.finish().await?;
    match buckets
        .complete_upload(bucket, key, &upload.upload_id, &parts)
        .await?
    {
        Completed::Done { .. } => Ok(()),
        Completed::NoSuchUpload => Err(Error::conflict(format!(
            "the upload of s3://{bucket}/{key} is gone"
        ))),
    }
}
