//! The S3 operations that the lake answers. Each parses, calls one function of [`Folder`], renders, and announces.

use std::sync::Arc;
use std::time::SystemTime;

use hyper::{HeaderMap, StatusCode};
use s3s::dto::*;
use s3s::{S3, S3Error, S3Request, S3Response, S3Result, s3_error};

use super::arrival::Arrival;
use super::assembly::{ChecksumWish, Completion};
use super::checksums::{Algorithm, checksums_in};
use super::conditions::WriteConditions;
use super::folder::Folder;
use super::listing::Question;
use super::object::{Wanted, source_of};
use super::parse::{
    attributes, created, read_conditions, removed, source_conditions, wanted, with_checksums,
};
use super::receive::{Said, receive};
use super::render::{
    Encoding, PAGE, from_token, get_output, head_output, objects, page_size, parts_output, prefixes,
    uploads_output,
};
use super::sweep::Writing;
use super::{Announce, ObjectChange};

/// A change of an object and what the client is told.
type Changed<T> = (T, Vec<ObjectChange>);

/// Answers requests from one folder.
pub(super) struct Endpoint {
    folder: Arc<Folder>,
    announce: Announce,
}

impl Endpoint {
    pub(super) fn new(folder: Arc<Folder>, announce: Announce) -> Self {
        Self { folder, announce }
    }

    /// Runs work that waits for the disk.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Folder) -> S3Result<T> + Send + 'static,
    ) -> S3Result<T> {
        let folder = Arc::clone(&self.folder);
        tokio::task::spawn_blocking(move || work(&folder))
            .await
            .map_err(S3Error::internal_error)?
    }

    /// Runs work that changes objects, and announces what it changed. A client that hangs up doesn't stop it halfway.
    async fn change<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Folder) -> S3Result<Changed<T>> + Send + 'static,
    ) -> S3Result<T> {
        let folder = Arc::clone(&self.folder);
        let announce = Arc::clone(&self.announce);
        tokio::spawn(async move {
            let work = tokio::task::spawn_blocking(move || work(&folder));
            let (answer, changes) = work.await.map_err(S3Error::internal_error)??;
            for change in changes {
                announce(change).await;
            }
            Ok(answer)
        })
        .await
        .map_err(S3Error::internal_error)?
    }
}

/// Checks the document that a request sends against what `headers` say of it.
fn check_document<T>(request: &S3Request<T>, headers: &HeaderMap) -> S3Result<()> {
    let arrival = request.extensions.get::<Arrival>();
    arrival.map_or(Ok(()), |arrival| arrival.check(headers))
}

fn strong(etag: &str) -> Option<ETag> {
    Some(ETag::Strong(etag.to_owned()))
}

fn time(time: SystemTime) -> Option<Timestamp> {
    Some(Timestamp::from(time))
}

#[async_trait::async_trait]
impl S3 for Endpoint {
    async fn list_buckets(&self, _: S3Request<ListBucketsInput>) -> S3Result<S3Response<ListBucketsOutput>> {
        let buckets = self.run(Folder::buckets).await?;
        let buckets = buckets.into_iter().map(|(name, made)| Bucket {
            name: Some(name),
            creation_date: time(made),
            ..Bucket::default()
        });
        Ok(S3Response::new(ListBucketsOutput {
            buckets: Some(buckets.collect()),
            ..ListBucketsOutput::default()
        }))
    }

    async fn create_bucket(
        &self,
        req: S3Request<CreateBucketInput>,
    ) -> S3Result<S3Response<CreateBucketOutput>> {
        let bucket = req.input.bucket;
        let location = Some(format!("/{bucket}"));
        self.run(move |folder| folder.create_bucket(&bucket)).await?;
        Ok(S3Response::new(CreateBucketOutput { location }))
    }

    async fn delete_bucket(
        &self,
        req: S3Request<DeleteBucketInput>,
    ) -> S3Result<S3Response<DeleteBucketOutput>> {
        self.run(move |folder| folder.delete_bucket(&req.input.bucket))
            .await?;
        Ok(S3Response::with_status(
            DeleteBucketOutput::default(),
            StatusCode::NO_CONTENT,
        ))
    }

