//! An Avro schema to Hive types, as Hive's Avro SerDe and Spark read it.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::{malformed, too_large};
use crate::limits::{AVRO_DEPTH, AVRO_TYPES, COLUMNS, NAME_BYTES};
use crate::{ClassifyError, ClassifyErrorKind, Column, DataType, Field};

/// The columns of a file.
pub(super) struct Table {
    /// What the schema calls a row.
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
}

struct Mapped {
    data_type: DataType,
    reason: String,
    nullable: bool,
}

fn mapped(data_type: DataType, reason: impl Into<String>) -> Mapped {
    Mapped {
        data_type,
        reason: reason.into(),
        nullable: false,
    }
}

/// Reads a schema. One that is not a record makes one column, `value`, as in Spark.
///
/// # Errors
///
/// Malformed, TooLarge, or Unsupported for a type that contains itself.
pub(super) fn table(schema: &str) -> Result<Table, ClassifyError> {
    let schema: Value =
        serde_json::from_str(schema).map_err(|e| malformed(&format!("its schema is not JSON ({e})")))?;
    let mut types = Types {
        named: HashMap::new(),
        open: Vec::new(),
        count: 0,
    };
    if let Some(record) = schema.as_object().filter(|record| is_record(record)) {
        let (name, namespace) = full_name(record, "")?;
        let columns = types.define(record, &name, &namespace, 0, |types| {
            types.fields(record, &namespace, 1)
        })?;
        let columns = columns.into_iter().map(column).collect();
        return Ok(Table {
            name: format!("record {name}"),
            columns,
        });
    }
    let mapped = types.of(&schema, "", 0)?;
    Ok(Table {
        name: "values without a record around them, so they are one column".to_owned(),
        columns: vec![column(("value".to_owned(), mapped))],
    })
}

fn column((name, mapped): (String, Mapped)) -> Column {
    Column {
        name,
        nullable: mapped.nullable || mapped.data_type == DataType::Null,
        data_type: mapped.data_type,
        reason: mapped.reason,
    }
}

fn is_record(schema: &Map<String, Value>) -> bool {
    matches!(text(schema, "type"), Some("record" | "error"))
}

fn text<'a>(schema: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    schema.get(key).and_then(Value::as_str)
}

/// The full name of a named type and its namespace, given the namespace around it.
fn full_name(schema: &Map<String, Value>, around: &str) -> Result<(String, String), ClassifyError> {
    let name = text(schema, "name").ok_or_else(|| malformed("a named type of its schema has no name"))?;
    if let Some((namespace, _)) = name.rsplit_once('.') {
        return Ok((name.to_owned(), namespace.to_owned()));
    }
    let namespace = text(schema, "namespace").unwrap_or(around);
    Ok((qualified(name, namespace), namespace.to_owned()))
}

fn qualified(name: &str, namespace: &str) -> String {
    if namespace.is_empty() || name.contains('.') {
        name.to_owned()
    } else {
        format!("{namespace}.{name}")
    }
}

/// The types that were named so far.
struct Types<'s> {
    named: HashMap<String, (&'s Map<String, Value>, String)>,
    /// The records around the place being read.
    open: Vec<String>,
    count: usize,
}

impl<'s> Types<'s> {
    fn of(&mut self, schema: &'s Value, namespace: &str, depth: usize) -> Result<Mapped, ClassifyError> {
        self.count += 1;
        if self.count > AVRO_TYPES {
            return Err(too_large(&format!("its schema has more than {AVRO_TYPES} types")));
        }
        if depth > AVRO_DEPTH {
            return Err(too_large(&format!(
                "its schema is more than {AVRO_DEPTH} levels deep"
            )));
        }
        match schema {
            Value::String(name) => self.by_name(name, namespace, depth),
            Value::Array(branches) => self.union(branches, namespace, depth),
            Value::Object(schema) => self.object(schema, namespace, depth),
            _ => Err(malformed(
                "a type of its schema is neither text, an object nor an array",
            )),
        }
    }

    fn by_name(&mut self, name: &str, namespace: &str, depth: usize) -> Result<Mapped, ClassifyError> {
        if let Some(data_type) = primitive(name) {
            return Ok(mapped(data_type, name));
        }
        let full = qualified(name, namespace);
        let found = [full.as_str(), name]
            .into_iter()
            .find_map(|name| Some((name.to_owned(), self.named.get(name)?.clone())));
        let Some((full, (schema, namespace))) = found else {
            return Err(malformed(&format!(
                "its schema uses {full:?}, which it doesn't define"
            )));
        };
        if self.open.contains(&full) {
            let message = format!(
                "the Avro schema is recursive: {full:?} contains itself, and a table has no type for that; cut the \
                 recursion when writing the file"
            );
            return Err(ClassifyError::new(ClassifyErrorKind::Unsupported, message));
        }
        self.definition(schema, &full, &namespace, depth)
    }

