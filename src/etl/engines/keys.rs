//! A key pair for one run: good for what its job names, for as long as its script is at work.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::{Assignment, Place};
use crate::access::{Area, Authenticator, Caller, Holder, Role, Scope};
use crate::buckets::Access;
use crate::task::TableToRead;

/// How access keys of runs begin.
const PREFIX: &str = "MASTICRUN";

/// A key pair that is lent. It is taken back when this goes.
pub(super) struct Keys {
    authenticator: Arc<dyn Authenticator>,
    access_key: String,
    secret_key: String,
}

impl Keys {
    /// Lends a run keys to the embedded lake; none where the object store is another, or its rule of access lends none.
    pub(super) fn lend(work: &Assignment<'_>) -> Option<Self> {
        let app = work.app;
        if !matches!(app.access, Access::Endpoint { .. }) {
            return None;
        }
        let own = |purpose: &str| {
            let mut digest = Sha256::new();
            digest.update(format!("{purpose} {} {}", app.clock.new_id(), app.clock.new_id()));
            hex::encode(digest.finalize())
        };
        let keys = Self {
            authenticator: Arc::clone(&app.authenticator),
            access_key: format!("{PREFIX}{}", &own("name")[..16].to_uppercase()),
            secret_key: own("secret"),
        };
        let holder = Holder {
            secret_key: keys.secret_key.clone(),
            caller: Caller::new(&format!("run {}", work.run.id), Role::Editor),
            scope: Some(Arc::new(scope(work))),
        };
        keys.authenticator.lend(&keys.access_key, holder).then_some(keys)
    }

    /// Puts them in a script's environment.
    pub(super) fn tell(&self, environment: &mut BTreeMap<String, String>) {
        for (name, value) in [
            ("AWS_ACCESS_KEY_ID", &self.access_key),
            ("AWS_SECRET_ACCESS_KEY", &self.secret_key),
        ] {
            environment.insert(name.to_owned(), value.clone());
        }
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        self.authenticator.take_back(&self.access_key);
    }
}

/// What a job names. One that names no inputs reads what it likes, and one that names no output writes what it likes.
fn scope(work: &Assignment<'_>) -> Scope {
    let reads: Vec<Area> = work.tables.iter().flat_map(areas).collect();
    Scope {
        reads: (!work.tables.is_empty()).then_some(reads),
        writes: match &work.place {
            Place::Folder(folder) => Some(vec![Area {
                bucket: folder.bucket.clone(),
                prefix: folder.key.clone(),
            }]),
            Place::Uploads(..) => Some(Vec::new()),
            Place::Anywhere => None,
        },
    }
}

/// The folders that hold a table's objects, as far as these have the beginnings of their keys in common: one for each bucket.
fn areas(table: &TableToRead) -> Vec<Area> {
    let mut common: BTreeMap<&str, &str> = BTreeMap::new();
    for file in table.files.given() {
        let key = file.object.key.as_str();
        let shared = common.entry(file.object.bucket.as_str()).or_insert(key);
        let length = shared
            .bytes()
            .zip(key.bytes())
            .take_while(|(a, b)| a == b)
            .count();
        *shared = shared.get(..length).unwrap_or_default();
    }
    let area = |(bucket, shared): (&str, &str)| Area {
        bucket: bucket.to_owned(),
        prefix: shared[..shared.rfind('/').map_or(0, |slash| slash + 1)].to_owned(),
    };
    common.into_iter().map(area).collect()
}
