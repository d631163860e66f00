//! The patterns that clients ask for tables with.

use crate::aws::{Answer, Failure};

use super::error::invalid;
use regex::Regex;

/// The longest that Glue takes (`FilterString`).
const MAX_LENGTH: usize = 2048;

/// Reads the `Expression` of GetTables; a blank one asks for every table.
///
/// AWS says that it is a regular expression, and its own libraries send globs (`prefix*`) and Hive's patterns (`a|b*`).
/// Both are taken: a `*` that follows a letter, or nothing, stands for anything.
pub(super) fn pattern(expression: &str) -> Answer<Option<Regex>> {
    let expression = expression.trim();
    if expression.is_empty() {
        return Ok(None);
    }
    if expression.chars().count() > MAX_LENGTH {
        return Err(Failure::constraint(
            "of expression",
            "expression",
            &format!("Member must have length less than or equal to {MAX_LENGTH}"),
        ));
    }
    let source = format!("^(?i:{})$", stars_as_wildcards(expression));
    Regex::new(&source).map(Some).map_err(|_| {
        invalid(format!(
            "Unsupported expression '{expression}': it is no regular expression."
        ))
    })
}

fn stars_as_wildcards(expression: &str) -> String {
    let mut source = String::with_capacity(expression.len() + 8);
    let (mut escaped, mut in_class, mut repeatable) = (false, false, false);
    for letter in expression.chars() {
        if letter == '*' && !escaped && !in_class && !repeatable {
            source.push('.');
        }
        source.push(letter);
        // What a star after it would repeat rather than stand alone.
        repeatable = escaped || matches!(letter, '.' | ']' | ')' | '}');
        match letter {
            '[' if !escaped => in_class = true,
            ']' if !escaped => in_class = false,
            _ => {}
        }
        escaped = letter == '\\' && !escaped;
    }
    source
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matching(expression: &str) -> Vec<&'static str> {
        let names = ["green", "greenish", "yellow", "yellow_2022", "y"];
        let pattern = pattern(expression).unwrap();
        names
            .into_iter()
            .filter(|name| pattern.as_ref().is_none_or(|pattern| pattern.is_match(name)))
            .collect()
    }

    #[test]
    fn globs_and_regular_expressions_are_both_taken() {
        assert_eq!(matching(" ").len(), 5);
        assert_eq!(matching("*").len(), 5);
        assert_eq!(matching(".*").len(), 5);
        assert_eq!(matching("green*"), ["green", "greenish"]);
        assert_eq!(matching("*ish"), ["greenish"]);
        assert_eq!(matching("green|Y*"), ["green", "yellow", "yellow_2022", "y"]);
        assert_eq!(matching(r"yellow_\d*"), ["yellow_2022"]);
        assert_eq!(matching("[a-z*]*"), ["green", "greenish", "yellow", "y"]);
        assert_eq!(matching("green"), ["green"], "the whole name is matched");
        assert!(pattern("(").is_err());
    }
}
