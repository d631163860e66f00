//! One file per command. Data goes to stdout, progress and messages to stderr.

mod catalog;
mod classifiers;
mod client;
mod completions;
mod connections;
mod crawl;
mod demo;
mod demo_data;
mod doctor;
mod engines;
mod events;
mod export;
mod glue_client;
mod glue_requests;
mod hive_ddl;
mod import;
mod infer;
mod init;
mod jobs;
mod output;
mod parameters;
mod serve;
mod sql;
mod tasks;
mod terraform;
mod triggers;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::config::Flags;
use crate::error::{Error, ErrorKind};

pub use output::Format;

/// A data catalog, crawler and ETL runner for data lakes
#[derive(Debug, Parser)]
#[command(
    name = "mastic",
    version,
    max_term_width = 100,
    after_help = "Start with: mastic demo"
)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Clone, Debug, Args)]
struct Global {
    /// Where the server is
    #[arg(
        long,
        global = true,
        env = "MASTIC_URL",
        default_value = "http://127.0.0.1:8080"
    )]
    url: String,
    /// The token that the server asks for
    #[arg(long, global = true, env = "MASTIC_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// How data is printed
    #[arg(long, global = true, value_enum, default_value_t = Format::Table)]
    output: Format,
    /// Say nothing but data and errors
    #[arg(long, short, global = true)]
    quiet: bool,
    /// Never ask anything
    #[arg(long, global = true)]
    no_input: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// See the whole story on generated trip data
    Demo(demo::Demo),
    /// Serve the API, the UI and background work
    Serve(ServeFlags),
    /// Do background work alone, on PostgreSQL
    Work(ServeFlags),
    /// Write a commented mastic.toml
    Init(init::Init),
    /// Check every part and say how to mend it
    Doctor(ServeFlags),
    /// Bring the database up to date
    Migrate(ServeFlags),
    /// Say what files are: schema, dialect, and why. Needs no server
    Infer(infer::Infer),
    /// Crawl a prefix once
    Crawl(crawl::CrawlOnce),
    /// Databases of the catalog
    #[command(subcommand)]
    Databases(catalog::Databases),
    /// Tables of the catalog
    #[command(subcommand)]
    Tables(catalog::Tables),
    /// Partitions of a table
    #[command(subcommand)]
    Partitions(catalog::Partitions),
    /// How to get to data that is elsewhere
    #[command(subcommand)]
    Connections(connections::Connections),
    /// Crawls that have a name
    #[command(subcommand)]
    Crawlers(crawl::Crawlers),
    /// Classifiers that people define
    #[command(subcommand)]
    Classifiers(classifiers::Classifiers),
    /// Jobs
    #[command(subcommand)]
    Jobs(jobs::Jobs),
    /// Runs of jobs
    #[command(subcommand)]
    Runs(jobs::Runs),
    /// What starts jobs by itself
    #[command(subcommand)]
    Triggers(triggers::Triggers),
    /// What arrived, and what became of it
    #[command(subcommand)]
    Events(events::Events),
    /// Background work: what waits, and what failed for good
    #[command(subcommand)]
    Tasks(tasks::Tasks),
    /// Bring a catalog in: from AWS Glue, or from an export
    #[command(subcommand)]
    Import(import::Import),
    /// Write the catalog out: for another mastic, for Hive, for Terraform
    Export(export::Export),
    /// What runs scripts on this machine
    #[command(subcommand)]
    Engines(engines::Engines),
    /// Query catalogued tables
    Sql(sql::Sql),
    /// Print the REST API's OpenAPI document
    Openapi,
    /// Print a shell's completions
    Completions(completions::Completions),
    /// Touch data bytes: started by the server itself
    #[command(hide = true)]
    Task,
}

/// The settings that have a flag.
#[derive(Clone, Debug, Default, Args)]
struct ServeFlags {
    /// The settings file; mastic.toml where it is there
    #[arg(long)]
    config: Option<PathBuf>,
    /// Where the API and the UI listen [default: 127.0.0.1:8080]
    #[arg(long)]
    listen: Option<String>,
    /// The database: sqlite:///FILE or postgres://… [default: sqlite in mastic-data/]
    #[arg(long)]
    database: Option<String>,
    /// The folder of the embedded object store [default: mastic-data/lake]
    #[arg(long)]
    lake: Option<PathBuf>,
    /// Where the embedded object store listens [default: 127.0.0.1:9000]
    #[arg(long)]
    lake_listen: Option<String>,
    /// The folder of job folders [default: jobs/ where it is there]
    #[arg(long)]
    jobs: Option<PathBuf>,
}

impl From<ServeFlags> for Flags {
    fn from(flags: ServeFlags) -> Self {
        Self {
            config: flags.config,
            listen: flags.listen,
            database: flags.database,
            lake: flags.lake,
            lake_listen: flags.lake_listen,
            jobs: flags.jobs,
        }
    }
}

/// What a command came to.
enum Outcome {
    /// Done.
    Done,
    /// It failed, and has said so.
    Failed,
    /// A dry run found changes.
    WouldChange,
}

/// Runs the command that the arguments name.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let is_help = !error.use_stderr();
            let _ = error.print();
            return if is_help {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(64)
            };
        }
    };
    match run(cli) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Failed) => ExitCode::from(1),
        Ok(Outcome::WouldChange) => ExitCode::from(2),
        Err(error) => {
            output::print_error(&error);
            exit_code(&error)
        }
    }
}

fn exit_code(error: &Error) -> ExitCode {
    ExitCode::from(match error.kind {
        ErrorKind::Unavailable => 69,
        ErrorKind::Denied => 77,
        _ => 1,
    })
}

fn run(cli: Cli) -> Result<Outcome, Error> {
    let global = cli.global;
    match cli.command {
        Command::Task => crate::task::child::main(crate::lake::near).map(|()| Outcome::Done),
        Command::Demo(demo) => demo.run(&global),
        Command::Serve(flags) => serve::serve(flags, &global),
        Command::Work(flags) => serve::work(flags),
        Command::Migrate(flags) => serve::migrate(flags),
        Command::Doctor(flags) => doctor::run(flags, &global),
        Command::Init(init) => init.run(),
        Command::Infer(infer) => infer.run(&global),
        Command::Crawl(crawl) => crawl.run(&global),
        Command::Engines(command) => command.run(&global),
        Command::Crawlers(command) => command.run(&global),
        Command::Classifiers(command) => command.run(&global),
        Command::Databases(command) => command.run(&global),
        Command::Tables(command) => command.run(&global),
        Command::Partitions(command) => command.run(&global),
        Command::Connections(command) => command.run(&global),
        Command::Jobs(command) => command.run(&global),
        Command::Runs(command) => command.run(&global),
        Command::Triggers(command) => command.run(&global),
        Command::Events(command) => command.run(&global),
        Command::Tasks(command) => command.run(&global),
        Command::Import(import) => import.run(&global),
        Command::Export(export) => export.run(&global),
        Command::Sql(sql) => sql.run(&global),
        Command::Openapi => {
            output::data(&crate::api::document()?);
            Ok(Outcome::Done)
        }
        Command::Completions(completions) => completions.run(),
    }
}
