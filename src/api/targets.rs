//! What a crawler crawls, as the API says it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::words::words;
use crate::model::crawl as nouns;

/// One place that is crawled: a prefix of an object store, or tables of another database.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Target {
    /// `s3://bucket/prefix/`; with a connection `database/schema/table` or, for MySQL, `database/table`, where `%` stands
    /// for any schema or table.
    path: String,
    /// Globs of what is left out, relative to the path.
    #[serde(default)]
    exclusions: Vec<String>,
    /// How many files of each folder are looked at, 1 to 249; as many as are needed where nothing is said.
    sample_size: Option<u32>,
    /// Where an S3 Inventory of the bucket is, which is taken instead of a listing: a manifest, or the folder with the dated
    /// folders of a configuration.
    inventory: Option<String>,
    /// The connection that leads to a database.
    connection: Option<String>,
    /// What of a database's tables is taken besides their columns.
    #[serde(default)]
    additional_metadata: Vec<AdditionalMetadata>,
}

words!(
    /// What of a database's tables is taken besides their columns: what is said of them, types as the database spells them.
    nouns::AdditionalMetadata as AdditionalMetadata, "UPPERCASE", Comments, RawTypes
);

impl From<Target> for nouns::CrawlTarget {
    fn from(target: Target) -> Self {
        Self {
            path: target.path,
            exclusions: target.exclusions,
            sample_size: target.sample_size,
            inventory: target.inventory,
            connection: target.connection,
            additional_metadata: target.additional_metadata.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<nouns::CrawlTarget> for Target {
    fn from(target: nouns::CrawlTarget) -> Self {
        Self {
            path: target.path,
            exclusions: target.exclusions,
            sample_size: target.sample_size,
            inventory: target.inventory,
            connection: target.connection,
            additional_metadata: target.additional_metadata.into_iter().map(Into::into).collect(),
        }
    }
}
