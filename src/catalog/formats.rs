//! How each kind of file is written down in the catalog, so that Hive, Spark, Trino and Athena can read it.
//!
//! The class names and parameters are those that Glue's crawlers write (Glue developer guide, "Parameters set on Data
//! Catalog tables by crawler").

use classifiers::{
    CsvDialect, CsvLayout, CsvSerde, Format, JsonDocuments, JsonLayout, Layout, RegexLayout, Verdict,
};

use crate::model::output::CsvOptions;
use crate::model::table::{Column, Parameters, SerdeInfo, StorageDescriptor, TableInput, UPDATED_BY_JOB};

const TEXT_INPUT: &str = "org.apache.hadoop.mapred.TextInputFormat";
const TEXT_OUTPUT: &str = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat";
const PARQUET_INPUT: &str = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat";
const PARQUET_OUTPUT: &str = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat";
const ORC_INPUT: &str = "org.apache.hadoop.hive.ql.io.orc.OrcInputFormat";
const ORC_OUTPUT: &str = "org.apache.hadoop.hive.ql.io.orc.OrcOutputFormat";
const ORC_SERDE: &str = "org.apache.hadoop.hive.ql.io.orc.OrcSerde";
const AVRO_INPUT: &str = "org.apache.hadoop.hive.ql.io.avro.AvroContainerInputFormat";
const AVRO_OUTPUT: &str = "org.apache.hadoop.hive.ql.io.avro.AvroContainerOutputFormat";
const AVRO_SERDE: &str = "org.apache.hadoop.hive.serde2.avro.AvroSerDe";
const GROK_SERDE: &str = "com.amazonaws.glue.serde.GrokSerDe";
/// Hive has none for XML; Glue's ETL reads the row tag. Clients want a SerDe of every table.
const XML_SERDE: &str = "com.ibm.spss.hive.serde2.xml.XmlSerDe";
const LAZY_SERDE: &str = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe";
const MULTI_SERDE: &str = "org.apache.hadoop.hive.contrib.serde2.MultiDelimitSerDe";
const CSV_SERDE: &str = "org.apache.hadoop.hive.serde2.OpenCSVSerde";
const REGEX_SERDE: &str = "org.apache.hadoop.hive.serde2.RegexSerDe";
const JSON_SERDE: &str = "org.openx.data.jsonserde.JsonSerDe";
const PARQUET_SERDE: &str = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe";

/// The parameter that holds the quote character of our own CSV tables.
const QUOTE_CHAR: &str = "quoteChar";
const ESCAPE_CHAR: &str = "escapeChar";
const ESCAPE_DELIM: &str = "escape.delim";
const SEPARATOR_CHAR: &str = "separatorChar";
const FIELD_DELIM: &str = "field.delim";
const INPUT_REGEX: &str = "input.regex";
/// The table parameter that tells where in JSON documents the rows are.
const JSON_PATH: &str = "jsonPath";
const SKIP_HEADER: &str = "skip.header.line.count";
const SKIP_FOOTER: &str = "skip.footer.line.count";
/// How Hive's text SerDes are told of an encoding.
const SERIALIZATION_ENCODING: &str = "serialization.encoding";
/// How Hive's text SerDes are told of the text that stands for NULL.
const NULL_FORMAT: &str = "serialization.null.format";
/// The parameter of a column that holds its real type, where its SerDe knows text alone.
const REAL_TYPE: &str = "mastic.type";

/// What files are, as far as the catalog wants to know.
#[derive(Clone, Debug, PartialEq)]
pub struct FileFormat {
    /// The catalog's `classification`: the format's name, unless a classifier has another for such files.
    pub classification: String,
    /// How their bytes are rows.
    pub layout: Layout,
    /// The character encoding of delimited text, where that isn't UTF-8.
    pub encoding: Option<String>,
}

impl FileFormat {
    /// What a file is, by its verdict; absent where it can't be a table's.
    pub fn of(verdict: &Verdict) -> Option<Self> {
        // No engine reads a table without columns.
        if verdict.columns.is_empty() {
            return None;
        }
        let layout = verdict.layout.clone()?;
        let is_other = |encoding: &String| !matches!(encoding.as_str(), "utf-8" | "ascii");
        let encoding = verdict.encoding.clone().filter(is_other);
        Some(Self {
            classification: verdict.classification.clone(),
            encoding: encoding.filter(|_| layout.format() == Format::Csv),
            layout,
        })
    }

