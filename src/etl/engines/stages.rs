//! Programs one after the other, as one script at work.

use std::collections::VecDeque;

use super::keys::Keys;
use super::{Assignment, Said, Working};
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::run::LogLevel;
use crate::task::{Child, Limits, Message, Program, Spec, Work};

/// The memory that making an environment may take, in bytes.
pub(super) const INSTALL_BYTES: u64 = 2 << 30;

/// Programs of which each begins when the one before has ended well.
pub(super) struct Stages {
    app: App,
    next: VecDeque<Spec>,
    /// What is said before they say anything.
    remarks: VecDeque<(LogLevel, String)>,
    /// The one that is about to begin.
    following: Option<Spec>,
    /// The script's keys, lent for as long as this is there.
    _keys: Option<Keys>,
    now: Child,
}

impl Stages {
    /// Begins with the first, after some remarks. With each is said how much memory it may have, in bytes.
    ///
    /// # Errors
    /// Unavailable where it can't be started.
    pub(super) async fn begin(
        work: &Assignment<'_>,
        programs: impl IntoIterator<Item = (Program, u64)>,
        remarks: Vec<(LogLevel, String)>,
    ) -> Result<Box<dyn Working>> {
        let keys = Keys::lend(work);
        let spec = |(mut program, memory_bytes): (Program, u64)| {
            if let Some(keys) = &keys {
                keys.tell(&mut program.environment);
            }
            Spec {
                work: Work::Run(program),
                access: Some(work.app.access.clone()),
                limits: Limits {
                    memory_bytes,
                    ..work.limits
                },
            }
        };
        let mut next: VecDeque<Spec> = programs.into_iter().map(spec).collect();
        let first = next.pop_front();
        let first = first.ok_or_else(|| Error::internal("a script is nothing to run"))?;
        Ok(Box::new(Self {
            app: work.app.clone(),
            now: work.app.children.start(&first).await?,
            next,
            remarks: remarks.into(),
            following: None,
            _keys: keys,
        }))
    }
}

#[async_trait::async_trait]
impl Working for Stages {
    async fn next(&mut self) -> Result<Said> {
        if let Some((level, remark)) = self.remarks.pop_front() {
            return Ok(Said::Log(level, remark));
        }
        loop {
            if let Some(spec) = &self.following {
                self.now = self.app.children.start(spec).await?;
                self.following = None;
            }
            match self.now.next().await? {
                Message::Log { level, message } => return Ok(Said::Log(level, message)),
                Message::Failed(failure) => return Err(failure.into()),
                Message::Ran(usage) => {
                    self.following = self.next.pop_front();
                    if self.following.is_none() {
                        return Ok(Said::Ran(usage));
                    }
                    self.now.end().await;
                }
                _ => {}
            }
        }
    }
}
