//! Parquet's schema elements to Hive types: a flat list back to a tree, and the several ways in which writers have
//! spelled lists and maps.

use super::footer::{Annotation, Element, Physical, Repetition};
use super::thrift::{malformed, too_large};
use crate::limits::PARQUET_DEPTH;
use crate::{ClassifyError, Column, DataType, Field};

/// A node with its children.
struct Node<'a> {
    element: &'a Element,
    children: Vec<Node<'a>>,
}

/// A type and what there is to say about it.
struct Mapped {
    data_type: DataType,
    reason: String,
}

fn mapped(data_type: DataType, reason: impl Into<String>) -> Mapped {
    Mapped {
        data_type,
        reason: reason.into(),
    }
}

/// The columns of a schema.
///
/// # Errors
///
/// Malformed when the elements are not one tree, TooLarge when it is too deep.
pub(crate) fn columns(elements: &[Element]) -> Result<Vec<Column>, ClassifyError> {
    let mut rest = elements;
    let root = node(&mut rest, 0)?;
    if !rest.is_empty() {
        return Err(malformed(&format!(
            "{} elements of its schema belong to no group",
            rest.len()
        )));
    }
    if root.element.physical.is_some() {
        return Err(malformed("the root of its schema is a column"));
    }
    Ok(root.children.iter().map(column).collect())
}

fn node<'a>(rest: &mut &'a [Element], depth: usize) -> Result<Node<'a>, ClassifyError> {
    if depth > PARQUET_DEPTH {
        return Err(too_large(&format!(
            "its schema is more than {PARQUET_DEPTH} levels deep"
        )));
    }
    let (element, after) = rest
        .split_first()
        .ok_or_else(|| malformed("its schema ends too early"))?;
    *rest = after;
    if element.children > rest.len() {
        let (name, children, left) = (&element.name, element.children, rest.len());
        return Err(malformed(&format!(
            "{name:?} announces {children} children where {left} elements are left"
        )));
    }
    if element.children > 0 && element.physical.is_some() {
        return Err(malformed(&format!("{:?} is a column and a group", element.name)));
    }
    let children = (0..element.children)
        .map(|_| node(rest, depth + 1))
        .collect::<Result<_, _>>()?;
    Ok(Node { element, children })
}

fn column(node: &Node<'_>) -> Column {
    let Mapped {
        data_type,
        mut reason,
    } = with_repetition(node);
    let nullable = node.element.repetition == Repetition::Optional;
    reason.push_str(if nullable { ", optional" } else { ", required" });
    Column {
        name: node.element.name.clone(),
        data_type,
        nullable,
        reason,
    }
}

/// A repeated field outside of a list is a list itself.
fn with_repetition(node: &Node<'_>) -> Mapped {
    let inner = of_node(node);
    if node.element.repetition == Repetition::Repeated {
        let reason = format!("repeated {}, without a list around it", inner.reason);
        return mapped(DataType::Array(Box::new(inner.data_type)), reason);
    }
    inner
}

fn of_node(node: &Node<'_>) -> Mapped {
    let annotation = node.element.annotation;
    let Some(physical) = node.element.physical else {
        return match annotation {
            Some(Annotation::List) => list(node),
            Some(Annotation::Map) => map(node),
            Some(Annotation::Variant) => mapped(structure(node), "VARIANT, whose two binary parts are shown"),
            _ => mapped(structure(node), "group"),
        };
    };
    primitive(physical, annotation)
}

fn structure(node: &Node<'_>) -> DataType {
    let field = |child: &Node<'_>| Field {
        name: child.element.name.clone(),
        data_type: with_repetition(child).data_type,
    };
    DataType::Struct(node.children.iter().map(field).collect())
}

/// The rules of the format's "backward-compatibility" section, in its order.
fn list(node: &Node<'_>) -> Mapped {
    let [repeated] = node.children.as_slice() else {
        return mapped(
            structure(node),
            "LIST that is not built like one, so it is read as a group",
        );
    };
    if repeated.element.repetition != Repetition::Repeated {
        return mapped(
            structure(node),
            "LIST without a repeated field, so it is read as a group",
        );
    }
    let array = |element: Mapped, how: &str| mapped(DataType::Array(Box::new(element.data_type)), how);
    if repeated.element.physical.is_some() {
        return array(of_node(repeated), "LIST of two levels");
    }
    match repeated.children.as_slice() {
        [only] => {
            let name = &repeated.element.name;
            let element_is_group = name == "array"
                || *name == format!("{}_tuple", node.element.name)
                || only.element.repetition == Repetition::Repeated
                || matches!(
                    repeated.element.annotation,
                    Some(Annotation::List | Annotation::Map)
                );
            if element_is_group {
                return array(of_node(repeated), "LIST of two levels");
            }
            array(with_repetition(only), "LIST")
        }
        _ => array(of_node(repeated), "LIST of two levels"),
    }
}

