//! Objects whose names are data: counts by day, prices by product. As a struct they would get a new field with every
//! document; as a map they keep one type.

use super::shape::NamedShape;
use crate::DataType;
use crate::values::{Kind, kind_of};

/// Names that must look like data for a map.
const NAMES: usize = 2;
/// Names of ordinary words that make a map when each object has few of them.
const SPARSE_NAMES: usize = 50;
/// Share of the objects that have a name, on average, below which names are sparse: one in so many.
const SPARSE: u64 = 10;

/// The type of the values, where the fields of the objects at one place are rather the entries of a map.
pub(crate) fn values_of_map(fields: &[NamedShape], objects: u64) -> Option<DataType> {
    if fields.len() < NAMES {
        return None;
    }
    let entries: u64 = fields
        .iter()
        .map(|field| field.shape.values() + field.shape.nulls())
        .sum();
    let sparse = fields.len() >= SPARSE_NAMES
        && entries.saturating_mul(SPARSE) < objects.saturating_mul(fields.len() as u64);
    if !sparse && !fields.iter().all(|field| is_data(&field.name)) {
        return None;
    }
    let types = fields.iter().map(|field| field.shape.data_type());
    let all_text = |t: &DataType| matches!(t, DataType::String | DataType::Null);
    let mut only_text = true;
    let merged = types.fold(DataType::Null, |merged, next| {
        only_text &= all_text(&next);
        merged.merge(next)
    });
    // Values that only text would hold are fields of a record.
    (merged != DataType::String || only_text).then_some(merged)
}

/// A number, a date, a UUID or a long hexadecimal key.
fn is_data(name: &str) -> bool {
    let is_value = matches!(
        kind_of(name),
        Kind::Integer
            | Kind::LongDigits
            | Kind::LeadingZero
            | Kind::CardNumber
            | Kind::Date
            | Kind::ShortDate
            | Kind::Timestamp
    );
    let hex = name.bytes().filter(|b| *b != b'-').all(|b| b.is_ascii_hexdigit());
    is_value || name.len() >= 16 && hex && name.bytes().any(|b| b.is_ascii_digit())
}
