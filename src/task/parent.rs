//! The server's side: starting a child, listening to it, and saying why it died.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use super::door::Place;
use super::processes;
use super::spill::ChildFolder;
use super::wire::{MAX_PIECE, Wire};
use super::{Handed, Message, Spec, Work};
use crate::clock::Deadline;
use crate::error::{Error, ErrorKind, Result, Subject};

const SIGABRT: i32 = 6;
const SIGKILL: i32 = 9;
const SIGSEGV: i32 = 11;
const SIGXCPU: i32 = 24;
/// How much of what a child says on stderr is kept, in bytes.
const STDERR_TAIL: usize = 4096;
/// How long a child may take to end that has nothing more to say.
const LAST_MOMENTS: Duration = Duration::from_secs(5);

/// What a child may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Address space in bytes.
    pub memory_bytes: u64,
    /// CPU time in seconds.
    pub cpu_seconds: u64,
    /// Time in all, in seconds.
    pub wall_seconds: u64,
}

/// A running child. Dropping it kills it.
pub struct Child {
    /// There until it is dropped.
    running: Option<Running>,
    /// There until it is dropped.
    stdin: Option<ChildStdin>,
    /// Whether it has processes of its own, and ends them when its stdin closes.
    ends_itself: bool,
    wire: Wire<BufReader<ChildStdout>>,
    stderr: tokio::task::JoinHandle<String>,
    limits: Limits,
    deadline: Deadline,
}

/// What is a child's as long as its process is there: its folder goes after the process, and its place after both.
pub(super) struct Remains {
    pub(super) spill: Option<ChildFolder>,
    pub(super) place: Place,
}

impl Remains {
    /// Ends what a process had started that was killed before it could do that itself.
    async fn end_strays(&self) {
        if let Some(folder) = self.spill.as_ref().map(|spill| spill.spill.folder.clone()) {
            let _ended = tokio::task::spawn_blocking(move || processes::end_those_in(&folder)).await;
        }
    }
}

struct Running {
    process: tokio::process::Child,
    remains: Remains,
}

impl Child {
    /// Starts `program task` and hands it its spec.
    ///
    /// # Errors
    /// Unavailable where the process can't be started.
    pub(super) async fn start(program: &Path, spec: &Spec, remains: Remains) -> Result<Self> {
        let unavailable = |cause: std::io::Error| {
            Error::unavailable(format!("can't start {} task: {cause}", program.display()))
        };
        let spill = remains.spill.as_ref().map(|folder| folder.spill.clone());
        let temporary = spill.iter().map(|spill| ("TMPDIR", &spill.folder));
        let mut process = Command::new(program)
            .arg("task")
            .env_clear()
            .envs(aws_environment(spec))
            .envs(temporary)
            // The allocator would reserve 64 MiB of the address space for most threads, which is limited.
            .env("MALLOC_ARENA_MAX", "2")
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(unavailable)?;
        let (Some(stdin), Some(stdout), Some(stderr)) =
            (process.stdin.take(), process.stdout.take(), process.stderr.take())
        else {
            return Err(Error::internal("a child process has no pipes"));
        };
        let mut child = Self {
            running: Some(Running { process, remains }),
            stdin: Some(stdin),
            ends_itself: matches!(spec.work, Work::Run(_)),
            wire: Wire::new(BufReader::with_capacity(MAX_PIECE, stdout)),
            stderr: tokio::spawn(tail_of(stderr)),
            limits: spec.limits,
            deadline: Deadline::after(Duration::from_secs(spec.limits.wall_seconds)),
        };
        child.say(&Handed { spec, spill }).await?;
        Ok(child)
    }

    /// Hands the child one line.
    ///
    /// # Errors
    /// Says why the child died, where it did; Limit where its time is over.
    pub async fn say(&mut self, line: &impl Serialize) -> Result<()> {
        let mut text = serde_json::to_vec(line)
            .map_err(|cause| Error::internal("a task's spec can't be written down").source(cause))?;
        text.push(b'\n');
        let saying = async {
            if let Some(stdin) = &mut self.stdin {
                stdin.write_all(&text).await?;
                stdin.flush().await?;
            }
            Ok::<_, std::io::Error>(())
        };
        match self.deadline.bound(saying).await {
            Some(Ok(())) => Ok(()),
            Some(Err(_)) => Err(self.why_it_died().await),
            None => Err(self.time_is_over()),
        }
    }

    /// The next message of the child. A call that is given up loses nothing.
    ///
    /// # Errors
    /// Says why the child died, where it did; Limit where its time is over, or it says too much at once.
    pub async fn next(&mut self) -> Result<Message> {
        match self.deadline.bound(self.wire.next()).await {
            Some(Ok(Some(message))) => Ok(message),
            Some(Ok(None)) => Err(self.why_it_died().await),
            Some(Err(error)) => {
                self.kill();
                Err(error)
            }
            None => Err(self.time_is_over()),
        }
    }

