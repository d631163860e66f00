//! Failures in Glue's words.

use serde_json::json;

use crate::aws::{Answer, Exception, Failure};
use crate::error::ErrorKind;

pub(super) const ALREADY_EXISTS: Exception = Exception::new("AlreadyExistsException");
pub(super) const CONCURRENT_RUNS_EXCEEDED: Exception = Exception::new("ConcurrentRunsExceededException");
pub(super) const CONCURRENT_MODIFICATION: Exception = Exception::new("ConcurrentModificationException");
pub(super) const CRAWLER_NOT_RUNNING: Exception = Exception::new("CrawlerNotRunningException");
pub(super) const CRAWLER_RUNNING: Exception = Exception::new("CrawlerRunningException");
pub(super) const CRAWLER_STOPPING: Exception = Exception::new("CrawlerStoppingException");
pub(super) const ENTITY_NOT_FOUND: Exception = Exception::new("EntityNotFoundException");
pub(super) const IDEMPOTENT_PARAMETER_MISMATCH: Exception =
    Exception::new("IdempotentParameterMismatchException");
pub(super) const INVALID_INPUT: Exception = Exception::new("InvalidInputException");
pub(super) const INVALID_STATE: Exception = Exception::new("InvalidStateException");
pub(super) const NO_SCHEDULE: Exception = Exception::new("NoScheduleException");
pub(super) const RESOURCE_NUMBER_LIMIT_EXCEEDED: Exception =
    Exception::new("ResourceNumberLimitExceededException");
pub(super) const SCHEDULER_NOT_RUNNING: Exception = Exception::new("SchedulerNotRunningException");
pub(super) const SCHEDULER_RUNNING: Exception = Exception::new("SchedulerRunningException");

/// Glue's exception for a kind of failure.
pub(super) fn exception(kind: ErrorKind) -> Exception {
    match kind {
        ErrorKind::NotFound => ENTITY_NOT_FOUND,
        ErrorKind::AlreadyExists => ALREADY_EXISTS,
        ErrorKind::Invalid => INVALID_INPUT,
        ErrorKind::TooLarge => Exception::REQUEST_ENTITY_TOO_LARGE,
        ErrorKind::Unfit => INVALID_STATE,
        ErrorKind::Conflict | ErrorKind::Outdated => CONCURRENT_MODIFICATION,
        ErrorKind::Denied => Exception::ACCESS_DENIED,
        ErrorKind::Limit => RESOURCE_NUMBER_LIMIT_EXCEEDED,
        ErrorKind::Unavailable | ErrorKind::Killed | ErrorKind::Internal => Exception::INTERNAL_SERVICE,
    }
}

/// A request that would be wrong again.
pub(super) fn invalid(message: impl Into<String>) -> Failure {
    Failure::new(INVALID_INPUT, message)
}

/// A failure as a part of an answer, which tells of many things at once. Our own failures are the whole answer's.
pub(super) fn detail(failure: Failure) -> Answer {
    if failure.is_ours(exception) {
        return Err(failure);
    }
    let (exception, message) = failure.told(exception);
    Ok(json!({ "ErrorCode": exception.name(), "ErrorMessage": message }))
}
