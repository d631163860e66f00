//! What can be done with partitions.

use std::collections::{HashMap, HashSet};

use crate::app::App;
use crate::catalog::{partition_indexes, tables};
use crate::error::{Error, Result, Subject};
use crate::model::name::TableRef;
use crate::model::page::{MAX_LIMIT, Page, PageRequest};
use crate::model::partition::expression::Expression;
use crate::model::partition::key::{KeyOrder, KeyRange, PLACES, spread};
use crate::model::partition::{Partition, PartitionInput};
use crate::model::table::Table;
use crate::store::partitions::{Adding, behind};
use crate::store::{self, Read, Write};

/// How many partitions one request looks at to find those that are asked for. It answers with what it found by then, and
/// with where it stopped.
const MAX_LOOKED_AT: usize = 50_000;

/// Some of a table's partitions.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// What must hold for their values ([`Expression`]); blank for all.
    pub expression: String,
    /// Which of how many parts of the table: number and total.
    pub segment: Option<(u32, u32)>,
}

/// The partitions of a table in the order of their values.
///
/// # Errors
/// NotFound where the table isn't there.
pub async fn list(app: &App, table: &TableRef, page: &PageRequest) -> Result<Page<Partition>> {
    let mut tx = app.store.read().await?;
    let table = tables::require(&mut tx, table).await?;
    store::partitions::list(&mut tx, &table, page).await
}

/// A page of the partitions that a query asks for. It may hold fewer than were asked for, or none, though more follow: only
/// an absent key ends the list.
///
/// # Errors
/// NotFound where the table isn't there; Invalid for an expression that can't be read, in AWS's words, and for a page key
/// that no list gave; Unfit where a value is kept that its key's type can't have, and the expression asks for that key.
pub async fn query(
    app: &App,
    name: &TableRef,
    query: &Query,
    page: &PageRequest,
) -> Result<(Table, Page<Partition>)> {
    let mut tx = app.store.read().await?;
    let table = tables::require(&mut tx, name).await?;
    let expression = Expression::parse(&query.expression, &table.input.partition_keys)?;
    if let Some(expression) = &expression {
        for values in store::partitions::misfits(&mut tx, &table.id, i64::from(MAX_LIMIT)).await? {
            expression.check_stored(&values)?;
        }
    }
    let mut looking = Looking {
        limit: page.limit as usize,
        expression,
        segment: query.segment,
        found: Vec::new(),
        looked_at: 0,
    };
    let next = match (query.segment, &looking.expression) {
        // A whole segment is read by place; what an expression leaves of it, by the expression's ranges.
        (Some(segment), None) => {
            looking
                .by_place(&mut tx, &table, segment, page.after.as_deref())
                .await?
        }
        _ => looking.by_key(&mut tx, &table, page.after.as_deref()).await?,
    };
    let page = Page {
        items: looking.found,
        next,
    };
    Ok((table, page))
}

struct Looking {
    limit: usize,
    expression: Option<Expression>,
    segment: Option<(u32, u32)>,
    found: Vec<Partition>,
    looked_at: usize,
}

impl Looking {
    async fn by_key(&mut self, tx: &mut Read, table: &Table, after: Option<&str>) -> Result<Option<String>> {
        let start = match after {
            Some(after) => behind(after.strip_prefix("k").ok_or_else(bad_page_key)?),
            None => String::new(),
        };
        let ranges = match &self.expression {
            Some(expression) => expression.ranges(),
            None => vec![KeyRange::all()],
        };
        for range in ranges {
            if range.to.as_ref().is_some_and(|to| *to <= start) {
                continue;
            }
            let mut range = KeyRange {
                from: range.from.max(start.clone()),
                ..range
            };
            loop {
                let wanted = self.batch();
                let some = store::partitions::list_range(tx, &table.id, &range, wanted).await?;
                let is_last = some.len() < usize::try_from(wanted).unwrap_or(usize::MAX);
                for (key, partition) in some {
                    range.from = behind(&key);
                    if self.take(&key, partition) {
                        return Ok(Some(format!("k{key}")));
                    }
                }
                if is_last {
                    break;
                }
            }
        }
        Ok(None)
    }

