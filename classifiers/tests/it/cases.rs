//! The labelled cases of `tests/cases`: what real programs write, and what it should be taken for.

use std::collections::BTreeMap;
use std::path::PathBuf;

use classifiers::{DataType, Verdict};

use crate::support::{classify_bytes, show};

/// A file and what it is.
struct Case {
    group: String,
    title: String,
    name: String,
    text: String,
    delimiter: String,
    quote: Option<String>,
    escape: Option<String>,
    comment: Option<String>,
    skip: u64,
    after: u64,
    footer: u64,
    header: bool,
    types: Option<String>,
}

/// What of a case is judged.
const ASPECTS: [&str; 3] = ["dialect", "header", "types"];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

/// `comma` and the like as the characters they stand for.
fn characters(word: &str) -> String {
    let named = match word {
        "comma" => ",",
        "tab" => "\t",
        "space" => " ",
        other => other,
    };
    visible(named)
}

/// Pictures of control characters as those characters.
fn visible(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '␉' => '\t',
            '␁' => '\u{1}',
            '␂' => '\u{2}',
            '␟' => '\u{1f}',
            '␍' => '\r',
            '␊' => '\n',
            other => other,
        })
        .collect()
}

/// Every case of a file; one with `each` is several.
fn cases_of(group: &str, file: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    for case in file.split("=== ").skip(1) {
        let (title, rest) = case.split_once('\n').expect("a title");
        let (expected, text) = rest.split_once('\n').expect("what is expected");
        let (expected, each) = match expected.split_once("each ") {
            Some((expected, each)) => (expected, each.split(' ').map(characters).collect()),
            None => (expected, vec![String::new()]),
        };
        for delimiter in each {
            cases.push(case_of(group, title, expected, text, &delimiter));
        }
    }
    cases
}

fn case_of(group: &str, title: &str, expected: &str, text: &str, delimiter: &str) -> Case {
    let title = match delimiter {
        "" => title.to_owned(),
        _ => format!("{title} {delimiter:?}"),
    };
    let mut case = Case {
        group: group.to_owned(),
        name: "data.csv".to_owned(),
        text: visible(&text.replace('¤', delimiter)),
        delimiter: delimiter.to_owned(),
        quote: Some("\"".to_owned()),
        escape: None,
        comment: None,
        skip: 0,
        after: 0,
        footer: 0,
        header: true,
        types: None,
        title,
    };
    for word in expected.split_whitespace() {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        let number = || value.parse().expect("a number");
        match key {
            "delimiter" => case.delimiter = characters(value),
            "quote" => case.quote = (value != "none").then(|| value.to_owned()),
            "escape" => case.escape = Some(value.to_owned()),
            "comment" => case.comment = Some(value.to_owned()),
            "skip" => case.skip = number(),
            "after" => case.after = number(),
            "footer" => case.footer = number(),
            "header" => case.header = true,
            "no-header" => case.header = false,
            "types" => case.types = Some(value.to_owned()),
            "name" => case.name = value.to_owned(),
            "lines" => {
                let end = if value == "cr" { "\r" } else { "\r\n" };
                case.text = case.text.replace('\n', end);
            }
            _ => panic!("{}: what is {word:?}?", case.title),
        }
    }
    case
}

fn letter(data_type: &DataType) -> char {
    match data_type {
        DataType::Null => '-',
        DataType::String => 's',
        DataType::BigInt => 'i',
        DataType::Double => 'f',
        DataType::Boolean => 'b',
        DataType::Date => 'd',
        DataType::Timestamp => 't',
        _ => '?',
    }
}

impl Case {
    /// Which aspects are judged, and whether they are right.
    fn judge(&self, verdict: &Verdict) -> Vec<(&'static str, bool)> {
        let Some(csv) = verdict.csv().map(|csv| &csv.dialect) else {
            let right = self.delimiter == "none";
            return match right {
                true => vec![("dialect", true)],
                false => ASPECTS.map(|aspect| (aspect, false)).to_vec(),
            };
        };
        // Where no quote occurs, any is right.
        let quote = csv.quote == self.quote
            || [&csv.quote, &self.quote]
                .into_iter()
                .flatten()
                .all(|quote| !self.text.contains(quote.as_str()));
        let dialect = csv.delimiter == self.delimiter
            && quote
            && csv.escape == self.escape
            && csv.skip_lines == self.skip
            && csv.skip_after_header == self.after
            && csv.skip_footer == self.footer
            && (csv.comment == self.comment
                || self.comment.is_none() && !self.text.contains(csv.comment.as_deref().unwrap_or("\0")));
        let types: String = verdict
            .columns
            .iter()
            .map(|column| letter(&column.data_type))
            .collect();
        let mut judged = vec![("dialect", dialect), ("header", csv.header == self.header)];
        judged.extend(self.types.as_ref().map(|expected| ("types", *expected == types)));
        judged
    }
}

#[test]
fn every_case_is_right_or_known_to_be_wrong() {
    let mut cases = Vec::new();
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder())
        .expect("the folder of cases")
        .map(|entry| entry.expect("a file").path())
        .filter(|path| path.extension().is_some_and(|e| e == "txt") && !path.ends_with("known_wrong.txt"))
        .collect();
    files.sort();
    for path in files {
        let group = path.file_stem().expect("a name").to_string_lossy().into_owned();
        cases.extend(cases_of(&group, &std::fs::read_to_string(&path).expect("a text")));
    }
    let known = std::fs::read_to_string(folder().join("known_wrong.txt")).expect("the list");
    let known: BTreeMap<&str, &str> = known.lines().filter_map(|line| line.split_once(" — ")).collect();

    let mut right: BTreeMap<(&str, &str), (usize, usize)> = BTreeMap::new();
    let mut surprises = String::new();
    for case in &cases {
        let result = classify_bytes(&case.name, case.text.as_bytes());
        let judged = match &result {
            Ok(verdict) => case.judge(verdict),
            Err(_) => ASPECTS.map(|aspect| (aspect, false)).to_vec(),
        };
        for (aspect, is_right) in &judged {
            for group in [case.group.as_str(), "~ all"] {
                let (rights, all) = right.entry((group, aspect)).or_default();
                *rights += usize::from(*is_right);
                *all += 1;
            }
        }
        let wrong: Vec<&str> = judged
            .iter()
            .filter(|(_, right)| !right)
            .map(|(aspect, _)| *aspect)
            .collect();
        let title = format!("{}: {}", case.group, case.title);
        match (wrong.is_empty(), known.contains_key(title.as_str())) {
            (true, true) => surprises.push_str(&format!("{title}: right now; take it off the list\n")),
            (false, false) => surprises.push_str(&format!(
                "{title}: wrong {}\n{}\n",
                wrong.join(", "),
                show(&result)
            )),
            _ => {}
        }
    }
    println!(
        "{:20} {:>12} {:>12} {:>12}",
        "group", ASPECTS[0], ASPECTS[1], ASPECTS[2]
    );
    let mut groups: Vec<&str> = right.keys().map(|(group, _)| *group).collect();
    groups.dedup();
    for group in groups {
        let share = |aspect| {
            let (rights, all) = right.get(&(group, aspect)).copied().unwrap_or_default();
            format!(
                "{rights}/{all} {:3.0}%",
                100.0 * rights as f64 / all.max(1) as f64
            )
        };
        let [dialect, header, types] = ASPECTS.map(share);
        println!("{group:20} {dialect:>12} {header:>12} {types:>12}");
    }
    println!("{} cases", cases.len());
    assert!(surprises.is_empty(), "{surprises}");
}
