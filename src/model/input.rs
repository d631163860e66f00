//! What a job reads: objects that a pattern finds, or a table of the catalog.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::name::TableRef;
use super::pattern::{Captures, ObjectPattern};
use crate::error::{Error, Result};

/// A table of the script: `name = "s3://…"` or `name = "database.table"`, or a table with `location` or `table` and more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "InputForm")]
pub struct InputDefinition {
    /// The objects that are read, as a pattern; `{parameter}` is filled in. Of a table of the catalog, `database.table`.
    pub location: String,
    /// Of a table of the catalog: which of its partitions, as Glue's GetPartitions is asked; `{parameter}` is filled in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<String>,
    /// Columns that the script relies on, by name, with their types in Hive's spelling: one that a file lacks reads as
    /// NULL, and one of another type is cast.
    pub columns: BTreeMap<String, String>,
    /// Whether a run starts although no object is there; the table is empty then, and has just the declared columns.
    pub optional: bool,
    /// What becomes of objects without a byte.
    pub empty: EmptyObjects,
    /// Whether a row of CSV with other than the file's number of fields fails the run. Otherwise what is too much is left
    /// out, what is missing is NULL, and the log counts both.
    pub strict: bool,
}

/// What becomes of an input's objects that have no byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmptyObjects {
    /// They are no data.
    #[default]
    Skip,
    /// The run fails, naming one.
    Error,
}

impl EmptyObjects {
    /// The name in `job.toml`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Error => "error",
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum InputForm {
    Location(String),
    Table(InputTable),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InputTable {
    location: Option<String>,
    table: Option<String>,
    partitions: Option<String>,
    #[serde(default)]
    columns: BTreeMap<String, String>,
    #[serde(default)]
    optional: bool,
    #[serde(default)]
    empty: EmptyObjects,
    #[serde(default)]
    strict: bool,
}

impl From<InputForm> for InputDefinition {
    fn from(form: InputForm) -> Self {
        let table = match form {
            InputForm::Table(table) => table,
            InputForm::Location(location) => InputTable {
                location: Some(location),
                table: None,
                partitions: None,
                columns: BTreeMap::new(),
                optional: false,
                empty: EmptyObjects::Skip,
                strict: false,
            },
        };
        Self {
            location: table.location.or(table.table).unwrap_or_default(),
            partitions: table.partitions,
            columns: table.columns,
            optional: table.optional,
            empty: table.empty,
            strict: table.strict,
        }
    }
}

impl InputDefinition {
    /// The table of the catalog that it is, where it is one.
    pub fn table(&self) -> Option<TableRef> {
        match self.location.contains("://") {
            true => None,
            false => TableRef::parse(&self.location).ok(),
        }
    }

    /// The objects that it is; none where it is a table of the catalog.
    ///
    /// # Errors
    /// Invalid where it is neither.
    pub fn pattern(&self) -> Result<Option<ObjectPattern>> {
        match self.table() {
            Some(_) => Ok(None),
            None => ObjectPattern::parse(&self.location).map(Some),
        }
    }

    /// Which partitions of its table are read, with a run's parameters; nothing where all are.
    ///
    /// # Errors
    /// Invalid where it names a parameter that isn't there.
    pub fn expression(&self, parameters: &Captures) -> Result<Option<String>> {
        let Some(written) = &self.partitions else {
            return Ok(None);
        };
        let mut text = String::new();
        let mut rest = written.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, behind)) = after.split_once('}') else {
                return Err(Error::invalid(format!(
                    "partitions = \"{written}\": a {{ without }}"
                )));
            };
            let value = parameters.get(name).ok_or_else(|| {
                Error::invalid(format!("partitions uses {{{name}}}, which is not a parameter"))
                    .hint(format!("add a section [parameters.{name}]"))
            })?;
            text.push_str(before);
            text.push_str(&value.replace('\'', "''"));
            rest = behind;
        }
        text.push_str(rest);
        Ok(Some(text))
    }

    /// Checks it; the pattern that it is, whose captures are the job's to check.
    ///
    /// # Errors
    /// Invalid, by the input's name.
    pub(super) fn check<T>(
        &self,
        name: &str,
        parameters: &BTreeMap<String, T>,
    ) -> Result<Option<ObjectPattern>> {
        let Some(pattern) = self.pattern()? else {
            if !self.columns.is_empty() || self.strict || self.optional {
                return Err(Error::invalid(format!(
                    "inputs.{name} is the table {}, whose columns are the catalog's",
                    self.location
                ))
                .hint("leave out columns, strict and optional, or name the objects instead: location = \"s3://…\""));
            }
            let placeholders = parameters.keys().map(|name| (name.clone(), String::new()));
            return self
                .expression(&placeholders.collect())
                .map(|_| None)
                .map_err(|error| error.within(format!("inputs.{name}")));
        };
        if self.partitions.is_some() {
            return Err(
                Error::invalid(format!("inputs.{name}: partitions is for tables of the catalog"))
                    .hint("name the table: table = \"database.table\""),
            );
        }
        pattern.check()?;
        self.check_columns(name)?;
        Ok(Some(pattern))
    }

    fn check_columns(&self, name: &str) -> Result<()> {
        for (column, data_type) in &self.columns {
            data_type.parse::<classifiers::DataType>().map_err(|cause| {
                Error::invalid(format!(
                    "inputs.{name}.columns.{column}: '{data_type}' is not a type: {cause}"
                ))
                .hint("types are spelled as in Hive: bigint, double, decimal(10,2), timestamp, string")
            })?;
        }
        if self.optional && self.columns.is_empty() {
            return Err(
                Error::invalid(format!("inputs.{name} is optional and declares no columns")).hint(
                    "list the columns that the script uses, so that an empty table can stand in for it",
                ),
            );
        }
        Ok(())
    }

    /// The folder of its pattern: what stands before the last name.
    pub fn folder(&self) -> &str {
        self.location
            .rfind('/')
            .map_or(self.location.as_str(), |end| &self.location[..=end])
    }
}
