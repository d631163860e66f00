//! Which files a scan reads: those that the spec names, or those that the catalog gives when they are asked for.
//!
//! A scan's parts take files as they get to them, so that nothing is listed or opened before it is needed. Where all are
//! known beforehand, each part has its share, in order: the same files give the same rows in the same order.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use classifiers::Verdict;
use tokio::sync::Mutex;

use super::file::FileRead;
use super::keys::KeyTest;
use super::remarks::{Kind, Remarks};
use crate::error::{Error, Result};
use crate::task::speech::ask;
use crate::task::{FilesPage, KeyBound, Message, ObjectToRead, PartToRead};

/// A file of a table, before it is known what it is.
#[derive(Clone, Debug)]
pub(super) struct FileAt {
    pub(super) object: ObjectToRead,
    pub(super) part: Arc<PartToRead>,
    /// What a crawl saw of it.
    pub(super) look: Option<Arc<Result<Verdict, String>>>,
    /// How it is read, where that is settled already.
    pub(super) read: Option<Arc<FileRead>>,
}

/// Where a table's files come from.
#[derive(Clone, Debug)]
pub(super) enum Files {
    /// These are all.
    Given(Vec<FileAt>),
    /// The catalog tells, of the table with this number.
    Asked(usize),
}

/// The files of one scan.
#[derive(Debug)]
pub(super) struct Share {
    /// How many parts there are.
    pub(super) parts: usize,
    test: Arc<KeyTest>,
    from: From,
}

#[derive(Debug)]
enum From {
    /// Each part's own, and how many of them were taken.
    Parts(Arc<Vec<Vec<FileAt>>>, Vec<AtomicUsize>),
    /// All of them together.
    Queue(Arc<Question>, Mutex<Queue>),
}

/// What the catalog is asked.
#[derive(Debug)]
struct Question {
    table: usize,
    bounds: Vec<KeyBound>,
}

/// What was given and isn't taken yet.
#[derive(Debug, Default)]
struct Queue {
    /// The scan's number; absent before it has begun.
    scan: Option<u64>,
    ready: VecDeque<FileAt>,
    is_last: bool,
    left_out: Vec<String>,
}

impl Files {
    /// Shares the files out.
    ///
    /// # Errors
    /// Those of the engine.
    pub(super) fn share(&self, partitions: usize, bounds: Vec<KeyBound>, test: KeyTest) -> Result<Share> {
        let from = match self {
            Self::Given(files) => {
                let mut kept = Vec::new();
                for file in files {
                    if test.holds(&file.part)? {
                        kept.push(file.clone());
                    }
                }
                From::parts(Arc::new(parts(kept, partitions)))
            }
            Self::Asked(table) => {
                let question = Question {
                    table: *table,
                    bounds,
                };
                From::Queue(Arc::new(question), Mutex::default())
            }
        };
        let parts = match &from {
            From::Parts(parts, _) => parts.len().max(1),
            From::Queue(..) => partitions.max(1),
        };
        let test = Arc::new(test);
        Ok(Share { parts, test, from })
    }
}

impl From {
    fn parts(parts: Arc<Vec<Vec<FileAt>>>) -> Self {
        let taken = parts.iter().map(|_| AtomicUsize::new(0)).collect();
        Self::Parts(parts, taken)
    }
}

impl Share {
    /// The same files once more, none of them taken.
    pub(super) fn again(&self) -> Self {
        Self {
            parts: self.parts,
            test: Arc::clone(&self.test),
            from: match &self.from {
                From::Parts(parts, _) => From::parts(Arc::clone(parts)),
                From::Queue(question, _) => From::Queue(Arc::clone(question), Mutex::default()),
            },
        }
    }

    /// The next file of a part; none behind the last.
    ///
    /// # Errors
    /// Those of the catalog.
    pub(super) async fn next(&self, part: usize, remarks: &Remarks) -> Result<Option<FileAt>> {
        let (question, queue) = match &self.from {
            From::Parts(parts, taken) => {
                let taken = taken.get(part).map(|taken| taken.fetch_add(1, Ordering::Relaxed));
                let own = parts.get(part);
                return Ok(taken.and_then(|at| own?.get(at).cloned()));
            }
            From::Queue(question, queue) => (question, queue),
        };
        let mut queue = queue.lock().await;
        loop {
            for why in queue.left_out.drain(..) {
                remarks.add(Kind::LeftOut, &why, 1, || why.clone());
            }
            while let Some(file) = queue.ready.pop_front() {
                if self.test.holds(&file.part)? {
                    return Ok(Some(file));
                }
            }
            if queue.is_last {
                return Ok(None);
            }
            let page = match queue.scan {
                Some(scan) => ask_for_files(&Message::MoreFiles { scan }).await?,
                None => {
                    let scan = next_scan();
                    queue.scan = Some(scan);
                    ask_for_files(&Message::NeedFiles {
                        scan,
                        table: question.table,
                        bounds: question.bounds.clone(),
                    })
                    .await?
                }
            };
            queue.is_last = page.is_last;
            let (files, more) = files_of(page);
            queue.ready.extend(files);
            queue.left_out.extend(more);
        }
    }
}

/// The number of a scan, which no other of this process has.
fn next_scan() -> u64 {
    static SCANS: AtomicU64 = AtomicU64::new(0);
    SCANS.fetch_add(1, Ordering::Relaxed)
}

async fn ask_for_files(question: &Message) -> Result<FilesPage> {
    let answer: Result<FilesPage, crate::task::Failure> = ask(question).await?;
    answer.map_err(Error::from)
}

/// The files of a page, and what it says was left out.
pub(super) fn files_of(page: FilesPage) -> (Vec<FileAt>, Vec<String>) {
    let parts: Vec<Arc<PartToRead>> = page.parts.into_iter().map(Arc::new).collect();
    let looks: Vec<Arc<Result<Verdict, String>>> = page.looks.into_iter().map(Arc::new).collect();
    let files = page
        .files
        .into_iter()
        .filter_map(|file| {
            Some(FileAt {
                part: Arc::clone(parts.get(file.part)?),
                look: file.look.and_then(|look| looks.get(look).cloned()),
                object: file.object,
                read: None,
            })
        })
        .collect();
    (files, page.left_out)
}

/// Files that follow each other, in so many parts at most of about the same size.
fn parts(files: Vec<FileAt>, count: usize) -> Vec<Vec<FileAt>> {
    let total: u64 = files.iter().map(|file| file.object.size).sum();
    let enough = total.div_ceil(count.max(1) as u64);
    let mut parts: Vec<Vec<FileAt>> = Vec::new();
    let mut filled = enough;
    for file in files {
        if filled >= enough {
            parts.push(Vec::new());
            filled = 0;
        }
        filled += file.object.size;
        if let Some(part) = parts.last_mut() {
            part.push(file);
        }
    }
    parts
}
