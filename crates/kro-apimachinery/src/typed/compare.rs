use std::collections::BTreeSet;

use kro_value::{Str, Value};

use super::items::{Face, Groups, faces_of_pair, grouped, is_hollow};
use super::{ListFace, MapFace, Relationship, Type};
use crate::fieldset::{Path, PathElement, Set};

/// How one object differs from another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Only in the new one.
    pub added: Set,
    /// In both, with another value.
    pub modified: Set,
    /// Only in the old one.
    pub removed: Set,
}

impl Comparison {
    /// True when both are the same.
    pub fn is_same(&self) -> bool {
        self.added.is_empty() && self.modified.is_empty() && self.removed.is_empty()
    }
}

/// Compares an old and a new object. The order of items in merged lists does not matter.
pub fn compare(kind: &Type, old: &Value, new: &Value) -> Comparison {
    let mut walk = Walk { path: Vec::new(), comparison: Comparison::default() };
    walk.pair(kind, Some(old), Some(new));
    walk.comparison
}

struct Walk {
    path: Path,
    comparison: Comparison,
}

impl Walk {
    fn pair(&mut self, kind: &Type, old: Option<&Value>, new: Option<&Value>) {
        if let (Some(old), Some(new)) = (old, new)
            && old.same(new)
        {
            return; // one value in memory: nothing can differ
        }
        let mut leaf = false;
        for face in faces_of_pair(kind, old, new) {
            leaf = self.face(kind, face, old, new);
        }
        match (leaf, old, new) {
            (false, None, _) => self.comparison.added.insert(&self.path),
            (false, _, None) => self.comparison.removed.insert(&self.path),
            _ => {}
        }
    }

    /// Walks one part of the type; true when it is a leaf.
    fn face(&mut self, kind: &Type, face: Face, old: Option<&Value>, new: Option<&Value>) -> bool {
        match (face, kind.map(), kind.list()) {
            (Face::Map, Some(face), _) if face.relationship == Relationship::Granular => self.maps(face, old, new),
            (Face::List, _, Some(face)) if face.relationship == Relationship::Granular => self.lists(face, old, new),
            _ => self.leaf(old, new),
        }
    }

    fn leaf(&mut self, old: Option<&Value>, new: Option<&Value>) -> bool {
        match (old, new) {
            (None, Some(_)) => self.comparison.added.insert(&self.path),
            (Some(_), None) => self.comparison.removed.insert(&self.path),
            (Some(old), Some(new)) if old != new => self.comparison.modified.insert(&self.path),
            _ => {}
        }
        true
    }

    fn maps(&mut self, face: &MapFace, old: Option<&Value>, new: Option<&Value>) -> bool {
        let maps = [old.and_then(Value::as_map), new.and_then(Value::as_map)];
        if maps.iter().all(|map| map.is_none_or(|map| map.is_empty())) {
            return self.leaf(old, new);
        }
        let names = maps.iter().flatten().flat_map(|map| map.keys());
        let mut names: Vec<&Str> = names.collect();
        names.sort();
        names.dedup();
        for name in names {
            let Some(kind) = face.field(name) else { continue };
            self.path.push(PathElement::Field(name.clone()));
            self.pair(kind, maps[0].and_then(|map| map.get(name)), maps[1].and_then(|map| map.get(name)));
            self.path.pop();
        }
        false
    }

    fn lists(&mut self, face: &ListFace, old: Option<&Value>, new: Option<&Value>) -> bool {
        let old_items = old.and_then(Value::as_list);
        let new_items = new.and_then(Value::as_list);
        if is_hollow(old.filter(|_| old_items.is_some())) && is_hollow(new.filter(|_| new_items.is_some())) {
            return self.leaf(old, new);
        }
        let old_groups = grouped(face, old_items.unwrap_or_default());
        let new_groups = grouped(face, new_items.unwrap_or_default());
        let elements: BTreeSet<&PathElement> = old_groups.keys().chain(new_groups.keys()).collect();
        for element in elements {
            self.path.push(element.clone());
            self.items(face.element(), of(&old_groups, element), of(&new_groups, element));
            self.path.pop();
        }
        false
    }

    /// Compares all items of one identity. Several of them on one side count as one atomic value.
    fn items(&mut self, kind: &Type, old: &[&Value], new: &[&Value]) {
        match (old, new) {
            ([], []) => {}
            ([_, _, ..], [_, _, ..]) => {
                if old != new {
                    self.comparison.modified.insert(&self.path);
                }
            }
            _ => {
                let single = |items: &[&Value]| items.len() < 2;
                if single(old) && single(new) {
                    return self.pair(kind, old.first().copied(), new.first().copied());
                }
                match old {
                    [] => {}
                    [only] => self.pair(kind, Some(only), None),
                    _ => self.comparison.removed.insert(&self.path),
                }
                match new {
                    [] => {}
                    [only] => self.pair(kind, None, Some(only)),
                    _ => self.comparison.added.insert(&self.path),
                }
            }
        }
    }
}

fn of<'a, 'v>(groups: &'a Groups<'v>, element: &PathElement) -> &'a [&'v Value] {
    groups.get(element).map_or(&[], Vec::as_slice)
}
