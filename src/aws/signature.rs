//! AWS's signature, version 4, checked: in the header `Authorization` or, of a presigned request, in the query.
//!
//! The rules are those of AWS's "Create a signed AWS API request". Two are stricter: the body's hash is always made from the
//! body, so that an unsigned payload is never taken, and the credential's scope must name a service that is served here.

use std::collections::BTreeMap;

use axum::http::request::Parts;
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::access::{Authenticator, Caller};

use super::error::{Exception, Failure};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// How far a request's time may lie from ours.
const MAX_SKEW: TimeDelta = TimeDelta::minutes(15);
/// How long a presigned request may be good for, in seconds: a week.
const MAX_EXPIRES: i64 = 604_800;
/// The service that may be asked beside those that are served.
const STS: &str = "sts";

/// What a request says of its signature.
struct Claim {
    access_key: String,
    date: String,
    region: String,
    service: String,
    signed_headers: Vec<String>,
    signature: String,
    time: DateTime<Utc>,
    /// How long a presigned request is good for.
    expires: Option<TimeDelta>,
}

/// Who signed a request, for one of `services`, and lately.
///
/// # Errors
/// What AWS answers: MissingAuthenticationToken, IncompleteSignature, UnrecognizedClient, InvalidSignature.
pub(super) fn verify(
    request: &Parts,
    body: &[u8],
    keys: &dyn Authenticator,
    services: &[&str],
    now: DateTime<Utc>,
) -> Result<Caller, Failure> {
    let query = query_pairs(request.uri.query().unwrap_or_default());
    let claim = claim(request, &query)?;
    let Some(holder) = keys.holder(&claim.access_key) else {
        return Err(Failure::new(
            Exception::UNRECOGNIZED_CLIENT,
            "The security token included in the request is invalid.",
        ));
    };
    check_scope(&claim, services)?;
    check_time(&claim, now)?;
    check_signed_headers(request, &claim)?;
    let canonical = canonical_request(request, &query, &claim, body)?;
    let scope = format!("{}/{}/{}/aws4_request", claim.date, claim.region, claim.service);
    let to_sign = format!(
        "{ALGORITHM}\n{}\n{scope}\n{}",
        claim.time.format("%Y%m%dT%H%M%SZ"),
        hex::encode(Sha256::digest(canonical.as_bytes()))
    );
    let key = [&claim.date, &claim.region, &claim.service]
        .into_iter()
        .map(String::as_str)
        .chain(["aws4_request"])
        .fold(format!("AWS4{}", holder.secret_key).into_bytes(), |key, part| {
            mac(&key, part).finalize().into_bytes().to_vec()
        });
    // The comparison takes the same time wherever the two differ.
    let given = hex::decode(&claim.signature).unwrap_or_default();
    mac(&key, &to_sign).verify_slice(&given).map_err(|_| {
        Failure::new(
            Exception::INVALID_SIGNATURE,
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access \
             Key and signing method. Consult the service documentation for details.",
        )
    })?;
    Ok(holder.caller)
}

#[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
fn mac(key: &[u8], text: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    mac.update(text.as_bytes());
    mac
}

fn claim(request: &Parts, query: &[(String, String)]) -> Result<Claim, Failure> {
    let header = |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok());
    let in_query = |name: &str| {
        let found = query.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    };
    let (credential, signed_headers, signature, time, expires) = match header("authorization") {
        Some(authorization) => {
            let fields = authorization_fields(authorization)?;
            let field = |name: &str| fields.get(name).copied().unwrap_or_default();
            (
                field("Credential"),
                field("SignedHeaders"),
                field("Signature"),
                header("x-amz-date"),
                None,
            )
        }
        None if in_query("X-Amz-Algorithm") == Some(ALGORITHM) => {
            let seconds = in_query("X-Amz-Expires").and_then(|seconds| seconds.parse().ok());
            let seconds = seconds.filter(|seconds| (1..=MAX_EXPIRES).contains(seconds));
            let seconds = seconds.ok_or_else(|| incomplete("X-Amz-Expires must be 1 to 604800 seconds."))?;
            (
                in_query("X-Amz-Credential").unwrap_or_default(),
                in_query("X-Amz-SignedHeaders").unwrap_or_default(),
                in_query("X-Amz-Signature").unwrap_or_default(),
                in_query("X-Amz-Date"),
                Some(TimeDelta::seconds(seconds)),
            )
        }
        None => {
            return Err(Failure::new(
                Exception::MISSING_AUTHENTICATION_TOKEN,
                "Missing Authentication Token",
            ));
        }
    };
    let parts: Vec<&str> = credential.split('/').collect();
    // An access key may hold slashes, the scope behind it can't.
    let [access_key @ .., date, region, service, "aws4_request"] = parts.as_slice() else {
        return Err(incomplete(
            "Credential must be ACCESS_KEY/DATE/REGION/SERVICE/aws4_request.",
        ));
    };
    let time = time
        .and_then(|time| NaiveDateTime::parse_from_str(time, "%Y%m%dT%H%M%SZ").ok())
        .ok_or_else(|| incomplete("X-Amz-Date must be given, as 20220131T235959Z."))?;
    let signed_headers: Vec<String> = signed_headers.split(';').map(str::to_ascii_lowercase).collect();
    if signature.is_empty() || !signed_headers.iter().any(|name| name == "host") {
        return Err(incomplete(
            "Authorization requires 'Credential', 'SignedHeaders' with 'host', and 'Signature'.",
        ));
    }
    Ok(Claim {
        access_key: access_key.join("/"),
        date: (*date).to_owned(),
        region: (*region).to_owned(),
        service: (*service).to_owned(),
        signed_headers,
        signature: signature.to_owned(),
        time: time.and_utc(),
        expires,
    })
}

