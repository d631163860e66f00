//! What the values at one place of many JSON documents were. Documents are read straight into it, without a tree in
//! between, so a document costs no more memory than the names that are new in it.

use std::collections::HashMap;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::maps::values_of_map;
use crate::column::quoted;
use crate::limits::{JSON_FIELDS, JSON_STRUCT_FIELDS, NAME_BYTES};
use crate::values::{Kind, kind_of};
use crate::{DataType, Field};

/// The scalars that JSON has, as finely as types need.
const SCALARS: [DataType; 6] = [
    DataType::Boolean,
    DataType::Int,
    DataType::BigInt,
    DataType::Decimal {
        precision: 20,
        scale: 0,
    },
    DataType::Double,
    DataType::String,
];
const BOOLEAN: usize = 0;
const INT: usize = 1;
const BIGINT: usize = 2;
const HUGE_INTEGER: usize = 3;
const DOUBLE: usize = 4;
const TEXT: usize = 5;

/// What is counted beside the shape itself.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// The row being read, from 1.
    pub(crate) row: u64,
    /// Names in the shape so far, at any depth.
    fields: usize,
    /// Names too long to keep.
    pub(crate) long_names: u64,
    pub(crate) too_many_fields: bool,
}

#[derive(Debug, Clone, Default)]
struct Tally {
    count: u64,
    first: Option<(String, u64)>,
}

/// The values seen at one place.
#[derive(Debug, Default)]
pub(crate) struct Shape {
    nulls: u64,
    scalars: [Tally; SCALARS.len()],
    /// What all texts would be if they were cells of a CSV; `None` before the first.
    text_kind: Option<Kind>,
    arrays: Tally,
    elements: Option<Box<Shape>>,
    objects: Tally,
    object: Option<Box<ObjectShape>>,
}

/// The fields of the objects seen at one place.
#[derive(Debug, Default)]
pub(crate) struct ObjectShape {
    pub(crate) fields: Vec<NamedShape>,
    by_name: HashMap<String, usize>,
    /// Stands for every field once there are too many names for a struct.
    as_map: Option<Box<Shape>>,
}

/// A field: names that differ only in case are one.
#[derive(Debug)]
pub(crate) struct NamedShape {
    pub(crate) name: String,
    pub(crate) other_spelling: Option<String>,
    pub(crate) shape: Shape,
}

impl Shape {
    fn scalar(&mut self, kind: usize, row: u64, text: impl FnOnce() -> String) {
        let Some(tally) = self.scalars.get_mut(kind) else {
            return;
        };
        tally.count += 1;
        if tally.first.is_none() {
            tally.first = Some((text(), row));
        }
    }

    /// The type that holds every value.
    pub(crate) fn data_type(&self) -> DataType {
        let scalars = SCALARS
            .iter()
            .zip(&self.scalars)
            .filter(|(_, tally)| tally.count > 0);
        let mut merged = scalars.fold(DataType::Null, |merged, (scalar, _)| merged.merge(scalar.clone()));
        if self.arrays.count > 0 {
            let element = self
                .elements
                .as_ref()
                .map_or(DataType::Null, |shape| shape.data_type());
            merged = merged.merge(DataType::Array(Box::new(element)));
        }
        if let Some(object) = &self.object {
            merged = merged.merge(object.data_type(self.objects.count));
        }
        merged
    }

    /// Values that are not null.
    pub(crate) fn values(&self) -> u64 {
        self.scalars.iter().map(|tally| tally.count).sum::<u64>() + self.arrays.count + self.objects.count
    }

    pub(crate) fn nulls(&self) -> u64 {
        self.nulls
    }

