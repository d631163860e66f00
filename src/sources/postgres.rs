//! PostgreSQL's own catalog.

use std::collections::BTreeMap;

use futures::TryStreamExt;
use sqlx::postgres::{PgConnectOptions, PgRow, PgSslMode};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, Row as _};

use super::address::{Source, Tls};
use super::types::of_postgres;
use super::{ColumnCount, LIST, like};
use crate::error::Result;
use crate::model::source::{IncludePath, SourceColumn, SourceTable};

/// Tables, partitioned tables, views, materialised views and foreign tables that we may read, a row for each column. The
/// partitions of a table are no tables of their own. A domain is shown as the type that it is made of in the end.
const SQL: &str = "
    WITH RECURSIVE steps (oid, base, typmod) AS (
        SELECT oid, typbasetype, typtypmod FROM pg_type WHERE typtype = 'd'
        UNION ALL
        SELECT steps.oid, t.typbasetype, t.typtypmod FROM steps JOIN pg_type t ON t.oid = steps.base
        WHERE t.typtype = 'd'
    ), domains AS (
        SELECT steps.oid, steps.base, steps.typmod FROM steps JOIN pg_type t ON t.oid = steps.base WHERE t.typtype <> 'd'
    )
    SELECT n.nspname::text, c.relname::text, c.relkind::text IN ('v', 'm') AS is_view,
        obj_description(c.oid, 'pg_class') AS table_comment, c.reltuples::bigint AS rows,
        a.attname::text, col_description(c.oid, a.attnum) AS column_comment,
        format_type(a.atttypid, a.atttypmod) AS raw_type,
        format_type(coalesce(d.base, a.atttypid), CASE WHEN d.oid IS NULL THEN a.atttypmod ELSE d.typmod END) AS plain_type,
        t.typtype::text, a.attndims::smallint,
        NOT (a.attnotnull OR own.typnotnull) AS is_nullable,
        array_position(k.conkey, a.attnum) AS place_in_key
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        AND has_column_privilege(c.oid, a.attnum, 'SELECT')
    LEFT JOIN pg_type own ON own.oid = a.atttypid
    LEFT JOIN domains d ON d.oid = a.atttypid
    LEFT JOIN pg_type t ON t.oid = coalesce(d.base, a.atttypid)
    LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'p'
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
        AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg!_%' ESCAPE '!'
        AND n.nspname LIKE $1 ESCAPE '!' AND c.relname LIKE $2 ESCAPE '!'
        AND has_schema_privilege(n.oid, 'USAGE') AND has_any_column_privilege(c.oid, 'SELECT')
    ORDER BY c.oid, a.attnum";

/// Opens a connection, to another database of the server where one is named.
async fn connect(source: &Source, database: Option<&str>) -> Result<PgConnection> {
    let database = database.or(source.database.as_deref());
    let mut options = PgConnectOptions::new_without_pgpass()
        .host(&source.host)
        .port(source.port)
        .username(&source.user)
        .password(&source.password)
        .statement_cache_capacity(0)
        .ssl_mode(match source.tls {
            Tls::Off => PgSslMode::Disable,
            Tls::IfOffered => PgSslMode::Prefer,
            Tls::Required => PgSslMode::Require,
            Tls::Verified => PgSslMode::VerifyFull,
        });
    if let Some(database) = database {
        options = options.database(database);
    }
    source.in_time(database, options.connect()).await
}

pub(super) async fn version(source: &Source) -> Result<String> {
    let mut connection = connect(source, None).await?;
    let asking = async {
        let version = sqlx::query_scalar("SELECT current_setting('server_version')")
            .fetch_one(&mut connection)
            .await?;
        connection.close().await?;
        Ok(version)
    };
    source.in_time(None, asking).await
}

pub(super) async fn tables(source: &Source, path: &IncludePath) -> Result<Vec<SourceTable>> {
    let database = source.database_of(path)?;
    let failed = |cause| source.refusal(Some(database), cause);
    let mut connection = connect(source, Some(database)).await?;
    // In one transaction, so that it holds behind a pool of connections, too. The path names no schema of ours, so that
    // types are written with theirs.
    let begin = format!(
        "BEGIN TRANSACTION READ ONLY; SET LOCAL statement_timeout = '{}s'; SET LOCAL search_path = pg_catalog",
        LIST.as_secs()
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(begin))
        .execute(&mut connection)
        .await
        .map_err(failed)?;
    let mut tables: Vec<SourceTable> = Vec::new();
    let mut key = BTreeMap::new();
    let mut count = ColumnCount(0);
    let mut rows = sqlx::query(SQL)
        .persistent(false)
        .bind(like(&path.schema))
        .bind(like(&path.table))
        .fetch(&mut connection);
    while let Some(row) = rows.try_next().await.map_err(failed)? {
        let (table, column) = read(database, &row).map_err(failed)?;
        let is_next = tables
            .last()
            .is_none_or(|last| (&last.schema, &last.name) != (&table.schema, &table.name));
        if is_next {
            finish(&mut tables, &mut key);
            tables.push(table);
        }
        if let (Some(table), Some((column, place_in_key))) = (tables.last_mut(), column) {
            if let Some(place) = place_in_key {
                key.insert(place, column.name.clone());
            }
            count.add(table, column)?;
        }
    }
    drop(rows);
    finish(&mut tables, &mut key);
    connection.close().await.map_err(failed)?;
    Ok(tables)
}

/// Gives the last table its primary key, in the key's own order.
fn finish(tables: &mut [SourceTable], key: &mut BTreeMap<i32, String>) {
    if let Some(table) = tables.last_mut() {
        table.primary_key = std::mem::take(key).into_values().collect();
    }
}

/// A table, and its column with its place in the primary key.
type Described = (SourceTable, Option<(SourceColumn, Option<i32>)>);

fn read(database: &str, row: &PgRow) -> Result<Described, sqlx::Error> {
    let is_view = row.try_get(2)?;
    let table = SourceTable {
        database: database.to_owned(),
        schema: row.try_get(0)?,
        name: row.try_get(1)?,
        is_view,
        comment: row.try_get(3)?,
        // -1, and 0 in former versions, where it was never counted. A view isn't.
        rows: row
            .try_get(4)
            .map(|rows: i64| (rows > 0 && !is_view).then_some(rows))?,
        ..SourceTable::default()
    };
    let Some(name) = row.try_get::<Option<String>, _>(5)? else {
        return Ok((table, None));
    };
    let (data_type, why) = of_postgres(row.try_get(8)?, row.try_get(9)?, row.try_get(10)?);
    let column = SourceColumn {
        name,
        comment: row.try_get(6)?,
        raw_type: row.try_get(7)?,
        data_type,
        why,
        is_nullable: row.try_get(11)?,
    };
    Ok((table, Some((column, row.try_get(12)?))))
}