    /// Runs `read` with the name known and open.
    fn define<T>(
        &mut self,
        schema: &'s Map<String, Value>,
        name: &str,
        namespace: &str,
        depth: usize,
        read: impl FnOnce(&mut Self) -> Result<T, ClassifyError>,
    ) -> Result<T, ClassifyError> {
        if depth > AVRO_DEPTH {
            return Err(too_large(&format!(
                "its schema is more than {AVRO_DEPTH} levels deep"
            )));
        }
        self.named.insert(name.to_owned(), (schema, namespace.to_owned()));
        self.open.push(name.to_owned());
        let result = read(self);
        self.open.pop();
        result
    }

    fn object(
        &mut self,
        schema: &'s Map<String, Value>,
        namespace: &str,
        depth: usize,
    ) -> Result<Mapped, ClassifyError> {
        let inner = schema
            .get("type")
            .ok_or_else(|| malformed("a type of its schema has no \"type\""))?;
        match inner.as_str() {
            Some("record" | "error" | "enum" | "fixed") => {
                let (name, namespace) = full_name(schema, namespace)?;
                self.definition(schema, &name, &namespace, depth)
            }
            Some("array") => {
                let items = schema
                    .get("items")
                    .ok_or_else(|| malformed("an array has no \"items\""))?;
                let items = self.of(items, namespace, depth + 1)?;
                let reason = format!("array of {}", items.reason);
                Ok(mapped(DataType::Array(Box::new(items.data_type)), reason))
            }
            Some("map") => {
                let values = schema
                    .get("values")
                    .ok_or_else(|| malformed("a map has no \"values\""))?;
                let values = self.of(values, namespace, depth + 1)?;
                let reason = format!("map of {}", values.reason);
                let key = Box::new(DataType::String);
                Ok(mapped(DataType::Map(key, Box::new(values.data_type)), reason))
            }
            Some(name) => match logical(schema, name) {
                Some(mapped) => Ok(mapped),
                None => self.by_name(name, namespace, depth),
            },
            // A type may be wrapped once more.
            None => self.of(inner, namespace, depth + 1),
        }
    }

    fn definition(
        &mut self,
        schema: &'s Map<String, Value>,
        name: &str,
        namespace: &str,
        depth: usize,
    ) -> Result<Mapped, ClassifyError> {
        let short = name.rsplit('.').next().unwrap_or(name);
        match text(schema, "type") {
            Some("enum") => {
                self.named.insert(name.to_owned(), (schema, namespace.to_owned()));
                let symbols = schema
                    .get("symbols")
                    .and_then(Value::as_array)
                    .map_or(0, Vec::len);
                Ok(mapped(
                    DataType::String,
                    format!("enum {short} of {symbols} symbols"),
                ))
            }
            Some("fixed") => {
                self.named.insert(name.to_owned(), (schema, namespace.to_owned()));
                let fixed = || {
                    mapped(
                        DataType::Binary,
                        format!("fixed {short} of {} bytes", size(schema)),
                    )
                };
                Ok(logical(schema, "fixed").unwrap_or_else(fixed))
            }
            _ => self.define(schema, name, namespace, depth, |types| {
                let fields = types.fields(schema, namespace, depth + 1)?;
                let fields = fields.into_iter().map(|(name, mapped)| Field {
                    name,
                    data_type: mapped.data_type,
                });
                Ok(mapped(
                    DataType::Struct(fields.collect()),
                    format!("record {short}"),
                ))
            }),
        }
    }

    fn fields(
        &mut self,
        record: &'s Map<String, Value>,
        namespace: &str,
        depth: usize,
    ) -> Result<Vec<(String, Mapped)>, ClassifyError> {
        let fields = record
            .get("fields")
            .and_then(Value::as_array)
            .ok_or_else(|| malformed("a record of its schema has no \"fields\""))?;
        if fields.len() > COLUMNS {
            return Err(too_large(&format!(
                "a record of its schema has {} fields; at most {COLUMNS} are read",
                fields.len()
            )));
        }
        fields
            .iter()
            .map(|field| {
                let field = field
                    .as_object()
                    .ok_or_else(|| malformed("a field of its schema is not an object"))?;
                let name =
                    text(field, "name").ok_or_else(|| malformed("a field of its schema has no name"))?;
                if name.len() > NAME_BYTES {
                    return Err(too_large(&format!(
                        "a field's name has {} bytes; at most {NAME_BYTES} are read",
                        name.len()
                    )));
                }
                let schema = field
                    .get("type")
                    .ok_or_else(|| malformed(&format!("the field {name:?} of its schema has no type")))?;
                Ok((name.to_owned(), self.of(schema, namespace, depth)?))
            })
            .collect()
    }

