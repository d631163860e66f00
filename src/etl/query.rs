//! Queries over catalogued tables, each in a child of its own. Rows are passed on as they come, and never read here.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc;

use super::reading::{Pages, Readable};
use crate::app::App;
use crate::catalog::tables;
use crate::error::{Error, ErrorKind, Result};
use crate::model::name::TableRef;
use crate::task::{
    Child, Failure, FilesPage, FilesToRead, KeyBound, Limits, Message, QueryWork, Spec, TableToRead, Tables,
    Work,
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
    /// What is worth saying of the rows that were read.
    pub remarks: Vec<String>,
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
        /// What is worth saying of the rows that were read: values that didn't fit, files left out.
        remarks: Vec<String>,
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
    let mut answering = Answering {
        app: app.clone(),
        tables: Vec::new(),
        scans: HashMap::new(),
    };
    let mut columns = Vec::new();
    let first = loop {
        let message = child.next().await?;
        match answering.answer(&mut child, message).await? {
            Some(Message::Columns { columns: said }) => columns = said,
            Some(message) => {
                if let Some(part) = part_of(message)? {
                    break part;
                }
            }
            None => {}
        }
    };
    let rest = matches!(first, Part::Rows(_)).then(|| {
        let (sender, receiver) = mpsc::channel(PIECES_AHEAD);
        tokio::spawn(pass_on(child, answering, sender));
        receiver
    });
    Ok(Answer {
        columns,
        first: Some(first),
        rest,
    })
}

/// Passes a child's rows on as fast as they are taken. It ends with the child, or when nobody takes them any more.
async fn pass_on(mut child: Child, mut answering: Answering, parts: mpsc::Sender<Result<Part>>) {
    loop {
        let part = tokio::select! {
            part = next_part(&mut child, &mut answering) => part,
            () = parts.closed() => return,
        };
        let is_last = !matches!(part, Ok(Part::Rows(_)));
        let taken = parts.send_timeout(part, READER_PATIENCE).await;
        if is_last || taken.is_err() {
            return;
        }
    }
}

async fn next_part(child: &mut Child, answering: &mut Answering) -> Result<Part> {
    loop {
        let message = child.next().await?;
        if let Some(message) = answering.answer(child, message).await?
            && let Some(part) = part_of(message)?
        {
            return Ok(part);
        }
    }
}

fn part_of(message: Message) -> Result<Option<Part>> {
    match message {
        Message::Rows { text, .. } => Ok(Some(Part::Rows(text))),
        Message::End {
            rows,
            truncated,
            remarks,
        } => Ok(Some(Part::End {
            rows,
            truncated,
            remarks,
        })),
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
    let (truncated, remarks) = loop {
        match answer.next().await? {
            Part::Rows(piece) => text.extend_from_slice(&piece),
            Part::End {
                truncated, remarks, ..
            } => break (truncated, remarks),
        }
    };
    text.push(b']');
    let rows = serde_json::from_slice(&text)
        .map_err(|cause| Error::internal("a result can't be understood").source(cause))?;
    Ok(QueryResult {
        columns: answer.columns,
        rows,
        truncated,
        remarks,
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

/// What a query's child asks, and what it was told.
struct Answering {
    app: App,
    /// The tables that the query names, by their places.
    tables: Vec<Readable>,
    /// The scans that have begun.
    scans: HashMap<u64, Pages>,
}

impl Answering {
    /// Answers a question of the child; gives back what is none.
    async fn answer(&mut self, child: &mut Child, message: Message) -> Result<Option<Message>> {
        match message {
            Message::NeedTables { names } => {
                let answer = self.tables_called(&names).await?;
                child.say(&answer).await?;
            }
            Message::NeedFiles { scan, table, bounds } => {
                let page = self.first_files(scan, table, &bounds).await;
                child.say(&page.map_err(Failure::from)).await?;
            }
            Message::MoreFiles { scan } => {
                let page = self.more_files(scan).await;
                child.say(&page.map_err(Failure::from)).await?;
            }
            other => return Ok(Some(other)),
        }
        Ok(None)
    }

    async fn first_files(&mut self, scan: u64, table: usize, bounds: &[KeyBound]) -> Result<FilesPage> {
        let readable = self
            .tables
            .get(table)
            .ok_or_else(|| Error::internal("a query asks for the files of a table that it doesn't name"))?;
        let pages = readable.clone().pages(&self.app, bounds)?;
        self.scans.insert(scan, pages);
        self.more_files(scan).await
    }

    async fn more_files(&mut self, scan: u64) -> Result<FilesPage> {
        let pages = self
            .scans
            .get_mut(&scan)
            .ok_or_else(|| Error::internal("a query asks for files of a scan that hasn't begun"))?;
        let page = pages.next().await?;
        if page.is_last {
            self.scans.remove(&scan);
        }
        Ok(page)
    }

    async fn tables_called(&mut self, names: &[String]) -> Result<Tables> {
        let mut answer = Tables {
            tables: Vec::new(),
            missing: None,
        };
        for name in names {
            match self.table_called(name).await {
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

    async fn table_called(&mut self, name: &str) -> Result<TableToRead> {
        let unquoted = name.replace('"', "");
        let table = match TableRef::parse(&unquoted) {
            Ok(reference) => tables::get(&self.app, &reference).await?,
            Err(_) => {
                return Err(Error::invalid(format!("'{unquoted}' names no database"))
                    .hint("write tables as database.table"));
            }
        };
        let readable = Readable::of(&self.app, table).await?;
        let definition = readable.definition(&unquoted, FilesToRead::Asked);
        self.tables.push(readable);
        Ok(definition)
    }
}
