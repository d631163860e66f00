//! JSON text into columns, without a tree in between. Numbers are read from their digits, so decimals are exact; a value
//! that a column of text holds is its JSON text.
//!
//! A mistake leaves every column whole: what was begun is ended, and the caller leaves the row out.

use std::borrow::Cow;

use classifiers::JsonStep;

use super::column::{Column, List, Map, Struct};

/// How deep values may nest.
const MAX_DEPTH: usize = 128;

/// What is wrong with a text, and where, in bytes from its beginning.
#[derive(Debug)]
pub(super) struct Mistake {
    pub(super) what: &'static str,
    pub(super) at: usize,
}

/// Told of each value that doesn't fit its column.
pub(super) type Misfit<'f> = &'f mut dyn FnMut(&str);

/// A text that is being read.
pub(super) struct Json<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

type Done = Result<(), Mistake>;

impl<'a> Json<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            depth: 0,
        }
    }

    fn wrong(&self, what: &'static str) -> Mistake {
        Mistake { what, at: self.at }
    }

    /// The next byte that is no blank.
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(self.at) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    fn take(&mut self, byte: u8, what: &'static str) -> Done {
        if self.peek() == Some(byte) {
            self.at += 1;
            return Ok(());
        }
        Err(self.wrong(what))
    }

    /// Nothing may follow.
    pub(super) fn end(&mut self) -> Done {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.wrong("something follows the value")),
        }
    }

    /// Reads an object; `each` is called with every name and reads its value.
    pub(super) fn object(&mut self, each: &mut dyn FnMut(&mut Self, &str) -> Done) -> Done {
        self.take(b'{', "an object should begin here")?;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.wrong("values nest too deeply"));
        }
        if self.peek() == Some(b'}') {
            self.at += 1;
            self.depth -= 1;
            return Ok(());
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.wrong("a name in quotes should stand here"));
            }
            let name = self.string()?;
            self.take(b':', "a colon should stand here")?;
            each(self, &name)?;
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return Err(self.wrong("a comma or the object's end should stand here")),
            }
        }
        self.at += 1;
        self.depth -= 1;
        Ok(())
    }

    /// Reads an array; `each` reads an element.
    fn array(&mut self, each: &mut dyn FnMut(&mut Self) -> Done) -> Done {
        self.take(b'[', "an array should begin here")?;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.wrong("values nest too deeply"));
        }
        if self.peek() == Some(b']') {
            self.at += 1;
            self.depth -= 1;
            return Ok(());
        }
        loop {
            each(self)?;
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                _ => return Err(self.wrong("a comma or the array's end should stand here")),
            }
        }
        self.at += 1;
        self.depth -= 1;
        Ok(())
    }

    /// Goes along a path; `each` reads what is at its end, which isn't null.
    pub(super) fn walk(&mut self, steps: &[JsonStep], each: &mut dyn FnMut(&mut Self) -> Done) -> Done {
        let Some((step, rest)) = steps.split_first() else {
            return match self.peek() {
                Some(b'n') => self.skip(),
                _ => each(self),
            };
        };
        match (self.peek(), step) {
            (Some(b'{'), JsonStep::Name(_) | JsonStep::All) => self.object(&mut |json, name| {
                let is_wanted = match step {
                    JsonStep::Name(wanted) => wanted == name,
                    _ => true,
                };
                if is_wanted {
                    json.walk(rest, each)
                } else {
                    json.skip()
                }
            }),
            (Some(b'['), JsonStep::Index(_) | JsonStep::All) => {
                let mut at = 0;
                self.array(&mut |json| {
                    let is_wanted = matches!(step, JsonStep::All) || *step == JsonStep::Index(at);
                    at += 1;
                    if is_wanted {
                        json.walk(rest, each)
                    } else {
                        json.skip()
                    }
                })
            }
            _ => self.skip(),
        }
    }

    /// Whether an object comes next.
    pub(super) fn is_object(&mut self) -> bool {
        self.peek() == Some(b'{')
    }

    /// Reads over a value.
    pub(super) fn skip(&mut self) -> Done {
        match self.peek() {
            Some(b'{') => self.object(&mut |json, _| json.skip()),
            Some(b'[') => self.array(&mut |json| json.skip()),
            Some(b'"') => self.string().map(drop),
            Some(b'-' | b'0'..=b'9') => self.number().map(drop),
            _ => self.word().map(drop),
        }
    }

    /// Reads a value into a column.
    pub(super) fn value(&mut self, column: &mut Column, misfit: Misfit<'_>) -> Done {
        match self.peek() {
            Some(b'"') => {
                let text = self.string()?;
                // A text is what the column's type makes of it; an empty one is nothing but text.
                if !column.is_text() && text.is_empty() {
                    column.null();
                } else if let (Column::List(_) | Column::Map(_) | Column::Struct(_), true) =
                    (&*column, text.trim_start().starts_with(['{', '[']))
                {
                    Self::inside(&text, column, misfit);
                } else if !column.text(&text) {
                    misfit(&text);
                }
                Ok(())
            }
            Some(b'-' | b'0'..=b'9') => {
                let number = self.number()?;
                if !number_into(number, column) {
                    misfit(number);
                }
                Ok(())
            }
            Some(b'{') => self.object_value(column, misfit),
            Some(b'[') => self.array_value(column, misfit),
            _ => {
                match (self.word()?, &mut *column) {
                    ("null", column) => column.null(),
                    (word, Column::Boolean(values)) => values.append_value(word == "true"),
                    (word, column) if column.is_text() => drop(column.text(word)),
                    (word, column) => {
                        column.null();
                        misfit(word);
                    }
                }
                Ok(())
            }
        }
    }

    /// A value that stands as a text within the text.
    fn inside(text: &str, column: &mut Column, misfit: Misfit<'_>) {
        let before = column.len();
        let mut json = Json::new(text);
        let read = json.value(column, misfit).and_then(|()| json.end());
        if read.is_err() {
            misfit(text);
        }
        if column.len() == before {
            column.null();
        }
    }

    fn object_value(&mut self, column: &mut Column, misfit: Misfit<'_>) -> Done {
        match column {
            Column::Struct(fields) => self.fields(fields, misfit),
            Column::Map(map) => self.entries(map, misfit),
            other => self.whole(other, misfit),
        }
    }

    fn array_value(&mut self, column: &mut Column, misfit: Misfit<'_>) -> Done {
        match column {
            Column::List(list) => self.items(list, misfit),
            other => self.whole(other, misfit),
        }
    }

    /// A value of several parts in a column of one: its text where the column is text.
    fn whole(&mut self, column: &mut Column, misfit: Misfit<'_>) -> Done {
        let start = self.at;
        self.skip()?;
        let text = self.text.get(start..self.at).unwrap_or_default();
        match column.is_text() {
            true => drop(column.text(&compact(text))),
            false => {
                column.null();
                misfit(text);
            }
        }
        Ok(())
    }

    fn fields(&mut self, fields: &mut Struct, misfit: Misfit<'_>) -> Done {
        let length = fields.members.first().map_or(0, Column::len);
        let read = self.object(&mut |json, name| {
            let place = fields.place(name);
            match place.and_then(|place| fields.members.get_mut(place)) {
                // Of names that differ only in case, the first that is there counts.
                Some(member) if member.len() == length => json.value(member, misfit),
                _ => json.skip(),
            }
        });
        fields.end();
        read
    }

    fn entries(&mut self, map: &mut Map, misfit: Misfit<'_>) -> Done {
        let read = self.object(&mut |json, name| {
            let mut text = Cow::Borrowed(name);
            if !map.key.text(&text) {
                misfit(text.to_mut());
            }
            let before = map.value.len();
            let read = json.value(&mut map.value, misfit);
            if map.value.len() == before {
                map.value.null();
            }
            read
        });
        map.end(true);
        read
    }

    fn items(&mut self, list: &mut List, misfit: Misfit<'_>) -> Done {
        let read = self.array(&mut |json| json.value(&mut list.item, misfit));
        list.end(true);
        read
    }

    fn word(&mut self) -> Result<&'a str, Mistake> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        for word in ["null", "true", "false"] {
            if rest.starts_with(word) {
                self.at += word.len();
                return Ok(word);
            }
        }
        Err(self.wrong("a value should stand here"))
    }

    /// The digits of a number, as they stand there.
    fn number(&mut self) -> Result<&'a str, Mistake> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        let digits = |at: &mut usize| {
            let from = *at;
            while bytes.get(*at).is_some_and(u8::is_ascii_digit) {
                *at += 1;
            }
            *at > from
        };
        let mut at = start + usize::from(bytes.get(start) == Some(&b'-'));
        let mut is_whole = digits(&mut at);
        if is_whole && bytes.get(at) == Some(&b'.') {
            at += 1;
            is_whole = digits(&mut at);
        }
        if is_whole && matches!(bytes.get(at), Some(b'e' | b'E')) {
            at += 1 + usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
            is_whole = digits(&mut at);
        }
        if !is_whole {
            return Err(self.wrong("a number should stand here"));
        }
        self.at = at;
        Ok(self.text.get(start..at).unwrap_or_default())
    }

    fn string(&mut self) -> Result<Cow<'a, str>, Mistake> {
        let start = self.at + 1;
        let bytes = self.text.as_bytes();
        let mut at = start;
        let mut plain = String::new();
        let mut from = start;
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            let Some(next) = memchr::memchr2(b'"', b'\\', rest) else {
                self.at = bytes.len();
                return Err(self.wrong("a text is not closed"));
            };
            at += next;
            if bytes.get(at) == Some(&b'"') {
                let last = self.text.get(from..at).unwrap_or_default();
                self.at = at + 1;
                return Ok(match from == start {
                    true => Cow::Borrowed(last),
                    false => Cow::Owned(plain + last),
                });
            }
            plain.push_str(self.text.get(from..at).unwrap_or_default());
            at = self.escape(at + 1, &mut plain)?;
            from = at;
        }
    }

    /// What stands behind a backslash; answers with where the text goes on.
    fn escape(&mut self, at: usize, plain: &mut String) -> Result<usize, Mistake> {
        let bytes = self.text.as_bytes();
        let letter = match bytes.get(at) {
            Some(b'n') => '\n',
            Some(b't') => '\t',
            Some(b'r') => '\r',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(letter @ (b'"' | b'\\' | b'/')) => char::from(*letter),
            Some(b'u') => return self.unicode(at + 1, plain),
            _ => {
                self.at = at;
                return Err(self.wrong("this is no escape of JSON"));
            }
        };
        plain.push(letter);
        Ok(at + 1)
    }

    /// `\uXXXX`, or two of them that are one character.
    fn unicode(&mut self, at: usize, plain: &mut String) -> Result<usize, Mistake> {
        let code = |at: usize| {
            let digits = self.text.get(at..at + 4)?;
            u32::from_str_radix(digits, 16).ok()
        };
        let Some(first) = code(at) else {
            self.at = at;
            return Err(self.wrong("four hexadecimal digits should stand here"));
        };
        let is_high = (0xd800..0xdc00).contains(&first);
        let second = is_high
            .then(|| {
                self.text
                    .get(at + 4..at + 6)
                    .filter(|next| *next == "\\u")
                    .and_then(|_| code(at + 6))
            })
            .flatten()
            .filter(|code| (0xdc00..0xe000).contains(code));
        match second {
            Some(second) => {
                let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                plain.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                Ok(at + 10)
            }
            None => {
                plain.push(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
                Ok(at + 4)
            }
        }
    }
}

/// Adds a number by its digits; false where the column can't hold it, and NULL was added.
fn number_into(number: &str, column: &mut Column) -> bool {
    match column {
        Column::Boolean(_) | Column::Date(_) | Column::Timestamp(_) | Column::Binary(_) => {
            column.null();
            false
        }
        column => column.text(number),
    }
}

/// JSON without the blanks between its parts.
pub(super) fn compact(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|byte| byte.is_ascii_whitespace()) {
        return Cow::Borrowed(text);
    }
    let (mut in_text, mut is_escaped) = (false, false);
    let kept = text.chars().filter(|letter| {
        if in_text {
            match letter {
                _ if is_escaped => is_escaped = false,
                '\\' => is_escaped = true,
                '"' => in_text = false,
                _ => {}
            }
            return true;
        }
        in_text = *letter == '"';
        !letter.is_ascii_whitespace()
    });
    Cow::Owned(kept.collect())
}
