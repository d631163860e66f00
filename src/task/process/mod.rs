//! Programs that aren't ours: a script's interpreter, with everything that it starts.
//!
//! Two processes stand between the server and a script. [`watch`] is the one that listens: it starts the other, passes its
//! output on as lines of the run's log, holds it to its memory, and leaves nothing of it behind, not even what the script
//! started and forgot. The other one, [`become_it`], shuts itself in and then becomes the program. The watcher ends when
//! the server does: its stdin closes.

mod fetch;
mod lines;
mod sandbox;
mod tree;
mod upload;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use rustix::process::{
    Resource, Rlimit, Signal, getppid, set_child_subreaper, set_parent_process_death_signal, setrlimit,
};
use serde::{Deserialize, Serialize};

use super::children::Means;
use super::speech::log;
use super::{Limits, Message};
use crate::buckets::Access;
use crate::error::{Error, Result};
use crate::model::run::LogLevel;
pub use sandbox::is_enforced;

use lines::Lines;
use tree::Tree;

/// How often a program's memory is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// The first look comes soon, because many programs are short.
const FIRST_LOOKS: Duration = Duration::from_millis(5);
/// The folders in a program's folder: where it begins, what is temporary, and what it leaves.
const WORK: &str = "work";
const TEMPORARY: &str = "tmp";
const OUTPUT: &str = "output";
/// How many processes a script may have at once.
const MAX_PROCESSES: usize = 512;

/// A program to run, and what it may use and see. It begins in a folder of its own, and may write there and nowhere else.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Program {
    /// The program's file.
    pub file: PathBuf,
    /// What it is told.
    pub arguments: Vec<String>,
    /// Its environment, beside `HOME`, `TMPDIR` and [`OUTPUT_DIR`].
    pub environment: BTreeMap<String, String>,
    /// What is in its folder when it begins, by name.
    pub files: BTreeMap<String, String>,
    /// Objects that are in its folder, too.
    pub objects: Vec<Copied>,
    /// Files and folders elsewhere that it may read, beside what every program needs.
    pub readable: Vec<PathBuf>,
    /// Folders elsewhere that it may write below.
    pub writable: Vec<PathBuf>,
    /// Where what it leaves in [`OUTPUT_DIR`] goes: a bucket and the beginning of keys.
    pub output: Option<(String, String)>,
    /// How much of what it says is kept, in bytes.
    pub log_bytes: u64,
}

impl Program {
    /// The file of its folder, if it has it, that `MASTIC_INPUTS` names.
    pub const INPUTS: &str = "inputs.json";
}

/// An object that is a file of a program's folder.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Copied {
    /// The object's bucket.
    pub bucket: String,
    /// The object's key; its last part is the file's name.
    pub key: String,
    /// Whether it is, or has, modules of Python.
    pub is_module: bool,
}

impl Copied {
    /// The file's name.
    pub fn name(&self) -> &str {
        self.key.rsplit('/').next().unwrap_or_default()
    }
}

/// A program, in its folder.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Placed {
    program: Program,
    folder: PathBuf,
    /// Who watches it.
    watcher: u32,
}

/// The variable that names the folder whose files are the output.
const OUTPUT_DIR: &str = "MASTIC_OUTPUT_DIR";
/// The variable that names the file of its inputs.
const INPUTS: &str = "MASTIC_INPUTS";

