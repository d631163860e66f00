//! `mastic completions`

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Cli, Outcome};
use crate::error::Error;

/// Print a shell's completions.
#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self) -> Result<Outcome, Error> {
        clap_complete::generate(self.shell, &mut Cli::command(), "mastic", &mut std::io::stdout());
        Ok(Outcome::Done)
    }
}
