//! Failures on the wire: an exception's name, a message, a status.

use axum::http::StatusCode;

use crate::error::{Error, ErrorKind};

/// The name of a failure, one that AWS's clients know. Those here are common to AWS's services; each has others of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exception(&'static str);

impl Exception {
    pub(crate) const ACCESS_DENIED: Self = Self("AccessDeniedException");
    pub(crate) const INCOMPLETE_SIGNATURE: Self = Self("IncompleteSignatureException");
    pub(crate) const INTERNAL_SERVICE: Self = Self("InternalServiceException");
    pub(crate) const INVALID_SIGNATURE: Self = Self("InvalidSignatureException");
    pub(crate) const MISSING_AUTHENTICATION_TOKEN: Self = Self("MissingAuthenticationTokenException");
    pub(crate) const OPERATION_NOT_SUPPORTED: Self = Self("OperationNotSupportedException");
    pub(crate) const REQUEST_ENTITY_TOO_LARGE: Self = Self("RequestEntityTooLargeException");
    pub(crate) const SERIALIZATION: Self = Self("SerializationException");
    pub(crate) const UNKNOWN_OPERATION: Self = Self("UnknownOperationException");
    pub(crate) const UNRECOGNIZED_CLIENT: Self = Self("UnrecognizedClientException");
    pub(crate) const VALIDATION: Self = Self("ValidationException");

    /// One of a service's own.
    pub(crate) const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// The name on the wire.
    pub(crate) fn name(self) -> &'static str {
        self.0
    }

    /// Only the server's own failure is a 500; AWS's clients try that one again.
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::INTERNAL_SERVICE => StatusCode::INTERNAL_SERVER_ERROR,
            Self::REQUEST_ENTITY_TOO_LARGE => StatusCode::PAYLOAD_TOO_LARGE,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// What a failure is called where no service is asked yet.
    pub(super) fn of(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Denied => Self::ACCESS_DENIED,
            ErrorKind::TooLarge => Self::REQUEST_ENTITY_TOO_LARGE,
            ErrorKind::Unavailable | ErrorKind::Killed | ErrorKind::Internal => Self::INTERNAL_SERVICE,
            ErrorKind::NotFound
            | ErrorKind::AlreadyExists
            | ErrorKind::Invalid
            | ErrorKind::Unfit
            | ErrorKind::Conflict
            | ErrorKind::Outdated
            | ErrorKind::Limit => Self::VALIDATION,
        }
    }
}

/// What an operation answers with when it can't do what was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// In AWS's own words.
    Said {
        /// Its name on the wire.
        exception: Exception,
        /// What the client is told.
        message: String,
    },
    /// A verb's error. Which exception it is, is the service's to say.
    Of(Error),
}

/// What an operation answers.
pub(crate) type Answer<T = serde_json::Value> = Result<T, Failure>;

impl Failure {
    /// A failure in AWS's own words.
    pub(crate) fn new(exception: Exception, message: impl Into<String>) -> Self {
        Self::Said {
            exception,
            message: message.into(),
        }
    }

    /// A value that breaks one of the model's constraints, in the words that AWS has for it.
    pub(crate) fn constraint(value: &str, member: &str, constraint: &str) -> Self {
        Self::new(
            Exception::VALIDATION,
            format!(
                "1 validation error detected: Value {value} at '{member}' failed to satisfy constraint: {constraint}"
            ),
        )
    }

    /// An error in the service's own words where it is of this kind, and in ours otherwise.
    pub(crate) fn worded(
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

    /// What the client is told.
    pub(crate) fn message(self) -> String {
        self.told(Exception::of).1
    }

    /// Whether it is the server's own fault.
    pub(crate) fn is_ours(&self, kinds: impl Fn(ErrorKind) -> Exception) -> bool {
        match self {
            Self::Said { exception, .. } => *exception == Exception::INTERNAL_SERVICE,
            Self::Of(error) => kinds(error.kind) == Exception::INTERNAL_SERVICE,
        }
    }

    /// What the client is told: an exception, by what the service has for each kind, and a message.
    pub(crate) fn told(self, kinds: impl Fn(ErrorKind) -> Exception) -> (Exception, String) {
        match self {
            Self::Said { exception, message } => (exception, message),
            Self::Of(error) => (kinds(error.kind), told(&error)),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Of(error)
    }
}

/// An error's words for a client.
fn told(error: &Error) -> String {
    if error.kind == ErrorKind::Internal {
        return "The request failed for a reason that is not its own.".to_owned();
    }
    let mut message = sentence(&error.message);
    // Clients compare the words of a missing entity; for what is wrong with a request, advice helps.
    if let Some(hint) = error.hint.as_ref().filter(|_| error.kind != ErrorKind::NotFound) {
        message.push(' ');
        message.push_str(&sentence(hint));
    }
    message
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
        let told = |error: Error| {
            let (exception, message) = Failure::from(error).told(Exception::of);
            (exception.name(), message)
        };
        assert_eq!(
            told(Error::denied("database x is closed").hint("open it")),
            (
                "AccessDeniedException",
                "Database x is closed. Open it.".to_owned()
            )
        );
        let (_, missing) = told(Error::not_found("database x not found").hint("create it"));
        assert_eq!(missing, "Database x not found.");
        let (exception, internal) = told(Error::internal("disk full at /var/secret"));
        assert_eq!(exception, "InternalServiceException");
        assert!(!internal.contains("secret"));
    }
}
