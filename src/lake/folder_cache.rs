//! The entries of large folders, remembered between the pages of a listing.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use super::keys::to_segment;
use super::place::{Dir, Facts, Kind};

/// Folders with fewer entries than this are read again for each page.
const WORTH_KEEPING: usize = 2000;
/// How many large folders are remembered.
const KEPT: usize = 16;
/// A folder's time doesn't tell two changes apart that are closer together than this.
const SETTLED: Duration = Duration::from_millis(100);

/// A name in a folder, as it is in keys; a folder's ends in `/`.
pub(super) struct Entry {
    pub(super) segment: String,
    pub(super) name: String,
}

/// The sorted entries of large folders, so that a listing of many pages reads each of them once.
#[derive(Default)]
pub(super) struct FolderCache(Mutex<HashMap<String, Kept>>);

/// Which folder it was and when it was changed, and what was in it then.
type Kept = (Facts, Arc<Vec<Entry>>);

impl FolderCache {
    /// The entries of `dir`, which is known as `name`; `time` is now.
    pub(super) fn entries(&self, name: &str, dir: &Dir, time: SystemTime) -> io::Result<Arc<Vec<Entry>>> {
        let now = dir.facts()?;
        let kept = self
            .0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .get(name)
            .cloned();
        if let Some((then, entries)) = kept
            && then == now
        {
            return Ok(entries);
        }
        let settled = time.duration_since(now.modified).is_ok_and(|age| age > SETTLED);
        let entries = Arc::new(read_sorted(dir)?);
        if settled && entries.len() >= WORTH_KEEPING {
            let mut kept = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            if kept.len() >= KEPT {
                kept.clear();
            }
            kept.insert(name.to_owned(), (now, Arc::clone(&entries)));
        }
        Ok(entries)
    }
}

/// A folder sorts as its name with a `/`, because that is how its keys go on.
fn read_sorted(dir: &Dir) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for (name, kind) in dir.entries()? {
        let segment = to_segment(&name);
        let segment = match kind {
            Kind::Folder => format!("{segment}/"),
            Kind::File => segment.to_owned(),
            Kind::Link | Kind::Other => continue,
        };
        entries.push(Entry { segment, name });
    }
    entries.sort_by(|a, b| a.segment.cmp(&b.segment));
    Ok(entries)
}
