//! Links to objects, for whoever has no keys.

use std::time::Duration;

use aws_sdk_s3::presigning::PresigningConfig;

use super::Buckets;
use super::failure::{self, Place};
use crate::error::{Error, Result};

impl Buckets {
    /// An address that gives the object to whoever has it, without keys, for so long.
    ///
    /// # Errors
    /// `Invalid` where it is too long; `Denied` without credentials.
    pub async fn link(&self, bucket: &str, key: &str, valid: Duration) -> Result<String> {
        let place = Place::object(bucket, key);
        let valid = PresigningConfig::expires_in(valid)
            .map_err(|cause| Error::invalid("a link can't hold so long").source(cause))?;
        let request = self.client.get_object().bucket(bucket).key(key);
        let link = request.presigned(valid).await;
        link.map(|link| link.uri().to_owned())
            .map_err(|error| failure::from_sdk(error, "link to", &place))
    }
}
