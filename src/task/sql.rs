//! SQL in the child, by DataFusion: a job's script with its output, and queries.

use std::collections::VecDeque;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::TableReference;
use datafusion::error::DataFusionError;
use datafusion::execution::context::SQLOptions;
use datafusion::prelude::{DataFrame, SessionContext};
use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::sqlparser::ast::Statement as Ast;
use futures::{Stream, StreamExt};

use super::arrow_types::to_hive;
use super::children::Means;
use super::failure::failure;
use super::rows::Rows;
use super::session::context;
use super::sink::FileSink;
use super::speech::{ask, log, say};
use super::{Message, QueryWork, ScriptWork, Tables, Written, read};
use crate::buckets::Buckets;
use crate::error::{Error, Result};
use crate::model::run::LogLevel;

/// The longest script, in bytes.
const MAX_SQL_BYTES: usize = 1 << 20;
/// Rows between two lines of progress in the log.
const PROGRESS_ROWS: u64 = 1_000_000;
/// Batches that a partition computes before its turn to be written.
const BATCHES_AHEAD: usize = 4;

/// Runs a job's script and uploads its result.
pub(super) async fn run_script(buckets: Buckets, work: ScriptWork, means: &Means) -> Result<Written> {
    let ctx = context(means)?;
    let script = script(&work.sql)?;
    let names: Vec<String> = work.tables.iter().map(|table| table.name.clone()).collect();
    let tables = read::register(&ctx, &buckets, work.tables).await?;
    let rows_in = tables.rows();
    for (name, rows) in names.iter().zip(&rows_in) {
        let counted: u64 = rows.iter().flatten().sum();
        log(
            LogLevel::Info,
            format!("{name}: {counted} rows in {}", files(rows.len())),
        );
    }
    for (name, statement) in script.views {
        let view = plan(&ctx, statement).await?.into_view();
        let taken = ctx.register_table(TableReference::bare(name.clone()), view);
        if taken.is_err() {
            return Err(
                Error::invalid(format!("there is a table {name} already")).hint("give the view another name")
            );
        }
    }
    let frame = plan(&ctx, script.last).await?;
    let schema: SchemaRef = Arc::new(frame.schema().as_arrow().clone());
    let mut sinks = work
        .uploads
        .into_iter()
        .map(|upload| FileSink::begin(buckets.clone(), upload, work.format, &work.csv, &schema))
        .collect::<Result<Vec<_>>>()?;
    let mut stream = in_order(frame).await?;
    let (mut written, mut turn) = (0, 0);
    while let Some(batch) = stream.next().await {
        let batch = batch.map_err(|cause| failure(&cause))?;
        let count = sinks.len();
        let sink = sinks
            .get_mut(turn % count)
            .ok_or_else(|| Error::internal("a script has nowhere to write to"))?;
        turn += 1;
        let before = written;
        written += batch.num_rows() as u64;
        sink.write(batch).await?;
        if written / PROGRESS_ROWS > before / PROGRESS_ROWS {
            log(LogLevel::Info, format!("{written} rows so far"));
        }
    }
    for line in tables.remarks() {
        log(LogLevel::Warn, line);
    }
    let mut done = Written {
        columns: columns(&schema),
        rows_in,
        files: Vec::new(),
    };
    for sink in sinks {
        done.files.push(sink.finish().await?);
    }
    log(
        LogLevel::Info,
        format!("{written} rows written to {}", files(done.files.len())),
    );
    Ok(done)
}

/// The result's batches, partition after partition, so that the same inputs give the same bytes. Partitions whose turn
/// hasn't come work ahead as far as their queues reach.
async fn in_order(
    frame: DataFrame,
) -> Result<impl Stream<Item = Result<RecordBatch, DataFusionError>> + Unpin> {
    let partitions = frame
        .execute_stream_partitioned()
        .await
        .map_err(|cause| failure(&cause))?;
    let ahead = partitions.into_iter().map(|mut partition| {
        let (sender, receiver) = tokio::sync::mpsc::channel(BATCHES_AHEAD);
        tokio::spawn(async move {
            while let Some(batch) = partition.next().await {
                if sender.send(batch).await.is_err() {
                    return;
                }
            }
        });
        receiver
    });
    let receivers: Vec<_> = ahead.collect();
    let batches = |mut receiver: tokio::sync::mpsc::Receiver<_>| {
        futures::stream::poll_fn(move |context| receiver.poll_recv(context))
    };
    Ok(futures::stream::iter(receivers.into_iter().map(batches)).flatten())
}

