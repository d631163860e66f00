//! What the files of one table tell of one another's headers. Of a file of text alone only the looks of its first record
//! say whether it is a header; other files that begin alike, or don't, know better.

use std::collections::{HashMap, HashSet};

use super::FIRST_RECORD_CHARS;
use super::table::names_of;
use crate::{Layout, Verdict};

/// Settles which of the files of one place have a header, where their looks alone left it in doubt. Those of CSV with the
/// same delimiter and number of columns tell of one another; all others stay as they are.
///
/// For each, what it becomes, or `None` where it stays as it is:
///
/// - A first record that comes back as the first record of another file, or as the names of one whose header is beyond
///   doubt, is a header, unless the second comes back too: then they are copies of one table.
/// - A first record that looked like a header, and is like that of no other file, is none where most of the others have
///   none.
pub fn settle_headers(verdicts: &[&Verdict]) -> Vec<Option<Verdict>> {
    let mut alike: HashMap<(&str, usize), Vec<usize>> = HashMap::new();
    for (at, verdict) in verdicts.iter().enumerate() {
        if let Some(csv) = verdict.csv() {
            let shape = (csv.dialect.delimiter.as_str(), verdict.columns.len());
            alike.entry(shape).or_default().push(at);
        }
    }
    let mut settled: Vec<Option<Verdict>> = vec![None; verdicts.len()];
    for members in alike.into_values() {
        let of_table: Vec<&Verdict> = members
            .iter()
            .filter_map(|at| verdicts.get(*at).copied())
            .collect();
        for (at, verdict) in members.into_iter().zip(settle_alike(&of_table)) {
            if let Some(place) = settled.get_mut(at) {
                *place = verdict;
            }
        }
    }
    settled
}

fn settle_alike(verdicts: &[&Verdict]) -> Vec<Option<Verdict>> {
    let without: usize = verdicts.iter().filter(|verdict| !has_header(verdict)).count();
    let beginnings = Beginnings::of(verdicts);
    verdicts
        .iter()
        .map(|verdict| {
            let first = first_record(verdict)?;
            let (alike, copies) = beginnings.others_like(verdict, first);
            if alike > copies && !has_header(verdict) && could_be_names(first) {
                return Some(with_header(verdict, first, alike, verdicts.len()));
            }
            let others_without = without - usize::from(!has_header(verdict));
            if alike == 0 && has_header(verdict) && others_without * 2 > verdicts.len() - 1 {
                return Some(without_header(verdict, first, others_without));
            }
            None
        })
        .collect()
}

fn has_header(verdict: &Verdict) -> bool {
    verdict.csv().is_some_and(|csv| csv.dialect.header)
}

fn first_record(verdict: &Verdict) -> Option<&[String]> {
    verdict.csv()?.first_record.as_deref()
}

fn second_record(verdict: &Verdict) -> Option<&[String]> {
    verdict.csv()?.second_record.as_deref()
}

/// How many files begin in each way: counted once, because there may be many of them.
#[derive(Default)]
struct Beginnings<'a> {
    /// By the first record, where it is in doubt.
    first: HashMap<&'a [String], usize>,
    /// By the first two.
    both: HashMap<(&'a [String], Option<&'a [String]>), usize>,
    /// By the names of their columns, where the header is beyond doubt.
    names: HashMap<Vec<&'a str>, usize>,
}

impl<'a> Beginnings<'a> {
    fn of(verdicts: &[&'a Verdict]) -> Self {
        let mut counted = Self::default();
        for verdict in verdicts {
            match first_record(verdict) {
                Some(first) => {
                    *counted.first.entry(first).or_default() += 1;
                    let both = (first, second_record(verdict));
                    *counted.both.entry(both).or_default() += 1;
                }
                None if has_header(verdict) => {
                    let names = verdict.columns.iter().map(|column| column.name.as_str());
                    *counted.names.entry(names.collect()).or_default() += 1;
                }
                None => {}
            }
        }
        counted
    }

    /// How many other files begin with the first record of this one, and how many of those go on like it.
    fn others_like(&self, verdict: &Verdict, first: &[String]) -> (usize, usize) {
        let count = |counted: Option<&usize>| counted.copied().unwrap_or_default();
        let names = names_of(first, verdict.columns.len());
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let both = (first, second_record(verdict));
        (
            // It is among them itself.
            count(self.first.get(first)) - 1 + count(self.names.get(&names)),
            count(self.both.get(&both)) - 1,
        )
    }
}

/// Whether cells may name columns at all: each something, none twice, none cut off.
fn could_be_names(cells: &[String]) -> bool {
    let different: HashSet<String> = cells.iter().map(|cell| cell.to_lowercase()).collect();
    different.len() == cells.len()
        && cells
            .iter()
            .all(|cell| !cell.is_empty() && cell.chars().count() < FIRST_RECORD_CHARS)
}

fn with_header(verdict: &Verdict, first: &[String], alike: usize, files: usize) -> Verdict {
    let mut settled = changed(verdict, true);
    for (column, name) in settled
        .columns
        .iter_mut()
        .zip(names_of(first, verdict.columns.len()))
    {
        column.name = name;
    }
    settled.rows_sampled = settled.rows_sampled.saturating_sub(1);
    settled.row_count = settled.row_count.map(|rows| rows.saturating_sub(1));
    settled.reasons.push(format!(
        "header: {} of {files} files of text begin with this record, so it names the columns",
        alike + 1
    ));
    settled
}

fn without_header(verdict: &Verdict, first: &[String], others: usize) -> Verdict {
    let mut settled = changed(verdict, false);
    let unnamed = vec![String::new(); verdict.columns.len()];
    for (column, name) in settled.columns.iter_mut().zip(names_of(&unnamed, unnamed.len())) {
        column.name = name;
    }
    settled.rows_sampled += 1;
    settled.row_count = settled.row_count.map(|rows| rows + 1);
    settled.reasons.push(format!(
        "header: none, because {others} other files begin with rows, and none with {:?}",
        first.first().map_or("", String::as_str)
    ));
    settled
}

/// The verdict with another answer, and without the reason for the old one.
fn changed(verdict: &Verdict, header: bool) -> Verdict {
    let mut settled = verdict.clone();
    settled.reasons.retain(|reason| !reason.starts_with("header:"));
    if let Some(Layout::Csv(csv)) = &mut settled.layout {
        csv.dialect.header = header;
    }
    settled
}
