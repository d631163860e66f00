//! The child process that touches data bytes.
//!
//! Reading an object's bytes and planning a user's SQL can abort a process, and an abort can't be caught. So each crawl's
//! classification, each run and each query happens in `mastic task`: its [`Spec`] comes on stdin, [`Message`]s go out on
//! stdout, one JSON document a line, under limits on address space and CPU. A child that dies fails its own task with a
//! clear error and nothing else. It holds no lease and writes nothing that is visible: what it uploads stays incomplete
//! until the server completes it.
//!
//! Nothing here grows with what a child says: a line has a limit, and the rows of a query come in pieces of text that the
//! server passes on without reading them. [`Children`] holds how many children there may be at once.

mod arrow_types;
pub mod child;
mod children;
mod classify;
mod csv_encoder;
mod csv_values;
mod delta;
mod door;
mod failure;
mod gather;
mod iceberg;
mod inventory;
mod judge;
mod parent;
mod process;
mod processes;
mod ranges;
mod read;
mod rows;
mod session;
mod sink;
mod speech;
mod spill;
mod sql;
mod wire;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use classifiers::{CustomClassifier, Format, Layout, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::buckets::{Access, ObjectMeta, UploadedPart};
use crate::error::{Error, ErrorKind};
use crate::model::output::{CsvOptions, OutputFormat};
use crate::model::run::{LogLevel, Usage};

use spill::Spill;

pub use children::Children;
pub use parent::{Child, Limits};
pub use process::{Copied, Placed, Program, is_enforced};

/// What a child is to do.
#[derive(Debug, Serialize, Deserialize)]
pub struct Spec {
    /// The work.
    pub work: Work,
    /// How it reaches the object stores.
    pub access: Option<Access>,
    /// What it may use.
    pub limits: Limits,
}

/// What is on a child's first line.
#[derive(Serialize)]
struct Handed<'a> {
    spec: &'a Spec,
    spill: Option<Spill>,
}

/// The same on the child's side.
#[derive(Deserialize)]
struct Assignment {
    spec: Spec,
    spill: Option<Spill>,
}

/// The kinds of work.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "work", rename_all = "snake_case")]
pub enum Work {
    /// Say what files are.
    Classify {
        /// The files; answers name them by their place here.
        files: Vec<FileToClassify>,
        /// Classifiers that are asked before the built-in ones, in their order.
        #[serde(default)]
        custom: Vec<CustomClassifier>,
    },
    /// Say which objects an S3 Inventory lists.
    Inventory {
        /// Its manifest.
        manifest: ObjectToRead,
        /// The bucket whose inventory it is.
        bucket: String,
    },
    /// Say what an Iceberg table's metadata file says of the table as it is now.
    IcebergMetadata {
        /// The file.
        file: ObjectToRead,
    },
    /// Run a job's script and upload its result.
    Script(ScriptWork),
    /// Answer a query; the tables that it names are asked for.
    Query(QueryWork),
    /// Make what a script wrote by itself the files of an output.
    Gather(GatherWork),
    /// Run a program to its end, and whatever it starts.
    Run(Program),
    /// Become a program: what [`Work::Run`] starts.
    Become(Placed),
}

/// A query, and how much of an answer is wanted.
#[derive(Debug, Serialize, Deserialize)]
pub struct QueryWork {
    /// One SELECT.
    pub sql: String,
    /// The most rows that are given back.
    pub limit: usize,
    /// The most bytes that they may have as text.
    pub max_bytes: u64,
    /// How they are written.
    pub form: RowForm,
}

/// How the rows of a result are written: each is a JSON array of its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowForm {
    /// With a comma between two of them.
    Listed,
    /// Each on a line.
    Lines,
}

/// A file to be classified.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
pub enum FileToClassify {
    /// An object.
    Object(ObjectToRead),
    /// The metadata file of an Iceberg table: its columns are the table's.
    IcebergMetadata(ObjectToRead),
    /// The log of a Delta Lake table: its columns are the table's.
    DeltaLog(DeltaLog),
    /// A file of this machine; for `mastic infer` alone.
    Local {
        /// Its path.
        path: String,
    },
}

/// What of a Delta Lake table's log tells of its columns.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeltaLog {
    /// The commits behind its last checkpoint, the newest first.
    pub commits: Vec<ObjectToRead>,
    /// The parts of its last checkpoint; none where it has none.
    pub checkpoint: Vec<ObjectToRead>,
}

/// One object, in one version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectToRead {
    /// The bucket.
    pub bucket: String,
    /// The raw key.
    pub key: String,
    /// The entity tag of the version that is read; no other is.
    pub etag: String,
    /// Size in bytes.
    pub size: u64,
    /// When it was written.
    pub last_modified: DateTime<Utc>,
}

