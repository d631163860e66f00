//! What the engine's failures mean in our words.

use datafusion::error::DataFusionError;

use crate::error::Error;

/// What the engine says is wrong, without its wrapping.
pub(super) fn failure(cause: &DataFusionError) -> Error {
    if let Some(own) = Error::in_causes(cause) {
        return own.again();
    }
    let message = cause.strip_backtrace();
    if let Some(error) = spilling_failed(&message) {
        return error;
    }
    match cause.find_root() {
        DataFusionError::ResourcesExhausted(_) => {
            Error::limit(format!("it needs more memory than it may use: {message}"))
                .hint("raise tasks.sql_memory_mib, or read less at a time")
        }
        DataFusionError::ObjectStore(_) => Error::unavailable(message),
        DataFusionError::Internal(_) => Error::internal(message),
        _ if message.contains("not supported for Null") => Error::invalid(message).hint(
            "a column of nothing but NULLs has no type: cast it, or give its type under `columns` of the input",
        ),
        _ => {
            Error::invalid(message).hint("column names are in lower case here; quote those with other signs")
        }
    }
}

/// What went wrong with data that was put aside on disk; the engine has no kinds for that.
fn spilling_failed(message: &str) -> Option<Error> {
    if let Some((_, rest)) = message.split_once("exceeded the allowable limit of ") {
        let limit = rest.split(". ").next().unwrap_or(rest);
        let error = Error::limit(format!(
            "it needs more than the {limit} of disk that tasks.spill_bytes allows for what doesn't fit in memory"
        ));
        return Some(
            error.hint(
                "sort, group or join less at a time, or raise tasks.spill_bytes or tasks.sql_memory_mib",
            ),
        );
    }
    let is_full = ["No space left on device", "Disk quota exceeded"]
        .iter()
        .any(|words| message.contains(words));
    is_full.then(|| {
        Error::unavailable("there is no room left for what doesn't fit in memory")
            .hint("make room where tasks.spill_dir is, or put it elsewhere")
    })
}

/// What it means that the engine doesn't take what we put together for it: a mistake of ours.
pub(super) fn refused(cause: impl Into<DataFusionError>) -> Error {
    Error::internal("the engine refused an input").source(cause.into())
}
