//! `/api/v1/classifiers`

use ::classifiers as rules;
use axum::extract::Path;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::access::State;
use super::error::{ApiResult, Json, Problem, Query};
use super::page::{ListQuery, Page};
use super::version::{If, IfHeaders, Versioned};
use super::words::words;
use crate::app::App;
use crate::crawl::classifiers;
use crate::model::classifier as nouns;

/// A classifier that people define. Crawlers that name it ask it before the built-in ones.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Classifier {
    name: String,
    #[serde(flatten)]
    rule: Rule,
    /// How many times it was written.
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// A classifier to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(try_from = "Map<String, Value>")]
pub(super) struct NewClassifier {
    name: String,
    #[serde(flatten)]
    rule: Rule,
}

impl TryFrom<Map<String, Value>> for NewClassifier {
    type Error = serde_json::Error;

    /// By hand, because serde can't refuse unknown members of what is flattened.
    fn try_from(mut members: Map<String, Value>) -> Result<Self, serde_json::Error> {
        let missing = || serde::de::Error::missing_field("name");
        let name = members.remove("name").ok_or_else(missing)?;
        Ok(Self {
            name: serde_json::from_value(name)?,
            rule: serde_json::from_value(Value::Object(members))?,
        })
    }
}

/// What a classifier is told.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(super) enum Rule {
    Grok(Grok),
    Xml(Xml),
    Json(JsonRule),
    Csv(Box<Csv>),
}

/// Lines that match a pattern.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Grok {
    /// What matching files are classified as.
    classification: String,
    /// `%{TIMESTAMP_ISO8601:time} %{GREEDYDATA:message}`
    grok_pattern: String,
    /// A name and a regular expression a line.
    custom_patterns: Option<String>,
}

/// Elements of a name.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Xml {
    /// What matching files are classified as.
    classification: String,
    /// The element that is a row; it is found where nothing is said.
    row_tag: Option<String>,
}

/// Values at a path.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct JsonRule {
    /// `$.records[*]`
    json_path: String,
}

/// Delimited text whose marks are known. What isn't said is found out.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Csv {
    /// One character.
    delimiter: Option<String>,
    /// One character.
    quote_symbol: Option<String>,
    contains_header: Option<ContainsHeader>,
    /// Names for the columns, in place of those in the file.
    header: Option<Vec<String>>,
    /// Values are taken as they are written: ` 1` is text then.
    disable_value_trimming: Option<bool>,
    /// Whether a file of one column is a table.
    allow_single_column: Option<bool>,
    /// Whether `custom_datatypes` counts.
    custom_datatype_configured: Option<bool>,
    /// Types for the columns, in their order: BINARY, BOOLEAN, DATE, DECIMAL, DOUBLE, FLOAT, INT, LONG, SHORT, STRING or
    /// TIMESTAMP.
    custom_datatypes: Option<Vec<String>>,
    /// The SerDe of tables.
    serde: Option<CsvSerde>,
}

words!(
    /// Whether a CSV file has a header.
    rules::ContainsHeader as ContainsHeader, "UPPERCASE", Unknown, Present, Absent
);
words!(
    /// Glue's names for the SerDes of CSV tables.
    rules::CsvSerde as CsvSerde, "PascalCase", None, OpenCSVSerDe, LazySimpleSerDe
);

impl NewClassifier {
    fn definition(self) -> rules::ClassifierDefinition {
        let name = self.name;
        match self.rule {
            Rule::Grok(grok) => rules::ClassifierDefinition::Grok(rules::GrokClassifier {
                name,
                classification: grok.classification,
                grok_pattern: grok.grok_pattern,
                custom_patterns: grok.custom_patterns,
            }),
            Rule::Xml(xml) => rules::ClassifierDefinition::Xml(rules::XmlClassifier {
                name,
                classification: xml.classification,
                row_tag: xml.row_tag,
            }),
            Rule::Json(json) => rules::ClassifierDefinition::Json(rules::JsonClassifier {
                name,
                json_path: json.json_path,
            }),
            Rule::Csv(csv) => rules::ClassifierDefinition::Csv(rules::CsvClassifier {
                name,
                delimiter: csv.delimiter,
                quote_symbol: csv.quote_symbol,
                contains_header: csv.contains_header.map(Into::into),
                header: csv.header,
                disable_value_trimming: csv.disable_value_trimming,
                allow_single_column: csv.allow_single_column,
                custom_datatype_configured: csv.custom_datatype_configured,
                custom_datatypes: csv.custom_datatypes,
                serde: csv.serde.map(Into::into),
            }),
        }
    }
}