fn authorization_fields(header: &str) -> Result<BTreeMap<&str, &str>, Failure> {
    let Some(fields) = header.strip_prefix(ALGORITHM) else {
        return Err(incomplete(&format!("Authorization must begin with {ALGORITHM}.")));
    };
    Ok(fields
        .split(',')
        .filter_map(|field| field.trim().split_once('='))
        .collect())
}

fn check_scope(claim: &Claim, services: &[&str]) -> Result<(), Failure> {
    if claim.date != claim.time.format("%Y%m%d").to_string() {
        return Err(invalid(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP.",
        ));
    }
    if claim.service == STS || services.contains(&claim.service.as_str()) {
        return Ok(());
    }
    let names = services.join("' or '");
    Err(invalid(&format!(
        "Credential should be scoped to correct service: '{names}'."
    )))
}

/// What AWS's own headers say must be signed, the operation above all.
fn check_signed_headers(request: &Parts, claim: &Claim) -> Result<(), Failure> {
    let is_signed = |name: &&str| claim.signed_headers.iter().any(|signed| signed == name);
    let mut own = request.headers.keys().map(axum::http::HeaderName::as_str);
    match own.find(|name| name.starts_with("x-amz-") && !is_signed(name)) {
        Some(name) => Err(invalid(&format!(
            "There were headers present in the request which were not signed: {name}"
        ))),
        None => Ok(()),
    }
}

fn check_time(claim: &Claim, now: DateTime<Utc>) -> Result<(), Failure> {
    let shown = |time: DateTime<Utc>| time.format("%Y%m%dT%H%M%SZ").to_string();
    let last = claim.time + claim.expires.unwrap_or(MAX_SKEW);
    if now > last {
        let message = format!(
            "Signature expired: {} is now earlier than {}",
            shown(last),
            shown(now)
        );
        return Err(invalid(&message));
    }
    if claim.time > now + MAX_SKEW {
        let message = format!(
            "Signature not yet current: {} is still later than {}",
            shown(claim.time),
            shown(now)
        );
        return Err(invalid(&message));
    }
    Ok(())
}

fn canonical_request(
    request: &Parts,
    query: &[(String, String)],
    claim: &Claim,
    body: &[u8],
) -> Result<String, Failure> {
    let mut pairs: Vec<String> = query
        .iter()
        .filter(|(name, _)| name != "X-Amz-Signature")
        .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
        .collect();
    pairs.sort();
    let mut headers = String::new();
    for name in &claim.signed_headers {
        let values: Vec<String> = request
            .headers
            .get_all(name)
            .iter()
            .map(|value| {
                let words: Vec<&str> = value.to_str().unwrap_or_default().split_whitespace().collect();
                words.join(" ")
            })
            .collect();
        if values.is_empty() {
            return Err(invalid(&format!(
                "The signed header '{name}' is not in the request."
            )));
        }
        headers.push_str(&format!("{name}:{}\n", values.join(",")));
    }
    Ok(format!(
        "{}\n{}\n{}\n{headers}\n{}\n{}",
        request.method,
        request.uri.path(),
        pairs.join("&"),
        claim.signed_headers.join(";"),
        hex::encode(Sha256::digest(body))
    ))
}

/// The pairs of a query, decoded.
fn query_pairs(query: &str) -> Vec<(String, String)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value))
        })
        .collect()
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digits = bytes.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        let byte = digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        decoded.push(byte.unwrap_or(bytes[at]));
        at += if byte.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// Every byte but letters, digits and `-._~` as `%XY`.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

