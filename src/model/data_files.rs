//! Which objects are data: Hive's rule, which Spark, Trino, Athena and Glue share.

use crate::model::location::partition_of_segment;
use crate::model::pattern::{ObjectPattern, Token};
use crate::model::table::TableInput;

/// Whether a name, of a folder or of an object, is hidden: it begins with `.` or `_`, or is a marker that Hadoop leaves.
/// `_year=2022` is a partition whose key begins with `_`.
pub fn is_hidden_name(name: &str) -> bool {
    name.ends_with("$folder$")
        || name.starts_with('.')
        || name.starts_with('_') && partition_of_segment(name).is_none()
}

/// Whether what lies at `relative` below a folder is data by its name: no marker of a folder, and hidden on no level.
pub fn is_data(relative: &str) -> bool {
    !relative.is_empty() && !relative.ends_with('/') && !relative.split('/').any(is_hidden_name)
}

/// The format of a table whose files are not all its rows, because a log beside them says which count: what its makers put
/// into its parameters (Iceberg's and Delta Lake's Hive and Glue catalogs, Hudi's Hive sync).
pub fn table_format(table: &TableInput) -> Option<&'static str> {
    let parameter = |name: &str| table.parameters.get(name).map_or("", String::as_str);
    let says = |text: &str| {
        ["table_type", "spark.sql.sources.provider", "classification"]
            .iter()
            .any(|name| parameter(name).eq_ignore_ascii_case(text))
    };
    let reader = table
        .storage
        .as_ref()
        .and_then(|storage| storage.input_format.as_deref());
    let reads = |package: &str| reader.is_some_and(|class| class.contains(package));
    if says("iceberg") || reads("org.apache.iceberg.") {
        Some("Iceberg")
    } else if says("delta") || reads("io.delta.") {
        Some("Delta Lake")
    } else if says("hudi") || reads("org.apache.hudi.") {
        Some("Hudi")
    } else {
        None
    }
}

/// Why an object that a pattern matches is no data, where it isn't. A hidden name that the pattern spells is data.
pub fn why_no_data(pattern: &ObjectPattern, key: &str) -> Option<&'static str> {
    if key.is_empty() || key.ends_with('/') {
        return Some("the marker of a folder is no data");
    }
    let levels = Levels::of(pattern);
    let names: Vec<&str> = key.split('/').collect();
    let count = names.len();
    let is_hidden = |(level, name): (usize, &str)| is_hidden_name(name) && !levels.spell(level, count, name);
    names
        .into_iter()
        .enumerate()
        .any(is_hidden)
        .then_some("a name that begins with _ or . is hidden, and no data")
}

/// Whether a pattern spells the name of the objects that it matches, as `…/_SUCCESS` and `…/done.flag` do.
pub fn spells_the_name(pattern: &ObjectPattern) -> bool {
    let levels = Levels::of(pattern);
    matches!(levels.0.last().map(Vec::as_slice), Some([Token::Literal(name)]) if !name.is_empty())
}

/// A pattern's names, level by level.
struct Levels(Vec<Vec<Token>>);

impl Levels {
    fn of(pattern: &ObjectPattern) -> Self {
        let mut levels: Vec<Vec<Token>> = vec![Vec::new()];
        for token in pattern.tokens() {
            let Token::Literal(literal) = token else {
                levels
                    .last_mut()
                    .into_iter()
                    .for_each(|level| level.push(token.clone()));
                continue;
            };
            for (at, part) in literal.split('/').enumerate() {
                if at > 0 {
                    levels.push(Vec::new());
                }
                if !part.is_empty() {
                    let part = Token::Literal(part.to_owned());
                    levels
                        .last_mut()
                        .into_iter()
                        .for_each(|level| level.push(part.clone()));
                }
            }
        }
        Self(levels)
    }

    /// Whether the pattern writes out how `name`, on this level of a key of `count`, begins. Behind `**` levels are counted
    /// from the end.
    fn spell(&self, level: usize, count: usize, name: &str) -> bool {
        let spans = |level: &Vec<Token>| level.contains(&Token::Any);
        let (first, last) = (
            self.0.iter().position(spans).unwrap_or(self.0.len()),
            self.0.iter().rposition(spans),
        );
        let from_the_end = (level + self.0.len()).checked_sub(count);
        let own = if level < first {
            self.0.get(level)
        } else {
            from_the_end
                .filter(|at| last.is_some_and(|last| *at > last))
                .and_then(|at| self.0.get(at))
        };
        match own.and_then(|tokens| tokens.first()) {
            Some(Token::Literal(literal)) => name.chars().next() == literal.chars().next(),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_names_count_unless_they_are_spelled() {
        for (pattern, key, is_data) in [
            ("in/*", "in/a.csv", true),
            ("in/*", "in/_SUCCESS", false),
            ("in/_SUCCESS", "in/_SUCCESS", true),
            ("in/{day}/_SUCCESS", "in/1/_SUCCESS", true),
            ("in/{day}/_SUCCESS", "in/_tmp/_SUCCESS", false),
            ("in/**", "in/_temporary/0/a.csv", false),
            ("in/**/_SUCCESS", "in/a/b/_SUCCESS", true),
            ("in/**/_SUCCESS", "in/_a/b/_SUCCESS", false),
            ("_landing/*", "_landing/a.csv", true),
            ("_landing/", "_landing/a.csv", true),
            ("_landing/", "_landing/_a.csv", false),
            ("in/_*", "in/_a.csv", true),
            ("in/**", "in/_year=2022/a.csv", true),
            ("in/*", "in/sub/", false),
            ("in/**", "in/a_$folder$", false),
        ] {
            let parsed = ObjectPattern::parse(&format!("s3://lake/{pattern}")).unwrap();
            assert_eq!(why_no_data(&parsed, key).is_none(), is_data, "{pattern} {key}");
        }
    }

    #[test]
    fn a_pattern_may_spell_the_name() {
        let spells = |text: &str| spells_the_name(&ObjectPattern::parse(text).unwrap());
        assert!(spells("s3://lake/in/{day}/_SUCCESS") && spells("s3://lake/done.flag"));
        assert!(!spells("s3://lake/in/{day}.flag") && !spells("s3://lake/in/*") && !spells("s3://lake/in/"));
    }
}
