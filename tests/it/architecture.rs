//! Who may import whom. The storeys are named in ARCHITECTURE.md.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::circles::{Name, uses};

/// What every storey may use.
const SHARED: [&str; 5] = ["access", "app", "error", "clock", "config"];

/// A module, and the others that it may use besides [`SHARED`] and itself. In the order of the storeys.
const RULES: [(&str, &[&str]); 26] = [
    ("model", &[]),
    ("store", &["model"]),
    ("buckets", &["model"]),
    ("queue", &["model", "store"]),
    ("sources", &["model"]),
    ("task", &["model", "buckets"]),
    ("catalog", &["model", "store", "buckets", "sources", "task"]),
    (
        "crawl",
        &[
            "model",
            "store",
            "buckets",
            "sources",
            "queue",
            "task",
            "catalog",
            "schedules",
        ],
    ),
    (
        "etl",
        &["model", "store", "buckets", "queue", "task", "catalog", "crawl"],
    ),
    ("events", &["model", "store", "buckets", "queue", "etl"]),
    ("retention", &["store"]),
    ("schedules", &["model", "store", "queue"]),
    // The protocol alone: what a service does with a request is the service's.
    ("aws", &["model", "stack"]),
    ("glue", &["model", "catalog", "crawl", "etl", "events", "aws"]),
    (
        "api",
        &["model", "catalog", "crawl", "etl", "events", "queue", "stack"],
    ),
    ("lake", &["model", "buckets", "browser", "listen", "stack"]),
    ("web", &[]),
    ("browser", &[]),
    ("stack", &["browser"]),
    ("listen", &[]),
    (
        "worker",
        &[
            "model",
            "queue",
            "crawl",
            "etl",
            "events",
            "retention",
            "schedules",
        ],
    ),
    ("app", &["buckets", "store", "task"]),
    ("config", &["model"]),
    ("access", &[]),
    ("error", &[]),
    ("clock", &[]),
];

/// Each source file: its first module, its path, its text.
pub(crate) fn sources() -> Vec<(String, PathBuf, String)> {
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
fn only_one_module_asks_the_machine_for_the_time_and_for_ids() {
    let asked = [
        "Utc::now",
        "Local::now",
        "SystemTime::now",
        "Instant::now",
        "Uuid::now",
        "Uuid::new",
    ];
    for (_, path, text) in sources() {
        for name in asked {
            let is_clock = path == Path::new("clock.rs");
            assert!(is_clock || !text.contains(name), "{} has {name}", path.display());
        }
    }
}

#[test]
fn the_database_is_opened_where_the_program_is_put_together() {
    // A worker ends what verbs of several rooms did in one transaction.
    let places = [
        "app.rs",
        "server.rs",
        "worker.rs",
        "cli/serve.rs",
        "cli/doctor.rs",
    ];
    let verbs = [
        "store",
        "queue",
        "catalog",
        "crawl",
        "etl",
        "events",
        "retention",
        "schedules",
    ];
    for (module, path, text) in sources() {
        let may = verbs.contains(&module.as_str()) || places.iter().any(|name| path == Path::new(name));
        let is_used = used_modules(&text).iter().any(|used| used == "store");
        assert!(may || !is_used, "{} uses the store", path.display());
    }
}

#[test]
fn no_wire_reaches_past_the_verbs_into_what_an_app_is_made_of() {
    for (module, path, text) in sources() {
        if ["glue", "api", "aws", "lake", "web"].contains(&module.as_str()) {
            for part in ["store", "buckets", "children", "watches"] {
                let name = format!("app.{part}");
                assert!(!text.contains(&name), "{} has {name}", path.display());
            }
        }
    }
}

#[test]
fn pure_modules_are_pure() {
    let pure = ["events/message.rs", "events/message/record.rs"];
    for (module, path, text) in sources() {
        let is_pure_room = ["crawl/shape", "crawl/plan"]
            .iter()
            .any(|room| path.starts_with(room));
        if module == "model" || is_pure_room || pure.iter().any(|name| path == Path::new(name)) {
            for impure in ["async fn", "std::fs", "std::env", "tokio::"] {
                assert!(!text.contains(impure), "{} has {impure}", path.display());
            }
        }
    }
}

/// A room of `crawl`, and the others that it may use. What lies beside the rooms may use them all.
const ROOMS_OF_CRAWL: [(&str, &[&str]); 4] = [
    ("shape", &[]),
    ("look", &["shape"]),
    ("plan", &["shape"]),
    ("apply", &["shape", "look", "plan"]),
];

#[test]
fn a_room_of_the_crawl_uses_only_earlier_rooms() {
    let rooms: BTreeMap<&str, &[&str]> = ROOMS_OF_CRAWL.into_iter().collect();
    let uses = uses();
    let mut broken = Vec::new();
    for (name, used) in &uses {
        let [of_crawl, room, _, ..] = name.as_slice() else {
            continue;
        };
        let of_crawl = |name: &&Name| name[0] == *of_crawl && of_crawl == "crawl";
        for used in used.iter().filter(of_crawl) {
            let is_fine = used[1] == *room || rooms[room.as_str()].contains(&used[1].as_str());
            if !is_fine {
                broken.push(format!("{} uses {}", name.join("::"), used.join("::")));
            }
        }
    }
    // Where this isn't found, the sources are read wrongly.
    let name = |text: &str| -> Name { text.split("::").map(str::to_owned).collect() };
    assert!(uses[&name("crawl::look::list")].contains(&name("crawl::shape::tree")));
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn readers_ask_a_files_layout_and_not_what_it_is_called() {
    // Classifiers may call their files as they like.
    for (module, path, text) in sources() {
        if ["task", "etl"].contains(&module.as_str()) {
            for asked in [
                "classification.as_str()",
                "classification ==",
                "classification !=",
            ] {
                assert!(!text.contains(asked), "{} has {asked}", path.display());
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
