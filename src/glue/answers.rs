//! Answers that were given before, for as long as the catalog isn't changed.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::app::App;
use crate::aws::Body;
use crate::catalog;

/// How much is remembered, in bytes of text.
const MAX_BYTES: usize = 64 << 20;
/// Longer texts are not remembered: few of them would push out all others.
const MAX_TEXT: usize = 1 << 20;

/// Answers by what was asked.
#[derive(Default)]
pub(super) struct Answers(Mutex<Texts>);

#[derive(Default)]
struct Texts {
    /// How often the catalog had been changed when they were made.
    changes: u64,
    bytes: usize,
    by_request: HashMap<String, Box<str>>,
}

/// A request, and how often the catalog had been changed when it came.
pub(super) struct Asked {
    changes: u64,
    request: String,
}

impl Asked {
    /// A request that came now, of which the answer hangs on the catalog alone; nothing where other processes change that
    /// unheard.
    pub(super) fn now(app: &App, request: &Value) -> Option<Self> {
        let changes = catalog::changes(app)?;
        let request = request.to_string();
        Some(Self { changes, request })
    }
}

impl Answers {
    /// The answer that was given to the same request before, where it is still true.
    pub(super) fn recall(&self, asked: &Asked) -> Option<Body> {
        let texts = self.texts();
        let is_true = texts.changes == asked.changes;
        let text = texts.by_request.get(&asked.request).filter(|_| is_true)?;
        Some(Body::again(text))
    }

    /// Keeps an answer for the next who asks, unless the catalog was changed meanwhile.
    pub(super) fn remember(&self, app: &App, asked: Asked, text: &str) {
        // What was changed meanwhile may not be in it.
        if catalog::changes(app) == Some(asked.changes) {
            self.keep(asked, text);
        }
    }

    fn keep(&self, asked: Asked, text: &str) {
        let Asked { changes, request } = asked;
        let mut texts = self.texts();
        if text.len() > MAX_TEXT || texts.changes > changes {
            return;
        }
        if texts.changes != changes || texts.bytes + text.len() > MAX_BYTES {
            *texts = Texts {
                changes,
                ..Texts::default()
            };
        }
        texts.bytes += text.len() + request.len();
        if let Some(former) = texts.by_request.insert(request, text.into()) {
            texts.bytes -= former.len();
        }
    }

    fn texts(&self) -> MutexGuard<'_, Texts> {
        // No step leaves the texts half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(changes: u64, request: &str) -> Asked {
        let request = request.to_owned();
        Asked { changes, request }
    }

    fn answer(answers: &Answers, changes: u64, request: &str) -> Option<String> {
        let body = answers.recall(&asked(changes, request));
        body.map(|body| body.text().to_owned())
    }

    #[test]
    fn an_answer_is_true_until_the_catalog_is_changed() {
        let answers = Answers::default();
        answers.keep(asked(0, "a"), "1");
        assert_eq!(answer(&answers, 0, "a").as_deref(), Some("1"));
        assert_eq!(answer(&answers, 1, "a"), None);
        answers.keep(asked(1, "a"), "2");
        answers.keep(asked(0, "a"), "1");
        assert_eq!(
            answer(&answers, 1, "a").as_deref(),
            Some("2"),
            "the other is older"
        );
    }

    #[test]
    fn they_hold_no_more_than_they_may() {
        let answers = Answers::default();
        let text = "x".repeat(MAX_TEXT);
        for number in 0..200 {
            answers.keep(asked(0, &number.to_string()), &text);
        }
        assert!(answers.texts().bytes <= MAX_BYTES + 1000);
        assert!(answer(&answers, 0, "199").is_some());
        answers.keep(asked(0, "long"), &"x".repeat(MAX_TEXT + 1));
        assert_eq!(answer(&answers, 0, "long"), None);
    }
}
