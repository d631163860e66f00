//! Plans of crawls. They are long, and stand apart from the crawls, which keep a summary of them: what lists show.

use sqlx::types::Json;

use super::{Note, on};
use crate::error::Result;
use crate::model::crawl::{Plan, PlanSummary};

/// Keeps a crawl's plan with its summary, or none.
///
/// # Errors
/// Only the database's own.
pub async fn put(tx: &mut Note, crawl: &str, plan: Option<&Plan>) -> Result<()> {
    const PUT: &str = "INSERT INTO crawl_plans (crawl_id, body) VALUES ($1, $2)
        ON CONFLICT (crawl_id) DO UPDATE SET body = excluded.body";
    const DELETE: &str = "DELETE FROM crawl_plans WHERE crawl_id = $1";
    match plan {
        Some(plan) => on!(tx, |conn| sqlx::query(PUT)
            .bind(crawl)
            .bind(Json(plan))
            .execute(conn)
            .await
            .map(drop))?,
        None => on!(tx, |conn| sqlx::query(DELETE)
            .bind(crawl)
            .execute(conn)
            .await
            .map(drop))?,
    }
    sum_up(tx, crawl, plan).await
}

async fn sum_up(tx: &mut Note, crawl: &str, plan: Option<&Plan>) -> Result<()> {
    const SQL: &str = "UPDATE crawls SET summary = $2 WHERE id = $1";
    on!(tx, |conn| sqlx::query(SQL)
        .bind(crawl)
        .bind(plan.map(PlanSummary::of).map(Json))
        .execute(conn)
        .await
        .map(drop))
}

/// Sums up the plans of crawls of an earlier version, which kept no summaries.
///
/// # Errors
/// Only the database's own.
pub(super) async fn sum_up_earlier(tx: &mut Note) -> Result<()> {
    const EARLIER: &str = "SELECT p.crawl_id FROM crawl_plans p JOIN crawls c ON c.id = p.crawl_id
        WHERE c.summary IS NULL ORDER BY p.crawl_id";
    const PLAN: &str = "SELECT body FROM crawl_plans WHERE crawl_id = $1";
    let crawls: Vec<String> = on!(tx, |conn| sqlx::query_scalar(EARLIER).fetch_all(conn).await)?;
    // One at a time: together they may be more than memory holds.
    for crawl in crawls {
        let plan: Json<Plan> = on!(tx, |conn| sqlx::query_scalar(PLAN)
            .bind(&crawl)
            .fetch_one(conn)
            .await)?;
        sum_up(tx, &crawl, Some(&plan.0)).await?;
    }
    Ok(())
}
