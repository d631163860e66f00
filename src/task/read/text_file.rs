//! Text files as rows: they arrive, are unpacked and decoded, and become columns piece by piece.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use classifiers::{CsvReader, CsvRow, JsonDocuments, JsonPath, JsonReader, JsonStep, Layout};
use datafusion::arrow::array::{ArrayRef, BooleanArray};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::record_batch::RecordBatch;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use regex::Regex;

use super::column::{Column, place_in};
use super::file::{FileRead, Origin, stands_for_nothing};
use super::json::{Json, Mistake};
use super::reading::{Batches, Reading};
use super::remarks::{Kind, shown};
use crate::error::{Error, Result};

/// How much text is taken at a time, in bytes.
const PIECE: usize = 64 << 10;

/// Begins to read a file.
///
/// # Errors
/// Those of the store, and Invalid for a pattern that can't be used; the stream's are of the file.
pub(super) async fn open(reading: Arc<Reading>, file: Arc<FileRead>) -> Result<Batches> {
    let form = match &file.layout {
        Layout::Csv(csv) => Splitting::Csv(Box::new(CsvReader::new(&csv.dialect))),
        Layout::Json(json) => Splitting::Json(Box::new(JsonReader::new(json.documents))),
        Layout::Regex(regex) => {
            // Hive's RegexSerDe wants the whole line to match.
            let pattern = Regex::new(&format!("^(?:{})$", regex.pattern)).map_err(|cause| {
                file.named(Error::invalid(format!(
                    "the table's input.regex can't be used: {cause}"
                )))
            })?;
            Splitting::Lines(Lines::new(pattern))
        }
        other => {
            let format = other.format().as_str();
            return Err(Error::internal(format!("{format} is not read as text")));
        }
    };
    let text = arriving(&reading, &file).await?;
    let rows = Rows::new(&reading, &file)?;
    let begun = TextFile {
        text,
        arrived: Bytes::new(),
        form: Some(form),
        rows,
        reading,
        file,
    };
    let batches = futures::stream::try_unfold(begun, |mut begun| async move {
        Ok(begun.next().await?.map(|batch| (batch, begun)))
    });
    Ok(batches.boxed())
}

/// A file's text, as it arrives.
async fn arriving(reading: &Reading, file: &FileRead) -> Result<BoxStream<'static, Result<Bytes>>> {
    let object = &file.object;
    let stored = reading
        .buckets
        .get_stream(&object.bucket, &object.key, Some(&object.etag))
        .await
        .map_err(|error| file.named(error))?
        .boxed();
    Ok(match file.plain.clone() {
        Some(plain) => plain.read(stored).boxed(),
        None => stored,
    })
}

enum Splitting {
    Csv(Box<CsvReader>),
    Json(Box<JsonReader>),
    Lines(Lines),
}

struct TextFile {
    text: BoxStream<'static, Result<Bytes>>,
    /// What has arrived and isn't split yet.
    arrived: Bytes,
    /// Absent after the end.
    form: Option<Splitting>,
    rows: Rows,
    reading: Arc<Reading>,
    file: Arc<FileRead>,
}

impl TextFile {
    /// The next rows of the file; none after its end.
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        while self.form.is_some() && self.rows.count < self.reading.batch_rows {
            if self.arrived.is_empty() {
                let next = self.text.try_next().await;
                match next.map_err(|error| self.file.named(error))? {
                    Some(more) => self.arrived = more,
                    None => {
                        self.finish()?;
                        break;
                    }
                }
            }
            let piece = self.arrived.split_to(PIECE.min(self.arrived.len()));
            self.feed(&piece)?;
        }
        if self.rows.count == 0 {
            return Ok(None);
        }
        self.rows.take(&self.reading).map(Some)
    }

    fn feed(&mut self, piece: &[u8]) -> Result<()> {
        let rows = &mut self.rows;
        let fed = match &mut self.form {
            Some(Splitting::Csv(reader)) => reader.feed(piece, &mut |row| rows.fields(&row)),
            Some(Splitting::Json(reader)) => reader.feed(piece, &mut |text, line| rows.document(text, line)),
            Some(Splitting::Lines(lines)) => {
                lines.feed(piece, rows);
                Ok(())
            }
            None => Ok(()),
        };
        self.check(fed)
    }

    fn finish(&mut self) -> Result<()> {
        let rows = &mut self.rows;
        let finished = match self.form.take() {
            Some(Splitting::Csv(reader)) => reader.finish(&mut |row| rows.fields(&row)),
            Some(Splitting::Json(reader)) => reader.finish(&mut |text, line| rows.document(text, line)),
            Some(Splitting::Lines(mut lines)) => {
                lines.finish(rows);
                Ok(())
            }
            None => Ok(()),
        };
        self.check(finished)?;
        self.rows.report(&self.reading, &self.file);
        Ok(())
    }

    /// A row that is refused lies before whatever the splitting found.
    fn check(&mut self, split: Result<(), classifiers::ClassifyError>) -> Result<()> {
        if let Some(refused) = self.rows.refused.take() {
            return Err(self.file.named(refused));
        }
        split.map_err(|error| self.file.named(Error::invalid(error.message)))
    }
}

