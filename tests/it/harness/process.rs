//! A server in a process of its own, to be killed.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(60);

/// A job called `slow`: some seconds of work, with output from the beginning on.
const SLOW_JOB: &str = r#"
engine = "sql"
script = "slow.sql"
[output]
location = "s3://lake/slow/"
format = "csv"
table = "out.slow"
"#;
pub(crate) const SLOW_SCRIPT: &str = "SELECT a.value AS a, b.value AS b, md5(concat(a.value, ':', b.value)) AS c \
FROM generate_series(1, 1000) AS a, generate_series(1, 1500) AS b";

/// `mastic serve` on free ports. Killed when dropped.
pub(crate) struct ServeProcess {
    process: Child,
    pub(crate) url: String,
    /// Where its store is.
    pub(crate) lake: String,
}

impl ServeProcess {
    /// Starts it and waits until it answers.
    pub(crate) fn start(folder: &Path, database: &str) -> Self {
        Self::start_by(Command::new(env!("CARGO_BIN_EXE_mastic")), folder, database)
    }

    /// The same, where it may have so many files open.
    pub(crate) fn start_with_files(folder: &Path, database: &str, files: u32) -> Self {
        let mut shell = Command::new("sh");
        let command = format!("ulimit -n {files}; exec \"$0\" \"$@\"");
        shell.args(["-c", &command, env!("CARGO_BIN_EXE_mastic")]);
        Self::start_by(shell, folder, database)
    }

    /// The same, with a log of this much that goes to a file.
    pub(crate) fn start_with_log(folder: &Path, database: &str, wanted: Option<&str>, log: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mastic"));
        command
            .env_remove("MASTIC_LOG")
            .stderr(std::fs::File::create(log).unwrap());
        if let Some(wanted) = wanted {
            command.env("MASTIC_LOG", wanted);
        }
        Self::start_by(command, folder, database)
    }

    fn start_by(mut command: Command, folder: &Path, database: &str) -> Self {
        let (api, lake) = (free_address(), free_address());
        let process = command
            .args([
                "serve",
                "--quiet",
                "--listen",
                &api,
                "--lake-listen",
                &lake,
                "--database",
                database,
                "--lake",
            ])
            .arg(folder.join("lake"))
            .current_dir(folder)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let started = Self {
            process,
            url: format!("http://{api}"),
            lake: format!("http://{lake}"),
        };
        let deadline = Instant::now() + PATIENCE;
        while ureq::get(format!("{}/readyz", started.url)).call().is_err() {
            assert!(Instant::now() < deadline, "the server did not start");
            std::thread::sleep(Duration::from_millis(50));
        }
        started
    }

    /// Registers a job of some seconds, whose folder is made in `folder`, and starts it. Answers with the run's path in the API.
    pub(crate) fn start_slow_run(&self, folder: &Path) -> String {
        let job = folder.join("slow");
        std::fs::create_dir(&job).unwrap();
        std::fs::write(job.join("job.toml"), SLOW_JOB).unwrap();
        std::fs::write(job.join("slow.sql"), SLOW_SCRIPT).unwrap();
        let (_, said, code) = self.mastic(&["jobs", "register", job.to_str().unwrap()]);
        assert_eq!(code, 0, "{said}");
        let (id, said, code) = self.mastic(&["jobs", "run", "slow"]);
        assert_eq!(code, 0, "{said}");
        format!("/runs/{}", id.trim())
    }

    /// `kill -9`
    pub(crate) fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// SIGTERM, and waits until it is over.
    pub(crate) fn stop(mut self) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").arg(id).status().unwrap().success());
        assert!(self.process.wait().unwrap().success());
    }

    /// GETs a path outside of the API.
    pub(crate) fn get_text(&self, path: &str) -> String {
        let mut answer = ureq::get(format!("{}{path}", self.url)).call().unwrap();
        answer.body_mut().read_to_string().unwrap()
    }

    /// GETs a path below `/api/v1`.
    pub(crate) fn get(&self, path: &str) -> Value {
        let text = ureq::get(format!("{}/api/v1{path}", self.url))
            .call()
            .unwrap()
            .body_mut()
            .read_to_string()
            .unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// Runs a `mastic` command against it; answers with stdout, stderr and the exit code.
    pub(crate) fn mastic(&self, arguments: &[&str]) -> (String, String, i32) {
        self.mastic_with(&[], arguments)
    }

    /// The same with variables in its environment.
    pub(crate) fn mastic_with(
        &self,
        variables: &[(&str, &str)],
        arguments: &[&str],
    ) -> (String, String, i32) {
        let output = Command::new(env!("CARGO_BIN_EXE_mastic"))
            .envs(variables.iter().copied())
            .args(["--url", &self.url])
            .args(arguments)
            .output()
            .unwrap();
        (
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
            output.status.code().unwrap_or(-1),
        )
    }

    /// Asks until the answer satisfies.
    pub(crate) fn wait_for(&self, path: &str, satisfies: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self.get(path);
            if satisfies(&answer) {
                return answer;
            }
            assert!(Instant::now() < deadline, "{path} stayed {answer}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for ServeProcess {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An address that nobody listens on, for a server that is told where to listen. Its port isn't one of those that the
/// system gives to connections by itself (from 32,768 on): one of these may be taken again before the server has it.
pub(crate) fn free_address() -> String {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    const PORTS: std::ops::Range<u16> = 20_000..32_000;
    let first = (std::process::id() % 100) as u16 * 120;
    loop {
        let place = (first + NEXT.fetch_add(1, Ordering::Relaxed)) % (PORTS.end - PORTS.start);
        let address = format!("127.0.0.1:{}", PORTS.start + place);
        if TcpListener::bind(&address).is_ok() {
            return address;
        }
    }
}
