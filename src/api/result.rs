//! A query's answer on the wire: its head, the rows as they come, and an end that nobody can take for another.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use super::error::Problem;
use crate::app::App;
use crate::clock::Clock;
use crate::error::Error;
use crate::etl::query::{Answer, Part, RowForm};

const LINES: &str = "application/x-ndjson";
/// How long the reason may take to reach the client before the connection is broken off.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// Rows.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct QueryResult {
    columns: Vec<ResultColumn>,
    /// A value for each column: null, true, false, a number, a text, or of structs, arrays and maps an object or a list.
    /// Decimals, and integers that a double doesn't hold, are texts.
    #[schema(value_type = Vec<Vec<serde_json::Value>>)]
    rows: Vec<Vec<serde_json::Value>>,
    /// Whether there are more rows.
    truncated: bool,
    /// What is worth saying of the rows that were read: values that didn't fit their columns' types, files left out.
    remarks: Vec<String>,
    /// How long it took, in milliseconds.
    elapsed_ms: i64,
}

/// A column of a result.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ResultColumn {
    name: String,
    /// In Hive's spelling.
    #[serde(rename = "type")]
    data_type: String,
}

/// How the client wants its rows: in one JSON document unless it asks for lines.
pub(super) fn form_for(headers: &HeaderMap) -> RowForm {
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    match accepted {
        Some(accepted) if accepted.contains(LINES) => RowForm::Lines,
        _ => RowForm::Listed,
    }
}

/// An answer that is being sent.
pub(super) struct Rendering {
    answer: Answer,
    form: RowForm,
    started: DateTime<Utc>,
    clock: Arc<dyn Clock>,
    next: Next,
}

/// What is sent next.
enum Next {
    Head,
    Rows,
    BreakOff,
    Nothing,
}

impl Rendering {
    pub(super) fn new(app: &App, started: DateTime<Utc>, form: RowForm, answer: Answer) -> Self {
        Self {
            answer,
            form,
            started,
            clock: Arc::clone(&app.clock),
            next: Next::Head,
        }
    }

    /// The response, whose body is made while it is read. A client that goes drops it, which ends the query.
    pub(super) fn response(self) -> Response {
        let media_type = match self.form {
            RowForm::Listed => "application/json",
            RowForm::Lines => LINES,
        };
        let pieces = futures::stream::unfold(self, |mut rendering| async move {
            let piece = rendering.piece().await?;
            Some((piece, rendering))
        });
        ([(header::CONTENT_TYPE, media_type)], Body::from_stream(pieces)).into_response()
    }

    async fn piece(&mut self) -> Option<std::io::Result<Bytes>> {
        match self.next {
            Next::Head => {
                self.next = Next::Rows;
                Some(Ok(self.head().into()))
            }
            Next::Rows => Some(Ok(match self.answer.next().await {
                Ok(Part::Rows(text)) => text.into(),
                Ok(Part::End {
                    rows,
                    truncated,
                    remarks,
                }) => {
                    self.next = Next::Nothing;
                    self.end(rows, truncated, &remarks).into()
                }
                Err(error) => {
                    self.next = Next::BreakOff;
                    self.broken(&error).into()
                }
            })),
            Next::BreakOff => {
                self.next = Next::Nothing;
                // What was said before would be thrown away with the connection where it hasn't left yet.
                tokio::time::sleep(LAST_WORDS).await;
                Some(Err(std::io::Error::other("the result broke off")))
            }
            Next::Nothing => None,
        }
    }

    fn head(&self) -> String {
        let column = |(name, data_type): &(String, String)| json!({ "name": name, "type": data_type });
        let columns: Vec<_> = self.answer.columns.iter().map(column).collect();
        let columns = json!(columns);
        match self.form {
            RowForm::Listed => format!("{{\"columns\":{columns},\"rows\":["),
            RowForm::Lines => format!("{{\"columns\":{columns}}}\n"),
        }
    }

    fn end(&self, rows: u64, truncated: bool, remarks: &[String]) -> String {
        let elapsed = (self.clock.now() - self.started).num_milliseconds();
        let remarks = json!(remarks);
        let end = format!("\"truncated\":{truncated},\"remarks\":{remarks},\"elapsed_ms\":{elapsed}}}");
        match self.form {
            RowForm::Listed => format!("],{end}"),
            RowForm::Lines => format!("{{\"rows\":{rows},{end}\n"),
        }
    }

    /// What stands at the end of rows that aren't all. It may come in the middle of one.
    fn broken(&self, error: &Error) -> String {
        let problem = json!(Problem::of(error));
        match self.form {
            RowForm::Listed => format!("],\"error\":{problem}}}"),
            RowForm::Lines => format!("\n{{\"error\":{problem}}}\n"),
        }
    }
}
