//! Settings of child processes: what they may use, and where they put what they can't keep in memory.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use super::{LakeConfig, Picker, number};
use crate::error::{Error, Result};

/// What child processes may use.
#[derive(Clone, Debug)]
pub struct TaskConfig {
    /// The program that is started as `PROGRAM task`: this one.
    pub program: PathBuf,
    /// Address space of a process that runs SQL, in bytes.
    pub sql_memory_bytes: u64,
    /// Address space of a process that looks at files, in bytes.
    pub classify_memory_bytes: u64,
    /// How long a run may take unless its job says otherwise.
    pub run_timeout: Duration,
    /// How many tasks are worked on at the same time.
    pub workers: usize,
    /// The folder where processes put what they can't keep in memory.
    pub spill_dir: PathBuf,
    /// How much each of them may put there, in bytes.
    pub spill_bytes: u64,
}

/// `[tasks]` as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FileTasks {
    sql_memory_mib: Option<u64>,
    classify_memory_mib: Option<u64>,
    run_timeout_seconds: Option<u64>,
    workers: Option<usize>,
    spill_dir: Option<String>,
    spill_bytes: Option<u64>,
}

/// Where this installation keeps what is its own: beside the database, or else beside the lake.
pub(super) fn data_folder(database_url: &str, lake: Option<&LakeConfig>) -> PathBuf {
    let beside = |path: &Path| {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        parent.unwrap_or(Path::new(".")).to_owned()
    };
    let file = database_url
        .strip_prefix("sqlite:")
        .map(|path| path.strip_prefix("//").unwrap_or(path))
        .and_then(|path| path.split('?').next())
        .filter(|path| !path.is_empty() && !path.starts_with(':'));
    match (file, lake) {
        (Some(file), _) => beside(Path::new(file)),
        (None, Some(lake)) => beside(&lake.folder),
        (None, None) => PathBuf::from("mastic-data"),
    }
}

pub(super) fn resolve(picker: &mut Picker<'_>, file: FileTasks, data_folder: &Path) -> Result<TaskConfig> {
    const MIB: u64 = 1 << 20;
    const SPILL_BYTES: u64 = 10 << 30;
    let beside_data = data_folder.join("spill").display().to_string();
    let spill_dir = picker
        .pick("tasks.spill_dir", None, None, file.spill_dir, Some(&beside_data))
        .unwrap_or_default();
    let program = std::env::current_exe()
        .map_err(|cause| Error::internal("this program's own file can't be found").source(cause))?;
    Ok(TaskConfig {
        program,
        sql_memory_bytes: number(picker, "tasks.sql_memory_mib", file.sql_memory_mib, 4096)?
            .saturating_mul(MIB),
        classify_memory_bytes: number(
            picker,
            "tasks.classify_memory_mib",
            file.classify_memory_mib,
            1024,
        )?
        .saturating_mul(MIB),
        run_timeout: Duration::from_secs(number(
            picker,
            "tasks.run_timeout_seconds",
            file.run_timeout_seconds,
            7200,
        )?),
        workers: usize::try_from(number(
            picker,
            "tasks.workers",
            file.workers.map(|n| n as u64),
            4,
        )?)
        .unwrap_or(4),
        // A child's own folder is another, so it must not be a relative one.
        spill_dir: std::path::absolute(&spill_dir).map_err(|cause| {
            Error::invalid(format!("tasks.spill_dir is '{spill_dir}', which is no folder")).source(cause)
        })?,
        spill_bytes: number(picker, "tasks.spill_bytes", file.spill_bytes, SPILL_BYTES)?,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::{Config, Flags};
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        pairs.iter().map(owned).collect()
    }

    #[test]
    fn spilled_data_is_beside_the_other_data_unless_it_is_said_where() {
        let spill_dir = |database: &str, lake: &str| {
            let flags = Flags {
                database: Some(database.into()),
                ..Flags::default()
            };
            let config = Config::resolve(&flags, &environment(&[("MASTIC_LAKE", lake)])).unwrap();
            config.tasks.spill_dir
        };
        let here = std::path::absolute(".").unwrap();
        for (database, lake, expected) in [
            ("sqlite:///a/m.db", "/b/lake", PathBuf::from("/a/spill")),
            ("sqlite:///a/m.db?mode=rwc", "/b/lake", PathBuf::from("/a/spill")),
            ("sqlite://m.db", "/b/lake", here.join("spill")),
            ("sqlite::memory:", "/b/lake", PathBuf::from("/b/spill")),
            ("postgres://h/d", "/b/lake", PathBuf::from("/b/spill")),
            ("postgres://h/d", "lake", here.join("spill")),
        ] {
            assert_eq!(spill_dir(database, lake), expected, "{database} {lake}");
        }
        let without_lake = environment(&[
            ("MASTIC_LAKE_EMBEDDED", "false"),
            ("MASTIC_DATABASE_URL", "postgres://h/d"),
        ]);
        let config = Config::resolve(&Flags::default(), &without_lake).unwrap();
        assert_eq!(config.tasks.spill_dir, here.join("mastic-data/spill"));
    }
}
