//! What verbs say of tables, in Glue's words.

use crate::error::{Error, ErrorKind, Subject};
use crate::model::name::TableRef;

use crate::aws::Failure;

/// Glue says which table isn't there and not where, and clients compare the sentence.
pub(super) fn in_glues_words(mut error: Error, table: &TableRef) -> Failure {
    if (error.kind, error.subject) == (ErrorKind::NotFound, Some(Subject::Table)) {
        error.message = format!("table {} not found", table.name);
    }
    error.into()
}
