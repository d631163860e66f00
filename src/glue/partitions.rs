//! Partitions.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::catalog::partitions;
use crate::model::name::TableRef;
use crate::model::partition::{Partition, values_key};

use super::error::{Answer, Exception, Failure};
use super::request::{check_catalog, page, required, seconds, token, with_kept};
use super::storage;
use super::tables::in_glues_words;

/// The most partitions of a page (`PageSize`).
const MAX_PAGE: u32 = 1000;
/// The most segments that one listing may be dealt into.
const MAX_SEGMENTS: u64 = 10;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Get {
    catalog_id: Option<String>,
    database_name: Option<String>,
    table_name: Option<String>,
    partition_values: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct List {
    catalog_id: Option<String>,
    database_name: Option<String>,
    table_name: Option<String>,
    expression: Option<String>,
    next_token: Option<String>,
    max_results: Option<i64>,
    segment: Option<Segment>,
    #[serde(default)]
    exclude_column_schema: bool,
}

/// One of several parts that clients list at the same time.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Segment {
    segment_number: u64,
    total_segments: u64,
}

pub(super) async fn get(app: &App, request: Get) -> Answer {
    let name = table_named(app, request.catalog_id, request.database_name, request.table_name)?;
    let values = required(request.partition_values, "partitionValues")?;
    let found = partitions::find(app, &name, &values)
        .await
        .map_err(|error| in_glues_words(error, &name))?;
    match found {
        Some(partition) => Ok(json!({ "Partition": rendered(app, &name, &partition, true) })),
        None => Err(Failure::new(Exception::EntityNotFound, "Cannot find partition.")),
    }
}

pub(super) async fn list(app: &App, request: List) -> Answer {
    let name = table_named(app, request.catalog_id, request.database_name, request.table_name)?;
    if request
        .expression
        .is_some_and(|expression| !expression.trim().is_empty())
    {
        return Err(Failure::invalid(
            "Expression is not supported yet: leave it out, and take your pick of what comes back.",
        ));
    }
    let segment = request.segment.map(Segment::checked).transpose()?;
    let page = page(request.max_results, request.next_token.as_deref(), MAX_PAGE)?;
    let found = partitions::list(app, &name, &page)
        .await
        .map_err(|error| in_glues_words(error, &name))?;
    // A page of a segment holds fewer than were asked for, or none; the token says whether there are more.
    let list: Vec<Value> = found
        .items
        .iter()
        .filter(|partition| segment.is_none_or(|segment| segment.holds(&partition.input.values)))
        .map(|partition| rendered(app, &name, partition, !request.exclude_column_schema))
        .collect();
    Ok(json!({ "Partitions": list, "NextToken": token(found.next) }))
}

impl Segment {
    fn checked(self) -> Answer<Self> {
        if !(1..=MAX_SEGMENTS).contains(&self.total_segments) {
            return Err(Failure::invalid(format!(
                "TotalSegments must be 1 to {MAX_SEGMENTS}."
            )));
        }
        if self.segment_number >= self.total_segments {
            return Err(Failure::invalid("SegmentNumber must be less than TotalSegments."));
        }
        Ok(self)
    }

    /// Whether a partition belongs to this segment: the same answer every time, on every machine (FNV-1a).
    fn holds(self, values: &[String]) -> bool {
        let hash = values_key(values)
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            });
        hash % self.total_segments == self.segment_number
    }
}

fn table_named(
    app: &App,
    catalog: Option<String>,
    database: Option<String>,
    table: Option<String>,
) -> Answer<TableRef> {
    check_catalog(app, catalog.as_deref())?;
    let database = required(database, "databaseName")?;
    Ok(TableRef::new(&database, &required(table, "tableName")?)?)
}

fn rendered(app: &App, table: &TableRef, partition: &Partition, with_columns: bool) -> Value {
    let input = &partition.input;
    let own = json!({
        "Values": input.values,
        "DatabaseName": table.database,
        "TableName": table.name,
        "CreationTime": seconds(partition.created_at),
        "StorageDescriptor": input.storage.as_ref().map(|storage| storage::rendered(storage, with_columns)),
        "Parameters": input.parameters,
        "CatalogId": app.config.catalog.account_id,
    });
    with_kept(own, &input.other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_partition_is_in_one_segment() {
        let mut sizes = [0; 4];
        for month in 0..1000 {
            let values = vec![format!("{}", 2000 + month / 12), format!("{:02}", month % 12 + 1)];
            let homes: Vec<u64> = (0..4)
                .filter(|number| {
                    Segment {
                        segment_number: *number,
                        total_segments: 4,
                    }
                    .holds(&values)
                })
                .collect();
            assert_eq!(homes.len(), 1);
            sizes[homes[0] as usize] += 1;
        }
        assert!(sizes.iter().all(|size| *size > 150), "{sizes:?}");
    }
}
