//! `If-Match` and its kin: whether a request may go on, given the object as it is.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use s3s::dto::{ETag, ETagCondition, Timestamp};
use s3s::{S3Result, s3_error};

/// What a writer demands of the object that it is about to replace or remove.
#[derive(Clone, Debug, Default)]
pub(super) struct WriteConditions {
    pub(super) if_match: Option<ETagCondition>,
    pub(super) if_none_match: Option<ETagCondition>,
}

impl WriteConditions {
    /// Checks them against the ETag of the object as it is, if there is one.
    pub(super) fn check(&self, etag: Option<&str>) -> S3Result<()> {
        match (&self.if_match, etag) {
            (Some(_), None) => {
                return Err(s3_error!(
                    NoSuchKey,
                    "there is no object that If-Match could match"
                ));
            }
            (Some(wanted), Some(etag)) if !names(wanted, etag) => {
                return Err(s3_error!(PreconditionFailed, "the object has another ETag"));
            }
            _ => {}
        }
        match (&self.if_none_match, etag) {
            (Some(unwanted), Some(etag)) if names(unwanted, etag) => {
                Err(s3_error!(PreconditionFailed, "there is such an object already"))
            }
            _ => Ok(()),
        }
    }
}

/// What a reader demands.
#[derive(Clone, Debug, Default)]
pub(super) struct ReadConditions {
    pub(super) if_match: Option<ETagCondition>,
    pub(super) if_none_match: Option<ETagCondition>,
    pub(super) if_modified_since: Option<Timestamp>,
    pub(super) if_unmodified_since: Option<Timestamp>,
}

impl ReadConditions {
    /// Checks them in the order of RFC 9110 §13.2.2. `modified` counts in whole seconds, as HTTP does.
    pub(super) fn check(&self, etag: &str, modified: SystemTime) -> S3Result<()> {
        let modified = Timestamp::from(whole_seconds(modified));
        match (&self.if_match, &self.if_unmodified_since) {
            (Some(wanted), _) if !names(wanted, etag) => {
                return Err(s3_error!(PreconditionFailed, "the object has another ETag"));
            }
            (None, Some(since)) if modified > *since => {
                return Err(s3_error!(PreconditionFailed, "the object was changed since"));
            }
            _ => {}
        }
        match (&self.if_none_match, &self.if_modified_since) {
            (Some(known), _) if names(known, etag) => Err(s3_error!(NotModified)),
            (None, Some(since)) if modified <= *since => Err(s3_error!(NotModified)),
            _ => Ok(()),
        }
    }
}

fn names(condition: &ETagCondition, etag: &str) -> bool {
    condition
        .as_etag()
        .map(ETag::value)
        .is_none_or(|named| named == etag)
}

fn whole_seconds(time: SystemTime) -> SystemTime {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    UNIX_EPOCH + Duration::from_secs(since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn etag(value: &str) -> Option<ETagCondition> {
        Some(ETagCondition::ETag(ETag::Strong(value.to_owned())))
    }

    #[test]
    fn a_writer_may_demand_that_there_be_nothing() {
        let conditions = WriteConditions {
            if_none_match: Some(ETagCondition::Any),
            ..WriteConditions::default()
        };
        assert!(conditions.check(None).is_ok());
        assert!(conditions.check(Some("a")).is_err());
    }

    #[test]
    fn a_writer_may_demand_a_version() {
        let conditions = WriteConditions {
            if_match: etag("a"),
            ..WriteConditions::default()
        };
        assert!(conditions.check(Some("a")).is_ok());
        assert!(conditions.check(Some("b")).is_err());
        assert!(conditions.check(None).is_err());
    }

    #[test]
    fn a_reader_that_has_it_need_not_read_it() {
        let conditions = ReadConditions {
            if_none_match: etag("a"),
            ..ReadConditions::default()
        };
        assert!(conditions.check("a", UNIX_EPOCH).is_err());
        assert!(conditions.check("b", UNIX_EPOCH).is_ok());
    }
}
