//! Partitions.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::app::App;
use crate::aws::{
    Answer, Body, Failure, Members, check_catalog, nothing, page, seconds, token, with_kept, wrong_token,
};
use crate::catalog::partitions;
use crate::error::{Error, ErrorKind, Subject};
use crate::model::name::TableRef;
use crate::model::partition::{Partition, PartitionInput};
use crate::model::table::Parameters;

use super::error::{ALREADY_EXISTS, ENTITY_NOT_FOUND, detail, invalid};
use super::storage::{self, StorageDescriptorInput};
use super::wording::in_glues_words;

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
        None => Err(Failure::new(ENTITY_NOT_FOUND, "Cannot find partition.")),
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
            _ if error.subject == Some(Subject::PageKey) => wrong_token(),
            // An expression is refused in AWS's words, to the letter.
            ErrorKind::Invalid => invalid(error.message),
            _ => in_glues_words(error, &name),
        })?;
    let mut page = Page::new(app, &name, !request.exclude_column_schema)?;
    for partition in &found.items {
        page.push(partition)?;
    }
    page.end(token(found.next).as_deref())
}

/// A page of partitions as it is written. Pages are long and asked for often, so they are written piece by piece, and what
/// partitions share is made once: the place that they are all in, and everything of a storage descriptor but location and
/// parameters.
struct Page {
    with_columns: bool,
    /// `,"DatabaseName":…,"TableName":…,"CatalogId":…`
    place: Vec<u8>,
    /// By the address of the shape: `"Columns":[…]…}`.
    shapes: HashMap<usize, Vec<u8>>,
    text: Vec<u8>,
}

impl Page {
    fn new(app: &App, table: &TableRef, with_columns: bool) -> Answer<Self> {
        let mut place = Vec::new();
        put(&mut place, ",\"DatabaseName\":", &table.database)?;
        put(&mut place, ",\"TableName\":", &table.name)?;
        put(&mut place, ",\"CatalogId\":", &app.config.catalog.account_id)?;
        Ok(Self {
            with_columns,
            place,
            shapes: HashMap::new(),
            text: b"{\"Partitions\":[".to_vec(),
        })
    }

    fn push(&mut self, partition: &Partition) -> Answer<()> {
        if self.text.last() != Some(&b'[') {
            self.text.push(b',');
        }
        put(&mut self.text, "{\"Values\":", partition.values())?;
        self.text.extend_from_slice(&self.place);
        put(
            &mut self.text,
            ",\"CreationTime\":",
            &seconds(partition.created_at),
        )?;
        self.push_storage(partition)?;
        put(&mut self.text, ",\"Parameters\":", &partition.own.parameters)?;
        for (name, value) in &partition.own.other {
            put(&mut self.text, ",", name)?;
            put(&mut self.text, ":", value)?;
        }
        self.text.push(b'}');
        Ok(())
    }

    fn push_storage(&mut self, partition: &Partition) -> Answer<()> {
        let Some(own) = &partition.own.storage else {
            return Ok(());
        };
        let Some(shape) = &partition.shape else {
            let storage = storage::rendered(own, self.with_columns);
            return put(&mut self.text, ",\"StorageDescriptor\":", &storage);
        };
        let rest = match self.shapes.entry(Arc::as_ptr(shape) as usize) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let mut text = Vec::new();
                put(&mut text, "", &storage::rendered(shape, self.with_columns))?;
                // Its opening brace goes before what is the partition's own.
                new.insert(text.split_off(1))
            }
        };
        self.text.extend_from_slice(b",\"StorageDescriptor\":{");
        if let Some(location) = &own.location {
            put(&mut self.text, "\"Location\":", location)?;
            self.text.push(b',');
        }
        if let Some(parameters) = &own.parameters {
            put(&mut self.text, "\"Parameters\":", parameters)?;
            self.text.push(b',');
        }
        self.text.extend_from_slice(rest);
        Ok(())
    }

    fn end(mut self, next_token: Option<&str>) -> Answer<Body> {
        self.text.push(b']');
        if let Some(token) = next_token {
            put(&mut self.text, ",\"NextToken\":", token)?;
        }
        self.text.push(b'}');
        Body::written(self.text)
    }
}

/// Adds `before` and a value as JSON.
fn put(text: &mut Vec<u8>, before: &str, value: &(impl Serialize + ?Sized)) -> Answer<()> {
    text.extend_from_slice(before.as_bytes());
    serde_json::to_writer(text, value)
        .map_err(|cause| Error::internal("an answer can't be written").source(cause).into())
}

impl Segment {
    fn checked(self) -> Answer<(u32, u32)> {
        if self.segment_number >= self.total_segments {
            return Err(invalid("SegmentNumber must be less than TotalSegments."));
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
        ErrorKind::AlreadyExists => Failure::new(ALREADY_EXISTS, "Partition already exists."),
        ErrorKind::NotFound => Failure::new(ENTITY_NOT_FOUND, "Cannot find partition."),
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
    with_kept(own, &partition.own.other)
}
