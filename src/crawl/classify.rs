//! What sampled objects are: asked of child processes, so that a file that kills one is set aside and nothing else happens.

use std::collections::BTreeMap;

use classifiers::Verdict;

use crate::app::App;
use crate::buckets::ObjectMeta;
use crate::error::{Error, ErrorKind, Result};
use crate::task::{Child, FileToClassify, Limits, Message, ObjectToRead, Spec, Work};

/// How many files one child looks at before progress is kept.
pub(super) const CHUNK: usize = 200;
const CPU_SECONDS: u64 = 120;
const WALL_SECONDS: u64 = 300;

/// What objects are, by their keys; a failure says why that can't be said.
pub(super) type Looks = BTreeMap<String, Result<Verdict, String>>;

/// How much a chunk was.
pub(super) struct LookedAt {
    pub(super) files_read: i64,
    pub(super) bytes_read: i64,
}

/// Looks at every object of a chunk.
pub(super) async fn classify(
    app: &App,
    bucket: &str,
    chunk: &[ObjectMeta],
    looks: &mut Looks,
) -> Result<LookedAt> {
    let mut rest: Vec<ObjectToRead> = chunk
        .iter()
        .map(|object| ObjectToRead::of(bucket, object.clone()))
        .collect();
    let mut looked_at = LookedAt {
        files_read: 0,
        bytes_read: 0,
    };
    while !rest.is_empty() {
        let (judged, death) = one_child(app, &rest, looks, &mut looked_at).await?;
        rest.drain(..judged);
        if let Some(error) = death {
            // The first that wasn't judged is what the child died of.
            let culprit = rest.remove(0);
            looks.insert(
                culprit.key,
                Err(format!("looking at it failed: {}", error.message)),
            );
            looked_at.files_read += 1;
        }
    }
    Ok(looked_at)
}

/// Lets one child look at `objects`. Answers with how many it judged, and what it died of, where it did.
async fn one_child(
    app: &App,
    objects: &[ObjectToRead],
    looks: &mut Looks,
    looked_at: &mut LookedAt,
) -> Result<(usize, Option<Error>)> {
    let spec = Spec {
        work: Work::Classify {
            files: objects.iter().cloned().map(FileToClassify::Object).collect(),
        },
        access: Some(app.access.clone()),
        limits: Limits {
            memory_bytes: app.config.tasks.classify_memory_bytes,
            cpu_seconds: CPU_SECONDS,
            wall_seconds: WALL_SECONDS,
        },
    };
    let mut child = Child::start(&app.config.tasks.program, &spec).await?;
    let mut judged = 0;
    let mut is_looking = false;
    loop {
        match child.next().await {
            Ok(Message::Looking { .. }) => is_looking = true,
            Ok(Message::Classified {
                file,
                bytes_read,
                verdict,
            }) => {
                let object = objects
                    .get(file)
                    .ok_or_else(|| Error::internal("a child judged an unknown file"))?;
                let verdict = match verdict {
                    Ok(verdict) => Ok(*verdict),
                    // The store, not the file, is at fault: the crawl is tried again.
                    Err(failure) if matches!(failure.kind, ErrorKind::Unavailable | ErrorKind::Denied) => {
                        return Err(failure.into());
                    }
                    Err(failure) => Err(failure.message),
                };
                looks.insert(object.key.clone(), verdict);
                looked_at.files_read += 1;
                looked_at.bytes_read += i64::try_from(bytes_read).unwrap_or(i64::MAX);
                judged += 1;
                is_looking = false;
            }
            Ok(Message::Done(_)) => return Ok((judged, None)),
            Ok(Message::Failed(failure)) => return Err(failure.into()),
            Ok(Message::Log { .. } | Message::NeedTables { .. }) => {}
            Err(error) if is_looking => return Ok((judged, Some(error))),
            Err(error) => return Err(error),
        }
    }
}
