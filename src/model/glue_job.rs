//! What a client of the Glue API says of a job, beyond what a definition has words for. It is kept as it was sent, and most
//! of it is only given back; what matters to runs is looked up here.

use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::model::job::Job;
use crate::model::pattern::Captures;

/// The most that a run's arguments have together, in bytes: AWS's limit.
const MAX_ARGUMENTS: usize = 260 * 1024;
/// The members that hold of a run, as they are when it starts.
const OF_A_RUN: [&str; 12] = [
    "AllocatedCapacity",
    "ExecutionClass",
    "GlueVersion",
    "JobMode",
    "JobRunQueuingEnabled",
    "MaintenanceWindow",
    "MaxCapacity",
    "NotificationProperty",
    "NumberOfWorkers",
    "SecurityConfiguration",
    "Timeout",
    "WorkerType",
];

impl Job {
    /// The parameters of a run: `given`, checked, with what the job says where nothing is given. Arguments that a client of
    /// the Glue API made fast stay as they are.
    ///
    /// # Errors
    /// Invalid for an unknown, a missing or an unfitting one, and where there is too much of them.
    pub fn parameters_of(&self, given: &Captures) -> Result<Captures> {
        let Some(glue) = &self.glue else {
            return self.definition.parameters_of(given);
        };
        let mut told = given.clone();
        told.extend(arguments(glue, "NonOverridableArguments"));
        let parameters = self.definition.parameters_of(&told)?;
        check_size(&parameters)?;
        Ok(parameters)
    }

    /// What holds of a run that starts now, of a job that a client of the Glue API made.
    pub fn members_of_run(&self) -> Option<Map<String, Value>> {
        let glue = self.glue.as_ref()?;
        let member = |name: &str| Some((name.to_owned(), glue.get(name)?.clone()));
        Some(OF_A_RUN.into_iter().filter_map(member).collect())
    }

    /// Whether a run beyond those that may be at work at a time waits for its turn, instead of being refused.
    pub fn queues_runs(&self) -> bool {
        match &self.glue {
            Some(glue) => glue.get("JobRunQueuingEnabled") == Some(&Value::Bool(true)),
            None => true,
        }
    }
}

/// Arguments by their names without the dashes.
pub fn arguments(members: &Value, member: &str) -> Captures {
    let text = |value: &Value| Some(value.as_str()?.to_owned());
    let sent = members.get(member).and_then(Value::as_object);
    sent.into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((bare(name), text(value)?)))
        .collect()
}

/// An argument's name without the dashes.
pub fn bare(name: &str) -> String {
    name.trim_start_matches('-').to_owned()
}

/// Checks that arguments aren't more than may be.
///
/// # Errors
/// Invalid.
pub fn check_size(arguments: &Captures) -> Result<()> {
    let size: usize = arguments
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    if size <= MAX_ARGUMENTS {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "the arguments have {size} bytes together, and {MAX_ARGUMENTS} are allowed"
    ))
    .hint("put what is long into an object, and give its location"))
}
