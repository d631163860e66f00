//! No module uses one that uses it, by whatever way. What the files of a folder share stands in the folder's own file, which
//! lists them: that alone is no circle.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::architecture::sources;

/// The names that lead to a module: `["store", "tables"]`.
pub(crate) type Name = Vec<String>;

/// Every module, and its text without tests and comments.
fn modules() -> BTreeMap<Name, String> {
    let name_of = |path: &Path| -> Name {
        let mut name: Name = path
            .with_extension("")
            .iter()
            .map(|part| part.to_string_lossy().into_owned())
            .collect();
        if name.last().is_some_and(|last| last == "mod") {
            name.pop();
        }
        name
    };
    let code = |text: &str| -> String {
        let text = text.split("#[cfg(test)]\nmod").next().unwrap_or_default();
        let lines = text
            .lines()
            .map(|line| line.split("//").next().unwrap_or_default());
        lines.collect::<Vec<_>>().join("\n")
    };
    sources()
        .into_iter()
        .filter(|(module, _, _)| module != "main" && module != "lib")
        .map(|(_, path, text)| (name_of(&path), code(&text)))
        .collect()
}

/// The paths that a tree of `use` stands for: `a::{b, c::{self, d as e}}`.
fn expand(before: &[String], tree: &str, found: &mut Vec<(Name, Option<String>)>) {
    let tree = tree.trim();
    let Some((head, group)) = tree.split_once('{') else {
        let (path, alias) = match tree.split_once(" as ") {
            Some((path, alias)) => (path, Some(alias.trim().to_owned())),
            None => (tree, None),
        };
        let mut name = before.to_vec();
        name.extend(segments(path));
        if name.last().is_some_and(|last| last == "self") {
            name.pop();
        }
        found.push((name, alias));
        return;
    };
    let mut before = before.to_vec();
    before.extend(segments(head));
    let mut depth = 0;
    let mut from = 0;
    let group = group.strip_suffix('}').unwrap_or(group);
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                expand(&before, &group[from..at], found);
                from = at + 1;
            }
            _ => {}
        }
    }
    if !group[from..].trim().is_empty() {
        expand(&before, &group[from..], found);
    }
}

fn segments(path: &str) -> Vec<String> {
    let names = path.split("::").map(str::trim);
    names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// Every path in a text that has a `::` in it.
fn paths_in(text: &str) -> Vec<Name> {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == ':';
    let words = text.split(|letter: char| !is_part(letter));
    words.filter(|word| word.contains("::")).map(segments).collect()
}

/// The modules that `name` uses, those around it left out.
fn used_by(name: &Name, text: &str, modules: &BTreeMap<Name, String>) -> BTreeSet<Name> {
    let mut imported: BTreeMap<String, Name> = BTreeMap::new();
    let mut paths = Vec::new();
    let mut rest = String::new();
    for statement in text.split_inclusive(';') {
        let at = statement.find("use ").filter(|at| {
            let before = statement[..*at].trim_end();
            before.is_empty() || before.ends_with([')', '}', '\n', ']']) || before.ends_with("pub")
        });
        let Some(at) = at else {
            rest.push_str(statement);
            continue;
        };
        rest.push_str(&statement[..at]);
        let mut found = Vec::new();
        expand(&[], statement[at + 4..].trim_end_matches(';'), &mut found);
        for (path, alias) in found {
            if let Some(last) = alias.or_else(|| path.last().cloned()) {
                imported.insert(last, path.clone());
            }
            paths.push(path);
        }
    }
    for path in paths_in(&rest) {
        match path.first().and_then(|first| imported.get(first)) {
            Some(whole) => paths.push([whole.as_slice(), &path[1..]].concat()),
            None => paths.push(path),
        }
    }
    let absolute = |path: Name| -> Name {
        let mut around = name.clone();
        let mut path = path.as_slice();
        match path.first().map(String::as_str) {
            Some("crate") => return path[1..].to_vec(),
            Some("self") => path = &path[1..],
            _ => {
                while path.first().is_some_and(|first| first == "super") {
                    around.pop();
                    path = &path[1..];
                }
            }
        }
        [around.as_slice(), path].concat()
    };
    let module_of = |path: Name| {
        let mut lengths = (1..=path.len()).rev();
        let length = lengths.find(|length| modules.contains_key(&path[..*length]))?;
        Some(path[..length].to_vec())
    };
    paths
        .into_iter()
        .map(absolute)
        .filter_map(module_of)
        .filter(|used| !name.starts_with(used))
        .collect()
}

/// Every module with those that it uses.
pub(crate) fn uses() -> BTreeMap<Name, BTreeSet<Name>> {
    let modules = modules();
    let used = |(name, text): (&Name, &String)| (name.clone(), used_by(name, text, &modules));
    modules.iter().map(used).collect()
}

/// A way from `from` back to itself.
fn circle(from: &Name, uses: &BTreeMap<Name, BTreeSet<Name>>) -> Option<Vec<Name>> {
    let mut ways = vec![vec![from.clone()]];
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop() {
        for next in way.last().into_iter().flat_map(|last| &uses[last]) {
            let way = [way.as_slice(), std::slice::from_ref(next)].concat();
            if next == from {
                return Some(way);
            }
            if seen.insert(next.clone()) {
                ways.push(way);
            }
        }
    }
    None
}

#[test]
fn no_module_leads_back_to_itself() {
    let uses = uses();
    // Where this finds nothing at all, it reads the sources wrongly.
    let store = ["catalog".to_owned(), "tables".to_owned()];
    assert!(uses[store.as_slice()].contains(["store".to_owned(), "tables".to_owned()].as_slice()));
    let circles: Vec<String> = uses
        .keys()
        .filter_map(|name| circle(name, &uses))
        .map(|way| {
            way.iter()
                .map(|name| name.join("::"))
                .collect::<Vec<_>>()
                .join(" → ")
        })
        .collect();
    assert!(circles.is_empty(), "{circles:#?}");
}

#[test]
fn a_tree_of_uses_is_read_as_the_compiler_does() {
    let mut found = Vec::new();
    expand(&[], "crate::a::{self, b::{C, d}, e as f}", &mut found);
    let found: Vec<String> = found
        .into_iter()
        .map(|(name, alias)| name.join("::") + &alias.map(|alias| format!(" as {alias}")).unwrap_or_default())
        .collect();
    assert_eq!(
        found,
        ["crate::a", "crate::a::b::C", "crate::a::b::d", "crate::a::e as f"]
    );
}
