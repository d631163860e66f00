//! Takes an object's bytes from a client into a temporary file, and checks on the way that they arrived as they left.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use hyper::HeaderMap;
use s3s::crypto::{Checksum as _, Sha256};
use s3s::dto::StreamingBlob;
use s3s::{S3Error, S3ErrorCode, S3Request, S3Result, s3_error};
use tokio::io::AsyncWriteExt;

use super::arrival::{announced_sha256, other_bytes};
use super::checksums::{Announced, Found};
use super::disk::disk_failure;
use super::folder::{Folder, Temporary};
use super::unsigned::{Trailers, Unverified};

/// How long a client may be silent in the middle of its bytes.
const SILENCE: Duration = Duration::from_secs(60);

/// The bytes in a temporary file, and what they were found to be.
pub(super) struct Received {
    pub(super) temporary: Temporary,
    pub(super) found: Found,
}

/// What the client says about the bytes, before it sends them and after.
pub(super) struct Said {
    announced: Announced,
    /// Which digest the bytes must have that the protocol library doesn't check.
    sha256: Option<Vec<u8>>,
    verified: Option<s3s::TrailingHeaders>,
    unverified: Option<Trailers>,
}

impl Said {
    /// What is said in a request.
    pub(super) fn of<T>(request: &mut S3Request<T>) -> S3Result<Self> {
        let unverified = request.extensions.get::<Unverified>();
        Ok(Self {
            announced: Announced::in_headers(&request.headers)?,
            sha256: unverified.and_then(|_| announced_sha256(&request.headers)),
            verified: request.trailing_headers.take(),
            unverified: request.extensions.remove::<Trailers>(),
        })
    }

    fn trailers(&self) -> Option<HeaderMap> {
        let verified = self.verified.as_ref().and_then(s3s::TrailingHeaders::take);
        verified.or_else(|| self.unverified.as_ref().and_then(Trailers::take))
    }
}

/// Takes all of `body`.
pub(super) async fn receive(
    folder: &Arc<Folder>,
    body: Option<StreamingBlob>,
    mut said: Said,
) -> S3Result<Received> {
    let temporary = folder.temporary().map_err(disk_failure)?;
    let mut file = tokio::fs::File::from_std(temporary.file.try_clone().map_err(disk_failure)?);
    let mut hasher = said.announced.hasher();
    let mut sha256 = said.sha256.is_some().then(Sha256::new);
    let mut length: u64 = 0;
    if let Some(mut body) = body {
        while let Some(bytes) = next_bytes(&mut body).await? {
            hasher.update(&bytes);
            if let Some(sha256) = &mut sha256 {
                sha256.update(&bytes);
            }
            length += bytes.len() as u64;
            file.write_all(&bytes).await.map_err(disk_failure)?;
        }
    }
    file.flush().await.map_err(disk_failure)?;
    said.announced.check_length(length)?;
    if sha256.map(|sha256| sha256.finalize().to_vec()) != said.sha256 {
        return Err(other_bytes());
    }
    let trailers = said.trailers();
    said.announced.add_trailers(trailers.as_ref())?;
    let found = hasher.finish();
    said.announced.check(&found)?;
    Ok(Received { temporary, found })
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
    if text.contains("Sha256Mismatch") {
        return other_bytes();
    }
    let code = if text.contains("SignatureMismatch") {
        S3ErrorCode::SignatureDoesNotMatch
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
