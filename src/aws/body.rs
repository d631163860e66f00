//! Bodies on their way in and out: what they may call themselves, JSON that is written straight, and gzip.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::Serialize;
use serde_json::Value;

use super::error::{Answer, Exception, Failure};
use super::request::without_nulls;
use super::{MAX_REQUEST, too_large};
use crate::error::Error;

/// What answers call themselves.
pub(super) const CONTENT: &str = "application/x-amz-json-1.1";
/// What requests may call themselves; clients of other AWS services write the others.
pub(super) const CONTENT_TAKEN: [&str; 3] = [CONTENT, "application/x-amz-json-1.0", "application/json"];
/// Shorter answers aren't worth compressing, in bytes.
const MIN_GZIP: usize = 1024;

/// An answer as it is written.
pub(crate) struct Body {
    pub(super) content: &'static str,
    pub(super) text: String,
}

impl Body {
    /// JSON that was written piece by piece.
    ///
    /// # Errors
    /// Internal where it is no text.
    pub(crate) fn written(text: Vec<u8>) -> Answer<Self> {
        match String::from_utf8(text) {
            Ok(text) => Ok(Self::json(text)),
            Err(cause) => Err(Error::internal("an answer is no text").source(cause).into()),
        }
    }

    /// The text of an answer that was given before.
    pub(crate) fn again(text: &str) -> Self {
        Self::json(text.to_owned())
    }

    /// JSON, written straight.
    ///
    /// # Errors
    /// Internal where it can't be written.
    pub(crate) fn of(answer: &impl Serialize) -> Answer<Self> {
        match serde_json::to_string(answer) {
            Ok(text) => Ok(Self::json(text)),
            Err(cause) => Err(Error::internal("an answer can't be written").source(cause).into()),
        }
    }

    /// As it is sent.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    fn json(text: String) -> Self {
        Self {
            content: CONTENT,
            text,
        }
    }
}

impl From<Value> for Body {
    fn from(answer: Value) -> Self {
        Self::json(without_nulls(answer).to_string())
    }
}

/// The same, compressed; none where that isn't worth it.
pub(super) fn gzipped(bytes: &[u8]) -> Option<Vec<u8>> {
    if bytes.len() < MIN_GZIP {
        return None;
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 8), Compression::fast());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok()
}

/// What was compressed, as far as a request may be long.
pub(super) fn unzipped(bytes: &[u8]) -> Answer<Vec<u8>> {
    let mut plain = Vec::new();
    let limit = u64::try_from(MAX_REQUEST).unwrap_or(u64::MAX) + 1;
    GzDecoder::new(bytes)
        .take(limit)
        .read_to_end(&mut plain)
        .map_err(|cause| {
            Failure::new(
                Exception::SERIALIZATION,
                format!("The body is not gzip: {cause}."),
            )
        })?;
    if plain.len() > MAX_REQUEST {
        return Err(too_large());
    }
    Ok(plain)
}
