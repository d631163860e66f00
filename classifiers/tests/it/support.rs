//! What the tests share: how a verdict is shown, and where the test data are.

use std::io::Write as _;
use std::path::PathBuf;

use classifiers::{ClassifyError, Layout, Outcome, Sample, Verdict, classify};

/// Bytes of an object that a caller samples.
const HEAD: usize = 1 << 20;

/// Classifies a whole object as a caller would: a head, and the tail that was asked for.
pub(crate) fn classify_bytes(name: &str, bytes: &[u8]) -> Result<Verdict, ClassifyError> {
    let head = &bytes[..HEAD.min(bytes.len())];
    let size = bytes.len() as u64;
    let mut tail: &[u8] = &[];
    for _ in 0..3 {
        match classify(&Sample {
            name,
            size,
            head,
            tail,
        })? {
            Outcome::Verdict(verdict) => return Ok(*verdict),
            Outcome::NeedTail(wanted) => {
                assert!(
                    wanted as usize > tail.len() && wanted <= 16 << 20,
                    "asked for {wanted} bytes"
                );
                tail = &bytes[bytes.len().saturating_sub(wanted as usize)..];
            }
        }
    }
    panic!("{name}: still wants a tail after three calls");
}

/// A verdict as the tests show it.
pub(crate) fn show(result: &Result<Verdict, ClassifyError>) -> String {
    let verdict = match result {
        Ok(verdict) => verdict,
        Err(error) => return format!("error {}: {}\n", error.kind, error.message),
    };
    let mut shown = format!("{} {}", verdict.classification, verdict.certainty);
    if let Some(csv) = verdict.csv().map(|csv| &csv.dialect) {
        shown.push_str(&format!(" delimiter {:?}", csv.delimiter));
        if csv.quote.as_deref() != Some("\"") {
            shown.push_str(&format!(" quote {:?}", csv.quote));
        }
        if let Some(escape) = &csv.escape {
            shown.push_str(&format!(" escape {escape:?}"));
        }
        if let Some(comment) = &csv.comment {
            shown.push_str(&format!(" comment {comment:?}"));
        }
        if csv.skip_lines > 0 {
            shown.push_str(&format!(" skip {}", csv.skip_lines));
        }
        if csv.line_terminator != "\n" {
            shown.push_str(&format!(" lines end with {:?}", csv.line_terminator));
        }
        shown.push_str(if csv.header { " header" } else { " no-header" });
    }
    if let Some(Layout::Json(json)) = &verdict.layout {
        shown.push_str(&format!(" {:?}", json.documents));
    }
    if verdict
        .encoding
        .as_deref()
        .is_some_and(|encoding| encoding != "utf-8")
    {
        shown.push_str(&format!(" {}", verdict.encoding.as_deref().unwrap_or_default()));
    }
    match verdict.row_count {
        Some(count) if verdict.rows_sampled == 0 => shown.push_str(&format!(" {count} rows\n")),
        _ => shown.push_str(&format!(" {} rows sampled\n", verdict.rows_sampled)),
    }
    for column in &verdict.columns {
        let mark = if column.nullable { "?" } else { "" };
        shown.push_str(&format!(
            "  {}: {:#}{mark} — {}\n",
            column.name, column.data_type, column.reason
        ));
    }
    for reason in &verdict.reasons {
        shown.push_str(&format!("  because {reason}\n"));
    }
    shown
}

#[expect(
    clippy::disallowed_methods,
    reason = "where the data are is a setting of the tests, not of the program"
)]
/// The folder of test data that nobody here wrote, or `None` (having said so) where it isn't and nobody named it.
pub(crate) fn shared_data() -> Option<PathBuf> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let named = std::env::var_os("MASTIC_SHARED_DATA").map(PathBuf::from);
    let is_named = named.is_some();
    let folder = named.unwrap_or_else(beside);
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(
        !is_named,
        "MASTIC_SHARED_DATA is set, and there is no {}",
        folder.display()
    );
    let said = format!("tests on real data: there are none in {}", folder.display());
    println!("skipped: {said}");
    if let Some(list) = std::env::var_os("MASTIC_TESTS_SKIPPED") {
        let list = std::fs::OpenOptions::new().append(true).create(true).open(list);
        list.and_then(|mut list| writeln!(list, "{said}")).unwrap();
    }
    None
}
