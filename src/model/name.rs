//! Names of databases, tables and other catalogued things: checked once, then trusted.

use std::fmt;

use crate::error::{Error, Result};

/// The longest name that Glue takes (`NameString`), in characters.
const MAX_NAME: usize = 255;

/// A table's full name. Both parts are folded to lower case, as Glue and Hive do.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct TableRef {
    /// The database's name.
    pub database: String,
    /// The table's name within it.
    pub name: String,
}

impl TableRef {
    /// Checks and folds both names.
    ///
    /// # Errors
    /// Invalid where either name is.
    pub fn new(database: &str, name: &str) -> Result<Self> {
        Ok(Self {
            database: catalog_name("database", database)?,
            name: catalog_name("table", name)?,
        })
    }

    /// Reads `database.table`.
    ///
    /// # Errors
    /// Invalid where there is no dot, or a name is invalid.
    pub fn parse(text: &str) -> Result<Self> {
        let (database, name) = text.split_once('.').ok_or_else(|| {
            Error::invalid(format!("'{text}' is not a table's name")).hint("write it as database.table")
        })?;
        Self::new(database, name)
    }
}

impl fmt::Display for TableRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.database, self.name)
    }
}

/// Checks a database's, table's or column's name and folds it to lower case.
/// The rule is Glue's `NameString`: 1 to 255 characters, none of them a control character.
///
/// # Errors
/// Invalid, naming `kind`.
pub fn catalog_name(kind: &str, name: &str) -> Result<String> {
    check_name(kind, name)?;
    Ok(name.to_lowercase())
}

/// Checks the name of a crawler, job, trigger or connection; its case is kept.
///
/// # Errors
/// Invalid, naming `kind`.
pub fn plain_name(kind: &str, name: &str) -> Result<String> {
    check_name(kind, name)?;
    Ok(name.to_owned())
}

fn check_name(kind: &str, name: &str) -> Result<()> {
    let length = name.chars().count();
    if length == 0 {
        return Err(Error::invalid(format!("the {kind}'s name is empty")));
    }
    if length > MAX_NAME {
        return Err(Error::invalid(format!(
            "the {kind}'s name has {length} characters, and {MAX_NAME} are allowed"
        )));
    }
    if let Some(bad) = name.chars().find(|c| c.is_control() && *c != '\t') {
        return Err(Error::invalid(format!(
            "the {kind}'s name contains the control character U+{:04X}",
            bad as u32
        )));
    }
    Ok(())
}

/// The rule for names that a crawler makes up (Glue's): lower case, anything but `a-z0-9_` becomes `_`.
pub fn identifier(text: &str) -> String {
    let name: String = text
        .to_lowercase()
        .chars()
        .map(|c| {
            if c.is_ascii_lowercase() || c.is_ascii_digit() {
                c
            } else {
                '_'
            }
        })
        .take(128)
        .collect();
    if name.is_empty() { "_".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_folded_and_checked() {
        assert_eq!(
            TableRef::parse("Curated.Yellow_Green").unwrap().to_string(),
            "curated.yellow_green"
        );
        assert_eq!(
            TableRef::parse("trips").unwrap_err().hint.unwrap(),
            "write it as database.table"
        );
        assert_eq!(
            catalog_name("table", "").unwrap_err().message,
            "the table's name is empty"
        );
        assert!(catalog_name("table", &"é".repeat(255)).is_ok());
        assert!(catalog_name("table", &"é".repeat(256)).is_err());
        assert!(catalog_name("table", "a\u{0}b").is_err());
    }

    #[test]
    fn identifiers_follow_glue() {
        assert_eq!(identifier("Year=2017"), "year_2017");
        assert_eq!(identifier("data.csv"), "data_csv");
        assert_eq!(identifier(""), "_");
    }
}
