//! Answers in S3's words: listings, and what is said of an object that is read.

use s3s::dto::{
    CommonPrefix, ETag, EncodingType, GetObjectOutput, HeadObjectOutput, ListMultipartUploadsInput,
    ListMultipartUploadsOutput, ListPartsInput, ListPartsOutput, MultipartUpload, Object, Part,
    StreamingBlob, Timestamp,
};
use s3s::{S3Result, s3_error};

use super::assembly::StoredPart;
use super::listing::Page;
use super::multipart::PendingUpload;
use super::object::Opened;
use super::xml::can_hold;

/// The most that a page of anything has.
pub(super) const PAGE: i32 = 1000;

/// What is said of `$opened` in a GET and in a HEAD alike.
macro_rules! described {
    ($output:ident, $opened:expr) => {{
        let record = &$opened.found.record;
        let attributes = &record.attributes;
        let checksums = $opened.checksums();
        $output {
            accept_ranges: Some("bytes".to_owned()),
            content_length: i64::try_from($opened.length()).ok(),
            content_range: $opened.content_range(),
            last_modified: Some($opened.modified()),
            e_tag: Some(ETag::Strong(record.etag.clone())),
            content_type: attributes.content_type.clone(),
            content_encoding: attributes.content_encoding.clone(),
            content_disposition: attributes.content_disposition.clone(),
            content_language: attributes.content_language.clone(),
            cache_control: attributes.cache_control.clone(),
            expires: attributes.expires(),
            metadata: attributes.metadata(),
            parts_count: i32::try_from(record.parts.len()).ok().filter(|_| $opened.by_part),
            checksum_crc32: checksums.checksum_crc32,
            checksum_crc32c: checksums.checksum_crc32c,
            checksum_crc64nvme: checksums.checksum_crc64nvme,
            checksum_sha1: checksums.checksum_sha1,
            checksum_sha256: checksums.checksum_sha256,
            checksum_type: checksums.checksum_type,
            ..$output::default()
        }
    }};
}

/// The answer to a GET.
pub(super) fn get_output(opened: Opened) -> S3Result<GetObjectOutput> {
    let mut output = described!(GetObjectOutput, opened);
    output.body = Some(StreamingBlob::wrap(opened.into_body()?));
    Ok(output)
}

/// The answer to a HEAD.
pub(super) fn head_output(opened: &Opened) -> HeadObjectOutput {
    described!(HeadObjectOutput, opened)
}

/// Whether keys are percent-encoded in a listing, because XML can't hold every character.
#[derive(Clone, Copy)]
pub(super) struct Encoding(bool);

impl Encoding {
    fn of(wanted: Option<&EncodingType>) -> Self {
        Self(wanted.is_some_and(|wanted| wanted.as_str() == "url"))
    }

    /// As it is wanted, unless XML can't hold one of the texts.
    fn of_texts<'a>(wanted: Option<&EncodingType>, mut texts: impl Iterator<Item = &'a str>) -> Self {
        Self(Self::of(wanted).0 || !texts.all(can_hold))
    }

    /// That of a page of objects; `echoed` are the texts of the request that are repeated in it.
    pub(super) fn of_page(wanted: Option<&EncodingType>, page: &Page, echoed: &[&Option<String>]) -> Self {
        let keys = page.objects.iter().map(|object| object.key.as_str());
        let prefixes = page.prefixes.iter().map(String::as_str);
        let echoed = echoed.iter().filter_map(|text| text.as_deref());
        Self::of_texts(wanted, keys.chain(prefixes).chain(echoed))
    }

    /// As an answer says it.
    pub(super) fn named(self) -> Option<EncodingType> {
        self.0.then(|| EncodingType::from_static(EncodingType::URL))
    }

    pub(super) fn of_text(self, text: String) -> String {
        if !self.0 {
            return text;
        }
        let mut encoded = String::with_capacity(text.len());
        for byte in text.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
                    encoded.push(char::from(byte));
                }
                _ => encoded.push_str(&format!("%{byte:02X}")),
            }
        }
        encoded
    }
}

/// The objects of a page.
pub(super) fn objects(page: &Page, encoding: Encoding) -> Option<Vec<Object>> {
    let objects = page.objects.iter().map(|listed| Object {
        key: Some(encoding.of_text(listed.key.clone())),
        size: i64::try_from(listed.size).ok(),
        e_tag: Some(ETag::Strong(listed.etag.clone())),
        last_modified: Some(Timestamp::from(listed.modified)),
        storage_class: Some("STANDARD".to_owned().into()),
        ..Object::default()
    });
    (!page.objects.is_empty()).then(|| objects.collect())
}

/// The common prefixes of a page.
pub(super) fn prefixes(page: &Page, encoding: Encoding) -> Option<Vec<CommonPrefix>> {
    let prefixes = page.prefixes.iter().map(|prefix| CommonPrefix {
        prefix: Some(encoding.of_text(prefix.clone())),
    });
    (!page.prefixes.is_empty()).then(|| prefixes.collect())
}