impl ObjectToRead {
    /// Where it is, as people write it: `s3://bucket/key`.
    pub fn path(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.key)
    }

    /// The version of an object that a listing showed.
    pub fn of(bucket: &str, object: ObjectMeta) -> Self {
        Self {
            bucket: bucket.to_owned(),
            key: object.key,
            etag: object.etag,
            size: object.size,
            last_modified: object.last_modified,
        }
    }
}

/// A job's script with all that it needs.
#[derive(Debug, Serialize, Deserialize)]
pub struct ScriptWork {
    /// One SELECT.
    pub sql: String,
    /// The tables that it may name.
    pub tables: Vec<TableToRead>,
    /// What the files are that are written.
    pub format: OutputFormat,
    /// How CSV is written.
    pub csv: CsvOptions,
    /// An upload for each file that is written, none of them complete.
    pub uploads: Vec<Upload>,
}

/// What a script wrote by itself, and what is to become of it.
#[derive(Debug, Serialize, Deserialize)]
pub struct GatherWork {
    /// The objects that it wrote.
    pub objects: Vec<ObjectToRead>,
    /// The columns, with their types in Hive's spelling, of a result without rows, which there are no objects of.
    pub columns: Vec<(String, String)>,
    /// What the files of the output are.
    pub format: OutputFormat,
    /// How CSV is written.
    pub csv: CsvOptions,
    /// An upload for each of them, none of them complete.
    pub uploads: Vec<Upload>,
}

/// A table made of objects.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TableToRead {
    /// How the SQL names it: `yellow`, or `raw.yellow`.
    pub name: String,
    /// Columns that it has in any case, in order, with their types in Hive's spelling.
    pub columns: Vec<(String, String)>,
    /// Its partition keys, with their types.
    pub keys: Vec<(String, String)>,
    /// It has no other columns; and a value that doesn't fit its type reads as NULL, as Hive has it.
    pub as_declared: bool,
    /// What its files are; files that are something else are left out.
    pub format: Option<Format>,
    /// Whether a row of CSV with other than the file's number of fields is an error.
    pub strict: bool,
    /// About how many rows it has, where that is known: the smaller side of a join is kept in memory.
    pub rows: Option<u64>,
    /// What it is made of.
    pub files: FilesToRead,
}

/// The files of a table.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FilesToRead {
    /// These are all.
    Given(FilesPage),
    /// They are asked for when the table is read: [`Message::NeedFiles`].
    Asked,
}

impl FilesToRead {
    /// Objects of no partition.
    pub fn whole(objects: impl IntoIterator<Item = ObjectToRead>) -> Self {
        let whole = |object| FileOfTable {
            object,
            part: 0,
            look: None,
        };
        Self::Given(FilesPage {
            parts: vec![PartToRead::default()],
            files: objects.into_iter().map(whole).collect(),
            is_last: true,
            ..FilesPage::default()
        })
    }

    /// The files, where they are there already.
    pub fn given(&self) -> &[FileOfTable] {
        match self {
            Self::Given(page) => &page.files,
            Self::Asked => &[],
        }
    }
}

/// Some files of a table.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct FilesPage {
    /// The partitions that they are of.
    pub parts: Vec<PartToRead>,
    /// What crawls saw of them: a verdict, or why there is none.
    pub looks: Vec<Result<Verdict, String>>,
    /// The files, partition by partition.
    pub files: Vec<FileOfTable>,
    /// What is no part of the table though it lies there, and why.
    pub left_out: Vec<String>,
    /// Whether there are no more.
    pub is_last: bool,
}

/// One object of a table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FileOfTable {
    /// The object.
    pub object: ObjectToRead,
    /// The place of its partition on the page.
    pub part: usize,
    /// The place of what a crawl saw of it, where one did.
    pub look: Option<usize>,
}

/// A partition, or all of a table that has none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PartToRead {
    /// The values of the partition keys.
    pub values: BTreeMap<String, String>,
    /// How its files' bytes are rows, where its table's definition says so.
    pub layout: Option<Layout>,
    /// Whether they are read as it says; else each is read as what it is, and what the definition says of the same format
    /// is added: the text for NULL, where the rows are.
    pub as_declared: bool,
    /// What its text files are written in, where that is declared and isn't UTF-8.
    pub encoding: Option<String>,
    /// The names of its columns by their places, where they aren't the table's.
    pub names: Option<Vec<String>>,
}

impl PartToRead {
    /// How its files are read, whatever they are.
    pub fn declared(&self) -> Option<&Layout> {
        self.layout.as_ref().filter(|_| self.as_declared)
    }
}

/// A condition on a partition key: a comparison with a value, or with any of several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeyBound {
    /// The key.
    pub key: String,
    /// How it is compared.
    pub operator: KeyOperator,
    /// As what it is compared.
    pub kind: KeyKind,
    /// With what: one value, or any of several of [`KeyOperator::In`].
    pub values: Vec<String>,
}

