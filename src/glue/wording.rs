//! What verbs say of tables, in Glue's words.

use crate::error::{Error, ErrorKind};
use crate::model::name::TableRef;

use crate::aws::Failure;

/// Glue says which table isn't there and not where, and clients compare the sentence.
pub(super) fn in_glues_words(mut error: Error, table: &TableRef) -> Failure {
    let place = format!(" in database {}", table.database);
    if error.kind == ErrorKind::NotFound
        && let Some(shorter) = error.message.strip_suffix(&place)
    {
        error.message = shorter.to_owned();
    }
    error.into()
}
