//! Processes as Linux shows them: who is below whom, and who works in a folder.
//!
//! A script's processes are ended by who watches them (`process/`). Where that one was killed itself, they are known by the
//! script's folder, where they work or which their environment names.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, Signal, getpid, kill_process};

/// How often those who are left are killed before it is given up.
const ROUNDS: u32 = 500;
/// How long one that was killed may take to be gone, before it is looked for again.
const PAUSE: Duration = Duration::from_millis(2);

/// All processes below one.
pub(super) fn below(root: Pid) -> Vec<Pid> {
    let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
    for pid in all() {
        if let Some(parent) = stat(pid).and_then(|fields| fields.get(1)?.parse().ok()) {
            children.entry(parent).or_default().push(pid);
        }
    }
    let mut found = Vec::new();
    let mut next = vec![root.as_raw_nonzero().get()];
    while let Some(pid) = next.pop() {
        for child in children.remove(&pid).unwrap_or_default() {
            found.extend(Pid::from_raw(child));
            next.push(child);
        }
    }
    found
}

/// The fields of a process's `stat` behind its name, from its state (proc_pid_stat(5)).
pub(super) fn stat(pid: i32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(')')?;
    Some(fields.split_whitespace().map(str::to_owned).collect())
}

/// Ends everybody who works in a folder, with whatever they started. Says whether nobody is left.
pub(super) fn end_those_in(folder: &Path) -> bool {
    for _ in 0..ROUNDS {
        let left = those_in(folder);
        if left.is_empty() {
            return true;
        }
        for pid in left {
            // It may have ended by itself.
            let _gone = kill_process(pid, Signal::KILL);
        }
        std::thread::sleep(PAUSE);
    }
    tracing::warn!(folder = %folder.display(), "processes of a script can't be ended");
    false
}

fn those_in(folder: &Path) -> HashSet<Pid> {
    let own = getpid();
    let is_in = |pid: &Pid| *pid != own && (works_in(*pid, folder) || is_told_of(*pid, folder));
    let mut found: HashSet<Pid> = all().filter_map(Pid::from_raw).filter(is_in).collect();
    let started: Vec<Pid> = found.iter().copied().flat_map(below).collect();
    found.extend(started);
    found
}

fn works_in(pid: Pid, folder: &Path) -> bool {
    let place = fs::read_link(format!("/proc/{}/cwd", pid.as_raw_nonzero()));
    place.is_ok_and(|place| place.starts_with(folder))
}

/// Whether its environment, as it was in the beginning, names the folder or something in it.
fn is_told_of(pid: Pid, folder: &Path) -> bool {
    let environment = fs::read(format!("/proc/{}/environ", pid.as_raw_nonzero())).unwrap_or_default();
    environment.split(|byte| *byte == 0).any(|variable| {
        let value = variable.splitn(2, |byte| *byte == b'=').nth(1);
        value.is_some_and(|value| Path::new(std::ffi::OsStr::from_bytes(value)).starts_with(folder))
    })
}

fn all() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}