    /// Why it has its type, in words.
    pub(crate) fn reason(&self, data_type: &DataType) -> String {
        let values = self.values();
        if values == 0 {
            return if self.nulls == 0 {
                "no value was seen".to_owned()
            } else {
                format!("all {} values are null", self.nulls)
            };
        }
        let mut kinds: Vec<(u64, &str, &Tally)> = Vec::new();
        let words = [
            "boolean",
            "integers of 32 bits",
            "integers of 64 bits",
            "integers of more than 63 bits",
            "numbers \
            with a fraction, an exponent or more than 64 bits",
            "text",
        ];
        for (word, tally) in words
            .into_iter()
            .zip(&self.scalars)
            .chain([("arrays", &self.arrays), ("objects", &self.objects)])
        {
            if tally.count > 0 {
                kinds.push((tally.count, word, tally));
            }
        }
        kinds.sort_by_key(|(count, _, _)| std::cmp::Reverse(*count));
        match kinds.as_slice() {
            [(count, word, _)] => {
                let mut reason = format!("{count} of {values} values are {word}");
                reason.push_str(&self.remark());
                reason
            }
            [(count, word, _), others @ ..] => {
                let others: Vec<String> = others
                    .iter()
                    .filter_map(|(count, word, tally)| {
                        let (text, row) = tally.first.as_ref()?;
                        Some(format!("{count} are {word}, such as {text} (row {row})"))
                    })
                    .collect();
                format!(
                    "{count} of {values} values are {word}, but {}: {data_type} holds them all",
                    others.join(", ")
                )
            }
            [] => String::new(),
        }
    }

    /// What else a person should know of values that are all texts, or all objects.
    fn remark(&self) -> String {
        let entry = self
            .object
            .as_ref()
            .and_then(|object| object.example_of_map(self.objects.count));
        if let Some(name) = entry {
            return format!(
                "; their names are data (such as {}), so they are maps",
                quoted(name)
            );
        }
        match self.text_kind {
            Some(Kind::Date) => "; each could be read as a date".to_owned(),
            Some(Kind::Timestamp) => "; each could be read as a timestamp".to_owned(),
            Some(Kind::Integer | Kind::Decimal) => "; each is a number in quotes".to_owned(),
            Some(Kind::Boolean) => "; each is true or false in quotes".to_owned(),
            _ => String::new(),
        }
    }

    fn note_text_kind(&mut self, text: &str) {
        if self.text_kind != Some(Kind::Text) {
            let kind = kind_of(text);
            self.text_kind = match self.text_kind {
                Some(seen) if seen != kind => Some(Kind::Text),
                _ => Some(kind),
            };
        }
    }

    /// Adds what another place's values were.
    fn absorb(&mut self, other: Shape) {
        self.text_kind = match (self.text_kind, other.text_kind) {
            (Some(mine), Some(theirs)) if mine != theirs => Some(Kind::Text),
            (mine, theirs) => mine.or(theirs),
        };
        self.nulls += other.nulls;
        for (mine, theirs) in self.scalars.iter_mut().zip(other.scalars) {
            mine.absorb(theirs);
        }
        self.arrays.absorb(other.arrays);
        self.objects.absorb(other.objects);
        if let Some(elements) = other.elements {
            self.elements.get_or_insert_default().absorb(*elements);
        }
        if let Some(object) = other.object {
            self.object.get_or_insert_default().absorb(*object);
        }
    }
}

impl Tally {
    fn note(&mut self, row: u64, text: &str) {
        self.count += 1;
        if self.first.is_none() {
            self.first = Some((text.to_owned(), row));
        }
    }

    fn absorb(&mut self, other: Tally) {
        self.count += other.count;
        self.first = self.first.take().or(other.first);
    }
}

impl ObjectShape {
    /// `objects` is how many there were.
    fn data_type(&self, objects: u64) -> DataType {
        let map = |values| DataType::Map(Box::new(DataType::String), Box::new(values));
        if let Some(values) = &self.as_map {
            return map(values.data_type());
        }
        if let Some(values) = values_of_map(&self.fields, objects) {
            return map(values);
        }
        let field = |field: &NamedShape| Field {
            name: field.name.clone(),
            data_type: field.shape.data_type(),
        };
        DataType::Struct(self.fields.iter().map(field).collect())
    }