    async fn head_bucket(&self, req: S3Request<HeadBucketInput>) -> S3Result<S3Response<HeadBucketOutput>> {
        self.run(move |folder| folder.shelf.bucket(&req.input.bucket))
            .await?;
        Ok(S3Response::new(HeadBucketOutput::default()))
    }

    async fn get_bucket_location(
        &self,
        req: S3Request<GetBucketLocationInput>,
    ) -> S3Result<S3Response<GetBucketLocationOutput>> {
        self.run(move |folder| folder.shelf.bucket(&req.input.bucket))
            .await?;
        Ok(S3Response::new(GetBucketLocationOutput::default()))
    }

    async fn get_bucket_versioning(
        &self,
        req: S3Request<GetBucketVersioningInput>,
    ) -> S3Result<S3Response<GetBucketVersioningOutput>> {
        self.run(move |folder| folder.shelf.bucket(&req.input.bucket))
            .await?;
        Ok(S3Response::new(GetBucketVersioningOutput::default()))
    }

    async fn get_object(&self, req: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let mut input = req.input;
        let conditions = read_conditions!(input);
        let wanted = wanted!(input);
        let opened = self
            .run(move |folder| folder.read(&input.bucket, &input.key, wanted, &conditions))
            .await?;
        let partial = opened.range.is_some();
        let output = get_output(opened)?;
        let mut response = S3Response::new(output);
        if partial {
            response.status = Some(StatusCode::PARTIAL_CONTENT);
        }
        Ok(response)
    }

    async fn head_object(&self, req: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
        let mut input = req.input;
        let conditions = read_conditions!(input);
        let wanted = wanted!(input);
        let opened = self
            .run(move |folder| folder.read(&input.bucket, &input.key, wanted, &conditions))
            .await?;
        let partial = opened.range.is_some();
        let mut response = S3Response::new(head_output(&opened));
        if partial {
            response.status = Some(StatusCode::PARTIAL_CONTENT);
        }
        Ok(response)
    }

    async fn put_object(&self, mut req: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let said = Said::of(&mut req)?;
        let mut input = req.input;
        let (bucket, key) = (input.bucket.clone(), input.key.clone());
        // A key that the folder can't hold is refused before the bytes are taken.
        self.run(move |folder| folder.check_room(&bucket, &key)).await?;
        let attributes = attributes!(input);
        let received = receive(&self.folder, input.body.take(), said).await?;
        let conditions = WriteConditions {
            if_match: input.if_match,
            if_none_match: input.if_none_match,
        };
        let record = self
            .change(move |folder| {
                let (bucket, key) = (input.bucket, input.key);
                let (published, record) = folder.write(&bucket, &key, received, attributes, &conditions)?;
                let changes = created(bucket, key, published.size, &record.etag, "ObjectCreated:Put");
                Ok((record, changes))
            })
            .await?;
        Ok(S3Response::new(with_checksums!(
            PutObjectOutput,
            record.checksums.clone(),
            e_tag: strong(&record.etag),
            checksum_type: record.checksum_type(),
        )))
    }

    /// A form in any web page can send this one.
    async fn post_object(&self, _: S3Request<PostObjectInput>) -> S3Result<S3Response<PostObjectOutput>> {
        Err(s3_error!(
            NotImplemented,
            "uploads from HTML forms are not supported"
        ))
    }

    async fn copy_object(&self, req: S3Request<CopyObjectInput>) -> S3Result<S3Response<CopyObjectOutput>> {
        let mut input = req.input;
        let source = source_of(&input.copy_source)?;
        let conditions = source_conditions!(input);
        let replace = input.metadata_directive.as_ref().map(MetadataDirective::as_str) == Some("REPLACE");
        let attributes = replace.then(|| attributes!(input));
        let algorithm = input.checksum_algorithm.as_ref().map(ChecksumAlgorithm::as_str);
        let algorithm = algorithm.map(Algorithm::named).transpose()?;
        let (modified, record) = self
            .change(move |folder| {
                let (bucket, key) = (input.bucket, input.key);
                let source = (source.0.as_str(), source.1.as_str());
                let (published, record) =
                    folder.copy(source, (&bucket, &key), &conditions, attributes, algorithm)?;
                let changes = created(bucket, key, published.size, &record.etag, "ObjectCreated:Copy");
                Ok(((published.modified, record), changes))
            })
            .await?;
        Ok(S3Response::new(CopyObjectOutput {
            copy_object_result: Some(CopyObjectResult {
                e_tag: strong(&record.etag),
                last_modified: time(modified),
                checksum_type: record.checksum_type(),
                checksum_crc32: record.checksums.crc32,
                checksum_crc32c: record.checksums.crc32c,
                checksum_crc64nvme: record.checksums.crc64nvme,
                checksum_sha1: record.checksums.sha1,
                checksum_sha256: record.checksums.sha256,
            }),
            ..CopyObjectOutput::default()
        }))
    }

