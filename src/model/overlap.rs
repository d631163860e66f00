//! Whether two sets of keys have one in common: what a job writes, and what it or another reads, listens to or writes.

use crate::model::pattern::{Class, ObjectPattern, Token};

/// A set of keys, as a sequence of steps.
#[derive(Clone, Debug)]
pub struct Keys {
    bucket: String,
    steps: Vec<Step>,
}

/// What one step takes.
#[derive(Clone, Debug)]
struct Step {
    takes: Takes,
    /// Any number of them, none included.
    repeats: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Takes {
    Char(char),
    /// The value of a parameter, whatever it is.
    Value,
    InFolder,
    Any,
    Class(Class),
}

impl Keys {
    /// The keys that `pattern` matches, whatever its captures are. Where the pattern is a folder, those below it.
    pub fn of(pattern: &ObjectPattern) -> Self {
        Self::new(pattern, |keys| keys.some(Takes::InFolder)).or_below(pattern)
    }

    /// The keys that `pattern` matches, each capture being some one value: such a value is in common with another's, or with
    /// a wildcard, but with no text that is spelled out.
    pub fn of_some_value(pattern: &ObjectPattern) -> Self {
        Self::new(pattern, |keys| keys.one(Takes::Value)).or_below(pattern)
    }

    /// Of a folder: what lies in it and in no folder of it, each capture being some one value.
    pub fn children_of(folder: &ObjectPattern) -> Self {
        let mut keys = Self::new(folder, |keys| keys.one(Takes::Value));
        keys.some(Takes::InFolder);
        keys
    }

    fn new(pattern: &ObjectPattern, capture: impl Fn(&mut Self)) -> Self {
        let mut keys = Self {
            bucket: pattern.bucket().to_owned(),
            steps: Vec::new(),
        };
        for token in pattern.tokens() {
            match token {
                Token::Literal(literal) => literal.chars().for_each(|c| keys.one(Takes::Char(c))),
                Token::Capture(..) => capture(&mut keys),
                Token::AnyInFolder(true) => keys.some(Takes::InFolder),
                Token::AnyInFolder(false) => keys.any(Takes::InFolder),
                Token::Any => keys.any(Takes::Any),
                Token::One => keys.one(Takes::InFolder),
                Token::Class(class) => keys.one(Takes::Class(class.clone())),
            }
        }
        keys
    }

    /// A folder stands for all that lies in it, at any depth.
    fn or_below(mut self, pattern: &ObjectPattern) -> Self {
        if pattern.as_str().ends_with('/') {
            self.any(Takes::Any);
        }
        self
    }

    fn one(&mut self, takes: Takes) {
        self.steps.push(Step {
            takes,
            repeats: false,
        });
    }

    fn any(&mut self, takes: Takes) {
        self.steps.push(Step { takes, repeats: true });
    }

    fn some(&mut self, takes: Takes) {
        self.one(takes.clone());
        self.any(takes);
    }

    /// Whether a key is in both.
    pub fn meet(&self, other: &Self) -> bool {
        // Most sets part where both are still spelled out.
        let spelled = |step: &Step| !step.repeats && matches!(step.takes, Takes::Char(_));
        let both = self.steps.iter().zip(&other.steps);
        let parts = both
            .take_while(|(a, b)| spelled(a) && spelled(b))
            .any(|(a, b)| a.takes != b.takes);
        if self.bucket != other.bucket || parts {
            return false;
        }
        let (mine, theirs) = (self.steps.len(), other.steps.len());
        let mut seen = vec![false; (mine + 1) * (theirs + 1)];
        let mut to_see = vec![(0, 0)];
        while let Some((i, j)) = to_see.pop() {
            if std::mem::replace(&mut seen[i * (theirs + 1) + j], true) {
                continue;
            }
            if (i, j) == (mine, theirs) {
                return true;
            }
            let (a, b) = (self.steps.get(i), other.steps.get(j));
            if a.is_some_and(|step| step.repeats) {
                to_see.push((i + 1, j));
            }
            if b.is_some_and(|step| step.repeats) {
                to_see.push((i, j + 1));
            }
            if let (Some(a), Some(b)) = (a, b)
                && a.takes.meets(&b.takes)
            {
                to_see.push((i + usize::from(!a.repeats), j + usize::from(!b.repeats)));
            }
        }
        false
    }
}

impl Takes {
    fn meets(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Char(a), Self::Char(b)) => a == b,
            (Self::Char(c), Self::InFolder) | (Self::InFolder, Self::Char(c)) => *c != '/',
            (Self::Char(c), Self::Class(class)) | (Self::Class(class), Self::Char(c)) => class.holds(*c),
            (Self::Char(_), Self::Value) | (Self::Value, Self::Char(_)) => false,
            // Two classes may or may not have a character in common: that they have is the careful answer.
            _ => true,
        }
    }
}

impl Class {
    fn holds(&self, c: char) -> bool {
        let is_named = self
            .ranges
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&c));
        c != '/' && is_named != self.negated
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> ObjectPattern {
        ObjectPattern::parse(&format!("s3://lake/{text}")).unwrap()
    }

    #[test]
    fn keys_meet_where_one_could_be_in_both() {
        for (one, other, meet) in [
            ("raw/*.csv", "raw/", true),
            ("raw/*.csv", "raw/out/", false),
            ("raw/**", "raw/out/", true),
            ("raw/", "raw/out/", true),
            ("raw/out/*", "raw/", true),
            ("rawest/*", "raw/", false),
            ("{layer}/{ym}/*", "out/{ym}/", true),
            ("raw/{ym}/*", "out/{ym}/", false),
            ("[a-f]*/x", "cur/", true),
            ("[!c]*/x", "cur/", false),
            ("*", "out/", false),
            ("**", "", true),
        ] {
            let (one, other) = (pattern(one), pattern(other));
            let said = Keys::of(&one).meet(&Keys::of(&other));
            assert_eq!(said, meet, "{} and {}", one.as_str(), other.as_str());
        }
    }

    #[test]
    fn a_value_is_no_text_that_is_spelled_out() {
        let of = |text: &str| Keys::of_some_value(&pattern(text));
        assert!(of("out/{ym}/").meet(&of("out/{day}/")));
        assert!(of("out/ym={ym}/").meet(&of("out/**")));
        assert!(!of("out/{ym}/").meet(&of("out/totals/")));
        assert!(!of("{source}/in/*").meet(&of("merged/{ym}/")));
    }

    #[test]
    fn children_are_not_what_lies_deeper() {
        let children = Keys::children_of(&pattern("mid/"));
        assert!(children.meet(&Keys::of(&pattern("mid/*.csv"))));
        assert!(!children.meet(&Keys::of(&pattern("mid/raw/*.csv"))));
    }
}
