//! What must hold of a thing for an edit of it to be made, so that nobody's edit is lost by another's.

use crate::error::{Error, ErrorKind, Result};

/// What whoever edits a thing takes it to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Precondition {
    /// Whatever it is.
    #[default]
    None,
    /// There, in whatever version.
    Present,
    /// There, in one of these versions.
    Versions(Vec<i64>),
    /// Not there.
    Absent,
}

impl Precondition {
    /// Looks whether it holds of `thing`, `crawler sales`, which is there in the version `present`.
    ///
    /// # Errors
    /// Outdated where it doesn't.
    pub fn check(&self, thing: &str, present: Option<i64>) -> Result<()> {
        let outdated = |message| Err(Error::new(ErrorKind::Outdated, message));
        match (self, present) {
            (Self::Versions(read), Some(now)) if !read.contains(&now) => {
                let read: Vec<String> = read.iter().map(i64::to_string).collect();
                let read = read.join(" or ");
                outdated(format!(
                    "{thing} was changed since: it has version {now}, not {read}"
                ))
                .map_err(|error| error.hint("read it again, and make the change to what it is now"))
            }
            (Self::Versions(_) | Self::Present, None) => outdated(format!("{thing} isn't there"))
                .map_err(|error| error.hint("somebody removed it, or nobody made it yet")),
            (Self::Absent, Some(now)) => outdated(format!("{thing} is there, in version {now}"))
                .map_err(|error| error.hint("read it, and replace that version, or choose another name")),
            _ => Ok(()),
        }
    }
}