/// Lines that are taken apart by a pattern.
struct Lines {
    pattern: Regex,
    begun: Vec<u8>,
    line: u64,
}

impl Lines {
    fn new(pattern: Regex) -> Self {
        Self {
            pattern,
            begun: Vec::new(),
            line: 0,
        }
    }

    fn feed(&mut self, piece: &[u8], rows: &mut Rows) {
        let mut rest = piece;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            self.begun.extend_from_slice(&rest[..end]);
            rest = &rest[end + 1..];
            self.end_line(rows);
        }
        self.begun.extend_from_slice(rest);
    }

    fn finish(&mut self, rows: &mut Rows) {
        if !self.begun.is_empty() {
            self.end_line(rows);
        }
    }

    fn end_line(&mut self, rows: &mut Rows) {
        self.line += 1;
        let line = std::mem::take(&mut self.begun);
        let line = String::from_utf8_lossy(&line);
        let line = line.strip_suffix('\r').unwrap_or(&line);
        let groups = self.pattern.captures(line);
        rows.groups(line, groups.as_ref(), self.line);
    }
}

/// A column that the file has, and what of it is counted.
struct Filled {
    /// Which field of a row it is.
    place: usize,
    name: String,
    data_type: String,
    own: classifiers::DataType,
    column: Column,
    /// Values that didn't fit, and the first of them with its line.
    misfits: (u64, Option<(String, u64)>),
}

impl Filled {
    #[cold]
    fn misfit(&mut self, value: &str, line: u64) {
        self.misfits.0 += 1;
        if self.misfits.1.is_none() {
            self.misfits.1 = Some((shown(value), line));
        }
    }
}

/// Where in the documents of a file its rows are.
#[derive(Clone)]
struct RowPath {
    steps: Vec<JsonStep>,
    /// Of an array's elements, the only one that is asked for.
    only: Option<usize>,
    /// What the column of a row is called that is no object.
    column: String,
}

impl RowPath {
    fn of(layout: &Layout) -> Result<Option<Self>> {
        let Layout::Json(json) = layout else {
            return Ok(None);
        };
        let Some(path) = &json.path else {
            return Ok(None);
        };
        let path = JsonPath::new(path).map_err(Error::invalid)?;
        // An array comes element by element: its own step is taken then.
        let (only, steps) = match (json.documents, path.steps().split_first()) {
            (JsonDocuments::Array, Some((JsonStep::Index(only), rest))) => (Some(*only), rest),
            (JsonDocuments::Array, Some((JsonStep::All, rest))) => (None, rest),
            _ => (None, path.steps()),
        };
        let is_whole = only.is_none() && steps.is_empty();
        Ok((!is_whole).then(|| Self {
            steps: steps.to_vec(),
            only,
            column: path.column_name().to_owned(),
        }))
    }
}

/// Rows that are gathered.
struct Rows {
    /// The columns of the answer that the file has.
    filled: Vec<Filled>,
    /// Where each column of the answer comes from: places among `filled`, or constants.
    origins: Vec<Origin>,
    /// By a name of JSON, the place among `filled`.
    by_name: HashMap<String, usize>,
    /// Where in documents the rows are, where that isn't the documents themselves.
    path: Option<RowPath>,
    /// How many documents there were.
    documents: usize,
    count: usize,
    /// The rows that turned out to be none.
    dropped: Vec<usize>,
    /// How many fields a row should have.
    width: usize,
    null: Option<String>,
    /// Whether words stand for nothing, as they do where the file itself said what it is.
    words: bool,
    /// Whether what doesn't fit is an error.
    is_strict: bool,
    /// Whether a row of another width is.
    holds_width: bool,
    /// The first row that is refused.
    refused: Option<Error>,
    /// Rows with too many fields, those of them with something in the fields that are left out, and the line of the first.
    longer: (u64, u64, u64),
    /// Rows with too few fields, and the line of the first.
    shorter: (u64, u64),
    /// Texts that are no rows, and the first of them.
    no_rows: (u64, Option<String>),
}

