//! What the lake knows of an object besides its bytes, in a file of its own.
//!
//! The record's name holds the time and size of the version that it describes. So it is written before the version
//! appears, belongs to no other, and the one rename of the object's file changes bytes and record together.

use std::collections::BTreeMap;
use std::time::UNIX_EPOCH;

use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::{self, Timestamp, TimestampFormat};
use serde::{Deserialize, Serialize};

use super::place::Facts;

/// What a client said about an object when it wrote it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Attributes {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content_encoding: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content_disposition: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content_language: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cache_control: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) expires: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) metadata: BTreeMap<String, String>,
}

/// The checksums of a whole object, in base 64, as the client chose them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Checksums {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) crc32: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) crc32c: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) crc64nvme: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sha1: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sha256: Option<String>,
}

/// One version of one object.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) etag: String,
    #[serde(default)]
    pub(super) attributes: Attributes,
    #[serde(default)]
    pub(super) checksums: Checksums,
    /// Whether the checksums are made of those of the parts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) composite: bool,
    /// The sizes of the parts it was uploaded in, bytes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) parts: Vec<u64>,
    /// The upload that made it, so that completing it again after a crash does no harm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) upload: Option<String>,
}

impl Attributes {
    /// `aws-chunked` describes how the bytes travelled, not the object.
    pub(super) fn set_encoding(&mut self, encoding: Option<String>) {
        let kept: Vec<&str> = encoding
            .as_deref()
            .unwrap_or_default()
            .split(',')
            .map(str::trim)
            .filter(|token| !token.is_empty() && *token != "aws-chunked")
            .collect();
        self.content_encoding = (!kept.is_empty()).then(|| kept.join(","));
    }

    pub(super) fn set_expires(&mut self, expires: Option<&Timestamp>) {
        self.expires = expires.and_then(|time| {
            let mut text = Vec::new();
            time.format(TimestampFormat::HttpDate, &mut text).ok()?;
            String::from_utf8(text).ok()
        });
    }

    pub(super) fn expires(&self) -> Option<Timestamp> {
        Timestamp::parse(TimestampFormat::HttpDate, self.expires.as_deref()?).ok()
    }

    pub(super) fn metadata(&self) -> Option<dto::Metadata> {
        (!self.metadata.is_empty()).then(|| self.metadata.clone().into_iter().collect())
    }
}

impl Record {
    /// What kind of checksums it has, if any.
    pub(super) fn checksum_type(&self) -> Option<dto::ChecksumType> {
        self.checksums.algorithms().next()?;
        Some(dto::ChecksumType::from_static(match self.composite {
            true => dto::ChecksumType::COMPOSITE,
            false => dto::ChecksumType::FULL_OBJECT,
        }))
    }

    /// Of a file that was put into the folder by other means: its ETag changes when the file does, and has the shape
    /// of a multipart upload's, which no client takes for the MD5 of the content.
    pub(super) fn of_stranger(file: &Facts) -> Self {
        let mut digest = Md5::new();
        digest.update(version_of(file).as_bytes());
        Self {
            etag: format!("{}-1", hex::encode(digest.finalize())),
            ..Self::default()
        }
    }
}

/// What tells this version of a file from every other of the same name.
pub(super) fn version_of(file: &Facts) -> String {
    let time = file.modified.duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{}-{}", time.as_nanos(), file.size)
}