/// How a partition key is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyOperator {
    /// It is one of the values.
    In,
    /// It is less than the value.
    Less,
    /// It is at most the value.
    LessOrEqual,
    /// It is more than the value.
    Greater,
    /// It is at least the value.
    GreaterOrEqual,
}

/// As what a partition key is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyKind {
    /// As a text.
    Text,
    /// As a number.
    Number,
    /// As a date, `2022-01-31`.
    Date,
}

/// A multipart upload that was begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// The bucket.
    pub bucket: String,
    /// The raw key.
    pub key: String,
    /// The store's name for the upload.
    pub upload_id: String,
}

/// A line that a child says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "snake_case")]
pub enum Message {
    /// It begins to look at a file: where it dies next, this file was the cause.
    Looking {
        /// The file's place.
        file: usize,
    },
    /// What a file is.
    Classified {
        /// The file's place.
        file: usize,
        /// Bytes that were read of it.
        bytes_read: u64,
        /// What it is, or why that can't be said.
        verdict: Result<Box<Verdict>, Failure>,
    },
    /// Objects that an inventory lists.
    Listed {
        /// The next of them.
        objects: Vec<ListedObject>,
    },
    /// What an Iceberg table's metadata file says, but for the table's history.
    IcebergMetadata {
        /// Its members.
        metadata: Map<String, Value>,
    },
    /// A line for the run's log.
    Log {
        /// How much it matters.
        level: LogLevel,
        /// What is said.
        message: String,
    },
    /// The query names these tables: answer with a line of [`Tables`].
    NeedTables {
        /// Their names as the query has them.
        names: Vec<String>,
    },
    /// A scan begins, and asks for the first files: answer with a line of a [`FilesPage`], or a [`Failure`].
    NeedFiles {
        /// The scan's number: a query may read a table twice.
        scan: u64,
        /// The table's place among those that were given.
        table: usize,
        /// Conditions that all have to hold of its partitions; the child tests the rest.
        bounds: Vec<KeyBound>,
    },
    /// A scan asks for its next files, with the same answers.
    MoreFiles {
        /// The scan's number.
        scan: u64,
    },
    /// The columns of a query's result with their types in Hive's spelling; its rows follow.
    Columns {
        /// Name and type of each.
        columns: Vec<(String, String)>,
    },
    /// The next piece of a query's rows. It may end in the middle of one.
    Rows {
        /// How many bytes it has: they follow the line as they are.
        length: usize,
        /// Those bytes.
        #[serde(skip)]
        text: Vec<u8>,
    },
    /// The end of a script: what it wrote.
    Wrote(Box<Written>),
    /// The end of a program: what it used.
    Ran(Usage),
    /// The end of a query's rows.
    End {
        /// How many there were.
        rows: u64,
        /// Whether there are more than were asked for.
        truncated: bool,
        /// What is worth saying of the rows that were read: values that didn't fit, files left out.
        remarks: Vec<String>,
    },
    /// The end of anything else.
    Done,
    /// It went wrong.
    Failed(Failure),
}

/// An object that an inventory lists.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListedObject {
    /// The raw key.
    pub key: String,
    /// The entity tag, without quotes.
    pub etag: String,
    /// Size in bytes.
    pub size: u64,
    /// When it was written, in microseconds since 1970.
    pub modified: i64,
}

/// The answer to [`Message::NeedTables`].
#[derive(Debug, Serialize, Deserialize)]
pub struct Tables {
    /// Those that exist.
    pub tables: Vec<TableToRead>,
    /// What is wrong with the others.
    pub missing: Option<Failure>,
}

/// An [`Error`] on its way between processes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Failure {
    /// What kind of failure.
    pub kind: ErrorKind,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            message: format!("{}{}", error.message, error.causes()),
            kind: error.kind,
            hint: error.hint,
        }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let error = Self::new(failure.kind, failure.message);
        match failure.hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}

/// What a script wrote.
#[derive(Debug, Serialize, Deserialize)]
pub struct Written {
    /// The result's columns with their types in Hive's spelling.
    pub columns: Vec<(String, String)>,
    /// Rows read, by table and file in the order of the spec; absent where it wasn't counted.
    pub rows_in: Vec<Vec<Option<u64>>>,
    /// The files that were uploaded, in the order of the uploads.
    pub files: Vec<WrittenFile>,
}

/// A file that a script uploaded, still incomplete.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenFile {
    /// Its parts.
    pub parts: Vec<UploadedPart>,
    /// Its size in bytes.
    pub size: u64,
    /// Its rows.
    pub rows: u64,
    /// Of CSV: whether a field is in quotes.
    #[serde(default)]
    pub quoted: bool,
}
