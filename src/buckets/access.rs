//! Where a store is and who we are there.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Where a store is and who we are there.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Access {
    /// One endpoint and one pair of keys; buckets are in the path, and plain HTTP is fine.
    Endpoint {
        /// Such as `http://127.0.0.1:9000`.
        url: String,
        /// The public half of the pair.
        access_key: String,
        /// The secret half. Never printed.
        secret_key: String,
        /// The region that requests are signed for.
        region: String,
        /// The folder that it serves, where this machine has it and children may read objects from there.
        folder: Option<PathBuf>,
    },
    /// The standard AWS variables, files and roles, `AWS_ENDPOINT_URL` included.
    Environment,
}

impl Access {
    /// The folder that the store's objects may be read from.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Self::Endpoint { folder, .. } => folder.as_deref(),
            Self::Environment => None,
        }
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Endpoint {
                url,
                access_key,
                region,
                folder,
                ..
            } => f
                .debug_struct("Endpoint")
                .field("url", url)
                .field("access_key", access_key)
                .field("secret_key", &"…")
                .field("region", region)
                .field("folder", folder)
                .finish(),
            Self::Environment => f.write_str("Environment"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_printed() {
        let access = Access::Endpoint {
            url: "http://127.0.0.1:9000".into(),
            access_key: "key".into(),
            secret_key: "hush".into(),
            region: "us-east-1".into(),
            folder: None,
        };
        assert!(!format!("{access:?}").contains("hush"));
    }
}
