//! Queries over catalogued tables, each in a child of its own. Rows are passed on as they come, and never read here.

use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc;

use crate::app::App;
use crate::catalog::{files, formats, tables};
use crate::error::{Error, ErrorKind, Result};
use crate::model::name::TableRef;
use crate::model::table::{Column, Table};
use crate::task::{
    Child, Failure, FileOfTable, Limits, Message, ObjectToRead, QueryWork, Spec, TableToRead, Tables, Work,
};

pub use crate::task::RowForm;

/// How long a query may take, in seconds.
const QUERY_SECONDS: u64 = 300;
/// How many pieces of a result wait for who reads it.
const PIECES_AHEAD: usize = 2;
/// How long a reader may take none of them.
const READER_PATIENCE: Duration = Duration::from_secs(60);

/// A query's answer.
#[derive(Clone, Debug)]
pub struct QueryResult {
    /// Its columns with their types in Hive's spelling.
    pub columns: Vec<(String, String)>,
    /// Its rows.
    pub rows: Vec<Vec<Value>>,
    /// Whether there are more.
    pub truncated: bool,
}

/// A query's answer on its way. Dropping it ends the query.
pub struct Answer {
    /// Its columns with their types in Hive's spelling.
    pub columns: Vec<(String, String)>,
    first: Option<Part>,
    rest: Option<mpsc::Receiver<Result<Part>>>,
}

/// The next of an answer.
#[derive(Debug)]
pub enum Part {
    /// A piece of its rows as text. It may end in the middle of one.
    Rows(Vec<u8>),
    /// All of them were there.
    End {
        /// How many there were.
        rows: u64,
        /// Whether there are more.
        truncated: bool,
    },
}

/// Begins one SELECT over catalogued tables, which gives `limit` rows at the most. The answer is there when the first rows
/// are, and for a result of common size when all of them are: what goes wrong until then is an error here.
///
/// # Errors
/// Invalid where the SQL is wrong; NotFound where it names a table that isn't there; Limit where it needs too much;
/// Unavailable where too many queries are at work.
pub async fn begin(app: &App, sql: &str, limit: usize, form: RowForm) -> Result<Answer> {
    let most = app.config.query.max_rows;
    if !(1..=most).contains(&limit) {
        return Err(Error::invalid(format!("limit is {limit}"))
            .hint(format!("it may be 1 to {most}, which query.max_rows says")));
    }
    let spec = Spec {
        work: Work::Query(QueryWork {
            sql: sql.to_owned(),
            limit,
            max_bytes: app.config.query.max_bytes,
            form,
        }),
        access: Some(app.access.clone()),
        limits: Limits {
            memory_bytes: app.config.tasks.sql_memory_bytes,
            cpu_seconds: QUERY_SECONDS * 4,
            wall_seconds: QUERY_SECONDS,
        },
    };
    let mut child = app.children.start_query(&spec).await?;
    let mut columns = Vec::new();
    let first = loop {
        match child.next().await? {
            Message::NeedTables { names } => {
                let answer = tables_called(app, &names).await?;
                child.say(&answer).await?;
            }
            Message::Columns { columns: said } => columns = said,
            message => {
                if let Some(part) = part_of(message)? {
                    break part;
                }
            }
        }
    };
    let rest = matches!(first, Part::Rows(_)).then(|| {
        let (sender, receiver) = mpsc::channel(PIECES_AHEAD);
        tokio::spawn(pass_on(child, sender));
        receiver
    });
    Ok(Answer {
        columns,
        first: Some(first),
        rest,
    })
}

/// Passes a child's rows on as fast as they are taken. It ends with the child, or when nobody takes them any more.
async fn pass_on(mut child: Child, parts: mpsc::Sender<Result<Part>>) {
    loop {
        let part = tokio::select! {
            part = next_part(&mut child) => part,
            () = parts.closed() => return,
        };
        let is_last = !matches!(part, Ok(Part::Rows(_)));
        let taken = parts.send_timeout(part, READER_PATIENCE).await;
        if is_last || taken.is_err() {
            return;
        }
    }
}

