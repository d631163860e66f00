//! Hive's types as Arrow's, and back.

use std::sync::Arc;

use classifiers::DataType as Hive;
use datafusion::arrow::datatypes::{DataType as Arrow, Field, Fields, TimeUnit};

/// How timestamps are written as text: with as many digits of a second as they have.
pub(super) const TIMESTAMP: &str = "%Y-%m-%d %H:%M:%S%.f";

/// The Arrow type that a Hive type is read as. Strings are views at the top, where most work on them happens.
pub(super) fn to_arrow(hive: &Hive) -> Arrow {
    match hive {
        Hive::Null | Hive::String => Arrow::Utf8View,
        other => nested_to_arrow(other),
    }
}

/// The same of a value inside of another.
pub(super) fn nested_to_arrow(hive: &Hive) -> Arrow {
    match hive {
        Hive::Null | Hive::String => Arrow::Utf8,
        Hive::Boolean => Arrow::Boolean,
        Hive::TinyInt => Arrow::Int8,
        Hive::SmallInt => Arrow::Int16,
        Hive::Int => Arrow::Int32,
        Hive::BigInt => Arrow::Int64,
        Hive::Float => Arrow::Float32,
        Hive::Double => Arrow::Float64,
        Hive::Decimal { precision, scale } => {
            Arrow::Decimal128(*precision, i8::try_from(*scale).unwrap_or(0))
        }
        Hive::Binary => Arrow::Binary,
        Hive::Date => Arrow::Date32,
        Hive::Timestamp => Arrow::Timestamp(TimeUnit::Microsecond, None),
        Hive::Array(item) => Arrow::List(Arc::new(Field::new("item", nested_to_arrow(item), true))),
        Hive::Map(key, value) => {
            let entry = Fields::from(vec![
                Field::new("key", nested_to_arrow(key), false),
                Field::new("value", nested_to_arrow(value), true),
            ]);
            Arrow::Map(
                Arc::new(Field::new("entries", Arrow::Struct(entry), false)),
                false,
            )
        }
        Hive::Struct(fields) => Arrow::Struct(
            fields
                .iter()
                .map(|field| Field::new(&field.name, nested_to_arrow(&field.data_type), true))
                .collect(),
        ),
    }
}

/// The Hive type that an Arrow type is catalogued as.
pub(super) fn to_hive(arrow: &Arrow) -> Hive {
    match arrow {
        Arrow::Null => Hive::Null,
        Arrow::Boolean => Hive::Boolean,
        Arrow::Int8 => Hive::TinyInt,
        Arrow::Int16 | Arrow::UInt8 => Hive::SmallInt,
        Arrow::Int32 | Arrow::UInt16 => Hive::Int,
        Arrow::Int64 | Arrow::UInt32 | Arrow::Duration(_) => Hive::BigInt,
        Arrow::UInt64 => Hive::Decimal {
            precision: 20,
            scale: 0,
        },
        Arrow::Float16 | Arrow::Float32 => Hive::Float,
        Arrow::Float64 => Hive::Double,
        Arrow::Decimal32(precision, scale)
        | Arrow::Decimal64(precision, scale)
        | Arrow::Decimal128(precision, scale)
        | Arrow::Decimal256(precision, scale) => Hive::Decimal {
            precision: (*precision).min(38),
            scale: u8::try_from(*scale).unwrap_or(0),
        },
        Arrow::Binary | Arrow::LargeBinary | Arrow::BinaryView | Arrow::FixedSizeBinary(_) => Hive::Binary,
        Arrow::Date32 | Arrow::Date64 => Hive::Date,
        Arrow::Timestamp(_, _) => Hive::Timestamp,
        Arrow::List(item)
        | Arrow::LargeList(item)
        | Arrow::ListView(item)
        | Arrow::LargeListView(item)
        | Arrow::FixedSizeList(item, _) => Hive::Array(Box::new(to_hive(item.data_type()))),
        Arrow::Map(entries, _) => match entries.data_type() {
            Arrow::Struct(fields) if fields.len() == 2 => Hive::Map(
                Box::new(to_hive(fields[0].data_type())),
                Box::new(to_hive(fields[1].data_type())),
            ),
            _ => Hive::String,
        },
        Arrow::Struct(fields) => Hive::Struct(
            fields
                .iter()
                .map(|field| classifiers::Field {
                    name: field.name().clone(),
                    data_type: to_hive(field.data_type()),
                })
                .collect(),
        ),
        Arrow::Dictionary(_, value) => to_hive(value),
        Arrow::RunEndEncoded(_, value) => to_hive(value.data_type()),
        // Text, and times of day and intervals, which Hive has no type for.
        _ => Hive::String,
    }
}

/// What a column loses when it is read as the type that it is catalogued as, where it may lose something.
pub(super) fn loss(arrow: &Arrow) -> Option<&'static str> {
    match arrow {
        Arrow::Timestamp(TimeUnit::Nanosecond, Some(_)) => {
            Some("its nanoseconds are cut to microseconds, and its time zone is read as UTC")
        }
        Arrow::Timestamp(TimeUnit::Nanosecond, None) => Some("its nanoseconds are cut to microseconds"),
        Arrow::Timestamp(_, Some(_)) => Some("its time zone is read as UTC"),
        Arrow::Date64 => Some("its time of day is cut"),
        Arrow::Decimal256(precision, _) if *precision > 38 => {
            Some("it has more than 38 digits, and values that need them can't be read")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hive_types_survive_arrow() {
        for text in [
            "bigint",
            "decimal(10,2)",
            "array<struct<a:int,b:map<string,date>>>",
            "timestamp",
            "binary",
        ] {
            let hive: Hive = text.parse().unwrap();
            assert_eq!(to_hive(&to_arrow(&hive)).to_string(), text);
        }
    }
}
