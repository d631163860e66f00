//! How the parts of an upload become one file, and what the client says of them and of the whole is held against it.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::time::SystemTime;

use s3s::dto::CompletedPart;
use s3s::{S3Result, s3_error};
use serde::{Deserialize, Serialize};

use super::checksums::{Algorithm, Found, Hasher, composed};
use super::conditions::WriteConditions;
use super::disk::disk_failure;
use super::record::Checksums;

/// The least that a part must have unless it is the last, bytes.
const SMALLEST_PART: u64 = 5 * 1024 * 1024;

/// A part that was received.
#[derive(Clone)]
pub(super) struct StoredPart {
    pub(super) path: PathBuf,
    pub(super) number: i32,
    pub(super) etag: String,
    pub(super) size: u64,
    pub(super) modified: SystemTime,
}

/// A checksum that an upload's object is to have.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct ChecksumWish {
    pub(super) algorithm: Algorithm,
    /// Made of the checksums of the parts.
    pub(super) composite: bool,
}

impl ChecksumWish {
    /// What the client asks for when it begins an upload.
    pub(super) fn of(algorithm: Option<&str>, kind: Option<&str>) -> S3Result<Option<Self>> {
        let Some(name) = algorithm else {
            return match kind {
                None => Ok(None),
                Some(_) => Err(s3_error!(
                    InvalidRequest,
                    "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."
                )),
            };
        };
        let algorithm = Algorithm::named(name)?;
        let composite = match kind {
            Some(kind) => is_composite(kind)?,
            None => algorithm.composes(),
        };
        Self { algorithm, composite }.check().map(Some)
    }

    fn check(self) -> S3Result<Self> {
        let possible = match self.composite {
            true => self.algorithm.composes(),
            false => self.algorithm.spans_parts(),
        };
        match possible {
            true => Ok(self),
            false => Err(s3_error!(
                InvalidRequest,
                "The {} checksum type cannot be used with the {} checksum algorithm.",
                if self.composite {
                    "COMPOSITE"
                } else {
                    "FULL_OBJECT"
                },
                self.algorithm
            )),
        }
    }
}

fn is_composite(kind: &str) -> S3Result<bool> {
    match kind {
        "COMPOSITE" => Ok(true),
        "FULL_OBJECT" => Ok(false),
        other => Err(s3_error!(InvalidRequest, "there is no checksum type `{}`", other)),
    }
}

/// What the client says of an upload when it completes it.
#[derive(Default)]
pub(super) struct Completion {
    pub(super) parts: Vec<CompletedPart>,
    /// Of the whole.
    pub(super) checksums: Checksums,
    pub(super) checksum_type: Option<String>,
    pub(super) size: Option<i64>,
    pub(super) conditions: WriteConditions,
}

/// The stored parts that the client names, in its order, which must ascend.
pub(super) fn choose(wanted: &[CompletedPart], stored: &[StoredPart]) -> S3Result<Vec<StoredPart>> {
    let mut chosen: Vec<StoredPart> = Vec::with_capacity(wanted.len());
    for part in wanted {
        let number = part.part_number.unwrap_or_default();
        if chosen.last().is_some_and(|previous| previous.number >= number) {
            return Err(s3_error!(
                InvalidPartOrder,
                "the parts must be named in ascending order"
            ));
        }
        let etag = part.e_tag.as_ref().map(s3s::dto::ETag::value);
        let found = stored
            .iter()
            .filter(|stored| stored.number == number && etag.is_none_or(|etag| etag == stored.etag))
            .max_by_key(|stored| stored.modified)
            .ok_or_else(|| {
                s3_error!(
                    InvalidPart,
                    "part {} was not uploaded, or has another ETag",
                    number
                )
            })?;
        chosen.push(found.clone());
    }
    let Some((_, all_but_last)) = chosen.split_last() else {
        return Err(s3_error!(
            InvalidRequest,
            "an upload is completed with at least one part"
        ));
    };
    if let Some(small) = all_but_last.iter().find(|part| part.size < SMALLEST_PART) {
        return Err(s3_error!(
            EntityTooSmall,
            "part {} has {} bytes; all but the last must have {} or more",
            small.number,
            small.size,
            SMALLEST_PART
        ));
    }
    Ok(chosen)
}

