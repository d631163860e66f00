//! Bytes to schema: what a file is, how it is laid out, and which columns it has, each with its reason.
//!
//! Pure: no I/O, no clock, no threads. Safe on hostile input: every allocation, loop and recursion is bounded by a limit
//! in [`limits`] or by the length of the input.
//!
//! In reading order: [`classify_with`] asks custom classifiers and then each format in turn; `compression` and
//! `encoding` turn bytes into text; `values`, `formats` and `column`
//! turn text into types; `types` says how types merge; `avro`,
//! `orc`, `parquet`, `json`, `xml`, `grok` (logs) and `csv` each know one format; `custom` is what people define; `layout` is
//! what each format's reader has to know, and `written` a verdict as JSON.

mod avro;
mod column;
mod compression;
mod csv;
mod custom;
mod encoding;
mod formats;
mod grok;
mod json;
mod layout;
pub mod limits;
mod magic;
mod orc;
mod parquet;
mod type_text;
mod types;
mod values;
mod verdict;
mod written;
mod xml;

use compression::Unpacking;
pub use compression::decompress;
pub use csv::{CsvReader, CsvRow, CsvScanner, settle_headers};
pub use custom::{
    ClassifierDefinition, ContainsHeader, CsvClassifier, CsvSerde, CustomClassifier, DefinitionError,
    GrokClassifier, JsonClassifier, XmlClassifier,
};
pub use encoding::TextDecoder;
pub use json::{JsonPath, JsonReader, JsonScanner, JsonStep};
pub use layout::{
    AvroLayout, CsvDialect, CsvLayout, Format, GrokLayout, JsonDocuments, JsonLayout, Layout, RegexLayout,
    XmlLayout,
};
pub use type_text::TypeTextError;
pub use types::{DataType, Field};
pub use values::NULL_WORDS;
pub use verdict::{ClassifyError, ClassifyErrorKind, Column, Compression, Outcome, Sample, Scanned, Verdict};

/// Judges an object from a sample of it.
///
/// The content decides; the name is a hint that breaks ties and is reported when it is wrong. Text that no classifier
/// recognises is a verdict too: `UNKNOWN`, with reasons.
///
/// # Errors
///
/// [`ClassifyErrorKind::Empty`] for an object of no bytes, and the other kinds for an object that is recognised but
/// can't be used: cut off, contradicting itself, encrypted or beyond a [limit](limits).
pub fn classify(sample: &Sample) -> Result<Outcome, ClassifyError> {
    classify_with(sample, &[])
}

/// Judges an object as [`classify`] does, but asks custom classifiers first, in their order.
///
/// Only text is shown to them, without its compression. The first that is certain (1.0) decides. Otherwise the greatest
/// certainty of all, the built-in classifiers included, does; of equal ones the first. Where a custom classifier does not
/// match, the verdict's reasons say why.
///
/// # Errors
///
/// Those of [`classify`], unless a custom classifier matches.
pub fn classify_with(sample: &Sample, custom: &[CustomClassifier]) -> Result<Outcome, ClassifyError> {
    if sample.size == 0 {
        let message = "the object is empty (0 bytes), so it has no schema; upload it again, or exclude it";
        return Err(ClassifyError::new(ClassifyErrorKind::Empty, message));
    }
    if sample.head.is_empty() {
        let message = format!(
            "none of the object's {} bytes could be read; try again",
            sample.size
        );
        return Err(ClassifyError::new(ClassifyErrorKind::Truncated, message));
    }
    let mut outcome = classify_content(sample, custom)?;
    if let Outcome::Verdict(verdict) = &mut outcome {
        note_misleading_name(sample.name, verdict);
    }
    Ok(outcome)
}

fn classify_content(sample: &Sample, custom: &[CustomClassifier]) -> Result<Outcome, ClassifyError> {
    if avro::is_avro(sample.head) {
        return Ok(Outcome::Verdict(Box::new(avro::classify(sample)?)));
    }
    if orc::is_orc(sample.head) {
        return orc::classify(sample);
    }
    if parquet::is_parquet(sample) {
        return parquet::classify(sample);
    }
    let unpacked = match compression::unpack(sample)? {
        Unpacking::Done(unpacked) => unpacked,
        Unpacking::NeedTail(wanted) => return Ok(Outcome::NeedTail(wanted)),
        Unpacking::NotRead(what) => {
            let verdict = Verdict::unknown(Compression::None, vec![what]);
            return Ok(Outcome::Verdict(Box::new(verdict)));
        }
    };
    let verdict = match magic::recognise(&unpacked.bytes, unpacked.compression) {
        Some(what) => Verdict::unknown(unpacked.compression, vec![what]),
        None => classify_text(sample, &unpacked, custom)?,
    };
    Ok(Outcome::Verdict(Box::new(verdict)))
}

