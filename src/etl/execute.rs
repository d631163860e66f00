//! Executing a run: resolve inputs, run the script in a child, publish the output, keep the catalog.

use std::time::Duration;

use crate::app::App;
use crate::buckets::Access;
use crate::error::{Error, Result, Subject};
use crate::etl::engines::{self, Assignment, Place, Said, Working};
use crate::etl::preview::inputs_read;
use crate::etl::staged::Left;
use crate::etl::{inputs, jobs, output_table, outputs, places, publish, runs, staged};
use crate::model::crawl::WorkState;
use crate::model::data_files::is_data;
use crate::model::job::{Job, OutputDefinition, OutputMode};
use crate::model::location::Location;
use crate::model::run::Usage;
use crate::model::run::{LogLevel, Run, RunBody, RunError, RunOutput};
use crate::queue::{Halt, Lease, Worked};
use crate::store::commits::{self, CommitState};
use crate::store::{self, Note, Write};
use crate::task::{FileOfTable, GatherWork, Limits, Spec, TableToRead, Work, Written};

/// How often what a child said is written to the log, and its run is asked whether somebody wants it stopped.
const NOW_AND_THEN: Duration = Duration::from_millis(500);
/// How many lines of a log are written at once at the most.
const LINES_AT_ONCE: usize = 500;

/// Says of a run that its worker stopped in the middle: it waits for the next.
///
/// # Errors
/// Only the database's own.
pub async fn give_back(tx: &mut Note, id: &str) -> Result<()> {
    store::runs::put_back(tx, id, None).await
}

/// Says of a run that its worker put it back: it waits, or it failed for good. Says whether another run follows it by itself.
///
/// # Errors
/// Only the database's own.
pub async fn put_back(app: &App, tx: &mut Note, id: &str, error: &Error, is_final: bool) -> Result<bool> {
    let now = app.clock.now();
    let Some(mut run) = store::runs::find(tx, id)
        .await?
        .filter(|run| !run.state.is_final())
    else {
        return Ok(false);
    };
    let message = format!("{}{}", error.message, error.causes());
    if is_final {
        run.body.error = Some(RunError {
            message: message.clone(),
            hint: error.hint.clone(),
            timed_out: error.subject == Some(Subject::TimeLimit),
        });
        store::runs::append_log(tx, id, now, LogLevel::Error, &message).await?;
        store::runs::finish(tx, id, WorkState::Failed, &run.body, now).await?;
        return runs::follow(app, tx, &run).await;
    }
    store::runs::append_log(tx, id, now, LogLevel::Warn, &format!("{message}; trying again")).await?;
    store::runs::put_back(tx, id, Some(&error.message)).await?;
    Ok(false)
}

/// Executes a run, or goes on with it where a worker died.
///
/// # Errors
/// Whatever went wrong: the caller [puts the run back](put_back), or says that it failed, by what kind of error it is.
/// Lost.
pub async fn run(app: &App, lease: &Lease, id: &str) -> Worked {
    let mut tx = app.store.note().await?;
    lease.hold(&mut tx, app.clock.now()).await?;
    let Some(mut run) = store::runs::find(&mut tx, id).await? else {
        lease.finish(&mut tx).await?;
        return Ok(tx.commit().await?);
    };
    if run.state.is_final() {
        lease.finish(&mut tx).await?;
        return Ok(tx.commit().await?);
    }
    let job = store::jobs::find(&mut tx, &run.job).await?;
    let journal = commits::find::<publish::Manifest>(&mut tx, id).await?;
    // Arrivals may have joined it until now.
    run.body = store::runs::start(&mut tx, id, lease.attempt, app.clock.now()).await?;
    if lease.attempt > 1 {
        let message = format!("attempt {}: the one before did not end", lease.attempt);
        store::runs::append_log(&mut tx, id, app.clock.now(), LogLevel::Warn, &message).await?;
    }
    tx.commit().await?;

    let execution = Execution { app, lease, run };
    let ended = match (journal, job) {
        (Some((CommitState::Committing | CommitState::Shown, manifest)), Some(job)) => {
            execution
                .log(LogLevel::Info, "the output was decided: finishing it")
                .await?;
            execution.publish(&job, &manifest).await
        }
        (_, None) => Err(Error::not_found(format!("job {} was removed", execution.run.job)).into()),
        (journal, Some(job)) => {
            if let Some((_, staged)) = journal {
                publish::throw_away(app, &staged).await;
            }
            execution.attempt(&job).await
        }
    };
    match ended {
        Err(Halt::Stopped) => execution.cancelled().await,
        ended => ended,
    }
}

