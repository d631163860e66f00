//! Readiness and figures for operators: whether requests that change something can be answered, and if not, why.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::sync::Mutex;

use crate::app::App;
use crate::clock::Deadline;
use crate::error::{Error, Result};
use crate::{api, queue};

/// How long what was found holds: however often somebody asks, no more is tried.
const HOLDS: Duration = Duration::from_secs(2);
/// How long a part may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// How much is written into the lake's folder to see whether there is room.
const PROBE: [u8; 4096] = [0; 4096];

/// What was found last.
pub(super) type Readiness = Arc<Mutex<Option<(Deadline, Report)>>>;

/// How the parts are.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Report {
    /// Whether requests that change something can be answered.
    ready: bool,
    parts: Vec<Part>,
}

/// How one part is.
#[derive(Clone, Debug, Serialize)]
struct Part {
    part: &'static str,
    ok: bool,
    /// Whether the server is not ready because of it. Work that needs a store that is away waits for it, and the server goes
    /// on taking requests.
    needed: bool,
    problem: Option<String>,
    hint: Option<String>,
}

impl Part {
    fn new(part: &'static str, needed: bool, found: Result<()>) -> Self {
        let (problem, hint) = match found {
            Ok(()) => (None, None),
            Err(error) => (Some(error.message), error.hint),
        };
        Self {
            part,
            ok: problem.is_none(),
            needed,
            problem,
            hint,
        }
    }
}

/// Says how the parts are; 503 where one that is needed isn't well, or the jobs aren't registered yet: then there are no
/// `job_errors`, not even none.
pub(super) async fn ready(app: &App, readiness: &Readiness, job_errors: Option<&[String]>) -> Response {
    let Some(job_errors) = job_errors else {
        let waits = Error::unavailable("the jobs folder is being registered");
        let report = Report {
            ready: false,
            parts: vec![Part::new("jobs", true, Err(waits))],
        };
        return (StatusCode::SERVICE_UNAVAILABLE, axum::Json(report)).into_response();
    };
    let mut last = readiness.lock().await;
    let report = match &*last {
        Some((until, report)) if !until.is_over() => report.clone(),
        _ => {
            let report = look(app, job_errors).await;
            *last = Some((Deadline::after(HOLDS), report.clone()));
            report
        }
    };
    drop(last);
    let status = if report.ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, axum::Json(report)).into_response()
}

async fn look(app: &App, job_errors: &[String]) -> Report {
    let database = app.store.try_write(&*app.clock);
    let mut parts = vec![Part::new(
        "database",
        true,
        in_time("the database", database).await,
    )];
    parts.push(match &app.config.lake {
        Some(lake) => Part::new(
            "lake",
            true,
            in_time("the lake's folder", room(lake.folder.clone())).await,
        ),
        None => Part::new("store", false, in_time("the object store", reach(app)).await),
    });
    parts.push(Part::new("jobs", false, registered(job_errors)));
    Report {
        ready: parts.iter().all(|part| part.ok || !part.needed),
        parts,
    }
}

async fn in_time(what: &str, looking: impl Future<Output = Result<()>>) -> Result<()> {
    tokio::time::timeout(PATIENCE, looking).await.unwrap_or_else(|_| {
        Err(Error::unavailable(format!(
            "{what} gave no answer within {} seconds",
            PATIENCE.as_secs()
        )))
    })
}

/// Whether a store answers at all; what it allows is a matter of each bucket.
async fn reach(app: &App) -> Result<()> {
    match app.buckets.list_buckets().await {
        Err(error) if error.kind == crate::error::ErrorKind::Unavailable => Err(error),
        _ => Ok(()),
    }
}

/// Whether the lake's folder can be written.
async fn room(folder: PathBuf) -> Result<()> {
    tokio::task::spawn_blocking(move || probe(&folder))
        .await
        .unwrap_or_else(|_| Err(Error::internal("the lake's folder can't be looked at")))
}

fn probe(folder: &Path) -> Result<()> {
    let path = folder.join(".mastic").join("readiness");
    let written = std::fs::File::create(&path).and_then(|mut file| {
        file.write_all(&PROBE)?;
        file.sync_all()
    });
    let _ = std::fs::remove_file(&path);
    written.map_err(|cause| {
        let error = Error::unavailable(format!("{} can't be written: {cause}", folder.display()));
        match cause.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                error.hint("make room on its disk")
            }
            _ => error.hint("check that the folder is there, and may be written"),
        }
    })
}

fn registered(job_errors: &[String]) -> Result<()> {
    match job_errors {
        [] => Ok(()),
        [first, ..] => Err(Error::invalid(format!(
            "{} of the jobs folder could not be registered: {first}",
            match job_errors.len() {
                1 => "a job".to_owned(),
                count => format!("{count} jobs"),
            }
        ))
        .hint("mend them and start the server again")),
    }
}

/// What operators watch, in Prometheus' text format.
pub(super) async fn metrics(app: &App) -> Response {
    let (counts, age) = match queue::count(&app.store, &*app.clock).await {
        Ok(counts) => counts,
        Err(error) => return api::problem(&error),
    };
    let version = env!("CARGO_PKG_VERSION");
    let mut text = format!(
        "# HELP mastic_build_info The version that runs.\n# TYPE mastic_build_info gauge\n\
         mastic_build_info{{version=\"{version}\"}} 1\n\
         # HELP mastic_children_started_total Processes that were started to touch data or plan queries.\n\
         # TYPE mastic_children_started_total counter\nmastic_children_started_total {}\n",
        app.children.started()
    );
    let seconds = age.as_seconds_f64().to_string();
    for (name, help, value) in [
        (
            "tasks_unfinished",
            "Tasks that wait or are at work.",
            counts.unfinished.to_string(),
        ),
        (
            "tasks_waiting",
            "Tasks that were tried and put back: what they need is away, or they are tried again.",
            counts.waiting.to_string(),
        ),
        (
            "tasks_failed",
            "Tasks that failed for good and that nobody has settled.",
            counts.failed.to_string(),
        ),
        (
            "tasks_oldest_due_seconds",
            "How long the task that is due longest has waited for a worker.",
            seconds,
        ),
    ] {
        text.push_str(&format!(
            "# HELP mastic_{name} {help}\n# TYPE mastic_{name} gauge\nmastic_{name} {value}\n"
        ));
    }
    text.into_response()
}
