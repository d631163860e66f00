//! Takes an object's bytes from a client into a temporary file, and checks on the way that they arrived as they left.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use hyper::HeaderMap;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::{ChecksumAlgorithm, StreamingBlob};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Result, s3_error};
use tokio::io::AsyncWriteExt;

use super::folder::{Folder, Temporary, disk_failure};
use super::record::Checksums;
use super::unsigned::Trailers;

/// How long a client may be silent in the middle of its bytes.
const SILENCE: Duration = Duration::from_secs(60);

/// What the client says about the bytes that it sends.
#[derive(Default)]
pub(super) struct Announced {
    pub(super) length: Option<i64>,
    pub(super) md5: Option<String>,
    pub(super) algorithm: Option<ChecksumAlgorithm>,
    pub(super) checksums: Checksums,
}

/// The bytes in a temporary file, and what they were found to be.
pub(super) struct Received {
    pub(super) temporary: Temporary,
    pub(super) md5: [u8; 16],
    pub(super) checksums: Checksums,
}

/// What the client will say about the bytes when it has sent them.
pub(super) struct Trailing {
    promised: Vec<String>,
    verified: Option<s3s::TrailingHeaders>,
    unverified: Option<Trailers>,
}

impl Trailing {
    pub(super) fn of<T>(request: &mut S3Request<T>) -> Self {
        let promised = request
            .headers
            .get_all("x-amz-trailer")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(|name| name.trim().to_ascii_lowercase())
            .collect();
        Self {
            promised,
            verified: request.trailing_headers.take(),
            unverified: request.extensions.remove::<Trailers>(),
        }
    }

    fn take(&self) -> Option<HeaderMap> {
        let verified = self.verified.as_ref().and_then(s3s::TrailingHeaders::take);
        verified.or_else(|| self.unverified.as_ref().and_then(Trailers::take))
    }
}

/// Takes all of `body`.
pub(super) async fn receive(
    folder: &Arc<Folder>,
    body: Option<StreamingBlob>,
    mut announced: Announced,
    trailing: &Trailing,
) -> S3Result<Received> {
    let temporary = folder.temporary().map_err(disk_failure)?;
    let mut file = tokio::fs::File::from_std(temporary.file.try_clone().map_err(disk_failure)?);
    let mut md5 = Md5::new();
    let mut hasher = hasher_for(&announced, &trailing.promised)?;
    let mut length: i64 = 0;
    if let Some(mut body) = body {
        while let Some(bytes) = next_bytes(&mut body).await? {
            md5.update(&bytes);
            hasher.update(&bytes);
            length += i64::try_from(bytes.len()).unwrap_or(i64::MAX);
            file.write_all(&bytes).await.map_err(disk_failure)?;
        }
    }
    file.flush().await.map_err(disk_failure)?;
    if announced.length.is_some_and(|announced| announced != length) {
        return Err(s3_error!(IncompleteBody));
    }
    let md5: [u8; 16] = md5.finalize();
    if announced
        .md5
        .as_ref()
        .is_some_and(|announced| *announced != base64(&md5))
    {
        return Err(s3_error!(
            BadDigest,
            "the bytes that arrived don't have this Content-MD5"
        ));
    }
    if let Some(headers) = trailing.take() {
        take_trailers(&mut announced.checksums, &headers);
    }
    let found = hasher.finalize();
    let checksums = Checksums {
        crc32: found.checksum_crc32,
        crc32c: found.checksum_crc32c,
        crc64nvme: found.checksum_crc64nvme,
        sha1: found.checksum_sha1,
        sha256: found.checksum_sha256,
    };
    compare(&announced.checksums, &checksums)?;
    Ok(Received {
        temporary,
        md5,
        checksums,
    })
}

