//! Tables' names. Pure.
//!
//! Glue's rule (developer guide, "Crawler properties"): the folder's name in lower case, anything but `a-z0-9_` an
//! underscore, cut to 128 characters; a hash of 32 hexadecimal digits behind it where the name is taken. Ours puts the
//! folders above before it first.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::found::{FoundTable, Place};
use crate::model::crawl_options::Compatibility;
use crate::model::location::Location;
use crate::model::name::identifier;
use crate::model::source::SourcePlace;
use crate::model::table::TableInput;

/// The longest name that a crawler makes, in characters.
const LONGEST: usize = 128;
/// How long the hash is, in characters.
const HASH: usize = 32;

/// Names that are decided already.
#[derive(Debug, Default)]
pub struct Names {
    /// The names that this crawler's tables have, by their places ([`Place::key`]): a table keeps its name.
    pub kept: BTreeMap<String, Vec<String>>,
    /// The names of tables that lie elsewhere.
    pub taken: BTreeSet<String>,
}

/// Names tables, and puts them in the order of their locations.
pub fn give_names(tables: &mut [FoundTable], prefix: &str, compatibility: Compatibility, names: &Names) {
    tables.sort_by(|a, b| (&a.location, &a.named_after).cmp(&(&b.location, &b.named_after)));
    let mut taken = names.taken.clone();
    let mut wanted: Vec<Option<usize>> = Vec::with_capacity(tables.len());
    for table in tables.iter_mut() {
        let base = with_prefix(prefix, &name_of(table, 1));
        let kept = names.kept.get(&table.location.key());
        // Of several tables at one place, each keeps the name that it would get anyway.
        let kept = kept.and_then(|kept| match kept.as_slice() {
            [one] => Some(one),
            several => several.iter().find(|name| **name == base),
        });
        if let Some(name) = kept
            && taken.insert(name.clone())
        {
            table.name.clone_from(name);
            wanted.push(None);
        } else {
            wanted.push(Some(1));
        }
    }
    if compatibility == Compatibility::Mastic {
        put_folders_before(tables, &mut wanted, prefix, &taken);
    }
    for (table, depth) in tables.iter_mut().zip(wanted) {
        let Some(depth) = depth else { continue };
        let mut name = with_prefix(prefix, &name_of(table, depth));
        if taken.contains(&name) {
            let place = match &table.location {
                Place::Objects(location) => location.with_key(table.named_after.as_str()).to_string(),
                source @ Place::Source(_) => source.key(),
            };
            name = hashed(&name, &place);
        }
        taken.insert(name.clone());
        table.name = name;
    }
}

/// Where two tables would have the same name, the folders above are put before it, as many as tell them apart.
fn put_folders_before(
    tables: &[FoundTable],
    wanted: &mut [Option<usize>],
    prefix: &str,
    taken: &BTreeSet<String>,
) {
    let most = tables
        .iter()
        .map(|table| segments(table).len())
        .max()
        .unwrap_or(0);
    for _ in 1..most {
        let mut by_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, depth) in wanted.iter().enumerate() {
            if let Some(depth) = depth {
                let name = with_prefix(prefix, &name_of(&tables[at], *depth));
                by_name.entry(name).or_default().push(at);
            }
        }
        let mut is_done = true;
        for (name, places) in by_name {
            if places.len() > 1 || taken.contains(&name) {
                for at in places {
                    let deepest = segments(&tables[at]).len();
                    wanted[at] = wanted[at].map(|depth| (depth + 1).min(deepest));
                }
                is_done = false;
            }
        }
        if is_done {
            return;
        }
    }
}

fn with_prefix(prefix: &str, name: &str) -> String {
    identifier(&format!("{prefix}{name}"))
}

fn hashed(name: &str, place: &str) -> String {
    let mut hash = hex::encode(Sha256::digest(place.as_bytes()));
    hash.truncate(HASH);
    let kept: String = name.chars().take(LONGEST - HASH - 1).collect();
    format!("{kept}_{hash}")
}

/// What a name may be made of, the last first. A table of another database has its full name from the beginning.
fn segments(table: &FoundTable) -> Vec<&str> {
    match &table.location {
        Place::Objects(location) => std::iter::once(location.bucket.as_str())
            .chain(table.named_after.split('/').filter(|segment| !segment.is_empty()))
            .collect(),
        Place::Source(_) => vec![table.named_after.as_str()],
    }
}

fn name_of(table: &FoundTable, depth: usize) -> String {
    let segments = segments(table);
    let last = &segments[segments.len().saturating_sub(depth)..];
    identifier(&last.join("_"))
}

/// The place of a table of the catalog, where a crawl could have found it.
pub fn place_of(table: &TableInput) -> Option<Place> {
    let location = table.location()?;
    match table.connection() {
        Some(connection) => Some(Place::Source(SourcePlace::parse(connection, location))),
        None => Location::parse(location).ok().map(Place::Objects),
    }
}
