//! Settings of engines: which may run code, with what, and what scripts may use.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Picker, number};
use crate::error::{Error, Result};
use crate::model::job::Engine;
use crate::model::runtime::SparkAddress;

/// The memory of a script with all that it starts, in MiB, unless told otherwise.
const MEMORY_MIB: u64 = 4096;
/// How much of what a script says is kept, in KiB.
const LOG_KIB: u64 = 10 << 10;

/// What engines run scripts, and with what.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// Which engines that run code of any kind may be used. SQL always may.
    pub allowed: Vec<Engine>,
    /// The Python interpreter: a path, or a name that is looked up in `PATH`.
    pub python: String,
    /// Where environments of packages are.
    pub folder: PathBuf,
    /// Where Spark itself runs scripts: this machine, unless told otherwise.
    pub spark_master: SparkAddress,
    /// The folder of a Spark of one's own; without one, the Spark that `mastic engines install spark` gets is used.
    pub spark_home: Option<PathBuf>,
    /// The folder of the Java that Spark runs on; without one, `JAVA_HOME` or the one in `PATH`.
    pub java_home: Option<String>,
    /// What Spark is told, by the names of its properties.
    pub spark_conf: BTreeMap<String, String>,
    /// The memory of a script with all that it starts, in bytes.
    pub memory_bytes: u64,
    /// How much of what a script says is kept, in bytes.
    pub log_bytes: u64,
}

/// `[engines]` as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FileEngines {
    allow: Option<Vec<String>>,
    python: Option<String>,
    folder: Option<String>,
    spark_master: Option<String>,
    spark_home: Option<String>,
    java_home: Option<String>,
    spark_conf: Option<BTreeMap<String, String>>,
    memory_mib: Option<u64>,
    log_kib: Option<u64>,
}

pub(super) fn resolve(
    picker: &mut Picker<'_>,
    file: FileEngines,
    data_folder: &Path,
) -> Result<EngineConfig> {
    let allow = file.allow.map(|names| names.join(","));
    let allow = picker.pick(
        "engines.allow",
        None,
        Some("MASTIC_ENGINES_ALLOW"),
        allow,
        Some(""),
    );
    let names = allow.unwrap_or_default();
    let allowed = names.split(',').map(str::trim).filter(|name| !name.is_empty());
    let python = picker.pick(
        "engines.python",
        None,
        Some("MASTIC_ENGINES_PYTHON"),
        file.python,
        Some("python3"),
    );
    let beside_data = data_folder.join("engines").display().to_string();
    let folder = picker
        .pick(
            "engines.folder",
            None,
            Some("MASTIC_ENGINES_FOLDER"),
            file.folder,
            Some(&beside_data),
        )
        .unwrap_or_default();
    let spark_master = picker.pick(
        "engines.spark_master",
        None,
        Some("MASTIC_SPARK_MASTER"),
        file.spark_master,
        Some("local[*]"),
    );
    let spark_master = spark_master.unwrap_or_default().parse();
    let spark_home = picker.pick("engines.spark_home", None, None, file.spark_home, None);
    let java_home = picker.pick("engines.java_home", None, None, file.java_home, None);
    Ok(EngineConfig {
        spark_master: spark_master.map_err(|error: Error| error.within("engines.spark_master"))?,
        spark_home: spark_home.map(PathBuf::from),
        java_home,
        spark_conf: file.spark_conf.unwrap_or_default(),
        allowed: allowed.map(engine).collect::<Result<_>>()?,
        python: python.unwrap_or_default(),
        // Scripts begin in folders of their own, so it must not be a relative one.
        folder: std::path::absolute(&folder).map_err(|cause| {
            Error::invalid(format!("engines.folder is '{folder}', which is no folder")).source(cause)
        })?,
        memory_bytes: number(picker, "engines.memory_mib", file.memory_mib, MEMORY_MIB)?
            .saturating_mul(1 << 20),
        log_bytes: number(picker, "engines.log_kib", file.log_kib, LOG_KIB)?.saturating_mul(1 << 10),
    })
}

fn engine(name: &str) -> Result<Engine> {
    match name {
        "python" => Ok(Engine::Python),
        "pyspark" => Ok(Engine::Pyspark),
        _ => Err(Error::invalid(format!("engines.allow names '{name}'"))
            .hint("write python, pyspark or both; sql needs no leave")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::environment;
    use crate::config::{Config, Flags};
    use crate::model::job::Engine;

    #[test]
    fn engines_that_run_code_are_off_until_they_are_named() {
        let allowed = |pairs: &[(&str, &str)]| {
            Config::resolve(&Flags::default(), &environment(pairs)).map(|config| config.engines.allowed)
        };
        assert_eq!(allowed(&[]).unwrap(), []);
        let both = [("MASTIC_ENGINES_ALLOW", "python, pyspark")];
        assert_eq!(allowed(&both).unwrap(), [Engine::Python, Engine::Pyspark]);
        let wrong = allowed(&[("MASTIC_ENGINES_ALLOW", "ruby")]).unwrap_err();
        assert_eq!(wrong.message, "engines.allow names 'ruby'");
    }
}
