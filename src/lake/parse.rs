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

/// An answer that names checksums.
macro_rules! with_checksums {
    ($output:ident, $checksums:expr, $($field:ident: $value:expr),* $(,)?) => {{
        let checksums = $checksums;
        $output {
            $($field: $value,)*
            checksum_crc32: checksums.crc32,
            checksum_crc32c: checksums.crc32c,
            checksum_crc64nvme: checksums.crc64nvme,
            checksum_sha1: checksums.sha1,
            checksum_sha256: checksums.sha256,
            ..$output::default()
        }
    }};
}

/// What a request to read wants of an object.
macro_rules! wanted {
    ($input:expr) => {
        $crate::lake::object::Wanted {
            range: $input.range,
            part: $input.part_number,
            checksums: $input
                .checksum_mode
                .as_ref()
                .is_some_and(|mode| mode.as_str() == "ENABLED"),
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

pub(super) use {attributes, read_conditions, source_conditions, wanted, with_checksums};
