//! What goes into a classification and what comes out of it: the sample of an object, the verdict on it, and the error
//! that stands in for one.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::DataType;
use crate::custom::CsvSerde;
use crate::grok::LinesVerdict;
use crate::json::JsonVerdict;
use crate::xml::XmlVerdict;

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
/// Serialises as one line of `mastic infer --output json` without the path. A column that held nothing but nulls
/// serialises as `void`, so that a later merge with another file can still give it a type;
/// [`Verdict::concrete`] turns those into `string` for people and catalogs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// How many data rows were looked at.
    pub rows_sampled: u64,
    /// Mean length of a sampled row in uncompressed bytes, its line end included. Text formats only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub average_row_bytes: Option<f64>,
    /// The exact number of rows, where the file itself says it (Parquet, ORC) or the sample was the whole file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row_count: Option<u64>,
    /// How to read it, when it is CSV.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csv: Option<CsvDialect>,
    /// Whether some field of a row, its header aside, is in quotes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub quoted: bool,
    /// The SerDe that a custom classifier asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csv_serde: Option<CsvSerde>,
    /// The cells of the first record of a CSV of text alone, where only their looks say whether they are names. When
    /// several files of a table begin with the same cells, they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_record: Option<Vec<String>>,
    /// The cells of the record after it: where that is the same in several files too, they are snapshots of one table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_record: Option<Vec<String>>,
    /// How its documents are laid out, when it is JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json: Option<JsonLayout>,
    /// Where in its documents the rows are, when a custom JSON classifier says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json_path: Option<String>,
    /// How to read it, when it is Avro.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avro: Option<AvroLayout>,
    /// How to read it, when it is XML.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub xml: Option<XmlLayout>,
    /// How to read it, when its lines match a grok pattern.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grok: Option<GrokLayout>,
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
            csv: None,
            quoted: false,
            csv_serde: None,
            first_record: None,
            second_record: None,
            json: None,
            json_path: None,
            avro: None,
            xml: None,
            grok: None,
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

    /// Takes over what was found as JSON.
    pub(crate) fn accept_json(&mut self, json: JsonVerdict, classifier: &str, whole: bool) {
        self.set_rows(json.rows, json.row_bytes, whole);
        self.classification = "json".to_owned();
        self.classifier = classifier.to_owned();
        self.certainty = json.certainty;
        self.json = Some(json.layout);
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
        self.xml = Some(xml.layout);
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
        self.grok = Some(layout);
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

/// How to read a CSV file.
///
/// A reader skips `skip_lines` physical lines, then every line that starts with `comment`, then (when `header`) one
/// record of names, then `skip_after_header` records; it leaves out the last `skip_footer` records. Blank lines are not
/// records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CsvDialect {
    /// One character, or a few: `||`.
    pub delimiter: String,
    /// One character; `null` when quotes are ordinary text in this file.
    pub quote: Option<String>,
    /// One character; `null` when a quote inside quotes is doubled. Where there are no quotes, it takes delimiters and itself
    /// for text (Hive's `escape.delim`).
    pub escape: Option<String>,
    /// Lines that start with this character are not data.
    pub comment: Option<String>,
    /// Whether the first record holds the column names.
    pub header: bool,
    /// Physical lines before the header or first record, comment lines included.
    pub skip_lines: u64,
    /// Records below the header that are not data: dashes that SQL shells draw, units, types.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub skip_after_header: u64,
    /// Records at the end that are not data: `(3 rows)`, sources and notes.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub skip_footer: u64,
    /// `\n`, `\r\n` or `\r`.
    pub line_terminator: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Default for CsvDialect {
    /// RFC 4180 with a header, and `\n`.
    fn default() -> Self {
        CsvDialect {
            delimiter: ",".to_owned(),
            quote: Some("\"".to_owned()),
            escape: None,
            comment: None,
            header: true,
            skip_lines: 0,
            skip_after_header: 0,
            skip_footer: 0,
            line_terminator: "\n".to_owned(),
        }
    }
}

/// How JSON documents make rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JsonLayout {
    /// One object a line.
    Lines,
    /// One array; each element is a row.
    Array,
    /// Objects one after another, some of them over several lines or sharing one.
    Concatenated,
}

/// What a reader of an Avro file wants to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AvroLayout {
    /// The schema as JSON, as the file holds it: Hive's and Glue's `avro.schema.literal`.
    pub schema: String,
    /// How the blocks are compressed: `null`, `deflate`, `snappy`, `zstandard`, `bzip2`, `xz`, or a name of the
    /// writer's own.
    pub codec: String,
}

/// How XML elements make rows. Attributes become fields whose names start with `_`, and the text of an element that has
/// attributes or children becomes its field `_VALUE`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct XmlLayout {
    /// The name of the element that is a row, with its prefix if it has one: Glue's `rowTag`.
    pub row_tag: String,
}

/// How lines make rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrokLayout {
    /// Glue's `grokPattern`, and `input.format` of its SerDe.
    pub pattern: String,
    /// Patterns that `pattern` uses beside the built-in ones, a name and a regular expression a line: Glue's
    /// `input.grokCustomPatterns`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_patterns: Option<String>,
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
