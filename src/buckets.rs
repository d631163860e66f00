//! The only door to object stores: one client for every S3 endpoint, the embedded one included.
//!
//! Keys are raw strings, exactly as the store has them: `a//b`, `/a` and `a/` are three different objects.
//! An ETag is given without its quotes, everywhere.

mod access;
mod conditional;
mod failure;
mod link;
mod near;
pub mod plain_text;
mod uploads;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{Credentials, RequestChecksumCalculation, SharedHttpClient};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketLocationConstraint, ChecksumMode, CreateBucketConfiguration, Delete, EncodingType, ObjectIdentifier,
};
use aws_smithy_http_client::Builder as HttpClient;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::{Stream, StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
pub use access::Access;
pub use conditional::Condition;
use failure::Place;
pub use near::NearObjects;
pub use uploads::{Completed, PendingUpload, UploadedPart};

/// The most keys that one batch deletion may name.
const DELETE_BATCH: usize = 1000;
/// The region where none is set; S3's first, and what most other stores take.
const DEFAULT_REGION: &str = "us-east-1";

/// What a store says about one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectMeta {
    /// The raw key.
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// Without quotes.
    pub etag: String,
    /// When it was written; of a multipart upload, when that was begun.
    pub last_modified: DateTime<Utc>,
    /// Its media type; only a [`Buckets::head`] knows it.
    pub content_type: Option<String>,
    /// The `x-amz-meta-*` pairs, sorted; only a [`Buckets::head`] knows them.
    pub metadata: Vec<(String, String)>,
}

/// A client for one store. Cheap to clone.
#[derive(Clone)]
pub struct Buckets {
    client: Client,
    region: String,
    near: Option<Arc<dyn NearObjects>>,
}

impl fmt::Debug for Buckets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buckets")
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

impl Buckets {
    /// A client for the store that `access` names. Nothing is asked of the store yet.
    ///
    /// # Errors
    /// `Invalid` when the endpoint's URL can't be one.
    pub async fn new(access: &Access) -> Result<Self> {
        let http = HttpClient::new()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build_https();
        Ok(match access {
            Access::Endpoint {
                url,
                access_key,
                secret_key,
                region,
                folder: _,
            } => {
                if !(url.starts_with("http://") || url.starts_with("https://")) {
                    return Err(
                        Error::invalid(format!("`{url}` is not an endpoint of an object store"))
                            .hint("write it as http://HOST:PORT or https://HOST"),
                    );
                }
                let config = aws_sdk_s3::Config::builder()
                    .behavior_version(BehaviorVersion::latest())
                    .http_client(http)
                    .endpoint_url(url)
                    .region(Region::new(region.clone()))
                    .credentials_provider(Credentials::new(
                        access_key,
                        secret_key,
                        None,
                        None,
                        "configuration",
                    ))
                    .force_path_style(true)
                    // Older stores don't know the checksums that newer clients add of their own accord.
                    .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
                    .retry_config(RetryConfig::standard())
                    .timeout_config(timeouts())
                    .build();
                Self {
                    client: Client::from_conf(config),
                    region: region.clone(),
                    near: None,
                }
            }
            Access::Environment => Self::from_environment(http).await,
        })
    }

    /// The same store, some of whose objects have their files on this machine.
    #[must_use]
    pub fn beside(mut self, near: Option<Arc<dyn NearObjects>>) -> Self {
        self.near = near;
        self
    }

