//! Which command.

use std::process::ExitCode;

fn main() -> ExitCode {
    mastic::cli::main()
}
