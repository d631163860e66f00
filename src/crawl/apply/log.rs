//! A crawl's log, in the lines that Glue's crawlers write. Pure: it is made of what is known of the crawl.

use chrono::{DateTime, SecondsFormat, Utc};

use crate::crawl::plan::write;
use crate::crawl::shape::words;
use crate::model::crawl::{Change, ChangeKind, ChangeOp, Crawl, WorkState};

/// The lines of a crawl's log, the oldest first.
pub fn lines(crawl: &Crawl) -> Vec<String> {
    let crawler = write::crawler_name(&crawl.request);
    let id = &crawl.id;
    let mut lines = Vec::new();
    let mut say = |time: DateTime<Utc>, level: &str, text: String| {
        let time = time.to_rfc3339_opts(SecondsFormat::Millis, true);
        lines.push(format!("{time} [{id}] {level} : {text}"));
    };
    let Some(began) = crawl.started_at else {
        return lines;
    };
    say(
        began,
        "BENCHMARK",
        format!("Running Start Crawl for Crawler {crawler}"),
    );
    let options = &crawl.request.options;
    say(
        began,
        "INFO",
        format!(
            "Crawler configured with Configuration {} and SchemaChangePolicy {}. Note that values in the Configuration \
             override values in the SchemaChangePolicy for S3 Targets.",
            options.configuration.as_deref().unwrap_or("{}"),
            serde_json::json!({ "UpdateBehavior": options.update, "DeleteBehavior": options.delete })
        ),
    );
    let Some(ended) = crawl.finished_at else {
        return lines;
    };
    let progress = &crawl.progress;
    say(
        ended,
        "INFO",
        format!(
            "{} objects listed, {} files read ({} bytes), {} known from before",
            progress.objects, progress.files_read, progress.bytes_read, progress.files_known
        ),
    );
    if let Some(plan) = &crawl.plan {
        let database = &crawl.request.database;
        say(
            ended,
            "BENCHMARK",
            format!("Classification complete, writing results to database {database}"),
        );
        for aside in &plan.set_aside {
            say(
                ended,
                "WARN",
                format!("{} was set aside: {}", aside.path, aside.reason),
            );
        }
        for change in &plan.changes {
            if let Some(text) = told(change, crawl.request.dry_run) {
                say(ended, "INFO", text);
            }
        }
        say(ended, "BENCHMARK", "Finished writing to Catalog".to_owned());
        let ops = [
            (ChangeOp::Add, "ADD"),
            (ChangeOp::Change, "UPDATE"),
            (ChangeOp::Retire, "DELETE"),
        ];
        let tables = ops.map(|(op, word)| (word, plan.tables_that(op).len() as u64));
        let partitions = ops.map(|(op, word)| (word, plan.partitions_that(op)));
        for (name, counts) in [("TABLE", tables), ("PARTITION", partitions)] {
            if counts.iter().any(|(_, count)| *count > 0) {
                say(ended, "INFO", format!("Run Summary For {name}:"));
            }
            for (word, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
                say(ended, "INFO", format!("{word}: {count}"));
            }
        }
    }
    match crawl.state {
        WorkState::Failed => say(
            ended,
            "ERROR",
            crawl
                .error
                .clone()
                .unwrap_or_else(|| "the crawl failed".to_owned()),
        ),
        WorkState::Cancelled if !progress.has_written() => say(
            ended,
            "INFO",
            "The crawl was stopped; it changed nothing".to_owned(),
        ),
        WorkState::Cancelled => say(ended, "INFO", "The crawl was stopped".to_owned()),
        WorkState::Queued | WorkState::Running | WorkState::Succeeded => {}
    }
    if matches!(crawl.state, WorkState::Failed | WorkState::Cancelled) && progress.has_written() {
        let tables = counted(progress.tables_written, "table");
        let partitions = counted(progress.partitions_written, "partition");
        let text = format!("What was written until then stays: {tables} and {partitions}. It can be undone");
        say(ended, "INFO", text);
    }
    say(
        ended,
        "BENCHMARK",
        "Crawler has finished running and is in state READY".to_owned(),
    );
    lines
}

fn counted(count: i64, noun: &str) -> String {
    words::counted(usize::try_from(count).unwrap_or(usize::MAX), noun)
}

/// A change in words; nothing where there is none.
fn told(change: &Change, dry_run: bool) -> Option<String> {
    let verb = match (change.op, dry_run) {
        (ChangeOp::Unchanged, _) => return None,
        (ChangeOp::Add, false) => "Created",
        (ChangeOp::Add, true) => "Would create",
        (ChangeOp::Change, false) => "Updated",
        (ChangeOp::Change, true) => "Would update",
        (ChangeOp::Retire, false) => "Retired",
        (ChangeOp::Retire, true) => "Would retire",
    };
    let (database, name) = change.name.split_once('.').unwrap_or(("", &change.name));
    let what = match change.kind {
        ChangeKind::Database => format!("database {}", change.name),
        ChangeKind::Table => format!("table {name} in database {database}"),
        ChangeKind::Column => format!("column {name} in database {database} ({})", change.detail),
        ChangeKind::Partitions => format!(
            "partitions of table {name} in database {database} ({})",
            change.detail
        ),
    };
    Some(format!("{verb} {what}: {}", change.reason))
}