    async fn from_environment(http: SharedHttpClient) -> Self {
        let shared: SdkConfig = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http)
            .retry_config(RetryConfig::standard())
            .timeout_config(timeouts())
            .load()
            .await;
        let region = shared
            .region()
            .map_or_else(|| DEFAULT_REGION.to_owned(), ToString::to_string);
        let mut config = aws_sdk_s3::config::Builder::from(&shared).region(Region::new(region.clone()));
        if shared.endpoint_url().is_some() {
            config = config
                .force_path_style(true)
                .request_checksum_calculation(RequestChecksumCalculation::WhenRequired);
        }
        Self {
            client: Client::from_conf(config.build()),
            region,
            near: None,
        }
    }

    /// Every object of `bucket` whose key begins with `prefix`, in the order of the keys' bytes.
    ///
    /// # Errors
    /// `NotFound` when there is no such bucket, `Denied`, `Unavailable`.
    pub async fn list(&self, bucket: &str, prefix: &str) -> Result<Vec<ObjectMeta>> {
        self.list_pages(bucket, prefix).try_concat().await
    }

    /// Like [`Buckets::list`], a page of up to 1,000 at a time.
    ///
    /// # Errors
    /// As [`Buckets::list`]; the stream ends after an error.
    pub fn list_pages(
        &self,
        bucket: &str,
        prefix: &str,
    ) -> impl Stream<Item = Result<Vec<ObjectMeta>>> + Send + 'static {
        self.list_pages_after(bucket, prefix, None)
    }

    /// Like [`Buckets::list_pages`], of the keys behind `after` alone: so that parts of a long listing can be asked for at
    /// the same time.
    ///
    /// # Errors
    /// As [`Buckets::list`]; the stream ends after an error.
    pub fn list_pages_after(
        &self,
        bucket: &str,
        prefix: &str,
        after: Option<&str>,
    ) -> impl Stream<Item = Result<Vec<ObjectMeta>>> + Send + 'static {
        enum Next {
            Page(Option<String>),
            End,
        }
        let (store, bucket, prefix) = (self.clone(), bucket.to_owned(), prefix.to_owned());
        let after = after.map(str::to_owned);
        futures::stream::try_unfold(Next::Page(None), move |next| {
            let (store, bucket, prefix) = (store.clone(), bucket.clone(), prefix.clone());
            let after = after.clone();
            async move {
                let Next::Page(token) = next else { return Ok(None) };
                let (objects, following) = store
                    .list_page(&bucket, &prefix, token.as_deref(), after.as_deref())
                    .await?;
                if following.is_some() && following == token {
                    return Err(Error::unavailable(format!(
                        "the listing of {} gives the same page again and again",
                        Place::object(&bucket, &prefix)
                    )));
                }
                let next = following.map_or(Next::End, |token| Next::Page(Some(token)));
                Ok(Some((objects, next)))
            }
        })
        .boxed()
    }

    /// The folders right below a folder, as keys in their order, and whether objects lie beside them; the first
    /// `limit` folders or so.
    ///
    /// # Errors
    /// As [`Buckets::list`].
    pub async fn list_folders(
        &self,
        bucket: &str,
        folder: &str,
        limit: usize,
    ) -> Result<(Vec<String>, bool)> {
        let (mut folders, mut has_objects, mut token) = (Vec::new(), false, None);
        loop {
            let page = self
                .client
                .list_objects_v2()
                .bucket(bucket)
                .set_prefix((!folder.is_empty()).then(|| folder.to_owned()))
                .delimiter("/")
                .set_continuation_token(token.take())
                .encoding_type(EncodingType::Url)
                .send()
                .await
                .map_err(|error| failure::from_sdk(error, "list", &Place::object(bucket, folder)))?;
            let encoded = page.encoding_type() == Some(&EncodingType::Url);
            let prefixes = page.common_prefixes().iter().filter_map(|common| common.prefix());
            folders.extend(prefixes.map(|prefix| {
                if encoded {
                    url_decoded(prefix)
                } else {
                    prefix.to_owned()
                }
            }));
            has_objects |= !page.contents().is_empty();
            let more = page.is_truncated() == Some(true) && folders.len() < limit;
            token = page.next_continuation_token().filter(|_| more).map(str::to_owned);
            if token.is_none() {
                return Ok((folders, has_objects));
            }
        }
    }

    async fn list_page(
        &self,
        bucket: &str,
        prefix: &str,
        token: Option<&str>,
        after: Option<&str>,
    ) -> Result<(Vec<ObjectMeta>, Option<String>)> {
        let page = self
            .client
            .list_objects_v2()
            .bucket(bucket)
            .set_prefix((!prefix.is_empty()).then(|| prefix.to_owned()))
            .set_continuation_token(token.map(str::to_owned))
            .set_start_after(after.filter(|_| token.is_none()).map(str::to_owned))
            // Some keys can't stand in XML as they are.
            .encoding_type(EncodingType::Url)
            .send()
            .await
            .map_err(|error| failure::from_sdk(error, "list", &Place::object(bucket, prefix)))?;
        let encoded = page.encoding_type() == Some(&EncodingType::Url);
        let mut objects = Vec::with_capacity(page.contents().len());
        for object in page.contents() {
            let key = object.key().unwrap_or_default();
            objects.push(ObjectMeta {
                key: if encoded { url_decoded(key) } else { key.to_owned() },
                size: object
                    .size()
                    .and_then(|size| u64::try_from(size).ok())
                    .unwrap_or(0),
                etag: unquoted(object.e_tag()),
                last_modified: to_chrono(object.last_modified()),
                content_type: None,
                metadata: Vec::new(),
            });
        }
        let more = page.is_truncated() == Some(true);
        let token = page.next_continuation_token().filter(|_| more).map(str::to_owned);
        if more && token.is_none() {
            return Err(Error::unavailable(format!(
                "the store says that the listing of {} goes on, but not where",
                Place::object(bucket, prefix)
            )));
        }
        Ok((objects, token))
    }

    /// What the store says about one object, or `None` where there is no such object.
    ///
    /// # Errors
    /// `Denied`, `Unavailable`. (A HEAD can't tell a missing bucket from a missing object.)
    pub async fn head(&self, bucket: &str, key: &str) -> Result<Option<ObjectMeta>> {
        let request = self.client.head_object().bucket(bucket).key(key);
        match request.send().await {
            Ok(head) => {
                let mut metadata: Vec<(String, String)> =
                    head.metadata().cloned().unwrap_or_default().into_iter().collect();
                metadata.sort();
                Ok(Some(ObjectMeta {
                    key: key.to_owned(),
                    size: head
                        .content_length()
                        .and_then(|size| u64::try_from(size).ok())
                        .unwrap_or(0),
                    etag: unquoted(head.e_tag()),
                    last_modified: to_chrono(head.last_modified()),
                    content_type: head.content_type().map(str::to_owned),
                    metadata,
                }))
            }
            Err(error) if failure::status(&error) == Some(404) => Ok(None),
            Err(error) => Err(failure::from_sdk(error, "look at", &Place::object(bucket, key))),
        }
    }

    /// The bytes of `range`, all of them or an error. With `if_match`, only if the object still has that ETag.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when the object was changed; `Invalid` when it is shorter; `Denied`, `Unavailable`.
    pub async fn get_range(
        &self,
        bucket: &str,
        key: &str,
        range: Range<u64>,
        if_match: Option<&str>,
    ) -> Result<Bytes> {
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        if let Some((near, version)) = self.near_version(bucket, key, if_match)
            && let Some(bytes) = near::range(near, version, range.clone()).await?
        {
            return Ok(bytes);
        }
        let place = Place::object(bucket, key);
        let expected = range.end - range.start;
        let header = format!("bytes={}-{}", range.start, range.end - 1);
        let body = self.open(bucket, key, Some(header), if_match).await?;
        let bytes = body
            .collect()
            .await
            .map_err(|error| failure::cut_short(error, &place))?
            .into_bytes();
        if bytes.len() as u64 != expected {
            return Err(Error::invalid(format!(
                "{place} has {} bytes where {expected} were asked for",
                bytes.len()
            )));
        }
        Ok(bytes)
    }

    /// The whole object as it arrives. With `if_match`, only if the object still has that ETag.
    ///
    /// # Errors
    /// As [`Buckets::get_range`]; the stream's own errors are `Unavailable`.
    pub async fn get_stream(
        &self,
        bucket: &str,
        key: &str,
        if_match: Option<&str>,
    ) -> Result<impl Stream<Item = Result<Bytes>> + Send + 'static> {
        if let Some((near, version)) = self.near_version(bucket, key, if_match)
            && let Some(pieces) = near::stream(near, version).await?
        {
            return Ok(pieces.boxed());
        }
        let body = self.open(bucket, key, None, if_match).await?;
        let place = Place::object(bucket, key);
        Ok(
            futures::stream::try_unfold((body, place), |(mut body, place)| async move {
                match body.try_next().await {
                    Ok(Some(bytes)) => Ok(Some((bytes, (body, place)))),
                    Ok(None) => Ok(None),
                    Err(error) => Err(failure::cut_short(error, &place)),
                }
            })
            .boxed(),
        )
    }

    /// A version of an object, and who may have its file.
    fn near_version(
        &self,
        bucket: &str,
        key: &str,
        etag: Option<&str>,
    ) -> Option<(&Arc<dyn NearObjects>, near::Version)> {
        let version = near::Version {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            etag: etag?.to_owned(),
        };
        Some((self.near.as_ref()?, version))
    }

    async fn open(
        &self,
        bucket: &str,
        key: &str,
        range: Option<String>,
        if_match: Option<&str>,
    ) -> Result<ByteStream> {
        let answer = self
            .client
            .get_object()
            .bucket(bucket)
            .key(key)
            // A part of an object has no checksum of its own.
            .set_checksum_mode(range.is_none().then_some(ChecksumMode::Enabled))
            .set_range(range)
            .set_if_match(if_match.map(quoted))
            .send()
            .await
            .map_err(|error| failure::from_sdk(error, "read", &Place::object(bucket, key)))?;
        Ok(answer.body)
    }

    /// Writes one object whole and gives its ETag.
    ///
    /// # Errors
    /// `NotFound` when there is no such bucket, `Invalid` when the store can't hold the key, `Denied`, `Unavailable`.
    pub async fn put(&self, bucket: &str, key: &str, bytes: impl Into<Bytes>) -> Result<String> {
        let request = self.client.put_object().bucket(bucket).key(key);
        let answer = request
            .body(ByteStream::from(bytes.into()))
            .send()
            .await
            .map_err(|error| failure::from_sdk(error, "write", &Place::object(bucket, key)))?;
        Ok(unquoted(answer.e_tag()))
    }

    /// Removes one object. One that isn't there counts as removed.
    ///
    /// # Errors
    /// `NotFound` when there is no such bucket, `Denied`, `Unavailable`.
    pub async fn delete(&self, bucket: &str, key: &str) -> Result<()> {
        let request = self.client.delete_object().bucket(bucket).key(key);
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) if failure::code(&error) == Some("NoSuchKey") => Ok(()),
            Err(error) => Err(failure::from_sdk(error, "delete", &Place::object(bucket, key))),
        }
    }

    /// Removes many objects. Those that aren't there count as removed.
    ///
    /// # Errors
    /// As [`Buckets::delete`], for the first key that couldn't be removed; the others were tried all the same.
    pub async fn delete_all(&self, bucket: &str, keys: &[String]) -> Result<()> {
        for batch in keys.chunks(DELETE_BATCH) {
            let objects = batch
                .iter()
                .map(|key| ObjectIdentifier::builder().key(key).build())
                .collect::<Result<Vec<_>, _>>()
                .and_then(|objects| Delete::builder().set_objects(Some(objects)).quiet(true).build())
                .map_err(|error| Error::internal("a batch deletion without keys").source(error))?;
            let answer = self
                .client
                .delete_objects()
                .bucket(bucket)
                .delete(objects)
                .send()
                .await
                .map_err(|error| failure::from_sdk(error, "delete objects of", &Place::bucket(bucket)))?;
            if let Some(refused) = answer.errors().first() {
                let place = Place::object(bucket, refused.key().unwrap_or_default());
                let (code, words) = (
                    refused.code().unwrap_or_default(),
                    refused.message().unwrap_or_default(),
                );
                return Err(failure::from_code(code, words, None, "delete", &place));
            }
        }
        Ok(())
    }

    /// Makes a bucket.
    ///
    /// # Errors
    /// `AlreadyExists`, `Invalid` when it can't be a bucket's name, `Denied`, `Unavailable`.
    pub async fn create_bucket(&self, bucket: &str) -> Result<()> {
        // S3 refuses the constraint for its first region and wants it for every other.
        let place = (self.region != DEFAULT_REGION).then(|| {
            CreateBucketConfiguration::builder()
                .location_constraint(BucketLocationConstraint::from(self.region.as_str()))
                .build()
        });
        self.client
            .create_bucket()
            .bucket(bucket)
            .set_create_bucket_configuration(place)
            .send()
            .await
            .map_err(|error| failure::from_sdk(error, "create", &Place::bucket(bucket)))?;
        Ok(())
    }

    /// The names of the buckets that these keys may see, sorted.
    ///
    /// # Errors
    /// `Denied`, `Unavailable`.
    pub async fn list_buckets(&self) -> Result<Vec<String>> {
        let answer = self
            .client
            .list_buckets()
            .send()
            .await
            .map_err(|error| failure::from_sdk(error, "list the buckets of", &Place::store()))?;
        let mut names: Vec<String> = answer
            .buckets()
            .iter()
            .filter_map(|b| b.name().map(str::to_owned))
            .collect();
        names.sort();
        Ok(names)
    }
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .read_timeout(Duration::from_secs(120))
        .build()
}

