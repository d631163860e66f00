//! Where objects are: `s3://bucket/key`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// An object's or a prefix's place in an object store. The key is kept as it is, never decoded or normalised.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Location {
    /// The bucket's name.
    pub bucket: String,
    /// The object's key, or the prefix of many; may be empty.
    pub key: String,
}

impl Location {
    /// Reads `s3://bucket/key`; `s3a://` and `s3n://`, Hadoop's spellings, are taken too.
    ///
    /// # Errors
    /// Invalid where it is none of these.
    pub fn parse(text: &str) -> Result<Self> {
        let rest = ["s3://", "s3a://", "s3n://"]
            .iter()
            .find_map(|scheme| text.strip_prefix(scheme))
            .ok_or_else(|| {
                Error::invalid(format!("'{text}' is not a location")).hint("write it as s3://bucket/prefix/")
            })?;
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(
                Error::invalid(format!("'{text}' names no bucket")).hint("write it as s3://bucket/prefix/")
            );
        }
        Ok(Self {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
        })
    }

    /// The location of `key` in the same bucket.
    #[must_use]
    pub fn with_key(&self, key: impl Into<String>) -> Self {
        Self {
            bucket: self.bucket.clone(),
            key: key.into(),
        }
    }

    /// The same location as a folder: its key is empty or ends with `/`.
    #[must_use]
    pub fn as_folder(&self) -> Self {
        if self.key.is_empty() || self.key.ends_with('/') {
            self.clone()
        } else {
            self.with_key(format!("{}/", self.key))
        }
    }

    /// Whether two texts are one folder: with or without its last `/`, in whichever spelling of the scheme. What is no
    /// location is the same as itself alone.
    pub fn is_same_folder(one: &str, other: &str) -> bool {
        match (Self::parse(one), Self::parse(other)) {
            (Ok(one), Ok(other)) => one.as_folder() == other.as_folder(),
            _ => one == other,
        }
    }

    /// Whether an object lies below this folder.
    pub fn contains(&self, bucket: &str, key: &str) -> bool {
        self.bucket == bucket && key.starts_with(&self.as_folder().key)
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

/// A `key=value` folder: the partition key's name in lower case, and the value with `%XX` undone, as Hive writes it.
pub fn partition_of_segment(segment: &str) -> Option<(String, String)> {
    let (name, value) = segment.split_once('=')?;
    if name.is_empty() || value.is_empty() || name.contains(char::is_control) {
        return None;
    }
    let decoded = percent_decoded(value);
    // No database holds a NUL: the folder's own spelling is the value then.
    let value = match decoded.contains('\0') {
        true => value.to_owned(),
        false => decoded,
    };
    Some((name.to_lowercase(), value))
}

/// A partition's value as it stands in a folder's name: what Hive escapes there is written `%XX`
/// (`FileUtils.escapePathName`).
pub fn hive_escaped(value: &str) -> String {
    const ESCAPED: &[char] = &[
        '"', '#', '%', '\'', '*', '/', ':', '=', '?', '\\', '{', '[', ']', '^', '\u{7f}',
    ];
    let mut escaped = String::with_capacity(value.len());
    for c in value.chars() {
        if ESCAPED.contains(&c) || c < ' ' {
            escaped.push_str(&format!("%{:02X}", u32::from(c)));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// Undoes `%XX`; what is not valid stays as it is.
pub fn percent_decoded(text: &str) -> String {
    percent_decoded_strictly(text).unwrap_or_else(|| text.to_owned())
}

/// As [`percent_decoded`]; none where the bytes that come of it are not UTF-8.
pub fn percent_decoded_strictly(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digit = |at: usize| char::from(*bytes.get(at)?).to_digit(16);
        let pair = digit(at + 1).zip(digit(at + 2));
        let byte = pair.and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
        match (bytes[at], byte) {
            (b'%', Some(byte)) => {
                decoded.push(byte);
                at += 3;
            }
            (byte, _) => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percent_sign_is_undone_before_two_digits() {
        for (text, decoded) in [
            ("a%2Fb%2fc", "a/b/c"),
            ("%C3%A9", "\u{e9}"),
            ("%+1%-1% 1", "%+1%-1% 1"),
            ("100%", "100%"),
            ("%4", "%4"),
            ("%\u{e9}9", "%\u{e9}9"),
        ] {
            assert_eq!(percent_decoded(text), decoded, "{text}");
        }
        assert_eq!(
            (percent_decoded("%E9"), percent_decoded_strictly("%E9")),
            ("%E9".to_owned(), None)
        );
    }

    #[test]
    fn locations_are_read_as_written() {
        let location = Location::parse("s3://lake/raw/a b%20c.csv").unwrap();
        assert_eq!(location.key, "raw/a b%20c.csv");
        assert_eq!(location.to_string(), "s3://lake/raw/a b%20c.csv");
        assert_eq!(Location::parse("s3://lake").unwrap().to_string(), "s3://lake/");
        assert!(Location::parse("/tmp/x").is_err());
        assert!(Location::parse("s3:///x").is_err());
    }

    #[test]
    fn a_folder_contains_what_is_below_it_and_not_its_namesakes() {
        let folder = Location::parse("s3://lake/raw").unwrap();
        assert!(folder.contains("lake", "raw/x"));
        assert!(!folder.contains("lake", "rawest/x"));
        assert!(!folder.contains("pond", "raw/x"));
    }

    #[test]
    fn a_folder_is_the_same_in_every_spelling() {
        for other in ["s3://lake/raw", "s3a://lake/raw/", "s3n://lake/raw"] {
            assert!(Location::is_same_folder("s3://lake/raw/", other), "{other}");
        }
        assert!(!Location::is_same_folder("s3://lake/raw/", "s3://lake/Raw/"));
        assert!(Location::is_same_folder("shop.public.t", "shop.public.t"));
        assert!(!Location::is_same_folder("shop.public.t", "s3://lake/raw/"));
    }

    #[test]
    fn partition_folders() {
        assert_eq!(
            partition_of_segment("Year=2017"),
            Some(("year".into(), "2017".into()))
        );
        assert_eq!(
            partition_of_segment("d=a%2Fb%zz"),
            Some(("d".into(), "a/b%zz".into()))
        );
        assert_eq!(partition_of_segment("plain"), None);
        assert_eq!(partition_of_segment("=x"), None);
    }
}
