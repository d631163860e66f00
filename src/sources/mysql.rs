//! The information schema of MySQL and MariaDB.

use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};
use sqlx::{ConnectOptions as _, MySqlConnection, Row as _};

use super::types::of_mysql;
use super::{Source, SourceColumn, SourceTable, Wanted, like};
use crate::error::Result;

/// A row for each column of the tables and views that we may read; both engines show nobody more than that.
const SQL: &str = "
    SELECT CAST(t.table_schema AS CHAR), CAST(t.table_name AS CHAR), CAST(t.table_type AS CHAR),
        CAST(t.table_comment AS CHAR), CAST(t.table_rows AS UNSIGNED),
        CAST(c.column_name AS CHAR), CAST(c.column_type AS CHAR), CAST(c.column_comment AS CHAR)
    FROM information_schema.tables t
    LEFT JOIN information_schema.columns c
        ON c.table_schema = t.table_schema AND c.table_name = t.table_name
    WHERE t.table_schema = ? AND t.table_name LIKE ? ESCAPE '!'
        AND t.table_type IN ('BASE TABLE', 'VIEW', 'SYSTEM VERSIONED')
    ORDER BY t.table_name, c.ordinal_position";

pub(super) async fn connect(source: &Source) -> Result<MySqlConnection> {
    let options = MySqlConnectOptions::new()
        .host(&source.host)
        .port(source.port)
        .username(&source.user)
        .password(&source.password)
        .database(&source.database)
        .ssl_mode(if source.tls { MySqlSslMode::Required } else { MySqlSslMode::Preferred });
    source.in_time(options.connect()).await
}

pub(super) async fn tables(source: &Source, wanted: &Wanted) -> Result<Vec<SourceTable>> {
    let database = wanted.database.as_deref().unwrap_or(&source.database);
    let mut connection = connect(source).await?;
    let rows = sqlx::query(SQL)
        .bind(database)
        .bind(like(&wanted.table))
        .fetch_all(&mut connection)
        .await
        .map_err(|cause| source.failed(cause))?;
    let mut tables: Vec<SourceTable> = Vec::new();
    for row in rows {
        let read = || -> Result<(SourceTable, Option<SourceColumn>), sqlx::Error> {
            let is_view = row.try_get::<String, _>(2)? == "VIEW";
            let said = |comment: Option<String>| comment.filter(|comment| !comment.is_empty());
            let table = SourceTable {
                database: row.try_get(0)?,
                schema: None,
                name: row.try_get(1)?,
                is_view,
                // MySQL comments every view with the word VIEW.
                comment: said(row.try_get(3)?).filter(|comment| !is_view || comment != "VIEW"),
                rows: row.try_get(4)?,
                columns: Vec::new(),
            };
            let Some(name) = row.try_get::<Option<String>, _>(5)? else {
                return Ok((table, None));
            };
            let raw_type: String = row.try_get(6)?;
            let column = SourceColumn {
                name,
                data_type: of_mysql(&raw_type),
                raw_type,
                comment: said(row.try_get(7)?),
            };
            Ok((table, Some(column)))
        };
        let (table, column) = read().map_err(|cause| source.failed(cause))?;
        if tables.last().is_none_or(|last| last.name != table.name) {
            tables.push(table);
        }
        if let (Some(table), Some(column)) = (tables.last_mut(), column) {
            table.columns.push(column);
        }
    }
    Ok(tables)
}