    /// Waits until the process is gone that has said its last, and gives its place back.
    pub async fn end(&mut self) {
        self.stdin = None;
        if let Some(mut running) = self.running.take() {
            if timeout(LAST_MOMENTS, running.process.wait()).await.is_err() {
                let _ = running.process.kill().await;
            }
            // Removing its folder takes its time where it left much.
            let _removed = tokio::task::spawn_blocking(move || drop(running.remains)).await;
        }
    }

    fn kill(&mut self) {
        self.stdin = None;
        if !self.ends_itself
            && let Some(running) = &mut self.running
        {
            let _ = running.process.start_kill();
        }
    }

    fn time_is_over(&mut self) -> Error {
        self.kill();
        Error::limit(format!(
            "it took more than {} seconds and was stopped",
            self.limits.wall_seconds
        ))
        .about(Subject::TimeLimit)
    }

    async fn why_it_died(&mut self) -> Error {
        let Some(running) = &mut self.running else {
            return Error::internal("a child process was lost");
        };
        let ending = async {
            let status = running.process.wait().await.ok()?;
            if self.ends_itself {
                // Before anybody tries again.
                running.remains.end_strays().await;
            }
            Some((status, (&mut self.stderr).await.unwrap_or_default()))
        };
        match timeout(LAST_MOMENTS, ending).await {
            Ok(Some((status, stderr))) => explain(status, &stderr, self.limits),
            Ok(None) => Error::internal("a child process was lost"),
            Err(_) => Error::internal("the process at work fell silent and did not end"),
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let Some(mut running) = self.running.take() else {
            return;
        };
        self.stdin = None;
        let ends_itself = self.ends_itself;
        if !ends_itself {
            let _ = running.process.start_kill();
        }
        // Its folder and its place are given back when it is really gone. Where nothing can be waited for any more, the
        // program itself is about to end.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if ends_itself && timeout(LAST_MOMENTS, running.process.wait()).await.is_err() {
                    let _ = running.process.start_kill();
                }
                let status = running.process.wait().await;
                if ends_itself && status.is_ok_and(|status| status.signal().is_some()) {
                    running.remains.end_strays().await;
                }
                // Much may have been spilled, and removing it takes its time.
                tokio::task::spawn_blocking(move || {
                    let Remains { spill, place } = running.remains;
                    drop(spill);
                    drop(place);
                });
            });
        }
    }
}

/// What an exit status means, in words.
fn explain(status: ExitStatus, stderr: &str, limits: Limits) -> Error {
    let mib = limits.memory_bytes >> 20;
    if stderr.contains("memory allocation of") {
        return Error::limit(format!(
            "it needed more than the {mib} MiB of memory that it may use"
        ))
        .hint("raise tasks.sql_memory_mib, or read less at a time");
    }
    if stderr.contains("has overflowed its stack") {
        return Error::limit("it is nested too deeply")
            .hint("write it with fewer levels or fewer chained operators");
    }
    let last = stderr
        .lines()
        .map(str::trim)
        .rfind(|line| !line.is_empty())
        .unwrap_or_default();
    match status.signal() {
        Some(SIGXCPU) => Error::limit(format!(
            "it used more than {} seconds of CPU time",
            limits.cpu_seconds
        )),
        Some(SIGKILL) => Error::new(ErrorKind::Killed, "the process at work was killed")
            .hint("the machine may have run out of memory, or the limit of CPU time was reached"),
        Some(SIGABRT | SIGSEGV) => Error::internal(format!("the process at work crashed: {last}")),
        Some(signal) => Error::internal(format!(
            "the process at work was ended by signal {signal}: {last}"
        )),
        None => Error::internal(format!("the process at work ended too early: {last}")),
    }
}

/// The AWS settings of this process, for a child that finds its object store by them.
fn aws_environment(spec: &Spec) -> Vec<(String, String)> {
    if !matches!(spec.access, Some(crate::buckets::Access::Environment)) {
        return Vec::new();
    }
    crate::config::process_environment()
        .into_iter()
        .filter(|(name, _)| name.starts_with("AWS_") || name == "HOME")
        .collect()
}

async fn tail_of(mut stderr: tokio::process::ChildStderr) -> String {
    let mut tail = Vec::new();
    let mut buffer = [0; 1024];
    while let Ok(count @ 1..) = stderr.read(&mut buffer).await {
        tail.extend_from_slice(&buffer[..count]);
        if tail.len() > 2 * STDERR_TAIL {
            tail.drain(..tail.len() - STDERR_TAIL);
        }
    }
    String::from_utf8_lossy(&tail).into_owned()
}
