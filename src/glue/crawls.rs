//! What became of crawlers' crawls: their history, and how long they take.

use std::cmp::Ordering;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::aws::{Answer, Members, page, seconds, token};
use crate::crawl;
use crate::crawl::crawlers;
use crate::model::crawl::{CrawlSummary, Crawler, CrawlerState, PlanSummary, Touched, WorkState};

use super::crawlers::{begin, elapsed, in_glues_words};
use super::error::invalid;

/// The most crawls, or crawlers, of a page (`PageSize`).
const MAX_PAGE: u32 = 1000;
/// Crawls of a page that asks for no number.
const CRAWLS: u32 = 20;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct List {
    crawler_name: String,
    max_results: Option<u32>,
    next_token: Option<String>,
    #[serde(default)]
    filters: Vec<Filter>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Filter {
    field_name: Option<String>,
    filter_operator: Option<String>,
    field_value: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Metrics {
    #[serde(default)]
    crawler_name_list: Vec<String>,
    max_results: Option<u32>,
    next_token: Option<String>,
}

/// A condition on a crawl.
struct Condition {
    wanted: Wanted,
    operator: String,
}

enum Wanted {
    Id(String),
    State(String),
    Began(DateTime<Utc>),
    Ended(DateTime<Utc>),
    DpuHours(f64),
}

pub(super) async fn list(app: &App, request: List) -> Answer {
    let name = &request.crawler_name;
    crawlers::get(app, name)
        .await
        .map_err(|error| in_glues_words(error, name))?;
    let conditions: Answer<Vec<Condition>> = request.filters.into_iter().map(Condition::read).collect();
    let conditions = conditions?;
    let page = page(
        Some(request.max_results.unwrap_or(CRAWLS)),
        request.next_token.as_deref(),
        MAX_PAGE,
    )?;
    let wanted = |crawl: &CrawlSummary| conditions.iter().all(|condition| condition.holds(crawl));
    let found = crawl::list(app, Some(name), wanted, &page).await?;
    let crawls: Vec<Value> = found.items.iter().map(|crawl| rendered(name, crawl)).collect();
    Ok(json!({ "Crawls": crawls, "NextToken": token(found.next) }))
}

impl Condition {
    fn read(filter: Filter) -> Answer<Self> {
        let (Some(field), Some(operator), Some(value)) =
            (filter.field_name, filter.filter_operator, filter.field_value)
        else {
            return Err(invalid(
                "A filter has a FieldName, a FilterOperator and a FieldValue.",
            ));
        };
        let is_ordered = !matches!(field.as_str(), "CRAWL_ID" | "STATE");
        if !is_ordered && !matches!(operator.as_str(), "EQ" | "NE") {
            return Err(invalid(format!(
                "{field} can be compared by EQ and NE only, not by {operator}."
            )));
        }
        let wanted = match field.as_str() {
            "CRAWL_ID" => Wanted::Id(value),
            "STATE" => Wanted::State(value),
            "START_TIME" => Wanted::Began(time(&value)?),
            "END_TIME" => Wanted::Ended(time(&value)?),
            _ => Wanted::DpuHours(
                value
                    .parse()
                    .map_err(|_| invalid(format!("'{value}' is no number of DPU hours.")))?,
            ),
        };
        Ok(Self { wanted, operator })
    }

    fn holds(&self, crawl: &CrawlSummary) -> bool {
        let order = match &self.wanted {
            Wanted::Id(id) => crawl.id.as_str().cmp(id),
            Wanted::State(state) => history_state(crawl.state).cmp(state),
            Wanted::Began(time) => begin(crawl).cmp(time),
            Wanted::Ended(time) => match crawl.finished_at {
                Some(ended) => ended.cmp(time),
                None => return false,
            },
            // No crawl costs any.
            Wanted::DpuHours(hours) => 0.0_f64.total_cmp(hours),
        };
        match self.operator.as_str() {
            "GT" => order == Ordering::Greater,
            "GE" => order != Ordering::Less,
            "LT" => order == Ordering::Less,
            "LE" => order != Ordering::Greater,
            "NE" => order != Ordering::Equal,
            _ => order == Ordering::Equal,
        }
    }
}

/// A time: RFC 3339, or seconds or milliseconds since 1970.
fn time(text: &str) -> Answer<DateTime<Utc>> {
    /// Seconds of the year 5138; a larger number is of milliseconds.
    const LARGEST_SECONDS: f64 = 1e11;
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    let number = text.parse().ok().filter(|number: &f64| number.is_finite());
    #[expect(clippy::cast_possible_truncation, reason = "what is too large is no time")]
    let micros = number.map(|number| {
        let seconds = if number > LARGEST_SECONDS {
            number / 1e3
        } else {
            number
        };
        (seconds * 1e6) as i64
    });
    micros.and_then(DateTime::from_timestamp_micros).ok_or_else(|| {
        invalid(format!(
            "'{text}' is no time: write 2026-01-31T12:00:00Z, or seconds since 1970."
        ))
    })
}

fn history_state(state: WorkState) -> &'static str {
    match state {
        WorkState::Queued | WorkState::Running => "RUNNING",
        WorkState::Succeeded => "COMPLETED",
        WorkState::Failed => "FAILED",
        WorkState::Cancelled => "STOPPED",
    }
}

fn rendered(crawler: &str, crawl: &CrawlSummary) -> Value {
    json!({
        "CrawlId": crawl.id,
        "State": history_state(crawl.state),
        "StartTime": seconds(begin(crawl)),
        "EndTime": crawl.finished_at.map(seconds),
        "Summary": crawl.plan.as_ref().map(|plan| summary(plan).to_string()),
        "ErrorMessage": crawl.error,
        "LogGroup": "/aws-glue/crawlers",
        "LogStream": crawler,
        "MessagePrefix": crawl.id,
        "DPUHour": 0.0,
    })
}

/// What a crawl changed, as the service sums it up: a count for each kind of thing and of change, and tables' names.
fn summary(plan: &PlanSummary) -> Value {
    let ops = [
        (&plan.added, "ADD"),
        (&plan.changed, "UPDATE"),
        (&plan.retired, "DELETE"),
    ];
    let (mut tables, mut partitions) = (Members::new(), Members::new());
    for (touched, word) in ops {
        if touched.tables > 0 {
            let told = json!({ "Details": { "names": touched.names }, "Count": touched.tables });
            tables.insert(word.to_owned(), told);
        }
        if touched.partitions > 0 {
            partitions.insert(word.to_owned(), json!({ "Count": touched.partitions }));
        }
    }
    [("TABLE", tables), ("PARTITION", partitions)]
        .into_iter()
        .filter(|(_, changes)| !changes.is_empty())
        .map(|(kind, changes)| (kind.to_owned(), Value::Object(changes)))
        .collect()
}

pub(super) async fn metrics(app: &App, request: Metrics) -> Answer {
    let page = page(request.max_results, request.next_token.as_deref(), MAX_PAGE)?;
    let found = crawlers::list(app, &page).await?;
    let asked = &request.crawler_name_list;
    let mut shown = found.items;
    shown.retain(|crawler| asked.is_empty() || asked.contains(&crawler.input.name));
    let names: Vec<String> = shown.iter().map(|crawler| crawler.input.name.clone()).collect();
    let mut took = crawlers::runtimes(app, &names).await?;
    let metrics = |crawler: &Crawler| {
        let took = took.remove(&crawler.input.name).unwrap_or_default();
        rendered_metrics(app, crawler, took)
    };
    let list: Vec<Value> = shown.iter().map(metrics).collect();
    Ok(json!({ "CrawlerMetricsList": list, "NextToken": token(found.next) }))
}

/// `took`: how long former crawls took, in milliseconds, the newest first.
#[expect(clippy::cast_precision_loss, reason = "no crawl takes so many milliseconds")]
fn rendered_metrics(app: &App, crawler: &Crawler, mut took: Vec<i64>) -> Value {
    let in_seconds = |milliseconds: i64| milliseconds as f64 / 1000.0;
    let last = took.first().copied();
    took.sort_unstable();
    // Of an even number, the mean of the two in the middle.
    let median = match took.len() {
        0 => None,
        count => Some(i64::midpoint(took[(count - 1) / 2], took[count / 2])),
    };
    let is_at_work = crawler.state != CrawlerState::Ready;
    let left = match median {
        Some(median) if is_at_work => (median - elapsed(app, crawler).num_milliseconds()).max(0),
        _ => 0,
    };
    let plan = crawler.last_ended().and_then(|crawl| crawl.plan.as_ref());
    let count = |touched: fn(&PlanSummary) -> &Touched| plan.map_or(0, |plan| touched(plan).tables);
    json!({
        "CrawlerName": crawler.input.name,
        "TimeLeftSeconds": in_seconds(left),
        "StillEstimating": is_at_work && median.is_none(),
        "LastRuntimeSeconds": in_seconds(last.unwrap_or(0)),
        "MedianRuntimeSeconds": in_seconds(median.unwrap_or(0)),
        "TablesCreated": count(|plan| &plan.added),
        "TablesUpdated": count(|plan| &plan.changed),
        "TablesDeleted": count(|plan| &plan.retired),
    })
}