/// Runs a program to its end, and says what it used.
///
/// # Errors
/// Invalid where it ends with another status than 0; Limit where it went beyond one; Unavailable where it can't be started.
pub(super) fn watch(program: Program, access: Option<&Access>, means: &Means) -> Result<Message> {
    let limits = means.limits;
    let folder = means.spill.as_ref().map(|spill| spill.folder.clone());
    let folder = folder.ok_or_else(|| Error::internal("a script has no folder"))?;
    let placed = place(program, folder)?;
    placed.fetch(access)?;
    if !is_enforced() {
        log(
            LogLevel::Warn,
            "this kernel has no Landlock: the script can read and write whatever this server's user can",
        );
    }
    // What a script starts and forgets becomes this process's child, and can be found.
    set_child_subreaper(Some(rustix::process::getpid()))
        .map_err(|cause| Error::unavailable("a script's processes can't be watched").source(cause))?;
    let mut child = start(&placed, limits)?;
    let is_over = Arc::new(AtomicBool::new(false));
    end_with_the_server(Arc::clone(&is_over));
    let lines = Lines::of(&mut child, placed.program.log_bytes);
    let mut tree = Tree::new(limits.memory_bytes);
    let ended = wait(child, &mut tree);
    tree.kill();
    let last_words = lines.finish();
    let outcome = conclude(ended, &placed, access, limits, &tree, &last_words);
    is_over.store(true, Ordering::SeqCst);
    outcome
}

/// What a program came to: what it left is uploaded where it ended well.
fn conclude(
    ended: Result<ExitStatus>,
    placed: &Placed,
    access: Option<&Access>,
    limits: Limits,
    tree: &Tree,
    last_words: &str,
) -> Result<Message> {
    match ended? {
        status if status.success() => {
            placed.upload(access)?;
            Ok(Message::Ran(tree.usage()))
        }
        status => Err(explain(status, limits, last_words)),
    }
}

/// Gives a program its folder, with what is in it.
fn place(mut program: Program, folder: PathBuf) -> Result<Placed> {
    let prepare = || -> std::io::Result<()> {
        for inner in [WORK, TEMPORARY, OUTPUT] {
            std::fs::create_dir(folder.join(inner))?;
        }
        for (name, text) in &program.files {
            let path = folder.join(WORK).join(name);
            if let Some(above) = path.parent() {
                std::fs::create_dir_all(above)?;
            }
            std::fs::write(path, text)?;
        }
        Ok(())
    };
    prepare().map_err(|cause| Error::unavailable("a script's folder can't be filled").source(cause))?;
    if program.files.contains_key(Program::INPUTS) {
        let path = folder.join(WORK).join(Program::INPUTS);
        let path = path.display().to_string();
        program.environment.insert(INPUTS.to_owned(), path);
    }
    program.files.clear();
    // A module of one file is found in the script's own folder.
    let is_archive = |object: &&Copied| object.is_module && !object.key.ends_with(".py");
    let modules = program.objects.iter().filter(is_archive);
    let modules: Vec<String> = modules
        .map(|object| folder.join(WORK).join(object.name()).display().to_string())
        .collect();
    if !modules.is_empty() {
        let path = modules.join(":");
        program.environment.insert("PYTHONPATH".to_owned(), path);
    }
    let own = [("HOME", WORK), ("TMPDIR", TEMPORARY), (OUTPUT_DIR, OUTPUT)];
    for (variable, inner) in own {
        let path = folder.join(inner).display().to_string();
        program.environment.insert(variable.to_owned(), path);
    }
    Ok(Placed {
        program,
        folder,
        watcher: std::process::id(),
    })
}

/// Does what needs the store, while nothing else is to be done.
fn with_the_store(work: impl Future<Output = Result<()>>) -> Result<()> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|cause| Error::unavailable("no threads can be started").source(cause))?
        .block_on(work)
}

/// Starts this program once more, to become the other one.
fn start(program: &Placed, limits: Limits) -> Result<Child> {
    let unavailable =
        |cause: std::io::Error| Error::unavailable("a script's process can't be started").source(cause);
    let own = std::env::current_exe().map_err(unavailable)?;
    let mut child = Command::new(own)
        .arg("task")
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(unavailable)?;
    let spec = super::Spec {
        work: super::Work::Become(program.clone()),
        access: None,
        limits,
    };
    let mut line = serde_json::to_vec(&super::Handed {
        spec: &spec,
        spill: None,
    })
    .map_err(|cause| Error::internal("a program can't be written down").source(cause))?;
    line.push(b'\n');
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(&line).map_err(unavailable)?;
    }
    Ok(child)
}