    async fn by_place(
        &mut self,
        tx: &mut Read,
        table: &Table,
        segment: (u32, u32),
        after: Option<&str>,
    ) -> Result<Option<String>> {
        let (begin, end) = places(segment);
        let position = match after {
            None => (begin, String::new()),
            Some(after) => {
                let key = after.strip_prefix("p").ok_or_else(bad_page_key)?;
                (spread(key), key.to_owned())
            }
        };
        let wanted = i64::try_from(self.limit).unwrap_or(i64::MAX).saturating_add(1);
        let mut some = store::partitions::list_places(tx, &table.id, &position, end, wanted).await?;
        let more = some.len() > self.limit;
        some.truncate(self.limit);
        let last = some.last().map(|(key, _)| format!("p{key}"));
        self.found = some.into_iter().map(|(_, partition)| partition).collect();
        Ok(last.filter(|_| more))
    }

    /// How many to look at next: no more than fill the page where all are wanted.
    fn batch(&self) -> i64 {
        let missing = self.limit - self.found.len() + 1;
        let batch = match self.expression {
            None if self.segment.is_none() => missing,
            _ => missing.max(MAX_LIMIT as usize),
        };
        i64::try_from(batch).unwrap_or(i64::MAX)
    }

    /// Takes a partition if it is asked for; says whether to stop behind it.
    fn take(&mut self, key: &str, partition: Partition) -> bool {
        self.looked_at += 1;
        let in_segment = self.segment.is_none_or(|segment| {
            let (begin, end) = places(segment);
            (begin..end).contains(&spread(key))
        });
        let holds = |expression: &Expression| expression.holds(partition.values());
        if in_segment && self.expression.as_ref().is_none_or(holds) {
            self.found.push(partition);
        }
        self.found.len() >= self.limit || self.looked_at >= MAX_LOOKED_AT
    }
}

/// The places of a segment: from, up to and without. All segments of a total have each place once.
fn places((number, total): (u32, u32)) -> (i64, i64) {
    let border = |number: u32| PLACES * i64::from(number) / i64::from(total.max(1));
    (border(number), border(number + 1))
}

fn bad_page_key() -> Error {
    Error::invalid("the page key is not one that this list gave").about(Subject::PageKey)
}

/// The partition with these values, where there is one.
///
/// # Errors
/// NotFound where the table isn't there; Invalid where the number of values isn't that of the partition keys.
pub async fn find(app: &App, name: &TableRef, values: &[String]) -> Result<Option<Partition>> {
    let mut tx = app.store.read().await?;
    let table = tables::require(&mut tx, name).await?;
    check_values(&table, values)?;
    store::partitions::find(&mut tx, &table, values).await
}

/// The partitions with these values, of those that are there.
///
/// # Errors
/// As [`find`].
pub async fn find_many(app: &App, name: &TableRef, values: &[Vec<String>]) -> Result<Vec<Partition>> {
    let mut tx = app.store.read().await?;
    let table = tables::require(&mut tx, name).await?;
    values
        .iter()
        .try_for_each(|values| check_values(&table, values))?;
    let keys = keys(&table, values);
    let found = store::partitions::find_by_key(&mut tx, &table.id, &keys).await?;
    let found: HashMap<String, Partition> = found.into_iter().collect();
    Ok(keys.iter().filter_map(|key| found.get(key).cloned()).collect())
}

/// The partition with these values, inside a transaction.
///
/// # Errors
/// NotFound; Invalid where the number of values isn't that of the partition keys.
pub async fn require(tx: &mut Read, table: &Table, values: &[String]) -> Result<Partition> {
    check_values(table, values)?;
    store::partitions::find(tx, table, values)
        .await?
        .ok_or_else(|| missing(values))
}

/// What a partition with these values is kept under.
pub fn key(table: &Table, values: &[String]) -> String {
    KeyOrder::of(&table.input.partition_keys).key(values)
}

/// What partitions with these values are kept under.
pub fn keys(table: &Table, values: &[Vec<String>]) -> Vec<String> {
    let order = KeyOrder::of(&table.input.partition_keys);
    values.iter().map(|values| order.key(values)).collect()
}

