//! What the elements at one place of the rows were, and the types that makes.
//!
//! Attributes are fields whose names start with `_`; the text of an element that has fields is its field `_VALUE`.
//! Both names are those of Spark's and Glue's XML readers.

use std::borrow::Cow;
use std::collections::HashMap;

use super::walk::Visitor;
use crate::column::ColumnSummary;
use crate::limits::{COLUMNS, XML_FIELDS};
use crate::{Column, DataType, Field};

/// The field for text beside attributes and elements.
const VALUE: &str = "_VALUE";

/// The elements, or values of an attribute, seen at one place.
#[derive(Default)]
struct Shape {
    name: String,
    /// Places of its fields, in the order in which they were first seen.
    fields: Vec<usize>,
    by_name: HashMap<String, usize>,
    text: ColumnSummary,
    has_text: bool,
    /// How many were seen, in how many parents, and how many in the current parent and the fullest.
    count: u64,
    parents: u64,
    siblings: u64,
    parent: u64,
    most: u64,
}

struct Open {
    /// `None` above and beside the rows.
    shape: Option<usize>,
    id: u64,
    start: usize,
    text: String,
    has_fields: bool,
    /// Whether it is said to be null (`xsi:nil`).
    is_null: bool,
}

/// Collects the rows of a document.
pub(super) struct Rows<'r> {
    is_row: &'r dyn Fn(&[String]) -> bool,
    path: Vec<String>,
    shapes: Vec<Shape>,
    open: Vec<Open>,
    /// Open elements from the row inwards; 0 outside of rows.
    depth: usize,
    elements: u64,
    pub(super) count: u64,
    pub(super) bytes: u64,
    /// Rows written as `<row …/>`.
    pub(super) empty: u64,
    /// A prefix that was left out of a name.
    pub(super) prefix: Option<String>,
}

/// The name without its prefix, and the prefix.
fn local(name: &str) -> (&str, Option<&str>) {
    match name.split_once(':') {
        Some((prefix, local)) if !local.is_empty() => (local, Some(prefix)),
        _ => (name, None),
    }
}

impl<'r> Rows<'r> {
    /// `is_row` tells from an element's path whether it is a row, where no row is around it.
    pub(super) fn new(is_row: &'r dyn Fn(&[String]) -> bool) -> Self {
        Rows {
            is_row,
            path: Vec::new(),
            shapes: vec![Shape::default()],
            open: Vec::new(),
            depth: 0,
            elements: 0,
            count: 0,
            bytes: 0,
            empty: 0,
            prefix: None,
        }
    }

    /// Whether a row has begun and not ended.
    pub(super) fn is_inside(&self) -> bool {
        self.depth > 0
    }

    /// Ends what the end of the sample cut off.
    pub(super) fn finish(&mut self, at: usize) {
        while !self.open.is_empty() {
            self.close(at, false);
        }
    }

    fn field(&mut self, parent: usize, parent_id: u64, name: &str) -> Result<usize, String> {
        // Hive's names don't tell case apart.
        let key = name.to_lowercase();
        let known = self
            .shapes
            .get(parent)
            .and_then(|shape| shape.by_name.get(&key))
            .copied();
        let at = match known {
            Some(at) => at,
            None => {
                let at = self.shapes.len();
                if at > XML_FIELDS {
                    return Err(format!("rows have more than {XML_FIELDS} fields"));
                }
                if let Some(shape) = self.shapes.get_mut(parent) {
                    if parent == 0 && shape.fields.len() >= COLUMNS {
                        return Err(format!("rows have more than {COLUMNS} columns"));
                    }
                    shape.fields.push(at);
                    shape.by_name.insert(key, at);
                }
                let name = name.to_owned();
                self.shapes.push(Shape {
                    name,
                    ..Shape::default()
                });
                at
            }
        };
        if let Some(shape) = self.shapes.get_mut(at) {
            shape.count += 1;
            if shape.parent == parent_id {
                shape.siblings += 1;
            } else {
                (shape.parent, shape.siblings) = (parent_id, 1);
                shape.parents += 1;
            }
            shape.most = shape.most.max(shape.siblings);
        }
        Ok(at)
    }

    fn observe(&mut self, at: usize, text: &str) {
        let row = self.count + 1;
        if let Some(shape) = self.shapes.get_mut(at) {
            shape.text.observe(text, row);
            shape.has_text |= !text.trim().is_empty();
        }
    }

