//! ORC's type tree to Hive types.

use super::footer::Type;
use super::{malformed, too_large};
use crate::limits::{COLUMNS, ORC_DEPTH, ORC_TYPES};
use crate::{ClassifyError, Column, DataType, Field};

const STRUCT: u64 = 12;

/// The columns of a file. One whose root is not a struct has one column, `value`.
///
/// # Errors
///
/// Malformed when the types are not one tree, TooLarge when it is too deep or too wide.
pub(super) fn columns(types: &[Type]) -> Result<Vec<Column>, ClassifyError> {
    let Some(root) = types.first() else {
        return Err(malformed("it has no schema"));
    };
    let mut tree = Tree { types, visited: 0 };
    if root.kind != STRUCT {
        let (data_type, reason) = tree.of(0, 0)?;
        let reason = format!("{reason}, without a struct around it");
        return Ok(vec![column("value", data_type, reason)]);
    }
    if root.children.len() > COLUMNS {
        return Err(too_large(&format!(
            "its schema has {} columns; at most {COLUMNS} are read",
            root.children.len()
        )));
    }
    tree.named(root)?
        .into_iter()
        .map(|(name, child)| {
            let (data_type, reason) = tree.of(child, 1)?;
            Ok(column(name, data_type, reason))
        })
        .collect()
}

/// Every column of ORC may hold nulls.
fn column(name: &str, data_type: DataType, reason: String) -> Column {
    Column {
        name: name.to_owned(),
        data_type,
        nullable: true,
        reason,
    }
}

struct Tree<'a> {
    types: &'a [Type],
    /// A tree visits each type once. A graph that shares or repeats types could be visited for ever.
    visited: usize,
}

impl<'a> Tree<'a> {
    fn named(&self, parent: &'a Type) -> Result<Vec<(&'a str, usize)>, ClassifyError> {
        if parent.names.len() != parent.children.len() {
            return Err(malformed(&format!(
                "a struct of its schema has {} names for {} fields",
                parent.names.len(),
                parent.children.len()
            )));
        }
        let names = parent.names.iter().map(String::as_str);
        Ok(names.zip(parent.children.iter().copied()).collect())
    }

    fn of(&mut self, at: usize, depth: usize) -> Result<(DataType, String), ClassifyError> {
        let node = self
            .types
            .get(at)
            .ok_or_else(|| malformed(&format!("its schema refers to type {at}, which is not there")))?;
        self.visited += 1;
        if self.visited > self.types.len() || self.visited > ORC_TYPES {
            return Err(malformed(
                "its types are not a tree: one is part of several others, or of itself",
            ));
        }
        if depth > ORC_DEPTH {
            return Err(too_large(&format!(
                "its schema is more than {ORC_DEPTH} levels deep"
            )));
        }
        Ok(match node.kind {
            10 => {
                let element = self.only_child(node, "list", depth)?;
                (DataType::Array(Box::new(element)), "list".to_owned())
            }
            11 => {
                let &[key, value] = node.children.as_slice() else {
                    return Err(malformed(&format!(
                        "a map has {} types instead of two",
                        node.children.len()
                    )));
                };
                let (key, value) = (self.of(key, depth + 1)?.0, self.of(value, depth + 1)?.0);
                (DataType::Map(Box::new(key), Box::new(value)), "map".to_owned())
            }
            STRUCT => {
                let mut fields = Vec::with_capacity(node.children.len());
                for (name, child) in self.named(node)? {
                    fields.push(Field {
                        name: name.to_owned(),
                        data_type: self.of(child, depth + 1)?.0,
                    });
                }
                (DataType::Struct(fields), "struct".to_owned())
            }
            13 => self.union(node, depth)?,
            14 => decimal(node),
            kind => primitive(kind, node.length)?,
        })
    }

    fn only_child(&mut self, node: &Type, what: &str, depth: usize) -> Result<DataType, ClassifyError> {
        let &[child] = node.children.as_slice() else {
            return Err(malformed(&format!(
                "a {what} has {} types instead of one",
                node.children.len()
            )));
        };
        Ok(self.of(child, depth + 1)?.0)
    }

    /// A union as a struct of which one member is set, as unions of Avro are.
    fn union(&mut self, node: &Type, depth: usize) -> Result<(DataType, String), ClassifyError> {
        let mut fields = Vec::new();
        for (at, &child) in node.children.iter().enumerate() {
            fields.push(Field {
                name: format!("member{at}"),
                data_type: self.of(child, depth + 1)?.0,
            });
        }
        let reason = format!(
            "union of {} types, as a struct of which one member is set",
            fields.len()
        );
        Ok((DataType::Struct(fields), reason))
    }
}

fn primitive(kind: u64, length: u64) -> Result<(DataType, String), ClassifyError> {
    let (data_type, reason) = match kind {
        0 => (DataType::Boolean, "boolean"),
        1 => (DataType::TinyInt, "byte"),
        2 => (DataType::SmallInt, "short"),
        3 => (DataType::Int, "int"),
        4 => (DataType::BigInt, "long"),
        5 => (DataType::Float, "float"),
        6 => (DataType::Double, "double"),
        7 => (DataType::String, "string"),
        8 => (DataType::Binary, "binary"),
        9 => (DataType::Timestamp, "timestamp"),
        15 => (DataType::Date, "date"),
        16 => return Ok((DataType::String, format!("varchar({length})"))),
        17 => return Ok((DataType::String, format!("char({length})"))),
        18 => (DataType::Timestamp, "timestamp with local time zone"),
        19 => (DataType::Binary, "geometry"),
        20 => (DataType::Binary, "geography"),
        other => return Err(malformed(&format!("type {other} does not exist"))),
    };
    Ok((data_type, reason.to_owned()))
}

/// Without a precision it was written by Hive 0.11 or 0.12, where every decimal had up to 38 digits of any scale; ORC's
/// own reader takes ten of them as the fraction.
fn decimal(node: &Type) -> (DataType, String) {
    let (Some(precision), scale) = (node.precision.filter(|p| *p > 0), node.scale.unwrap_or(0)) else {
        let (precision, scale) = (38, 10);
        let reason = "decimal without a precision, as Hive 0.11 wrote it".to_owned();
        return (DataType::Decimal { precision, scale }, reason);
    };
    let text = format!("decimal({precision},{scale})");
    match (u8::try_from(precision), u8::try_from(scale)) {
        (Ok(precision @ 1..=38), Ok(scale)) if scale <= precision => {
            (DataType::Decimal { precision, scale }, text)
        }
        _ => (
            DataType::String,
            format!("{text}, which is outside Hive's 38 digits"),
        ),
    }
}
