//! A client of any Glue endpoint, ours or AWS's, that speaks in JSON.
//!
//! AWS's SDK finds the endpoint and the credentials, signs, and tries again. Its typed requests and answers are left aside:
//! they would lose every member that this version of the SDK doesn't know, and a catalog must come over whole.

use std::sync::{Arc, Mutex};

use aws_config::{BehaviorVersion, Region};
use aws_sdk_glue::Client;
use aws_sdk_glue::config::interceptors::{
    AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextMut,
};
use aws_sdk_glue::config::retry::RetryConfig;
use aws_sdk_glue::config::{ConfigBag, Credentials, Intercept, RuntimeComponents};
use aws_sdk_glue::error::{BoxError, DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_smithy_http_client::Builder as HttpClient;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_types::body::SdkBody;
use serde_json::{Map, Value};

use crate::config::process_environment;
use crate::error::{Error, ErrorKind, Result};

/// How often a request is tried in all: AWS throttles those who read a whole catalog.
const ATTEMPTS: u32 = 10;
/// The region of a catalog of our own, where it matters to nobody.
const ANY_REGION: &str = "us-east-1";

/// A Glue endpoint.
#[derive(Clone)]
pub(super) struct GlueClient {
    client: Client,
}

impl GlueClient {
    /// The Glue API of a mastic at `url`, signed with `MASTIC_ACCESS_KEY` and `MASTIC_SECRET_KEY` where they are set.
    pub(super) fn of_mastic(url: &str) -> Self {
        let environment = process_environment();
        let key = |name: &str| environment.get(name).map_or("mastic", String::as_str);
        let config = aws_sdk_glue::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(HttpClient::new().build_http())
            .endpoint_url(url)
            .region(Region::new(ANY_REGION))
            .credentials_provider(Credentials::new(
                key("MASTIC_ACCESS_KEY"),
                key("MASTIC_SECRET_KEY"),
                None,
                None,
                "configuration",
            ))
            .retry_config(RetryConfig::standard())
            .build();
        Self {
            client: Client::from_conf(config),
        }
    }

    /// AWS Glue, or what speaks like it at `endpoint`, as AWS's variables, files and roles say.
    ///
    /// # Errors
    /// Invalid where nothing names a region, and AWS's own endpoints are meant.
    pub(super) async fn of_aws(
        endpoint: Option<&str>,
        region: Option<&str>,
        profile: Option<&str>,
    ) -> Result<Self> {
        let http = HttpClient::new()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build_https();
        let mut shared = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http)
            .retry_config(RetryConfig::adaptive().with_max_attempts(ATTEMPTS));
        if let Some(region) = region {
            shared = shared.region(Region::new(region.to_owned()));
        }
        if let Some(profile) = profile {
            shared = shared.profile_name(profile);
        }
        let shared = shared.load().await;
        let mut config = aws_sdk_glue::config::Builder::from(&shared);
        if let Some(endpoint) = endpoint {
            config = config.endpoint_url(endpoint);
        }
        if shared.region().is_none() {
            if endpoint.is_none() && shared.endpoint_url().is_none() {
                return Err(
                    Error::invalid("no region is set").hint("name the catalog's region with --region")
                );
            }
            // An endpoint of one's own has no regions; the signature needs the name of one.
            config = config.region(Region::from_static("us-east-1"));
        }
        Ok(Self {
            client: Client::from_conf(config.build()),
        })
    }

    /// Performs an operation.
    ///
    /// # Errors
    /// AlreadyExists, NotFound, Invalid, Denied as the endpoint answers; Unavailable where it can't be reached.
    pub(super) async fn call(&self, operation: &str, request: &Value) -> Result<Value> {
        let carrier = Carrier {
            target: format!("AWSGlue.{operation}"),
            request: request.to_string(),
            answer: Arc::default(),
        };
        let answer = carrier.answer.clone();
        // Any operation will do: the carrier puts another in its place.
        let sent = self.client.get_databases().customize().interceptor(carrier);
        let outcome = sent.send().await;
        let body = answer.lock().ok().and_then(|mut body| body.take());
        match (outcome, body) {
            (Ok(_), Some(body)) => serde_json::from_slice(&body).map_err(|cause| {
                Error::unavailable(format!("{operation} was answered with what isn't JSON")).source(cause)
            }),
            (Ok(_), None) => Ok(Value::Object(Map::new())),
            (Err(SdkError::ServiceError(error)), _) => {
                let error = error.into_err();
                let code = error.code().unwrap_or("an error without a name");
                let message = error.message().unwrap_or_default();
                Err(Error::new(
                    kind_of(code),
                    format!("{operation} was answered with {code}: {message}"),
                ))
            }
            (Err(error), _) => Err(Error::unavailable(format!(
                "{operation} got no answer: {}",
                DisplayErrorContext(&error)
            ))
            .hint("is the endpoint right, and are there credentials for it?")),
        }
    }

    /// Calls `visit` with each item of a list that is answered in pages; `member` is the list's name.
    ///
    /// # Errors
    /// As [`GlueClient::call`], and those of `visit`.
    pub(super) async fn pages(
        &self,
        operation: &str,
        request: Value,
        member: &str,
        mut visit: impl AsyncFnMut(Vec<Value>) -> Result<()>,
    ) -> Result<()> {
        let mut request = request;
        loop {
            let mut answer = self.call(operation, &request).await?;
            let items = match answer.get_mut(member).map(Value::take) {
                Some(Value::Array(items)) => items,
                _ => Vec::new(),
            };
            visit(items).await?;
            match answer.get("NextToken") {
                Some(Value::String(token)) if !token.is_empty() => {
                    request["NextToken"] = Value::String(token.clone());
                }
                _ => return Ok(()),
            }
        }
    }

    /// All items of a list that is answered in pages.
    ///
    /// # Errors
    /// As [`GlueClient::call`].
    pub(super) async fn all(&self, operation: &str, request: Value, member: &str) -> Result<Vec<Value>> {
        let mut all = Vec::new();
        self.pages(operation, request, member, async |items: Vec<Value>| {
            all.extend(items);
            Ok(())
        })
        .await?;
        Ok(all)
    }
}

