//! Finding things by their words.
//!
//! A table's words are cut out here, not by the databases, so that both find the same: runs of letters and digits, in lower
//! case. SQLite looks them up by FTS5, PostgreSQL by its full-text index.

use sqlx::types::Json;

use super::table_rows::Row;
use super::{Look, Write, on};
use crate::error::Result;
use crate::model::table::{Column, Table, TableInput};

/// The longest text that is indexed for one table, in bytes: PostgreSQL takes a megabyte with its own additions.
const MAX_TEXT: usize = 200_000;
/// Longer runs are no words that anybody looks for; PostgreSQL takes none above 2,046 bytes.
const MAX_WORD: usize = 255;

/// What is looked for: every one of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A word that begins so.
    Prefix(String),
    /// These words in a row.
    Phrase(Vec<String>),
}

/// The words of `text`: runs of letters and digits in lower case.
pub fn words(text: &str) -> Vec<String> {
    text.split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty() && word.len() <= MAX_WORD)
        .map(str::to_lowercase)
        .collect()
}

/// The words that a table is found by: its names, columns, comments, parameters.
pub fn words_of(input: &TableInput) -> String {
    let storage = input.storage.as_ref();
    let columns: &[Column] = storage.map_or(&[], |storage| &storage.columns);
    let mut text = String::new();
    let mut add = |part: &str| {
        for word in words(part) {
            if text.len() + word.len() < MAX_TEXT {
                text.push_str(&word);
                text.push(' ');
            }
        }
    };
    add(&input.name);
    add(input.description.as_deref().unwrap_or_default());
    add(input.owner.as_deref().unwrap_or_default());
    for column in columns.iter().chain(&input.partition_keys) {
        add(&column.name);
        add(column.comment.as_deref().unwrap_or_default());
    }
    let parameters = input.parameters.iter();
    for (key, value) in parameters.chain(columns.iter().flat_map(|column| &column.parameters)) {
        add(key);
        add(value);
    }
    add(input.location().unwrap_or_default());
    text
}

/// Makes a table found by the words of `input` and of its tags.
///
/// # Errors
/// Only the database's own.
pub async fn put(tx: &mut Write, table_id: &str, input: &TableInput) -> Result<()> {
    const TAGS: &str = "SELECT g.tag_key, g.tag_value FROM tags g JOIN tables t
        ON g.resource = 'table/' || t.database_name || '/' || t.name WHERE t.id = $1 ORDER BY g.tag_key";
    let tags: Vec<(String, String)> = on!(tx, |conn| sqlx::query_as(TAGS)
        .bind(table_id)
        .fetch_all(conn)
        .await)?;
    let mut text = words_of(input);
    for (key, value) in &tags {
        text.push_str(&words(key).join(" "));
        text.push(' ');
        text.push_str(&words(value).join(" "));
        text.push(' ');
    }
    put_text(tx, table_id, &text).await
}

/// Makes a new table, which has no tags yet, found by the words of `input`.
///
/// # Errors
/// Only the database's own.
pub(super) async fn put_new(tx: &mut Write, table_id: &str, input: &TableInput) -> Result<()> {
    put_text(tx, table_id, &words_of(input)).await
}

async fn put_text(tx: &mut Write, table_id: &str, text: &str) -> Result<()> {
    const SQL: &str = "INSERT INTO table_texts (table_id, words) VALUES ($1, $2)
        ON CONFLICT (table_id) DO UPDATE SET words = excluded.words";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(table_id)
        .bind(text)
        .execute(conn)
        .await
        .map(drop))
}

/// Tables by database and name, behind `after`, that have all the words that are wanted; every table where none are.
///
/// # Errors
/// Only the database's own.
pub async fn tables(
    tx: &mut Look,
    wanted: &[Wanted],
    after: &(String, String),
    limit: i64,
) -> Result<Vec<Table>> {
    const ALL: &str = "SELECT id, database_name, version, body, created_at, updated_at FROM tables
        WHERE (database_name, name) > ($2, $3) AND $1 = '' ORDER BY database_name, name LIMIT $4";
    const IN_SQLITE: &str = "SELECT id, database_name, version, body, created_at, updated_at FROM tables
        WHERE (database_name, name) > ($2, $3) AND id IN (SELECT x.table_id FROM table_words w JOIN table_texts x
            ON x.id = w.rowid WHERE table_words MATCH $1)
        ORDER BY database_name, name LIMIT $4";
    const IN_POSTGRES: &str = "SELECT id, database_name, version, body, created_at, updated_at FROM tables
        WHERE (database_name, name) > ($2, $3) AND id IN (SELECT x.table_id FROM table_texts x
            WHERE to_tsvector('simple', x.words) @@ to_tsquery('simple', $1))
        ORDER BY database_name, name LIMIT $4";
    let sql = match wanted {
        [] => ALL,
        _ => tx.pick(IN_SQLITE, IN_POSTGRES),
    };
    let (prefix, phrase, quote, and) = tx.pick(("*", " ", "\"", " AND "), (":*", " <-> ", "'", " & "));
    let query = query(wanted, prefix, phrase, quote, and);
    let rows: Vec<Row> = on!(tx, |conn| sqlx::query_as(sql)
        .bind(&query)
        .bind(&after.0)
        .bind(&after.1)
        .bind(limit)
        .fetch_all(conn)
        .await)?;
    Ok(rows.into_iter().map(Table::from).collect())
}

/// What is wanted in a database's own words. Words are letters and digits, so nothing in them has to be escaped.
fn query(wanted: &[Wanted], prefix: &str, then: &str, quote: &str, and: &str) -> String {
    let parts: Vec<String> = wanted
        .iter()
        .map(|wanted| match wanted {
            Wanted::Prefix(word) => format!("{quote}{word}{quote}{prefix}"),
            // SQLite quotes a whole phrase, PostgreSQL each word.
            Wanted::Phrase(words) if quote == "\"" => format!("{quote}{}{quote}", words.join(then)),
            Wanted::Phrase(words) => {
                let quoted: Vec<String> = words.iter().map(|word| format!("{quote}{word}{quote}")).collect();
                quoted.join(then)
            }
        })
        .collect();
    parts.join(and)
}

/// Databases, jobs and crawlers whose names contain `text`, which is in lower case: kind, name.
///
/// # Errors
/// Only the database's own.
pub async fn names(tx: &mut Look, text: &str, limit: i64) -> Result<Vec<(String, String)>> {
    const SQL: &str = "SELECT 'database' AS kind, name FROM databases WHERE name LIKE $1 ESCAPE '\\'
        UNION ALL SELECT 'job', name FROM jobs WHERE LOWER(name) LIKE $1 ESCAPE '\\'
        UNION ALL SELECT 'crawler', name FROM crawlers WHERE LOWER(name) LIKE $1 ESCAPE '\\'
        ORDER BY 2, 1 LIMIT $2";
    let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    on!(tx, |conn| sqlx::query_as(SQL)
        .bind(format!("%{escaped}%"))
        .bind(limit)
        .fetch_all(conn)
        .await)
}

/// Makes tables of an earlier version's found by their words.
///
/// # Errors
/// Only the database's own.
pub(super) async fn put_missing(tx: &mut Write) -> Result<()> {
    const SQL: &str = "SELECT id, body FROM tables WHERE id NOT IN (SELECT table_id FROM table_texts)";
    let tables: Vec<(String, Json<TableInput>)> = on!(tx, |conn| sqlx::query_as(SQL).fetch_all(conn).await)?;
    for (id, input) in tables {
        put(tx, &id, &input).await?;
    }
    Ok(())
}
