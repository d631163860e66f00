//! Grok: lines of text by patterns that are made of named patterns, and the logs that are known that way.
//!
//! Patterns become regular expressions of the `regex` crate, whose time is linear in the text whatever the pattern. Its
//! price is that there is no look-around and no back-reference; both are refused when a pattern is read.

mod lines;
mod logs;
mod patterns;

use std::collections::HashMap;

pub(crate) use lines::{LinesVerdict, judge};
pub(crate) use logs::classify;
use regex::bytes::{Regex, RegexBuilder};

use crate::DataType;
use crate::limits::{COLUMNS, GROK_BYTES, GROK_COMPILED_BYTES, GROK_DEPTH, GROK_EXPANDED_BYTES, NAME_BYTES};

/// A pattern that is ready to be matched.
#[derive(Debug, Clone)]
pub(crate) struct Grok {
    regex: Regex,
    fields: Vec<GrokField>,
    /// Bytes of lines that may be matched before it takes too long: the larger the pattern, the fewer.
    bytes: usize,
}

/// A column of a pattern.
#[derive(Debug, Clone)]
struct GrokField {
    name: String,
    data_type: DataType,
    /// The type as the pattern says it, if it does.
    typed: Option<String>,
    /// The groups that may hold it: a pattern may name a field in several alternatives.
    groups: Vec<String>,
}

/// The smallest size of a compiled pattern that is told apart, in bytes.
const SMALL_PATTERN: usize = 16 << 10;
/// Matching takes a nanosecond at most for each byte of the text and each byte of the compiled pattern. Their product is
/// kept below this, which is four seconds.
const WORK: usize = 1 << 32;

impl Grok {
    /// Compiles a pattern. `custom` holds a name and an expression a line, which come before the built-in ones.
    ///
    /// # Errors
    ///
    /// What is wrong with it, as a sentence.
    pub(crate) fn new(pattern: &str, custom: &str) -> Result<Grok, String> {
        let mut expansion = Expansion {
            custom: custom_patterns(custom)?,
            fields: Vec::new(),
            groups: 0,
            out: String::new(),
        };
        expansion.expand(pattern, &mut Vec::new())?;
        if expansion.fields.is_empty() {
            return Err("the pattern names no field; write at least one as %{PATTERN:name}".to_owned());
        }
        let (regex, size) = compile(&expansion.out)?;
        Ok(Grok {
            regex,
            fields: expansion.fields,
            bytes: (WORK / size).min(GROK_BYTES),
        })
    }

    /// Compiles a pattern of this crate's own, which is known to be quick however large it is.
    fn trusted(pattern: &str, custom: &str) -> Result<Grok, String> {
        let grok = Grok::new(pattern, custom)?;
        Ok(Grok {
            bytes: GROK_BYTES,
            ..grok
        })
    }
}

/// The expression, and the least power of two that its compiled form fits.
///
/// `\w`, `\d` and `\s` are ASCII, as they are for Java's and so Glue's. That makes for much smaller patterns than
/// Unicode's, which are used only for what can't be said without (`\p{L}`, `[é]`).
fn compile(expression: &str) -> Result<(Regex, usize), String> {
    let mut size = SMALL_PATTERN;
    let mut unicode = false;
    loop {
        let built = RegexBuilder::new(expression)
            .unicode(unicode)
            .size_limit(size)
            .dfa_size_limit(2 << 20)
            .nest_limit(100)
            .build();
        match built {
            Ok(regex) => return Ok((regex, size)),
            Err(regex::Error::CompiledTooBig(_)) if size < GROK_COMPILED_BYTES => {
                size = (size * 2).min(GROK_COMPILED_BYTES);
            }
            Err(regex::Error::CompiledTooBig(_)) => {
                return Err(
                    "the pattern is too large once it is compiled; use fewer or smaller repetitions"
                        .to_owned(),
                );
            }
            Err(_) if !unicode => unicode = true,
            Err(error) => {
                // The last line says what is wrong; those before show where, in an expression nobody wrote.
                let error = error.to_string();
                let what = error
                    .lines()
                    .last()
                    .unwrap_or_default()
                    .trim_start_matches("error: ");
                return Err(format!(
                    "the pattern is not a regular expression that can be read: {what}"
                ));
            }
        }
    }
}

fn custom_patterns(custom: &str) -> Result<HashMap<&str, &str>, String> {
    let mut patterns = HashMap::new();
    for line in custom
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let Some((name, expression)) = line.split_once([' ', '\t']) else {
            return Err(format!(
                "the custom pattern {line:?} is not a name, a blank and an expression"
            ));
        };
        if !is_pattern_name(name) {
            return Err(format!(
                "{name:?} is no name for a custom pattern: use letters, digits and underscores"
            ));
        }
        patterns.insert(name, expression.trim());
    }
    Ok(patterns)
}