impl From<nouns::Classifier> for Classifier {
    fn from(classifier: nouns::Classifier) -> Self {
        let name = classifier.definition.name().to_owned();
        let rule = match classifier.definition {
            rules::ClassifierDefinition::Grok(grok) => Rule::Grok(Grok {
                classification: grok.classification,
                grok_pattern: grok.grok_pattern,
                custom_patterns: grok.custom_patterns,
            }),
            rules::ClassifierDefinition::Xml(xml) => Rule::Xml(Xml {
                classification: xml.classification,
                row_tag: xml.row_tag,
            }),
            rules::ClassifierDefinition::Json(json) => Rule::Json(JsonRule {
                json_path: json.json_path,
            }),
            rules::ClassifierDefinition::Csv(csv) => Rule::Csv(Box::new(Csv {
                delimiter: csv.delimiter,
                quote_symbol: csv.quote_symbol,
                contains_header: csv.contains_header.map(Into::into),
                header: csv.header,
                disable_value_trimming: csv.disable_value_trimming,
                allow_single_column: csv.allow_single_column,
                custom_datatype_configured: csv.custom_datatype_configured,
                custom_datatypes: csv.custom_datatypes,
                serde: csv.serde.map(Into::into),
            })),
        };
        Self {
            name,
            rule,
            version: classifier.version,
            created_at: classifier.created_at,
            updated_at: classifier.updated_at,
        }
    }
}

fn versioned(classifier: nouns::Classifier) -> Versioned<Classifier> {
    Versioned::new(classifier.version, classifier.into())
}

/// List classifiers
#[utoipa::path(get, path = "/api/v1/classifiers", operation_id = "list_classifiers", tag = "crawling", params(ListQuery),
    responses((status = 200, body = Page<Classifier>), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn list(
    State(app): State<App>,
    Query(query): Query<ListQuery>,
) -> ApiResult<axum::Json<Page<Classifier>>> {
    let page = classifiers::list(&app, &query.request()?).await?;
    Ok(axum::Json(Page::of(page, Classifier::from)))
}

/// Make a classifier
#[utoipa::path(post, path = "/api/v1/classifiers", operation_id = "create_classifier", tag = "crawling", request_body = NewClassifier,
    responses((status = 201, body = Classifier, headers(("ETag" = String, description = "The version, for If-Match"))), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn create(
    State(app): State<App>,
    Json(new): Json<NewClassifier>,
) -> ApiResult<(StatusCode, Versioned<Classifier>)> {
    let made = classifiers::create(&app, new.definition()).await?;
    Ok((StatusCode::CREATED, versioned(made)))
}

/// Show a classifier
#[utoipa::path(get, path = "/api/v1/classifiers/{name}", operation_id = "get_classifier", tag = "crawling", params(("name" = String, Path)),
    responses((status = 200, body = Classifier, headers(("ETag" = String, description = "The version, for If-Match"))), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn get(
    State(app): State<App>,
    Path(name): Path<String>,
) -> ApiResult<Versioned<Classifier>> {
    Ok(versioned(classifiers::get(&app, &name).await?))
}

/// Write a classifier anew; the next crawl that asks it judges its files again
#[utoipa::path(put, path = "/api/v1/classifiers/{name}", operation_id = "put_classifier", tag = "crawling", params(("name" = String, Path), IfHeaders),
    request_body = Rule,
    responses((status = 200, body = Classifier, headers(("ETag" = String, description = "The version, for If-Match"))), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn put(
    State(app): State<App>,
    Path(name): Path<String>,
    If(precondition): If,
    Json(rule): Json<Rule>,
) -> ApiResult<Versioned<Classifier>> {
    let new = NewClassifier {
        name: name.clone(),
        rule,
    };
    let change = |_| Ok(new.definition());
    let updated = classifiers::update(&app, &name, &precondition, change).await?;
    Ok(versioned(updated))
}

/// Remove a classifier; crawlers that name it fail until it is there again
#[utoipa::path(delete, path = "/api/v1/classifiers/{name}", operation_id = "delete_classifier", tag = "crawling", params(("name" = String, Path)),
    responses((status = 204), (status = "default", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn delete(State(app): State<App>, Path(name): Path<String>) -> ApiResult<StatusCode> {
    classifiers::delete(&app, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