    /// The same as Glue's own crawlers write it: with Hive's plain SerDe, quotes or not, unless a classifier asks for
    /// another.
    #[must_use]
    pub fn as_glue_writes_it(mut self) -> Self {
        if let Layout::Csv(csv) = &mut self.layout {
            csv.quoted = false;
        }
        self.encoding = None;
        self
    }

    /// The storage descriptor of a table or partition of such files.
    pub fn storage(&self, location: String, mut columns: Vec<Column>) -> StorageDescriptor {
        let (input, output, serde) = match &self.layout {
            Layout::Csv(csv) => {
                let mut serde = csv_serde(&csv.dialect, needs_open_csv(csv));
                for (name, value) in [(SERIALIZATION_ENCODING, &self.encoding), (NULL_FORMAT, &csv.null)] {
                    if let Some(value) = value {
                        serde.parameters.insert(name.to_owned(), value.clone());
                    }
                }
                if serde.serialization_library.as_deref() == Some(CSV_SERDE) {
                    columns.iter_mut().for_each(as_text);
                }
                (TEXT_INPUT, TEXT_OUTPUT, serde)
            }
            Layout::Json(_) => {
                let mut names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
                names.sort_unstable();
                (
                    TEXT_INPUT,
                    TEXT_OUTPUT,
                    serde(JSON_SERDE, &[("paths", &names.join(","))]),
                )
            }
            Layout::Parquet => (
                PARQUET_INPUT,
                PARQUET_OUTPUT,
                serde(PARQUET_SERDE, &[("serialization.format", "1")]),
            ),
            Layout::Orc => (
                ORC_INPUT,
                ORC_OUTPUT,
                serde(ORC_SERDE, &[("serialization.format", "1")]),
            ),
            Layout::Avro(avro) => (
                AVRO_INPUT,
                AVRO_OUTPUT,
                serde(
                    AVRO_SERDE,
                    &[
                        ("avro.schema.literal", &avro.schema),
                        ("serialization.format", "1"),
                    ],
                ),
            ),
            Layout::Xml(xml) => (
                TEXT_INPUT,
                TEXT_OUTPUT,
                serde(XML_SERDE, &[("rowTag", &xml.row_tag)]),
            ),
            Layout::Regex(regex) => (
                TEXT_INPUT,
                TEXT_OUTPUT,
                serde(REGEX_SERDE, &[(INPUT_REGEX, &regex.pattern)]),
            ),
            Layout::Grok(grok) => {
                let mut settings = vec![("input.format", grok.pattern.as_str())];
                settings.extend(
                    grok.custom_patterns
                        .as_deref()
                        .map(|custom| ("input.grokCustomPatterns", custom)),
                );
                (TEXT_INPUT, TEXT_OUTPUT, serde(GROK_SERDE, &settings))
            }
        };
        StorageDescriptor {
            columns,
            location: Some(location),
            input_format: Some(input.to_owned()),
            output_format: Some(output.to_owned()),
            compressed: Some(false),
            number_of_buckets: Some(-1),
            serde_info: Some(serde),
            bucket_columns: Some(Vec::new()),
            parameters: Some(Parameters::new()),
            stored_as_sub_directories: Some(false),
            other: serde_json::Map::new(),
        }
    }

    /// The table parameters that tell of the files.
    pub fn parameters(&self) -> Parameters {
        let mut parameters = Parameters::from([
            ("classification".to_owned(), self.classification.clone()),
            ("typeOfData".to_owned(), "file".to_owned()),
        ]);
        let mut set = |key: &str, value: &str| parameters.insert(key.to_owned(), value.to_owned());
        match &self.layout {
            Layout::Json(json) => {
                if let Some(path) = &json.path {
                    set(JSON_PATH, path);
                }
            }
            Layout::Avro(avro) => drop(set("avro.schema.literal", &avro.schema)),
            Layout::Xml(xml) => drop(set("rowTag", &xml.row_tag)),
            Layout::Grok(grok) => drop(set("grokPattern", &grok.pattern)),
            Layout::Csv(csv) => {
                let dialect = &csv.dialect;
                set("delimiter", &dialect.delimiter);
                set("columnsOrdered", "true");
                set("areColumnsQuoted", &needs_open_csv(csv).to_string());
                let skipped = dialect.skip_lines + u64::from(dialect.header) + dialect.skip_after_header;
                if skipped > 0 {
                    set(SKIP_HEADER, &skipped.to_string());
                }
                if dialect.skip_footer > 0 {
                    set(SKIP_FOOTER, &dialect.skip_footer.to_string());
                }
            }
            Layout::Parquet | Layout::Orc | Layout::Regex(_) => {}
        }
        parameters
    }
}

