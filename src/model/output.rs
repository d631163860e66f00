//! Where a job's result goes, and what it is: the section `[output]` of `job.toml`.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::model::location::Location;
use crate::model::pattern::{Captures, ObjectPattern};

/// Where the result goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputDefinition {
    /// The folder; `{parameter}` is filled in.
    pub location: String,
    /// What the files are.
    pub format: OutputFormat,
    /// How many files are written.
    #[serde(default = "one_file")]
    pub files: u32,
    /// What becomes of what was there.
    #[serde(default)]
    pub mode: OutputMode,
    /// The table that is kept in the catalog for it, `database.table`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
}

fn one_file() -> u32 {
    1
}

/// What output files are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutputFormat {
    /// Comma-separated, with a header, quoted where needed.
    Csv,
    /// One JSON object a line.
    Json,
    /// Apache Parquet, compressed with Zstandard.
    Parquet,
}

impl OutputFormat {
    /// The name in `job.toml`, in the catalog's `classification`, and at the end of files' names.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Parquet => "parquet",
        }
    }
}

/// What becomes of the files that were in the output folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutputMode {
    /// Those that earlier runs of the job wrote there are replaced; all others stay.
    #[default]
    Overwrite,
    /// They stay.
    Append,
    /// Everything below the folder is replaced, whoever wrote it.
    ReplaceFolder,
}

impl OutputMode {
    /// The name in `job.toml`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Overwrite => "overwrite",
            Self::Append => "append",
            Self::ReplaceFolder => "replace_folder",
        }
    }
}

impl OutputDefinition {
    /// The name of the file number `index`, where `token` tells the files of one run from those of another.
    pub fn file_name(&self, index: u32, token: Option<&str>) -> String {
        let token = token.map_or(String::new(), |token| format!("-{token}"));
        format!("part-{index:05}{token}.{}", self.format.as_str())
    }

    /// The folder that a run with these parameters writes to.
    ///
    /// # Errors
    /// Invalid where the parameters leave it open, or one can't stand in it.
    pub fn folder(&self, parameters: &Captures) -> Result<Location> {
        ObjectPattern::parse(&self.location)?
            .with_values(parameters)?
            .as_location()
            .ok_or_else(|| Error::invalid(format!("output.location '{}' is not one folder", self.location)))
    }

    /// The folder of the output's table: the part before the first folder `key=…`.
    pub fn table_root(&self) -> String {
        let mut root = String::new();
        for segment in self.location.split_inclusive('/') {
            if segment.find('=').is_some_and(|equals| equals > 0) {
                break;
            }
            root.push_str(segment);
        }
        root
    }
}
