//! How what a crawl writes goes together with what others wrote. Pure.
//!
//! A crawler changes only what it wrote itself: its own last description of the table is kept, and whatever differs from
//! that in the catalog is somebody else's. Their comments, descriptions, parameters, types and names stay.

use classifiers::{DataType, Field};

use super::write::{CRAWL_RUN_ID, DEPRECATED_BY_CRAWLER, set_run};
use crate::catalog::formats;
use crate::model::crawl_options::{Compatibility, Writing};
use crate::model::location::Location;
use crate::model::table::{Column, Parameters, SerdeInfo, StorageDescriptor, TableInput};

/// Parameters that only count: the crawler's in any case.
const COUNTS: [&str; 4] = ["objectCount", "sizeKey", "recordCount", "averageRecordSize"];

/// The part of a count, one in so many, by which a database's guess may move without being written.
const SETTLED: i64 = 10;

/// SerDes that know columns by their places.
const POSITIONAL: [&str; 4] = [
    "LazySimpleSerDe",
    "OpenCSVSerde",
    "MultiDelimitSerDe",
    "GrokSerDe",
];

/// Something that the crawl would write otherwise, and leaves because somebody else wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The column.
    pub column: String,
    /// What it stays, in a few words.
    pub detail: String,
    /// Why.
    pub reason: String,
}

/// A table's next state.
#[derive(Clone, Debug, Default)]
pub struct Merged {
    /// The state.
    pub input: TableInput,
    /// What the crawl itself says of it, to be remembered.
    pub described: TableInput,
    /// What stays, though the files say otherwise.
    pub kept: Vec<Kept>,
    /// Why the table can't be brought up to date at all, where it can't.
    pub broken: Option<String>,
    /// Whether others made it, so that a crawl only adds to it.
    pub is_others: bool,
}

/// Puts what was found (`ours`) together with what is in the catalog (`theirs`), given what the crawler itself wrote there
/// last (`base`); a crawler's table without such a record counts as wholly its own. For tables of crawlers:
/// [`others`](super::others) has what becomes of those that others made.
pub fn merged(
    writing: &Writing,
    theirs: &TableInput,
    base: Option<&TableInput>,
    ours: &TableInput,
) -> Merged {
    let mut ours = ours.clone();
    if let Some(run) = theirs.parameters.get(CRAWL_RUN_ID) {
        set_run(&mut ours, run);
    }
    let assumed = base.is_none().then(|| assumed_base(theirs, &ours));
    let base = base.or(assumed.as_ref()).unwrap_or(theirs);
    let mut merged = Merged::default();
    let storages = (base.storage.as_ref(), theirs.storage.as_ref());
    let ours_storage = ours.storage.clone().unwrap_or_default();
    let empty = StorageDescriptor::default();
    let (base_storage, their_storage) = (storages.0.unwrap_or(&empty), storages.1.unwrap_or(&empty));
    if writing.configuration.merge_new_columns {
        merged.broken = fundamental_change(&theirs.parameters, &ours.parameters);
    }
    let only_columns = writing.configuration.merge_new_columns;
    ours.parameters = with_settled_count(theirs, ours.parameters);
    // Columns are compared by what their values are; whether the SerDe has a word for that comes after.
    let [real_base, real_theirs, real_ours] = [base, theirs, &ours].map(with_real_types);
    let mut described = real_ours.clone();
    let columns = merged_columns(
        writing,
        &real_base,
        &real_theirs,
        &real_ours,
        &mut described,
        &mut merged.kept,
    );
    merged.described = described;
    let mut storage = StorageDescriptor {
        columns,
        location: merged_location(base_storage, their_storage, &ours_storage),
        serde_info: merged_serde(base_storage, their_storage, &ours_storage),
        parameters: Some(merged_parameters(
            &base_storage.parameters.clone().unwrap_or_default(),
            &their_storage.parameters.clone().unwrap_or_default(),
            &ours.parameters,
        )),
        ..if only_columns {
            their_storage.clone()
        } else {
            StorageDescriptor {
                input_format: pick(
                    &base_storage.input_format,
                    &their_storage.input_format,
                    &ours_storage.input_format,
                ),
                output_format: pick(
                    &base_storage.output_format,
                    &their_storage.output_format,
                    &ours_storage.output_format,
                ),
                ..their_storage.clone()
            }
        }
    };
    if formats::knows_text_alone(&storage) {
        let is_somebodys = |column: &Column| {
            let known = their_storage
                .columns
                .iter()
                .find(|known| known.name == column.name);
            let has_type = known.is_some_and(|known| known.data_type.as_deref() != Some("string"));
            has_type && formats::knows_text_alone(their_storage)
        };
        let columns = storage.columns.iter_mut();
        columns
            .filter(|column| !is_somebodys(column))
            .for_each(formats::as_text);
    }
    let keys_fit = theirs.partition_keys.len() == ours.partition_keys.len();
    merged.input = TableInput {
        description: pick(&base.description, &theirs.description, &ours.description),
        storage: Some(storage),
        partition_keys: if keys_fit {
            theirs.partition_keys.clone()
        } else {
            ours.partition_keys.clone()
        },
        parameters: merged_parameters(&base.parameters, &theirs.parameters, &ours.parameters),
        table_type: theirs.table_type.clone().or(ours.table_type.clone()),
        ..theirs.clone()
    };
    merged.input.parameters.remove(DEPRECATED_BY_CRAWLER);
    merged
}

