//! What a store's refusals mean in our words: which bucket, which key, and what to do about it.

use std::error::Error as StdError;
use std::fmt;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

use crate::error::{Error, ErrorKind, Subject};

/// What a request was about, as it is named to people: `s3://bucket/key`.
#[derive(Clone, Debug)]
pub(super) struct Place {
    bucket: String,
    key: Option<String>,
}

impl Place {
    pub(super) fn store() -> Self {
        Self {
            bucket: String::new(),
            key: None,
        }
    }

    pub(super) fn bucket(bucket: &str) -> Self {
        Self {
            bucket: bucket.to_owned(),
            key: None,
        }
    }

    pub(super) fn object(bucket: &str, key: &str) -> Self {
        Self {
            bucket: bucket.to_owned(),
            key: Some(key.to_owned()),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&*self.bucket, &self.key) {
            ("", _) => f.write_str("the object store"),
            (bucket, None) => write!(f, "s3://{bucket}"),
            (bucket, Some(key)) => write!(f, "s3://{bucket}/{key}"),
        }
    }
}

/// The HTTP status of the store's answer, where there was one.
pub(super) fn status<E>(error: &SdkError<E, HttpResponse>) -> Option<u16> {
    error.raw_response().map(|answer| answer.status().as_u16())
}

/// The store's own code for its refusal, where it gave one.
pub(super) fn code<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Option<&str> {
    error.as_service_error().and_then(ProvideErrorMetadata::code)
}

/// A failed request in our words; `verb` completes "couldn't …".
pub(super) fn from_sdk<E>(error: SdkError<E, HttpResponse>, verb: &str, place: &Place) -> Error
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    let translated = match &error {
        SdkError::ServiceError(refusal) => {
            let words = refusal.err().message().unwrap_or_default();
            let code = refusal.err().code().unwrap_or_default();
            from_code(code, words, status(&error), verb, place)
        }
        SdkError::TimeoutError(_) => {
            Error::unavailable(format!("couldn't {verb} {place}: no answer in time"))
        }
        SdkError::ResponseError(_) => Error::unavailable(format!(
            "couldn't {verb} {place}: the answer broke off or made no sense"
        )),
        SdkError::DispatchFailure(_) | SdkError::ConstructionFailure(_) | _ => {
            unreachable_store(&error, verb, place)
        }
    };
    translated.source(error)
}

/// The answer broke off while an object's bytes arrived.
pub(super) fn cut_short(error: impl StdError + Send + Sync + 'static, place: &Place) -> Error {
    Error::unavailable(format!(
        "{place} broke off while it was read: {}",
        innermost(&error)
    ))
    .source(error)
}

fn unreachable_store(error: &(dyn StdError + 'static), verb: &str, place: &Place) -> Error {
    let cause = innermost(error);
    let text = chain(error);
    if text.contains("credential") || text.contains("Credential") {
        return Error::denied(format!(
            "couldn't {verb} {place}: there are no credentials for the store"
        ))
        .hint("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE");
    }
    Error::unavailable(format!("couldn't {verb} {place}: {cause}"))
        .hint("is the object store running, and is its endpoint right?")
}

/// A refusal by its code (or, of a HEAD, which has no body, by its status) in our words.
pub(super) fn from_code(code: &str, words: &str, status: Option<u16>, verb: &str, place: &Place) -> Error {
    let said = match (code, words) {
        ("", "") => status.map_or_else(|| "refused".to_owned(), |status| format!("status {status}")),
        (code, "") => code.to_owned(),
        ("", words) => words.to_owned(),
        (code, words) => format!("{words} ({code})"),
    };
    let error = |kind| Error::new(kind, format!("couldn't {verb} {place}: {said}"));
    match (code, status) {
        ("NoSuchBucket", _) => Error::not_found(format!("there is no bucket `{}`", place.bucket))
            .hint("check its name, and that the endpoint is the one that has it")
            .refusal(),
        ("NoSuchKey", _) => Error::not_found(format!("there is no object {place}")),
        ("InvalidObjectState", _) => Error::invalid(format!("{place} is in an archive class of its store"))
            .hint("restore it, then ask again")
            .about(Subject::Archived),
        ("NoSuchUpload", _) => error(ErrorKind::NotFound),
        ("BucketAlreadyExists" | "BucketAlreadyOwnedByYou", _) => {
            Error::already_exists(format!("there is a bucket `{}` already", place.bucket))
        }
        ("BucketNotEmpty", _) => error(ErrorKind::Conflict),
        ("PreconditionFailed" | "ConditionalRequestConflict", _) | (_, Some(412)) if verb == "read" => {
            Error::conflict(format!("{place} was changed while it was being read"))
                .hint("list it again and read the new version")
        }
        ("PreconditionFailed" | "ConditionalRequestConflict", _) | (_, Some(412)) => {
            error(ErrorKind::Conflict)
        }
        ("SignatureDoesNotMatch" | "InvalidAccessKeyId" | "ExpiredToken" | "InvalidToken", _) => {
            error(ErrorKind::Denied).hint("check the access key and the secret key")
        }
        ("RequestTimeTooSkewed", _) => error(ErrorKind::Denied).hint("set this machine's clock"),
        ("AccessDenied" | "AllAccessDisabled", _) | (_, Some(401 | 403)) => {
            error(ErrorKind::Denied).hint("these keys aren't allowed to do this")
        }
        ("PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException", _)
        | (_, Some(301 | 307)) => {
            error(ErrorKind::Invalid).hint("the bucket is in another region: set AWS_REGION")
        }
        ("SlowDown" | "InternalError" | "ServiceUnavailable" | "RequestTimeout", _)
        | (_, Some(429 | 500..)) => {
            error(ErrorKind::Unavailable).hint("the store may be busy; trying again may help")
        }
        (_, Some(404)) => Error::not_found(format!("there is no object {place}")),
        _ => error(ErrorKind::Invalid),
    }
}

/// The last cause: the one that says what happened, such as "Connection refused".
fn innermost(error: &(dyn StdError + 'static)) -> String {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last.to_string()
}

fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = String::new();
    let mut next = Some(error);
    while let Some(cause) = next {
        text.push_str(&cause.to_string());
        text.push('\n');
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_keep_their_kind() {
        let place = Place::object("lake", "a/b.csv");
        let kind = |code, status| from_code(code, "", status, "read", &place).kind;
        assert_eq!(kind("NoSuchBucket", Some(404)), ErrorKind::NotFound);
        assert_eq!(kind("NoSuchKey", Some(404)), ErrorKind::NotFound);
        assert_eq!(kind("", Some(404)), ErrorKind::NotFound);
        assert_eq!(kind("PreconditionFailed", Some(412)), ErrorKind::Conflict);
        assert_eq!(kind("SignatureDoesNotMatch", Some(403)), ErrorKind::Denied);
        assert_eq!(kind("", Some(403)), ErrorKind::Denied);
        assert_eq!(kind("SlowDown", Some(503)), ErrorKind::Unavailable);
        assert_eq!(kind("InvalidArgument", Some(400)), ErrorKind::Invalid);
    }
}
