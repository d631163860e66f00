//! `mastic doctor`

use super::output::{self, Format};
use super::serve::block_on;
use super::{Global, Outcome, ServeFlags};
use crate::buckets::{Access, Buckets};
use crate::config::{Config, Flags};
use crate::error::{Error, ErrorKind, Result};
use crate::etl;
use crate::etl::jobs::{DEFINITION_FILE, JobSource};
use crate::retention;
use crate::store::Store;
use crate::task;

/// Checks every part, one line each.
pub(super) fn run(flags: ServeFlags, global: &Global) -> Result<Outcome> {
    let config = Config::load(&Flags::from(flags))?;
    let rows: Vec<Vec<String>> = config
        .origins
        .iter()
        .map(|origin| vec![origin.name.to_owned(), origin.value.clone(), origin.from.clone()])
        .collect();
    output::rows_of(
        if global.output == Format::Csv {
            Format::Csv
        } else {
            Format::Table
        },
        &["setting", "value", "from"],
        &rows,
    );
    output::data("");
    let mut is_well = true;
    let mut report = |part: &str, outcome: Result<String>| match outcome {
        Ok(detail) => output::data(&format!("ok    {part}: {detail}")),
        Err(error) => {
            is_well = false;
            output::data(&format!("wrong {part}: {}{}", error.message, error.causes()));
            if let Some(hint) = error.hint {
                output::data(&format!("      hint: {hint}"));
            }
        }
    };
    report("database", block_on(database(&config)));
    report("object store", block_on(object_store(&config)));
    report("jobs", jobs(&config));
    report("spilled data", spill_folder(&config));
    for state in block_on(async { Ok(etl::states(&config.engines).await) })? {
        let name = state.engine.as_str();
        let found = match (state.is_allowed, state.found) {
            (true, Err(error)) if state.is_optional => Ok(format!("not used: {}", error.message)),
            (false, _) => Ok(format!(
                "off; allow = [\"{name}\"] below [engines] would let everybody who reaches the server run code by it"
            )),
            (true, found) => found,
        };
        report(&format!("engine {}", state.name), found);
    }
    if !config.engines.allowed.is_empty() {
        report("scripts", Ok(what_holds_scripts(&config)));
    }
    report("API", port(config.listen, "--listen"));
    if let Some(lake) = &config.lake {
        report("S3 endpoint", port(lake.listen, "--lake-listen"));
    }
    Ok(if is_well { Outcome::Done } else { Outcome::Failed })
}

/// What scripts are held to on this machine, and what they aren't.
fn what_holds_scripts(config: &Config) -> String {
    let files = match task::is_enforced() {
        true => "they read their interpreter and write their own folder (Landlock)",
        false => "they read and write whatever this user can: the kernel has no Landlock",
    };
    let keys = match (&config.lake, &config.credentials) {
        (Some(_), Some(_)) => "each run has its own keys to the lake, good for what its job names",
        (Some(_), None) => {
            "each run has its own keys to the lake, good for what its job names, but the lake takes whoever shows none"
        }
        (None, _) => "they have this server's keys to the object store",
    };
    format!("{files}; {keys}; their network isn't held")
}

async fn database(config: &Config) -> Result<String> {
    match Store::open(&config.database_url).await {
        Ok(store) => {
            let mut detail = "it opens, and is up to date".to_owned();
            for noun in retention::NOUNS {
                let (oldest, forgotten) = retention::reach(&store, noun).await?;
                if let Some(oldest) = oldest {
                    detail.push_str(&format!("; {noun} since {}", oldest.format("%F %H:%M UTC")));
                }
                if let Some(until) = forgotten {
                    detail.push_str(&format!(
                        ", those before {} are forgotten",
                        until.format("%F %H:%M UTC")
                    ));
                }
            }
            store.close().await;
            Ok(detail)
        }
        // A server that is up holds the SQLite file.
        Err(error) if error.kind == ErrorKind::Conflict => Ok(error.message),
        Err(error) => Err(error),
    }
}

async fn object_store(config: &Config) -> Result<String> {
    if let Some(lake) = &config.lake {
        std::fs::create_dir_all(&lake.folder)
            .map_err(|cause| Error::unavailable(format!("can't make {}: {cause}", lake.folder.display())))?;
        return Ok(format!("the folder {}", lake.folder.display()));
    }
    let buckets = Buckets::new(&Access::Environment).await?.list_buckets().await?;
    Ok(format!("{} buckets", buckets.len()))
}

fn jobs(config: &Config) -> Result<String> {
    let Some(folder) = &config.jobs else {
        return Ok("there is no jobs folder".to_owned());
    };
    let entries = std::fs::read_dir(folder)
        .map_err(|cause| Error::unavailable(format!("can't read {}: {cause}", folder.display())))?;
    let mut count = 0;
    for entry in entries
        .flatten()
        .filter(|entry| entry.path().join(DEFINITION_FILE).is_file())
    {
        JobSource::read(&entry.path())?;
        count += 1;
    }
    Ok(format!("{count} in {}", folder.display()))
}

fn spill_folder(config: &Config) -> Result<String> {
    let folder = &config.tasks.spill_dir;
    std::fs::create_dir_all(folder).map_err(|cause| {
        Error::unavailable(format!("can't make {}: {cause}", folder.display()))
            .hint("put it elsewhere with tasks.spill_dir")
    })?;
    Ok(format!("the folder {}", folder.display()))
}

fn port(address: std::net::SocketAddr, flag: &str) -> Result<String> {
    match std::net::TcpListener::bind(address) {
        Ok(_) => Ok(format!("{address} is free")),
        Err(cause) if cause.kind() == std::io::ErrorKind::AddrInUse => Ok(format!(
            "{address} is in use: a server is up there; for a second one choose another with {flag}"
        )),
        Err(cause) => Err(Error::unavailable(format!("can't listen on {address}: {cause}"))),
    }
}