async fn next_part(child: &mut Child) -> Result<Part> {
    loop {
        if let Some(part) = part_of(child.next().await?)? {
            return Ok(part);
        }
    }
}

fn part_of(message: Message) -> Result<Option<Part>> {
    match message {
        Message::Rows { text, .. } => Ok(Some(Part::Rows(text))),
        Message::End { rows, truncated } => Ok(Some(Part::End { rows, truncated })),
        Message::Failed(failure) => Err(failure.into()),
        _ => Ok(None),
    }
}

impl Answer {
    /// The next of it; after its end, or an error, there is no more.
    ///
    /// # Errors
    /// What went wrong after it began: then what came before is not the result.
    pub async fn next(&mut self) -> Result<Part> {
        if let Some(first) = self.first.take() {
            return Ok(first);
        }
        let next = match &mut self.rest {
            Some(rest) => rest.recv().await,
            None => None,
        };
        next.unwrap_or_else(|| {
            Err(
                Error::unavailable("the result broke off: nobody read it for a while, or it had ended")
                    .hint("read it faster, or ask for less"),
            )
        })
    }
}

/// Runs one SELECT over catalogued tables to its end.
///
/// # Errors
/// As [`begin`].
pub async fn run(app: &App, sql: &str, limit: usize) -> Result<QueryResult> {
    let mut answer = begin(app, sql, limit, RowForm::Listed).await?;
    let mut text = vec![b'['];
    let truncated = loop {
        match answer.next().await? {
            Part::Rows(piece) => text.extend_from_slice(&piece),
            Part::End { truncated, .. } => break truncated,
        }
    };
    text.push(b']');
    let rows = serde_json::from_slice(&text)
        .map_err(|cause| Error::internal("a result can't be understood").source(cause))?;
    Ok(QueryResult {
        columns: answer.columns,
        rows,
        truncated,
    })
}

/// Begins to show the first rows of a table.
///
/// # Errors
/// As [`begin`].
pub async fn sample(app: &App, table: &TableRef, limit: usize, form: RowForm) -> Result<Answer> {
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let sql = format!(
        "SELECT * FROM {}.{}",
        quoted(&table.database),
        quoted(&table.name)
    );
    begin(app, &sql, limit.min(app.config.query.max_rows), form).await
}

async fn tables_called(app: &App, names: &[String]) -> Result<Tables> {
    let mut answer = Tables {
        tables: Vec::new(),
        missing: None,
    };
    for name in names {
        match table_called(app, name).await {
            Ok(table) => answer.tables.push(table),
            Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Invalid) => {
                answer.missing = Some(Failure::from(error));
                break;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(answer)
}

async fn table_called(app: &App, name: &str) -> Result<TableToRead> {
    let unquoted = name.replace('"', "");
    let table = match TableRef::parse(&unquoted) {
        Ok(reference) => tables::get(app, &reference).await?,
        Err(_) => {
            return Err(Error::invalid(format!("'{unquoted}' names no database"))
                .hint("write tables as database.table"));
        }
    };
    readable(app, &table, &unquoted).await
}

/// A catalogued table with the objects that it consists of now.
async fn readable(app: &App, table: &Table, name: &str) -> Result<TableToRead> {
    let found = files::of(app, table).await?;
    let storage = table.input.storage.clone().unwrap_or_default();
    let declared = |column: &Column| {
        (
            column.name.clone(),
            formats::real_type(column).unwrap_or("string").to_owned(),
        )
    };
    let parts = found.parts;
    Ok(TableToRead {
        name: name.to_owned(),
        files: found
            .files
            .into_iter()
            .map(|file| FileOfTable {
                object: ObjectToRead::of(&file.bucket, file.object),
                partition: parts[file.part].values.clone(),
            })
            .collect(),
        columns: storage.columns.iter().map(declared).collect(),
        as_declared: true,
        csv: formats::csv_dialect(&table.input.parameters, &storage),
        null: formats::null_text(&table.input.parameters, &storage),
        strict: false,
    })
}
