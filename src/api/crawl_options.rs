//! How a crawl decides, as `/api/v1` says it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::words::words;
use crate::model::crawl_options as options;

/// How a crawler decides, and what it may change.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Options {
    /// Whose rules decide what is one table; the setting `crawl.compatibility` where nothing is said.
    compatibility: Option<Compatibility>,
    /// What happens to a table whose files changed.
    update_behavior: UpdateBehavior,
    /// What happens to a table or a partition whose files are gone.
    delete_behavior: DeleteBehavior,
    /// What is looked at after the first crawl.
    recrawl_behavior: RecrawlBehavior,
    /// Glue's `Configuration`: `{"Version": 1.0, "CrawlerOutput": {…}, "Grouping": {…}, "CreatePartitionIndex": true}`.
    #[schema(value_type = Option<Object>)]
    configuration: Option<serde_json::Map<String, serde_json::Value>>,
}

words!(
    /// Whose rules decide what is one table.
    options::Compatibility as Compatibility, "snake_case", Mastic, Glue
);
words!(
    /// What happens to a table whose files changed.
    options::UpdateBehavior as UpdateBehavior, "SCREAMING_SNAKE_CASE", UpdateInDatabase, Log
);
words!(
    /// What happens to what is gone.
    options::DeleteBehavior as DeleteBehavior, "SCREAMING_SNAKE_CASE", DeprecateInDatabase, DeleteFromDatabase, Log
);
words!(
    /// What is looked at after the first crawl.
    #[expect(clippy::enum_variant_names, reason = "they are Glue's words")]
    options::RecrawlBehavior as RecrawlBehavior, "SCREAMING_SNAKE_CASE", CrawlEverything, CrawlNewFoldersOnly, CrawlEventMode
);

impl From<Options> for options::CrawlOptions {
    fn from(given: Options) -> Self {
        Self {
            compatibility: given.compatibility.map(Into::into),
            update: given.update_behavior.into(),
            delete: given.delete_behavior.into(),
            recrawl: given.recrawl_behavior.into(),
            configuration: given
                .configuration
                .map(|configuration| serde_json::Value::Object(configuration).to_string()),
        }
    }
}

impl From<options::CrawlOptions> for Options {
    fn from(kept: options::CrawlOptions) -> Self {
        Self {
            compatibility: kept.compatibility.map(Into::into),
            update_behavior: kept.update.into(),
            delete_behavior: kept.delete.into(),
            recrawl_behavior: kept.recrawl.into(),
            configuration: kept
                .configuration
                .and_then(|configuration| serde_json::from_str(&configuration).ok()),
        }
    }
}
