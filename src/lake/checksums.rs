//! Checksums: what a client says of its bytes, and what they are found to be. What isn't understood is refused by name.

use std::fmt;

use hyper::HeaderMap;
use hyper::header::CONTENT_LENGTH;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256};
use s3s::{S3Result, s3_error};
use serde::{Deserialize, Serialize};

use super::record::Checksums;

/// What the name of each header with a checksum begins with.
const HEADER: &str = "x-amz-checksum-";

/// A checksum that S3 knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Algorithm {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha1,
    Sha256,
}

impl Algorithm {
    pub(super) const ALL: [Self; 5] = [
        Self::Crc32,
        Self::Crc32c,
        Self::Crc64Nvme,
        Self::Sha1,
        Self::Sha256,
    ];

    /// The algorithm of this name, in capitals or not.
    pub(super) fn named(name: &str) -> S3Result<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| name.eq_ignore_ascii_case(&algorithm.to_string()))
            .ok_or_else(|| s3_error!(NotImplemented, "this store doesn't know the checksum `{}`", name))
    }

    /// The header that holds such a checksum.
    pub(super) fn header(self) -> String {
        format!("{HEADER}{}", self.to_string().to_lowercase())
    }

    /// How many bytes a checksum has.
    fn length(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64Nvme => 8,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    /// Whether the checksum of a whole can be that of its bytes, however they were uploaded.
    pub(super) fn spans_parts(self) -> bool {
        !matches!(self, Self::Sha1 | Self::Sha256)
    }

    /// Whether the checksum of a whole can be made of those of its parts.
    pub(super) fn composes(self) -> bool {
        self != Self::Crc64Nvme
    }

    /// The checksum of some bytes.
    fn of(self, bytes: &[u8]) -> String {
        match self {
            Self::Crc32 => base64(&Crc32::checksum(bytes)),
            Self::Crc32c => base64(&Crc32c::checksum(bytes)),
            Self::Crc64Nvme => base64(&Crc64Nvme::checksum(bytes)),
            Self::Sha1 => base64(&Sha1::checksum(bytes)),
            Self::Sha256 => base64(&Sha256::checksum(bytes)),
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        })
    }
}

impl Checksums {
    pub(super) fn get(&self, algorithm: Algorithm) -> Option<&String> {
        match algorithm {
            Algorithm::Crc32 => self.crc32.as_ref(),
            Algorithm::Crc32c => self.crc32c.as_ref(),
            Algorithm::Crc64Nvme => self.crc64nvme.as_ref(),
            Algorithm::Sha1 => self.sha1.as_ref(),
            Algorithm::Sha256 => self.sha256.as_ref(),
        }
    }

    pub(super) fn set(&mut self, algorithm: Algorithm, value: String) {
        *match algorithm {
            Algorithm::Crc32 => &mut self.crc32,
            Algorithm::Crc32c => &mut self.crc32c,
            Algorithm::Crc64Nvme => &mut self.crc64nvme,
            Algorithm::Sha1 => &mut self.sha1,
            Algorithm::Sha256 => &mut self.sha256,
        } = Some(value);
    }

    /// The algorithms that there are checksums of.
    pub(super) fn algorithms(&self) -> impl Iterator<Item = Algorithm> {
        Algorithm::ALL
            .into_iter()
            .filter(|algorithm| self.get(*algorithm).is_some())
    }
}

/// What a client says about the bytes that it sends.
#[derive(Debug, Default)]
pub(super) struct Announced {
    lengths: Vec<u64>,
    md5: Option<String>,
    /// That of a checksum which the client wants to be kept, too.
    algorithm: Option<Algorithm>,
    checksums: Checksums,
    /// The headers that are to come after the bytes.
    promised: Vec<Algorithm>,
}

impl Announced {
    /// What the headers say.
    pub(super) fn in_headers(headers: &HeaderMap) -> S3Result<Self> {
        let mut announced = Self {
            md5: only(headers, "content-md5")?,
            promised: promised(headers)?,
            ..Self::default()
        };
        if announced
            .md5
            .as_ref()
            .is_some_and(|md5| from_base64(md5).is_none_or(|md5| md5.len() != 16))
        {
            return Err(s3_error!(
                InvalidDigest,
                "The Content-MD5 you specified was invalid."
            ));
        }
        for name in [CONTENT_LENGTH.as_str(), "x-amz-decoded-content-length"] {
            if let Some(text) = only(headers, name)? {
                let length = text
                    .parse()
                    .map_err(|_| s3_error!(InvalidArgument, "{} is no length: `{}`", name, text))?;
                announced.lengths.push(length);
            }
        }
        if let Some(name) = only(headers, "x-amz-sdk-checksum-algorithm")? {
            announced.algorithm = Some(Algorithm::named(&name)?);
        }
        announced.checksums = checksums_in(headers)?;
        Ok(announced)
    }

