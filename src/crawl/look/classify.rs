//! What sampled objects are: asked of child processes, so that a file that kills one is set aside and nothing else happens.

use classifiers::{CustomClassifier, Verdict};

use crate::app::App;
use crate::crawl::shape::looks::Look;
use crate::error::{Error, ErrorKind, Result};
use crate::task::{FileToClassify, Limits, Message, Spec, Work};

/// How many files one child looks at before what they are is remembered.
pub(super) const CHUNK: usize = 200;
/// The version of the classifiers, raised whenever they judge some file otherwise: what an earlier version said is not
/// remembered then.
pub(super) const JUDGE: &str = "5";
const CPU_SECONDS: u64 = 120;
const WALL_SECONDS: u64 = 300;

/// What a chunk of files came to.
pub(super) struct LookedAt {
    /// What each is, in their order, and whether it would be so again: a child's death may have had another cause.
    pub(super) looks: Vec<(Look, bool)>,
    /// How many bytes were read.
    pub(super) bytes_read: i64,
}

/// Looks at every file of a chunk; custom classifiers are asked first.
///
/// # Errors
/// Unavailable or Denied where the store can't be read; Internal.
pub(super) async fn classify(
    app: &App,
    custom: &[CustomClassifier],
    mut rest: Vec<FileToClassify>,
) -> Result<LookedAt> {
    let mut looked_at = LookedAt {
        looks: Vec::with_capacity(rest.len()),
        bytes_read: 0,
    };
    while !rest.is_empty() {
        let (judged, death) = one_child(app, custom, &rest, &mut looked_at).await?;
        rest.drain(..judged);
        if let Some(error) = death {
            // The first that wasn't judged is what the child died of.
            rest.remove(0);
            let look = Err(format!("looking at it failed: {}", error.message));
            looked_at.looks.push((look, false));
        }
    }
    Ok(looked_at)
}

/// Lets one child look at `files`. Answers with how many it judged, and what it died of, where it did.
async fn one_child(
    app: &App,
    custom: &[CustomClassifier],
    files: &[FileToClassify],
    looked_at: &mut LookedAt,
) -> Result<(usize, Option<Error>)> {
    let spec = Spec {
        work: Work::Classify {
            files: files.to_vec(),
            custom: custom.to_vec(),
        },
        access: Some(app.access.clone()),
        limits: Limits {
            memory_bytes: app.config.tasks.classify_memory_bytes,
            cpu_seconds: CPU_SECONDS,
            wall_seconds: WALL_SECONDS,
        },
    };
    let mut child = app.children.start(&spec).await?;
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
                if file != judged {
                    return Err(Error::internal("a child judged an unknown file"));
                }
                let look: (Result<Verdict, String>, bool) = match verdict {
                    Ok(verdict) => (Ok(*verdict), true),
                    // The store, not the file, is at fault: the crawl is tried again.
                    Err(failure) if matches!(failure.kind, ErrorKind::Unavailable | ErrorKind::Denied) => {
                        return Err(failure.into());
                    }
                    Err(failure) => (Err(failure.message), failure.kind == ErrorKind::Invalid),
                };
                looked_at.looks.push(look);
                looked_at.bytes_read += i64::try_from(bytes_read).unwrap_or(i64::MAX);
                judged += 1;
                is_looking = false;
            }
            Ok(Message::Done) => return Ok((judged, None)),
            Ok(Message::Failed(failure)) => return Err(failure.into()),
            Ok(_) => {}
            Err(error) if is_looking => return Ok((judged, Some(error))),
            Err(error) => return Err(error),
        }
    }
}
