//! Tables that others made: by the API, by an engine or as a job's output. Pure.
//!
//! A crawl adds to such a table the columns that the files have beyond it, where its readers find them there, and
//! partitions that are new. Whatever else is said of it stays its maker's.

use classifiers::{DataType, Format};

use super::together::{Kept, Merged, reads_by_position, serde_library};
use super::write::UPDATED_BY_CRAWLER;
use crate::catalog::formats;
use crate::crawl::shape::found::FoundTable;
use crate::model::data_files;
use crate::model::table::{Column, StorageDescriptor, TableInput, UPDATED_BY_JOB};

/// What SerDes read, by the ends of their names.
const FAMILIES: [(&str, Format); 8] = [
    ("LazySimpleSerDe", Format::Csv),
    ("OpenCSVSerde", Format::Csv),
    ("MultiDelimitSerDe", Format::Csv),
    ("JsonSerDe", Format::Json),
    ("ParquetHiveSerDe", Format::Parquet),
    ("OrcSerde", Format::Orc),
    ("AvroSerDe", Format::Avro),
    ("XmlSerDe", Format::Xml),
];

/// Why a column isn't added where a place is all that readers know of it.
const NOT_BEHIND: &str =
    "the table's columns are read by their places, and in the files it isn't behind them";

/// Whether others made a table: neither it nor what a crawl remembers of it (`base`) names a crawler that wrote it.
pub fn made(table: &TableInput, base: Option<&TableInput>) -> bool {
    let names_crawler = |table: &TableInput| table.parameters.contains_key(UPDATED_BY_CRAWLER);
    !names_crawler(table) && !base.is_some_and(names_crawler)
}

/// Why a crawl leaves a table of others as it is.
pub fn why_it_stays(table: &TableInput) -> String {
    let maker = match table.parameters.get(UPDATED_BY_JOB) {
        Some(job) => format!("the job {job} writes it"),
        None => "others made it".to_owned(),
    };
    format!(
        "{maker}, and no crawler: new columns and partitions are added, and nothing else of it is changed"
    )
}

/// The table of others with the columns that the files have beyond it.
pub fn with_new_columns(theirs: &TableInput, base: Option<&TableInput>, ours: &TableInput) -> Merged {
    let mut merged = Merged {
        input: theirs.clone(),
        is_others: true,
        ..Merged::default()
    };
    let mut storage = theirs.storage.clone().unwrap_or_default();
    let is_text = formats::knows_text_alone(&storage);
    let why_none = why_none(theirs, ours);
    let is_positional = why_none.is_none() && is_positional(theirs, ours);
    let is_aligned = is_aligned(theirs, ours);
    for (place, column) in ours.columns().iter().enumerate() {
        let columns = [theirs.columns(), theirs.partition_keys.as_slice()];
        // What stands in the place of one of the table's columns is that column, by whatever name.
        let stands_for_another = is_positional && is_aligned && place < theirs.columns().len();
        if stands_for_another || columns.iter().any(|columns| has(columns, &column.name)) {
            continue;
        }
        let mut keep = |detail: &str, reason: &str| {
            merged.kept.push(Kept {
                column: column.name.clone(),
                detail: detail.to_owned(),
                reason: reason.to_owned(),
            });
        };
        if base.is_some_and(|base| has(base.columns(), &column.name)) {
            keep("stays away", "somebody renamed or removed it");
        } else if let Some(why) = &why_none {
            keep("not added", why);
        } else if is_positional && !(is_aligned && place == storage.columns.len()) {
            keep("not added", NOT_BEHIND);
        } else {
            let mut column = formats::as_it_is(column);
            if is_text {
                formats::as_text(&mut column);
            }
            storage.columns.push(column);
        }
    }
    if why_none.is_none() {
        merged.kept.extend(too_narrow(theirs, ours));
    }
    // A column that was there once, and that its maker has removed since, is not added again.
    merged.described = TableInput {
        name: theirs.name.clone(),
        storage: Some(StorageDescriptor {
            columns: with_those_removed(&storage.columns, base),
            ..StorageDescriptor::default()
        }),
        ..TableInput::default()
    };
    if storage.columns != theirs.columns() {
        merged.input.storage = Some(storage);
    }
    merged
}

fn has(columns: &[Column], name: &str) -> bool {
    columns.iter().any(|column| column.name == name)
}

fn with_those_removed(columns: &[Column], base: Option<&TableInput>) -> Vec<Column> {
    let known = base.map(TableInput::columns).unwrap_or_default();
    let removed = known.iter().filter(|known| !has(columns, &known.name));
    columns.iter().chain(removed).cloned().collect()
}

