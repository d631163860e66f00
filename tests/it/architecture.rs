//! Who may import whom. The storeys are named in ARCHITECTURE.md.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What every storey may use.
const SHARED: [&str; 5] = ["access", "app", "error", "clock", "config"];

/// A module, and the others that it may use besides [`SHARED`] and itself. In the order of the storeys.
const RULES: [(&str, &[&str]); 25] = [
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
    ("retention", &["store"]),
    // The protocol alone: what a service does with a request is the service's.
    ("aws", &["model", "stack"]),
    ("glue", &["model", "catalog", "crawl", "etl", "events", "aws"]),
    (
        "api",
        &["model", "catalog", "crawl", "etl", "events", "queue", "stack"],
    ),
    ("lake", &["model", "browser", "listen", "stack"]),
    ("web", &[]),
    ("browser", &[]),
    ("stack", &["browser"]),
    ("listen", &[]),
    ("worker", &["queue", "crawl", "etl", "events", "retention"]),
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
    let verbs = ["store", "queue", "catalog", "crawl", "etl", "events", "retention"];
    for (module, path, text) in sources() {
        let may = verbs.contains(&module.as_str()) || places.iter().any(|name| path == Path::new(name));
        let is_used = used_modules(&text).iter().any(|used| used == "store");
        assert!(may || !is_used, "{} uses the store", path.display());
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

/// The files of `crawl` by their paths in it (`look/list`), each with those that it uses. What only lists others has no
/// part in it.
fn uses_in_crawl() -> BTreeMap<String, Vec<String>> {
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for (_, path, text) in sources() {
        let Ok(path) = path.strip_prefix("crawl") else {
            continue;
        };
        let name = path.to_str().unwrap().trim_end_matches(".rs");
        if !name.ends_with("mod") && !name.ends_with("tests") {
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            let code = code.lines().filter(|line| !line.trim_start().starts_with("//"));
            files.insert(name.to_owned(), code.collect::<Vec<_>>().join("\n"));
        }
    }
    let named = |file: &str, code: &str| {
        let room = file
            .rsplit_once('/')
            .map_or(String::new(), |(room, _)| format!("{room}/"));
        let mut named = Vec::new();
        for (start, base) in [("super::", room.as_str()), ("crate::crawl::", "")] {
            for rest in code.split(start).skip(1) {
                named.extend(paths(rest).into_iter().map(|path| format!("{base}{path}")));
            }
        }
        named
    };
    files
        .iter()
        .map(|(file, code)| {
            let named = named(file, code);
            let is_used = |other: &&String| {
                let below = format!("{other}/");
                *other != file
                    && named
                        .iter()
                        .any(|path| path == *other || path.starts_with(&below))
            };
            (file.clone(), files.keys().filter(is_used).cloned().collect())
        })
        .collect()
}

/// The paths that a text begins with, `a::{b, c::d}` taken apart: `a/b`, `a/c/d`.
fn paths(text: &str) -> Vec<String> {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
    let (path, rest) = text.split_at(end.unwrap_or(text.len()));
    let base = path.replace("::", "/");
    let Some(group) = rest.strip_prefix('{') else {
        return vec![base];
    };
    let mut depth = 0;
    let mut parts = vec![String::new()];
    for c in group.chars() {
        match c {
            '}' if depth == 0 => break,
            ',' if depth == 0 => parts.push(String::new()),
            _ => {
                depth += i32::from(c == '{') - i32::from(c == '}');
                parts.last_mut().unwrap().push(c);
            }
        }
    }
    let parts = parts.iter().flat_map(|part| paths(part.trim()));
    parts.map(|part| format!("{base}{part}")).collect()
}

#[test]
fn a_room_of_the_crawl_uses_only_earlier_rooms() {
    let rooms: BTreeMap<&str, &[&str]> = ROOMS_OF_CRAWL.into_iter().collect();
    let mut broken = Vec::new();
    for (file, uses) in uses_in_crawl() {
        let Some((room, _)) = file.split_once('/') else {
            continue;
        };
        for used in uses {
            let of = used.split_once('/').map(|(of, _)| of);
            let is_fine = of.is_some_and(|of| of == room || rooms[room].contains(&of));
            if !is_fine {
                broken.push(format!("{file} uses {used}"));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn the_files_of_the_crawl_use_one_another_in_one_direction() {
    let mut left = uses_in_crawl();
    assert!(left["look/list"].contains(&"shape/tree".to_owned()), "{left:#?}");
    // Files that use none of those that are left are taken away, until none is.
    loop {
        let free: Vec<String> = left
            .iter()
            .filter(|(_, uses)| !uses.iter().any(|used| left.contains_key(used)))
            .map(|(file, _)| file.clone())
            .collect();
        if free.is_empty() {
            break;
        }
        left.retain(|file, _| !free.contains(file));
    }
    assert!(left.is_empty(), "a circle: {left:#?}");
}

#[test]
fn every_file_says_what_it_is_for_and_stays_short_enough_to_read() {
    for (_, path, text) in sources() {
        assert!(text.starts_with("//!"), "{} has no module doc", path.display());
        assert!(text.lines().count() < 600, "{} is too long", path.display());
    }
}
