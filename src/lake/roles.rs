//! Who may do what in the store. Each operation needs a role: an analyst reads, an editor changes.

use std::sync::Arc;

use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::{S3Result, s3_error};

use crate::access::{Authenticator, Caller, Role};

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

#[async_trait::async_trait]
impl S3Access for Callers {
    async fn check(&self, request: &mut S3AccessContext<'_>) -> S3Result<()> {
        let caller = match request.credentials() {
            Some(signed) => self.0.holder(&signed.access_key).map(|holder| holder.caller),
            None => self.0.unsigned(),
        };
        may(caller.as_ref(), request.s3_op().name())
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
