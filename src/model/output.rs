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
    /// Of CSV: what stands between fields; a comma unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<String>,
    /// Of CSV: whether the first line holds the columns' names; it does unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<bool>,
    /// Of CSV: which fields are put in quotes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote: Option<Quote>,
    /// Of CSV: what NULL is written as; as nothing unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub null: Option<String>,
    /// Of CSV: what an empty text is written as; as `""` unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub empty: Option<String>,
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

/// Which fields of CSV are put in quotes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quote {
    /// Those that would be read as something else without them. An empty text is one: a NULL is nothing.
    #[default]
    Necessary,
    /// All but NULLs.
    Always,
    /// None: a text that would be read as something else fails the run.
    Never,
}

impl Quote {
    /// The name in `job.toml`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Necessary => "necessary",
            Self::Always => "always",
            Self::Never => "never",
        }
    }
}

/// How CSV is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CsvOptions {
    /// What stands between fields.
    pub delimiter: char,
    /// Whether the first line holds the columns' names.
    pub header: bool,
    /// Which fields are put in quotes.
    pub quote: Quote,
    /// What NULL is written as, without quotes.
    pub null: String,
    /// What an empty text is written as, without quotes; absent for `""`.
    pub empty: Option<String>,
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self {
            delimiter: ',',
            header: true,
            quote: Quote::Necessary,
            null: String::new(),
            empty: None,
        }
    }
}

impl OutputDefinition {
    /// How its CSV is written.
    ///
    /// # Errors
    /// Invalid where an option doesn't fit, or the format isn't CSV.
    pub fn csv(&self) -> Result<CsvOptions> {
        let options = [
            ("delimiter", self.delimiter.is_some()),
            ("header", self.header.is_some()),
            ("quote", self.quote.is_some()),
            ("null", self.null.is_some()),
            ("empty", self.empty.is_some()),
        ];
        if self.format != OutputFormat::Csv
            && let Some((name, _)) = options.iter().find(|(_, is_set)| *is_set)
        {
            return Err(Error::invalid(format!(
                "output.{name} is an option of csv, and the format is {}",
                self.format.as_str()
            )));
        }
        let delimiter = match self
            .delimiter
            .as_deref()
            .map(|text| text.chars().collect::<Vec<_>>())
        {
            None => ',',
            Some(chars) => match chars[..] {
                [one]
                    if one.is_ascii()
                        && !one.is_ascii_alphanumeric()
                        && !matches!(one, '"' | '\n' | '\r' | '\0') =>
                {
                    one
                }
                _ => {
                    return Err(Error::invalid(format!(
                        "output.delimiter is '{}'",
                        self.delimiter.as_deref().unwrap_or_default().escape_default()
                    ))
                    .hint("it is one ASCII character that is no letter, digit, quote or line end: \",\", \";\", \"|\" or \"\\t\""));
                }
            },
        };
        let quote = self.quote.unwrap_or_default();
        let null = self.null.clone().unwrap_or_default();
        let empty = match (&self.empty, quote) {
            // Nothing else tells an empty text from a NULL where there are no quotes.
            (None, Quote::Never) => Some(String::new()),
            (empty, _) => empty.clone(),
        };
        for (name, text) in [("null", &null), ("empty", empty.as_ref().unwrap_or(&null))] {
            if text.contains([delimiter, '"', '\n', '\r', '\0']) {
                return Err(
                    Error::invalid(format!("output.{name} is '{}'", text.escape_default()))
                        .hint("it is written as it is: it has no delimiter, quote or line end in it"),
                );
            }
        }
        if empty.as_ref() == Some(&null) && self.empty.is_some() {
            return Err(Error::invalid("output.null and output.empty are the same text")
                .hint("nobody could tell a NULL from an empty text: choose two, or leave out empty, which is \"\" then"));
        }
        Ok(CsvOptions {
            delimiter,
            header: self.header.unwrap_or(true),
            quote,
            null,
            empty,
        })
    }

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
