//! Crawlers.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::crawl::crawlers;
use crate::error::{Error, ErrorKind};
use crate::model::crawl::{ChangeKind, ChangeOp, Crawl, Crawler, CrawlerInput, WorkState};
use crate::model::crawl_options::CrawlOptions;

use super::error::{Answer, Exception, Failure};
use super::request::{Members, page, read_value, required, seconds, token, with_kept};
use super::{crawler_targets, nothing};

/// The most crawlers of a page (`PageSize`).
const MAX_PAGE: u32 = 1000;
/// The database of crawlers that name none.
const DEFAULT_DATABASE: &str = "default";
const TAGS: &str = "Tags";
const SCHEDULE: &str = "Schedule";
const CHANGE_POLICY: &str = "SchemaChangePolicy";
const RECRAWL_POLICY: &str = "RecrawlPolicy";
const CONFIGURATION: &str = "Configuration";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Create {
    name: Option<String>,
    role: Option<String>,
    database_name: Option<String>,
    description: Option<String>,
    targets: Option<Members>,
    table_prefix: Option<String>,
    #[serde(flatten)]
    kept: Members,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Named {
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct List {
    next_token: Option<String>,
    max_results: Option<u32>,
    #[serde(default)]
    tags: Members,
    #[serde(default)]
    crawler_name_list: Vec<String>,
}

pub(super) async fn create(app: &App, request: Create) -> Answer {
    let options = options_of(&request.kept)?;
    let sent = required(request.targets, "targets")?;
    let mut other = request.kept;
    let targets = crawler_targets::read(&sent)?;
    other.insert(crawler_targets::TARGETS.to_owned(), Value::Object(sent));
    let input = CrawlerInput {
        name: required(request.name, "name")?,
        role: Some(required(request.role, "role")?),
        database: request
            .database_name
            .unwrap_or_else(|| DEFAULT_DATABASE.to_owned()),
        description: request.description,
        targets,
        table_prefix: request.table_prefix,
        options,
        other,
    };
    let name = input.name.clone();
    crawlers::create(app, input).await.map_err(|error| {
        let message = format!("Crawler {name} already exists.");
        Failure::worded(error, ErrorKind::AlreadyExists, Exception::AlreadyExists, message)
    })?;
    Ok(nothing())
}

pub(super) async fn get(app: &App, request: Named) -> Answer {
    let name = required(request.name, "name")?;
    let crawler = crawlers::get(app, &name)
        .await
        .map_err(|error| in_glues_words(error, &name))?;
    Ok(json!({ "Crawler": rendered(app, &crawler) }))
}

pub(super) async fn list(app: &App, request: List) -> Answer {
    let page = page(request.max_results, request.next_token.as_deref(), MAX_PAGE)?;
    let found = crawlers::list(app, &page).await?;
    let list: Vec<Value> = found.items.iter().map(|crawler| rendered(app, crawler)).collect();
    Ok(json!({ "Crawlers": list, "NextToken": token(found.next) }))
}

pub(super) async fn list_names(app: &App, request: List) -> Answer {
    let page = page(request.max_results, request.next_token.as_deref(), MAX_PAGE)?;
    let found = crawlers::list(app, &page).await?;
    let has = |crawler: &Crawler, (key, value): (&String, &Value)| {
        crawler.input.other.get(TAGS).and_then(|tags| tags.get(key)) == Some(value)
    };
    let names: Vec<&str> = found
        .items
        .iter()
        .filter(|crawler| request.tags.iter().all(|tag| has(crawler, tag)))
        .map(|crawler| crawler.input.name.as_str())
        .collect();
    Ok(json!({ "CrawlerNames": names, "NextToken": token(found.next) }))
}

pub(super) async fn metrics(app: &App, request: List) -> Answer {
    let page = page(request.max_results, request.next_token.as_deref(), MAX_PAGE)?;
    let found = crawlers::list(app, &page).await?;
    let asked = &request.crawler_name_list;
    let list: Vec<Value> = found
        .items
        .iter()
        .filter(|crawler| asked.is_empty() || asked.contains(&crawler.input.name))
        .map(|crawler| rendered_metrics(app, crawler))
        .collect();
    Ok(json!({ "CrawlerMetricsList": list, "NextToken": token(found.next) }))
}

pub(super) async fn start(app: &App, request: Named) -> Answer {
    let name = required(request.name, "name")?;
    crawlers::start(app, &name, false)
        .await
        .map_err(|error| in_glues_words(error, &name))?;
    Ok(nothing())
}

pub(super) async fn delete(app: &App, request: Named) -> Answer {
    let name = required(request.name, "name")?;
    crawlers::delete(app, &name)
        .await
        .map_err(|error| in_glues_words(error, &name))?;
    Ok(nothing())
}

/// Clients look for these two, the one by its words and the other by its name.
fn in_glues_words(error: Error, name: &str) -> Failure {
    match error.kind {
        ErrorKind::NotFound => Failure::new(
            Exception::EntityNotFound,
            format!("Crawler entry with name {name} does not exist"),
        ),
        ErrorKind::Conflict => Failure::new(
            Exception::CrawlerRunning,
            format!("Crawler with name {name} has already started"),
        ),
        _ => error.into(),
    }
}

/// The policies and the configuration among what was sent.
fn options_of(sent: &Members) -> Answer<CrawlOptions> {
    let word = |policy: &str, member: &str| sent.get(policy).and_then(|policy| policy.get(member));
    let mut options = CrawlOptions::default();
    if let Some(update) = word(CHANGE_POLICY, "UpdateBehavior") {
        options.update = read_value(update)?;
    }
    if let Some(delete) = word(CHANGE_POLICY, "DeleteBehavior") {
        options.delete = read_value(delete)?;
    }
    if let Some(recrawl) = word(RECRAWL_POLICY, "RecrawlBehavior") {
        options.recrawl = read_value(recrawl)?;
    }
    let configuration = sent.get(CONFIGURATION).and_then(Value::as_str);
    options.configuration = configuration.filter(|text| !text.is_empty()).map(str::to_owned);
    // Clients know the service's words, so ours are not put behind them.
    options
        .checked()
        .map_err(|error| Failure::invalid(error.message))?;
    Ok(options)
}

fn rendered(app: &App, crawler: &Crawler) -> Value {
    let input = &crawler.input;
    let own = json!({
        "Name": input.name,
        "Role": input.role,
        "Targets": crawler_targets::rendered(input),
        "DatabaseName": input.database,
        "Description": input.description,
        "TablePrefix": input.table_prefix,
        "State": if crawler.running { "RUNNING" } else { "READY" },
        // Crawls are not started by the clock, so the schedule is shown as one that is not in force.
        "Schedule": input.other.get(SCHEDULE).map(|cron| json!({ "ScheduleExpression": cron, "State": "NOT_SCHEDULED" })),
        "CrawlElapsedTime": elapsed(app, crawler).num_milliseconds(),
        "CreationTime": seconds(crawler.created_at),
        "LastUpdated": seconds(crawler.updated_at),
        "LastCrawl": crawler.last_crawl.as_ref().and_then(|crawl| rendered_crawl(&input.name, crawl)),
        "Version": 1,
        // Tags have an operation of their own.
        "Tags": null,
    });
    let mut defaults = Members::from_iter([
        ("Classifiers".to_owned(), json!([])),
        (
            CHANGE_POLICY.to_owned(),
            json!({ "UpdateBehavior": input.options.update, "DeleteBehavior": input.options.delete }),
        ),
        (
            RECRAWL_POLICY.to_owned(),
            json!({ "RecrawlBehavior": input.options.recrawl }),
        ),
        (
            "LineageConfiguration".to_owned(),
            json!({ "CrawlerLineageSettings": "DISABLE" }),
        ),
    ]);
    if let Some(configuration) = &input.options.configuration {
        defaults.insert(CONFIGURATION.to_owned(), json!(configuration));
    }
    with_kept(with_kept(own, &input.other), &defaults)
}

/// A crawl that is over; the API has no word for one that isn't.
fn rendered_crawl(crawler: &str, crawl: &Crawl) -> Option<Value> {
    let status = match crawl.state {
        WorkState::Succeeded => "SUCCEEDED",
        WorkState::Failed => "FAILED",
        WorkState::Cancelled => "CANCELLED",
        WorkState::Queued | WorkState::Running => return None,
    };
    Some(json!({
        "Status": status,
        "ErrorMessage": crawl.error,
        "LogGroup": "/aws-glue/crawlers",
        "LogStream": crawler,
        "MessagePrefix": crawl.id,
        "StartTime": seconds(begin(crawl)),
    }))
}

fn begin(crawl: &Crawl) -> DateTime<Utc> {
    crawl.started_at.unwrap_or(crawl.created_at)
}

/// How long the crawl that is under way has taken.
fn elapsed(app: &App, crawler: &Crawler) -> TimeDelta {
    match &crawler.last_crawl {
        Some(crawl) if crawler.running => app.clock.now() - begin(crawl),
        _ => TimeDelta::zero(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "no crawl takes so many milliseconds")]
fn rendered_metrics(app: &App, crawler: &Crawler) -> Value {
    let last = crawler.last_crawl.as_ref();
    let took = last
        .and_then(|crawl| Some(crawl.finished_at? - begin(crawl)))
        .unwrap_or(elapsed(app, crawler));
    let took = took.num_milliseconds() as f64 / 1000.0;
    let plan = last.and_then(|crawl| crawl.plan.as_ref());
    let count = |op| {
        let changes = plan.map_or(&[][..], |plan| &plan.changes);
        changes
            .iter()
            .filter(|change| change.kind == ChangeKind::Table && change.op == op)
            .count()
    };
    json!({
        "CrawlerName": crawler.input.name,
        "TimeLeftSeconds": 0.0,
        "StillEstimating": false,
        "LastRuntimeSeconds": took,
        // The last crawl stands for all of them.
        "MedianRuntimeSeconds": took,
        "TablesCreated": count(ChangeOp::Add),
        "TablesUpdated": count(ChangeOp::Change),
        "TablesDeleted": count(ChangeOp::Retire),
    })
}
