//! What a lake with credentials asks of a signature beyond its being right: that it covers what it must, for as long as it
//! may, in the place that it names.

use hyper::header::AUTHORIZATION;
use hyper::{HeaderMap, Request, Uri};
use s3s::auth::{S3Auth, SecretKey};
use s3s::{Body, S3Error, S3ErrorCode, S3Result, s3_error};

use crate::model::location::percent_decoded;

/// The longest that a presigned URL may be good for, in seconds: seven days (S3, "Signature Version 4: query parameters").
const LONGEST_EXPIRY: u64 = 604_800;

/// The one key pair of a lake.
pub(super) struct OneKeyPair {
    pub(super) access_key: String,
    pub(super) secret_key: SecretKey,
}

#[async_trait::async_trait]
impl S3Auth for OneKeyPair {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        match access_key == self.access_key {
            true => Ok(self.secret_key.clone()),
            false => Err(s3_error!(
                InvalidAccessKeyId,
                "the access key id is not one that this store knows"
            )),
        }
    }
}

/// Checks what a signature says of itself; whether it is right is for others to see.
pub(super) fn check(request: &Request<Body>, region: &str) -> S3Result<()> {
    if let Some(header) = request.headers().get(AUTHORIZATION) {
        let header = header.to_str().unwrap_or_default();
        let Some(parts) = header.strip_prefix("AWS4-HMAC-SHA256") else {
            return Ok(());
        };
        let part = |name: &str| {
            let mut parts = parts.split(',').map(str::trim);
            parts.find_map(|part| part.strip_prefix(name)?.strip_prefix('=').map(str::to_owned))
        };
        check_region(
            &part("Credential").unwrap_or_default(),
            region,
            "AuthorizationHeaderMalformed",
        )?;
        return check_headers(request.headers(), &part("SignedHeaders").unwrap_or_default());
    }
    let Some(credential) = parameter(request.uri(), "X-Amz-Credential") else {
        return Ok(());
    };
    check_region(&credential, region, "AuthorizationQueryParametersError")?;
    let expires = parameter(request.uri(), "X-Amz-Expires").and_then(|text| text.parse::<u64>().ok());
    if !expires.is_some_and(|seconds| (1..=LONGEST_EXPIRY).contains(&seconds)) {
        return Err(refusal(
            "AuthorizationQueryParametersError",
            "X-Amz-Expires must be a number of seconds from 1 to 604800",
        ));
    }
    check_headers(
        request.headers(),
        &parameter(request.uri(), "X-Amz-SignedHeaders").unwrap_or_default(),
    )
}

/// A header of S3's own does what it says: who was given a signature was given it for these headers and no others.
fn check_headers(headers: &HeaderMap, signed: &str) -> S3Result<()> {
    let is_signed = |name: &str| signed.split(';').any(|signed| signed.eq_ignore_ascii_case(name));
    let unsigned = headers
        .keys()
        .find(|name| name.as_str().starts_with("x-amz-") && !is_signed(name.as_str()));
    match unsigned {
        Some(name) => Err(refusal(
            "AccessDenied",
            &format!("there were headers present in the request which were not signed: {name}"),
        )),
        None => Ok(()),
    }
}

/// The scope of a credential: `KEY/DATE/REGION/SERVICE/aws4_request`.
fn check_region(credential: &str, region: &str, code: &str) -> S3Result<()> {
    let named = credential.rsplit('/').nth(2).unwrap_or_default();
    if named == region {
        return Ok(());
    }
    Err(refusal(
        code,
        &format!("the region '{named}' is wrong; expecting '{region}'"),
    ))
}

fn refusal(code: &str, message: &str) -> S3Error {
    let known = S3ErrorCode::from_bytes(code.as_bytes());
    let mut error = S3Error::with_message(
        known.unwrap_or_else(|| S3ErrorCode::Custom(code.to_owned().into())),
        message.to_owned(),
    );
    error.set_status_code(match code {
        "AccessDenied" => hyper::StatusCode::FORBIDDEN,
        _ => hyper::StatusCode::BAD_REQUEST,
    });
    error
}

fn parameter(uri: &Uri, name: &str) -> Option<String> {
    let pairs = uri.query()?.split('&');
    let mut pairs = pairs.filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
    Some(percent_decoded(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(uri: &str, headers: &[(&'static str, &str)]) -> Request<Body> {
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Body::empty()).unwrap()
    }

    fn code(request: &Request<Body>) -> String {
        match check(request, "us-east-1") {
            Ok(()) => "fine".to_owned(),
            Err(error) => error.code().as_str().to_owned(),
        }
    }

    #[test]
    fn headers_of_s3s_own_must_be_signed() {
        let signature = "AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=0";
        let good = [("authorization", signature), ("x-amz-date", "1")];
        assert_eq!(code(&request("/b/k", &good)), "fine");
        let copies = [good[0], good[1], ("x-amz-copy-source", "/b/secret")];
        assert_eq!(code(&request("/b/k", &copies)), "AccessDenied");
        let elsewhere = signature.replace("us-east-1", "mars-1");
        assert_eq!(
            code(&request("/b/k", &[("authorization", &elsewhere), good[1]])),
            "AuthorizationHeaderMalformed"
        );
    }

    #[test]
    fn presigned_urls_end() {
        let url = |expires: &str, region: &str| {
            format!(
                "/b/k?X-Amz-Credential=k%2F20260101%2F{region}%2Fs3%2Faws4_request&X-Amz-Expires={expires}&X-Amz-SignedHeaders=host"
            )
        };
        assert_eq!(code(&request(&url("604800", "us-east-1"), &[])), "fine");
        for expires in ["0", "604801", "-1", "", "x"] {
            assert_eq!(
                code(&request(&url(expires, "us-east-1"), &[])),
                "AuthorizationQueryParametersError",
                "{expires}"
            );
        }
        assert_eq!(
            code(&request(&url("1", "mars-1"), &[])),
            "AuthorizationQueryParametersError"
        );
        let copies = [("x-amz-copy-source", "/b/secret")];
        assert_eq!(code(&request(&url("1", "us-east-1"), &copies)), "AccessDenied");
    }
}
