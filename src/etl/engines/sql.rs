//! SQL by DataFusion, in a process of its own.

use super::{Assignment, Engine, Said, Working};
use crate::error::Result;
use crate::task::{Child, Message, ScriptWork, Spec, Work};

pub(super) struct Sql;

#[async_trait::async_trait]
impl Engine for Sql {
    async fn start(&self, work: Assignment<'_>) -> Result<Box<dyn Working>> {
        let spec = Spec {
            work: Work::Script(ScriptWork {
                sql: work.job.script.clone(),
                tables: work.tables.to_vec(),
                format: work.output.format,
                csv: work.output.csv()?,
                uploads: work.uploads.to_vec(),
            }),
            access: Some(work.app.access.clone()),
            limits: work.limits,
        };
        Ok(Box::new(work.app.children.start(&spec).await?))
    }
}

#[async_trait::async_trait]
impl Working for Child {
    async fn next(&mut self) -> Result<Said> {
        loop {
            match Self::next(self).await? {
                Message::Log { level, message } => return Ok(Said::Log(level, message)),
                Message::Wrote(written) => return Ok(Said::Wrote(*written)),
                Message::Failed(failure) => return Err(failure.into()),
                _ => {}
            }
        }
    }
}
