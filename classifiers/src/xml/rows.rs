//! Which element is a row: the one that repeats.

use std::borrow::Cow;
use std::collections::HashMap;

use super::walk::Visitor;
use crate::limits::XML_FIELDS;

/// A place in the documents: a path of names.
#[derive(Default)]
struct Place {
    name: String,
    children: HashMap<String, usize>,
    /// Elements seen here.
    count: u64,
    /// Most of them in one parent, and those of the current parent.
    most: u64,
    siblings: u64,
    parent: u64,
    /// Whether one had attributes or elements in it.
    structured: bool,
    bytes: u64,
}

/// Collects the places of a document.
pub(super) struct Outline {
    places: Vec<Place>,
    /// The open elements: their place, a number of their own, and the byte where they start.
    open: Vec<(usize, u64, usize)>,
    elements: u64,
}

/// The element that is a row.
pub(super) struct RowElement {
    /// The names from the root down to it.
    pub(super) path: Vec<String>,
    pub(super) certainty: f64,
    pub(super) reason: String,
}

impl Outline {
    pub(super) fn new() -> Self {
        Outline {
            places: vec![Place::default()],
            open: Vec::new(),
            elements: 0,
        }
    }

    /// Counts the elements that the end of the sample cut off.
    pub(super) fn finish(&mut self, at: usize) {
        while !self.open.is_empty() {
            self.close(at, false);
        }
    }

    fn place(&self, at: usize) -> Option<&Place> {
        self.places.get(at)
    }

    fn children(&self, at: usize) -> Vec<&Place> {
        let children = self
            .place(at)
            .into_iter()
            .flat_map(|place| place.children.values());
        let mut children: Vec<usize> = children.copied().collect();
        children.sort_unstable();
        children
            .into_iter()
            .filter_map(|child| self.place(child))
            .collect()
    }

    /// Goes down from the root to the first level where something repeats. Of several elements that do, the one with
    /// fields wins, then the one with more text. Where nothing repeats, the root's only element is the row, or the root.
    pub(super) fn row(&self) -> Option<RowElement> {
        let root = *self.place(0)?.children.values().next()?;
        let mut at = root;
        let mut path = vec![self.place(root)?.name.clone()];
        loop {
            let children = self.children(at);
            let repeated = children
                .iter()
                .filter(|child| child.most >= 2)
                .max_by_key(|child| (child.structured, child.bytes));
            if let Some(row) = repeated {
                let certainty = if path.len() == 1 { 1.0 } else { 0.9 };
                let reason = format!(
                    "row: {:?} repeats {} times in {:?}",
                    row.name,
                    row.count,
                    path.join("/")
                );
                path.push(row.name.clone());
                return Some(RowElement {
                    path,
                    certainty,
                    reason,
                });
            }
            let next = children
                .into_iter()
                .filter(|child| child.structured)
                .max_by_key(|child| child.bytes);
            let Some(next) = next else { break };
            at = *self.place(at)?.children.get(&next.name)?;
            path.push(next.name.clone());
        }
        path.truncate(1);
        if let [only] = self.children(root).as_slice()
            && only.structured
        {
            path.push(only.name.clone());
        }
        let name = path.last()?;
        let reason = format!("row: no element repeats, so {name:?} is taken to be the only row");
        Some(RowElement {
            path,
            certainty: 0.6,
            reason,
        })
    }
}

impl Visitor for Outline {
    fn open(&mut self, name: &str, attributes: &[(&str, Cow<'_, str>)], start: usize) -> Result<(), String> {
        let (parent, parent_id) = self.open.last().map_or((0, 0), |(place, id, _)| (*place, *id));
        let known = self
            .places
            .get(parent)
            .and_then(|place| place.children.get(name))
            .copied();
        let at = match known {
            Some(at) => at,
            None => {
                let at = self.places.len();
                if at > XML_FIELDS {
                    return Err(format!(
                        "there are more than {XML_FIELDS} different paths of elements"
                    ));
                }
                let name = name.to_owned();
                if let Some(place) = self.places.get_mut(parent) {
                    place.children.insert(name.clone(), at);
                    place.structured = true;
                }
                self.places.push(Place {
                    name,
                    ..Place::default()
                });
                at
            }
        };
        if let Some(place) = self.places.get_mut(at) {
            place.count += 1;
            place.siblings = if place.parent == parent_id {
                place.siblings + 1
            } else {
                1
            };
            place.parent = parent_id;
            place.most = place.most.max(place.siblings);
            place.structured |= !attributes.is_empty();
        }
        self.elements += 1;
        self.open.push((at, self.elements, start));
        Ok(())
    }

    fn text(&mut self, _: &str) {}

    fn close(&mut self, end: usize, _: bool) {
        if let Some((at, _, start)) = self.open.pop()
            && let Some(place) = self.places.get_mut(at)
        {
            place.bytes += (end - start.min(end)) as u64;
        }
    }
}
