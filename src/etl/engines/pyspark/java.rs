//! The Java that Spark runs on.

use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::super::known::Known;
use crate::config::EngineConfig;
use crate::error::{Error, Result};

/// A Java.
#[derive(Clone, Debug)]
pub(super) struct Java {
    /// Its folder.
    pub(super) home: PathBuf,
    /// Its version, as `17`; `1.8` is the one before 9.
    pub(super) version: String,
}

impl Java {
    /// The one that the settings name, or `JAVA_HOME`, or the one in `PATH`. It is asked once where it is.
    ///
    /// # Errors
    /// Invalid where there is none.
    pub(super) async fn of(config: &EngineConfig) -> Result<Self> {
        static KNOWN: Known<Java> = Known::new();
        let told = config.java_home.clone();
        let told = told.or_else(|| crate::config::process_environment().remove("JAVA_HOME"));
        let file = match told.filter(|home| !home.is_empty()) {
            Some(home) => Path::new(&home).join("bin/java"),
            None => PathBuf::from("java"),
        };
        KNOWN.of(&file, ask(&file)).await
    }

    /// The folders that it reads: its own, and where systems keep its settings.
    pub(super) fn folders(&self) -> Vec<PathBuf> {
        let settings = std::fs::read_dir("/etc").into_iter().flatten().flatten();
        let settings = settings.filter(|entry| entry.file_name().to_string_lossy().starts_with("java"));
        let own = [self.home.clone()];
        own.into_iter()
            .chain(settings.map(|entry| entry.path()))
            .collect()
    }
}

async fn ask(file: &Path) -> Result<Java> {
    let missing = |why: String| {
        Error::invalid(format!(
            "Spark needs Java, and {} can't be used: {why}",
            file.display()
        ))
        .hint("install Java 17, or name the folder of one with engines.java_home")
    };
    let answer = Command::new(file)
        .args(["-XshowSettings:properties", "-version"])
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|cause| missing(cause.to_string()))?;
    let said = String::from_utf8_lossy(&answer.stderr);
    let property = |name: &str| {
        let of_it = |line: &str| {
            Some(
                line.trim()
                    .strip_prefix(name)?
                    .trim()
                    .strip_prefix('=')?
                    .trim()
                    .to_owned(),
            )
        };
        said.lines().find_map(of_it)
    };
    match (property("java.home"), property("java.specification.version")) {
        (Some(home), Some(version)) => Ok(Java {
            home: PathBuf::from(home),
            version,
        }),
        _ => Err(missing("it does not say where it is".to_owned())),
    }
}
