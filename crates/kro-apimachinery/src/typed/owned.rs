use kro_value::{Map, Value};

use super::items::{Face, FaceSet, grouped, is_hollow};
use super::{ListFace, MapFace, Relationship, Type};
use crate::fieldset::{Node, PathElement, Set};

/// The fields that an object sets: what its applier owns.
///
/// Scalars and atomic containers are owned as such. Items of merged lists are owned besides what is in them. The path of
/// a map's entry is owned when its value is null or an empty map, or when the type does not declare the key by name.
pub fn field_set(kind: &Type, value: &Value) -> Set {
    walk(kind, value).1
}

/// Whether the path itself is owned, and what is below.
fn walk(kind: &Type, value: &Value) -> (bool, Set) {
    match FaceSet::of(kind, Some(value)).first() {
        None => (false, Set::new()),
        Some(Face::Scalar) => (true, Set::new()),
        Some(Face::List) => kind.list().map_or_else(Default::default, |face| walk_list(face, value)),
        Some(Face::Map) => kind.map().map_or_else(Default::default, |face| walk_map(face, value)),
    }
}

fn walk_map(face: &MapFace, value: &Value) -> (bool, Set) {
    if face.relationship == Relationship::Atomic {
        return (true, Set::new());
    }
    let entries = value.as_map().into_iter().flatten();
    let nodes = entries.filter_map(|(name, value)| {
        let (own, set) = walk(face.field(name)?, value);
        let empty_map = matches!(value, Value::Null) || value.as_map().is_some_and(Map::is_empty);
        Some(Node { element: PathElement::Field(name.clone()), member: own || empty_map || !face.declares(name), set })
    });
    (false, nodes.collect())
}

fn walk_list(face: &ListFace, value: &Value) -> (bool, Set) {
    if face.relationship == Relationship::Atomic {
        return (true, Set::new());
    }
    if is_hollow(Some(value)) {
        return (false, Set::new());
    }
    let groups = grouped(face, value.as_list().unwrap_or_default());
    let nodes = groups.into_iter().map(|(element, items)| {
        let inside = match items.as_slice() {
            [only] => walk(face.element(), only).1,
            _ => Set::new(), // several of one identity are one value
        };
        Node { element, member: true, set: inside }
    });
    (false, nodes.collect())
}

/// The set, and every field that the type declares by name and that something below is owned of.
pub fn with_named_fields(kind: &Type, set: &Set) -> Set {
    let nodes = set.nodes().iter().map(|node| {
        let (child, named) = step(Some(kind), &node.element);
        let inside = child.as_ref().map_or_else(|| node.set.clone(), |child| with_named_fields(child, &node.set));
        let member = node.member || (named && !node.set.is_empty());
        Node { element: node.element.clone(), member, set: inside }
    });
    nodes.collect()
}

/// The type behind a path element, and whether it is a field declared by name.
pub(super) fn step(kind: Option<&Type>, element: &PathElement) -> (Option<Type>, bool) {
    let Some(kind) = kind else { return (None, false) };
    match element {
        PathElement::Field(name) => {
            let map = kind.map();
            let child = map.and_then(|map| map.field(name)).cloned();
            (child, map.is_some_and(|map| map.declares(name)))
        }
        _ => (kind.list().map(|list| list.element().clone()), false),
    }
}
