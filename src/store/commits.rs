//! The journal of outputs: what a run has staged, and what anybody may finish once it is decided.

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use sqlx::types::Json;

use super::{Look, Note, on};
use crate::error::{Error, Result};

/// How far an output is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitState {
    /// Files are being uploaded; none is visible, and all may be thrown away.
    Staging,
    /// It is decided: whoever finds it finishes it.
    Committing,
    /// The catalog shows it. What it replaces is still to be removed.
    Shown,
    /// It is done.
    Committed,
}

impl CommitState {
    fn as_str(self) -> &'static str {
        match self {
            Self::Staging => "STAGING",
            Self::Committing => "COMMITTING",
            Self::Shown => "SHOWN",
            Self::Committed => "COMMITTED",
        }
    }
}

#[derive(sqlx::FromRow)]
struct Row<M: DeserializeOwned> {
    state: String,
    manifest: Json<M>,
}

/// Writes down the state of a run's output and its manifest.
///
/// # Errors
/// NotFound where the run isn't there.
pub async fn save<M: serde::Serialize + Sync>(
    tx: &mut Note,
    run: &str,
    attempt: i64,
    state: CommitState,
    manifest: &M,
    now: DateTime<Utc>,
) -> Result<()> {
    const SQL: &str = "INSERT INTO output_commits (run_id, attempt, state, manifest, updated_at)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (run_id) DO UPDATE SET attempt = excluded.attempt, state = excluded.state,
            manifest = excluded.manifest, updated_at = excluded.updated_at";
    let manifest = serde_json::to_value(manifest)
        .map_err(|cause| Error::internal("a manifest can't be written down").source(cause))?;
    on!(tx, |conn| sqlx::query(SQL)
        .bind(run)
        .bind(attempt)
        .bind(state.as_str())
        .bind(Json(&manifest))
        .bind(now)
        .execute(conn)
        .await
        .map(drop))
}

/// The state of a run's output and its manifest.
///
/// # Errors
/// Only the database's own.
pub async fn find<M: DeserializeOwned + Send + Unpin + 'static>(
    tx: &mut Look,
    run: &str,
) -> Result<Option<(CommitState, M)>> {
    const SQL: &str = "SELECT state, manifest FROM output_commits WHERE run_id = $1";
    let row: Option<Row<M>> = on!(tx, |conn| sqlx::query_as(SQL)
        .bind(run)
        .fetch_optional(conn)
        .await)?;
    row.map(|row| {
        let state = match row.state.as_str() {
            "COMMITTED" => CommitState::Committed,
            "SHOWN" => CommitState::Shown,
            "COMMITTING" => CommitState::Committing,
            "STAGING" | "THROWN_AWAY" => CommitState::Staging,
            other => {
                return Err(Error::internal(format!(
                    "the output of run {run} has the unknown state {other}"
                )));
            }
        };
        Ok((state, row.manifest.0))
    })
    .transpose()
}

/// The manifests of a job's other runs whose outputs are decided and not finished, by their runs.
///
/// # Errors
/// Only the database's own.
pub async fn decided<M: DeserializeOwned + Send + Unpin + 'static>(
    tx: &mut Look,
    job: &str,
    but: &str,
) -> Result<Vec<(String, M)>> {
    const SQL: &str = "SELECT c.run_id, c.manifest FROM output_commits c JOIN runs r ON r.id = c.run_id
        WHERE c.state IN ('COMMITTING', 'SHOWN') AND r.job_name = $1 AND r.id <> $2
        AND r.state IN ('QUEUED', 'RUNNING') ORDER BY c.run_id";
    let rows: Vec<(String, Json<M>)> = on!(tx, |conn| sqlx::query_as(SQL)
        .bind(job)
        .bind(but)
        .fetch_all(conn)
        .await)?;
    Ok(rows
        .into_iter()
        .map(|(run, manifest)| (run, manifest.0))
        .collect())
}