fn kind_of(code: &str) -> ErrorKind {
    match code {
        "AlreadyExistsException" => ErrorKind::AlreadyExists,
        "EntityNotFoundException" => ErrorKind::NotFound,
        "AccessDeniedException"
        | "UnrecognizedClientException"
        | "InvalidSignatureException"
        | "MissingAuthenticationTokenException"
        | "ExpiredTokenException" => ErrorKind::Denied,
        "ConcurrentModificationException" => ErrorKind::Conflict,
        "InternalServiceException" | "ThrottlingException" | "OperationTimeoutException" => {
            ErrorKind::Unavailable
        }
        _ => ErrorKind::Invalid,
    }
}

/// Puts one request in the place of another before it is signed, and keeps the answer as it came.
#[derive(Debug)]
struct Carrier {
    target: String,
    request: String,
    answer: Arc<Mutex<Option<Vec<u8>>>>,
}

impl Intercept for Carrier {
    fn name(&self) -> &'static str {
        "Carrier"
    }

    fn modify_before_retry_loop(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> std::result::Result<(), BoxError> {
        let request = context.request_mut();
        request.headers_mut().insert("x-amz-target", self.target.clone());
        request
            .headers_mut()
            .insert("content-length", self.request.len().to_string());
        *request.body_mut() = SdkBody::from(self.request.clone());
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> std::result::Result<(), BoxError> {
        if let Ok(mut answer) = self.answer.lock() {
            *answer = context.response().body().bytes().map(<[u8]>::to_vec);
        }
        Ok(())
    }
}
