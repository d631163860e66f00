//! Column types, and the one operation everything rests on: the merge of two of them.

use std::collections::BTreeMap;

use DataType::*;

/// A column type, in Hive's and Glue's terms.
///
/// `{}` prints the text a catalog holds, with [`DataType::Null`] as `string`. `{:#}` and the serialised form print
/// `void` for it instead, which [`FromStr`](std::str::FromStr) reads back, so nothing is lost between two processes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum DataType {
    /// Nothing but nulls was seen: any other type may still come.
    Null,
    /// `boolean`
    Boolean,
    /// `tinyint`, 8 bits
    TinyInt,
    /// `smallint`, 16 bits
    SmallInt,
    /// `int`, 32 bits
    Int,
    /// `bigint`, 64 bits
    BigInt,
    /// `float`, 32 bits
    Float,
    /// `double`, 64 bits
    Double,
    /// `decimal(precision,scale)`
    Decimal {
        /// All digits, 1 to 38.
        precision: u8,
        /// Digits after the point, at most `precision`.
        scale: u8,
    },
    /// `string`
    String,
    /// `binary`
    Binary,
    /// `date`
    Date,
    /// `timestamp`
    Timestamp,
    /// `array<element>`
    Array(Box<DataType>),
    /// `map<key,value>`
    Map(Box<DataType>, Box<DataType>),
    /// `struct<name:type,…>`
    Struct(Vec<Field>),
}

/// A field of a struct.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Field {
    /// As written in the file.
    pub name: std::string::String,
    /// Its type.
    pub data_type: DataType,
}

const MAX_DECIMAL_DIGITS: u8 = 38;

impl DataType {
    /// The type that holds both. Commutative, associative and idempotent, with [`DataType::Null`] as the neutral
    /// element and [`DataType::String`] as what everything can become.
    ///
    /// - Integers widen to each other, then to decimal, float and double as far as those hold them.
    /// - A date and a timestamp are a timestamp.
    /// - Structs merge by field name without regard to case. Two with the same names in the same order keep it;
    ///   otherwise the fields come out sorted by name, because only then does the order of the files not matter.
    /// - Anything else that differs is a string.
    pub fn merge(self, other: DataType) -> DataType {
        match (self, other) {
            (a, b) if a == b => a,
            (Null, t) | (t, Null) => t,
            (Array(a), Array(b)) => Array(Box::new(a.merge(*b))),
            (Map(ak, av), Map(bk, bv)) => Map(Box::new(ak.merge(*bk)), Box::new(av.merge(*bv))),
            (Struct(a), Struct(b)) => Struct(merge_fields(a, b)),
            (Date, Timestamp) | (Timestamp, Date) => Timestamp,
            (a, b) if a.is_numeric() && b.is_numeric() => merge_numbers(&a, &b),
            _ => String,
        }
    }

    /// The same type with `string` wherever nothing but nulls was seen, at any depth: what a catalog can hold.
    pub fn concrete(self) -> DataType {
        match self {
            Null => String,
            Array(element) => Array(Box::new(element.concrete())),
            Map(key, value) => Map(Box::new(key.concrete()), Box::new(value.concrete())),
            Struct(fields) => Struct(
                fields
                    .into_iter()
                    .map(|f| Field {
                        name: f.name,
                        data_type: f.data_type.concrete(),
                    })
                    .collect(),
            ),
            other => other,
        }
    }

    /// Whether it is a number.
    pub fn is_numeric(&self) -> bool {
        matches!(
            self,
            TinyInt | SmallInt | Int | BigInt | Float | Double | Decimal { .. }
        )
    }

    /// The type of one value as text, without its surroundings: `boolean`, `bigint`, `double`, `date`, `timestamp` or
    /// `string`. Empty text, `NULL`, `null` and `\N` are [`DataType::Null`]. Surrounding blanks don't count.
    ///
    /// Digits that a number would not give back as written (leading zero or plus, more than 18 of them) are a string.
    pub fn of_text(text: &str) -> DataType {
        crate::values::kind_of(text).data_type()
    }
}

/// Digits before the point and after it, for the types that are exact.
fn digits(t: &DataType) -> Option<(u8, u8)> {
    match t {
        TinyInt => Some((3, 0)),
        SmallInt => Some((5, 0)),
        Int => Some((10, 0)),
        BigInt => Some((19, 0)),
        Decimal { precision, scale } => Some((precision.saturating_sub(*scale), *scale)),
        _ => None,
    }
}

fn merge_numbers(a: &DataType, b: &DataType) -> DataType {
    match (a, b) {
        (Double, _) | (_, Double) => Double,
        // Sixteen bits fit a float's mantissa; wider integers and decimals don't.
        (Float, TinyInt | SmallInt | Float) | (TinyInt | SmallInt, Float) => Float,
        (Float, _) | (_, Float) => Double,
        _ => {
            let (Some((ai, af)), Some((bi, bf))) = (digits(a), digits(b)) else {
                return Double;
            };
            let (whole, fraction) = (ai.max(bi), af.max(bf));
            if !matches!(a, Decimal { .. }) && !matches!(b, Decimal { .. }) {
                return if ai >= bi { a.clone() } else { b.clone() };
            }
            match whole.checked_add(fraction) {
                Some(precision) if precision <= MAX_DECIMAL_DIGITS => Decimal {
                    precision,
                    scale: fraction,
                },
                _ => Double,
            }
        }
    }
}

fn merge_fields(a: Vec<Field>, b: Vec<Field>) -> Vec<Field> {
    if a.len() == b.len() && a.iter().zip(&b).all(|(x, y)| x.name == y.name) {
        return a
            .into_iter()
            .zip(b)
            .map(|(x, y)| Field {
                name: x.name,
                data_type: x.data_type.merge(y.data_type),
            })
            .collect();
    }
    let mut by_name: BTreeMap<std::string::String, Field> = BTreeMap::new();
    for field in a.into_iter().chain(b) {
        let key = field.name.to_lowercase();
        match by_name.remove(&key) {
            Some(seen) => {
                let name = seen.name.min(field.name);
                by_name.insert(
                    key,
                    Field {
                        name,
                        data_type: seen.data_type.merge(field.data_type),
                    },
                );
            }
            None => {
                by_name.insert(key, field);
            }
        }
    }
    by_name.into_values().collect()
}
