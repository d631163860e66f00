//! What several kinds of request say alike, and what is announced of a change. The protocol library has one struct for
//! each operation, so what they share can only be named by a macro.

use super::{ObjectChange, ObjectChangeKind};

/// Says that an object was written.
pub(super) fn created(
    bucket: String,
    key: String,
    size: u64,
    etag: &str,
    event_name: &'static str,
) -> Vec<ObjectChange> {
    vec![ObjectChange {
        bucket,
        key,
        kind: ObjectChangeKind::Created,
        size: Some(size),
        etag: Some(etag.to_owned()),
        event_name,
    }]
}

/// Says that an object is gone.
pub(super) fn removed(bucket: &str, key: &str) -> ObjectChange {
    ObjectChange {
        bucket: bucket.to_owned(),
        key: key.to_owned(),
        kind: ObjectChangeKind::Removed,
        size: None,
        etag: None,
        event_name: "ObjectRemoved:Delete",
    }
}

/// The attributes in a request to write; four kinds of request name them alike.
macro_rules! attributes {
    ($input:expr) => {{
        let mut attributes = $crate::lake::record::Attributes {
            content_type: $input.content_type.take(),
            content_disposition: $input.content_disposition.take(),
            content_language: $input.content_language.take(),
            cache_control: $input.cache_control.take(),
            metadata: $input.metadata.take().unwrap_or_default().into_iter().collect(),
            ..$crate::lake::record::Attributes::default()
        };
        attributes.set_encoding($input.content_encoding.take());
        attributes.set_expires($input.expires.as_ref());
        attributes
    }};
}

/// What a request to write says about its bytes.
macro_rules! announced {
    ($input:expr) => {
        $crate::lake::receive::Announced {
            length: $input.content_length,
            md5: $input.content_md5.take(),
            algorithm: $input.checksum_algorithm.take(),
            checksums: $crate::lake::record::Checksums {
                crc32: $input.checksum_crc32.take(),
                crc32c: $input.checksum_crc32c.take(),
                crc64nvme: $input.checksum_crc64nvme.take(),
                sha1: $input.checksum_sha1.take(),
                sha256: $input.checksum_sha256.take(),
            },
        }
    };
}

/// What a request to read demands of the object.
macro_rules! read_conditions {
    ($input:expr) => {
        $crate::lake::conditions::ReadConditions {
            if_match: $input.if_match.take(),
            if_none_match: $input.if_none_match.take(),
            if_modified_since: $input.if_modified_since.take(),
            if_unmodified_since: $input.if_unmodified_since.take(),
        }
    };
}

/// What a request to copy demands of the source.
macro_rules! source_conditions {
    ($input:expr) => {
        $crate::lake::conditions::ReadConditions {
            if_match: $input.copy_source_if_match.take(),
            if_none_match: $input.copy_source_if_none_match.take(),
            if_modified_since: $input.copy_source_if_modified_since.take(),
            if_unmodified_since: $input.copy_source_if_unmodified_since.take(),
        }
    };
}

pub(super) use {announced, attributes, read_conditions, source_conditions};
