//! `mastic demo`: the whole story on generated trips, checked as it is told.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use clap::Args;
use rust_embed::RustEmbed;

use super::crawl::print_plan;
use super::demo_data::{Color, TripFile, trips};
use super::serve::{begin_log, block_on, greet, stop_signal};
use super::{Global, Outcome, output};
use crate::clock::{Clock as _, Deadline, SystemClock};
use crate::config::{Config, Flags};
use crate::crawl;
use crate::error::{Error, ErrorKind, Result};
use crate::etl::{jobs, query, runs};
use crate::events::{self, reconcile};
use crate::model::crawl::{CrawlRequest, CrawlTarget, WorkState};
use crate::model::job::TriggerDefinition;
use crate::model::page::PageRequest;
use crate::model::run::{Run, RunFilter};
use crate::server::{Parts, Server};

const HEADING: Style = AnsiColor::Cyan.on_default().bold();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const BUCKET: &str = "lake";
const JOB: &str = "monthly-union";
const MONTHS: [&str; 3] = ["2022-01", "2022-02", "2022-03"];
const YELLOW_TRIPS: usize = 30_000;
const GREEN_TRIPS: usize = 8_000;
/// How long a step may take before the demo gives up.
const PATIENCE: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(100);

/// The jobs that we ship.
#[derive(RustEmbed)]
#[folder = "jobs"]
struct ShippedJobs;

/// See the whole story on generated trip data.
#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Where the demo keeps its data [default: mastic-demo, or a temporary folder with --once]
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Tell the story, check it, and exit
    #[arg(long)]
    once: bool,
    /// Don't open the UI
    #[arg(long)]
    no_open: bool,
    /// The database: sqlite:///FILE or postgres://… [default: SQLite in the demo's folder]
    #[arg(long, env = "MASTIC_DATABASE_URL", hide_env_values = true)]
    database: Option<String>,
}

impl Demo {
    pub(super) fn run(self, global: &Global) -> Result<Outcome> {
        begin_log("warn,s3s=off,aws_config::imds=error");
        let temporary = match (&self.dir, self.once) {
            (None, true) => Some(TemporaryFolder::new()?),
            _ => None,
        };
        let folder = match (&temporary, &self.dir) {
            (Some(temporary), _) => temporary.0.clone(),
            (None, Some(dir)) => dir.clone(),
            (None, None) => PathBuf::from("mastic-demo"),
        };
        let quiet = global.quiet;
        block_on(async {
            let started = SystemClock.now();
            let server = Server::start(self.config(&folder)?, Arc::new(SystemClock), Parts::All).await?;
            let told = Story {
                server: &server,
                quiet,
            }
            .tell()
            .await;
            if told.is_ok() {
                let seconds = (SystemClock.now() - started).as_seconds_f64();
                output::say(
                    quiet,
                    &format!("\n{GOOD}The story was told and checked in {seconds:.1} s.{GOOD:#}\n"),
                );
                next_steps(&server, quiet);
                if !self.once {
                    greet(&server, quiet);
                    if !self.no_open {
                        open(&format!("http://{}", server.address));
                    }
                    output::say(
                        quiet,
                        &format!("Everything is in {}. Ctrl-C stops it.", folder.display()),
                    );
                    stop_signal().await;
                }
            }
            server.stop().await;
            told.map(|()| Outcome::Done)
        })
    }

    fn config(&self, folder: &Path) -> Result<Config> {
        let address = |port| {
            if self.once {
                free_port()
            } else {
                free_or_this(port)
            }
        };
        let database = format!("sqlite://{}", folder.join("mastic.db").display());
        let flags = Flags {
            listen: Some(address(8080)?.to_string()),
            lake_listen: Some(address(9000)?.to_string()),
            lake: Some(folder.join("lake")),
            database: Some(self.database.clone().unwrap_or(database)),
            ..Flags::default()
        };
        let mut config = Config::resolve(&flags, &Default::default())?;
        // The demo registers its job when the story comes to it.
        config.jobs = None;
        Ok(config)
    }
}

struct Story<'a> {
    server: &'a Server,
    quiet: bool,
}

