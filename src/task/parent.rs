//! The server's side: starting a child, listening to it, and saying why it died.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{ChildStdin, ChildStdout, Command};
use tokio::time::Instant;

use super::{Message, Spec};
use crate::error::{Error, Result};

const SIGABRT: i32 = 6;
const SIGKILL: i32 = 9;
const SIGSEGV: i32 = 11;
const SIGXCPU: i32 = 24;
/// How much of what a child says on stderr is kept, in bytes.
const STDERR_TAIL: usize = 4096;

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
    process: tokio::process::Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    stderr: tokio::task::JoinHandle<String>,
    limits: Limits,
    deadline: Instant,
}

impl Child {
    /// Starts `program task` and hands it its spec.
    ///
    /// # Errors
    /// Unavailable where the process can't be started.
    pub async fn start(program: &Path, spec: &Spec) -> Result<Self> {
        let unavailable = |cause: std::io::Error| {
            Error::unavailable(format!("can't start {} task: {cause}", program.display()))
        };
        let mut process = Command::new(program)
            .arg("task")
            .env_clear()
            .envs(aws_environment(spec))
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
            process,
            stdin,
            lines: BufReader::new(stdout).lines(),
            stderr: tokio::spawn(tail_of(stderr)),
            limits: spec.limits,
            deadline: Instant::now() + Duration::from_secs(spec.limits.wall_seconds),
        };
        child.say(spec).await?;
        Ok(child)
    }

    /// Hands the child one line.
    ///
    /// # Errors
    /// Says why the child died, where it did.
    pub async fn say(&mut self, line: &impl Serialize) -> Result<()> {
        let mut text = serde_json::to_vec(line)
            .map_err(|cause| Error::internal("a task's spec can't be written down").source(cause))?;
        text.push(b'\n');
        if self.stdin.write_all(&text).await.is_err() || self.stdin.flush().await.is_err() {
            return Err(self.why_it_died().await);
        }
        Ok(())
    }

    /// The next line that the child says.
    ///
    /// # Errors
    /// Says why the child died, where it did; Limit where its time is over.
    pub async fn next(&mut self) -> Result<Message> {
        let line = match tokio::time::timeout_at(self.deadline, self.lines.next_line()).await {
            Ok(Ok(Some(line))) => line,
            Ok(_) => return Err(self.why_it_died().await),
            Err(_) => {
                let _ = self.process.start_kill();
                return Err(Error::limit(format!(
                    "it took more than {} seconds and was stopped",
                    self.limits.wall_seconds
                )));
            }
        };
        serde_json::from_str(&line)
            .map_err(|cause| Error::internal("a child process said something unintelligible").source(cause))
    }

    async fn why_it_died(&mut self) -> Error {
        let Ok(status) = self.process.wait().await else {
            return Error::internal("a child process was lost");
        };
        let stderr = (&mut self.stderr).await.unwrap_or_default();
        explain(status, &stderr, self.limits)
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
        Some(SIGKILL) => Error::limit("the process at work was killed")
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
