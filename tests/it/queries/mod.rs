//! Queries: which objects they read, how large a result may be, how many there may be at once, and what they leave behind.

mod answers;
mod archived;
mod files;
mod parquet;
mod places;
mod reading;
mod reports;
mod serdes;
mod spill;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mastic::config::Config;

use crate::harness::TestApp;

const PATIENCE: Duration = Duration::from_secs(60);
/// Far more than anybody holds back, so that a query that isn't read stands still in the middle.
const ENDLESS: &str = "SELECT repeat('x', 1000) AS x FROM (SELECT unnest(range(0, 100)) AS a) \
                       CROSS JOIN (SELECT unnest(range(0, 999)) AS b)";

/// Little memory, so that little is held back and much is spilled.
fn little_memory(config: &mut Config) {
    config.tasks.sql_memory_bytes = 800 << 20;
    config.query.max_bytes = 1 << 30;
}

/// The processes that work for this server.
fn children(app: &TestApp) -> Vec<u32> {
    let marker = format!("TMPDIR={}/", spill_folder(app).display());
    let is_ours = |pid: &u32| {
        std::fs::read(format!("/proc/{pid}/environ"))
            .is_ok_and(|environment| String::from_utf8_lossy(&environment).contains(&marker))
    };
    std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok())
        .filter(is_ours)
        .collect()
}

fn spill_folder(app: &TestApp) -> PathBuf {
    app.app().config.tasks.spill_dir.clone()
}

/// How many files there are at or below a folder, locks left out.
fn files_below(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    let count = |path: PathBuf| match path.is_dir() {
        true => files_below(&path),
        false => usize::from(path.extension().is_none_or(|extension| extension != "lock")),
    };
    entries.flatten().map(|entry| count(entry.path())).sum()
}

/// The folders of children that are there.
fn folders_of_children(place: &Path) -> usize {
    let Ok(servers) = std::fs::read_dir(place) else {
        return 0;
    };
    servers
        .flatten()
        .filter_map(|server| std::fs::read_dir(server.path()).ok())
        .map(Iterator::count)
        .sum()
}

/// Asks until it is so.
async fn until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}: it did not come to that");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
