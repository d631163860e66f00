//! Catalogued tables as a child reads them: what each is, and its files when they are asked for.

use std::collections::{BTreeMap, HashMap};

use classifiers::{Format, Layout};

use crate::app::App;
use crate::catalog::files::{Asked, Bound, FilesOfTable, Part, TablePages, check_readable};
use crate::catalog::formats::{self, Serde};
use crate::error::{Error, Result};
use crate::model::partition::expression::Expression;
use crate::model::partition::key::KeyType;
use crate::model::table::{Column, StorageDescriptor, Table};
use crate::store;
use crate::task::{
    FileOfTable, FilesPage, FilesToRead, KeyBound, KeyKind, KeyOperator, ObjectToRead, PartToRead,
    TableToRead,
};

/// A catalogued table that is read.
#[derive(Clone, Debug)]
pub(super) struct Readable {
    table: Table,
    /// Whether its files are read as the crawl saw them, each as what it is.
    is_crawled: bool,
}

impl Readable {
    /// # Errors
    /// Invalid, by name, where it can't be read.
    pub(super) async fn of(app: &App, table: Table) -> Result<Self> {
        check_readable(&table)?;
        let storage = table.input.storage.clone().unwrap_or_default();
        if let Serde::Other(what) = formats::serde_of(&table.input.parameters, &storage) {
            return Err(Error::invalid(format!(
                "table {} is made of {what}, which can't be read here yet",
                table.name()
            ))
            .hint("CSV, JSON and Parquet can be read"));
        }
        let mut tx = app.store.read().await?;
        let crawled = store::crawl_memory::table(&mut tx, &table.id).await?;
        let is_crawled =
            crawled.is_some_and(|crawled| !formats::reads_otherwise(&table.input, &crawled.described));
        Ok(Self { table, is_crawled })
    }

    /// The table without its files.
    pub(super) fn definition(&self, name: &str, files: FilesToRead) -> TableToRead {
        let input = &self.table.input;
        let storage = input.storage.clone().unwrap_or_default();
        let declared = |column: &Column| {
            let hive = formats::real_type(column).unwrap_or("string").to_owned();
            (column.name.clone(), hive)
        };
        let format = match formats::serde_of(&input.parameters, &storage) {
            Serde::Rows(layout) => Some(layout.format()),
            Serde::Other(_) | Serde::Unsaid => None,
        };
        TableToRead {
            name: name.to_owned(),
            columns: storage.columns.iter().map(declared).collect(),
            keys: input.partition_keys.iter().map(declared).collect(),
            as_declared: true,
            format,
            strict: false,
            // What the crawl counted, or reckoned.
            rows: input
                .parameters
                .get("recordCount")
                .and_then(|rows| rows.parse().ok()),
            files,
        }
    }

    /// The table's files, of the partitions within these bounds.
    ///
    /// # Errors
    /// Those of [`TablePages::of`].
    pub(super) fn pages(self, app: &App, bounds: &[KeyBound]) -> Result<Pages> {
        let asked = asked(&self.table, bounds);
        self.pages_of(app, asked)
    }

    /// The table's files, of the partitions that an expression holds for, as Glue's GetPartitions is asked; all for a blank one.
    ///
    /// # Errors
    /// Those of [`TablePages::of`]; Invalid where it is no expression about the table's keys.
    pub(super) fn pages_where(self, app: &App, expression: &str) -> Result<Pages> {
        let asked = Asked {
            expression: Expression::parse(expression, &self.table.input.partition_keys)?,
            bounds: Vec::new(),
        };
        self.pages_of(app, asked)
    }

    fn pages_of(self, app: &App, asked: Asked) -> Result<Pages> {
        Ok(Pages {
            app: app.clone(),
            pages: TablePages::of(app, &self.table, asked)?,
            readable: self,
        })
    }

    fn part(&self, part: &Part) -> PartToRead {
        let parameters = &self.table.input.parameters;
        let layout = match formats::serde_of(parameters, &part.storage) {
            Serde::Rows(layout) => Some(layout),
            Serde::Other(_) | Serde::Unsaid => None,
        };
        let as_declared = match &layout {
            Some(Layout::Csv(_) | Layout::Parquet) => !self.is_crawled,
            // What stands in a JSON file only the file says, and that lines match a pattern only the definition.
            Some(layout) => layout.format() == Format::Regex,
            None => false,
        };
        let names = |storage: &StorageDescriptor| -> Vec<String> {
            storage.columns.iter().map(|column| column.name.clone()).collect()
        };
        let own = names(&part.storage);
        let of_table = self.table.input.storage.as_ref().map(names);
        PartToRead {
            values: part.values.clone(),
            encoding: formats::encoding_of(&part.storage),
            names: (as_declared && !own.is_empty() && Some(&own) != of_table.as_ref()).then_some(own),
            layout,
            as_declared,
        }
    }
}

/// A table's files on their way.
pub(super) struct Pages {
    app: App,
    readable: Readable,
    pages: TablePages,
}

impl Pages {
    /// The next of them.
    ///
    /// # Errors
    /// Those of [`TablePages::next`].
    pub(super) async fn next(&mut self) -> Result<FilesPage> {
        let found = self.pages.next().await?;
        let (looks, look_of) = self.looks(&found).await?;
        let parts = found.parts.iter().map(|part| self.readable.part(part)).collect();
        let files = found.files.into_iter().map(|file| FileOfTable {
            look: look_of
                .get(&(file.bucket.clone(), file.object.key.clone()))
                .copied(),
            part: file.part,
            object: ObjectToRead::of(&file.bucket, file.object),
        });
        Ok(FilesPage {
            parts,
            looks,
            files: files.collect(),
            left_out: found.left_out,
            is_last: self.pages.is_done(),
        })
    }

