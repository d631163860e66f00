//! Reading an expression: words and signs first, then what they say.

use super::{Comparison, MAX_RANGES, Piece, Test};
use crate::model::partition::key::KeyType;
use crate::model::table::Column;

/// How deep parentheses and NOTs may nest.
const MAX_DEPTH: usize = 100;

/// The words that are no names.
const KEYWORDS: [&str; 8] = ["AND", "OR", "NOT", "IN", "LIKE", "BETWEEN", "IS", "NULL"];
/// Stands for a key that the table doesn't have, until the whole is read and refused for it.
const NO_KEY: usize = usize::MAX;

#[derive(Clone, Debug, PartialEq)]
enum Token {
    /// A bare word: a keyword, or a key's name.
    Word(String),
    /// A name in quotes, which is no keyword.
    Name(String),
    Text(String),
    Number(String),
    Sign(&'static str),
}

/// Why an expression is none.
pub(super) enum Refusal {
    /// It is no expression.
    Syntax,
    /// It is one, and asks for something that can't be.
    Meaning(String),
}

pub(super) type Parsed<T> = std::result::Result<T, Refusal>;

struct Parser<'a> {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    keys: &'a [Column],
    /// The first thing that is asked for and can't be. The whole is read first: what is no expression is said before.
    meaning: Option<String>,
}

/// Reads the whole of `text` as a test. In one reading a backslash escapes a quote, in the other it is a letter.
pub(super) fn test(text: &str, keys: &[Column], backslash_escapes: bool) -> Parsed<Test> {
    let mut parser = Parser {
        tokens: tokens(text, backslash_escapes).ok_or(Refusal::Syntax)?,
        at: 0,
        depth: 0,
        keys,
        meaning: None,
    };
    let test = parser.any()?;
    if parser.at < parser.tokens.len() {
        return Err(Refusal::Syntax);
    }
    match parser.meaning {
        Some(message) => Err(Refusal::Meaning(message)),
        None => Ok(test),
    }
}

fn tokens(text: &str, backslash_escapes: bool) -> Option<Vec<Token>> {
    let letters: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&letter) = letters.get(at) {
        let begins_number = letter.is_ascii_digit()
            || matches!(letter, '-' | '+' | '.') && letters.get(at + 1).is_some_and(char::is_ascii_digit);
        match letter {
            _ if letter.is_whitespace() => at += 1,
            '\'' | '"' | '`' => {
                let (inside, next) = quoted(&letters, at, backslash_escapes)?;
                tokens.push(if letter == '\'' {
                    Token::Text(inside)
                } else {
                    Token::Name(inside)
                });
                at = next;
            }
            _ if letter.is_ascii_digit() && time_at(&letters[at..]).is_some() => {
                let length = time_at(&letters[at..])?;
                tokens.push(Token::Number(letters[at..at + length].iter().collect()));
                at += length;
            }
            _ if begins_number => {
                let from = at;
                at += 1;
                while letters
                    .get(at)
                    .is_some_and(|letter| letter.is_ascii_digit() || *letter == '.')
                {
                    at += 1;
                }
                // A number that a word grows out of is neither.
                if letters
                    .get(at)
                    .is_some_and(|letter| letter.is_alphanumeric() || *letter == '_')
                {
                    return None;
                }
                tokens.push(Token::Number(letters[from..at].iter().collect()));
            }
            _ if letter.is_alphabetic() || letter == '_' => {
                let from = at;
                while letters
                    .get(at)
                    .is_some_and(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '$' | '#' | '@'))
                {
                    at += 1;
                }
                tokens.push(Token::Word(letters[from..at].iter().collect()));
            }
            _ => {
                let two: String = letters[at..].iter().take(2).collect();
                let sign = ["<=", ">=", "<>", "!=", "=", "<", ">", "(", ")", ","]
                    .into_iter()
                    .find(|sign| two.starts_with(sign))?;
                tokens.push(Token::Sign(sign));
                at += sign.len();
            }
        }
    }
    Some(tokens)
}

/// The length of the bare date that letters begin with (`2024-01-31`), together with a time of day where one follows
/// (`2024-01-31 10:00:00.5`).
fn time_at(letters: &[char]) -> Option<usize> {
    let digits = |from: usize, most: usize| {
        let rest = letters.iter().skip(from).take(most);
        rest.take_while(|letter| letter.is_ascii_digit()).count()
    };
    let is = |at: usize, sign: char| letters.get(at) == Some(&sign);
    let month = digits(5, 2);
    let day = digits(6 + month, 2);
    if digits(0, 5) != 4 || !is(4, '-') || month == 0 || !is(5 + month, '-') || day == 0 {
        return None;
    }
    let date = 6 + month + day;
    let clock = date + 1;
    let has_clock = is(date, ' ')
        && is(clock + 2, ':')
        && is(clock + 5, ':')
        && [0, 3, 6].iter().all(|part| digits(clock + part, 2) == 2);
    if !has_clock {
        return Some(date);
    }
    let fraction = if is(clock + 8, '.') {
        digits(clock + 9, 9)
    } else {
        0
    };
    Some(clock + 8 + fraction + usize::from(fraction > 0))
}