/// How many a page may have: what is asked for, up to S3's own limit.
pub(super) fn page_size(asked: Option<i32>) -> S3Result<(usize, i32)> {
    let asked = asked.unwrap_or(PAGE).min(PAGE);
    match usize::try_from(asked) {
        Ok(limit) => Ok((limit, asked)),
        Err(_) => Err(s3_error!(
            InvalidArgument,
            "a page can't have a negative number of entries"
        )),
    }
}

/// Where a continuation token says to go on.
pub(super) fn from_token(token: &str) -> S3Result<String> {
    let malformed = || {
        s3_error!(
            InvalidArgument,
            "the continuation token isn't one of this store's"
        )
    };
    String::from_utf8(hex::decode(token).map_err(|_| malformed())?).map_err(|_| malformed())
}

/// The answer to a listing of an upload's parts.
pub(super) fn parts_output(input: ListPartsInput, mut parts: Vec<StoredPart>) -> S3Result<ListPartsOutput> {
    let (limit, max_parts) = page_size(input.max_parts)?;
    let marker = input.part_number_marker.unwrap_or(0);
    parts.retain(|part| part.number > marker);
    let more = parts.len() > limit;
    parts.truncate(limit);
    Ok(ListPartsOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        part_number_marker: Some(marker),
        max_parts: Some(max_parts),
        is_truncated: Some(more),
        next_part_number_marker: parts.last().filter(|_| more).map(|part| part.number),
        parts: Some(parts.iter().map(part_output).collect()),
        ..ListPartsOutput::default()
    })
}

fn part_output(part: &StoredPart) -> Part {
    Part {
        part_number: Some(part.number),
        e_tag: Some(ETag::Strong(part.etag.clone())),
        size: i64::try_from(part.size).ok(),
        last_modified: Some(Timestamp::from(part.modified)),
        ..Part::default()
    }
}

/// The answer to a listing of uploads in progress.
pub(super) fn uploads_output(
    input: ListMultipartUploadsInput,
    mut uploads: Vec<PendingUpload>,
) -> S3Result<ListMultipartUploadsOutput> {
    let (limit, max_uploads) = page_size(input.max_uploads)?;
    let prefix = input.prefix.clone().unwrap_or_default();
    let marker = input.key_marker.clone().unwrap_or_default();
    // Without an id, the marker is past every upload to its key.
    let id_marker = input.upload_id_marker.as_ref().filter(|id| !id.is_empty());
    uploads.retain(|upload| {
        let past = match id_marker {
            Some(id) => (&upload.key, &upload.id) > (&marker, id),
            None => marker.is_empty() || upload.key > marker,
        };
        past && upload.key.starts_with(&prefix)
    });
    let more = uploads.len() > limit;
    uploads.truncate(limit);
    let last = uploads.last().filter(|_| more);
    let keys = uploads.iter().map(|upload| upload.key.as_str());
    let echoed = [&input.prefix, &input.key_marker].into_iter().flatten();
    let texts = keys.chain(echoed.map(String::as_str));
    let encoding = Encoding::of_texts(input.encoding_type.as_ref(), texts);
    Ok(ListMultipartUploadsOutput {
        bucket: Some(input.bucket),
        prefix: input.prefix.map(|text| encoding.of_text(text)),
        key_marker: input.key_marker.map(|text| encoding.of_text(text)),
        upload_id_marker: input.upload_id_marker,
        max_uploads: Some(max_uploads),
        is_truncated: Some(more),
        next_key_marker: last.map(|upload| encoding.of_text(upload.key.clone())),
        next_upload_id_marker: last.map(|upload| upload.id.clone()),
        encoding_type: encoding.named(),
        uploads: Some(
            uploads
                .iter()
                .map(|upload| upload_output(upload, encoding))
                .collect(),
        ),
        ..ListMultipartUploadsOutput::default()
    })
}

fn upload_output(upload: &PendingUpload, encoding: Encoding) -> MultipartUpload {
    MultipartUpload {
        key: Some(encoding.of_text(upload.key.clone())),
        upload_id: Some(upload.id.clone()),
        initiated: Some(Timestamp::from(upload.initiated)),
        ..MultipartUpload::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_survive_the_listing() {
        let text = Encoding(true).of_text("a b+c%d/ü\u{1}".to_owned());
        assert_eq!(text, "a%20b%2Bc%25d/%C3%BC%01");
        assert_eq!(Encoding(false).of_text("a b".to_owned()), "a b");
    }

    #[test]
    fn tokens_are_only_ours() {
        assert_eq!(from_token(&hex::encode("a/ü")).unwrap(), "a/ü");
        assert!(from_token("a/b").is_err());
        assert!(from_token("ff").is_err());
    }
}