/// Files of which no more is to be said than how their bytes are rows.
impl From<Layout> for FileFormat {
    fn from(layout: Layout) -> Self {
        Self {
            classification: layout.format().as_str().to_owned(),
            layout,
            encoding: None,
        }
    }
}

/// Whether Hive's plain SerDe would leave quotes in the values.
fn needs_open_csv(csv: &CsvLayout) -> bool {
    match csv.serde {
        Some(CsvSerde::OpenCSVSerDe) => true,
        Some(CsvSerde::LazySimpleSerDe) => false,
        Some(CsvSerde::None) | None => csv.quoted,
    }
}

fn serde(library: &str, parameters: &[(&str, &str)]) -> SerdeInfo {
    SerdeInfo {
        name: None,
        serialization_library: Some(library.to_owned()),
        parameters: parameters
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect(),
    }
}

/// Makes a column text, as every column of `OpenCSVSerde` is (Hive's and Trino's documentation, "CSV"); what its values
/// really are is kept beside it, for our own engine and for people.
pub fn as_text(column: &mut Column) {
    const TEXT: &str = "string";
    match &column.data_type {
        Some(real) if real != TEXT => {
            column.parameters.insert(REAL_TYPE.to_owned(), real.clone());
            column.data_type = Some(TEXT.to_owned());
        }
        _ => {}
    }
}

/// What the values of a column are: its type, or what is kept beside that where its SerDe knows text alone.
pub fn real_type(column: &Column) -> Option<&str> {
    let data_type = column.data_type.as_deref();
    let real = column.parameters.get(REAL_TYPE).map(String::as_str);
    // Whoever gave it another type since means it.
    real.filter(|_| data_type == Some("string")).or(data_type)
}

/// The same column with the type that its values are of.
#[must_use]
pub fn as_it_is(column: &Column) -> Column {
    let mut column = Column {
        data_type: real_type(column).map(str::to_owned),
        ..column.clone()
    };
    column.parameters.remove(REAL_TYPE);
    column
}

/// Whether every column of a table is text to its SerDe.
pub fn knows_text_alone(storage: &StorageDescriptor) -> bool {
    let serde = storage.serde_info.as_ref();
    serde.and_then(|serde| serde.serialization_library.as_deref()) == Some(CSV_SERDE)
}

fn csv_serde(dialect: &CsvDialect, quoted: bool) -> SerdeInfo {
    if dialect.delimiter.chars().count() > 1 {
        return serde(MULTI_SERDE, &[(FIELD_DELIM, &dialect.delimiter)]);
    }
    if !quoted {
        return serde(LAZY_SERDE, &[(FIELD_DELIM, &dialect.delimiter)]);
    }
    let quote = dialect.quote.as_deref().unwrap_or("\"");
    let escape = dialect.escape.as_deref().unwrap_or("\\");
    serde(
        CSV_SERDE,
        &[
            (SEPARATOR_CHAR, &dialect.delimiter),
            (QUOTE_CHAR, quote),
            (ESCAPE_CHAR, escape),
        ],
    )
}

/// How a SerDe says that files are read.
#[derive(Clone, Debug, PartialEq)]
pub enum Serde {
    /// As rows of this layout. Of JSON it says one document a line, whatever the files have.
    Rows(Layout),
    /// Something that isn't read here, by its name.
    Other(String),
    /// It doesn't say.
    Unsaid,
}

