//! The triggers that wait for objects, as arrivals meet them: parsed once, for as long as none changes.

use std::sync::{Arc, Mutex, PoisonError};

use crate::error::Result;
use crate::model::job::{Arrivals, Trigger};
use crate::model::pattern::ObjectPattern;

/// A trigger that waits for objects.
#[derive(Clone, Debug)]
pub struct Watch {
    /// The trigger's name.
    pub trigger: String,
    /// The job that it starts.
    pub job: String,
    /// What it waits for.
    pub arrivals: Arrivals,
    /// Its pattern, read.
    pub pattern: ObjectPattern,
}

impl Watch {
    /// Parses a trigger's pattern, where objects are what it waits for.
    ///
    /// # Errors
    /// Invalid where it is none.
    pub fn of(trigger: &Trigger) -> Result<Option<Self>> {
        let Some(arrivals) = trigger.definition.arrivals() else {
            return Ok(None);
        };
        Ok(Some(Self {
            trigger: trigger.name.clone(),
            job: trigger.job.clone(),
            pattern: arrivals.parsed()?,
            arrivals: arrivals.clone(),
        }))
    }
}

/// The triggers in force, kept with the number of the change that they are as of.
#[derive(Debug, Default)]
pub struct Watches(Mutex<Option<(i64, Arc<Vec<Watch>>)>>);

impl Watches {
    /// The triggers as of `change`, where they are at hand.
    pub fn as_of(&self, change: i64) -> Option<Arc<Vec<Watch>>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref()
            .filter(|(known, _)| *known == change)
            .map(|(_, watches)| Arc::clone(watches))
    }

    /// Keeps the triggers as of `change`.
    pub fn keep(&self, change: i64, watches: &Arc<Vec<Watch>>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *kept = Some((change, Arc::clone(watches)));
    }
}