/// Writes the parts one after the other, and checks what the client says of them and of the whole. Gives the object's
/// checksums, and whether they are made of those of the parts.
pub(super) fn assemble(
    parts: &[StoredPart],
    target: &mut File,
    wish: Option<ChecksumWish>,
    completion: &Completion,
) -> S3Result<(Checksums, bool)> {
    let composite = match (&completion.checksum_type, wish) {
        (Some(kind), wish) => {
            let composite = is_composite(kind)?;
            if wish.is_some_and(|wish| wish.composite != composite) {
                return Err(s3_error!(
                    InvalidRequest,
                    "The upload was created with another checksum type than {}.",
                    kind
                ));
            }
            composite
        }
        (None, Some(wish)) => wish.composite,
        (None, None) => completion.checksums.algorithms().any(|algorithm| {
            completion
                .checksums
                .get(algorithm)
                .is_some_and(|sum| sum.contains('-'))
        }),
    };
    let said: Vec<Checksums> = completion.parts.iter().map(checksums_of_part).collect();
    let algorithms: Vec<Algorithm> = Algorithm::ALL
        .into_iter()
        .filter(|algorithm| {
            wish.is_some_and(|wish| wish.algorithm == *algorithm)
                || completion.checksums.get(*algorithm).is_some()
                || said.iter().any(|part| part.get(*algorithm).is_some())
        })
        .collect();
    let (whole, found) = copy_parts(parts, target, &algorithms)?;
    for ((part, said), found) in parts.iter().zip(&said).zip(&found) {
        for algorithm in said.algorithms() {
            if said.get(algorithm) != found.get(algorithm) {
                return Err(s3_error!(
                    InvalidPart,
                    "part {} has another {} than is said",
                    part.number,
                    algorithm
                ));
            }
        }
    }
    let size: u64 = parts.iter().map(|part| part.size).sum();
    if completion
        .size
        .is_some_and(|said| u64::try_from(said) != Ok(size))
    {
        return Err(s3_error!(
            InvalidRequest,
            "The provided 'x-amz-mp-object-size' header value {} does not match what was computed: {}",
            completion.size.unwrap_or_default(),
            size
        ));
    }
    let mut kept = Checksums::default();
    for algorithm in algorithms {
        let asked = completion.checksums.get(algorithm);
        if asked.is_none() && wish.is_none_or(|wish| wish.algorithm != algorithm) {
            continue;
        }
        ChecksumWish { algorithm, composite }.check()?;
        let value = match composite {
            true => composed(algorithm, &found),
            false => whole.get(algorithm).cloned(),
        };
        let value = value.unwrap_or_default();
        // How many parts there are needn't be said.
        let bare = value.split_once('-').map_or(value.as_str(), |(sum, _)| sum);
        if asked.is_some_and(|asked| *asked != value && asked != bare) {
            return Err(s3_error!(
                BadDigest,
                "The {} you specified did not match the calculated checksum.",
                algorithm
            ));
        }
        kept.set(algorithm, value);
    }
    Ok((kept, composite))
}

/// Gives the checksums of the whole, and those of each part.
fn copy_parts(
    parts: &[StoredPart],
    target: &mut File,
    algorithms: &[Algorithm],
) -> S3Result<(Checksums, Vec<Checksums>)> {
    let mut whole = Hasher::of_only(algorithms);
    let mut each = Vec::with_capacity(parts.len());
    for part in parts {
        let mut source = File::open(&part.path).map_err(disk_failure)?;
        if algorithms.is_empty() {
            // The system does this without showing us the bytes.
            io::copy(&mut source, target).map_err(disk_failure)?;
            each.push(Checksums::default());
            continue;
        }
        let mut hasher = Hasher::of_only(algorithms);
        copy(source, target, &mut [&mut whole, &mut hasher]).map_err(disk_failure)?;
        each.push(hasher.finish().checksums);
    }
    let Found { checksums, .. } = whole.finish();
    Ok((checksums, each))
}

/// Copies bytes, and lets each of the hashers see them.
pub(super) fn copy(mut source: impl Read, target: &mut File, hashers: &mut [&mut Hasher]) -> io::Result<()> {
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let read = source.read(&mut buffer)?;
        if read == 0 {
            return Ok(());
        }
        for hasher in hashers.iter_mut() {
            hasher.update(&buffer[..read]);
        }
        target.write_all(&buffer[..read])?;
    }
}

fn checksums_of_part(part: &CompletedPart) -> Checksums {
    Checksums {
        crc32: part.checksum_crc32.clone(),
        crc32c: part.checksum_crc32c.clone(),
        crc64nvme: part.checksum_crc64nvme.clone(),
        sha1: part.checksum_sha1.clone(),
        sha256: part.checksum_sha256.clone(),
    }
}
