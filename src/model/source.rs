//! Databases that aren't ours, as sources of a crawl: their tables, and the paths that name them.

use std::fmt;

use crate::error::{Error, Result};

/// The kinds of database that can be crawled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Engine {
    /// PostgreSQL.
    PostgreSql,
    /// MySQL and MariaDB.
    MySql,
}

impl Engine {
    /// What its tables are classified as (Glue's words).
    pub fn classification(self) -> &'static str {
        match self {
            Self::PostgreSql => "postgresql",
            Self::MySql => "mysql",
        }
    }

    /// The form of an include path.
    fn form(self) -> &'static str {
        match self {
            Self::PostgreSql => "database/schema/table",
            Self::MySql => "database/table",
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PostgreSql => "PostgreSQL",
            Self::MySql => "MySQL",
        })
    }
}

/// A table or a view of another database, as its catalog describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceTable {
    /// The database that it is in.
    pub database: String,
    /// Its schema; absent where the engine has none beside the database.
    pub schema: Option<String>,
    /// Its name.
    pub name: String,
    /// Whether it is a view.
    pub is_view: bool,
    /// What its owner says of it.
    pub comment: Option<String>,
    /// How many rows the engine believes it has.
    pub rows: Option<i64>,
    /// Its columns in their order.
    pub columns: Vec<SourceColumn>,
    /// The columns of its primary key.
    pub primary_key: Vec<String>,
}

/// A column of a source's table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceColumn {
    /// Its name.
    pub name: String,
    /// Its type as the source spells it.
    pub raw_type: String,
    /// Its type as Hive spells it.
    pub data_type: String,
    /// Why that type, where it isn't plain.
    pub why: Option<&'static str>,
    /// Whether it may be NULL.
    pub is_nullable: bool,
    /// What its owner says of it.
    pub comment: Option<String>,
}

/// Where a table of another database is: the connection that leads there, and its database, schema and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourcePlace {
    /// The connection.
    pub connection: String,
    /// Its database, schema and name; without a schema where the engine has none.
    pub parts: Vec<String>,
}

impl SourcePlace {
    /// The place of a table.
    pub fn of(connection: &str, table: &SourceTable) -> Self {
        let parts = [Some(&table.database), table.schema.as_ref(), Some(&table.name)];
        Self {
            connection: connection.to_owned(),
            parts: parts.into_iter().flatten().cloned().collect(),
        }
    }

    /// Reads a table's location, `database.schema.table`, as [`Display`](fmt::Display) writes it.
    pub fn parse(connection: &str, location: &str) -> Self {
        let (mut parts, mut part) = (Vec::new(), String::new());
        let mut chars = location.chars().peekable();
        let mut is_quoted = false;
        while let Some(next) = chars.next() {
            match next {
                '"' if is_quoted && chars.peek() == Some(&'"') => {
                    chars.next();
                    part.push('"');
                }
                '"' if is_quoted || part.is_empty() => is_quoted = !is_quoted,
                '.' if !is_quoted => parts.push(std::mem::take(&mut part)),
                other => part.push(other),
            }
        }
        parts.push(part);
        Self {
            connection: connection.to_owned(),
            parts,
        }
    }
}

/// As Glue writes it, `database.schema.table`. A name that has a dot or a quotation mark in it is quoted as SQL does, so
/// that no two tables have one location.
impl fmt::Display for SourcePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |part: &String| match part.contains(['.', '"']) {
            true => format!("\"{}\"", part.replace('"', "\"\"")),
            false => part.clone(),
        };
        let parts: Vec<String> = self.parts.iter().map(quoted).collect();
        f.write_str(&parts.join("."))
    }
}

/// Which tables of a database are meant: Glue's include path, `database/schema/table` or, for MySQL, `database/table`.
/// `%` stands for any text in a schema or a table; what is left out is `%`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncludePath {
    /// The database; the connection's where it is absent.
    pub database: Option<String>,
    /// Which schemas.
    pub schema: String,
    /// Which tables.
    pub table: String,
}

/// Stands for any text.
const ANY: &str = "%";