/// How the files of a table or a partition are read, by the SerDe's class and what the parameters say.
pub fn serde_of(parameters: &Parameters, storage: &StorageDescriptor) -> Serde {
    let serde = storage.serde_info.clone().unwrap_or_default();
    let library = serde.serialization_library.unwrap_or_default();
    let class = library
        .rsplit('.')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let classification = parameters.get("classification").map_or("", String::as_str);
    if let Some(dialect) = csv_dialect(parameters, storage) {
        return Serde::Rows(Layout::Csv(Box::new(CsvLayout {
            dialect,
            null: null_text(parameters, storage),
            ..CsvLayout::default()
        })));
    }
    let names = || {
        let named = serde.parameters.iter();
        let named = named.filter_map(|(key, name)| Some((key.strip_prefix("mapping.")?, name)));
        named
            .map(|(column, name)| (column.to_lowercase(), name.clone()))
            .collect()
    };
    match (class.as_str(), classification) {
        ("regexserde", _) => Serde::Rows(Layout::Regex(RegexLayout {
            pattern: serde.parameters.get(INPUT_REGEX).cloned().unwrap_or_default(),
        })),
        ("parquethiveserde", _) | (_, "parquet") => Serde::Rows(Layout::Parquet),
        ("jsonserde" | "hivejsonserde", _) | (_, "json") => Serde::Rows(Layout::Json(JsonLayout {
            documents: JsonDocuments::Lines,
            path: parameters.get(JSON_PATH).cloned(),
            names: names(),
        })),
        ("orcserde", _) | (_, "orc") => Serde::Other("ORC".to_owned()),
        ("avroserde", _) | (_, "avro") => Serde::Other("Avro".to_owned()),
        ("xmlserde", _) | (_, "xml") => Serde::Other("XML".to_owned()),
        ("grokserde", _) => Serde::Other("log lines".to_owned()),
        ("" | "lazysimpleserde" | "opencsvserde" | "multidelimitserde", "") => Serde::Unsaid,
        (_, "") => Serde::Other(library.clone()),
        (_, other) => Serde::Other(other.to_owned()),
    }
}

/// How a catalogued CSV table is written, out of its parameters and its SerDe's; absent where it is no CSV.
///
/// `LazySimpleSerDe` and `MultiDelimitSerDe` know no quotes, and the former's delimiter is `\u{1}` where none is said;
/// `OpenCSVSerde` has `,`, `"` and the backslash (Hive's documentation, "Hive data definition" and "CSV SerDe"). Files that
/// are read as Glue's classification alone says (no SerDe) have what a `,` file has.
pub fn csv_dialect(parameters: &Parameters, storage: &StorageDescriptor) -> Option<CsvDialect> {
    let serde = storage.serde_info.clone().unwrap_or_default();
    let library = serde.serialization_library.unwrap_or_default();
    let classification = parameters.get("classification").map(String::as_str);
    let is_csv_serde = [LAZY_SERDE, CSV_SERDE, MULTI_SERDE].contains(&library.as_str());
    let is_csv = match classification {
        Some(classification) => classification == "csv",
        None => is_csv_serde,
    };
    if !is_csv {
        return None;
    }
    let setting = |name: &str| serde.parameters.get(name).or_else(|| parameters.get(name));
    let delimiter = setting(FIELD_DELIM)
        .or_else(|| setting(SEPARATOR_CHAR))
        .or_else(|| setting("delimiter"))
        .map(|delimiter| sign(delimiter));
    let default = match (library.as_str(), classification) {
        (LAZY_SERDE, None) => "\u{1}",
        _ => ",",
    };
    let is_plain = matches!(library.as_str(), LAZY_SERDE | MULTI_SERDE);
    let quote = setting(QUOTE_CHAR)
        .cloned()
        .or_else(|| (!is_plain).then(|| "\"".to_owned()));
    let lines = |name: &str| -> u64 { setting(name).and_then(|lines| lines.parse().ok()).unwrap_or(0) };
    // Ours double their quotes, and say a backslash because the class wants one said.
    let is_ours = parameters.contains_key(UPDATED_BY_JOB);
    let plain_escape = is_plain.then(|| setting(ESCAPE_DELIM).map(|escape| sign(escape)));
    let escape = plain_escape
        .as_ref()
        .and_then(Option::as_deref)
        .or_else(|| setting(ESCAPE_CHAR).map(String::as_str))
        .or((library == CSV_SERDE).then_some("\\"));
    let escape = escape.filter(|escape| !(is_ours && *escape == "\\"));
    Some(CsvDialect {
        delimiter: delimiter.unwrap_or_else(|| default.to_owned()),
        quote: quote.filter(|quote| quote.len() == 1),
        escape: escape.filter(|escape| escape.len() == 1).map(str::to_owned),
        comment: None,
        header: setting(SKIP_HEADER).is_some_and(|lines| lines != "0"),
        // The last of the lines that are skipped counts as the header: whatever it says, the names are the catalog's.
        skip_lines: lines(SKIP_HEADER).saturating_sub(1),
        skip_after_header: 0,
        skip_footer: lines(SKIP_FOOTER),
        line_terminator: "\n".to_owned(),
    })
}

