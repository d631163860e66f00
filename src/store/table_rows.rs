//! Tables as rows, for whoever looks for some.

use chrono::{DateTime, Utc};
use sqlx::types::Json;

use crate::model::table::{Table, TableInput};

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    id: String,
    database_name: String,
    version: i64,
    body: Json<TableInput>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Row> for Table {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            database: row.database_name,
            version: row.version,
            input: row.body.0,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}