/// The text between the quote at `at` and its partner, and the place behind it. A doubled quote is one of the text's own.
fn quoted(letters: &[char], at: usize, backslash_escapes: bool) -> Option<(String, usize)> {
    let quote = letters[at];
    let mut inside = String::new();
    let mut at = at + 1;
    loop {
        match (*letters.get(at)?, letters.get(at + 1)) {
            (letter, Some(&next)) if letter == quote && next == quote => {
                inside.push(quote);
                at += 2;
            }
            (letter, _) if letter == quote => return Some((inside, at + 1)),
            ('\\', Some(&next)) if backslash_escapes && next == quote => {
                inside.push(quote);
                at += 2;
            }
            (letter, _) => {
                inside.push(letter);
                at += 1;
            }
        }
    }
}

impl Parser<'_> {
    fn any(&mut self) -> Parsed<Test> {
        let mut tests = vec![self.all()?];
        while self.word("OR") {
            tests.push(self.all()?);
        }
        Ok(one_or(tests, Test::Any))
    }

    fn all(&mut self) -> Parsed<Test> {
        let mut tests = vec![self.not()?];
        while self.word("AND") {
            tests.push(self.not()?);
        }
        Ok(one_or(tests, Test::All))
    }

    fn not(&mut self) -> Parsed<Test> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Refusal::Syntax);
        }
        let test = if self.word("NOT") {
            Ok(Test::Not(Box::new(self.not()?)))
        } else if self.begins_group() {
            self.at += 1;
            let test = self.any()?;
            self.expect(")")?;
            Ok(test)
        } else {
            self.test()
        };
        self.depth -= 1;
        test
    }

    /// Whether a parenthesis is ahead that holds a test, and not just the name of a key: `((year)) = 1` begins with a key.
    fn begins_group(&self) -> bool {
        let opening = self.tokens[self.at..]
            .iter()
            .take_while(|token| **token == Token::Sign("("))
            .count();
        let name = self.at + opening;
        let is_name = matches!(self.tokens.get(name), Some(Token::Word(_) | Token::Name(_)));
        opening > 0
            && !(is_name
                && self.tokens.get(name + 1) == Some(&Token::Sign(")"))
                && self.closes(name + 1, opening))
    }

    /// Whether as many parentheses close as opened.
    fn closes(&self, at: usize, opening: usize) -> bool {
        let closing = self.tokens[at..]
            .iter()
            .take_while(|token| **token == Token::Sign(")"))
            .count();
        closing >= opening
    }

    fn key(&mut self) -> Parsed<usize> {
        if self.sign("(") {
            let key = self.key()?;
            self.expect(")")?;
            return Ok(key);
        }
        let name = match self.next() {
            Some(Token::Word(word)) if KEYWORDS.iter().any(|known| word.eq_ignore_ascii_case(known)) => {
                return Err(Refusal::Syntax);
            }
            Some(Token::Word(name) | Token::Name(name)) => name,
            _ => return Err(Refusal::Syntax),
        };
        // A function, of which there are none.
        if self.tokens.get(self.at) == Some(&Token::Sign("(")) {
            return Err(Refusal::Syntax);
        }
        let key = self
            .keys
            .iter()
            .position(|key| key.name.eq_ignore_ascii_case(&name));
        if key.is_none() {
            self.refuse("Invalid partition expression!".to_owned());
        }
        Ok(key.unwrap_or(NO_KEY))
    }

    fn test(&mut self) -> Parsed<Test> {
        let key = self.key()?;
        if self.word("IS") {
            let negated = self.word("NOT");
            return match self.word("NULL") {
                true => Ok(negated_if(negated, Test::IsNull(key))),
                false => Err(Refusal::Syntax),
            };
        }
        let negated = self.word("NOT");
        if self.word("BETWEEN") {
            let from = self.literal(key)?;
            if !self.word("AND") {
                return Err(Refusal::Syntax);
            }
            let to = self.literal(key)?;
            let between = vec![
                Test::Compare(key, Comparison::GreaterOrEqual, from),
                Test::Compare(key, Comparison::LessOrEqual, to),
            ];
            return Ok(negated_if(negated, Test::All(between)));
        }
        if self.word("IN") {
            self.expect("(")?;
            let mut values = vec![self.literal(key)?];
            while self.sign(",") {
                values.push(self.literal(key)?);
            }
            self.expect(")")?;
            let equal = values
                .iter()
                .map(|value| Test::Compare(key, Comparison::Equal, value.clone()));
            return Ok(match negated || values.len() > MAX_RANGES {
                true => negated_if(negated, Test::In(key, values)),
                false => one_or(equal.collect(), Test::Any),
            });
        }
        if self.word("LIKE") {
            return Ok(negated_if(negated, self.like(key)?));
        }
        if negated {
            return Err(Refusal::Syntax);
        }
        let Some(Token::Sign(sign)) = self.next() else {
            return Err(Refusal::Syntax);
        };
        let (comparison, negated) = match sign {
            "=" => (Comparison::Equal, false),
            "<>" | "!=" => (Comparison::Equal, true),
            "<" => (Comparison::Less, false),
            "<=" => (Comparison::LessOrEqual, false),
            ">" => (Comparison::Greater, false),
            ">=" => (Comparison::GreaterOrEqual, false),
            _ => return Err(Refusal::Syntax),
        };
        let value = self.literal(key)?;
        Ok(negated_if(negated, Test::Compare(key, comparison, value)))
    }

    fn like(&mut self, key: usize) -> Parsed<Test> {
        let Some(Token::Text(pattern)) = self.next() else {
            return Err(Refusal::Syntax);
        };
        let name = match self.known_type(key) {
            KeyType::Text => {
                let pieces = pattern.chars().map(|letter| match letter {
                    '%' => Piece::AnyText,
                    '_' => Piece::AnyLetter,
                    other => Piece::Letter(other),
                });
                return Ok(Test::Like(key, pieces.collect()));
            }
            KeyType::Integer => "Integral",
            KeyType::Decimal => "Decimal",
            KeyType::Date => "Date",
            KeyType::Timestamp => "Timestamp",
        };
        self.refuse(format!("{name} data type doesn't support operation 'LIKE'"));
        Ok(Test::Like(key, Vec::new()))
    }

    /// A literal in the sortable form of the key's type.
    fn literal(&mut self, key: usize) -> Parsed<String> {
        let value = match self.next() {
            Some(Token::Text(value) | Token::Number(value)) => value,
            _ => return Err(Refusal::Syntax),
        };
        let key_type = self.known_type(key);
        Ok(key_type.sortable(&value).unwrap_or_else(|| {
            self.refuse(misfit(key_type, &value));
            value
        }))
    }

    /// Takes down what can't be.
    fn refuse(&mut self, message: String) {
        self.meaning.get_or_insert(message);
    }

    /// The type of a key that may be asked for; AWS takes no others.
    fn known_type(&mut self, key: usize) -> KeyType {
        const KNOWN: [&str; 14] = [
            "string",
            "char",
            "varchar",
            "date",
            "timestamp",
            "tinyint",
            "smallint",
            "int",
            "integer",
            "bigint",
            "long",
            "decimal",
            "double",
            "float",
        ];
        let Some(key) = self.keys.get(key) else {
            return KeyType::Text;
        };
        let data_type = key.data_type.as_deref().unwrap_or("string").to_ascii_lowercase();
        let name = data_type.split('(').next().unwrap_or_default().trim();
        if !KNOWN.contains(&name) {
            self.refuse(format!("Unknown type : '{data_type}'"));
        }
        KeyType::of(&data_type)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn word(&mut self, keyword: &str) -> bool {
        let found =
            matches!(self.tokens.get(self.at), Some(Token::Word(word)) if word.eq_ignore_ascii_case(keyword));
        self.at += usize::from(found);
        found
    }

    fn sign(&mut self, sign: &'static str) -> bool {
        let found = self.tokens.get(self.at) == Some(&Token::Sign(sign));
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, sign: &'static str) -> Parsed<()> {
        if self.sign(sign) {
            Ok(())
        } else {
            Err(Refusal::Syntax)
        }
    }
}

/// Says that a value is none of its type.
pub(super) fn misfit(key_type: KeyType, value: &str) -> String {
    match key_type {
        KeyType::Integer => format!("\"{value}\" is not an integer."),
        KeyType::Decimal => format!("{value} is not a decimal."),
        KeyType::Date => format!("{value} is not a date."),
        KeyType::Timestamp | KeyType::Text => {
            "Timestamp format must be yyyy-mm-dd hh:mm:ss[.fffffffff]".to_owned()
        }
    }
}

fn one_or(mut tests: Vec<Test>, several: fn(Vec<Test>) -> Test) -> Test {
    match tests.len() {
        1 => tests.swap_remove(0),
        _ => several(tests),
    }
}

fn negated_if(negated: bool, test: Test) -> Test {
    if negated { Test::Not(Box::new(test)) } else { test }
}