/// The parameters of a database's table without a change of its count that says nothing: a database only guesses how many
/// rows a table has, and a new version of the table for each guess would hide those that matter.
fn with_settled_count(theirs: &TableInput, mut ours: Parameters) -> Parameters {
    const COUNT: &str = "recordCount";
    let known = theirs.parameters.get(COUNT);
    let number = |count: Option<&String>| count?.parse::<i64>().ok();
    if theirs.connection().is_some()
        && let (Some(old), Some(new)) = (number(known), number(ours.get(COUNT)))
        && (new - old).abs() <= old / SETTLED
    {
        ours.extend(known.map(|known| (COUNT.to_owned(), known.clone())));
    }
    ours
}

/// A table whose columns have the types that their values are of.
fn with_real_types(input: &TableInput) -> TableInput {
    let mut input = input.clone();
    if let Some(storage) = &mut input.storage {
        storage.columns = storage.columns.iter().map(formats::as_it_is).collect();
    }
    input
}

/// What a crawler of an earlier version wrote: all that is there of what it writes.
fn assumed_base(theirs: &TableInput, ours: &TableInput) -> TableInput {
    let mut base = theirs.clone();
    // Whoever wrote a description or a comment, it was no crawler.
    base.description = None;
    base.parameters.retain(|key, _| ours.parameters.contains_key(key));
    if let Some(storage) = &mut base.storage {
        storage
            .columns
            .retain(|column| ours.columns().iter().any(|ours| ours.name == column.name));
        for column in &mut storage.columns {
            column.comment = None;
        }
        if let Some(parameters) = &mut storage.parameters {
            parameters.retain(|key, _| ours.parameters.contains_key(key));
        }
    }
    base
}

/// Ours, unless somebody else changed it since we wrote it.
fn pick<T: PartialEq + Clone>(base: &T, theirs: &T, ours: &T) -> T {
    if theirs == base {
        ours.clone()
    } else {
        theirs.clone()
    }
}

/// Ours, unless somebody else changed it, or it says the same in another spelling.
fn merged_location(
    base: &StorageDescriptor,
    theirs: &StorageDescriptor,
    ours: &StorageDescriptor,
) -> Option<String> {
    let is_same = theirs.location.as_deref().zip(ours.location.as_deref());
    if is_same.is_some_and(|(theirs, ours)| Location::is_same_folder(theirs, ours)) {
        return theirs.location.clone();
    }
    pick(&base.location, &theirs.location, &ours.location)
}

fn merged_serde(
    base: &StorageDescriptor,
    theirs: &StorageDescriptor,
    ours: &StorageDescriptor,
) -> Option<SerdeInfo> {
    let (base, ours) = (base.serde_info.as_ref(), ours.serde_info.as_ref());
    let (Some(theirs), Some(ours)) = (theirs.serde_info.as_ref(), ours) else {
        return theirs.serde_info.clone().or(ours.cloned());
    };
    let base = base.cloned().unwrap_or_default();
    let library = pick(
        &base.serialization_library,
        &theirs.serialization_library,
        &ours.serialization_library,
    );
    // The settings of another class are not for this one.
    let is_ours = library == ours.serialization_library;
    Some(SerdeInfo {
        name: theirs.name.clone(),
        parameters: if is_ours {
            merged_parameters(&base.parameters, &theirs.parameters, &ours.parameters)
        } else {
            theirs.parameters.clone()
        },
        serialization_library: library,
    })
}

