//! Failures in Glue's words: an exception's name, a message, a status.

use axum::http::StatusCode;
use serde_json::json;

use crate::error::{Error, ErrorKind};

/// The exceptions that we answer with. Each is one that AWS's clients know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exception {
    AccessDenied,
    AlreadyExists,
    ConcurrentModification,
    CrawlerNotRunning,
    CrawlerRunning,
    CrawlerStopping,
    EntityNotFound,
    IdempotentParameterMismatch,
    IncompleteSignature,
    InternalService,
    InvalidInput,
    InvalidSignature,
    InvalidState,
    MissingAuthenticationToken,
    NoSchedule,
    OperationNotSupported,
    RequestEntityTooLarge,
    ResourceNumberLimitExceeded,
    SchedulerNotRunning,
    SchedulerRunning,
    Serialization,
    UnknownOperation,
    UnrecognizedClient,
    Validation,
}

impl Exception {
    /// The name on the wire.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::AccessDenied => "AccessDeniedException",
            Self::AlreadyExists => "AlreadyExistsException",
            Self::ConcurrentModification => "ConcurrentModificationException",
            Self::CrawlerNotRunning => "CrawlerNotRunningException",
            Self::CrawlerRunning => "CrawlerRunningException",
            Self::CrawlerStopping => "CrawlerStoppingException",
            Self::EntityNotFound => "EntityNotFoundException",
            Self::IdempotentParameterMismatch => "IdempotentParameterMismatchException",
            Self::IncompleteSignature => "IncompleteSignatureException",
            Self::InternalService => "InternalServiceException",
            Self::InvalidSignature => "InvalidSignatureException",
            Self::InvalidState => "InvalidStateException",
            Self::MissingAuthenticationToken => "MissingAuthenticationTokenException",
            Self::RequestEntityTooLarge => "RequestEntityTooLargeException",
            Self::UnrecognizedClient => "UnrecognizedClientException",
            Self::InvalidInput => "InvalidInputException",
            Self::NoSchedule => "NoScheduleException",
            Self::OperationNotSupported => "OperationNotSupportedException",
            Self::ResourceNumberLimitExceeded => "ResourceNumberLimitExceededException",
            Self::SchedulerNotRunning => "SchedulerNotRunningException",
            Self::SchedulerRunning => "SchedulerRunningException",
            Self::Serialization => "SerializationException",
            Self::UnknownOperation => "UnknownOperationException",
            Self::Validation => "ValidationException",
        }
    }

    /// Only the server's own failure is a 500; AWS's clients try that one again.
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::InternalService => StatusCode::INTERNAL_SERVER_ERROR,
            Self::RequestEntityTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    fn of(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::NotFound => Self::EntityNotFound,
            ErrorKind::AlreadyExists => Self::AlreadyExists,
            ErrorKind::Invalid => Self::InvalidInput,
            ErrorKind::TooLarge => Self::RequestEntityTooLarge,
            ErrorKind::Unfit => Self::InvalidState,
            ErrorKind::Conflict => Self::ConcurrentModification,
            ErrorKind::Denied => Self::AccessDenied,
            ErrorKind::Limit => Self::ResourceNumberLimitExceeded,
            ErrorKind::Unavailable | ErrorKind::Killed | ErrorKind::Internal => Self::InternalService,
        }
    }
}

/// What an operation answers with when it can't do what was asked.
#[derive(Debug)]
pub(super) struct Failure {
    /// Its name on the wire.
    pub(super) exception: Exception,
    /// What the client is told.
    pub(super) message: String,
    /// What only the log is told.
    pub(super) internal: Option<Error>,
}

/// What an operation answers.
pub(super) type Answer<T = serde_json::Value> = Result<T, Failure>;

impl Failure {
    /// A failure that the client is told about in full.
    pub(super) fn new(exception: Exception, message: impl Into<String>) -> Self {
        Self {
            exception,
            message: message.into(),
            internal: None,
        }
    }

    /// A request that would be wrong again.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(Exception::InvalidInput, message)
    }

    /// A value that breaks one of the model's constraints, in the words that AWS has for it.
    pub(super) fn constraint(value: &str, member: &str, constraint: &str) -> Self {
        Self::new(
            Exception::Validation,
            format!(
                "1 validation error detected: Value {value} at '{member}' failed to satisfy constraint: {constraint}"
            ),
        )
    }

    /// An error in Glue's own words where it is of this kind, and in ours otherwise.
    pub(super) fn worded(
        error: Error,
        kind: ErrorKind,
        exception: Exception,
        message: impl Into<String>,
    ) -> Self {
        if error.kind == kind {
            Self::new(exception, message)
        } else {
            error.into()
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let exception = Exception::of(error.kind);
        if error.kind == ErrorKind::Internal {
            let message = "The request failed for a reason that is not its own.".to_owned();
            return Self {
                exception,
                message,
                internal: Some(error),
            };
        }
        let mut message = sentence(&error.message);
        // Clients compare the words of a missing entity; for what is wrong with a request, advice helps.
        if let Some(hint) = error.hint.as_ref().filter(|_| error.kind != ErrorKind::NotFound) {
            message.push(' ');
            message.push_str(&sentence(hint));
        }
        Self::new(exception, message)
    }
}

/// A failure as a part of an answer, which tells of many things at once. Our own failures are the whole answer's.
pub(super) fn detail(failure: Failure) -> Answer {
    if failure.exception == Exception::InternalService {
        return Err(failure);
    }
    Ok(json!({ "ErrorCode": failure.exception.name(), "ErrorMessage": failure.message }))
}

/// `text` with a capital letter and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let mut sentence: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    sentence.push_str(letters.as_str());
    if !sentence.ends_with(['.', '?', '!']) {
        sentence.push('.');
    }
    sentence
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_words_become_sentences_and_causes_stay_inside() {
        let failure = Failure::from(Error::not_found("database x not found").hint("create it"));
        assert_eq!(
            (failure.exception.name(), failure.message.as_str()),
            ("EntityNotFoundException", "Database x not found.")
        );
        let hinted =
            Failure::from(Error::invalid("'x' is no location").hint("write it as s3://bucket/prefix/"));
        assert_eq!(
            hinted.message,
            "'x' is no location. Write it as s3://bucket/prefix/."
        );
        let internal = Failure::from(Error::internal("disk full at /var/secret"));
        assert_eq!(internal.exception.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!internal.message.contains("secret") && internal.internal.is_some());
    }
}
