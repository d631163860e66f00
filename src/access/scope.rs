//! What of the object store a key is good for, where that isn't everything.

/// A part of a bucket: every key that begins so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Area {
    /// The bucket.
    pub bucket: String,
    /// How its keys begin; with nothing, all do.
    pub prefix: String,
}

/// What somebody may read and write. What may be written may be read, too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Where they may read; anywhere without this.
    pub reads: Option<Vec<Area>>,
    /// Where they may write; anywhere without this.
    pub writes: Option<Vec<Area>>,
}

impl Area {
    /// Whether a key is of it. A folder's name counts without its slash: clients look whether it is an object.
    fn has(&self, bucket: &str, key: &str) -> bool {
        let is_its_folder = || self.prefix.strip_suffix('/') == Some(key);
        self.bucket == bucket && (key.starts_with(&self.prefix) || is_its_folder())
    }
}

impl Scope {
    /// Whether a key, or all keys that begin so, may be read.
    pub fn may_read(&self, bucket: &str, key: &str) -> bool {
        let is_in = |areas: &Vec<Area>| areas.iter().any(|area| area.has(bucket, key));
        self.reads.as_ref().is_none_or(is_in) || self.writes.as_ref().is_some_and(is_in)
    }

    /// Whether a key may be written and removed.
    pub fn may_write(&self, bucket: &str, key: &str) -> bool {
        let is_in = |areas: &Vec<Area>| areas.iter().any(|area| area.has(bucket, key));
        self.writes.as_ref().is_none_or(is_in)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_good_for_what_its_scope_names() {
        let area = |prefix: &str| Area {
            bucket: "lake".to_owned(),
            prefix: prefix.to_owned(),
        };
        let scope = Scope {
            reads: Some(vec![area("raw/")]),
            writes: Some(vec![area("_mastic/1/")]),
        };
        assert!(scope.may_read("lake", "raw/a.csv") && scope.may_read("lake", "raw"));
        assert!(scope.may_read("lake", "_mastic/1/a") && scope.may_write("lake", "_mastic/1/a"));
        for (bucket, key) in [
            ("lake", "rawer"),
            ("lake", ""),
            ("other", "raw/a"),
            ("lake", "_mastic/2/a"),
        ] {
            assert!(!scope.may_read(bucket, key), "{bucket} {key}");
        }
        assert!(!scope.may_write("lake", "raw/a.csv"));
        assert!(Scope::default().may_write("any", "thing") && Scope::default().may_read("any", "thing"));
    }
}
