//! A classifier that people define: what it is told, and since when.

use chrono::{DateTime, Utc};
use classifiers::ClassifierDefinition;

/// A custom classifier in the catalog.
#[derive(Clone, Debug, PartialEq)]
pub struct Classifier {
    /// What it is told; its name is in it.
    pub definition: ClassifierDefinition,
    /// How many times it was written, from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}
