//! Who may import whom. The storeys are named in ARCHITECTURE.md.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What every storey may use.
const SHARED: [&str; 5] = ["access", "app", "error", "clock", "config"];

/// A module, and the others that it may use besides [`SHARED`] and itself. In the order of the storeys.
const RULES: [(&str, &[&str]); 24] = [
    ("model", &[]),
    ("store", &["model"]),
    ("buckets", &["model"]),
    ("queue", &["model", "store"]),
    ("sources", &["model"]),
    ("task", &["model", "buckets"]),
    ("catalog", &["model", "store", "buckets", "sources"]),
    (
        "crawl",
        &["model", "store", "buckets", "sources", "queue", "task", "catalog"],
    ),
    (
        "etl",
        &["model", "store", "buckets", "queue", "task", "catalog", "crawl"],
    ),
    ("events", &["model", "store", "buckets", "queue", "etl"]),
    // The protocol alone: what a service does with a request is the service's.
    ("aws", &["model", "stack"]),
    ("glue", &["model", "catalog", "crawl", "etl", "events", "aws"]),
    // The filter of a list is the store's word for it.
    (
        "api",
        &[
            "model", "catalog", "crawl", "etl", "events", "queue", "store", "stack",
        ],
    ),
    ("lake", &["model", "browser", "listen", "stack"]),
    ("web", &[]),
    ("browser", &[]),
    ("stack", &["browser"]),
    ("listen", &[]),
    ("worker", &["store", "queue", "crawl", "etl", "events"]),
    ("app", &["buckets", "store", "task"]),
    ("config", &["model", "store"]),
    ("access", &[]),
    ("error", &[]),
    ("clock", &[]),
];

fn sources() -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let relative = path.strip_prefix(&root).unwrap().to_owned();
                let module = relative
                    .iter()
                    .next()
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .trim_end_matches(".rs")
                    .to_owned();
                found.push((module, relative, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found
}

/// The modules of this crate that a text uses, tests left out.
fn used_modules(text: &str) -> Vec<String> {
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    let mut used = Vec::new();
    for rest in text.split("crate::").skip(1) {
        if let Some(group) = rest.strip_prefix('{') {
            let group = group.split(';').next().unwrap_or_default();
            used.extend(
                group
                    .split([',', '}'])
                    .map(|name| name.trim().split("::").next().unwrap_or_default().to_owned()),
            );
        } else {
            used.push(
                rest.split(|c: char| !c.is_alphanumeric() && c != '_')
                    .next()
                    .unwrap_or_default()
                    .to_owned(),
            );
        }
    }
    used.retain(|name| !name.is_empty());
    used
}

#[test]
fn modules_use_only_the_storeys_below_them() {
    let rules: BTreeMap<&str, &[&str]> = RULES.into_iter().collect();
    let mut broken = Vec::new();
    let is_test = |path: &Path| path.ends_with("tests.rs");
    for (module, path, text) in sources().into_iter().filter(|(_, path, _)| !is_test(path)) {
        let Some(allowed) = rules.get(module.as_str()) else {
            continue;
        };
        for used in used_modules(&text) {
            let is_known = rules.contains_key(used.as_str()) || ["server", "cli"].contains(&used.as_str());
            let is_fine =
                used == module || allowed.contains(&used.as_str()) || SHARED.contains(&used.as_str());
            if is_known && !is_fine {
                broken.push(format!("{} uses {used}", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn only_one_module_knows_each_outside_world() {
    let keepers: [(&str, &[&str]); 4] = [
        // The one for our own database, the other for people's.
        ("sqlx::", &["store", "sources"]),
        ("aws_sdk_s3", &["buckets"]),
        ("aws_config", &["buckets"]),
        ("datafusion::", &["task"]),
    ];
    let mut broken = Vec::new();
    for (module, path, text) in sources() {
        for (name, keepers) in keepers {
            // The demo writes Parquet files, and the command line names log targets.
            let is_command_line = module == "cli";
            if text.contains(name) && !keepers.contains(&module.as_str()) && !is_command_line {
                broken.push(format!("{} names {name}", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn pure_modules_are_pure() {
    let pure = [
        "crawl/columns.rs",
        "crawl/found.rs",
        "crawl/globs.rs",
        "crawl/group.rs",
        "crawl/merge.rs",
        "crawl/names.rs",
        "crawl/naming.rs",
        "crawl/others.rs",
        "crawl/plan.rs",
        "crawl/plan/partitions.rs",
        "crawl/plan/reasons.rs",
        "crawl/sample.rs",
        "crawl/shape.rs",
        "crawl/together.rs",
        "crawl/tree.rs",
        "crawl/write.rs",
        "events/message.rs",
        "events/message/record.rs",
    ];
    for (module, path, text) in sources() {
        if module == "model" || pure.iter().any(|name| path == Path::new(name)) {
            for impure in ["async fn", "std::fs", "std::env", "tokio::"] {
                assert!(!text.contains(impure), "{} has {impure}", path.display());
            }
        }
    }
}

#[test]
fn every_file_says_what_it_is_for_and_stays_short_enough_to_read() {
    for (_, path, text) in sources() {
        assert!(text.starts_with("//!"), "{} has no module doc", path.display());
        assert!(text.lines().count() < 600, "{} is too long", path.display());
    }
}
