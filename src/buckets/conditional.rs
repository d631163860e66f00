//! Writes that happen only while something is so.

use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;

use super::failure::{self, Place};
use super::{Buckets, unquoted};
use crate::error::{Error, Result};

/// What must be so for an object to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// No object has the key.
    IsAbsent,
    /// The object has this entity tag.
    IsStill(String),
}

impl Buckets {
    /// As [`Buckets::put`], with `x-amz-meta-*` pairs, and only while `condition` holds.
    ///
    /// # Errors
    /// `Conflict` where the condition doesn't hold; as [`Buckets::put`].
    pub async fn put_if(
        &self,
        bucket: &str,
        key: &str,
        bytes: impl Into<Bytes>,
        metadata: &[(&str, &str)],
        condition: &Condition,
    ) -> Result<String> {
        let mut request = self.client.put_object().bucket(bucket).key(key);
        for (name, value) in metadata {
            request = request.metadata(*name, *value);
        }
        request = match condition {
            Condition::IsAbsent => request.if_none_match("*"),
            Condition::IsStill(etag) => request.if_match(format!("\"{etag}\"")),
        };
        match request.body(ByteStream::from(bytes.into())).send().await {
            Ok(answer) => Ok(unquoted(answer.e_tag())),
            // What isn't there has no tag to match.
            Err(error)
                if matches!(failure::status(&error), Some(404 | 409 | 412))
                    && failure::code(&error) != Some("NoSuchBucket") =>
            {
                Err(Error::conflict(format!(
                    "s3://{bucket}/{key} was changed meanwhile"
                )))
            }
            Err(error) => Err(failure::from_sdk(error, "write", &Place::object(bucket, key))),
        }
    }
}
