//! When two files, or the files of two folders, are alike. Pure.

use std::collections::BTreeSet;

use classifiers::{Compression, Verdict};

/// The share of columns that two files must have in common to be of one table, of those of the wider one.
const ALIKE: f64 = 0.5;

/// What files are compared by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// What they are.
    pub classification: String,
    /// How they are compressed.
    pub compression: Compression,
    /// The names of their columns, in lower case.
    pub columns: BTreeSet<String>,
}

impl Shape {
    /// The shape of a file that a table can be made of.
    pub fn of(verdict: &Verdict) -> Option<Self> {
        if verdict.columns.is_empty() {
            return None;
        }
        Some(Self {
            classification: verdict.classification.clone(),
            compression: verdict.compression,
            columns: verdict
                .columns
                .iter()
                .map(|column| column.name.to_lowercase())
                .collect(),
        })
    }

    /// Whether both are of one format.
    pub fn has_format_of(&self, other: &Self) -> bool {
        self.classification == other.classification
    }

    /// The share of columns in common, of those of the wider one, from 0 to 1.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a file has at most ten thousand columns"
    )]
    pub fn similarity(&self, other: &Self) -> f64 {
        let widest = self.columns.len().max(other.columns.len());
        if widest == 0 {
            return 1.0;
        }
        self.columns.intersection(&other.columns).count() as f64 / widest as f64
    }

    /// Whether files of both belong into one table by our own rule.
    pub fn is_alike(&self, other: &Self) -> bool {
        self.has_format_of(other) && self.similarity(other) >= ALIKE
    }
}

/// The shape that the most others are alike to; the first of several.
pub fn most_usual(shapes: &[&Shape]) -> Option<Shape> {
    let mut kinds: Vec<(&Shape, usize)> = Vec::new();
    for shape in shapes {
        match kinds.iter_mut().find(|(kind, _)| kind.is_alike(shape)) {
            Some((_, count)) => *count += 1,
            None => kinds.push((shape, 1)),
        }
    }
    let most = kinds.iter().map(|(_, count)| *count).max()?;
    kinds
        .iter()
        .find(|(_, count)| *count == most)
        .map(|(shape, _)| (*shape).clone())
}
