//! What folders' names say of the folders: dates, numbers, `part3`, hashes, or words. Pure.

use crate::model::location::partition_of_segment;

/// What is behind a folder's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `key=value`: a partition, as Hive writes it.
    KeyValue,
    /// A year, a month, a day or an hour: a partition whose key has no name.
    Date,
    /// One of several numbers: a partition, if the files are alike.
    Number,
    /// `part1`, `batch-2`: a partition, if the files are alike.
    Numbered,
    /// A hash or a UUID, which says nothing: the files belong to the folder above, if they are alike.
    Opaque,
    /// Anything else: a table's name.
    Word,
}

/// Words that are numbered where one thing lies in several folders.
const NUMBERED: [&str; 18] = [
    "part",
    "partition",
    "batch",
    "run",
    "chunk",
    "shard",
    "split",
    "bucket",
    "segment",
    "slice",
    "page",
    "year",
    "month",
    "week",
    "day",
    "hour",
    "quarter",
    "q",
];

/// The kinds of folders that lie beside one another, in their order. `below_date`: the folder above them is a date.
pub fn kinds(names: &[&str], below_date: bool) -> Vec<Kind> {
    let is_plain = |name: &&str| partition_of_segment(name).is_none();
    let plain: Vec<&str> = names.iter().copied().filter(is_plain).collect();
    let all = |test: &dyn Fn(&str) -> bool| plain.iter().all(|name| test(name));
    let stem = plain.first().and_then(|name| numbered_stem(name));
    let common = if all(&|name| is_date(name, below_date)) {
        Some(Kind::Date)
    } else if plain.len() > 1 && all(&|name| is_number(name)) {
        Some(Kind::Number)
    } else if plain.len() > 1 && stem.is_some() && all(&|name| numbered_stem(name) == stem) {
        Some(Kind::Numbered)
    } else if all(&is_opaque) {
        Some(Kind::Opaque)
    } else {
        None
    };
    names
        .iter()
        .map(|name| match common {
            _ if partition_of_segment(name).is_some() => Kind::KeyValue,
            Some(kind) => kind,
            // Among words, a full date is a date all the same.
            None if is_date(name, below_date) && name.len() > 4 => Kind::Date,
            None => Kind::Word,
        })
        .collect()
}

fn is_number(name: &str) -> bool {
    !name.is_empty() && name.len() <= 20 && name.bytes().all(|byte| byte.is_ascii_digit())
}

/// `part-00001` → `part`.
fn numbered_stem(name: &str) -> Option<String> {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    if stem.len() == name.len() {
        return None;
    }
    let stem = stem.trim_end_matches(['-', '_', '.']).to_lowercase();
    NUMBERED.contains(&stem.as_str()).then_some(stem)
}

/// A UUID or a hash, alone or behind a word: `9f86d081884c7d65`, `run-123e4567-e89b-12d3-a456-426614174000`.
fn is_opaque(name: &str) -> bool {
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_mixed = |text: &str| {
        text.bytes().any(|byte| byte.is_ascii_digit()) && text.bytes().any(|byte| byte.is_ascii_alphabetic())
    };
    let is_hash = |text: &str| text.len() >= 12 && is_hex(text) && is_mixed(text);
    let is_uuid = |text: &str| {
        let groups: Vec<&str> = text.split('-').collect();
        groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
            && groups.iter().all(|group| is_hex(group))
    };
    let uuid_at_the_end = || {
        let start = name.len().checked_sub(36)?;
        let (word, uuid) = (name.get(..start)?, name.get(start..)?);
        let is_joined = word.is_empty() || word.ends_with(['-', '_', '.']);
        (is_joined && is_uuid(uuid)).then_some(())
    };
    let hash_at_the_end = || {
        let (word, hash) = name.rsplit_once(['-', '_'])?;
        let is_word = word.bytes().all(|byte| byte.is_ascii_alphabetic());
        (is_word && is_hash(hash)).then_some(())
    };
    is_hash(name) || uuid_at_the_end().is_some() || hash_at_the_end().is_some()
}

/// `2022`, `2022-01`, `2022-01-31`, `2022-01-31-23`, `20220131`, with `_` or `.` too; below a date also `01` and `1`.
fn is_date(name: &str, below_date: bool) -> bool {
    let parts: Vec<&str> = name.split(['-', '_', '.', 'T']).collect();
    if parts.iter().any(|part| !is_number(part)) {
        return false;
    }
    let within = |text: &str, from: u32, to: u32| {
        text.parse::<u32>()
            .is_ok_and(|number| (from..=to).contains(&number))
    };
    let is_year = |text: &str| text.len() == 4 && within(text, 1900, 2199);
    let is_month = |text: &str| text.len() <= 2 && within(text, 1, 12);
    let is_day = |text: &str| text.len() <= 2 && within(text, 1, 31);
    let is_hour = |text: &str| text.len() <= 2 && within(text, 0, 59);
    match parts.as_slice() {
        [one] if one.len() <= 2 => below_date && is_hour(one),
        [one] => {
            let fits = |at: usize, test: &dyn Fn(&str) -> bool| one.get(at..at + 2).is_some_and(test);
            is_year(&one[..4.min(one.len())])
                && match one.len() {
                    4 => true,
                    6 => fits(4, &is_month),
                    8 => fits(4, &is_month) && fits(6, &is_day),
                    10 => fits(4, &is_month) && fits(6, &is_day) && fits(8, &is_hour),
                    _ => false,
                }
        }
        [year, month] => is_year(year) && is_month(month),
        [year, month, day] => is_year(year) && is_month(month) && is_day(day),
        [year, month, day, rest @ ..] => {
            rest.len() <= 3
                && is_year(year)
                && is_month(month)
                && is_day(day)
                && rest.iter().all(|part| is_hour(part))
        }
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(names: &[&str], expected: &[Kind]) {
        assert_eq!(kinds(names, false), expected, "{names:?}");
    }

    #[test]
    fn names_say_what_folders_are() {
        use Kind::*;
        check(&["Year=2017", "year=2018"], &[KeyValue, KeyValue]);
        check(&["2017"], &[Date]);
        check(&["2022-01-31", "archive"], &[Date, Word]);
        check(&["2022", "archive"], &[Word, Word]);
        check(&["20220131", "2022013123"], &[Date, Date]);
        check(&["7", "12", "1000"], &[Number, Number, Number]);
        check(&["7"], &[Word]);
        check(&["01", "02"], &[Number, Number]);
        check(&["part1", "part-02"], &[Numbered, Numbered]);
        check(&["table1", "table2"], &[Word, Word]);
        check(&["part1", "orders"], &[Word, Word]);
        check(
            &["9f86d081884c7d65", "run-123e4567-e89b-12d3-a456-426614174000"],
            &[Opaque, Opaque],
        );
        check(&["orders", "customers", "defaced"], &[Word, Word, Word]);
        assert_eq!(kinds(&["01"], true), [Date]);
        assert_eq!(kinds(&["orders"], true), [Word]);
    }
}