fn merged_parameters(base: &Parameters, theirs: &Parameters, ours: &Parameters) -> Parameters {
    let mut merged = theirs.clone();
    for (key, value) in ours {
        let is_count = COUNTS.contains(&key.as_str());
        let is_untouched = theirs.get(key) == base.get(key);
        if is_count || is_untouched {
            merged.insert(key.clone(), value.clone());
        }
    }
    for (key, value) in base {
        if !ours.contains_key(key) && theirs.get(key) == Some(value) {
            merged.remove(key);
        }
    }
    merged
}

fn merged_columns(
    writing: &Writing,
    base: &TableInput,
    theirs: &TableInput,
    ours: &TableInput,
    described: &mut TableInput,
    kept: &mut Vec<Kept>,
) -> Vec<Column> {
    let find =
        |input: &TableInput, name: &str| input.columns().iter().find(|column| column.name == name).cloned();
    // A database's table is as the database says; files of a former form may still be there.
    let is_of_database = ours.connection().is_some();
    let mut columns = Vec::new();
    let is_positional = reads_by_position(ours);
    for (place, column) in theirs.columns().iter().enumerate() {
        let written = find(base, &column.name);
        let is_ours = written
            .as_ref()
            .is_some_and(|written| written.data_type == column.data_type);
        let mut column = column.clone();
        match find(ours, &column.name) {
            Some(found) if is_ours && is_of_database && !writing.configuration.merge_new_columns => {
                column.data_type.clone_from(&found.data_type);
            }
            Some(found) if is_ours => column.data_type = next_type(writing, &column, &found),
            Some(found) if found.data_type != column.data_type => {
                kept.push(Kept {
                    column: column.name.clone(),
                    detail: format!("stays {}", column.data_type.clone().unwrap_or_default()),
                    reason: format!(
                        "somebody gave it this type; the {} {}",
                        if is_of_database {
                            "database has"
                        } else {
                            "files have"
                        },
                        found.data_type.unwrap_or_default()
                    ),
                });
            }
            Some(_) => {}
            None if written.as_ref() == Some(&column)
                && (writing.compatibility == Compatibility::Glue || is_of_database)
                && !writing.configuration.merge_new_columns =>
            {
                continue;
            }
            // The files call what stands there otherwise now.
            None if written.as_ref() == Some(&column)
                && is_positional
                && ours
                    .columns()
                    .get(place)
                    .is_some_and(|new| find(theirs, &new.name).is_none()) =>
            {
                continue;
            }
            None => {
                let reason = match (&written, is_of_database) {
                    (None, _) => "somebody added it",
                    (Some(_), true) => {
                        "the database has it no more; it is kept for what somebody wrote of it"
                    }
                    (Some(_), false) => "no file has it now; it is kept for those who query it",
                };
                kept.push(Kept {
                    column: column.name.clone(),
                    detail: "stays".to_owned(),
                    reason: reason.to_owned(),
                });
            }
        }
        if let Some(found) = find(ours, &column.name) {
            let base = written.clone().unwrap_or_default();
            column.comment = pick(&base.comment, &column.comment, &found.comment);
            column.parameters = merged_parameters(&base.parameters, &column.parameters, &found.parameters);
        }
        describe(described, &column, written, is_ours);
        columns.push(column);
    }
    let keys: Vec<&str> = theirs
        .partition_keys
        .iter()
        .map(|key| key.name.as_str())
        .collect();
    for found in ours.columns() {
        if find(theirs, &found.name).is_some() || keys.contains(&found.name.as_str()) {
            continue;
        }
        if find(base, &found.name).is_some() {
            kept.push(Kept {
                column: found.name.clone(),
                detail: "stays away".to_owned(),
                reason: "somebody renamed or removed it".to_owned(),
            });
        } else {
            columns.push(found.clone());
        }
    }
    if is_of_database {
        // In the database's order; what somebody added comes last.
        let place = |name: &str| ours.columns().iter().position(|column| column.name == name);
        columns.sort_by_cached_key(|column| place(&column.name).unwrap_or(usize::MAX));
    }
    if is_positional && !writing.configuration.merge_new_columns {
        in_the_files_order(&mut columns, base, theirs, ours);
    }
    columns
}

