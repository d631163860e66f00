//! Talking to a server's REST API.

use std::io::BufRead;
use std::time::Duration;

use serde_json::Value;
use ureq::http::{Request, Response};
use ureq::{Agent, Body};

use super::Global;
use crate::api::Problem;
use crate::error::{Error, Result};

/// A server.
pub(super) struct Client {
    agent: Agent,
    url: String,
    token: Option<String>,
}

impl Client {
    /// The server that the flags name.
    pub(super) fn new(global: &Global) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(5)))
            .build();
        Self {
            agent: config.into(),
            url: global.url.trim_end_matches('/').to_owned(),
            token: global.token.clone(),
        }
    }

    /// GETs a path below `/api/v1`.
    pub(super) fn get(&self, path: &str) -> Result<Value> {
        self.send("GET", path, None)
    }

    /// POSTs to a path below `/api/v1`.
    pub(super) fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.send("POST", path, Some(body))
    }

    /// PUTs to a path below `/api/v1`.
    pub(super) fn put(&self, path: &str, body: &Value) -> Result<Value> {
        self.send("PUT", path, Some(body))
    }

    /// PUTs to a path below `/api/v1` what was made of this version of what is there, and of no other.
    pub(super) fn replace(&self, path: &str, version: &Value, body: &Value) -> Result<Value> {
        let tag = format!("\"{version}\"");
        let mut response = self.call("PUT", path, Some(body), &[("accept", "*/*"), ("if-match", &tag)])?;
        read(&mut response)
    }

    /// DELETEs a path below `/api/v1`.
    pub(super) fn delete(&self, path: &str) -> Result<Value> {
        self.send("DELETE", path, None)
    }

    /// Every item of a list.
    pub(super) fn all(&self, path: &str) -> Result<Vec<Value>> {
        let mut items = Vec::new();
        let mut cursor = String::new();
        loop {
            let separator = if path.contains('?') { '&' } else { '?' };
            let mut page = self.get(&format!("{path}{separator}limit=1000{cursor}"))?;
            if let Some(Value::Array(found)) = page.get_mut("items").map(Value::take) {
                items.extend(found);
            }
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(items),
            }
        }
    }

    /// What is answered as text.
    pub(super) fn text(&self, path: &str) -> Result<String> {
        accepted(&mut self.call("GET", path, None, &[("accept", "*/*")])?)
    }

    fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let mut response = self.call(method, path, body, &[("accept", "*/*")])?;
        read(&mut response)
    }

    /// POSTs to a path below `/api/v1`, and reads the answer line by line as it comes.
    pub(super) fn post_for_lines(&self, path: &str, body: &Value) -> Result<impl BufRead> {
        let lines = [("accept", "application/x-ndjson")];
        let mut response = self.call("POST", path, Some(body), &lines)?;
        if !response.status().is_success() {
            return Err(refused(&mut response));
        }
        Ok(std::io::BufReader::new(response.into_body().into_reader()))
    }

    fn call(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> Result<Response<Body>> {
        let uri = format!("{}/api/v1{path}", self.url);
        let mut request = Request::builder().method(method).uri(&uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let bad = |cause: ureq::http::Error| Error::invalid(format!("'{uri}' can't be called: {cause}"));
        let sent = match body {
            Some(body) => {
                let request = request.header("content-type", "application/json");
                self.agent.run(request.body(body.to_string()).map_err(bad)?)
            }
            None => self.agent.run(request.body(()).map_err(bad)?),
        };
        sent.map_err(|cause| {
            Error::unavailable(format!("the server at {} can't be reached: {cause}", self.url))
                .hint("start it with `mastic serve`, or name another with --url")
        })
    }
}

/// What an answer that isn't a refusal says.
fn read(response: &mut Response<Body>) -> Result<Value> {
    let text = accepted(response)?;
    if text.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(&text)
        .map_err(|cause| Error::internal("the server's answer is no JSON").source(cause))
}

/// The text of an answer that isn't a refusal.
fn accepted(response: &mut Response<Body>) -> Result<String> {
    if !response.status().is_success() {
        return Err(refused(response));
    }
    text_of(response)
}

fn text_of(response: &mut Response<Body>) -> Result<String> {
    response
        .body_mut()
        .with_config()
        .limit(u64::MAX)
        .read_to_string()
        .map_err(|cause| Error::unavailable(format!("the server's answer can't be read: {cause}")))
}

fn refused(response: &mut Response<Body>) -> Error {
    let status = response.status();
    let text = match text_of(response) {
        Ok(text) => text,
        Err(error) => return error,
    };
    match serde_json::from_str::<Problem>(&text) {
        Ok(problem) => problem.into_error(),
        Err(_) => Error::internal(format!("the server answered {status}")).hint("is it a mastic server?"),
    }
}

/// A name as a segment of a path.
pub(super) fn segment(name: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(byte);
    name.bytes()
        .map(|byte| {
            if plain(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}