    /// The checksums that are to be worked out.
    pub(super) fn hasher(&self) -> Hasher {
        Hasher::of(
            self.checksums
                .algorithms()
                .chain(self.algorithm)
                .chain(self.promised.iter().copied()),
        )
    }

    /// Takes what came after the bytes. What was promised must be among it, and nothing else.
    pub(super) fn add_trailers(&mut self, trailers: Option<&HeaderMap>) -> S3Result<()> {
        let empty = HeaderMap::new();
        let trailers = trailers.unwrap_or(&empty);
        let came = checksums_in(trailers)?;
        for algorithm in Algorithm::ALL {
            let promised = self.promised.contains(&algorithm);
            match came.get(algorithm) {
                Some(value) if promised => self.checksums.set(algorithm, value.clone()),
                None if !promised => {}
                Some(_) => return Err(bad_trailer("a checksum came that x-amz-trailer doesn't name")),
                None => return Err(bad_trailer("a checksum that x-amz-trailer names didn't come")),
            }
        }
        let is_known = |name: &str| name.starts_with(HEADER) || name == "x-amz-trailer-signature";
        match trailers.keys().find(|name| !is_known(name.as_str())) {
            Some(_) => Err(bad_trailer("a header came that x-amz-trailer doesn't name")),
            None => Ok(()),
        }
    }

    /// Checks how many bytes came.
    pub(super) fn check_length(&self, found: u64) -> S3Result<()> {
        match self.lengths.iter().all(|announced| *announced == found) {
            true => Ok(()),
            false => Err(s3_error!(
                IncompleteBody,
                "You did not provide the number of bytes specified by the Content-Length HTTP header"
            )),
        }
    }

    /// Checks what the bytes were found to be.
    pub(super) fn check(&self, found: &Found) -> S3Result<()> {
        if self.md5.as_ref().is_some_and(|md5| *md5 != base64(&found.md5)) {
            return Err(s3_error!(
                BadDigest,
                "The Content-MD5 you specified did not match what we received."
            ));
        }
        for algorithm in self.checksums.algorithms() {
            if self.checksums.get(algorithm) != found.checksums.get(algorithm) {
                return Err(s3_error!(
                    BadDigest,
                    "The {} you specified did not match the calculated checksum.",
                    algorithm
                ));
            }
        }
        Ok(())
    }
}

/// What some bytes were found to be.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    pub(super) md5: [u8; 16],
    pub(super) checksums: Checksums,
}

/// Works out an MD5 and checksums as the bytes go by.
pub(super) struct Hasher {
    md5: Option<Md5>,
    checksums: ChecksumHasher,
}

impl Hasher {
    pub(super) fn of(algorithms: impl Iterator<Item = Algorithm>) -> Self {
        let mut checksums = ChecksumHasher::default();
        for algorithm in algorithms {
            match algorithm {
                Algorithm::Crc32 => checksums.crc32 = Some(Crc32::new()),
                Algorithm::Crc32c => checksums.crc32c = Some(Crc32c::new()),
                Algorithm::Crc64Nvme => checksums.crc64nvme = Some(Crc64Nvme::new()),
                Algorithm::Sha1 => checksums.sha1 = Some(Sha1::new()),
                Algorithm::Sha256 => checksums.sha256 = Some(Sha256::new()),
            }
        }
        Self {
            md5: Some(Md5::new()),
            checksums,
        }
    }

    /// Without the MD5.
    pub(super) fn of_only(algorithms: &[Algorithm]) -> Self {
        Self {
            md5: None,
            ..Self::of(algorithms.iter().copied())
        }
    }

    pub(super) fn of_all() -> Self {
        Self::of(Algorithm::ALL.into_iter())
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        if let Some(md5) = &mut self.md5 {
            md5.update(bytes);
        }
        self.checksums.update(bytes);
    }

    pub(super) fn finish(self) -> Found {
        let sums = self.checksums.finalize();
        Found {
            md5: self.md5.map(Md5::finalize).unwrap_or_default(),
            checksums: Checksums {
                crc32: sums.checksum_crc32,
                crc32c: sums.checksum_crc32c,
                crc64nvme: sums.checksum_crc64nvme,
                sha1: sums.checksum_sha1,
                sha256: sums.checksum_sha256,
            },
        }
    }
}