impl Rows {
    fn new(reading: &Reading, file: &FileRead) -> Result<Self> {
        let json = match &file.layout {
            Layout::Json(json) => Some(json),
            _ => None,
        };
        let null = match &file.layout {
            Layout::Csv(csv) => csv.null.clone(),
            _ => None,
        };
        let (mut filled, mut origins, mut by_name) = (Vec::new(), Vec::new(), HashMap::new());
        for (name, hive) in reading.columns() {
            if let Some(value) = file.key(name, hive)? {
                origins.push(Origin::Constant(value));
                continue;
            }
            let place = file.columns.iter().position(|column| column.name == *name);
            if place.is_none() && json.is_none() {
                origins.push(Origin::Constant(super::file::null_of(hive)?));
                continue;
            }
            if let Some(json) = json {
                let mapped = json.names.get(name);
                by_name.insert(
                    mapped.map_or_else(|| name.clone(), |name| name.to_lowercase()),
                    filled.len(),
                );
            }
            origins.push(Origin::File(filled.len()));
            let own = place.and_then(|place| file.columns.get(place));
            filled.push(Filled {
                place: place.unwrap_or_default(),
                name: name.clone(),
                data_type: hive.to_string(),
                own: own.map_or(classifiers::DataType::Null, |own| own.hive.clone()),
                column: Column::of(hive),
                misfits: (0, None),
            });
        }
        Ok(Self {
            filled,
            origins,
            by_name,
            path: RowPath::of(&file.layout).map_err(|error| file.named(error))?,
            documents: 0,
            count: 0,
            dropped: Vec::new(),
            width: file.columns.len(),
            null,
            words: file.part.declared().is_none(),
            is_strict: !reading.table.is_declared,
            holds_width: reading.table.is_strict,
            refused: None,
            longer: (0, 0, 0),
            shorter: (0, 0),
            no_rows: (0, None),
        })
    }

    /// Adds a row of fields.
    fn fields(&mut self, row: &CsvRow<'_>) {
        if row.width() != self.width {
            self.other_width(row);
        }
        self.count += 1;
        for filled in &mut self.filled {
            let Some(field) = row.field(filled.place) else {
                filled.column.null();
                continue;
            };
            let is_text = filled.column.is_text();
            let is_nothing = match is_text && row.is_quoted(filled.place) {
                true => false,
                false => {
                    let own = match is_text {
                        true => &filled.own,
                        false => &classifiers::DataType::Boolean,
                    };
                    stands_for_nothing(&field, self.null.as_deref(), self.words, own)
                }
            };
            if is_nothing {
                filled.column.null();
            } else if !filled.column.text(&field) && !matches!(filled.column, Column::Nothing(_)) {
                filled.misfit(&field, row.line());
                if self.is_strict {
                    self.refused
                        .get_or_insert_with(|| no_value(row.line(), &field, filled));
                }
            }
        }
    }

    #[cold]
    fn other_width(&mut self, row: &CsvRow<'_>) {
        if self.holds_width {
            let (line, width, wanted) = (row.line(), row.width(), self.width);
            self.refused.get_or_insert_with(|| {
                Error::invalid(format!("line {line} has {width} fields, and the table has {wanted} columns"))
                    .hint("mend the file, or leave out `strict = true`: then what is too much is left out, and what is missing is NULL")
            });
        }
        if row.width() < self.width {
            if self.shorter.0 == 0 {
                self.shorter.1 = row.line();
            }
            self.shorter.0 += 1;
            return;
        }
        if self.longer.0 == 0 {
            self.longer.2 = row.line();
        }
        self.longer.0 += 1;
        let is_cut = (self.width..row.width()).any(|at| row.field(at).is_some_and(|text| !text.is_empty()));
        self.longer.1 += u64::from(is_cut);
    }

    /// Adds the rows of a document: it is one, unless they are somewhere inside. What is no object, or broken, is none.
    fn document(&mut self, text: &[u8], line: u64) {
        let text = String::from_utf8_lossy(text);
        let mut json = Json::new(&text);
        let read = match self.path.clone() {
            None => self.row(&mut json, line, None).and_then(|()| json.end()),
            Some(path) => self.rows_at(&path, &mut json, line),
        };
        if let Err(mistake) = read {
            self.no_row(&text, line, mistake.what, mistake.at);
        }
    }

    fn rows_at(&mut self, path: &RowPath, json: &mut Json<'_>, line: u64) -> Result<(), Mistake> {
        let number = self.documents;
        self.documents += 1;
        if path.only.is_some_and(|only| only != number) {
            return Ok(());
        }
        json.walk(&path.steps, &mut |json| {
            let name = (!json.is_object()).then_some(path.column.as_str());
            self.row(json, line, name)
        })
    }

