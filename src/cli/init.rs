//! `mastic init`

use std::path::PathBuf;

use clap::Args;

use super::{Outcome, output};
use crate::config::DEFAULT_FILE;
use crate::error::{Error, Result};

/// Write a commented mastic.toml.
#[derive(Debug, Args)]
pub(super) struct Init {
    /// Where to
    #[arg(default_value = DEFAULT_FILE)]
    path: PathBuf,
}

const TEMPLATE: &str = include_str!("mastic.toml");

impl Init {
    pub(super) fn run(self) -> Result<Outcome> {
        use std::io::Write;
        let shown = self.path.display();
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&self.path)
            .map_err(|cause| match cause.kind() {
                std::io::ErrorKind::AlreadyExists => {
                    Error::already_exists(format!("{shown} is there already"))
                        .hint("remove it first, or name another")
                }
                _ => Error::unavailable(format!("can't write {shown}: {cause}")),
            })?;
        file.write_all(TEMPLATE.as_bytes())
            .map_err(|cause| Error::unavailable(format!("can't write {shown}: {cause}")))?;
        output::say(
            false,
            &format!("wrote {shown}; next: mastic doctor, then mastic serve"),
        );
        Ok(Outcome::Done)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::config::{Config, Flags};

    #[test]
    fn the_template_is_valid_with_every_line_switched_on() {
        let folder = tempfile::tempdir().unwrap();
        let is_setting = |line: &str| line.starts_with("# ") && line.contains(" = ");
        let on: Vec<&str> = TEMPLATE
            .lines()
            .map(|line| if is_setting(line) { &line[2..] } else { line })
            .collect();
        let path = folder.path().join("mastic.toml");
        std::fs::write(&path, on.join("\n")).unwrap();
        let flags = Flags {
            config: Some(path),
            ..Flags::default()
        };
        Config::resolve(&flags, &BTreeMap::new()).unwrap();
    }
}