/// Answers a query: says its columns, and then its rows as they come.
pub(super) async fn run_query(buckets: Buckets, work: QueryWork, means: &Means) -> Result<Message> {
    let ctx = context(means)?;
    let statement = query(&work.sql)?;
    let (tables, _) = datafusion::sql::resolve::resolve_table_references(&statement, true)
        .map_err(|cause| failure(&cause))?;
    let names: Vec<String> = tables.iter().map(|table| table.to_string()).collect();
    let tables = match names.is_empty() {
        true => Vec::new(),
        false => {
            let answer: Tables = ask(&Message::NeedTables { names }).await?;
            if let Some(missing) = answer.missing {
                return Err(missing.into());
            }
            answer.tables
        }
    };
    let tables = read::register(&ctx, &buckets, tables).await?;
    let frame = plan(&ctx, statement).await?;
    let frame = frame
        .limit(0, Some(work.limit.saturating_add(1)))
        .map_err(|cause| failure(&cause))?;
    let schema: SchemaRef = Arc::new(frame.schema().as_arrow().clone());
    say(&Message::Columns {
        columns: columns(&schema),
    });
    let mut stream = frame.execute_stream().await.map_err(|cause| failure(&cause))?;
    let mut rows = Rows::begin(&work, schema, means.limits.memory_bytes);
    let mut truncated = false;
    while let Some(batch) = stream.next().await {
        let batch = batch.map_err(|cause| failure(&cause))?;
        truncated = !rows.write(&batch)?;
        if truncated {
            break;
        }
    }
    Ok(Message::End {
        rows: rows.finish(),
        truncated,
        remarks: tables.remarks(),
    })
}

/// What a script is: views, each of which may use those before it, and the SELECT whose result is its own.
struct Script {
    views: Vec<(String, Statement)>,
    last: Statement,
}

fn statements(sql: &str) -> Result<VecDeque<Statement>> {
    if sql.len() > MAX_SQL_BYTES {
        return Err(Error::limit(format!(
            "the SQL has {} bytes, and {MAX_SQL_BYTES} are allowed",
            sql.len()
        )));
    }
    DFParserBuilder::new(sql)
        .build()
        .and_then(|mut parser| parser.parse_statements())
        .map_err(|cause| failure(&cause))
}

/// Reads a query, which must be one SELECT: nothing else has a result.
fn query(sql: &str) -> Result<Statement> {
    let mut statements = statements(sql)?;
    let last = statements.pop_back();
    match (last, statements.is_empty()) {
        (Some(last), true) => select(last, "write one SELECT"),
        (None, _) => Err(Error::invalid("the SQL is empty").hint("write one SELECT")),
        (Some(_), false) => {
            Err(Error::invalid("the SQL has more than one statement").hint("write one SELECT"))
        }
    }
}

/// Reads a job's script: `CREATE TEMP VIEW` as often as it likes, then one SELECT.
fn script(sql: &str) -> Result<Script> {
    let mut statements = statements(sql)?;
    let last = statements.pop_back();
    let last = last.ok_or_else(|| Error::invalid("the SQL is empty").hint("write one SELECT"))?;
    Ok(Script {
        views: statements.into_iter().map(view).collect::<Result<_>>()?,
        last: select(
            last,
            "end with one SELECT; where its result goes is said in job.toml",
        )?,
    })
}

fn select(statement: Statement, hint: &str) -> Result<Statement> {
    match statement {
        Statement::Statement(ast) if matches!(*ast, Ast::Query(_)) => Ok(Statement::Statement(ast)),
        _ => Err(Error::invalid("the SQL is not a query").hint(hint)),
    }
}

/// A view's name, folded as SQL folds it, and its query.
fn view(statement: Statement) -> Result<(String, Statement)> {
    let text = statement.to_string();
    let refused = || {
        let shown: String = text.chars().take(60).collect();
        Error::invalid(format!(
            "the SQL has more than one statement, and '{shown}' is not CREATE TEMP VIEW name AS SELECT"
        ))
        .hint("all but the last SELECT are views, by which the later ones name them")
    };
    let Statement::Statement(ast) = statement else {
        return Err(refused());
    };
    let Ast::CreateView(view) = *ast else {
        return Err(refused());
    };
    let name = match &view.name.0[..] {
        [part] if !view.materialized && view.columns.is_empty() => part.as_ident().cloned(),
        _ => None,
    };
    let name = name.ok_or_else(refused)?;
    let name = match name.quote_style {
        Some(_) => name.value,
        None => name.value.to_lowercase(),
    };
    Ok((name, Statement::Statement(Box::new(Ast::Query(view.query)))))
}

async fn plan(ctx: &SessionContext, statement: Statement) -> Result<DataFrame> {
    let options = SQLOptions::new()
        .with_allow_ddl(false)
        .with_allow_dml(false)
        .with_allow_statements(false);
    let plan = ctx.state().statement_to_plan(statement).await;
    let plan = plan.map_err(|cause| failure(&cause))?;
    options.verify_plan(&plan).map_err(|cause| failure(&cause))?;
    ctx.execute_logical_plan(plan)
        .await
        .map_err(|cause| failure(&cause))
}

pub(super) fn columns(schema: &SchemaRef) -> Vec<(String, String)> {
    // In the long form a column of nothing but nulls is `void`: that it has no type must not get lost.
    let hive = |field: &Arc<datafusion::arrow::datatypes::Field>| format!("{:#}", to_hive(field.data_type()));
    schema
        .fields()
        .iter()
        .map(|field| (field.name().clone(), hive(field)))
        .collect()
}

fn files(count: usize) -> String {
    if count == 1 {
        "1 file".to_owned()
    } else {
        format!("{count} files")
    }
}