fn quoted(etag: &str) -> String {
    format!("\"{etag}\"")
}

fn unquoted(etag: Option<&str>) -> String {
    etag.unwrap_or_default().trim_matches('"').to_owned()
}

fn to_chrono(time: Option<&aws_sdk_s3::primitives::DateTime>) -> DateTime<Utc> {
    time.and_then(|time| DateTime::from_timestamp(time.secs(), time.subsec_nanos()))
        .unwrap_or_default()
}

/// Undoes what `encoding-type=url` does to a key: `+` is a space, `%XX` a byte.
fn url_decoded(text: &str) -> String {
    let raw = text.as_bytes();
    let mut bytes = Vec::with_capacity(raw.len());
    let mut at = 0;
    while at < raw.len() {
        let escaped = (raw[at] == b'%')
            .then(|| text.get(at + 1..at + 3))
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match escaped {
            Some(byte) => {
                bytes.push(byte);
                at += 3;
            }
            None => {
                bytes.push(if raw[at] == b'+' { b' ' } else { raw[at] });
                at += 1;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoded_key_is_decoded_once() {
        assert_eq!(url_decoded("a%20b+c%2Bd%25/%C3%BC"), "a b c+d%/ü");
        assert_eq!(url_decoded("100%"), "100%");
        assert_eq!(url_decoded("%zz"), "%zz");
    }
}