/// Kills everything when the server is gone, or doesn't want it any more.
fn end_with_the_server(is_over: Arc<AtomicBool>) {
    std::thread::spawn(move || {
        let mut rest = Vec::new();
        // Nothing comes; it ends when the server's end does.
        let _nobody = std::io::stdin().lock().read_to_end(&mut rest);
        if !is_over.load(Ordering::SeqCst) {
            Tree::new(u64::MAX).kill();
            std::process::exit(1);
        }
    });
}

/// Waits for a program's end, and holds it to its limits meanwhile.
fn wait(mut child: Child, tree: &mut Tree) -> Result<ExitStatus> {
    let lost = || Error::internal("a script was lost");
    let (sender, ended) = channel();
    // So that the end of a program is seen at once, however seldom it is looked at.
    std::thread::spawn(move || sender.send(child.wait()));
    let mut pause = FIRST_LOOKS;
    loop {
        tree.look()?;
        if tree.processes() > MAX_PROCESSES {
            return Err(Error::limit(format!(
                "the script has more than {MAX_PROCESSES} processes and was stopped"
            )));
        }
        match ended.recv_timeout(pause) {
            Ok(status) => return status.map_err(|cause| lost().source(cause)),
            Err(RecvTimeoutError::Disconnected) => return Err(lost()),
            Err(RecvTimeoutError::Timeout) => pause = (pause * 2).min(LOOK_EVERY),
        }
    }
}

/// What it means that a script ended as it did.
fn explain(status: ExitStatus, limits: Limits, last_words: &str) -> Error {
    let said = match last_words {
        "" => String::new(),
        words => format!(": {words}"),
    };
    match (status.signal(), status.code()) {
        (Some(signal), _) if signal == Signal::XCPU.as_raw() => Error::limit(format!(
            "the script used more than {} seconds of CPU time and was stopped",
            limits.cpu_seconds
        )),
        (Some(signal), _) => Error::invalid(format!("the script was ended by signal {signal}{said}")),
        (None, Some(code)) => Error::invalid(format!("the script ended with status {code}{said}"))
            .hint("its last lines are in the run's log"),
        (None, None) => Error::internal("a script ended without a status"),
    }
}

/// Shuts this process in and becomes the program: comes back with what kept it from that.
pub(super) fn become_it(placed: Placed, limits: Limits) -> Error {
    let Placed {
        program,
        folder,
        watcher,
    } = placed;
    let unavailable = |cause: rustix::io::Errno| Error::unavailable("a limit can't be set").source(cause);
    let prepared = || -> Result<()> {
        set_parent_process_death_signal(Some(Signal::KILL)).map_err(unavailable)?;
        // Nobody would end it where its watcher died before this.
        let parent = getppid().map(|parent| parent.as_raw_nonzero().get().cast_unsigned());
        if parent != Some(watcher) {
            return Err(Error::unavailable("the parent died"));
        }
        for (resource, value) in [(Resource::Core, 0), (Resource::Cpu, limits.cpu_seconds)] {
            let both = Rlimit {
                current: Some(value),
                maximum: Some(value),
            };
            setrlimit(resource, both).map_err(unavailable)?;
        }
        let own = std::iter::once(&folder);
        let writable: Vec<PathBuf> = own.chain(&program.writable).cloned().collect();
        sandbox::enter(&program.readable, &writable)
    };
    if let Err(error) = prepared() {
        return error;
    }
    let cause = Command::new(&program.file)
        .args(&program.arguments)
        .env_clear()
        .envs(&program.environment)
        .current_dir(folder.join(WORK))
        .stdin(Stdio::null())
        .exec();
    Error::unavailable(format!("{} can't be started: {cause}", program.file.display()))
}
