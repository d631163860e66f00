//! What goes into a classification and what comes out of it: the sample of an object, the verdict on it, and the error
//! that stands in for one.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::grok::LinesVerdict;
use crate::json::JsonVerdict;
use crate::xml::XmlVerdict;
use crate::{CsvLayout, DataType, GrokLayout, JsonLayout, Layout};

/// The part of an object that a classification may look at. The caller does the reading.
#[derive(Debug, Clone, Copy)]
pub struct Sample<'a> {
    /// The key or path. Only ever a hint: the content decides.
    pub name: &'a str,
    /// The size of the whole object, in bytes as stored.
    pub size: u64,
    /// The first bytes as stored (perhaps compressed): about 1 MiB, or the whole object where it is smaller.
    pub head: &'a [u8],
    /// The last bytes as stored. May be empty, and may overlap `head`. Only formats with a footer (Parquet, ORC, ZIP) look at it.
    pub tail: &'a [u8],
}

impl Sample<'_> {
    /// Whether `head` is the whole object.
    pub fn is_whole(&self) -> bool {
        self.head.len() as u64 >= self.size
    }
}

/// What [`classify`](crate::classify) answers.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The object was judged.
    Verdict(Box<Verdict>),
    /// Call again with at least this many of the object's last bytes in [`Sample::tail`]. Never more than 16 MiB.
    NeedTail(u64),
}

/// What an object is and which columns it has, with the reasons.
///
/// Serialises as one line of `mastic infer --output json` without the path (`written.rs`). A column that held nothing but nulls
/// serialises as `void`, so that a later merge with another file can still give it a type;
/// [`Verdict::concrete`] turns those into `string` for people and catalogs.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// `avro`, `orc`, `parquet`, `json`, `xml`, `csv`, one of the log formats (`combined_apache`, `apache`,
    /// `linux_kernel`, `microsoft_log`, `ruby_logger`, `squid`, `redismonlog`, `redislog`), what a custom classifier
    /// calls it, or `UNKNOWN`.
    pub classification: String,
    /// From 0 (nothing is known) to 1 (certain).
    pub certainty: f64,
    /// The classifier that decided: the name of a custom one, else the classification. Empty for `UNKNOWN`.
    pub classifier: String,
    /// How the whole object is compressed. The codecs inside of Parquet, ORC and Avro don't count.
    pub compression: Compression,
    /// The text encoding, for text, in lower case: `utf-8`, `utf-16le`, `iso-8859-1`, `windows-1251`, `shift_jis`, ….
    /// [`TextDecoder`](crate::TextDecoder) turns it into UTF-8.
    pub encoding: Option<String>,
    /// How many data rows were looked at.
    pub rows_sampled: u64,
    /// Mean length of a sampled row in uncompressed bytes, its line end included. Text formats only.
    pub average_row_bytes: Option<f64>,
    /// The exact number of rows, where the file itself says it (Parquet, ORC) or the sample was the whole file.
    pub row_count: Option<u64>,
    /// How its bytes are rows, where that is known: of text that no classifier recognises, and of the tables of table formats,
    /// it is not.
    pub layout: Option<Layout>,
    /// The columns in file order, named as the file names them.
    pub columns: Vec<Column>,
    /// Why, in sentences for people.
    pub reasons: Vec<String>,
}

impl Verdict {
    /// The verdict on a table of a table format, `iceberg` or `delta`, whose metadata names its columns.
    pub fn of_table(format: &str, columns: Vec<Column>) -> Verdict {
        Verdict {
            classification: format.to_owned(),
            certainty: 1.0,
            classifier: format.to_owned(),
            columns,
            ..Verdict::unknown(Compression::None, Vec::new())
        }
    }

    /// The verdict on something that no classifier recognises.
    pub(crate) fn unknown(compression: Compression, reasons: Vec<String>) -> Verdict {
        Verdict {
            classification: "UNKNOWN".to_owned(),
            certainty: 0.0,
            classifier: String::new(),
            compression,
            encoding: None,
            rows_sampled: 0,
            average_row_bytes: None,
            row_count: None,
            layout: None,
            columns: Vec::new(),
            reasons,
        }
    }

    /// Notes how many rows a text sample held, and how long they were.
    pub(crate) fn set_rows(&mut self, rows: u64, bytes: u64, whole: bool) {
        self.rows_sampled = rows;
        self.average_row_bytes = (rows > 0).then(|| bytes as f64 / rows as f64);
        self.row_count = whole.then_some(rows);
    }

    /// What it is as CSV, where it is that.
    pub fn csv(&self) -> Option<&CsvLayout> {
        match &self.layout {
            Some(Layout::Csv(csv)) => Some(csv),
            _ => None,
        }
    }