    async fn delete_object(
        &self,
        req: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        let DeleteObjectInput {
            bucket,
            key,
            if_match,
            ..
        } = req.input;
        let conditions = WriteConditions {
            if_match,
            if_none_match: None,
        };
        self.change(move |folder| {
            let doomed = [(key, conditions)];
            let gone = folder.remove(&bucket, &doomed)?.pop().unwrap_or(Ok(false))?;
            Ok((
                (),
                gone.then(|| removed(&bucket, &doomed[0].0)).into_iter().collect(),
            ))
        })
        .await?;
        Ok(S3Response::with_status(
            DeleteObjectOutput::default(),
            StatusCode::NO_CONTENT,
        ))
    }

    async fn delete_objects(
        &self,
        req: S3Request<DeleteObjectsInput>,
    ) -> S3Result<S3Response<DeleteObjectsOutput>> {
        check_document(&req, &req.headers)?;
        let bucket = req.input.bucket;
        let quiet = req.input.delete.quiet.unwrap_or(false);
        let doomed: Vec<(String, WriteConditions)> = req
            .input
            .delete
            .objects
            .into_iter()
            .map(|object| {
                let conditions = WriteConditions {
                    if_match: object.e_tag.map(ETagCondition::ETag),
                    if_none_match: None,
                };
                (object.key, conditions)
            })
            .collect();
        if doomed.is_empty() || doomed.len() > PAGE as usize {
            return Err(s3_error!(
                MalformedXML,
                "a batch deletion names 1 to {} keys",
                PAGE
            ));
        }
        let output = self
            .change(move |folder| {
                let results = folder.remove(&bucket, &doomed)?;
                let (mut deleted, mut errors, mut changes) = (Vec::new(), Vec::new(), Vec::new());
                for ((key, _), result) in doomed.into_iter().zip(results) {
                    match result {
                        Ok(gone) => {
                            changes.extend(gone.then(|| removed(&bucket, &key)));
                            deleted.push(DeletedObject {
                                key: Some(key),
                                ..DeletedObject::default()
                            });
                        }
                        Err(error) => errors.push(Error {
                            code: Some(error.code().as_str().to_owned()),
                            key: Some(key),
                            message: error.message().map(str::to_owned),
                            version_id: None,
                        }),
                    }
                }
                let output = DeleteObjectsOutput {
                    deleted: (!quiet).then_some(deleted),
                    errors: (!errors.is_empty()).then_some(errors),
                    ..DeleteObjectsOutput::default()
                };
                Ok((output, changes))
            })
            .await?;
        Ok(S3Response::new(output))
    }

    /// There are no tags; clients that copy large objects ask all the same.
    async fn get_object_tagging(
        &self,
        req: S3Request<GetObjectTaggingInput>,
    ) -> S3Result<S3Response<GetObjectTaggingOutput>> {
        self.run(move |folder| folder.shelf.find(&req.input.bucket, &req.input.key))
            .await?;
        Ok(S3Response::new(GetObjectTaggingOutput::default()))
    }