fn is_pattern_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// A pattern on its way to an expression.
struct Expansion<'p> {
    custom: HashMap<&'p str, &'p str>,
    fields: Vec<GrokField>,
    groups: usize,
    out: String,
}

impl<'p> Expansion<'p> {
    /// Writes out what a pattern stands for. `around` holds the names of the patterns it is part of.
    fn expand(&mut self, pattern: &'p str, around: &mut Vec<&'p str>) -> Result<(), String> {
        if around.len() > GROK_DEPTH {
            return Err(format!("patterns are nested more than {GROK_DEPTH} deep"));
        }
        let mut rest = pattern;
        while let Some((before, after)) = rest.split_once("%{") {
            self.literal(before)?;
            let Some((reference, after)) = after.split_once('}') else {
                return Err(format!("`%{{{}` has no closing brace", shortened(after)));
            };
            rest = after;
            self.reference(reference, around)?;
        }
        self.literal(rest)
    }

    fn reference(&mut self, reference: &'p str, around: &mut Vec<&'p str>) -> Result<(), String> {
        let mut parts = reference.splitn(3, ':');
        let name = parts.next().unwrap_or_default();
        let (field, data_type) = (parts.next(), parts.next());
        let Some(pattern) = self
            .custom
            .get(name)
            .copied()
            .or_else(|| patterns::built_in(name))
        else {
            return Err(format!(
                "the pattern {:?} is not known; define it as a custom pattern, or use one of {}",
                shortened(name),
                patterns::names().collect::<Vec<_>>().join(", ")
            ));
        };
        if around.contains(&name) {
            return Err(format!("the pattern {name:?} contains itself"));
        }
        match field {
            Some(field) => self.open_field(field, data_type)?,
            None => self.out.push_str("(?:"),
        }
        around.push(name);
        self.expand(pattern, around)?;
        around.pop();
        self.out.push(')');
        Ok(())
    }

    fn open_field(&mut self, name: &str, typed: Option<&str>) -> Result<(), String> {
        if name.is_empty() || name.len() > NAME_BYTES {
            return Err(format!("a field's name must have 1 to {NAME_BYTES} bytes"));
        }
        let data_type = match typed.map(str::trim) {
            None | Some("string") => DataType::String,
            Some("byte") => DataType::TinyInt,
            Some("boolean") => DataType::Boolean,
            Some("double") => DataType::Double,
            Some("short") => DataType::SmallInt,
            Some("int") => DataType::Int,
            Some("long") => DataType::BigInt,
            Some("float") => DataType::Float,
            Some(other) => {
                return Err(format!(
                    "{:?} is not a type of a field; use byte, boolean, double, short, int, long, float or string",
                    shortened(other)
                ));
            }
        };
        let group = format!("f{}", self.groups);
        self.groups += 1;
        self.out.push_str(&format!("(?P<{group}>"));
        let typed = typed.map(str::to_owned);
        let count = self.fields.len();
        match self.fields.iter_mut().find(|field| field.name == name) {
            Some(known) if known.data_type == data_type => known.groups.push(group),
            Some(known) => {
                let (one, other) = (&known.data_type, data_type);
                return Err(format!(
                    "the field {name:?} is {one} in one place and {other} in another"
                ));
            }
            None if count >= COLUMNS => return Err(format!("there are more than {COLUMNS} fields")),
            None => self.fields.push(GrokField {
                name: name.to_owned(),
                data_type,
                typed,
                groups: vec![group],
            }),
        }
        Ok(())
    }

    /// Copies a piece of an expression. `(?<name>` is a field too, and an atomic group is a group.
    fn literal(&mut self, text: &str) -> Result<(), String> {
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("(?") {
            self.out.push_str(before);
            // `\(?` is a parenthesis that may be missing.
            let escaped = before.bytes().rev().take_while(|b| *b == b'\\').count() % 2 == 1;
            let named = after.strip_prefix('<').or_else(|| after.strip_prefix("P<"));
            let named = named.filter(|name| !escaped && !name.starts_with(['=', '!']));
            if let Some((name, inside)) = named.and_then(|name| name.split_once('>')) {
                self.open_field(name, None)?;
                rest = inside;
            } else if let Some(inside) = after.strip_prefix('>').filter(|_| !escaped) {
                self.out.push_str("(?:");
                rest = inside;
            } else {
                self.out.push_str("(?");
                rest = after;
            }
        }
        self.out.push_str(rest);
        if self.out.len() > GROK_EXPANDED_BYTES {
            return Err(format!(
                "the pattern is longer than {GROK_EXPANDED_BYTES} bytes once the patterns in it are written out"
            ));
        }
        Ok(())
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}
