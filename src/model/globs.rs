//! Exclude patterns: Glue's globs. Pure.

use regex::Regex;

use crate::error::{Error, Result};

/// Reads globs, which are relative to the target's path.
///
/// # Errors
/// Invalid where one is no glob.
pub fn exclusions(globs: &[String]) -> Result<Vec<Regex>> {
    globs.iter().map(|glob| glob_regex(glob)).collect()
}

/// Glue's globs (developer guide, "Include and exclude patterns"): `*`, `**`, `?`, `[a-z]`, `[!a-z]`, `{a,b}`, `\`.
fn glob_regex(glob: &str) -> Result<Regex> {
    let bad = |what: &str| Error::invalid(format!("the exclusion '{glob}' is not a glob: {what}"));
    let mut source = String::from("(?s)^");
    let mut chars = glob.chars().peekable();
    let mut in_braces = false;
    while let Some(next) = chars.next() {
        match next {
            '*' if chars.peek() == Some(&'*') => {
                chars.next();
                source.push_str(".*");
            }
            '*' => source.push_str("[^/]*"),
            '?' => source.push_str("[^/]"),
            '\\' => {
                let escaped = chars.next().ok_or_else(|| bad("it ends with \\"))?;
                source.push_str(&regex::escape(&escaped.to_string()));
            }
            '{' if in_braces => return Err(bad("{ inside { }")),
            '{' => {
                in_braces = true;
                source.push_str("(?:");
            }
            '}' if in_braces => {
                in_braces = false;
                source.push(')');
            }
            ',' if in_braces => source.push('|'),
            '[' => source.push_str(&bracket(&mut chars).ok_or_else(|| bad("[ without ]"))?),
            other => source.push_str(&regex::escape(&other.to_string())),
        }
    }
    if in_braces {
        return Err(bad("{ without }"));
    }
    source.push('$');
    Regex::new(&source).map_err(|cause| bad(&cause.to_string()))
}

fn bracket(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<String> {
    let mut set = String::from("[");
    if chars.peek() == Some(&'!') {
        chars.next();
        set.push('^');
    }
    let mut is_first = true;
    loop {
        match chars.next()? {
            ']' if !is_first => break,
            '-' if is_first => set.push_str("\\-"),
            '-' => set.push('-'),
            other => set.push_str(&regex::escape(&other.to_string())),
        }
        is_first = false;
    }
    set.push(']');
    Some(set)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_are_glues() {
        let matches = |glob: &str, path: &str| glob_regex(glob).unwrap().is_match(path);
        assert!(matches("departments/**", "departments/a/b"));
        assert!(!matches("departments/market*", "departments/market/a"));
        assert!(matches("departments/market*", "departments/marketing.csv"));
        assert!(matches("**.csv", "a/b.csv"));
        assert!(matches("employees/*.csv", "employees/.hidden.csv"));
        assert!(matches("foo.?", "foo.x") && !matches("foo.?", "foo.xy"));
        assert!(matches("*.{csv,avro}", "x.avro"));
        assert!(!matches("*.{csv,avro}", "a/x.avro"));
        assert!(matches("myfolder/*/*", "myfolder/a/b") && !matches("myfolder/*", "myfolder/a/b"));
        assert!(matches("myfolder**", "myfolder2/a") && matches("[a-c]x", "bx") && !matches("[!a-c]x", "bx"));
        assert!(matches("2015/01/{[!0],0[8-9]}**", "2015/01/09/x"));
        assert!(!matches("2015/01/{[!0],0[8-9]}**", "2015/01/07/x"));
        assert!(matches("a\\{b", "a{b"));
        assert!(glob_regex("{a").is_err() && glob_regex("{a,{b}}").is_err());
    }
}