    async fn list_objects(
        &self,
        req: S3Request<ListObjectsInput>,
    ) -> S3Result<S3Response<ListObjectsOutput>> {
        let input = req.input;
        let (limit, max_keys) = page_size(input.max_keys)?;
        let question = Question {
            bucket: input.bucket.clone(),
            prefix: input.prefix.clone().unwrap_or_default(),
            delimiter: input.delimiter.clone().filter(|delimiter| !delimiter.is_empty()),
            after: input.marker.clone().filter(|marker| !marker.is_empty()),
            limit,
        };
        let page = self.run(move |folder| folder.list(question)).await?;
        let echoed = [&input.prefix, &input.marker, &input.delimiter];
        let encoding = Encoding::of_page(input.encoding_type.as_ref(), &page, &echoed);
        Ok(S3Response::new(ListObjectsOutput {
            name: Some(input.bucket),
            prefix: Some(encoding.of_text(input.prefix.unwrap_or_default())),
            marker: Some(encoding.of_text(input.marker.unwrap_or_default())),
            delimiter: input.delimiter.map(|text| encoding.of_text(text)),
            max_keys: Some(max_keys),
            is_truncated: Some(page.next.is_some()),
            next_marker: page.next.clone().map(|text| encoding.of_text(text)),
            common_prefixes: prefixes(&page, encoding),
            contents: objects(&page, encoding),
            encoding_type: encoding.named(),
            ..ListObjectsOutput::default()
        }))
    }

    async fn list_objects_v2(
        &self,
        req: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let input = req.input;
        let (limit, max_keys) = page_size(input.max_keys)?;
        let after = match &input.continuation_token {
            Some(token) => Some(from_token(token)?),
            None => input.start_after.clone().filter(|after| !after.is_empty()),
        };
        let question = Question {
            bucket: input.bucket.clone(),
            prefix: input.prefix.clone().unwrap_or_default(),
            delimiter: input.delimiter.clone().filter(|delimiter| !delimiter.is_empty()),
            after,
            limit,
        };
        let page = self.run(move |folder| folder.list(question)).await?;
        let echoed = [&input.prefix, &input.start_after, &input.delimiter];
        let encoding = Encoding::of_page(input.encoding_type.as_ref(), &page, &echoed);
        let count = page.objects.len() + page.prefixes.len();
        Ok(S3Response::new(ListObjectsV2Output {
            name: Some(input.bucket),
            prefix: Some(encoding.of_text(input.prefix.unwrap_or_default())),
            start_after: input.start_after.map(|text| encoding.of_text(text)),
            delimiter: input.delimiter.map(|text| encoding.of_text(text)),
            max_keys: Some(max_keys),
            key_count: i32::try_from(count).ok(),
            is_truncated: Some(page.next.is_some()),
            continuation_token: input.continuation_token,
            next_continuation_token: page.next.as_ref().map(hex::encode),
            common_prefixes: prefixes(&page, encoding),
            contents: objects(&page, encoding),
            encoding_type: encoding.named(),
            ..ListObjectsV2Output::default()
        }))
    }

