//! Who may do what in the store. Each operation needs a role: an analyst reads, an editor changes.

use std::sync::Arc;

use hyper::http::Extensions;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{Credentials, S3Auth, SecretKey};
use s3s::dto::{
    CopyObjectInput, CopySource, DeleteObjectsInput, ListMultipartUploadsInput, ListObjectsInput,
    ListObjectsV2Input, UploadPartCopyInput,
};
use s3s::path::S3Path;
use s3s::{S3Error, S3Request, S3Result, s3_error};

use crate::access::{Authenticator, Caller, Role, Scope};

/// The one operation on a bucket that changes objects.
const DELETE_MANY: &str = "DeleteObjects";

/// Those who have keys, and those who need none.
#[derive(Clone)]
pub(super) struct Callers(pub(super) Arc<dyn Authenticator>);

#[async_trait::async_trait]
impl S3Auth for Callers {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        match self.0.holder(access_key) {
            Some(holder) => Ok(holder.secret_key.into()),
            None => Err(s3_error!(
                InvalidAccessKeyId,
                "The AWS Access Key Id you provided does not exist in our records."
            )),
        }
    }
}

/// The access key that a request to a lake without keys was signed with: nobody checked by whom, but a key that was lent is
/// good for no more than it was lent for.
#[derive(Clone)]
pub(super) struct SignedAs(pub(super) String);

impl Callers {
    /// What the key of a request is good for, where that isn't everything.
    fn scope(&self, credentials: Option<&Credentials>, extensions: &Extensions) -> Option<Arc<Scope>> {
        let signed = credentials.map(|signed| signed.access_key.as_str());
        let claimed = || Some(extensions.get::<SignedAs>()?.0.as_str());
        self.0.holder(signed.or_else(claimed)?)?.scope
    }

    /// Makes sure that a key is good for what a request reads, beside what its address names.
    fn may_read<T>(&self, request: &S3Request<T>, bucket: &str, key: &str) -> S3Result<()> {
        match self.scope(request.credentials.as_ref(), &request.extensions) {
            Some(scope) if !scope.may_read(bucket, key) => Err(out_of_scope(bucket, key)),
            _ => Ok(()),
        }
    }

    /// The same of the source of a copy.
    fn may_copy<T>(&self, request: &S3Request<T>, source: &CopySource) -> S3Result<()> {
        match source {
            CopySource::Bucket { bucket, key, .. } => self.may_read(request, bucket, key),
            // There are none here: the request fails anyway.
            _ => Ok(()),
        }
    }
}

fn out_of_scope(bucket: &str, key: &str) -> S3Error {
    s3_error!(
        AccessDenied,
        "this key is a run's own, and s3://{}/{} is neither its job's input nor its output",
        bucket,
        key
    )
}

#[async_trait::async_trait]
impl S3Access for Callers {
    async fn check(&self, request: &mut S3AccessContext<'_>) -> S3Result<()> {
        let caller = match request.credentials() {
            Some(signed) => self.0.holder(&signed.access_key).map(|holder| holder.caller),
            None => self.0.unsigned(),
        };
        let operation = request.s3_op().name().to_owned();
        let operation = operation.as_str();
        may(caller.as_ref(), operation)?;
        let credentials = request.credentials().cloned();
        let Some(scope) = self.scope(credentials.as_ref(), request.extensions_mut()) else {
            return Ok(());
        };
        match (request.s3_path(), role(operation)) {
            (S3Path::Object { bucket, key }, Role::Analyst) if scope.may_read(bucket, key) => Ok(()),
            (S3Path::Object { bucket, key }, Role::Editor) if scope.may_write(bucket, key) => Ok(()),
            (S3Path::Object { bucket, key }, _) => Err(out_of_scope(bucket, key)),
            // What they name is looked at when it is known.
            (S3Path::Bucket { .. }, Role::Analyst) => Ok(()),
            (S3Path::Bucket { .. }, _) if operation == DELETE_MANY => Ok(()),
            (S3Path::Bucket { bucket }, _) => Err(out_of_scope(bucket, "")),
            (S3Path::Root, _) => Ok(()),
        }
    }

    async fn list_objects(&self, request: &mut S3Request<ListObjectsInput>) -> S3Result<()> {
        let prefix = request.input.prefix.as_deref().unwrap_or_default();
        self.may_read(request, &request.input.bucket, prefix)
    }

    async fn list_objects_v2(&self, request: &mut S3Request<ListObjectsV2Input>) -> S3Result<()> {
        let prefix = request.input.prefix.as_deref().unwrap_or_default();
        self.may_read(request, &request.input.bucket, prefix)
    }

    async fn list_multipart_uploads(
        &self,
        request: &mut S3Request<ListMultipartUploadsInput>,
    ) -> S3Result<()> {
        let prefix = request.input.prefix.as_deref().unwrap_or_default();
        self.may_read(request, &request.input.bucket, prefix)
    }

    async fn copy_object(&self, request: &mut S3Request<CopyObjectInput>) -> S3Result<()> {
        self.may_copy(request, &request.input.copy_source)
    }

    async fn upload_part_copy(&self, request: &mut S3Request<UploadPartCopyInput>) -> S3Result<()> {
        self.may_copy(request, &request.input.copy_source)
    }

    async fn delete_objects(&self, request: &mut S3Request<DeleteObjectsInput>) -> S3Result<()> {
        let Some(scope) = self.scope(request.credentials.as_ref(), &request.extensions) else {
            return Ok(());
        };
        let bucket = &request.input.bucket;
        let mut keys = request.input.delete.objects.iter().map(|object| &object.key);
        match keys.find(|key| !scope.may_write(bucket, key)) {
            Some(key) => Err(out_of_scope(bucket, key)),
            None => Ok(()),
        }
    }
}

fn may(caller: Option<&Caller>, operation: &str) -> S3Result<()> {
    let Some(caller) = caller else {
        return Err(s3_error!(AccessDenied, "Signature is required"));
    };
    caller
        .may(operation, role(operation))
        .map_err(|error| s3_error!(AccessDenied, "{}", error.message))
}

/// The role that an operation needs. Keys and sizes tell of the data as its bytes do.
fn role(operation: &str) -> Role {
    match ["Get", "Head", "List", "Select"]
        .iter()
        .any(|read| operation.starts_with(read))
    {
        true => Role::Analyst,
        false => Role::Editor,
    }
}