    /// Adds a row: an object, or the value of its one column of this name. A mistake leaves it out.
    fn row(&mut self, json: &mut Json<'_>, line: u64, name: Option<&str>) -> Result<(), Mistake> {
        let (filled, by_name, before) = (&mut self.filled, &self.by_name, self.count);
        let mut refused = None;
        let is_strict = self.is_strict;
        let mut member = |json: &mut Json<'_>, name: &str| {
            let Some(filled) = place_in(by_name, name).and_then(|place| filled.get_mut(place)) else {
                return json.skip();
            };
            // Of names that differ only in case, the first that is there counts.
            if filled.column.len() > before {
                return json.skip();
            }
            let mut misfit = None;
            json.value(&mut filled.column, &mut |value| {
                misfit.get_or_insert_with(|| value.to_owned());
            })?;
            if let Some(value) = misfit.filter(|_| !matches!(filled.column, Column::Nothing(_))) {
                filled.misfit(&value, line);
                if is_strict {
                    refused.get_or_insert_with(|| no_value(line, &value, filled));
                }
            }
            Ok(())
        };
        let read = match name {
            Some(name) => member(json, name),
            None => json.object(&mut member),
        };
        self.count += 1;
        let count = self.count;
        for filled in &mut self.filled {
            if filled.column.len() < count {
                filled.column.null();
            }
        }
        if read.is_err() {
            self.dropped.push(count - 1);
        }
        if let Some(refused) = refused {
            self.refused.get_or_insert(refused);
        }
        read
    }

    #[cold]
    fn no_row(&mut self, text: &str, line: u64, what: &str, at: usize) {
        let before = text.get(..at).unwrap_or(text);
        let lines = before.matches('\n').count() as u64;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let said = format!("line {}, column {column} is not valid JSON: {what}", line + lines);
        if self.is_strict {
            self.refused.get_or_insert_with(|| Error::invalid(said.clone()));
        }
        self.no_rows.0 += 1;
        self.no_rows.1.get_or_insert(said);
    }

    /// Adds what a pattern found in a line. As Hive has it, a line that doesn't match is a row of NULL.
    fn groups(&mut self, line: &str, groups: Option<&regex::Captures<'_>>, number: u64) {
        self.count += 1;
        if groups.is_none() {
            self.no_rows.0 += 1;
            self.no_rows.1.get_or_insert_with(|| {
                format!(
                    "line {number} doesn't match the table's input.regex: '{}'",
                    shown(line)
                )
            });
        }
        for filled in &mut self.filled {
            let field = groups.and_then(|groups| groups.get(filled.place + 1));
            match field {
                None => filled.column.null(),
                Some(field) if !filled.column.text(field.as_str()) => {
                    filled.misfit(field.as_str(), number);
                }
                Some(_) => {}
            }
        }
    }

    /// The rows so far.
    fn take(&mut self, reading: &Reading) -> Result<RecordBatch> {
        let columns = self
            .filled
            .iter_mut()
            .map(|filled| filled.column.take())
            .collect::<Result<Vec<ArrayRef>>>()?;
        let count = std::mem::take(&mut self.count);
        let batch = reading.batch(&self.origins, &columns, count)?;
        let dropped = std::mem::take(&mut self.dropped);
        if dropped.is_empty() {
            return Ok(batch);
        }
        let mut kept = vec![true; count];
        for row in dropped {
            kept[row] = false;
        }
        filter_record_batch(&batch, &BooleanArray::from(kept))
            .map_err(|cause| Error::internal("rows can't be left out").source(cause))
    }

    /// What is to be said of the file.
    fn report(&self, reading: &Reading, file: &FileRead) {
        let path = file.object.path();
        let remarks = &reading.table.remarks;
        for filled in &self.filled {
            if let (count @ 1.., Some((value, line))) = &filled.misfits {
                let kind = Kind::Misfit {
                    column: filled.name.clone(),
                    data_type: filled.data_type.clone(),
                };
                remarks.add(kind, &path, *count, || {
                    format!("'{value}' in line {line} of {path}")
                });
            }
        }
        // Of a job's input each file is told by itself, with its counts.
        let own = (!reading.table.is_declared).then(|| path.clone());
        let place = |line: u64| match &own {
            Some(_) => format!("line {line}"),
            None => format!("line {line} of {path}"),
        };
        if let (count @ 1.., cut, line) = self.longer {
            remarks.add(Kind::Longer(own.clone()), &path, count, || match cut {
                0 => format!("{}, where it is empty", place(line)),
                cut if cut == count => place(line),
                cut => format!("{}; it is something in {cut} of {count}", place(line)),
            });
        }
        if let (count @ 1.., line) = self.shorter {
            remarks.add(Kind::Shorter(own.clone()), &path, count, || place(line));
        }
        if let (count @ 1.., Some(first)) = &self.no_rows {
            let kind = match file.layout {
                Layout::Regex(_) => Kind::NoMatch,
                _ => Kind::NoRow,
            };
            remarks.add(kind, &path, *count, || format!("{first}, in {path}"));
        }
    }
}

/// What it means that a job's input has a value that is none of its column's type.
fn no_value(line: u64, value: &str, filled: &Filled) -> Error {
    Error::invalid(format!(
        "line {line}: '{value}' is no {}, which column {} is",
        filled.data_type, filled.name
    ))
}
