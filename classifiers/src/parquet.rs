//! Parquet.
use crate::{ClassifyError, Outcome, Sample};
pub(crate) fn is_parquet(_: &Sample) -> bool { false }
pub(crate) fn classify(_: &Sample) -> Result<Outcome, ClassifyError> { Ok(Outcome::NeedTail(8)) }
