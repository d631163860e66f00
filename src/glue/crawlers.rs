//! Crawlers, and when they run.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::aws::{Answer, Failure, Members, nothing, page, read_value, required, seconds, token, with_kept};
use crate::crawl::{crawlers, schedules};
use crate::error::{Error, ErrorKind};
use crate::model::crawl::{CrawlSummary, Crawler, CrawlerInput, CrawlerState, WorkState};
use crate::model::crawl_options::CrawlOptions;
use crate::model::precondition::Precondition;

use super::crawler_targets;
use super::error::{
    ALREADY_EXISTS, CRAWLER_NOT_RUNNING, CRAWLER_RUNNING, CRAWLER_STOPPING, ENTITY_NOT_FOUND, NO_SCHEDULE,
    SCHEDULER_NOT_RUNNING, SCHEDULER_RUNNING, invalid,
};

/// The most crawlers of a page (`PageSize`).
const MAX_PAGE: u32 = 1000;
/// The database of crawlers that name none.
const DEFAULT_DATABASE: &str = "default";
const TAGS: &str = "Tags";
const CHANGE_POLICY: &str = "SchemaChangePolicy";
const RECRAWL_POLICY: &str = "RecrawlPolicy";
const CONFIGURATION: &str = "Configuration";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Sent {
    name: Option<String>,
    role: Option<String>,
    database_name: Option<String>,
    description: Option<String>,
    targets: Option<Members>,
    table_prefix: Option<String>,
    classifiers: Option<Vec<String>>,
    schedule: Option<String>,
    #[serde(flatten)]
    kept: Members,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Named {
    #[serde(alias = "CrawlerName")]
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct NamedMany {
    crawler_names: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct NewSchedule {
    crawler_name: String,
    schedule: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct List {
    next_token: Option<String>,
    max_results: Option<u32>,
    #[serde(default)]
    tags: Members,
}

impl Sent {
    /// What is said of a crawler now that this was sent: what wasn't stays.
    fn change(self, mut input: CrawlerInput) -> Answer<CrawlerInput> {
        if let Some(targets) = self.targets {
            input.targets = crawler_targets::read(&targets)?;
            let kept = crawler_targets::TARGETS.to_owned();
            input.other.insert(kept, Value::Object(targets));
        }
        input.other.extend(self.kept);
        input.options = CrawlOptions {
            compatibility: input.options.compatibility,
            ..options_of(&input.other)?
        };
        input.role = self.role.or(input.role);
        input.database = self.database_name.unwrap_or(input.database);
        input.description = self.description.or(input.description);
        input.table_prefix = self.table_prefix.or(input.table_prefix);
        input.classifiers = self.classifiers.unwrap_or(input.classifiers);
        if let Some(schedule) = self.schedule {
            input.schedule = some_schedule(schedule);
        }
        Ok(input)
    }
}

/// An empty schedule is none.
fn some_schedule(text: String) -> Option<String> {
    Some(text).filter(|text| !text.trim().is_empty())
}

pub(super) async fn create(app: &App, mut request: Sent) -> Answer {
    let name = required(request.name.take(), "name")?;
    required(request.role.as_ref(), "role")?;
    required(request.targets.as_ref(), "targets")?;
    let input = request.change(CrawlerInput {
        name: name.clone(),
        database: DEFAULT_DATABASE.to_owned(),
        ..CrawlerInput::default()
    })?;
    crawlers::create(app, input).await.map_err(|error| {
        let message = format!("Crawler {name} already exists.");
        Failure::worded(error, ErrorKind::AlreadyExists, ALREADY_EXISTS, message)
    })?;
    Ok(nothing())
}

pub(super) async fn update(app: &App, mut request: Sent) -> Answer {
    let name = required(request.name.take(), "name")?;
    let change = |input| {
        // Both say it in the service's words.
        request
            .change(input)
            .map_err(|failure| Error::invalid(failure.message()))
    };
    let done = crawlers::update(app, &name, &Precondition::None, change).await;
    done.map_err(|error| match error.kind {
        ErrorKind::Conflict => Failure::new(
            CRAWLER_RUNNING,
            "Cannot update Crawler while running. Please stop crawl or wait until it completes to update.",
        ),
        _ => in_glues_words(error, &name),
    })?;
    Ok(nothing())
}

pub(super) async fn get_many(app: &App, request: NamedMany) -> Answer {
    let known = crawlers::get_many(app, &request.crawler_names).await?;
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for name in request.crawler_names {
        match known.get(&name) {
            Some(crawler) => found.push(rendered(app, crawler)),
            None => missing.push(name),
        }
    }
    Ok(json!({ "Crawlers": found, "CrawlersNotFound": missing }))
}

pub(super) async fn stop(app: &App, request: Named) -> Answer {
    let name = required(request.name, "name")?;
    match crawlers::stop(app, &name).await {
        Ok(()) => Ok(nothing()),
        Err(error) if error.kind == ErrorKind::Conflict => {
            let is_stopping = crawlers::get(app, &name).await?.state == CrawlerState::Stopping;
            Err(if is_stopping {
                let message = format!("Crawler with name {name} is already stopping");
                Failure::new(CRAWLER_STOPPING, message)
            } else {
                Failure::new(
                    CRAWLER_NOT_RUNNING,
                    format!("Crawler with name {name} isn't running"),
                )
            })
        }
        Err(error) => Err(in_glues_words(error, &name)),
    }
}

pub(super) async fn set_schedule(app: &App, request: NewSchedule) -> Answer {
    let name = request.crawler_name;
    schedules::set(app, &name, request.schedule.and_then(some_schedule))
        .await
        .map_err(|error| in_glues_words(error, &name))?;
    Ok(nothing())
}

pub(super) async fn start_schedule(app: &App, request: Named) -> Answer {
    let name = required(request.name, "crawlerName")?;
    schedules::start(app, &name)
        .await
        .map_err(|error| match error.kind {
            ErrorKind::Conflict => Failure::new(
                SCHEDULER_RUNNING,
                format!("The schedule of crawler {name} is already running"),
            ),
            ErrorKind::Invalid => {
                Failure::new(NO_SCHEDULE, format!("Crawler with name {name} has no schedule"))
            }
            _ => in_glues_words(error, &name),
        })?;
    Ok(nothing())
}

pub(super) async fn stop_schedule(app: &App, request: Named) -> Answer {
    let name = required(request.name, "crawlerName")?;
    schedules::stop(app, &name)
        .await
        .map_err(|error| match error.kind {
            ErrorKind::Conflict | ErrorKind::Invalid => Failure::new(
                SCHEDULER_NOT_RUNNING,
                format!("The schedule of crawler {name} is not running"),
            ),
            _ => in_glues_words(error, &name),
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
pub(super) fn in_glues_words(error: Error, name: &str) -> Failure {
    match error.kind {
        ErrorKind::NotFound => Failure::new(
            ENTITY_NOT_FOUND,
            format!("Crawler entry with name {name} does not exist"),
        ),
        ErrorKind::Conflict => Failure::new(
            CRAWLER_RUNNING,
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
    options.checked().map_err(|error| invalid(error.message))?;
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
        "State": crawler.state.as_str(),
        "Classifiers": input.classifiers,
        "Schedule": input.schedule.as_ref().map(|cron| {
            let state = if crawler.next_crawl_at.is_some() { "SCHEDULED" } else { "NOT_SCHEDULED" };
            json!({ "ScheduleExpression": cron, "State": state })
        }),
        "CrawlElapsedTime": elapsed(app, crawler).num_milliseconds(),
        "CreationTime": seconds(crawler.created_at),
        "LastUpdated": seconds(crawler.updated_at),
        "LastCrawl": crawler.last_ended().and_then(|crawl| rendered_crawl(&input.name, crawl)),
        "Version": crawler.version,
        // Tags have an operation of their own.
        "Tags": null,
    });
    let mut defaults = Members::from_iter([
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
fn rendered_crawl(crawler: &str, crawl: &CrawlSummary) -> Option<Value> {
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

pub(super) fn begin(crawl: &CrawlSummary) -> DateTime<Utc> {
    crawl.started_at.unwrap_or(crawl.created_at)
}

/// How long the crawl that is under way has taken.
pub(super) fn elapsed(app: &App, crawler: &Crawler) -> TimeDelta {
    match &crawler.last_crawl {
        Some(crawl) if crawler.state != CrawlerState::Ready => app.clock.now() - begin(crawl),
        _ => TimeDelta::zero(),
    }
}