    /// A name, where the names are data.
    fn example_of_map(&self, objects: u64) -> Option<&str> {
        values_of_map(&self.fields, objects)?;
        self.fields.first().map(|field| field.name.as_str())
    }

    fn absorb(&mut self, other: ObjectShape) {
        if let Some(values) = other.as_map {
            self.turn_into_map();
            self.as_map.get_or_insert_default().absorb(*values);
        }
        for field in other.fields {
            self.field(&field.name).absorb(field.shape);
        }
    }

    /// The place where a field's values go.
    fn field(&mut self, name: &str) -> &mut Shape {
        if self.as_map.is_some() {
            return self.as_map.get_or_insert_default();
        }
        let at = match self.by_name.get(&name.to_lowercase()) {
            Some(&at) => at,
            None => {
                self.by_name.insert(name.to_lowercase(), self.fields.len());
                let (name, shape) = (name.to_owned(), Shape::default());
                self.fields.push(NamedShape {
                    name,
                    other_spelling: None,
                    shape,
                });
                self.fields.len() - 1
            }
        };
        let field = &mut self.fields[at];
        if field.name != name && field.other_spelling.is_none() {
            field.other_spelling = Some(name.to_owned());
        }
        &mut field.shape
    }

    /// So many names are data, not a schema.
    fn turn_into_map(&mut self) {
        let mut values = self.as_map.take().unwrap_or_default();
        for field in std::mem::take(&mut self.fields) {
            values.absorb(field.shape);
        }
        self.by_name = HashMap::new();
        self.as_map = Some(values);
    }

    /// Reads the fields of one object. `limit` is how many names make it a map.
    pub(crate) fn read<'de, A: MapAccess<'de>>(
        &mut self,
        mut map: A,
        reading: &mut Reading,
        limit: usize,
    ) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            if name.len() > NAME_BYTES && self.as_map.is_none() {
                reading.long_names += 1;
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let before = self.fields.len();
            self.field(&name);
            if self.fields.len() > before {
                reading.fields += 1;
                if reading.fields > JSON_FIELDS {
                    reading.too_many_fields = true;
                    return Err(A::Error::custom("too many names"));
                }
                if self.fields.len() > limit {
                    self.turn_into_map();
                }
            }
            let shape = self.field(&name);
            map.next_value_seed(Into { shape, reading })?;
        }
        Ok(())
    }
}

/// Reads one value into a shape.
struct Into<'s> {
    shape: &'s mut Shape,
    reading: &'s mut Reading,
}

impl<'de> DeserializeSeed<'de> for Into<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Into<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.shape.nulls += 1;
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.shape.scalar(BOOLEAN, self.reading.row, || value.to_string());
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        let kind = if i32::try_from(value).is_ok() { INT } else { BIGINT };
        self.shape.scalar(kind, self.reading.row, || value.to_string());
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        let kind = match (i32::try_from(value), i64::try_from(value)) {
            (Ok(_), _) => INT,
            (_, Ok(_)) => BIGINT,
            _ => HUGE_INTEGER,
        };
        self.shape.scalar(kind, self.reading.row, || value.to_string());
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.shape.scalar(DOUBLE, self.reading.row, || value.to_string());
        Ok(())
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.shape.scalar(TEXT, self.reading.row, || quoted(value));
        self.shape.note_text_kind(value);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        let Into { shape, reading } = self;
        shape.arrays.note(reading.row, "[…]");
        let elements = shape.elements.get_or_insert_default();
        while array
            .next_element_seed(Into {
                shape: &mut *elements,
                reading: &mut *reading,
            })?
            .is_some()
        {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        let Into { shape, reading } = self;
        shape.objects.note(reading.row, "{…}");
        shape
            .object
            .get_or_insert_default()
            .read(map, reading, JSON_STRUCT_FIELDS)
    }
}