async fn next_bytes(body: &mut StreamingBlob) -> S3Result<Option<bytes::Bytes>> {
    match tokio::time::timeout(SILENCE, body.next()).await {
        Err(_) => Err(s3_error!(
            RequestTimeout,
            "nothing came for {} seconds",
            SILENCE.as_secs()
        )),
        Ok(None) => Ok(None),
        Ok(Some(Ok(bytes))) => Ok(Some(bytes)),
        Ok(Some(Err(error))) => Err(broken_body(error)),
    }
}

/// The bytes broke off, or they aren't what their signature or checksum says.
fn broken_body(error: s3s::StdError) -> S3Error {
    let text = error.to_string();
    let code = if text.contains("SignatureMismatch") {
        S3ErrorCode::SignatureDoesNotMatch
    } else if text.contains("Sha256Mismatch") {
        S3ErrorCode::Custom("XAmzContentSHA256Mismatch".into())
    } else {
        S3ErrorCode::IncompleteBody
    };
    let is_unknown = matches!(code, S3ErrorCode::Custom(_));
    let mut refusal = S3Error::with_source(code, error);
    if is_unknown {
        refusal.set_status_code(hyper::StatusCode::BAD_REQUEST);
    }
    refusal
}

fn hasher_for(announced: &Announced, promised: &[String]) -> S3Result<ChecksumHasher> {
    let algorithm = announced.algorithm.as_ref().map(ChecksumAlgorithm::as_str);
    if let Some(name) = algorithm
        && !["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"].contains(&name)
    {
        return Err(s3_error!(
            NotImplemented,
            "this store doesn't know the checksum `{}`",
            name
        ));
    }
    let wanted = |name: &str, announced: &Option<String>| {
        announced.is_some()
            || algorithm.is_some_and(|algorithm| algorithm.eq_ignore_ascii_case(name))
            || promised
                .iter()
                .any(|trailer| trailer.strip_prefix("x-amz-checksum-") == Some(name))
    };
    let checksums = &announced.checksums;
    Ok(ChecksumHasher {
        crc32: wanted("crc32", &checksums.crc32).then(Default::default),
        crc32c: wanted("crc32c", &checksums.crc32c).then(Default::default),
        crc64nvme: wanted("crc64nvme", &checksums.crc64nvme).then(Default::default),
        sha1: wanted("sha1", &checksums.sha1).then(Default::default),
        sha256: wanted("sha256", &checksums.sha256).then(Default::default),
    })
}

fn take_trailers(checksums: &mut Checksums, headers: &HeaderMap) {
    let value = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned)
    };
    for (name, slot) in [
        ("x-amz-checksum-crc32", &mut checksums.crc32),
        ("x-amz-checksum-crc32c", &mut checksums.crc32c),
        ("x-amz-checksum-crc64nvme", &mut checksums.crc64nvme),
        ("x-amz-checksum-sha1", &mut checksums.sha1),
        ("x-amz-checksum-sha256", &mut checksums.sha256),
    ] {
        if let Some(value) = value(name) {
            *slot = Some(value);
        }
    }
}

fn compare(announced: &Checksums, found: &Checksums) -> S3Result<()> {
    for (name, announced, found) in [
        ("CRC32", &announced.crc32, &found.crc32),
        ("CRC32C", &announced.crc32c, &found.crc32c),
        ("CRC64NVME", &announced.crc64nvme, &found.crc64nvme),
        ("SHA1", &announced.sha1, &found.sha1),
        ("SHA256", &announced.sha256, &found.sha256),
    ] {
        if announced.is_some() && announced != found {
            return Err(s3_error!(
                BadDigest,
                "the bytes that arrived don't have this {}",
                name
            ));
        }
    }
    Ok(())
}

/// Base 64 with padding (RFC 4648 §4), for the sixteen bytes of an MD5.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
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

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_pads() {
        assert_eq!(base64(b""), "");
        assert_eq!(base64(b"f"), "Zg==");
        assert_eq!(base64(b"fo"), "Zm8=");
        assert_eq!(base64(b"foobar"), "Zm9vYmFy");
    }
}