impl Story<'_> {
    fn heading(&self, text: &str) {
        output::say(self.quiet, &format!("\n{HEADING}{text}{HEADING:#}"));
    }

    fn line(&self, text: &str) {
        output::say(self.quiet, &format!("  {text}"));
    }

    async fn tell(&self) -> Result<()> {
        self.begin_anew().await?;
        self.heading("1. Two months of taxi trips land in the bucket, through the S3 endpoint");
        for month in &MONTHS[..2] {
            self.put_month(month).await?;
        }
        self.heading("2. A crawl looks at them: first the plan, with its reasons, then the catalog");
        self.crawl().await?;
        self.heading("3. A job is registered: it joins each month's yellow and green trips into one CSV");
        self.register_job().await?;
        self.heading("4. The third month lands, and nobody does anything");
        let before = self.newest_run().await?.map(|run| run.id);
        let expected = self.put_month(MONTHS[2]).await?;
        let run = self.wait_for_run(before).await?;
        self.heading("5. What the run came to");
        self.check(&run, &expected).await
    }

    /// A folder or database that was used before gives the same story.
    async fn begin_anew(&self) -> Result<()> {
        let app = &self.server.app;
        match jobs::delete(app, JOB).await {
            Err(error) if error.kind != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        for prefix in ["raw/yellow/", "raw/green/", "curated/yellow_green/"] {
            let keys = app
                .buckets
                .list(BUCKET, prefix)
                .await?
                .into_iter()
                .map(|object| object.key);
            app.buckets.delete_all(BUCKET, &keys.collect::<Vec<_>>()).await?;
        }
        reconcile::run(app).await.map(drop)
    }

    async fn put_month(&self, month: &str) -> Result<Vec<TripFile>> {
        let files = vec![
            trips(Color::Yellow, month, YELLOW_TRIPS)?,
            trips(Color::Green, month, GREEN_TRIPS)?,
        ];
        for file in &files {
            self.server
                .app
                .buckets
                .put(BUCKET, &file.key, file.bytes.clone())
                .await?;
            self.line(&format!(
                "s3://{BUCKET}/{}  {} trips, {} bytes",
                file.key,
                file.rows,
                file.bytes.len()
            ));
        }
        Ok(files)
    }

    async fn crawl(&self) -> Result<()> {
        let app = &self.server.app;
        let request = CrawlRequest {
            database: "raw".to_owned(),
            targets: vec![CrawlTarget {
                path: format!("s3://{BUCKET}/raw/"),
                ..CrawlTarget::default()
            }],
            dry_run: false,
            ..CrawlRequest::default()
        };
        let id = crawl::start(app, request).await?.id;
        let crawl = self
            .wait(async || Ok(Some(crawl::get(app, &id).await?).filter(|crawl| crawl.state.is_final())))
            .await?;
        let plan = match (crawl.state, crawl.plan) {
            (WorkState::Succeeded, Some(plan)) => plan,
            _ => {
                return Err(Error::internal(format!(
                    "the crawl failed: {}",
                    crawl.error.unwrap_or_default()
                )));
            }
        };
        let shown = serde_json::to_value(&plan)
            .map_err(|cause| Error::internal("the plan can't be shown").source(cause))?;
        if !self.quiet {
            print_plan(&shown);
        }
        let tables = crate::catalog::tables::list(app, "raw", &PageRequest::first(100)).await?;
        for (table, _) in tables.items {
            let input = &table.input;
            let place = input.location().unwrap_or_default();
            self.line(&format!(
                "raw.{}: {} columns at {place}",
                input.name,
                input.columns().len()
            ));
        }
        let missing: Vec<&str> = ["yellow", "green"]
            .into_iter()
            .filter(|name| !plan.tables.iter().any(|table| table.name == *name))
            .collect();
        ensure(missing.is_empty(), || {
            format!("the crawl did not find {}", missing.join(" and "))
        })
    }

    async fn register_job(&self) -> Result<()> {
        let text = |name: &str| {
            let file = ShippedJobs::get(&format!("{JOB}/{name}"))
                .ok_or_else(|| Error::internal(format!("the binary lacks the job's {name}")))?;
            String::from_utf8(file.data.into_owned())
                .map_err(|cause| Error::internal("a job is no text").source(cause))
        };
        let source = jobs::JobSource {
            name: JOB.to_owned(),
            definition: text("job.toml")?,
            script: text("union.sql")?,
            requirements: None,
        };
        let job = jobs::register(&self.server.app, &source).await?;
        for arrivals in job
            .definition
            .triggers
            .iter()
            .filter_map(TriggerDefinition::arrivals)
        {
            self.line(&format!(
                "{JOB} runs when an object like {} is written",
                arrivals.pattern
            ));
        }
        if let Some(output) = &job.definition.output {
            self.line(&format!("and writes {}", output.location));
        }
        Ok(())
    }

    async fn newest_run(&self) -> Result<Option<Run>> {
        let filter = RunFilter {
            job: Some(JOB.to_owned()),
            state: None,
        };
        let newest = runs::list(&self.server.app, &filter, &PageRequest::first(1)).await?;
        Ok(newest.items.into_iter().next())
    }

    /// Waits for a run other than `before` to be over, and tells of it.
    async fn wait_for_run(&self, before: Option<String>) -> Result<Run> {
        let app = &self.server.app;
        let arrived = self
            .wait(async || {
                Ok(self
                    .newest_run()
                    .await?
                    .filter(|run| Some(&run.id) != before.as_ref()))
            })
            .await?;
        for event in events::list(app, &PageRequest::first(2))
            .await?
            .items
            .into_iter()
            .rev()
        {
            self.line(&format!(
                "event: s3://{}/{} was written",
                event.object.bucket, event.object.key
            ));
        }
        self.line(&format!(
            "both arrivals are one run: {} {:?}",
            arrived.job, arrived.body.parameters
        ));
        let run = self
            .wait(async || Ok(Some(runs::get(app, &arrived.id).await?).filter(|run| run.state.is_final())))
            .await?;
        for line in runs::logs(app, &run.id, &PageRequest::first(100)).await?.items {
            self.line(&format!("log: {}", line.message));
        }
        match (run.state, &run.body.error) {
            (WorkState::Succeeded, _) => Ok(run),
            (_, Some(error)) => Err(Error::internal(format!("the run failed: {}", error.message))),
            _ => Err(Error::internal("the run did not succeed")),
        }
    }

    async fn check(&self, run: &Run, expected: &[TripFile]) -> Result<()> {
        let app = &self.server.app;
        let [file] = run.body.outputs.as_slice() else {
            return Err(Error::internal(format!(
                "the run wrote {} files instead of one",
                run.body.outputs.len()
            )));
        };
        let rows: usize = expected.iter().map(|file| file.rows).sum();
        let cents: i64 = expected.iter().map(|file| file.total_cents).sum();
        let key = file
            .path
            .strip_prefix(&format!("s3://{BUCKET}/"))
            .unwrap_or_default();
        let size = u64::try_from(file.size).unwrap_or(0);
        let csv = app.buckets.get_range(BUCKET, key, 0..size, None).await?;
        let lines = csv.iter().filter(|byte| **byte == b'\n').count();
        ensure(lines == rows + 1, || {
            format!("the CSV has {lines} lines instead of {}", rows + 1)
        })?;
        self.line(&format!(
            "{}: a header and {rows} trips, {} bytes",
            file.path, file.size
        ));
        let sql = format!(
            "SELECT taxi_type, count(*) AS trips, round(sum(total_amount), 2) AS total FROM curated.yellow_green \
             WHERE ym = '{}' GROUP BY taxi_type ORDER BY taxi_type",
            MONTHS[2]
        );
        let result = query::run(app, &sql, 10).await?;
        let mut found_cents = 0.0;
        for row in &result.rows {
            self.line(&row.iter().map(output::cell).collect::<Vec<_>>().join("  "));
            found_cents += row.last().and_then(serde_json::Value::as_f64).unwrap_or(0.0) * 100.0;
        }
        #[expect(clippy::cast_precision_loss, reason = "the sum is small")]
        let difference = (found_cents - cents as f64).abs();
        ensure(difference < 1.0, || {
            format!("total_amount adds up to {found_cents} cents instead of {cents}")
        })?;
        let mut dollars = cents.to_string();
        dollars.insert(dollars.len() - 2, '.');
        self.line(&format!("total_amount adds up to {dollars}, as it should"));
        Ok(())
    }

    /// Asks until there is an answer.
    async fn wait<T>(&self, ask: impl AsyncFn() -> Result<Option<T>>) -> Result<T> {
        let deadline = Deadline::after(PATIENCE);
        loop {
            if let Some(answer) = ask().await? {
                return Ok(answer);
            }
            if deadline.is_over() {
                return Err(Error::limit(format!(
                    "nothing happened for {} seconds",
                    PATIENCE.as_secs()
                )));
            }
            tokio::time::sleep(POLL).await;
        }
    }
}

fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Result<()> {
    if holds {
        Ok(())
    } else {
        Err(Error::internal(otherwise()))
    }
}

/// Lines to paste.
fn next_steps(server: &Server, quiet: bool) {
    let (Some(lake), api) = (server.lake_address, server.address) else {
        return;
    };
    let keys = "AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any AWS_DEFAULT_REGION=us-east-1";
    let lines = [
        "Try it yourself:".to_owned(),
        format!("  export {keys}"),
        format!(
            "  aws --endpoint-url http://{lake} s3 cp s3://{BUCKET}/curated/yellow_green/ym=2022-03/part-00000.csv ."
        ),
        format!("  aws --endpoint-url http://{api} glue get-tables --database-name raw"),
        format!(
            "  mastic --url http://{api} sql \"SELECT taxi_type, avg(tip_amount) FROM curated.yellow_green GROUP BY taxi_type\""
        ),
        format!("  http://{api}"),
        String::new(),
    ];
    for line in lines {
        output::say(quiet, &line);
    }
}

fn free_port() -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0");
    listener
        .and_then(|listener| listener.local_addr())
        .map_err(|cause| Error::unavailable(format!("no port is free: {cause}")))
}

/// This port where it is free, and any other where it isn't.
fn free_or_this(port: u16) -> Result<SocketAddr> {
    let wanted = SocketAddr::from(([127, 0, 0, 1], port));
    match TcpListener::bind(wanted) {
        Ok(_) => Ok(wanted),
        Err(_) => free_port(),
    }
}

/// Opens a page in the browser, where there is one.
fn open(url: &str) {
    let opener = if cfg!(target_os = "macos") {
        "open"
    } else {
        "xdg-open"
    };
    let silent = std::process::Stdio::null;
    let _ = std::process::Command::new(opener)
        .arg(url)
        .stdout(silent())
        .stderr(silent())
        .spawn();
}

/// A folder that goes with its owner.
struct TemporaryFolder(PathBuf);

impl TemporaryFolder {
    fn new() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("mastic-demo-{}", std::process::id()));
        std::fs::create_dir_all(&path)
            .map_err(|cause| Error::unavailable(format!("can't make {}: {cause}", path.display())))?;
        Ok(Self(path))
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