    /// What crawls saw of files that haven't changed since. Without the reasons, which nobody reads there.
    async fn looks(&self, found: &FilesOfTable) -> Result<(Vec<Look>, HashMap<(String, String), usize>)> {
        let mut by_bucket: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for file in &found.files {
            by_bucket
                .entry(&file.bucket)
                .or_default()
                .push(file.object.key.clone());
        }
        let now: HashMap<(&str, &str), (&str, u64)> = found
            .files
            .iter()
            .map(|file| {
                let object = &file.object;
                (
                    (file.bucket.as_str(), object.key.as_str()),
                    (object.etag.as_str(), object.size),
                )
            })
            .collect();
        let (mut looks, mut places, mut look_of) = (Vec::new(), HashMap::new(), HashMap::new());
        let mut tx = self.app.store.read().await?;
        for (bucket, keys) in by_bucket {
            for known in store::crawl_memory::known_files(&mut tx, bucket, &keys).await? {
                let is_same = now
                    .get(&(bucket, known.key.as_str()))
                    .is_some_and(|(etag, size)| {
                        *etag == known.etag && i64::try_from(*size) == Ok(known.size)
                    });
                if !is_same {
                    continue;
                }
                let place = match places.get(&known.verdict) {
                    Some(place) => *place,
                    None => {
                        // What another version wrote, and can't be understood, is looked at anew.
                        let Ok(look) = serde_json::from_str::<Look>(&known.verdict) else {
                            continue;
                        };
                        looks.push(look.map(without_reasons));
                        places.insert(known.verdict, looks.len() - 1);
                        looks.len() - 1
                    }
                };
                look_of.insert((bucket.to_owned(), known.key), place);
            }
        }
        Ok((looks, look_of))
    }
}

/// What a file is, or why that can't be said.
type Look = Result<classifiers::Verdict, String>;

fn without_reasons(mut verdict: classifiers::Verdict) -> classifiers::Verdict {
    verdict.reasons.clear();
    for column in &mut verdict.columns {
        column.reason.clear();
    }
    verdict
}

/// What of a query's bounds the catalog can be asked: by its order where keys are compared as what they are, and value by
/// value elsewhere.
fn asked(table: &Table, bounds: &[KeyBound]) -> Asked {
    let keys = &table.input.partition_keys;
    let (mut conditions, mut others) = (Vec::new(), Vec::new());
    for bound in bounds {
        let place = keys
            .iter()
            .position(|key| key.name.eq_ignore_ascii_case(&bound.key));
        let Some(place) = place else { continue };
        let is_own = match (
            KeyType::of(keys[place].data_type.as_deref().unwrap_or("string")),
            bound.kind,
        ) {
            (KeyType::Text, KeyKind::Text) | (KeyType::Date, KeyKind::Date) => true,
            (KeyType::Integer | KeyType::Decimal, KeyKind::Number) => true,
            (KeyType::Text, _) => false,
            // What the key's type makes of such a value the engine knows better.
            _ => continue,
        };
        match is_own {
            true => conditions.push(condition(&keys[place].name, bound)),
            false => others.extend(within(place, bound)),
        }
    }
    let text = conditions.join(" AND ");
    Asked {
        // One that is too long for an expression tells nothing: all partitions are asked for, and tested one by one.
        expression: Expression::parse(&text, keys).ok().flatten(),
        bounds: others,
    }
}

fn condition(key: &str, bound: &KeyBound) -> String {
    let literal = |value: &String| match bound.kind {
        KeyKind::Number => value.clone(),
        KeyKind::Text | KeyKind::Date => format!("'{}'", value.replace('\'', "''")),
    };
    let values: Vec<String> = bound.values.iter().map(literal).collect();
    let values = values.join(", ");
    let key = format!("\"{key}\"");
    match bound.operator {
        KeyOperator::In => format!("{key} IN ({values})"),
        KeyOperator::Less => format!("{key} < {values}"),
        KeyOperator::LessOrEqual => format!("{key} <= {values}"),
        KeyOperator::Greater => format!("{key} > {values}"),
        KeyOperator::GreaterOrEqual => format!("{key} >= {values}"),
    }
}

/// The least and the greatest value that a bound allows, themselves included.
fn within(place: usize, bound: &KeyBound) -> Option<Bound> {
    let key_type = match bound.kind {
        KeyKind::Number => KeyType::Decimal,
        KeyKind::Date => KeyType::Date,
        KeyKind::Text => return None,
    };
    let values: Option<Vec<String>> = bound
        .values
        .iter()
        .map(|value| key_type.sortable(value))
        .collect();
    let values = values?;
    let (least, greatest) = (values.iter().min().cloned(), values.iter().max().cloned());
    let (from, to) = match bound.operator {
        KeyOperator::In => (least, greatest),
        KeyOperator::Less | KeyOperator::LessOrEqual => (None, greatest),
        KeyOperator::Greater | KeyOperator::GreaterOrEqual => (least, None),
    };
    Some(Bound {
        place,
        key_type,
        from,
        to,
    })
}