impl IncludePath {
    /// Reads a path for an engine.
    ///
    /// # Errors
    /// Invalid for a path of too many parts, or with `%` in its database.
    pub fn parse(engine: Engine, path: &str) -> Result<Self> {
        let form = engine.form();
        let bad = |what: &str| {
            let hint = format!("write {form}, as {}", form.replace("table", "%"));
            Error::invalid(format!("the path '{path}' {what}")).hint(hint)
        };
        let mut parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        // In MySQL a schema is a database. Those who know the longer form write it all the same.
        if engine == Engine::MySql && parts.len() == 3 && (parts[1] == ANY || parts[1] == parts[0]) {
            parts.remove(1);
        }
        if parts.len() > form.split('/').count() {
            return Err(bad(&format!("has more parts than {engine} has names for")));
        }
        let mut parts = parts.into_iter();
        let database = parts.next().map(str::to_owned);
        if database.as_deref().is_some_and(|name| name.contains(ANY)) {
            return Err(bad("has % in its database, and that must be named"));
        }
        let mut next = || parts.next().unwrap_or(ANY).to_owned();
        Ok(Self {
            database,
            schema: if engine == Engine::PostgreSql {
                next()
            } else {
                ANY.to_owned()
            },
            table: next(),
        })
    }

    /// Whether it means the table at this place.
    pub fn takes(&self, place: &SourcePlace) -> bool {
        let is_database = |name: &String| self.database.as_ref().is_none_or(|wanted| wanted == name);
        match place.parts.as_slice() {
            [database, schema, table] => {
                is_database(database) && matches(&self.schema, schema) && matches(&self.table, table)
            }
            [database, table] => is_database(database) && matches(&self.table, table),
            _ => false,
        }
    }
}

/// Whether a text is like a pattern, in which `%` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split(ANY);
    let Some(mut rest) = pieces.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let mut pieces: Vec<&str> = pieces.collect();
    let Some(last) = pieces.pop() else {
        return rest.is_empty();
    };
    for piece in pieces {
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn include_paths_are_glues() {
        let read = |engine, path: &str| {
            let path = IncludePath::parse(engine, path).unwrap();
            format!(
                "{} {} {}",
                path.database.as_deref().unwrap_or("-"),
                path.schema,
                path.table
            )
        };
        assert_eq!(
            read(Engine::PostgreSql, "shop/public/orders"),
            "shop public orders"
        );
        assert_eq!(read(Engine::PostgreSql, "shop/%"), "shop % %");
        assert_eq!(read(Engine::PostgreSql, "shop/%/o%"), "shop % o%");
        assert_eq!(read(Engine::PostgreSql, "shop"), "shop % %");
        assert_eq!(read(Engine::PostgreSql, ""), "- % %");
        assert_eq!(read(Engine::MySql, "shop/orders"), "shop % orders");
        assert_eq!(read(Engine::MySql, "shop/%/orders"), "shop % orders");
        let refusal = |engine, path: &str| IncludePath::parse(engine, path).unwrap_err().message;
        assert_eq!(
            refusal(Engine::MySql, "a/b/c"),
            "the path 'a/b/c' has more parts than MySQL has names for"
        );
        assert_eq!(
            refusal(Engine::PostgreSql, "sh%/public/x"),
            "the path 'sh%/public/x' has % in its database, and that must be named"
        );
        assert!(refusal(Engine::PostgreSql, "%").contains("has % in its database"));
    }

    #[test]
    fn a_percent_sign_stands_for_any_text_and_nothing_else_does() {
        let all = [
            ("%", ""),
            ("%", "x"),
            ("o%", "orders"),
            ("%_id", "order_id"),
            ("a%b%c", "a1bb2c"),
        ];
        for (pattern, text) in all {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        let none = [
            ("orders", "Orders"),
            ("o_d", "old"),
            ("a%a", "a"),
            ("%x%", "yz"),
            ("a%", "ba"),
        ];
        for (pattern, text) in none {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn no_two_tables_have_one_location() {
        for parts in [
            ["shop", "public", "orders"],
            ["shop", "a.b", "c"],
            ["shop", "a", "b.c"],
            ["\"", "a\"b", "C d"],
        ] {
            let place = SourcePlace {
                connection: "c".to_owned(),
                parts: parts.map(str::to_owned).to_vec(),
            };
            assert_eq!(SourcePlace::parse("c", &place.to_string()), place);
        }
        let plain = SourcePlace::parse("c", "shop.public.orders");
        assert_eq!(plain.to_string(), "shop.public.orders");
        let quoted = SourcePlace::parse("c", r#"shop."a.b".c"#);
        assert_eq!(quoted.parts, ["shop", "a.b", "c"]);
    }
}
