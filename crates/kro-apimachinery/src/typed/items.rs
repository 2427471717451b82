//! How the items of a merged list are told apart.

use std::collections::BTreeMap;

use kro_value::Value;

use super::{ListFace, Relationship, Type};
use crate::fieldset::PathElement;

/// The parts of a type, for telling whether two values are walked by the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FaceSet {
    map: bool,
    scalar: bool,
    list: bool,
}

/// One part of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Face {
    Map,
    Scalar,
    List,
}

impl FaceSet {
    fn all(kind: &Type) -> Self {
        Self { map: kind.map().is_some(), scalar: kind.scalar().is_some(), list: kind.list().is_some() }
    }

    /// The part of a type that a value takes; all of them where the value does not decide.
    pub fn of(kind: &Type, value: Option<&Value>) -> Self {
        let all = Self::all(kind);
        let none = Self { map: false, scalar: false, list: false };
        match value {
            Some(Value::Map(_)) if all.map => Self { map: true, ..none },
            Some(Value::List(_)) if all.list => Self { list: true, ..none },
            Some(Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::String(_)) if all.scalar => {
                Self { scalar: true, ..none }
            }
            _ => all,
        }
    }

    pub fn first(self) -> Option<Face> {
        match self {
            Self { map: true, .. } => Some(Face::Map),
            Self { scalar: true, .. } => Some(Face::Scalar),
            Self { list: true, .. } => Some(Face::List),
            _ => None,
        }
    }
}

/// The parts to walk a pair of values by: one where they agree or one decides alone, else that of each.
pub(super) fn faces_of_pair(kind: &Type, left: Option<&Value>, right: Option<&Value>) -> Vec<Face> {
    let (left_faces, right_faces) = (FaceSet::of(kind, left), FaceSet::of(kind, right));
    if right.is_none() {
        return left_faces.first().into_iter().collect();
    }
    if left.is_none() || left_faces == right_faces {
        return right_faces.first().into_iter().collect();
    }
    left_faces.first().into_iter().chain(right_faces.first()).collect()
}

/// The path element of a list item.
///
/// # Errors
/// The reference's words for an item that has no identity.
pub(super) fn item_element(list: &ListFace, item: &Value) -> Result<PathElement, String> {
    debug_assert!(list.relationship == Relationship::Granular);
    if list.is_keyed() { keyed_element(list, item) } else { set_element(item) }
}

fn keyed_element(list: &ListFace, item: &Value) -> Result<PathElement, String> {
    let map = match item {
        Value::Null => return Err("associative list with keys may not have a null element".to_owned()),
        Value::Map(map) => map,
        _ => return Err("associative list with keys may not have non-map elements".to_owned()),
    };
    let fields = list.keys().iter().filter_map(|key| {
        let value = map.get(&key.name).or(key.default.as_ref())?;
        Some((key.name.clone(), value.clone()))
    });
    let fields: Vec<_> = fields.collect();
    if fields.is_empty() {
        let names: Vec<String> = list.keys().iter().map(|key| crate::go_quote(&key.name)).collect();
        return Err(format!(
            "associative list with keys has an element that omits all key fields [{}] (and doesn't have default values for any key fields)",
            names.join(" ")
        ));
    }
    Ok(PathElement::key(fields))
}

fn set_element(item: &Value) -> Result<PathElement, String> {
    match item {
        Value::Null => Err("associative list without keys has an element that's an explicit null".to_owned()),
        Value::Map(_) => Err("associative list without keys has an element that's a map type".to_owned()),
        Value::List(_) => Err("not supported: associative list with lists as elements".to_owned()),
        scalar => Ok(PathElement::Value(scalar.clone())),
    }
}

/// Items of a merged list in order with their path elements; items without identity are left out.
pub(super) fn identified<'a>(list: &ListFace, items: &'a [Value]) -> Vec<(PathElement, &'a Value)> {
    items.iter().filter_map(|item| Some((item_element(list, item).ok()?, item))).collect()
}

/// Items by path element, in the order of the elements; those of equal identity in the order of the list.
pub(super) type Groups<'a> = BTreeMap<PathElement, Vec<&'a Value>>;

/// Groups the items of a merged list by identity.
pub(super) fn grouped<'a>(list: &ListFace, items: &'a [Value]) -> Groups<'a> {
    let mut groups = Groups::new();
    for (element, item) in identified(list, items) {
        groups.entry(element).or_default().push(item);
    }
    groups
}

/// True for an absent, null or empty list or map.
pub(super) fn is_hollow(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::List(items)) => items.is_empty(),
        Some(Value::Map(map)) => map.is_empty(),
        Some(_) => false,
    }
}
