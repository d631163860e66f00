//! SQL by DataFusion, in a process of its own.

use super::{Assignment, Engine, Place, Working};
use crate::error::{Error, Result};
use crate::task::{ScriptWork, Spec, Work};

pub(super) struct Sql;

#[async_trait::async_trait]
impl Engine for Sql {
    fn writes_output(&self) -> bool {
        true
    }

    async fn start(&self, work: Assignment<'_>) -> Result<Box<dyn Working>> {
        let Place::Uploads(output, uploads) = work.place else {
            return Err(Error::invalid("the job has no output"));
        };
        let spec = Spec {
            work: Work::Script(ScriptWork {
                sql: work.script.to_owned(),
                tables: work.tables.to_vec(),
                format: output.format,
                csv: output.csv()?,
                uploads: uploads.to_vec(),
            }),
            access: Some(work.app.access.clone()),
            limits: work.limits,
        };
        Ok(Box::new(work.app.children.start(&spec).await?))
    }
}