/// A sign as Hive writes it: itself, an escape (`\t`, `\u0001`, `\001`), or its number.
fn sign(text: &str) -> String {
    let code = |digits: &str, radix| u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
    let sign = match text {
        "\\t" => Some('\t'),
        _ => match text.strip_prefix('\\') {
            Some(digits) if digits.len() == 3 => code(digits, 8),
            Some(rest) => rest.strip_prefix('u').and_then(|digits| code(digits, 16)),
            None => text.parse::<u8>().ok().map(char::from),
        },
    };
    sign.map_or_else(|| text.to_owned(), |sign| sign.to_string())
}

/// Whether files are read otherwise than a crawl said: columns by other names, other signs, other lines that are skipped.
pub fn reads_otherwise(now: &TableInput, described: &TableInput) -> bool {
    let storage = |table: &TableInput| table.storage.clone().unwrap_or_default();
    let (own, crawled) = (storage(now), storage(described));
    let names = |storage: &StorageDescriptor| -> Vec<String> {
        storage
            .columns
            .iter()
            .map(|column| column.name.to_lowercase())
            .collect()
    };
    let signs = |table: &TableInput, storage: &StorageDescriptor| {
        let serde = storage.serde_info.clone().unwrap_or_default();
        let skipped = [SKIP_HEADER, SKIP_FOOTER].map(|name| table.parameters.get(name).cloned());
        (serde.serialization_library, serde.parameters, skipped)
    };
    let known = names(&crawled);
    // Columns that somebody added or left out are no other names.
    let is_renamed = names(&own)
        .iter()
        .zip(&known)
        .any(|(own, crawled)| own != crawled && !known.contains(own));
    is_renamed || signs(now, &own) != signs(described, &crawled)
}

/// The encoding of a table's text files, where it isn't UTF-8.
pub fn encoding_of(storage: &StorageDescriptor) -> Option<String> {
    let serde = storage.serde_info.as_ref()?;
    let encoding = serde.parameters.get(SERIALIZATION_ENCODING)?.to_lowercase();
    (!matches!(encoding.as_str(), "utf-8" | "utf8" | "ascii")).then_some(encoding)
}

/// The text that stands for NULL in a CSV table's files, beside the empty field: what was declared, and where nothing was,
/// Hive's own `\N` for its plain SerDe.
fn null_text(parameters: &Parameters, storage: &StorageDescriptor) -> Option<String> {
    let serde = storage.serde_info.clone().unwrap_or_default();
    let declared = serde
        .parameters
        .get(NULL_FORMAT)
        .or_else(|| parameters.get(NULL_FORMAT));
    let is_plain = serde.serialization_library.as_deref() == Some(LAZY_SERDE);
    declared.cloned().or_else(|| is_plain.then(|| "\\N".to_owned()))
}

/// Whether a table's files are read by the SerDe that knows quotes.
pub fn is_open_csv(storage: &StorageDescriptor) -> bool {
    let serde = storage.serde_info.as_ref();
    serde.and_then(|serde| serde.serialization_library.as_deref()) == Some(CSV_SERDE)
}

/// What our own engine writes; `quoted` where a field is in quotes.
pub fn written_csv(options: &CsvOptions, quoted: bool) -> FileFormat {
    let layout = CsvLayout {
        dialect: CsvDialect {
            delimiter: options.delimiter.to_string(),
            header: options.header,
            ..CsvDialect::default()
        },
        quoted,
        null: Some(options.null.clone()),
        ..CsvLayout::default()
    };
    Layout::Csv(Box::new(layout)).into()
}