/// The class that reads a table's rows.
pub(super) fn serde_library(table: &TableInput) -> Option<&str> {
    let serde = table.storage.as_ref()?.serde_info.as_ref()?;
    serde.serialization_library.as_deref()
}

/// Whether readers know a table's columns by their places alone.
pub(super) fn reads_by_position(table: &TableInput) -> bool {
    serde_library(table).is_some_and(|library| POSITIONAL.iter().any(|name| library.ends_with(name)))
}

/// Puts columns in the order of the files; one that somebody renamed stands for what it was, and those that no file has
/// come last.
fn in_the_files_order(columns: &mut [Column], base: &TableInput, theirs: &TableInput, ours: &TableInput) {
    let place_of =
        |input: &TableInput, name: &str| input.columns().iter().position(|column| column.name == name);
    columns.sort_by_key(|column| {
        let renamed = || {
            let place = place_of(theirs, &column.name)?;
            let was = base.columns().get(place)?;
            let is_gone = place_of(theirs, &was.name).is_none();
            is_gone.then(|| place_of(ours, &was.name)).flatten()
        };
        place_of(ours, &column.name)
            .or_else(renamed)
            .unwrap_or(usize::MAX)
    });
}

/// Keeps apart, for the next crawl, what of a column is the crawl's own: its type, however wide that became.
fn describe(described: &mut TableInput, column: &Column, written: Option<Column>, is_ours: bool) {
    let Some(storage) = &mut described.storage else {
        return;
    };
    let place = storage
        .columns
        .iter()
        .position(|described| described.name == column.name);
    let own = if is_ours { Some(column) } else { written.as_ref() };
    match (own, place) {
        (Some(own), Some(place)) => storage.columns[place].data_type.clone_from(&own.data_type),
        (Some(own), None) => storage.columns.extend(
            own.data_type
                .clone()
                .map(|data_type| Column::new(&own.name, data_type)),
        ),
        (None, Some(place)) => {
            storage.columns.remove(place);
        }
        (None, None) => {}
    }
}

fn next_type(writing: &Writing, known: &Column, found: &Column) -> Option<String> {
    let read = |column: &Column| column.data_type.as_deref()?.parse::<DataType>().ok();
    let (Some(old), Some(new)) = (read(known), read(found)) else {
        return found.data_type.clone();
    };
    let next = if writing.configuration.merge_new_columns {
        with_new_fields(old, new)
    } else if writing.compatibility == Compatibility::Glue {
        new
    } else {
        old.merge(new)
    };
    Some(next.to_string())
}

/// The old type with the struct fields that only the new one has.
fn with_new_fields(old: DataType, new: DataType) -> DataType {
    match (old, new) {
        (DataType::Struct(mut fields), DataType::Struct(found)) => {
            for field in found {
                match fields
                    .iter_mut()
                    .find(|known| known.name.eq_ignore_ascii_case(&field.name))
                {
                    Some(known) => {
                        let old = std::mem::replace(&mut known.data_type, DataType::Null);
                        known.data_type = with_new_fields(old, field.data_type);
                    }
                    None => fields.push(Field { ..field }),
                }
            }
            DataType::Struct(fields)
        }
        (DataType::Array(old), DataType::Array(new)) => {
            DataType::Array(Box::new(with_new_fields(*old, *new)))
        }
        (DataType::Map(key, old), DataType::Map(_, new)) => {
            DataType::Map(key, Box::new(with_new_fields(*old, *new)))
        }
        (old, _) => old,
    }
}

/// What of a table's files changed that `MergeNewColumns` can't bridge, in Glue's words (as quoted in
/// awslabs/cloud-intelligence-dashboards-data-collection, issue 463). No compression named is none.
fn fundamental_change(theirs: &Parameters, ours: &Parameters) -> Option<String> {
    ["classification", "compressionType", "delimiter"]
        .into_iter()
        .find_map(|key| {
            let value = |parameters: &Parameters| {
                let value = parameters.get(key).cloned();
                value.filter(|value| !(key == "compressionType" && value == "none"))
            };
            let (old, new) = (value(theirs), value(ours));
            let shown = |value: Option<String>| value.unwrap_or_else(|| "null".to_owned());
            (old != new).then(|| {
                format!(
                    "new columns can't be merged into it, because the parameter '{key}' has changed: the existing \
                     value is '{}', and the crawled value is '{}'",
                    shown(old),
                    shown(new)
                )
            })
        })
}