/// Adds partitions; says of each what became of it. None hinders the others.
///
/// # Errors
/// NotFound where the table isn't there. In the list: AlreadyExists; Invalid where the number of values isn't that of the
/// partition keys.
pub async fn create(app: &App, name: &TableRef, inputs: &[PartitionInput]) -> Result<Vec<Result<()>>> {
    let mut tx = app.store.write().await?;
    let table = tables::require(&mut tx, name).await?;
    let mut adding = Adding::to(&table, app.clock.now());
    let inputs: Vec<PartitionInput> = inputs.iter().map(folded).collect();
    let checked: Vec<Result<()>> = inputs
        .iter()
        .map(|input| check_values(&table, &input.values))
        .collect();
    let good: Vec<&PartitionInput> = inputs
        .iter()
        .zip(&checked)
        .filter(|(_, checked)| checked.is_ok())
        .map(|(input, _)| input)
        .collect();
    let mut added = adding.insert(&mut tx, &good).await?.into_iter();
    tx.commit().await?;
    let outcome = |(input, checked): (&PartitionInput, Result<()>)| {
        checked.and_then(|()| match added.next() {
            Some(true) => Ok(()),
            _ => Err(already_there(&input.values)),
        })
    };
    Ok(inputs.iter().zip(checked).map(outcome).collect())
}

/// Puts other partitions, whose values may be others too, in the place of those with the given values; says of each what
/// became of it. None hinders the others.
///
/// # Errors
/// NotFound where the table isn't there. In the list: NotFound; AlreadyExists where another has the new values; Invalid.
pub async fn update(
    app: &App,
    name: &TableRef,
    changes: &[(Vec<String>, PartitionInput)],
) -> Result<Vec<Result<()>>> {
    let mut tx = app.store.write().await?;
    let table = tables::require(&mut tx, name).await?;
    let order = KeyOrder::of(&table.input.partition_keys);
    let mut adding = Adding::to(&table, app.clock.now());
    let mut done = Vec::with_capacity(changes.len());
    let mut left: Vec<Change> = changes
        .iter()
        .map(|(values, input)| Change {
            checked: check_values(&table, values).and_then(|()| check_values(&table, &input.values)),
            old: (order.key(values), values),
            new: (order.key(&input.values), folded(input)),
        })
        .collect();
    while !left.is_empty() {
        let rest = left.split_off(apart(&left));
        done.extend(update_apart(&mut tx, &table, &mut adding, left).await?);
        left = rest;
    }
    tx.commit().await?;
    Ok(done)
}

/// Another partition in the place of one.
struct Change<'a> {
    /// What is wrong with it at first sight.
    checked: Result<()>,
    /// The key and the values of what it replaces.
    old: (String, &'a [String]),
    /// The key of the other, and what it is.
    new: (String, PartitionInput),
}

/// How many of the changes, from the first on, have nothing to do with one another: the next has to see what they did.
fn apart(changes: &[Change]) -> usize {
    let mut keys = HashSet::new();
    let meets = |change: &Change| {
        let (old, new) = (&change.old.0, &change.new.0);
        let is_new = keys.insert(old.clone()) && (old == new || keys.insert(new.clone()));
        !is_new
    };
    changes.iter().position(meets).unwrap_or(changes.len())
}

/// Makes changes that have nothing to do with one another, all at once.
async fn update_apart(
    tx: &mut Write,
    table: &Table,
    adding: &mut Adding<'_>,
    changes: Vec<Change<'_>>,
) -> Result<Vec<Result<()>>> {
    let moves = |change: &&Change| change.checked.is_ok() && *change.old.1 != change.new.1.values;
    let new: Vec<String> = changes
        .iter()
        .filter(moves)
        .map(|change| change.new.0.clone())
        .collect();
    // Looked up first: a statement that fails would end the whole transaction.
    let taken = store::partitions::in_use(tx, &table.id, &new).await?;
    let is_good = |change: &&Change| change.checked.is_ok() && !taken.contains(&change.new.0);
    let good: Vec<(String, &PartitionInput)> = changes
        .iter()
        .filter(is_good)
        .map(|change| (change.old.0.clone(), &change.new.1))
        .collect();
    let updated = adding.update(tx, &good).await?;
    let outcome = |change: Change| {
        let Change {
            checked,
            old: (_, values),
            new: (key, input),
        } = change;
        checked?;
        if taken.contains(&key) {
            return Err(already_there(&input.values));
        }
        if updated.contains(&key) {
            Ok(())
        } else {
            Err(missing(values))
        }
    };
    Ok(changes.into_iter().map(outcome).collect())
}

