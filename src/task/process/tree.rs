//! A program's processes: itself and all that it started, what they use, and their end.

use std::fs;

use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, wait};

use crate::error::{Error, Result};
use crate::model::run::Usage;
use crate::task::processes::{below, stat};

/// How often those who are left are killed before it is given up: one that is being killed starts no other.
const ROUNDS: usize = 100;

/// In what Linux counts time there (`USER_HZ`, the same on all its machines).
const TICKS_PER_SECOND: u64 = 100;

/// The processes below this one.
pub(super) struct Tree {
    max_memory: u64,
    peak: u64,
    pids: Vec<Pid>,
}

impl Tree {
    pub(super) fn new(max_memory: u64) -> Self {
        Self {
            max_memory,
            peak: 0,
            pids: Vec::new(),
        }
    }

    /// Looks at them.
    ///
    /// # Errors
    /// Limit where together they have more memory than they may.
    pub(super) fn look(&mut self) -> Result<()> {
        self.pids = below(getpid());
        let memory = self.pids.iter().map(|pid| resident(*pid)).sum();
        self.peak = self.peak.max(memory);
        if memory > self.max_memory {
            return Err(Error::limit(format!(
                "the script needed more than the {} MiB of memory that it may use, and was stopped",
                self.max_memory >> 20
            ))
            .hint("raise engines.memory_mib, or read less at a time"));
        }
        Ok(())
    }

    pub(super) fn processes(&self) -> usize {
        self.pids.len()
    }

    /// Ends all of them.
    pub(super) fn kill(&mut self) {
        for _ in 0..ROUNDS {
            let left = below(getpid());
            if left.is_empty() {
                return;
            }
            for pid in left {
                // It may have ended by itself.
                let _gone = kill_process(pid, Signal::KILL);
            }
            while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
            std::thread::yield_now();
        }
    }

    /// What they used, as far as they are over.
    pub(super) fn usage(&self) -> Usage {
        Usage {
            cpu_milliseconds: cpu_of_children(),
            peak_memory_bytes: self.peak,
        }
    }
}

/// The memory of a process that is its own at the moment, in bytes.
fn resident(pid: Pid) -> u64 {
    let path = format!("/proc/{}/status", pid.as_raw_nonzero());
    let text = fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib: Option<u64> = line
        .and_then(|line| line.split_whitespace().next())
        .and_then(|kib| kib.parse().ok());
    kib.unwrap_or(0) << 10
}

/// The CPU time of this process's children that are over, in milliseconds: `cutime` and `cstime`.
fn cpu_of_children() -> u64 {
    let fields = stat(getpid().as_raw_nonzero().get()).unwrap_or_default();
    let ticks = |place: usize| -> u64 {
        fields
            .get(place)
            .and_then(|field| field.parse().ok())
            .unwrap_or(0)
    };
    (ticks(13) + ticks(14)) * 1000 / TICKS_PER_SECOND
}
