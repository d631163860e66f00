//! Reading a TOML document that a person wrote: every mistake is named, with its line and the nearest known key.

use serde::de::DeserializeOwned;

use crate::error::{Error, Result};

/// Reads `text` into `T`. `what` names the document in errors, as `jobs/x/job.toml`.
///
/// # Errors
/// Invalid, with the line and what is wrong; an unknown key comes with the nearest known one.
pub fn parse_toml<T: DeserializeOwned>(what: &str, text: &str) -> Result<T> {
    toml::from_str(text).map_err(|cause| {
        let line = cause
            .span()
            .map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        let place = line.map_or(String::new(), |line| format!(", line {line}"));
        let message = cause.message().trim().to_owned();
        let error = Error::invalid(format!("{what}{place}: {message}"));
        match nearest_key(&message) {
            Some(known) => error.hint(format!("did you mean '{known}'?")),
            None => error,
        }
    })
}

/// Out of serde's "unknown field `x`, expected one of `a`, `b`": the name that is most like `x`.
fn nearest_key(message: &str) -> Option<String> {
    let rest = message.strip_prefix("unknown field `")?;
    let mut names = rest.split('`').step_by(2).map(str::trim);
    let unknown = names.next()?;
    names
        .filter(|name| !name.is_empty())
        .map(|name| (strsim::jaro_winkler(unknown, name), name))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(likeness, _)| *likeness > 0.6)
        .map(|(_, name)| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Example {
        #[expect(dead_code, reason = "only its name matters here")]
        engine: Option<String>,
        #[expect(dead_code, reason = "only its name matters here")]
        script: Option<String>,
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line_and_the_nearest_known_one() {
        let error = parse_toml::<Example>("job.toml", "script = 'x'\nengin = 'sql'\n").unwrap_err();
        assert!(
            error
                .message
                .starts_with("job.toml, line 2: unknown field `engin`"),
            "{}",
            error.message
        );
        assert_eq!(error.hint.unwrap(), "did you mean 'engine'?");
    }
}