/// Removes partitions; says of each what became of it. The objects stay.
///
/// # Errors
/// NotFound where the table isn't there. In the list: NotFound; Invalid.
pub async fn delete(app: &App, name: &TableRef, values: &[Vec<String>]) -> Result<Vec<Result<()>>> {
    let mut tx = app.store.write().await?;
    let table = tables::require(&mut tx, name).await?;
    let is_good = |values: &&Vec<String>| check_values(&table, values).is_ok();
    let good: Vec<Vec<String>> = values.iter().filter(is_good).cloned().collect();
    let mut removed = store::partitions::delete_all(&mut tx, &table.id, &keys(&table, &good)).await?;
    tx.commit().await?;
    let outcome = |values: &Vec<String>| {
        check_values(&table, values)?;
        // Of two with the same values in one request, the first was removed.
        if removed.remove(&key(&table, values)) {
            Ok(())
        } else {
            Err(missing(values))
        }
    };
    Ok(values.iter().map(outcome).collect())
}

/// How many partitions a table has.
///
/// # Errors
/// NotFound where the table isn't there.
pub async fn count(app: &App, table: &TableRef) -> Result<i64> {
    let mut tx = app.store.read().await?;
    let table = tables::require(&mut tx, table).await?;
    store::partitions::count(&mut tx, &table.id).await
}

/// Notes an index that a client asks for. It is answered from the one that every table has: leading keys are looked up.
///
/// # Errors
/// NotFound where the table isn't there, and as [`partition_indexes::insert`].
pub async fn create_index(app: &App, name: &TableRef, index: &str, keys: &[String]) -> Result<()> {
    let mut tx = app.store.write().await?;
    let table = tables::require(&mut tx, name).await?;
    partition_indexes::insert(&mut tx, &table, index, keys).await?;
    tx.commit().await
}

/// The indexes of a table by name, each with its keys.
///
/// # Errors
/// NotFound where the table isn't there.
pub async fn indexes(app: &App, name: &TableRef) -> Result<(Table, Vec<(String, Vec<String>)>)> {
    let mut tx = app.store.read().await?;
    let table = tables::require(&mut tx, name).await?;
    let indexes = store::partitions::indexes(&mut tx, &table.id).await?;
    Ok((table, indexes))
}

/// Forgets an index.
///
/// # Errors
/// NotFound.
pub async fn delete_index(app: &App, name: &TableRef, index: &str) -> Result<()> {
    let mut tx = app.store.write().await?;
    let table = tables::require(&mut tx, name).await?;
    if !store::partitions::delete_index(&mut tx, &table.id, index).await? {
        return Err(Error::not_found(format!(
            "table {} has no index {index}",
            name.name
        )));
    }
    tx.commit().await
}

/// With the names of columns in lower case, as those of tables are.
fn folded(input: &PartitionInput) -> PartitionInput {
    let mut input = input.clone();
    for column in input.storage.iter_mut().flat_map(|storage| &mut storage.columns) {
        column.name = column.name.to_lowercase();
    }
    input
}

fn check_values(table: &Table, values: &[String]) -> Result<()> {
    let keys = table.input.partition_keys.len();
    if keys == values.len() {
        return Ok(());
    }
    Err(
        Error::invalid("The number of partition keys do not match the number of partition values").hint(
            format!(
                "table {} has {keys} partition keys, and {} values were given",
                table.input.name,
                values.len()
            ),
        ),
    )
}

fn missing(values: &[String]) -> Error {
    Error::not_found(format!("there is no partition {}", values.join("/"))).about(Subject::Partition)
}

fn already_there(values: &[String]) -> Error {
    Error::already_exists(format!("partition {} exists already", values.join("/")))
}
