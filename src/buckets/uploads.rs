//! Multipart uploads: an object's bytes are handed over beforehand and appear at once when the upload is completed.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::failure::{self, Place};
use super::{Buckets, to_chrono, unquoted};
use crate::error::{Error, Result};

/// One part that the store has taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadedPart {
    /// From 1 to 10,000.
    pub number: i32,
    /// Without quotes.
    pub etag: String,
    /// Bytes.
    pub size: u64,
}

/// How completing an upload ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Completed {
    /// The object is there.
    Done {
        /// The object's ETag, without quotes.
        etag: String,
    },
    /// The store doesn't know the upload: it was completed before, or aborted. A HEAD of the key tells which.
    NoSuchUpload,
}

/// An upload that was begun and neither completed nor aborted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingUpload {
    /// The raw key that it is for.
    pub key: String,
    /// The store's name for it.
    pub upload_id: String,
    /// When it was begun.
    pub initiated: DateTime<Utc>,
}

impl Buckets {
    /// Begins an upload and gives its id. `metadata` are the object's `x-amz-meta-*` pairs.
    ///
    /// # Errors
    /// `NotFound` when there is no such bucket, `Invalid` when the store can't hold the key, `Denied`, `Unavailable`.
    pub async fn create_upload(
        &self,
        bucket: &str,
        key: &str,
        content_type: &str,
        metadata: &[(&str, &str)],
    ) -> Result<String> {
        let place = Place::object(bucket, key);
        let mut request = self
            .client
            .create_multipart_upload()
            .bucket(bucket)
            .key(key)
            .content_type(content_type);
        for (name, value) in metadata {
            request = request.metadata(*name, *value);
        }
        let answer = request
            .send()
            .await
            .map_err(|error| failure::from_sdk(error, "begin to write", &place))?;
        answer
            .upload_id
            .ok_or_else(|| Error::unavailable(format!("the store gave no upload id for {place}")))
    }

    /// Hands over one part. All but the last must have 5 MiB or more.
    ///
    /// # Errors
    /// `NotFound` when the upload is gone, `Denied`, `Unavailable`.
    pub async fn upload_part(
        &self,
        bucket: &str,
        key: &str,
        upload_id: &str,
        number: i32,
        bytes: impl Into<Bytes>,
    ) -> Result<UploadedPart> {
        let bytes = bytes.into();
        let size = bytes.len() as u64;
        let answer = self
            .client
            .upload_part()
            .bucket(bucket)
            .key(key)
            .upload_id(upload_id)
            .part_number(number)
            .body(ByteStream::from(bytes))
            .send()
            .await
            .map_err(|error| failure::from_sdk(error, "write a part of", &Place::object(bucket, key)))?;
        Ok(UploadedPart {
            number,
            etag: unquoted(answer.e_tag()),
            size,
        })
    }

    /// Makes the object visible, whole.
    ///
    /// # Errors
    /// `Invalid` when the parts aren't the store's, `Denied`, `Unavailable` (then the object may be there or not).
    pub async fn complete_upload(
        &self,
        bucket: &str,
        key: &str,
        upload_id: &str,
        parts: &[UploadedPart],
    ) -> Result<Completed> {
        let parts = parts
            .iter()
            .map(|part| {
                CompletedPart::builder()
                    .part_number(part.number)
                    .e_tag(&part.etag)
                    .build()
            })
            .collect();
        let answer = self
            .client
            .complete_multipart_upload()
            .bucket(bucket)
            .key(key)
            .upload_id(upload_id)
            .multipart_upload(CompletedMultipartUpload::builder().set_parts(Some(parts)).build())
            .send()
            .await;
        match answer {
            Ok(done) => Ok(Completed::Done {
                etag: unquoted(done.e_tag()),
            }),
            Err(error) if failure::code(&error) == Some("NoSuchUpload") => Ok(Completed::NoSuchUpload),
            Err(error) => Err(failure::from_sdk(error, "complete", &Place::object(bucket, key))),
        }
    }

    /// Gives up an upload and frees what was handed over. One that is gone counts as given up.
    ///
    /// # Errors
    /// `Denied`, `Unavailable`.
    pub async fn abort_upload(&self, bucket: &str, key: &str, upload_id: &str) -> Result<()> {
        let request = self
            .client
            .abort_multipart_upload()
            .bucket(bucket)
            .key(key)
            .upload_id(upload_id);
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) if failure::status(&error) == Some(404) => Ok(()),
            Err(error) => Err(failure::from_sdk(error, "give up", &Place::object(bucket, key))),
        }
    }

    /// The uploads of `bucket` for keys that begin with `prefix` that were neither completed nor aborted.
    ///
    /// # Errors
    /// `NotFound` when there is no such bucket, `Denied`, `Unavailable`.
    pub async fn list_uploads(&self, bucket: &str, prefix: &str) -> Result<Vec<PendingUpload>> {
        let mut pending = Vec::new();
        let mut marker: (Option<String>, Option<String>) = (None, None);
        loop {
            let page = self
                .client
                .list_multipart_uploads()
                .bucket(bucket)
                .prefix(prefix)
                .set_key_marker(marker.0.clone())
                .set_upload_id_marker(marker.1.clone())
                .send()
                .await
                .map_err(|error| {
                    failure::from_sdk(error, "list the uploads to", &Place::object(bucket, prefix))
                })?;
            pending.extend(page.uploads().iter().map(|upload| PendingUpload {
                key: upload.key().unwrap_or_default().to_owned(),
                upload_id: upload.upload_id().unwrap_or_default().to_owned(),
                initiated: to_chrono(upload.initiated()),
            }));
            let next = (
                page.next_key_marker().map(str::to_owned),
                page.next_upload_id_marker().map(str::to_owned),
            );
            if page.is_truncated() != Some(true) || next == marker {
                return Ok(pending);
            }
            marker = next;
        }
    }
}
