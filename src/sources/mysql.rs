//! The information schema of MySQL and MariaDB. Both show nobody more of it than that person may use.

use std::collections::BTreeMap;

use futures::TryStreamExt;
use sqlx::mysql::{MySqlConnectOptions, MySqlRow, MySqlSslMode};
use sqlx::{ConnectOptions as _, Connection as _, MySqlConnection, Row as _};

use super::address::{Source, Tls};
use super::types::of_mysql;
use super::{ColumnCount, LIST, like};
use crate::error::{Error, Result};
use crate::model::source::{IncludePath, SourceColumn, SourceTable};

/// Whether the database is there, for us.
const DATABASE: &str = "SELECT CAST(schema_name AS CHAR) FROM information_schema.schemata WHERE schema_name = ? AND BINARY schema_name = ?";

/// The tables and views. A sequence of MariaDB's is none.
const TABLES: &str = "
    SELECT CAST(table_name AS CHAR), CAST(table_type AS CHAR), CAST(table_comment AS CHAR), CAST(table_rows AS SIGNED)
    FROM information_schema.tables
    WHERE table_schema = ? AND BINARY table_schema = ? AND table_name LIKE ? ESCAPE '!'
        AND table_type IN ('BASE TABLE', 'VIEW', 'SYSTEM VERSIONED')";

/// Their columns. A query of its own: the information schema has no indexes to join by.
const COLUMNS: &str = "
    SELECT CAST(table_name AS CHAR), CAST(column_name AS CHAR), CAST(column_type AS CHAR), CAST(column_comment AS CHAR),
        CAST(is_nullable AS CHAR), CAST(column_key AS CHAR)
    FROM information_schema.columns
    WHERE table_schema = ? AND BINARY table_schema = ? AND table_name LIKE ? ESCAPE '!'
    ORDER BY table_name, ordinal_position";

/// Opens a connection. The database is named by each query, so that it need not be the connection's own.
async fn connect(source: &Source, database: Option<&str>) -> Result<MySqlConnection> {
    let mut options = MySqlConnectOptions::new()
        .host(&source.host)
        .port(source.port)
        .username(&source.user)
        .statement_cache_capacity(0)
        .ssl_mode(match source.tls {
            Tls::Off => MySqlSslMode::Disabled,
            Tls::IfOffered => MySqlSslMode::Preferred,
            Tls::Required => MySqlSslMode::Required,
            Tls::Verified => MySqlSslMode::VerifyIdentity,
        });
    if !source.password.is_empty() {
        options = options.password(&source.password);
    }
    if let Some(database) = database {
        options = options.database(database);
    }
    source.in_time(database, options.connect()).await
}

pub(super) async fn version(source: &Source) -> Result<String> {
    let database = source.database.as_deref();
    let mut connection = connect(source, database).await?;
    let asking = async {
        let version = sqlx::query_scalar("SELECT CAST(VERSION() AS CHAR)")
            .fetch_one(&mut connection)
            .await?;
        connection.close().await?;
        Ok(version)
    };
    source.in_time(database, asking).await
}

pub(super) async fn tables(source: &Source, path: &IncludePath) -> Result<Vec<SourceTable>> {
    let wanted = source.database_of(path)?;
    let failed = |cause| source.refusal(Some(wanted), cause);
    let mut connection = connect(source, None).await?;
    limit(&mut connection).await.map_err(failed)?;
    let database: Option<String> = sqlx::query_scalar(DATABASE)
        .bind(wanted)
        .bind(wanted)
        .fetch_optional(&mut connection)
        .await
        .map_err(failed)?;
    let Some(database) = database else {
        return Err(Error::not_found(format!(
            "{source} has no database {wanted} that {} may see",
            source.user
        ))
        .hint("write its name as the server does; upper and lower case may matter"));
    };
    let pattern = like(&path.table);
    // By name: the server's order takes upper and lower case for the same.
    let mut tables = BTreeMap::new();
    let query = sqlx::query(TABLES).persistent(false);
    let mut rows = query
        .bind(&database)
        .bind(&database)
        .bind(&pattern)
        .fetch(&mut connection);
    while let Some(row) = rows.try_next().await.map_err(failed)? {
        let table = read_table(&database, &row).map_err(failed)?;
        tables.insert(table.name.clone(), table);
    }
    drop(rows);
    let mut count = ColumnCount(0);
    let query = sqlx::query(COLUMNS).persistent(false);
    let mut rows = query
        .bind(&database)
        .bind(&database)
        .bind(&pattern)
        .fetch(&mut connection);
    while let Some(row) = rows.try_next().await.map_err(failed)? {
        let name: &str = row.try_get(0).map_err(failed)?;
        let Some(table) = tables.get_mut(name) else {
            continue;
        };
        let (column, is_key) = read_column(&row).map_err(failed)?;
        if is_key {
            table.primary_key.push(column.name.clone());
        }
        count.add(table, column)?;
    }
    drop(rows);
    connection.close().await.map_err(failed)?;
    Ok(tables.into_values().collect())
}

/// Makes the session one that reads, and not for long.
async fn limit(connection: &mut MySqlConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql("SET SESSION TRANSACTION READ ONLY")
        .execute(&mut *connection)
        .await?;
    let version: String = sqlx::query_scalar("SELECT CAST(VERSION() AS CHAR)")
        .fetch_one(&mut *connection)
        .await?;
    let seconds = LIST.as_secs();
    let limit = if version.contains("MariaDB") {
        format!("SET SESSION max_statement_time = {seconds}")
    } else {
        format!("SET SESSION max_execution_time = {}", seconds * 1000)
    };
    sqlx::raw_sql(sqlx::AssertSqlSafe(limit))
        .execute(connection)
        .await?;
    Ok(())
}

fn said(comment: Option<String>) -> Option<String> {
    comment.filter(|comment| !comment.is_empty())
}

fn read_table(database: &str, row: &MySqlRow) -> Result<SourceTable, sqlx::Error> {
    let is_view = row.try_get::<String, _>(1)? == "VIEW";
    Ok(SourceTable {
        database: database.to_owned(),
        schema: None,
        name: row.try_get(0)?,
        is_view,
        // What is said of a view is the server's: that it is one, or that it is broken.
        comment: said(row.try_get(2)?).filter(|_| !is_view),
        rows: row
            .try_get::<Option<i64>, _>(3)?
            .filter(|rows| *rows > 0 && !is_view),
        ..SourceTable::default()
    })
}

/// A column, and whether it is of the primary key.
fn read_column(row: &MySqlRow) -> Result<(SourceColumn, bool), sqlx::Error> {
    let raw_type: String = row.try_get(2)?;
    let (data_type, why) = of_mysql(&raw_type);
    let column = SourceColumn {
        name: row.try_get(1)?,
        raw_type,
        data_type,
        why,
        is_nullable: row.try_get::<String, _>(4)? == "YES",
        comment: said(row.try_get(3)?),
    };
    Ok((column, row.try_get::<String, _>(5)? == "PRI"))
}
