//! When what is done by the clock is due next.

use chrono::{DateTime, Utc};

use super::{Look, Note, on};
use crate::error::{Error, Result};
use crate::model::schedule::Owner;

/// Says when something is due next: never, where its schedule isn't in force.
///
/// # Errors
/// Only the database's own.
pub async fn set(tx: &mut Note, owner: &Owner, next: Option<DateTime<Utc>>) -> Result<()> {
    const SET: &str = "INSERT INTO schedules (owner_kind, owner, next_at) VALUES ($1, $2, $3)
        ON CONFLICT (owner_kind, owner) DO UPDATE SET next_at = excluded.next_at";
    const REMOVE: &str = "DELETE FROM schedules WHERE owner_kind = $1 AND owner = $2";
    match next {
        Some(next) => on!(tx, |conn| sqlx::query(SET)
            .bind(owner.kind())
            .bind(owner.name())
            .bind(next)
            .execute(conn)
            .await
            .map(drop)),
        None => on!(tx, |conn| sqlx::query(REMOVE)
            .bind(owner.kind())
            .bind(owner.name())
            .execute(conn)
            .await
            .map(drop)),
    }
}

/// What was due before `time`, with when that was.
///
/// # Errors
/// Internal where a kind of owner isn't known; the database's own.
pub async fn overdue(tx: &mut Look, time: DateTime<Utc>) -> Result<Vec<(Owner, DateTime<Utc>)>> {
    const SQL: &str =
        "SELECT owner_kind, owner, next_at FROM schedules WHERE next_at < $1 ORDER BY owner_kind, owner";
    let rows: Vec<(String, String, DateTime<Utc>)> =
        on!(tx, |conn| sqlx::query_as(SQL).bind(time).fetch_all(conn).await)?;
    rows.into_iter()
        .map(|(kind, name, due)| match Owner::parse(&kind, name) {
            Some(owner) => Ok((owner, due)),
            None => Err(Error::internal(format!(
                "a schedule is of the unknown kind {kind}"
            ))),
        })
        .collect()
}