fn incomplete(message: &str) -> Failure {
    Failure::new(Exception::INCOMPLETE_SIGNATURE, message)
}

fn invalid(message: &str) -> Failure {
    Failure::new(Exception::INVALID_SIGNATURE, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::OneKey;
    use crate::config::Credentials;

    fn keys() -> OneKey {
        OneKey::new(Some(Credentials {
            access_key: "AKIDEXAMPLE".into(),
            secret_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into(),
        }))
    }

    fn at(time: &str) -> DateTime<Utc> {
        time.parse().unwrap()
    }

    fn request(uri: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = axum::http::Request::post(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn outcome(request: &Parts, body: &[u8], now: &str) -> Result<(), String> {
        let verified = verify(request, body, &keys(), &["glue"], at(now));
        verified
            .map(drop)
            .map_err(|failure| failure.told(Exception::of).0.name().to_owned())
    }

    /// Signed by botocore 1.44.5 for this request.
    fn signed(signature: &str) -> Parts {
        request(
            "/",
            &[
                ("host", "127.0.0.1:8080"),
                ("content-type", "application/x-amz-json-1.1"),
                ("x-amz-target", "AWSGlue.GetDatabases"),
                ("x-amz-date", "20261121T120000Z"),
                (
                    "authorization",
                    &format!(
                        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/us-east-1/glue/aws4_request, \
                         SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature={signature}"
                    ),
                ),
            ],
        )
    }

    const SIGNATURE: &str = "2a7c7fad05dd2954e9f2ef89334de27c50eeb53d2ea2bf681e19a87e8fe70e66";

    #[test]
    fn a_request_that_was_signed_with_the_key_is_taken_for_a_quarter_of_an_hour() {
        let good = signed(SIGNATURE);
        assert_eq!(outcome(&good, b"{}", "2026-11-21T12:00:00Z"), Ok(()));
        assert_eq!(outcome(&good, b"{}", "2026-11-21T12:15:00Z"), Ok(()));
        assert_eq!(outcome(&good, b"{}", "2026-11-21T11:45:00Z"), Ok(()));
        let refused = Err("InvalidSignatureException".to_owned());
        assert_eq!(outcome(&good, b"{}", "2026-11-21T12:15:01Z"), refused);
        assert_eq!(outcome(&good, b"{}", "2026-11-21T11:44:59Z"), refused);
        assert_eq!(
            outcome(&good, b"{} ", "2026-11-21T12:00:00Z"),
            refused,
            "another body"
        );
        let tampered = SIGNATURE.replace(&SIGNATURE[..2], "00");
        assert_eq!(
            outcome(&signed(&tampered), b"{}", "2026-11-21T12:00:00Z"),
            refused
        );
        assert_eq!(outcome(&signed("zz"), b"{}", "2026-11-21T12:00:00Z"), refused);
    }

    #[test]
    fn a_presigned_request_is_taken_until_it_expires() {
        let uri = "/?Action=x%20y&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20261121%2Fus-east-1%2Fglue%2Faws4_request&X-Amz-Date=20261121T120000Z&X-Amz-Expires=300&X-Amz-SignedHeaders=host&X-Amz-Signature=9ba12079ed0e6f3ef8aeaae13a8cb057246295ea9a470d9864889ff33421f104";
        let presigned = request(uri, &[("host", "127.0.0.1:8080")]);
        assert_eq!(outcome(&presigned, b"", "2026-11-21T12:00:00Z"), Ok(()));
        assert_eq!(outcome(&presigned, b"", "2026-11-21T12:05:00Z"), Ok(()));
        let refused = Err("InvalidSignatureException".to_owned());
        assert_eq!(outcome(&presigned, b"", "2026-11-21T12:05:01Z"), refused);
        assert_eq!(outcome(&presigned, b"x", "2026-11-21T12:00:00Z"), refused);
    }

    #[test]
    fn what_is_not_signed_at_all_is_told_so() {
        let unsigned = request("/", &[("host", "127.0.0.1:8080")]);
        assert_eq!(
            outcome(&unsigned, b"{}", "2026-11-21T12:00:00Z"),
            Err("MissingAuthenticationTokenException".to_owned())
        );
        let bearer = request("/", &[("host", "x"), ("authorization", "Bearer x")]);
        assert_eq!(
            outcome(&bearer, b"{}", "2026-11-21T12:00:00Z"),
            Err("IncompleteSignatureException".to_owned())
        );
    }
}