    /// A union with null is nullable. Numbers of one kind become the wider one, as in Spark; other unions become a
    /// struct with a field for each branch, of which one is set, as in Spark.
    fn union(
        &mut self,
        branches: &'s [Value],
        namespace: &str,
        depth: usize,
    ) -> Result<Mapped, ClassifyError> {
        let is_null = |branch: &&Value| {
            branch.as_str() == Some("null") || branch.get("type").and_then(Value::as_str) == Some("null")
        };
        let nullable = branches.iter().any(|branch| is_null(&branch));
        let mut others = branches
            .iter()
            .filter(|branch| !is_null(branch))
            .map(|branch| self.of(branch, namespace, depth + 1))
            .collect::<Result<Vec<_>, _>>()?;
        let mut union = match others.len() {
            0 => mapped(DataType::Null, "null: no value can be anything else"),
            1 => others.remove(0),
            _ => joined(others),
        };
        if nullable {
            union.nullable = true;
            if union.data_type != DataType::Null {
                union.reason.push_str(", or null");
            }
        }
        Ok(union)
    }
}

fn joined(branches: Vec<Mapped>) -> Mapped {
    let names: Vec<&str> = branches.iter().map(|branch| branch.reason.as_str()).collect();
    let names = names.join(", ");
    let nullable = branches.iter().any(|branch| branch.nullable);
    let all = |types: [DataType; 2]| branches.iter().all(|branch| types.contains(&branch.data_type));
    let (data_type, why) = if all([DataType::Int, DataType::BigInt]) {
        (DataType::BigInt, "of which bigint is the wider")
    } else if all([DataType::Float, DataType::Double]) {
        (DataType::Double, "of which double is the wider")
    } else {
        let fields = branches.into_iter().enumerate().map(|(at, branch)| Field {
            name: format!("member{at}"),
            data_type: branch.data_type,
        });
        let data_type = DataType::Struct(fields.collect());
        (data_type, "as a struct of which one member is set")
    };
    Mapped {
        data_type,
        reason: format!("union of {names}, {why}"),
        nullable,
    }
}

fn primitive(name: &str) -> Option<DataType> {
    Some(match name {
        "null" => DataType::Null,
        "boolean" => DataType::Boolean,
        "int" => DataType::Int,
        "long" => DataType::BigInt,
        "float" => DataType::Float,
        "double" => DataType::Double,
        "bytes" => DataType::Binary,
        "string" => DataType::String,
        _ => return None,
    })
}

fn size(schema: &Map<String, Value>) -> u64 {
    schema.get("size").and_then(Value::as_u64).unwrap_or(0)
}

/// What a logical type makes of a type. The specification says to ignore one that doesn't fit.
fn logical(schema: &Map<String, Value>, base: &str) -> Option<Mapped> {
    let logical = text(schema, "logicalType")?;
    let simple = |data_type| Some(mapped(data_type, format!("{base} {logical}")));
    match (base, logical) {
        ("int", "date") => simple(DataType::Date),
        (
            "long",
            "timestamp-millis"
            | "timestamp-micros"
            | "timestamp-nanos"
            | "local-timestamp-millis"
            | "local-timestamp-micros"
            | "local-timestamp-nanos",
        ) => simple(DataType::Timestamp),
        ("int", "time-millis") => Some(mapped(
            DataType::Int,
            "int time-millis, in milliseconds since midnight",
        )),
        ("long", "time-micros") => Some(mapped(
            DataType::BigInt,
            "long time-micros, in microseconds since midnight",
        )),
        ("string", "uuid") => simple(DataType::String),
        ("fixed", "uuid") => simple(DataType::Binary),
        ("fixed", "duration") => Some(mapped(DataType::Binary, "fixed duration, which has no Hive type")),
        ("bytes" | "fixed", "decimal") => decimal(schema, base),
        _ => None,
    }
}

fn decimal(schema: &Map<String, Value>, base: &str) -> Option<Mapped> {
    let number = |key| schema.get(key).map_or(Some(0), Value::as_u64);
    let (precision, scale) = (number("precision")?, number("scale")?);
    let text = format!("{base} decimal({precision},{scale})");
    match (u8::try_from(precision), u8::try_from(scale)) {
        (Ok(precision @ 1..=38), Ok(scale)) if scale <= precision => {
            Some(mapped(DataType::Decimal { precision, scale }, text))
        }
        (Ok(0), _) => None,
        _ => Some(mapped(
            DataType::Binary,
            format!("{text}, which is outside Hive's 38 digits"),
        )),
    }
}