    /// Takes over what was found as JSON; `path` is where a custom classifier says that the rows are.
    pub(crate) fn accept_json(
        &mut self,
        json: JsonVerdict,
        path: Option<&str>,
        classifier: &str,
        whole: bool,
    ) {
        self.set_rows(json.rows, json.row_bytes, whole);
        self.classification = "json".to_owned();
        self.classifier = classifier.to_owned();
        self.certainty = json.certainty;
        self.layout = Some(Layout::Json(JsonLayout {
            path: path.map(str::to_owned),
            ..json.documents.into()
        }));
        self.columns = json.columns;
        self.reasons.extend(json.reasons);
    }

    /// Takes over what was found as XML.
    pub(crate) fn accept_xml(
        &mut self,
        xml: XmlVerdict,
        classification: &str,
        classifier: &str,
        whole: bool,
    ) {
        self.set_rows(xml.rows, xml.row_bytes, whole);
        self.classification = classification.to_owned();
        self.classifier = classifier.to_owned();
        self.certainty = xml.certainty;
        self.layout = Some(Layout::Xml(xml.layout));
        self.columns = xml.columns;
        self.reasons.extend(xml.reasons);
    }

    /// Takes over what was found by a grok pattern.
    pub(crate) fn accept_lines(
        &mut self,
        lines: LinesVerdict,
        layout: GrokLayout,
        classification: &str,
        classifier: &str,
        whole: bool,
    ) {
        self.set_rows(lines.matching, lines.bytes, whole && lines.all);
        self.classification = classification.to_owned();
        self.classifier = classifier.to_owned();
        self.certainty = lines.share();
        self.reasons.push(lines.reason());
        self.layout = Some(Layout::Grok(layout));
        self.columns = lines.columns;
    }

    /// The same verdict with every type one that a catalog can hold: see [`DataType::concrete`].
    pub fn concrete(mut self) -> Verdict {
        for column in &mut self.columns {
            column.data_type = std::mem::replace(&mut column.data_type, DataType::Null).concrete();
        }
        self
    }
}

/// How a whole object is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip, one member or several.
    Gzip,
    /// bzip2, one stream or several.
    Bzip2,
    /// zstd, one frame or several.
    Zstd,
    /// Snappy's own framing format.
    Snappy,
    /// Snappy as Hadoop's `SnappyCodec` writes it: recognised by the extension `.snappy` and the first block.
    HadoopSnappy,
    /// LZ4's own frame format.
    Lz4,
    /// LZ4 as Hadoop's `Lz4Codec` writes it: recognised by the extension `.lz4` and the first block.
    HadoopLz4,
    /// A ZIP archive of one file.
    Zip,
}

impl Compression {
    /// Glue's name for it, as in the table parameter `compressionType`. Glue has none for zstd; `zstd` is used.
    pub fn glue_name(self) -> &'static str {
        match self {
            Compression::None => "none",
            Compression::Gzip => "gzip",
            Compression::Bzip2 => "bzip2",
            Compression::Zstd => "zstd",
            Compression::Snappy | Compression::HadoopSnappy => "snappy",
            Compression::Lz4 | Compression::HadoopLz4 => "lz4",
            Compression::Zip => "zip",
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Compression::HadoopSnappy => "Hadoop's Snappy",
            Compression::HadoopLz4 => "Hadoop's lz4",
            Compression::Snappy => "Snappy",
            Compression::Zip => "ZIP",
            other => other.glue_name(),
        })
    }
}

/// A column, and why it has its type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// As written in the file, made unique.
    pub name: String,
    /// The type; `void` in serialised form where nothing but nulls was seen.
    #[serde(rename = "type")]
    pub data_type: DataType,
    /// Whether a null was seen, or the file's schema allows one.
    pub nullable: bool,
    /// What decided the type, with counts.
    pub reason: String,
}

/// The result of reading a whole file with a scanner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scanned {
    /// The columns in file order.
    pub columns: Vec<Column>,
    /// The number of data rows.
    pub rows: u64,
}

/// What kept an object from being judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassifyErrorKind {
    /// It has no bytes.
    Empty,
    /// It ends before it should.
    Truncated,
    /// Its own structure contradicts itself.
    Malformed,
    /// It is well formed but uses something that isn't supported, such as encryption.
    Unsupported,
    /// It goes beyond a limit.
    TooLarge,
}

impl fmt::Display for ClassifyErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ClassifyErrorKind::Empty => "empty",
            ClassifyErrorKind::Truncated => "truncated",
            ClassifyErrorKind::Malformed => "malformed",
            ClassifyErrorKind::Unsupported => "unsupported",
            ClassifyErrorKind::TooLarge => "too_large",
        })
    }
}

/// Why an object could not be judged, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassifyError {
    /// The sort of problem.
    pub kind: ClassifyErrorKind,
    /// What is wrong, and what to do.
    pub message: String,
}

impl ClassifyError {
    pub(crate) fn new(kind: ClassifyErrorKind, message: impl Into<String>) -> Self {
        ClassifyError {
            kind,
            message: message.into(),
        }
    }
}

impl fmt::Display for ClassifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ClassifyError {}