/// The checksum of an object that is made of those of its parts: `…-3`.
pub(super) fn composed(algorithm: Algorithm, parts: &[Checksums]) -> Option<String> {
    let mut all = Vec::new();
    for part in parts {
        all.extend(from_base64(part.get(algorithm)?)?);
    }
    Some(format!("{}-{}", algorithm.of(&all), parts.len()))
}

/// The checksums that headers hold, each well-formed.
pub(super) fn checksums_in(headers: &HeaderMap) -> S3Result<Checksums> {
    let mut checksums = Checksums::default();
    for name in headers.keys() {
        let Some(kind) = name.as_str().strip_prefix(HEADER) else {
            continue;
        };
        if matches!(kind, "algorithm" | "mode" | "type") {
            continue;
        }
        let algorithm = Algorithm::named(kind)?;
        if let Some(value) = only(headers, name.as_str())? {
            // What is said of an upload in parts may say how many there were.
            let sum = value.split_once('-').map_or(value.as_str(), |(sum, _)| sum);
            if from_base64(sum).is_none_or(|sum| sum.len() != algorithm.length()) {
                return Err(s3_error!(
                    InvalidRequest,
                    "Value for {} header is invalid.",
                    name.as_str()
                ));
            }
            checksums.set(algorithm, value);
        }
    }
    Ok(checksums)
}

/// The checksums that are to come after the bytes.
fn promised(headers: &HeaderMap) -> S3Result<Vec<Algorithm>> {
    let mut promised = Vec::new();
    for value in headers.get_all("x-amz-trailer") {
        let text = value.to_str().unwrap_or("?");
        for name in text.split(',').map(|name| name.trim().to_ascii_lowercase()) {
            let kind = name.strip_prefix(HEADER).ok_or_else(|| {
                s3_error!(
                    InvalidRequest,
                    "The value specified in the x-amz-trailer header is not supported"
                )
            })?;
            promised.push(Algorithm::named(kind)?);
        }
    }
    Ok(promised)
}

/// The value of a header that may be there once.
fn only(headers: &HeaderMap, name: &str) -> S3Result<Option<String>> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    match (value.to_str(), values.next()) {
        (Ok(value), None) => Ok(Some(value.trim().to_owned())),
        _ => Err(s3_error!(InvalidRequest, "Value for {} header is invalid.", name)),
    }
}

fn bad_trailer(text: &'static str) -> s3s::S3Error {
    let code = s3s::S3ErrorCode::Custom("MalformedTrailerError".into());
    let mut error = s3s::S3Error::with_message(code, text);
    error.set_status_code(hyper::StatusCode::BAD_REQUEST);
    error
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base 64 with padding (RFC 4648 §4).
fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = group
            .iter()
            .fold(0_u32, |bits, byte| (bits << 8) | u32::from(*byte))
            << (8 * (3 - group.len()));
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place)) as usize & 63];
            text.push(if place <= group.len() {
                char::from(digit)
            } else {
                '='
            });
        }
    }
    text
}

fn from_base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for group in text.as_bytes().chunks(4) {
        let digits: Vec<u32> = group
            .iter()
            .take_while(|byte| **byte != b'=')
            .map(|byte| {
                let place = DIGITS.iter().position(|digit| digit == byte)?;
                u32::try_from(place).ok()
            })
            .collect::<Option<_>>()?;
        let bits = digits.iter().fold(0, |bits, digit| (bits << 6) | digit) << (6 * (4 - digits.len()));
        bytes.extend_from_slice(&bits.to_be_bytes()[1..digits.len().max(1)]);
    }
    // One spelling for each value: padded, at the end, and without bits that say nothing.
    (base64(&bytes) == text).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_pads_and_has_one_spelling() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(bytes.as_bytes()), text);
            assert_eq!(from_base64(text).unwrap(), bytes.as_bytes());
        }
        for wrong in [
            "Zg", "Zg=", "Zh==", "Z===", "====", "Zm9v=", "Zg==Zg==", "Z g=", "ü",
        ] {
            assert_eq!(from_base64(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_not_known_is_refused_by_name() {
        let mut headers = HeaderMap::new();
        headers.insert("x-amz-checksum-xxhash3", "AAAA".parse().unwrap());
        let error = Announced::in_headers(&headers).unwrap_err();
        assert!(error.message().unwrap().contains("xxhash3"));
    }
}
