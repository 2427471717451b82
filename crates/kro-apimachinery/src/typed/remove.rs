use kro_value::{Map, Value};

use super::items::item_element;
use super::{Relationship, Type};
use crate::fieldset::{PathElement, Set};

/// Removes the members of a set, with all that is in them. A container that becomes empty leaves null behind, unless it
/// is a member itself.
pub fn remove(kind: &Type, value: &Value, set: &Set) -> Value {
    match (value, kind.map(), kind.list()) {
        (Value::Map(map), Some(face), _) if face.relationship == Relationship::Granular => {
            let kept = map.iter().filter_map(|(name, value)| {
                let kind = face.field(name);
                Some((name.clone(), keep(kind, &PathElement::Field(name.clone()), value, set)?))
            });
            let kept: Map = kept.collect();
            if kept.is_empty() { Value::Null } else { Value::Map(kept) }
        }
        (Value::List(items), _, Some(face)) if face.relationship == Relationship::Granular => {
            let kept = items.iter().filter_map(|item| match item_element(face, item) {
                Ok(element) => keep(Some(face.element()), &element, item, set),
                Err(_) => Some(item.clone()),
            });
            let kept: Vec<Value> = kept.collect();
            if kept.is_empty() { Value::Null } else { kept.into() }
        }
        // What was a map when the set was made and is an atomic list now.
        (Value::List(_), _, Some(_)) if !set.is_empty() => Value::Null,
        _ => value.clone(),
    }
}

fn keep(kind: Option<&Type>, element: &PathElement, value: &Value, set: &Set) -> Option<Value> {
    if set.contains_element(element) {
        return None;
    }
    match (set.below(element), kind) {
        (Some(below), Some(kind)) => Some(remove(kind, value, below)),
        _ => Some(value.clone()),
    }
}