/// Whether readers of a table know its columns by their places alone; where it names no reader, those of the files.
fn is_positional(theirs: &TableInput, ours: &TableInput) -> bool {
    let is_unread = serde_library(theirs).is_none();
    reads_by_position(if is_unread { ours } else { theirs })
}

/// Whether the columns that a table and the files both have stand at the same places.
fn is_aligned(theirs: &TableInput, ours: &TableInput) -> bool {
    let place = |name: &str| ours.columns().iter().position(|column| column.name == name);
    let mut columns = theirs.columns().iter().enumerate();
    columns.all(|(at, column)| place(&column.name).is_none_or(|place| place == at))
}

/// Why no column can be added to a table: its readers see none of those that the files seem to have.
fn why_none(theirs: &TableInput, ours: &TableInput) -> Option<String> {
    if let Some(format) = data_files::table_format(theirs).or_else(|| data_files::table_format(ours)) {
        return Some(format!(
            "it is a table of {format}, whose columns are in its own metadata"
        ));
    }
    if let (Some(reads), Some(are)) = (family(theirs), family(ours))
        && reads != are
    {
        let serde = serde_library(theirs).and_then(|library| library.rsplit('.').next());
        let by = serde.map_or(String::new(), |serde| format!(", by {serde}"));
        return Some(format!("the table reads {reads}{by}, and the files are {are}"));
    }
    let delimiter = |table: &TableInput| {
        let storage = table.storage.as_ref()?;
        formats::csv_dialect(&table.parameters, storage).map(|dialect| dialect.delimiter)
    };
    if let (Some(reads), Some(are)) = (delimiter(theirs), delimiter(ours))
        && reads != are
    {
        return Some(format!(
            "the table's delimiter is '{reads}', and the files' is '{are}'"
        ));
    }
    let serde = theirs
        .storage
        .as_ref()
        .and_then(|storage| storage.serde_info.as_ref());
    let settings = serde
        .map(|serde| &serde.parameters)
        .into_iter()
        .chain([&theirs.parameters]);
    if settings
        .flat_map(|settings| settings.keys())
        .any(|key| key.starts_with("avro.schema."))
    {
        return Some("the table's columns are those of the Avro schema that it names".to_owned());
    }
    // What Spark writes of a table that only it can read.
    let is_placeholder =
        |column: &Column| column.name == "col" && column.data_type.as_deref() == Some("array<string>");
    if let [only] = theirs.columns()
        && is_placeholder(only)
    {
        return Some("the table's columns are in Spark's own parameters".to_owned());
    }
    None
}

/// What a table's readers take its files for.
fn family(table: &TableInput) -> Option<&str> {
    let Some(library) = serde_library(table) else {
        return table.classification();
    };
    let known = FAMILIES.into_iter().find(|(serde, _)| library.ends_with(serde));
    Some(known.map_or(library, |(_, family)| family.as_str()))
}

/// Columns whose type in the files has values that the table's has not.
fn too_narrow(theirs: &TableInput, ours: &TableInput) -> Vec<Kept> {
    let read = |column: &Column| formats::real_type(column)?.parse::<DataType>().ok();
    let who = match ours.connection() {
        Some(_) => "the database has",
        None => "the files have",
    };
    let mut kept = Vec::new();
    for column in theirs.columns() {
        let found = ours.columns().iter().find(|found| found.name == column.name);
        let (Some(old), Some(new)) = (read(column), found.and_then(read)) else {
            continue;
        };
        if old.clone().merge(new.clone()) != old {
            kept.push(Kept {
                column: column.name.clone(),
                detail: format!("stays {old}"),
                reason: format!("its maker gave it this type; {who} {new}"),
            });
        }
    }
    kept
}

/// Why what was found can't be partitions of the table, where it can't: the folders have other keys. A key may have
/// another name, but not that of one at another place.
pub fn why_no_partitions(table: &TableInput, found: &FoundTable) -> Option<String> {
    let (theirs, ours) = (&table.partition_keys, &found.partition_keys);
    let place = |name: &str| ours.iter().position(|key| key == name);
    let mut keys = theirs.iter().enumerate();
    let is_aligned = keys.all(|(at, key)| place(&key.name).is_none_or(|place| place == at));
    let names = |names: &[&str]| match names {
        [] => "by nothing".to_owned(),
        names => format!("by {}", names.join(", ")),
    };
    (theirs.len() != ours.len() || !is_aligned).then(|| {
        let theirs: Vec<&str> = theirs.iter().map(|key| key.name.as_str()).collect();
        let ours: Vec<&str> = ours.iter().map(String::as_str).collect();
        format!(
            "the table is partitioned {}, and the folders {}",
            names(&theirs),
            names(&ours)
        )
    })
}
