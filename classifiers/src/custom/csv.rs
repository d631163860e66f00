//! Delimited text by a definition: what it says is not guessed.

use super::definition::{ContainsHeader, CsvClassifier, CsvSerde};
use super::{DefinitionError, wrong};
use crate::csv::{self, CsvScanner};
use crate::limits::NAME_BYTES;
use crate::{Column, CsvDialect, CsvLayout, DataType, Layout, Verdict};

/// Digits of a `DECIMAL`, as Hive reads it without any.
const DECIMAL: DataType = DataType::Decimal {
    precision: 10,
    scale: 0,
};

/// Checks a definition by Glue's rules.
pub(super) fn check(definition: &CsvClassifier) -> Result<(), DefinitionError> {
    let delimiter = mark("Delimiter", definition.delimiter.as_deref())?;
    let quote = mark("QuoteSymbol", definition.quote_symbol.as_deref())?;
    if delimiter.is_some() && delimiter == quote.or(Some('"')) {
        return Err(wrong(
            "QuoteSymbol",
            "it must be another character than the delimiter",
        ));
    }
    for name in definition.header.iter().flatten() {
        if name.is_empty() || name.len() > NAME_BYTES {
            let message = format!("the column name {name:?} must have 1 to {NAME_BYTES} bytes");
            return Err(wrong("Header", message));
        }
    }
    let mut names: Vec<String> = definition
        .header
        .iter()
        .flatten()
        .map(|name| name.to_lowercase())
        .collect();
    names.sort_unstable();
    if let Some([name, _]) = names.array_windows().find(|[one, next]| one == next) {
        return Err(wrong("Header", format!("the column name {name:?} occurs twice")));
    }
    for name in definition.custom_datatypes.iter().flatten() {
        if data_type(name).is_none() {
            let message = format!(
                "{name:?} is not one of BINARY, BOOLEAN, DATE, DECIMAL, DOUBLE, FLOAT, INT, LONG, SHORT, STRING and \
                 TIMESTAMP"
            );
            return Err(wrong("CustomDatatypes", message));
        }
    }
    Ok(())
}

fn mark(member: &'static str, text: Option<&str>) -> Result<Option<char>, DefinitionError> {
    let Some(text) = text else { return Ok(None) };
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) if c.is_ascii() && !matches!(c, '\r' | '\n') => Ok(Some(c)),
        _ => Err(wrong(
            member,
            format!("{text:?} must be one ASCII character that is no line end"),
        )),
    }
}

fn data_type(name: &str) -> Option<DataType> {
    Some(match name.to_ascii_uppercase().as_str() {
        "BINARY" => DataType::Binary,
        "BOOLEAN" => DataType::Boolean,
        "DATE" => DataType::Date,
        "DECIMAL" => DECIMAL,
        "DOUBLE" => DataType::Double,
        "FLOAT" => DataType::Float,
        "INT" => DataType::Int,
        "LONG" => DataType::BigInt,
        "SHORT" => DataType::SmallInt,
        "STRING" => DataType::String,
        "TIMESTAMP" => DataType::Timestamp,
        _ => return None,
    })
}

/// Judges a text. `Err` holds why it does not match.
pub(super) fn judge(
    definition: &CsvClassifier,
    text: &str,
    whole: bool,
    verdict: &mut Verdict,
) -> Result<(), String> {
    let mut dialect = dialect(definition, text, whole)?;
    let (header, reason) = match definition.contains_header {
        Some(ContainsHeader::Present) => (true, "header: the classifier says there is one".to_owned()),
        Some(ContainsHeader::Absent) => (false, "header: the classifier says there is none".to_owned()),
        _ => csv::has_header(text, &dialect, whole).map_err(|e| e.message)?,
    };
    dialect.header = header;
    // The last line of a sample is cut in half.
    let end = if whole {
        Some(text.len())
    } else {
        text.rfind(['\n', '\r']).map(|at| at + 1)
    };
    let complete = end.and_then(|end| text.get(..end)).unwrap_or("");
    let mut scanner = CsvScanner::new(&dialect);
    scanner.feed(complete.as_bytes()).map_err(|e| e.message)?;
    let scanned = scanner.finish().map_err(|e| e.message)?;
    let width = scanned.columns.len();
    if width < 2 && !definition.allow_single_column.unwrap_or(false) {
        return Err(format!(
            "it has {width} column when split at {:?}; set AllowSingleColumn if that is right",
            dialect.delimiter
        ));
    }
    if scanned.rows == 0 && !header {
        return Err("it has no rows".to_owned());
    }
    verdict.reasons.push(format!(
        "delimiter: {:?} makes {width} columns",
        dialect.delimiter
    ));
    verdict.reasons.push(reason);
    let mut found = scanned.columns;
    if definition.disable_value_trimming == Some(true) {
        let padded = csv::padded_columns(complete, &dialect).map_err(|e| e.message)?;
        for (column, _) in found.iter_mut().zip(padded).filter(|(_, padded)| *padded) {
            column.data_type = DataType::String;
            column.reason = format!(
                "values have blanks around them, which are kept; {}",
                column.reason
            );
        }
    }
    verdict.columns = columns(definition, found, &mut verdict.reasons);
    verdict.set_rows(scanned.rows, complete.len() as u64, whole);
    verdict.classification = "csv".to_owned();
    verdict.classifier.clone_from(&definition.name);
    verdict.certainty = 1.0;
    verdict.layout = Some(Layout::Csv(Box::new(CsvLayout {
        quoted: csv::has_quoted_fields(complete, &dialect).map_err(|e| e.message)?,
        serde: definition.serde.filter(|serde| *serde != CsvSerde::None),
        dialect,
        ..CsvLayout::default()
    })));
    Ok(())
}

fn dialect(definition: &CsvClassifier, text: &str, whole: bool) -> Result<CsvDialect, String> {
    let quote = definition.quote_symbol.clone();
    let Some(delimiter) = definition.delimiter.clone() else {
        let found = csv::classify(text, true, whole)
            .map_err(|e| e.message)??
            .layout
            .dialect;
        return Ok(CsvDialect {
            quote: quote.or_else(|| found.quote.clone()),
            ..found
        });
    };
    Ok(CsvDialect {
        delimiter,
        quote: Some(quote.unwrap_or_else(|| "\"".to_owned())),
        line_terminator: csv::line_ends(text).to_owned(),
        ..CsvDialect::default()
    })
}

/// The columns under the names and types of the definition.
fn columns(definition: &CsvClassifier, columns: Vec<Column>, reasons: &mut Vec<String>) -> Vec<Column> {
    let names = definition.header.as_deref().unwrap_or(&[]);
    if !names.is_empty() && names.len() != columns.len() {
        reasons.push(format!(
            "the classifier names {} columns where the file has {}",
            names.len(),
            columns.len()
        ));
    }
    let types = match definition.custom_datatype_configured {
        Some(true) => definition.custom_datatypes.as_deref().unwrap_or(&[]),
        _ => &[],
    };
    let missing = names
        .get(columns.len()..)
        .unwrap_or(&[])
        .iter()
        .map(|name| Column {
            name: name.clone(),
            data_type: DataType::Null,
            nullable: true,
            reason: "the file has no such column".to_owned(),
        });
    let all = columns.into_iter().chain(missing).enumerate();
    all.map(|(at, mut column)| {
        if let Some(name) = names.get(at) {
            column.name.clone_from(name);
        }
        if let Some((name, data_type)) = types.get(at).and_then(|name| Some((name, data_type(name)?))) {
            column.reason = format!("the classifier says {name}; {}", column.reason);
            column.data_type = data_type;
        }
        column
    })
    .collect()
}