    fn element_type(&self, shape: &Shape) -> DataType {
        if shape.fields.is_empty() {
            return shape.text.data_type();
        }
        let mut fields: Vec<Field> = self.fields(shape).map(|field| self.field_of(field)).collect();
        if shape.has_text {
            fields.push(Field {
                name: VALUE.to_owned(),
                data_type: shape.text.data_type(),
            });
        }
        DataType::Struct(fields)
    }

    fn fields<'s>(&'s self, shape: &'s Shape) -> impl Iterator<Item = &'s Shape> {
        shape.fields.iter().filter_map(|at| self.shapes.get(*at))
    }

    fn field_of(&self, shape: &Shape) -> Field {
        let element = self.element_type(shape);
        Field {
            name: shape.name.clone(),
            data_type: if shape.most > 1 {
                DataType::Array(Box::new(element))
            } else {
                element
            },
        }
    }

    /// The columns of the rows.
    pub(super) fn columns(&self) -> Vec<Column> {
        let Some(root) = self.shapes.first() else {
            return Vec::new();
        };
        let mut columns: Vec<Column> = self.fields(root).map(|shape| self.column(shape)).collect();
        if root.has_text || columns.is_empty() {
            let mut text = root.text.clone();
            text.observe_missing(self.count.saturating_sub(text.values()));
            columns.push(text.column(VALUE.to_owned()));
        }
        columns
    }

    fn column(&self, shape: &Shape) -> Column {
        let missing = self.count.saturating_sub(shape.parents);
        if shape.fields.is_empty() && shape.most <= 1 {
            let mut text = shape.text.clone();
            text.observe_missing(missing);
            return text.column(shape.name.clone());
        }
        let Field { name, data_type } = self.field_of(shape);
        let inner = if shape.fields.is_empty() {
            shape.text.clone().column(String::new()).reason
        } else {
            let text = if shape.has_text { " and text" } else { "" };
            format!("{} elements have fields of their own{text}", shape.count)
        };
        let mut reason = match shape.most {
            0 | 1 => inner,
            most => format!("up to {most} in a row; {inner}"),
        };
        if missing > 0 {
            reason.push_str(&format!("; {missing} rows have none"));
        }
        Column {
            name,
            data_type,
            nullable: missing > 0,
            reason,
        }
    }
}

impl Visitor for Rows<'_> {
    fn open(&mut self, name: &str, attributes: &[(&str, Cow<'_, str>)], start: usize) -> Result<(), String> {
        let (simple, prefix) = local(name);
        let shape = if self.depth > 0 {
            let parent = self.open.last_mut().map(|open| {
                open.has_fields = true;
                (open.shape.unwrap_or(0), open.id)
            });
            let (parent, id) = parent.unwrap_or((0, 0));
            Some(self.field(parent, id, simple)?)
        } else {
            self.path.push(name.to_owned());
            (self.is_row)(&self.path).then_some(0)
        };
        self.elements += 1;
        let mut open = Open {
            shape,
            id: self.elements,
            start,
            text: String::new(),
            has_fields: false,
            is_null: false,
        };
        if let Some(at) = shape {
            self.depth += 1;
            if self.depth > 1 && self.prefix.is_none() {
                self.prefix = prefix.map(str::to_owned);
            }
            for (name, value) in attributes {
                match local(name) {
                    ("xmlns", None) | (_, Some("xmlns")) => {}
                    ("nil", Some(_)) => open.is_null = matches!(value.trim(), "true" | "1"),
                    (_, Some("xsi")) => {}
                    (name, prefix) => {
                        open.has_fields = true;
                        if self.prefix.is_none() {
                            self.prefix = prefix.map(str::to_owned);
                        }
                        let field = self.field(at, open.id, &format!("_{name}"))?;
                        self.observe(field, value);
                    }
                }
            }
        }
        self.open.push(open);
        Ok(())
    }

    fn text(&mut self, text: &str) {
        if let Some(open) = self.open.last_mut().filter(|open| open.shape.is_some()) {
            open.text.push_str(text);
        }
    }

    fn close(&mut self, end: usize, empty: bool) {
        let Some(open) = self.open.pop() else { return };
        let Some(at) = open.shape else {
            self.path.pop();
            return;
        };
        // Blanks between elements are layout.
        if open.is_null {
            self.observe(at, "");
        } else if !(open.has_fields && open.text.trim().is_empty()) {
            self.observe(at, &open.text);
        }
        self.depth -= 1;
        if self.depth == 0 {
            self.path.pop();
            self.count += 1;
            self.empty += u64::from(empty);
            self.bytes += (end - open.start.min(end)) as u64;
        }
    }
}
