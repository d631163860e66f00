//! What is demanded of a request to a lake with a key pair besides a signature that fits: that the signature covers what
//! the request says, is made for this store, and doesn't hold for ever. The protocol library checks the signature itself.

use hyper::header::AUTHORIZATION;
use hyper::http::request::Parts;
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};

use crate::model::location::percent_decoded;

/// The longest that a presigned URL may hold, seconds.
const LONGEST: u64 = 7 * 24 * 60 * 60;

/// Where a signature is, which says how a malformed one is called.
#[derive(Clone, Copy)]
enum Place {
    Header,
    Query,
}

impl Place {
    fn malformed(self, text: String) -> S3Error {
        match self {
            Self::Header => S3Error::with_message(
                S3ErrorCode::AuthorizationHeaderMalformed,
                format!("The authorization header is malformed; {text}"),
            ),
            Self::Query => S3Error::with_message(
                S3ErrorCode::AuthorizationQueryParametersError,
                format!("Error parsing the X-Amz-Credential parameter; {text}"),
            ),
        }
    }
}

/// Refuses a request whose signature would let too much through. `region` is the only one taken, if given.
pub(super) fn admit(head: &Parts, region: Option<&str>) -> S3Result<()> {
    let query = head.uri.query().unwrap_or_default();
    let authorization = head.headers.get(AUTHORIZATION);
    let schemes = [
        authorization.is_some(),
        parameter(query, "X-Amz-Signature").is_some(),
        parameter(query, "Signature").is_some(),
    ];
    if schemes.into_iter().filter(|used| *used).count() > 1 {
        return Err(s3_error!(
            InvalidArgument,
            "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string \
             parameter or the Authorization header should be specified"
        ));
    }
    check_digest(head)?;
    if let Some(text) = authorization {
        return check_header(head, text.to_str().unwrap_or_default(), region);
    }
    match parameter(query, "X-Amz-Signature") {
        Some(_) => check_presigned(head, query, region),
        // Version 2 signs each `x-amz-*` header, and has no region; without any signature there is no way in.
        None => Ok(()),
    }
}

fn check_header(head: &Parts, text: &str, region: Option<&str>) -> S3Result<()> {
    if !text.starts_with("AWS4-HMAC-SHA256") {
        return Err(s3_error!(
            InvalidRequest,
            "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."
        ));
    }
    let part = |name: &str| {
        let (_, rest) = text.split_once(name)?;
        rest.split(',').next().map(str::trim)
    };
    let credential = part("Credential=").unwrap_or_default();
    check_credential(Place::Header, credential, region)?;
    check_signed_headers(head, part("SignedHeaders=").unwrap_or_default())
}

fn check_presigned(head: &Parts, query: &str, region: Option<&str>) -> S3Result<()> {
    let seconds = parameter(query, "X-Amz-Expires").unwrap_or_default();
    let problem = match seconds.parse::<u64>() {
        Ok(1..=LONGEST) => None,
        Ok(0) => Some("X-Amz-Expires must be at least 1 second"),
        Ok(_) => Some(
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than \
             604800 seconds",
        ),
        Err(_) => Some("X-Amz-Expires should be a number"),
    };
    if let Some(problem) = problem {
        return Err(s3_error!(AuthorizationQueryParametersError, "{}", problem));
    }
    let credential = parameter(query, "X-Amz-Credential").unwrap_or_default();
    check_credential(Place::Query, &credential, region)?;
    check_signed_headers(head, &parameter(query, "X-Amz-SignedHeaders").unwrap_or_default())
}

/// `KEY/DATE/REGION/s3/aws4_request`
fn check_credential(place: Place, credential: &str, expected: Option<&str>) -> S3Result<()> {
    let parts: Vec<&str> = credential.split('/').collect();
    let [_, _, region, service, end] = parts[..] else {
        let text =
            "the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".";
        return Err(place.malformed(text.to_owned()));
    };
    let is_region = !region.is_empty()
        && region
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !is_region || expected.is_some_and(|expected| expected != region) {
        let expected = expected.unwrap_or("us-east-1");
        return Err(place.malformed(format!("the region '{region}' is wrong; expecting '{expected}'")));
    }
    if service != "s3" {
        return Err(place.malformed(format!(
            "incorrect service \"{service}\". This endpoint belongs to \"s3\"."
        )));
    }
    if end != "aws4_request" {
        return Err(place.malformed(format!(
            "incorrect terminal \"{end}\". This endpoint uses \"aws4_request\"."
        )));
    }
    Ok(())
}

/// A header that isn't signed can be added by whoever got hold of the request or its URL.
fn check_signed_headers(head: &Parts, signed: &str) -> S3Result<()> {
    let is_signed = |name: &str| signed.split(';').any(|signed| signed.eq_ignore_ascii_case(name));
    let unsigned = head
        .headers
        .keys()
        .map(|name| name.as_str())
        .find(|name| (name.starts_with("x-amz-") || *name == "host") && !is_signed(name));
    match unsigned {
        None => Ok(()),
        Some(name) => Err(s3_error!(
            AccessDenied,
            "There were headers present in the request which were not signed: {}",
            name
        )),
    }
}

/// Checks that `x-amz-content-sha256` is something that can be checked.
pub(super) fn check_digest(head: &Parts) -> S3Result<()> {
    const NAMES: [&str; 4] = [
        "UNSIGNED-PAYLOAD",
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
    ];
    let Some(value) = head.headers.get("x-amz-content-sha256") else {
        return Ok(());
    };
    let text = value.to_str().unwrap_or_default();
    let is_digest = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_digest || NAMES.contains(&text) {
        return Ok(());
    }
    Err(s3_error!(
        InvalidArgument,
        "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, \
         STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value."
    ))
}

/// A parameter of a query, decoded.
pub(super) fn parameter(query: &str, name: &str) -> Option<String> {
    query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (percent_decoded(key) == name).then(|| percent_decoded(value))
    })
}
