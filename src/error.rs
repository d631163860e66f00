//! The one error type. It says what went wrong and what to do about it, and never mentions HTTP:
//! each wire maps [`ErrorKind`] to its own codes, once, last.

use std::fmt;

/// A result whose error is [`Error`] unless said otherwise.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of failure it was. Only kinds that some program would tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// What was named doesn't exist.
    NotFound,
    /// What was to be made exists.
    AlreadyExists,
    /// The request or the input is wrong, and would be wrong again.
    Invalid,
    /// The request is larger than any may be.
    TooLarge,
    /// Somebody else changed it meanwhile.
    Conflict,
    /// It isn't what whoever asks said that it was.
    Outdated,
    /// Not allowed.
    Denied,
    /// What is kept doesn't fit what is asked for.
    Unfit,
    /// A limit was reached.
    Limit,
    /// Something needed can't be reached just now; trying again may help.
    Unavailable,
    /// A process at work was killed from outside, as the system does where memory is short. Trying again helps, unless it
    /// is this work that needs too much.
    Killed,
    /// Our own mistake.
    Internal,
}

/// What a failure is about, where some program tells it from others of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A table.
    Table,
    /// A partition.
    Partition,
    /// The key that a page of a list begins behind.
    PageKey,
    /// An object that the store has, and gives nobody before it is restored from an archive.
    Archived,
    /// How long something may take.
    TimeLimit,
}

/// A failure, in words for the person who meets it.
#[derive(Debug)]
pub struct Error {
    /// What kind of failure it was.
    pub kind: ErrorKind,
    /// What is wrong, without a full stop.
    pub message: String,
    /// What to do about it, where there is something to do.
    pub hint: Option<String>,
    /// What it is about, where that is said.
    pub subject: Option<Subject>,
    is_refusal: bool,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of `kind` that says `message`.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            hint: None,
            subject: None,
            is_refusal: false,
            source: None,
        }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says what it is about.
    #[must_use]
    pub fn about(mut self, subject: Subject) -> Self {
        self.subject = Some(subject);
        self
    }

    /// Says that something outside refused, and that people may change that without changing the request.
    #[must_use]
    pub fn refusal(mut self) -> Self {
        self.is_refusal = true;
        self
    }

    /// Whether something outside refused, which people may mend without changing the request: keys that aren't allowed to,
    /// a bucket that isn't there.
    pub fn is_refusal(&self) -> bool {
        self.is_refusal || self.kind == ErrorKind::Denied
    }

    /// The same once more, without its causes, for where the first can't be taken.
    #[must_use]
    pub fn again(&self) -> Self {
        Self {
            kind: self.kind,
            message: self.message.clone(),
            hint: self.hint.clone(),
            subject: self.subject,
            is_refusal: self.is_refusal,
            source: None,
        }
    }

    /// Adds the cause, for the log.
    #[must_use]
    pub fn source(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(cause.into());
        self
    }

    /// Says where it happened: puts `place` and a colon before the message.
    #[must_use]
    pub fn within(mut self, place: impl fmt::Display) -> Self {
        self.message = format!("{place}: {}", self.message);
        self
    }

    /// The first error of ours among `cause` and its causes, as another program's errors carry it.
    pub fn in_causes<'a>(cause: &'a (dyn std::error::Error + 'static)) -> Option<&'a Self> {
        let mut next = Some(cause);
        while let Some(cause) = next {
            if let Some(error) = cause.downcast_ref() {
                return Some(error);
            }
            next = cause.source();
        }
        None
    }

    /// The causes, outermost first, as one line for the log.
    pub fn causes(&self) -> String {
        let mut text = String::new();
        let mut next = std::error::Error::source(self);
        while let Some(cause) = next {
            text.push_str(&format!(": {cause}"));
            next = cause.source();
        }
        text
    }

    /// See [`ErrorKind::NotFound`].
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::NotFound, message)
    }
    /// See [`ErrorKind::AlreadyExists`].
    pub fn already_exists(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::AlreadyExists, message)
    }
    /// See [`ErrorKind::Invalid`].
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, message)
    }
    /// See [`ErrorKind::Conflict`].
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Conflict, message)
    }
    /// See [`ErrorKind::Denied`].
    pub fn denied(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Denied, message)
    }
    /// See [`ErrorKind::Limit`].
    pub fn limit(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Limit, message)
    }
    /// See [`ErrorKind::Unavailable`].
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unavailable, message)
    }
    /// See [`ErrorKind::Internal`].
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, message)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source
            .as_deref()
            .map(|cause| cause as &(dyn std::error::Error + 'static))
    }
}
