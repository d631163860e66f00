//! Answers that were given before, for as long as the catalog isn't changed.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::app::App;
use crate::aws::{Answer, Body};
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
    by_request: HashMap<String, Arc<str>>,
}

impl Answers {
    /// The answer to a request: the one that was given before, where it is still true, or the one that `make` gives. It may
    /// hang on the catalog alone.
    pub(super) async fn answer(
        &self,
        app: &App,
        request: String,
        make: impl Future<Output = Answer<Body>>,
    ) -> Answer<Body> {
        let Some(changes) = catalog::changes(app) else {
            return make.await;
        };
        if let Some(text) = self.recall(changes, &request) {
            return Ok(Body::again(&text));
        }
        let body = make.await?;
        // What was changed meanwhile may not be in it.
        if catalog::changes(app) == Some(changes) {
            self.remember(changes, request, body.text().into());
        }
        Ok(body)
    }

    fn recall(&self, changes: u64, request: &str) -> Option<Arc<str>> {
        let texts = self.texts();
        let is_true = texts.changes == changes;
        texts.by_request.get(request).filter(|_| is_true).cloned()
    }

    fn remember(&self, changes: u64, request: String, text: Arc<str>) {
        if text.len() > MAX_TEXT {
            return;
        }
        let mut texts = self.texts();
        if texts.changes > changes {
            return;
        }
        if texts.changes != changes || texts.bytes + text.len() > MAX_BYTES {
            *texts = Texts {
                changes,
                ..Texts::default()
            };
        }
        texts.bytes += text.len() + request.len();
        if let Some(former) = texts.by_request.insert(request, text) {
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

    #[test]
    fn an_answer_is_true_until_the_catalog_is_changed() {
        let answers = Answers::default();
        answers.remember(0, "a".into(), "1".into());
        assert_eq!(&*answers.recall(0, "a").unwrap(), "1");
        assert_eq!(answers.recall(1, "a"), None);
        answers.remember(1, "a".into(), "2".into());
        answers.remember(0, "a".into(), "1".into());
        assert_eq!(&*answers.recall(1, "a").unwrap(), "2", "the other is older");
    }

    #[test]
    fn they_hold_no_more_than_they_may() {
        let answers = Answers::default();
        let text: Arc<str> = "x".repeat(MAX_TEXT).into();
        for number in 0..200 {
            answers.remember(0, number.to_string(), text.clone());
        }
        assert!(answers.texts().bytes <= MAX_BYTES + 1000);
        assert!(answers.recall(0, "199").is_some());
        answers.remember(0, "long".into(), "x".repeat(MAX_TEXT + 1).into());
        assert_eq!(answers.recall(0, "long"), None);
    }
}