fn classify_text(
    sample: &Sample,
    unpacked: &compression::Unpacked<'_>,
    custom: &[CustomClassifier],
) -> Result<Verdict, ClassifyError> {
    let Some(text) = encoding::decode(&unpacked.bytes, unpacked.whole) else {
        let reason =
            "it holds NUL or control characters, so it is binary, and no known format starts like it";
        return Ok(Verdict::unknown(unpacked.compression, vec![reason.to_owned()]));
    };
    let reasons = unpacked.reason.iter().cloned().chain(text.reason).collect();
    let mut verdict = Verdict::unknown(unpacked.compression, reasons);
    verdict.encoding = Some(text.encoding);
    let mut best: Option<Verdict> = None;
    let mut refusals = Vec::new();
    for classifier in custom {
        match classifier.judge(&text.text, unpacked.whole, verdict.clone()) {
            Ok(found) if found.certainty >= 1.0 => return Ok(found),
            Ok(found) if best.as_ref().is_none_or(|best| found.certainty > best.certainty) => {
                best = Some(found);
            }
            Ok(_) => {}
            Err(why) => refusals.push(format!(
                "the custom classifier {:?} does not match: {why}",
                classifier.name()
            )),
        }
    }
    let built_in = built_in(sample, &text.text, unpacked.whole, verdict);
    let mut verdict = match (best, built_in) {
        (Some(best), Ok(found)) if found.certainty > best.certainty => found,
        (Some(best), _) => best,
        (None, found) => found?,
    };
    verdict.reasons.extend(refusals);
    Ok(verdict)
}

/// Asks the classifiers of text that need not be told anything.
fn built_in(
    sample: &Sample,
    text: &str,
    whole: bool,
    mut verdict: Verdict,
) -> Result<Verdict, ClassifyError> {
    let not_json = match json::classify(text, whole)? {
        Ok(json) => {
            verdict.accept_json(json, None, "json", whole);
            return Ok(verdict);
        }
        // What starts like a document but isn't one makes no table either.
        Err(why) if text.trim_start().starts_with('{') || json::starts_with_a_name(text) => {
            verdict.reasons.push(why);
            return Ok(verdict);
        }
        Err(why) => why,
    };
    let extension = extension(sample.name);
    match xml::classify(text, None, extension == "xml", whole)? {
        Ok(xml) => {
            verdict.accept_xml(xml, "xml", "xml", whole);
            return Ok(verdict);
        }
        // Markup is no table of another kind.
        Err(why) if text.trim_start().starts_with('<') => {
            verdict.reasons.push(why);
            return Ok(verdict);
        }
        Err(_) => {}
    }
    if let Some(log) = grok::classify(text, whole) {
        let name = log.classification;
        verdict.accept_lines(log.lines, log.layout, name, name, whole);
        return Ok(verdict);
    }
    let named = matches!(extension.as_str(), "csv" | "tsv" | "tab" | "psv");
    match csv::classify(text, named, whole)? {
        Ok(csv) => {
            verdict.set_rows(csv.rows, csv.row_bytes, whole);
            verdict.classification = "csv".to_owned();
            verdict.classifier = "csv".to_owned();
            verdict.certainty = csv.certainty;
            verdict.layout = Some(Layout::Csv(Box::new(csv.layout)));
            verdict.columns = csv.columns;
            verdict.reasons.extend(csv.reasons);
        }
        Err(why) if json::starts_like_an_array(text) => verdict.reasons.extend([not_json, why]),
        Err(why) => verdict.reasons.push(why),
    }
    Ok(verdict)
}

/// Extensions that speak of compression and not of what is compressed.
const PACKED: [&str; 11] = [
    ".gz", ".gzip", ".bz2", ".bzip2", ".zst", ".zstd", ".snappy", ".sz", ".lz4", ".zip", ".deflate",
];

/// The last part of a name, in lower case, without a suffix that speaks of compression.
fn extension(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    let name = PACKED
        .iter()
        .find_map(|suffix| name.strip_suffix(suffix))
        .unwrap_or(&name);
    let file = name.rsplit('/').next().unwrap_or(name);
    file.rsplit_once('.')
        .map_or(String::new(), |(_, extension)| extension.to_owned())
}

/// Says so when the name promises something else than the content is.
fn note_misleading_name(name: &str, verdict: &mut Verdict) {
    let promised = match extension(name).as_str() {
        "parquet" | "pq" => "parquet",
        "avro" => "avro",
        "orc" => "orc",
        "xml" => "xml",
        "json" | "ndjson" | "jsonl" => "json",
        "csv" | "tsv" | "tab" | "psv" => "csv",
        _ => return,
    };
    let is_custom_xml = promised == "xml" && matches!(verdict.layout, Some(Layout::Xml(_)));
    if promised != verdict.classification && !is_custom_xml {
        let found = match verdict.classification.as_str() {
            "UNKNOWN" => "its content is not".to_owned(),
            found => format!("its content is {found}, and the content decides"),
        };
        verdict
            .reasons
            .push(format!("the name says {promised}, but {found}"));
    }
}
