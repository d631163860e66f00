//! PostgreSQL's own catalog.

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{ConnectOptions as _, PgConnection, Row as _};

use super::types::of_postgres;
use super::{Source, SourceColumn, SourceTable, Wanted, like};
use crate::error::Result;

/// Tables, partitioned tables, views, materialised views and foreign tables that we may read, a row for each column. The
/// partitions of a table are no tables of their own. A domain is shown as the type that it is made of.
const SQL: &str = "
    SELECT n.nspname::text, c.relname::text, c.relkind::text IN ('v', 'm') AS is_view,
        obj_description(c.oid, 'pg_class') AS table_comment, c.reltuples::bigint AS rows,
        a.attname::text, col_description(c.oid, a.attnum) AS column_comment,
        format_type(a.atttypid, a.atttypmod) AS raw_type,
        format_type(CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE a.atttypid END,
            CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END) AS plain_type
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_type t ON t.oid = a.atttypid
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
        AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg!_%' ESCAPE '!'
        AND n.nspname LIKE $1 ESCAPE '!' AND c.relname LIKE $2 ESCAPE '!'
        AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
    ORDER BY 1, 2, a.attnum";

/// Opens a connection, to another database of the server where one is named.
pub(super) async fn connect(source: &Source, database: Option<&str>) -> Result<PgConnection> {
    let options = PgConnectOptions::new_without_pgpass()
        .host(&source.host)
        .port(source.port)
        .username(&source.user)
        .password(&source.password)
        .database(database.unwrap_or(&source.database))
        .ssl_mode(if source.tls { PgSslMode::Require } else { PgSslMode::Prefer })
        .options([("default_transaction_read_only", "on")]);
    source.in_time(options.connect()).await
}

pub(super) async fn tables(source: &Source, wanted: &Wanted) -> Result<Vec<SourceTable>> {
    let database = wanted.database.as_deref().unwrap_or(&source.database);
    let mut connection = connect(source, Some(database)).await?;
    let rows = sqlx::query(SQL)
        .bind(like(&wanted.schema))
        .bind(like(&wanted.table))
        .fetch_all(&mut connection)
        .await
        .map_err(|cause| source.failed(cause))?;
    let mut tables: Vec<SourceTable> = Vec::new();
    for row in rows {
        let read = || -> Result<(SourceTable, Option<SourceColumn>), sqlx::Error> {
            let table = SourceTable {
                database: database.to_owned(),
                schema: row.try_get(0)?,
                name: row.try_get(1)?,
                is_view: row.try_get(2)?,
                comment: row.try_get(3)?,
                // -1 where it was never counted.
                rows: u64::try_from(row.try_get::<i64, _>(4)?).ok(),
                columns: Vec::new(),
            };
            let Some(name) = row.try_get::<Option<String>, _>(5)? else {
                return Ok((table, None));
            };
            let column = SourceColumn {
                name,
                comment: row.try_get(6)?,
                raw_type: row.try_get(7)?,
                data_type: of_postgres(&row.try_get::<String, _>(8)?),
            };
            Ok((table, Some(column)))
        };
        let (table, column) = read().map_err(|cause| source.failed(cause))?;
        if tables.last().is_none_or(|last| (&last.schema, &last.name) != (&table.schema, &table.name)) {
            tables.push(table);
        }
        if let (Some(table), Some(column)) = (tables.last_mut(), column) {
            table.columns.push(column);
        }
    }
    Ok(tables)
}
