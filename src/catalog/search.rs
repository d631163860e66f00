//! Finding tables by words, and by what is said of them.

use std::cmp::Ordering;

use crate::app::App;
use crate::catalog::tables;
use crate::error::{Error, Result};
use crate::model::name::TableRef;
use crate::model::page::{MAX_LIMIT, Page, PageRequest};
use crate::model::table::Table;
use crate::store;
use crate::store::search::{Wanted, words};

/// What is looked for.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Words, of which every one must be found; those in quotes in a row.
    pub text: String,
    /// What must hold besides.
    pub filters: Vec<Filter>,
    /// What the tables are sorted by; by database and name where nothing is said.
    pub sort: Vec<(Field, bool)>,
}

/// Something that must hold for a table.
#[derive(Clone, Debug)]
pub enum Filter {
    /// A field has this word among its own, or is this text.
    Is(Field, String),
    /// A time lies on this side of another, in seconds since 1970.
    Time(Field, TimeTest, f64),
}

/// How a time is compared.
#[derive(Clone, Copy, Debug)]
pub enum TimeTest {
    /// The same second.
    Equals,
    /// Later.
    Greater,
    /// Earlier.
    Less,
    /// Not earlier.
    GreaterOrEqual,
    /// Not later.
    LessOrEqual,
}

/// A part of a table that is filtered or sorted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// Its name.
    Name,
    /// The name of its database.
    Database,
    /// Its description.
    Description,
    /// Its owner.
    Owner,
    /// Its type.
    TableType,
    /// Where its data is.
    Location,
    /// When it was made.
    CreatedAt,
    /// When it last changed.
    UpdatedAt,
    /// One of its parameters; `classification` is one.
    Parameter(String),
}

/// Tables that a search finds. The page's key is opaque.
///
/// # Errors
/// Invalid for a page key that no search gave.
pub async fn tables(app: &App, search: &Search, page: &PageRequest) -> Result<Page<Table>> {
    let Some(wanted) = wanted(&search.text) else {
        // Text without a single word is in no table.
        return Ok(Page {
            items: Vec::new(),
            next: None,
        });
    };
    if search.sort.is_empty() {
        return in_order_of_names(app, &wanted, search, page).await;
    }
    let after: Option<Place> = match &page.after {
        None => None,
        Some(after) => Some(serde_json::from_str(after).map_err(|_| bad_key())?),
    };
    let mut rest = all_sorted(app, &wanted, search, after.as_ref()).await?;
    let more = rest.len() > page.limit as usize;
    rest.truncate(page.limit as usize);
    let last = rest.last().filter(|_| more).map(serde_json::to_string);
    let next = last
        .transpose()
        .map_err(|cause| Error::internal("a page key can't be written").source(cause))?;
    let mut items = Vec::new();
    for (_, database, name) in rest {
        match tables::get(app, &TableRef { database, name }).await {
            Ok(table) => items.push(table),
            // It went while we looked.
            Err(error) if error.kind == crate::error::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Page { items, next })
}

async fn in_order_of_names(
    app: &App,
    wanted: &[Wanted],
    search: &Search,
    page: &PageRequest,
) -> Result<Page<Table>> {
    let mut after = match &page.after {
        None => (String::new(), String::new()),
        Some(key) => {
            let (database, name) = key.split_once('\u{1}').ok_or_else(bad_key)?;
            (database.to_owned(), name.to_owned())
        }
    };
    let mut found = Vec::new();
    let mut tx = app.store.read().await?;
    loop {
        let tables = store::search::tables(&mut tx, wanted, &after, i64::from(MAX_LIMIT)).await?;
        let Some(last) = tables.last() else { break };
        after = (last.database.clone(), last.input.name.clone());
        let is_last = tables.len() < MAX_LIMIT as usize;
        found.extend(tables.into_iter().filter(|table| search.holds(table)));
        if is_last || found.len() > page.limit as usize {
            break;
        }
    }
    Ok(Page::of(found, page, |table: &Table| {
        format!("{}\u{1}{}", table.database, table.input.name)
    }))
}

/// Where a table stands among those that are found: what they are sorted by, its database, its name.
type Place = (Vec<String>, String, String);

/// The places of all tables that are found behind one: never the tables themselves, which may be many.
async fn all_sorted(
    app: &App,
    wanted: &[Wanted],
    search: &Search,
    behind: Option<&Place>,
) -> Result<Vec<Place>> {
    let mut after = (String::new(), String::new());
    let mut found = Vec::new();
    let mut tx = app.store.read().await?;
    loop {
        let tables = store::search::tables(&mut tx, wanted, &after, i64::from(MAX_LIMIT)).await?;
        let Some(last) = tables.last() else { break };
        after = (last.database.clone(), last.input.name.clone());
        for table in tables.iter().filter(|table| search.holds(table)) {
            let keys = search.sort.iter().map(|(field, _)| field.sort_key(table));
            let place = (keys.collect(), table.database.clone(), table.input.name.clone());
            if behind.is_none_or(|behind| search.order(&place, behind) == Ordering::Greater) {
                found.push(place);
            }
        }
    }
    found.sort_by(|a, b| search.order(a, b));
    Ok(found)
}

/// The words of a search; absent where the text has none at all, though it isn't blank.
fn wanted(text: &str) -> Option<Vec<Wanted>> {
    let mut wanted = Vec::new();
    for (index, part) in text.split('"').enumerate() {
        let words = words(part);
        // Every second part stood in quotes.
        if index % 2 == 1 {
            if !words.is_empty() {
                wanted.push(Wanted::Phrase(words));
            }
        } else {
            wanted.extend(words.into_iter().map(Wanted::Prefix));
        }
    }
    (!wanted.is_empty() || text.trim().is_empty()).then_some(wanted)
}

impl Search {
    fn order(&self, (a, a_database, a_name): &Place, (b, b_database, b_name): &Place) -> Ordering {
        let mut by_fields =
            a.iter().zip(b).zip(&self.sort).map(
                |((a, b), (_, descending))| {
                    if *descending { b.cmp(a) } else { a.cmp(b) }
                },
            );
        by_fields
            .find(|order| *order != Ordering::Equal)
            .unwrap_or_else(|| (a_database, a_name).cmp(&(b_database, b_name)))
    }

    fn holds(&self, table: &Table) -> bool {
        self.filters.iter().all(|filter| match filter {
            Filter::Is(field, wanted) => field.texts(table).iter().any(|text| is_word_of(wanted, text)),
            Filter::Time(field, test, wanted) => field.time(table).is_some_and(|time| match test {
                TimeTest::Equals => (time - wanted).abs() < 1.0,
                TimeTest::Greater => time > *wanted,
                TimeTest::Less => time < *wanted,
                TimeTest::GreaterOrEqual => time >= *wanted,
                TimeTest::LessOrEqual => time <= *wanted,
            }),
        })
    }
}

/// Whether `wanted` is the whole text, or some of its words in a row: `link` is one of `customer-link` and none of
/// `xxlinkyy` (Glue's rule).
fn is_word_of(wanted: &str, text: &str) -> bool {
    if wanted.eq_ignore_ascii_case(text) {
        return true;
    }
    let (wanted, text) = (words(wanted), words(text));
    !wanted.is_empty() && text.windows(wanted.len()).any(|some| some == wanted)
}

impl Field {
    fn texts<'a>(&self, table: &'a Table) -> Vec<&'a str> {
        let input = &table.input;
        let text = match self {
            Self::Name => Some(input.name.as_str()),
            Self::Database => Some(table.database.as_str()),
            Self::Description => input.description.as_deref(),
            Self::Owner => input.owner.as_deref(),
            Self::TableType => input.table_type.as_deref(),
            Self::Location => input.location(),
            Self::Parameter(name) => input.parameters.get(name).map(String::as_str),
            Self::CreatedAt | Self::UpdatedAt => None,
        };
        text.into_iter().collect()
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "microseconds since 1970 fit into 53 bits until the year 2255"
    )]
    fn time(&self, table: &Table) -> Option<f64> {
        let time = match self {
            Self::CreatedAt => table.created_at,
            Self::UpdatedAt => table.updated_at,
            _ => return None,
        };
        Some(time.timestamp_micros() as f64 / 1e6)
    }

    fn sort_key(&self, table: &Table) -> String {
        match self {
            Self::CreatedAt => format!("{:020}", table.created_at.timestamp_micros()),
            Self::UpdatedAt => format!("{:020}", table.updated_at.timestamp_micros()),
            _ => self
                .texts(table)
                .first()
                .map_or(String::new(), |text| text.to_lowercase()),
        }
    }
}

