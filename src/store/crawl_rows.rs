//! Crawls as rows, for whoever looks for some.

use chrono::{DateTime, Utc};
use sqlx::types::Json;

use crate::error::{Error, Result};
use crate::model::crawl::{Crawl, CrawlProgress, CrawlRequest, WorkState};

#[derive(sqlx::FromRow)]
pub(super) struct CrawlRow<P> {
    id: String,
    state: String,
    request: Json<CrawlRequest>,
    progress: Json<CrawlProgress>,
    plan: Option<Json<P>>,
    error: Option<String>,
    created_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
    applied_at: Option<DateTime<Utc>>,
    undone_at: Option<DateTime<Utc>>,
}

impl<P> TryFrom<CrawlRow<P>> for Crawl<P> {
    type Error = Error;

    fn try_from(row: CrawlRow<P>) -> Result<Self> {
        let state = WorkState::parse(&row.state).ok_or_else(|| {
            Error::internal(format!("crawl {} has the unknown state {}", row.id, row.state))
        })?;
        Ok(Self {
            id: row.id,
            request: row.request.0,
            progress: row.progress.0,
            // While it is applied it is kept for the end: until then it isn't what the crawl did.
            plan: row
                .plan
                .map(|plan| plan.0)
                .filter(|_| state == WorkState::Succeeded),
            state,
            error: row.error,
            created_at: row.created_at,
            started_at: row.started_at,
            finished_at: row.finished_at,
            applied_at: row.applied_at,
            undone_at: row.undone_at,
        })
    }
}

/// A query for crawls `c`: the columns of a [`CrawlRow`], with what is in the place of the plan, and which rows.
macro_rules! select_crawls {
    ($plan:literal, $which:literal) => {
        concat!(
            "SELECT c.id, c.state, c.request, c.progress, ",
            $plan,
            " AS plan, c.error, c.created_at, c.started_at, c.finished_at, c.applied_at, c.undone_at FROM ",
            $which
        )
    };
}
pub(super) use select_crawls;
