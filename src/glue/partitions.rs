//! Partitions.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::app::App;
use crate::catalog::partitions;
use crate::error::{Error, ErrorKind};
use crate::model::name::TableRef;
use crate::model::partition::{Partition, PartitionInput};
use crate::model::table::{Parameters, StorageDescriptor};

use super::error::{Answer, Exception, Failure, detail};
use super::request::{Members, check_catalog, page, seconds, token, without_nulls, wrong_token};
use super::storage::{self, RenderedStorage, StorageDescriptorInput};
use super::tables::in_glues_words;
use super::{Body, nothing};

/// The most partitions of a page (`PageSize`).
const MAX_PAGE: u32 = 1000;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Place {
    catalog_id: Option<String>,
    database_name: String,
    table_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    #[serde(default)]
    values: Vec<String>,
    storage_descriptor: Option<StorageDescriptorInput>,
    #[serde(default)]
    parameters: Parameters,
    #[serde(flatten)]
    kept: Members,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Create {
    #[serde(flatten)]
    place: Place,
    partition_input: Input,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateMany {
    #[serde(flatten)]
    place: Place,
    partition_input_list: Vec<Input>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Update {
    #[serde(flatten)]
    place: Place,
    #[serde(flatten)]
    change: Change,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UpdateMany {
    #[serde(flatten)]
    place: Place,
    entries: Vec<Change>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Change {
    partition_value_list: Vec<String>,
    partition_input: Input,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Named {
    #[serde(flatten)]
    place: Place,
    partition_values: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct NamedMany {
    #[serde(flatten)]
    place: Place,
    #[serde(alias = "PartitionsToDelete")]
    partitions_to_get: Vec<Values>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Values {
    values: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct List {
    #[serde(flatten)]
    place: Place,
    #[serde(default)]
    expression: String,
    next_token: Option<String>,
    segment: Option<Segment>,
    max_results: Option<u32>,
    #[serde(default)]
    exclude_column_schema: bool,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Segment {
    segment_number: u32,
    total_segments: u32,
}

pub(super) async fn create(app: &App, request: Create) -> Answer {
    let name = request.place.table(app)?;
    let input = PartitionInput::from(request.partition_input);
    let mut done = partitions::create(app, &name, &[input])
        .await
        .map_err(|error| in_glues_words(error, &name))?;
    done.pop().unwrap_or(Ok(())).map_err(worded)?;
    Ok(nothing())
}

pub(super) async fn create_many(app: &App, request: CreateMany) -> Answer {
    let name = request.place.table(app)?;
    let inputs: Vec<PartitionInput> = request
        .partition_input_list
        .into_iter()
        .map(PartitionInput::from)
        .collect();
    let done = partitions::create(app, &name, &inputs)
        .await
        .map_err(|error| in_glues_words(error, &name))?;
    errors(
        inputs.into_iter().map(|input| input.values).zip(done),
        "PartitionValues",
    )
}

pub(super) async fn update(app: &App, request: Update) -> Answer {
    let name = request.place.table(app)?;
    let change = (
        request.change.partition_value_list,
        PartitionInput::from(request.change.partition_input),
    );
    let mut done = partitions::update(app, &name, &[with_values(change)])
        .await
        .map_err(|error| in_glues_words(error, &name))?;
    done.pop().unwrap_or(Ok(())).map_err(worded)?;
    Ok(nothing())
}

pub(super) async fn update_many(app: &App, request: UpdateMany) -> Answer {
    let name = request.place.table(app)?;
    let changes: Vec<(Vec<String>, PartitionInput)> = request
        .entries
        .into_iter()
        .map(|change| with_values((change.partition_value_list, change.partition_input.into())))
        .collect();
    let done = partitions::update(app, &name, &changes)
        .await
        .map_err(|error| in_glues_words(error, &name))?;
    errors(
        changes.into_iter().map(|(values, _)| values).zip(done),
        "PartitionValueList",
    )
}

/// An update that names no new values leaves them as they are.
fn with_values((values, mut input): (Vec<String>, PartitionInput)) -> (Vec<String>, PartitionInput) {
    if input.values.is_empty() {
        input.values.clone_from(&values);
    }
    (values, input)
}

pub(super) async fn delete(app: &App, request: Named) -> Answer {
    let name = request.place.table(app)?;
    let mut done = partitions::delete(app, &name, &[request.partition_values])
        .await
        .map_err(|error| in_glues_words(error, &name))?;
    done.pop().unwrap_or(Ok(())).map_err(worded)?;
    Ok(nothing())
}

pub(super) async fn delete_many(app: &App, request: NamedMany) -> Answer {
    let name = request.place.table(app)?;
    let values: Vec<Vec<String>> = request
        .partitions_to_get
        .into_iter()
        .map(|one| one.values)
        .collect();
    let done = partitions::delete(app, &name, &values)
        .await
        .map_err(|error| in_glues_words(error, &name))?;
    errors(values.into_iter().zip(done), "PartitionValues")
}

pub(super) async fn get(app: &App, request: Named) -> Answer {
    let name = request.place.table(app)?;
    let found = partitions::find(app, &name, &request.partition_values)
        .await
        .map_err(|error| in_glues_words(error, &name))?;
    match found {
        Some(partition) => Ok(json!({ "Partition": rendered(app, &name, &partition) })),
        None => Err(Failure::new(Exception::EntityNotFound, "Cannot find partition.")),
    }
}

pub(super) async fn get_many(app: &App, request: NamedMany) -> Answer {
    let name = request.place.table(app)?;
    let values: Vec<Vec<String>> = request
        .partitions_to_get
        .into_iter()
        .map(|one| one.values)
        .collect();
    let found = partitions::find_many(app, &name, &values)
        .await
        .map_err(|error| in_glues_words(error, &name))?;
    let list: Vec<Value> = found
        .iter()
        .map(|partition| rendered(app, &name, partition))
        .collect();
    Ok(json!({ "Partitions": list, "UnprocessedKeys": [] }))
}

pub(super) async fn list(app: &App, request: List) -> Answer<Body> {
    let name = request.place.table(app)?;
    let segment = request.segment.map(Segment::checked).transpose()?;
    let page = page(request.max_results, request.next_token.as_deref(), MAX_PAGE)?;
    let query = partitions::Query {
        expression: request.expression,
        segment,
    };
    let (_, found) = partitions::query(app, &name, &query, &page)
        .await
        .map_err(|error| match error.kind {
            ErrorKind::Invalid if error.message == partitions::BAD_PAGE_KEY => wrong_token(),
            // An expression is refused in AWS's words, to the letter.
            ErrorKind::Invalid => Failure::invalid(error.message),
            _ => in_glues_words(error, &name),
        })?;
    let mut shapes = Shapes {
        with_columns: !request.exclude_column_schema,
        texts: HashMap::new(),
    };
    let account = &app.config.catalog.account_id;
    let mut list = Vec::with_capacity(found.items.len());
    for partition in &found.items {
        list.push(Listed {
            values: partition.values(),
            database_name: &name.database,
            table_name: &name.name,
            creation_time: seconds(partition.created_at),
            storage_descriptor: shapes.storage(partition)?,
            parameters: &partition.own.parameters,
            catalog_id: account,
            kept: &partition.own.other,
        });
    }
    let answer = ListAnswer {
        partitions: list,
        next_token: token(found.next),
    };
    Body::of(&answer)
}

/// A page of partitions as it is written. Pages are long and asked for often, so that it is written straight, and what
/// partitions share is written once.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListAnswer<'a> {
    partitions: Vec<Listed<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Listed<'a> {
    values: &'a [String],
    database_name: &'a str,
    table_name: &'a str,
    creation_time: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    storage_descriptor: Option<Box<RawValue>>,
    parameters: &'a Parameters,
    catalog_id: &'a str,
    #[serde(flatten)]
    kept: &'a Members,
}

/// Storage descriptors as text. Partitions with the same shape differ in location and parameters alone.
struct Shapes {
    with_columns: bool,
    /// Everything but location and parameters, by the address of the shape: `,"Columns":[…]…}`.
    texts: HashMap<usize, String>,
}

impl Shapes {
    fn storage(&mut self, partition: &Partition) -> Answer<Option<Box<RawValue>>> {
        let Some(own) = &partition.own.storage else {
            return Ok(None);
        };
        let text = match &partition.shape {
            None => written(&storage::rendered(own, self.with_columns))?,
            Some(shape) => {
                let with_columns = self.with_columns;
                let address = std::sync::Arc::as_ptr(shape) as usize;
                let rest = match self.texts.entry(address) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(new) => new.insert(rest_of(shape, with_columns)?),
                };
                let own = json!({ "Location": own.location, "Parameters": own.parameters });
                let own = without_nulls(own).to_string();
                match own.strip_suffix('}') {
                    Some("{") => format!("{{{rest}"),
                    Some(own) => format!("{own},{rest}"),
                    None => own,
                }
            }
        };
        RawValue::from_string(text).map(Some).map_err(|cause| {
            Error::internal("a storage descriptor can't be written")
                .source(cause)
                .into()
        })
    }
}

fn rest_of(shape: &StorageDescriptor, with_columns: bool) -> Answer<String> {
    let text = written(&storage::rendered(shape, with_columns))?;
    Ok(text[1..].to_owned())
}

fn written(storage: &RenderedStorage<'_>) -> Answer<String> {
    serde_json::to_string(storage).map_err(|cause| {
        Error::internal("a storage descriptor can't be written")
            .source(cause)
            .into()
    })
}

impl Segment {
    fn checked(self) -> Answer<(u32, u32)> {
        if self.segment_number >= self.total_segments {
            return Err(Failure::invalid("SegmentNumber must be less than TotalSegments."));
        }
        Ok((self.segment_number, self.total_segments))
    }
}

impl Place {
    pub(super) fn table(&self, app: &App) -> Answer<TableRef> {
        check_catalog(app, self.catalog_id.as_deref())?;
        Ok(TableRef::new(&self.database_name, &self.table_name)?)
    }
}

impl From<Input> for PartitionInput {
    fn from(input: Input) -> Self {
        Self {
            values: input.values,
            storage: input.storage_descriptor.map(Into::into),
            parameters: input.parameters,
            other: input.kept,
        }
    }
}

/// The refusal of one partition in the words that clients compare.
pub(super) fn worded(error: Error) -> Failure {
    match error.kind {
        ErrorKind::AlreadyExists => Failure::new(Exception::AlreadyExists, "Partition already exists."),
        ErrorKind::NotFound => Failure::new(Exception::EntityNotFound, "Cannot find partition."),
        _ => error.into(),
    }
}

fn errors(done: impl Iterator<Item = (Vec<String>, Result<(), Error>)>, member: &str) -> Answer {
    let mut errors = Vec::new();
    for (values, outcome) in done {
        if let Err(error) = outcome {
            errors.push(json!({ member: values, "ErrorDetail": detail(worded(error))? }));
        }
    }
    Ok(json!({ "Errors": errors }))
}

fn rendered(app: &App, table: &TableRef, partition: &Partition) -> Value {
    let own = json!({
        "Values": partition.values(),
        "DatabaseName": table.database,
        "TableName": table.name,
        "CreationTime": seconds(partition.created_at),
        "StorageDescriptor": partition.storage().as_ref().map(|storage| json!(storage::rendered(storage, true))),
        "Parameters": partition.own.parameters,
        "CatalogId": app.config.catalog.account_id,
    });
    super::request::with_kept(own, &partition.own.other)
}