/// How a script ended that went well.
enum Ended {
    /// It wrote the output's files.
    Wrote(Written),
    /// It wrote what it liked.
    Ran(Usage),
}

impl Ended {
    fn written(self) -> Result<Written> {
        match self {
            Self::Wrote(written) => Ok(written),
            Self::Ran(_) => Err(Error::internal("an engine does not say what it wrote")),
        }
    }

    fn usage(&self) -> Option<Usage> {
        match self {
            Self::Ran(usage) => Some(*usage),
            Self::Wrote(_) => None,
        }
    }
}

struct Execution<'a> {
    app: &'a App,
    lease: &'a Lease,
    run: Run,
}

impl Execution<'_> {
    /// One attempt from the beginning.
    async fn attempt(&self, job: &Job) -> Worked {
        if self.lease.is_exhausted() {
            return Err(self.lease.exhaustion().into());
        }
        if self.is_cancelled().await? {
            return Err(Halt::Stopped);
        }
        engines::check_allowed(self.app, job.definition.engine)?;
        let Some(output) = &job.definition.output else {
            return self.attempt_without_output(job).await;
        };
        let folder = output.folder(&self.run.body.parameters)?;
        self.let_decided_go_first(job, output, &folder).await?;
        let tables = inputs::resolve(self.app, job, &self.run.body.parameters).await?;
        self.log_inputs(&tables).await?;
        places::check(self.app, job, output, &self.run.body.parameters).await?;
        outputs::refuse_inputs(self.app, job, &folder, &tables).await?;
        let mut manifest = publish::intended(output, &folder, &self.run.id);
        if !engines::of(job.definition.engine)?.writes_output() {
            let staging = staged::folder(&folder, &self.run.id, self.lease.attempt);
            manifest.staging = Some(staging.to_string());
        }
        // The journal knows the keys before an upload is begun, so that none is left over whoever dies in between.
        self.journal(CommitState::Staging, &manifest).await?;
        let staged = self.stage(job, output, &folder, &tables, &mut manifest).await;
        let (rows_in, usage) = match staged {
            Ok(staged) => staged,
            Err(halt) => {
                publish::throw_away(self.app, &manifest).await;
                return Err(halt);
            }
        };
        let mut body = self.body_with_inputs(&tables, &rows_in);
        body.usage = usage;
        let mut tx = self.app.store.note().await?;
        self.lease.hold(&mut tx, self.app.clock.now()).await?;
        store::runs::set_body(&mut tx, &self.run.id, &body).await?;
        publish::claim(&mut tx, job, &self.run.id, &manifest).await?;
        self.save_journal(&mut tx, CommitState::Committing, &manifest)
            .await?;
        tx.commit().await?;
        self.publish(job, &manifest).await
    }

    /// One attempt of a job that says nothing of what it writes: its script does as it likes.
    async fn attempt_without_output(&self, job: &Job) -> Worked {
        if engines::of(job.definition.engine)?.writes_output() {
            return Err(Error::invalid("the job has no output").into());
        }
        let tables = inputs::resolve(self.app, job, &self.run.body.parameters).await?;
        self.log_inputs(&tables).await?;
        self.log(
            LogLevel::Info,
            "the job names no output: what its script writes stays where the script puts it, also where it fails",
        )
        .await?;
        let ended = self.run_script(job, &tables, Place::Anywhere).await?;
        let mut body = self.body_with_inputs(&tables, &[]);
        body.usage = ended.usage();
        let now = self.app.clock.now();
        let mut tx = self.app.store.write().await?;
        self.lease.hold(&mut tx, now).await?;
        store::runs::finish(&mut tx, &self.run.id, WorkState::Succeeded, &body, now).await?;
        self.lease.finish(&mut tx).await?;
        Ok(tx.commit().await?)
    }

    /// A run whose output is decided and not finished may wait for something. What it decided is older than what this one
    /// would write, so it must not come after that.
    async fn let_decided_go_first(
        &self,
        job: &Job,
        output: &OutputDefinition,
        folder: &Location,
    ) -> Result<()> {
        if output.mode == OutputMode::Append {
            return Ok(());
        }
        let mut tx = self.app.store.read().await?;
        let decided = commits::decided::<publish::Manifest>(&mut tx, &job.name, &self.run.id).await?;
        match decided.iter().find(|(_, manifest)| manifest.is_in(folder)) {
            Some((run, _)) => Err(Error::unavailable(format!(
                "what {folder} holds is decided by run {run}, which isn't finished and goes first"
            ))),
            None => Ok(()),
        }
    }

    /// Uploads the output, and completes the manifest with what it replaces. Answers with the rows of each input, and what
    /// the script used.
    async fn stage(
        &self,
        job: &Job,
        output: &OutputDefinition,
        folder: &Location,
        tables: &[TableToRead],
        manifest: &mut publish::Manifest,
    ) -> Worked<(Vec<Vec<Option<u64>>>, Option<Usage>)> {
        let own = match &manifest.staging {
            None => None,
            Some(staging) => Some(self.run_own_way(job, tables, &Location::parse(staging)?).await?),
        };
        publish::begin(self.app, job, output.format, &self.run.id, manifest).await?;
        self.journal(CommitState::Staging, manifest).await?;
        let (written, usage) = match own {
            None => {
                let place = Place::Uploads(output, &manifest.uploads);
                (self.run_script(job, tables, place).await?.written()?, None)
            }
            Some((left, usage)) => (self.gather(output, left, manifest).await?, usage),
        };
        output_table::check(folder, &written.columns)?;
        manifest.files = written.files;
        manifest.columns = written.columns;
        let found = outputs::look(self.app, job, output, folder, &manifest.keys()).await?;
        self.log_foreign(folder, &found.foreign).await?;
        manifest.replaced = found.replaced;
        Ok((written.rows_in, usage))
    }

    /// Runs a script that writes files of its own; what it wrote.
    async fn run_own_way(
        &self,
        job: &Job,
        tables: &[TableToRead],
        staging: &Location,
    ) -> Worked<(Left, Option<Usage>)> {
        let ended = self.run_script(job, tables, Place::Folder(staging)).await?;
        Ok((staged::left(self.app, staging).await?, ended.usage()))
    }

    /// Makes the output of what a script wrote.
    async fn gather(
        &self,
        output: &OutputDefinition,
        left: Left,
        manifest: &publish::Manifest,
    ) -> Worked<Written> {
        let spec = Spec {
            work: Work::Gather(GatherWork {
                objects: left.objects,
                columns: left.columns,
                format: output.format,
                csv: output.csv()?,
                uploads: manifest.uploads.clone(),
            }),
            access: Some(self.app.access.clone()),
            limits: Limits {
                memory_bytes: self.app.config.tasks.sql_memory_bytes,
                ..self.limits(self.app.config.tasks.run_timeout)
            },
        };
        let mut working = self.app.children.start(&spec).await?;
        Ok(self.listen(&mut working).await?.written()?)
    }

    /// What a process may use that may take so long.
    fn limits(&self, timeout: Duration) -> Limits {
        let seconds = timeout.as_secs();
        Limits {
            memory_bytes: self.app.config.tasks.sql_memory_bytes,
            cpu_seconds: seconds.saturating_mul(4),
            wall_seconds: seconds,
        }
    }

    /// Runs the script.
    async fn run_script(&self, job: &Job, tables: &[TableToRead], place: Place<'_>) -> Worked<Ended> {
        let own = self.run.body.timeout.or(job.definition.timeout);
        let timeout = own.unwrap_or(self.app.config.tasks.run_timeout);
        let script = jobs::script_of(self.app, job).await?;
        let engine = engines::of(job.definition.engine)?;
        if !engine.writes_output() && matches!(self.app.access, Access::Environment) {
            self.log(
                LogLevel::Warn,
                "the script has this server's own keys to the object store",
            )
            .await?;
        }
        let mut working = engine
            .start(Assignment {
                app: self.app,
                job,
                run: &self.run,
                script: &script,
                tables,
                place,
                limits: self.limits(timeout),
            })
            .await?;
        self.listen(&mut *working).await
    }

    /// Listens to a process to its end. What it says for the log is written now and then, many lines at once.
    async fn listen(&self, working: &mut dyn Working) -> Worked<Ended> {
        let mut said = Vec::new();
        let ended = self.listen_into(working, &mut said).await;
        self.log_lines(&said).await?;
        ended
    }

    async fn listen_into(
        &self,
        working: &mut dyn Working,
        said: &mut Vec<(LogLevel, String)>,
    ) -> Worked<Ended> {
        let mut now_and_then = tokio::time::interval(NOW_AND_THEN);
        loop {
            let message = tokio::select! {
                message = working.next() => message?,
                _ = now_and_then.tick() => {
                    self.log_lines(&std::mem::take(said)).await?;
                    if self.is_cancelled().await? {
                        return Err(Halt::Stopped);
                    }
                    continue;
                }
            };
            match message {
                Said::Log(level, message) => said.push((level, message)),
                Said::Wrote(written) => return Ok(Ended::Wrote(written)),
                Said::Ran(usage) => return Ok(Ended::Ran(usage)),
            }
            if said.len() >= LINES_AT_ONCE {
                self.log_lines(&std::mem::take(said)).await?;
            }
        }
    }

    /// Finishes what the journal says, and ends the run with everything that follows from it, all at once.
    async fn publish(&self, job: &Job, manifest: &publish::Manifest) -> Worked {
        let outputs = publish::complete(self.app, manifest, &self.run.id).await?;
        // Nobody needs what the output was made of any more.
        staged::remove(self.app, manifest.staging.as_deref()).await;
        let mut removed = Vec::new();
        if manifest.is_shown_first() {
            let mut tx = self.app.store.write().await?;
            self.lease.hold(&mut tx, self.app.clock.now()).await?;
            publish::show(&mut tx, job, &self.run.id, manifest, &outputs).await?;
            self.keep_table(&mut tx, job, manifest, &outputs).await?;
            self.save_journal(&mut tx, CommitState::Shown, manifest).await?;
            tx.commit().await?;
            removed = publish::clear(self.app, manifest, &self.run.id, &outputs).await?;
        }
        let now = self.app.clock.now();
        let mut tx = self.app.store.write().await?;
        self.lease.hold(&mut tx, now).await?;
        for object in removed {
            let line = format!("removed {object}, which this output replaces");
            store::runs::append_log(&mut tx, &self.run.id, now, LogLevel::Info, &line).await?;
        }
        let mut body = runs::require(&mut tx, &self.run.id).await?.body;
        body.rows_out = Some(outputs.iter().map(|file| file.rows).sum());
        body.bytes_out = Some(outputs.iter().map(|file| file.size).sum());
        body.outputs = outputs;
        for file in &body.outputs {
            let line = format!(
                "published {} ({} rows, {} bytes)",
                file.path, file.rows, file.size
            );
            store::runs::append_log(&mut tx, &self.run.id, now, LogLevel::Info, &line).await?;
        }
        if !manifest.is_shown_first() {
            publish::show(&mut tx, job, &self.run.id, manifest, &body.outputs).await?;
            self.keep_table(&mut tx, job, manifest, &body.outputs).await?;
        }
        store::runs::finish(&mut tx, &self.run.id, WorkState::Succeeded, &body, now).await?;
        self.save_journal(&mut tx, CommitState::Committed, manifest)
            .await?;
        self.lease.finish(&mut tx).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn keep_table(
        &self,
        tx: &mut Write,
        job: &Job,
        manifest: &publish::Manifest,
        outputs: &[RunOutput],
    ) -> Result<()> {
        let Some(output) = &job.definition.output else {
            return Ok(());
        };
        let folder = Location::parse(&manifest.folder)?;
        let quoted = manifest.files.iter().any(|file| file.quoted);
        let written = output_table::Written {
            columns: &manifest.columns,
            files: outputs,
            quoted,
        };
        output_table::keep(self.app, tx, job, output, &folder, &written).await
    }

    /// Ends the run as somebody asked.
    async fn cancelled(&self) -> Worked {
        let now = self.app.clock.now();
        let mut tx = self.app.store.note().await?;
        self.lease.hold(&mut tx, now).await?;
        let body = runs::require(&mut tx, &self.run.id).await?.body;
        store::runs::append_log(&mut tx, &self.run.id, now, LogLevel::Warn, "stopped").await?;
        store::runs::finish(&mut tx, &self.run.id, WorkState::Cancelled, &body, now).await?;
        self.lease.finish(&mut tx).await?;
        Ok(tx.commit().await?)
    }

    async fn journal(&self, state: CommitState, manifest: &publish::Manifest) -> Worked {
        let mut tx = self.app.store.note().await?;
        self.lease.hold(&mut tx, self.app.clock.now()).await?;
        self.save_journal(&mut tx, state, manifest).await?;
        Ok(tx.commit().await?)
    }

    async fn save_journal(
        &self,
        tx: &mut Note,
        state: CommitState,
        manifest: &publish::Manifest,
    ) -> Result<()> {
        commits::save(
            tx,
            &self.run.id,
            self.lease.attempt,
            state,
            manifest,
            self.app.clock.now(),
        )
        .await
    }

    async fn log(&self, level: LogLevel, message: &str) -> Worked {
        self.log_lines(&[(level, message.to_owned())]).await
    }

    /// Adds lines to the run's log, in one transaction however many they are.
    async fn log_lines(&self, lines: &[(LogLevel, String)]) -> Worked {
        if lines.is_empty() {
            return Ok(());
        }
        let now = self.app.clock.now();
        let mut tx = self.app.store.note().await?;
        self.lease.hold(&mut tx, now).await?;
        for (level, line) in lines {
            store::runs::append_log(&mut tx, &self.run.id, now, *level, line).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Names the objects that are read.
    async fn log_inputs(&self, tables: &[TableToRead]) -> Worked {
        let line = |table: &TableToRead, file: &FileOfTable| {
            let object = &file.object;
            format!("{}: {} ({} bytes)", table.name, object.path(), object.size)
        };
        let lines: Vec<_> = tables
            .iter()
            .flat_map(|table| {
                table
                    .files
                    .given()
                    .iter()
                    .map(move |file| (LogLevel::Info, line(table, file)))
            })
            .collect();
        self.log_lines(&lines).await
    }

    /// Warns of data in the output folder that isn't the job's, and stays.
    async fn log_foreign(&self, folder: &Location, foreign: &[String]) -> Worked {
        let is_seen = |key: &&String| key.strip_prefix(&folder.key).is_some_and(is_data);
        let seen: Vec<&String> = foreign.iter().filter(is_seen).collect();
        let Some(first) = seen.first() else {
            return Ok(());
        };
        let count = seen.len();
        let line = format!(
            "{count} object(s) in {folder} aren't this job's and stay, so that readers of the folder read them, too: {}",
            folder.with_key(first.as_str())
        );
        self.log(LogLevel::Warn, &line).await
    }

    async fn is_cancelled(&self) -> Result<bool> {
        let mut tx = self.app.store.read().await?;
        store::runs::cancel_requested(&mut tx, &self.run.id).await
    }

    fn body_with_inputs(&self, tables: &[TableToRead], rows_in: &[Vec<Option<u64>>]) -> RunBody {
        let mut body = self.run.body.clone();
        body.inputs = inputs_read(tables, rows_in);
        body.bytes_in = Some(body.inputs.iter().map(|input| input.size).sum());
        let rows: Option<Vec<i64>> = body.inputs.iter().map(|input| input.rows).collect();
        body.rows_in = rows.map(|rows| rows.into_iter().sum());
        body
    }
}
