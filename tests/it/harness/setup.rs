//! What tests set up again and again: jobs by what they read and write, crawls by their target.

use std::fmt;

use mastic::model::crawl::{CrawlRequest, CrawlTarget};

/// The `job.toml` of a job in SQL that writes CSV to this place. What is said later of the same thing counts.
pub(crate) fn sql_job(location: &str) -> JobText {
    let job = JobText {
        head: vec!["engine = \"sql\"".to_owned(), "script = \"s.sql\"".to_owned()],
        parameters: Vec::new(),
        inputs: Vec::new(),
        output: Vec::new(),
        triggers: Vec::new(),
    };
    job.output("format = \"csv\"").writes(location)
}

/// A `job.toml` on its way: [`sql_job`].
#[derive(Clone)]
pub(crate) struct JobText {
    head: Vec<String>,
    parameters: Vec<String>,
    inputs: Vec<String>,
    output: Vec<String>,
    triggers: Vec<String>,
}

impl JobText {
    /// Anything that stands above all sections: `retries = 1`.
    pub(crate) fn head(mut self, line: &str) -> Self {
        set(&mut self.head, line);
        self
    }

    /// A parameter that may have any value.
    pub(crate) fn parameter(self, name: &str) -> Self {
        self.parameter_with(name, "")
    }

    /// A parameter, with what is said of it: `pattern = '\d'`.
    pub(crate) fn parameter_with(mut self, name: &str, more: &str) -> Self {
        set(&mut self.parameters, &format!("{name} = {{ {more} }}"));
        self
    }

    /// An input, by the location of its objects.
    pub(crate) fn reads(mut self, name: &str, location: &str) -> Self {
        set(&mut self.inputs, &format!("{name} = \"{location}\""));
        self
    }

    /// An input, with what is said of it: `strict = true`.
    pub(crate) fn reads_with(mut self, name: &str, location: &str, more: &str) -> Self {
        set(
            &mut self.inputs,
            &format!("{name} = {{ location = \"{location}\", {more} }}"),
        );
        self
    }

    /// Without an input.
    pub(crate) fn reads_no(mut self, name: &str) -> Self {
        self.inputs.retain(|line| key_of(line) != name);
        self
    }

    /// Where it writes.
    pub(crate) fn writes(self, location: &str) -> Self {
        self.output(&format!("location = \"{location}\""))
    }

    /// The table of its output.
    pub(crate) fn table(self, name: &str) -> Self {
        self.output(&format!("table = \"{name}\""))
    }

    /// Anything that is said of its output: `files = 2`.
    pub(crate) fn output(mut self, line: &str) -> Self {
        set(&mut self.output, line);
        self
    }

    /// An object that appears starts it.
    pub(crate) fn listens_to(mut self, pattern: &str) -> Self {
        self.triggers.clear();
        self.listens_also_to(pattern)
    }

    /// Another object that appears starts it too.
    pub(crate) fn listens_also_to(mut self, pattern: &str) -> Self {
        self.triggers.push(pattern.to_owned());
        self
    }
}

fn key_of(line: &str) -> &str {
    line.split('=').next().unwrap_or_default().trim()
}

/// Adds a line, or puts it in the place of the one with the same key.
fn set(lines: &mut Vec<String>, line: &str) {
    match lines.iter_mut().find(|known| key_of(known) == key_of(line)) {
        Some(known) => line.clone_into(known),
        None => lines.push(line.to_owned()),
    }
}

impl fmt::Display for JobText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.head.join("\n"))?;
        for (section, lines) in [
            ("[parameters]", &self.parameters),
            ("[inputs]", &self.inputs),
            ("[output]", &self.output),
        ] {
            if !lines.is_empty() {
                writeln!(f, "{section}\n{}", lines.join("\n"))?;
            }
        }
        for pattern in &self.triggers {
            writeln!(f, "[[triggers]]\non = \"object_created\"\nmatch = \"{pattern}\"")?;
        }
        Ok(())
    }
}

/// A crawl of one target into a database, with everything else as it is by itself.
pub(crate) fn crawl_of(path: &str, database: &str) -> CrawlRequest {
    CrawlRequest {
        database: database.to_owned(),
        targets: vec![CrawlTarget {
            path: path.to_owned(),
            ..CrawlTarget::default()
        }],
        ..CrawlRequest::default()
    }
}