fn bad_key() -> Error {
    Error::invalid("the page key is not one that this search gave")
}

/// Databases, tables, jobs and crawlers that are found by `text`: kind, database, name. Tables by their words, the others by
/// a part of their name.
///
/// # Errors
/// Only the database's own.
pub async fn everything(app: &App, text: &str, limit: u32) -> Result<Vec<(String, Option<String>, String)>> {
    let mut tx = app.store.read().await?;
    let named = store::search::names(&mut tx, &text.to_lowercase(), i64::from(limit)).await?;
    drop(tx);
    let search = Search {
        text: text.to_owned(),
        ..Search::default()
    };
    let tables = tables(app, &search, &PageRequest::first(limit)).await?;
    let mut found: Vec<_> = named.into_iter().map(|(kind, name)| (kind, None, name)).collect();
    found.extend(
        tables
            .items
            .into_iter()
            .map(|table| ("table".to_owned(), Some(table.database), table.input.name)),
    );
    found.truncate(limit as usize);
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_words_are_a_phrase_and_others_prefixes() {
        assert_eq!(
            wanted("Trips \"New York\" 2022").unwrap(),
            [
                Wanted::Prefix("trips".into()),
                Wanted::Phrase(vec!["new".into(), "york".into()]),
                Wanted::Prefix("2022".into())
            ]
        );
        assert_eq!(wanted(" ").unwrap(), []);
        assert_eq!(wanted("?!"), None);
    }

    #[test]
    fn a_filter_takes_whole_words() {
        assert!(is_word_of("link", "customer-link") && is_word_of("link", "xx_link_yy"));
        assert!(!is_word_of("link", "xxlinkyy"));
        assert!(is_word_of("s3://a/", "S3://A/"));
    }
}