    async fn create_multipart_upload(
        &self,
        req: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        let mut input = req.input;
        let attributes = attributes!(input);
        let checksum = ChecksumWish::of(
            input.checksum_algorithm.as_ref().map(ChecksumAlgorithm::as_str),
            input.checksum_type.as_ref().map(ChecksumType::as_str),
        )?;
        let (bucket, key) = (input.bucket.clone(), input.key.clone());
        let id = self
            .run(move |folder| folder.create_upload(&bucket, &key, attributes, checksum))
            .await?;
        Ok(S3Response::new(CreateMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(id),
            checksum_algorithm: input.checksum_algorithm,
            checksum_type: input.checksum_type,
            ..CreateMultipartUploadOutput::default()
        }))
    }

    async fn upload_part(
        &self,
        mut req: S3Request<UploadPartInput>,
    ) -> S3Result<S3Response<UploadPartOutput>> {
        let said = Said::of(&mut req)?;
        let mut input = req.input;
        let (bucket, key, id, number) = (input.bucket, input.key, input.upload_id, input.part_number);
        let _writing = Writing::to(&self.folder, &id);
        {
            let (bucket, key, id) = (bucket.clone(), key.clone(), id.clone());
            self.run(move |folder| folder.check_upload(&bucket, &key, &id, number))
                .await?;
        }
        let received = receive(&self.folder, input.body.take(), said).await?;
        let checksums = received.found.checksums.clone();
        let (etag, _) = self
            .run(move |folder| folder.store_part(&bucket, &key, &id, number, received))
            .await?;
        Ok(S3Response::new(with_checksums!(
            UploadPartOutput,
            checksums,
            e_tag: strong(&etag),
        )))
    }

    async fn upload_part_copy(
        &self,
        req: S3Request<UploadPartCopyInput>,
    ) -> S3Result<S3Response<UploadPartCopyOutput>> {
        let mut input = req.input;
        let source = source_of(&input.copy_source)?;
        let conditions = source_conditions!(input);
        let range = match &input.copy_source_range {
            Some(text) => {
                Some(Range::parse(text).map_err(|_| s3_error!(InvalidArgument, "the range is malformed"))?)
            }
            None => None,
        };
        let _writing = Writing::to(&self.folder, &input.upload_id);
        let (etag, modified) = self
            .run(move |folder| {
                folder.check_upload(&input.bucket, &input.key, &input.upload_id, input.part_number)?;
                let wanted = Wanted {
                    range,
                    ..Wanted::default()
                };
                let opened = folder.read(&source.0, &source.1, wanted, &conditions)?;
                let part = folder.read_part_source(opened.into_reader()?)?;
                folder.store_part(
                    &input.bucket,
                    &input.key,
                    &input.upload_id,
                    input.part_number,
                    part,
                )
            })
            .await?;
        Ok(S3Response::new(UploadPartCopyOutput {
            copy_part_result: Some(CopyPartResult {
                e_tag: strong(&etag),
                last_modified: time(modified),
                ..CopyPartResult::default()
            }),
            ..UploadPartCopyOutput::default()
        }))
    }

    async fn complete_multipart_upload(
        &self,
        req: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let checksums = checksums_in(&req.headers)?;
        // Those are of the object, not of the document.
        let mut headers = req.headers.clone();
        for algorithm in checksums.algorithms() {
            headers.remove(algorithm.header());
        }
        check_document(&req, &headers)?;
        let input = req.input;
        let (bucket, key, id) = (input.bucket.clone(), input.key.clone(), input.upload_id);
        let completion = Completion {
            parts: input
                .multipart_upload
                .and_then(|upload| upload.parts)
                .unwrap_or_default(),
            checksums,
            checksum_type: input.checksum_type.map(|kind| kind.as_str().to_owned()),
            size: input.mpu_object_size,
            conditions: WriteConditions {
                if_match: input.if_match,
                if_none_match: input.if_none_match,
            },
        };
        let record = self
            .change(move |folder| {
                let done = folder.complete_upload(&bucket, &key, &id, &completion)?;
                let name = "ObjectCreated:CompleteMultipartUpload";
                let changes = created(bucket, key, done.published.size, &done.record.etag, name);
                Ok((done.record, changes))
            })
            .await?;
        Ok(S3Response::new(with_checksums!(
            CompleteMultipartUploadOutput,
            record.checksums.clone(),
            location: Some(format!("/{}/{}", input.bucket, input.key)),
            bucket: Some(input.bucket),
            key: Some(input.key),
            e_tag: strong(&record.etag),
            checksum_type: record.checksum_type(),
        )))
    }

    async fn abort_multipart_upload(
        &self,
        req: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        let input = req.input;
        self.run(move |folder| folder.abort_upload(&input.bucket, &input.key, &input.upload_id))
            .await?;
        let output = AbortMultipartUploadOutput::default();
        Ok(S3Response::with_status(output, StatusCode::NO_CONTENT))
    }

    async fn list_parts(&self, req: S3Request<ListPartsInput>) -> S3Result<S3Response<ListPartsOutput>> {
        let input = req.input;
        let (bucket, key, id) = (input.bucket.clone(), input.key.clone(), input.upload_id.clone());
        let parts = self.run(move |folder| folder.parts(&bucket, &key, &id)).await?;
        Ok(S3Response::new(parts_output(input, parts)?))
    }

    async fn list_multipart_uploads(
        &self,
        req: S3Request<ListMultipartUploadsInput>,
    ) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
        let input = req.input;
        let bucket = input.bucket.clone();
        let uploads = self
            .run(move |folder| {
                folder.shelf.bucket(&bucket)?;
                folder.pending_uploads(&bucket)
            })
            .await?;
        Ok(S3Response::new(uploads_output(input, uploads)?))
    }
}