fn map(node: &Node<'_>) -> Mapped {
    let [entries] = node.children.as_slice() else {
        return mapped(
            structure(node),
            "MAP that is not built like one, so it is read as a group",
        );
    };
    if entries.element.repetition != Repetition::Repeated {
        return mapped(
            structure(node),
            "MAP without a repeated field, so it is read as a group",
        );
    }
    match entries.children.as_slice() {
        [key, value] => {
            let (key, value) = (with_repetition(key).data_type, with_repetition(value).data_type);
            mapped(DataType::Map(Box::new(key), Box::new(value)), "MAP")
        }
        [key] => {
            let keys = DataType::Array(Box::new(with_repetition(key).data_type));
            mapped(keys, "MAP without values, so it is a list of its keys")
        }
        _ => mapped(
            DataType::Array(Box::new(structure(entries))),
            "MAP whose entries are not keys and values",
        ),
    }
}

fn primitive(physical: Physical, annotation: Option<Annotation>) -> Mapped {
    if annotation == Some(Annotation::Null) {
        return mapped(
            DataType::Null,
            "null-typed (logical type UNKNOWN): the file holds only nulls",
        );
    }
    if let Some(Annotation::Decimal { precision, scale }) = annotation {
        return decimal(physical, precision, scale);
    }
    match (physical, annotation) {
        (Physical::Boolean, _) => mapped(DataType::Boolean, "BOOLEAN"),
        (Physical::Float, _) => mapped(DataType::Float, "FLOAT"),
        (Physical::Double, _) => mapped(DataType::Double, "DOUBLE"),
        (Physical::Int96, _) => mapped(DataType::Timestamp, "INT96, the old way to write a timestamp"),
        (Physical::Int32, Some(Annotation::Date)) => mapped(DataType::Date, "INT32 DATE"),
        (Physical::Int32, Some(Annotation::Time)) => {
            mapped(DataType::Int, "INT32 TIME, in milliseconds since midnight")
        }
        (Physical::Int64, Some(Annotation::Time)) => mapped(
            DataType::BigInt,
            "INT64 TIME, in micro- or nanoseconds since midnight",
        ),
        (Physical::Int64, Some(Annotation::Timestamp { nanos: false })) => {
            mapped(DataType::Timestamp, "INT64 TIMESTAMP")
        }
        (Physical::Int64, Some(Annotation::Timestamp { nanos: true })) => mapped(
            DataType::Timestamp,
            "INT64 TIMESTAMP in nanoseconds, which Hive, Glue and Athena read as bigint",
        ),
        (Physical::Int32 | Physical::Int64, Some(Annotation::Integer { bits, signed })) => {
            integer(bits, signed)
        }
        (Physical::Int32, _) => mapped(DataType::Int, "INT32"),
        (Physical::Int64, _) => mapped(DataType::BigInt, "INT64"),
        (Physical::ByteArray, Some(Annotation::Text)) => mapped(DataType::String, "BYTE_ARRAY STRING"),
        (Physical::ByteArray, Some(Annotation::Enum)) => mapped(DataType::String, "BYTE_ARRAY ENUM"),
        (Physical::ByteArray, Some(Annotation::Json)) => mapped(DataType::String, "BYTE_ARRAY JSON"),
        (Physical::ByteArray, Some(Annotation::Bson)) => mapped(DataType::Binary, "BYTE_ARRAY BSON"),
        (Physical::ByteArray, Some(Annotation::Geo)) => mapped(DataType::Binary, "BYTE_ARRAY geometry"),
        (Physical::ByteArray, _) => mapped(DataType::Binary, "BYTE_ARRAY that is not marked as text"),
        (Physical::FixedLenByteArray, Some(Annotation::Uuid)) => mapped(DataType::String, "UUID"),
        (Physical::FixedLenByteArray, Some(Annotation::Float16)) => mapped(DataType::Float, "FLOAT16"),
        (Physical::FixedLenByteArray, Some(Annotation::Interval)) => {
            mapped(DataType::Binary, "INTERVAL, which has no Hive type")
        }
        (Physical::FixedLenByteArray, _) => mapped(DataType::Binary, "FIXED_LEN_BYTE_ARRAY"),
    }
}

fn integer(bits: u8, signed: bool) -> Mapped {
    let (data_type, why) = match (bits, signed) {
        (8, true) => (DataType::TinyInt, ""),
        (16, true) => (DataType::SmallInt, ""),
        (32, true) => (DataType::Int, ""),
        (8, false) => (DataType::SmallInt, ", the next wider type that holds it"),
        (16, false) => (DataType::Int, ", the next wider type that holds it"),
        (32, false) => (DataType::BigInt, ", the next wider type that holds it"),
        (64, false) => (
            DataType::Decimal {
                precision: 20,
                scale: 0,
            },
            ", which bigint does not hold",
        ),
        _ => (DataType::BigInt, ""),
    };
    mapped(
        data_type,
        format!("{}INT_{bits}{why}", if signed { "" } else { "U" }),
    )
}

fn decimal(physical: Physical, precision: i32, scale: i32) -> Mapped {
    let text = format!("{physical:?} DECIMAL({precision},{scale})");
    match (u8::try_from(precision), u8::try_from(scale)) {
        (Ok(precision @ 1..=38), Ok(scale)) if scale <= precision => {
            mapped(DataType::Decimal { precision, scale }, text)
        }
        _ => mapped(
            DataType::Binary,
            format!("{text}, which is outside Hive's 38 digits"),
        ),
    }
}
