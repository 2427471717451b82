use kro_value::{Map, Value};

use super::items::item_element;
use super::{Relationship, Type};
use crate::fieldset::{PathElement, Set};

/// Removes the members of a set, with all that is in them. Containers that become empty go too.
pub fn remove(kind: &Type, value: &Value, set: &Set) -> Value {
    walk(kind, value, set).unwrap_or_default()
}

fn walk(kind: &Type, value: &Value, set: &Set) -> Option<Value> {
    match (value, kind.map(), kind.list()) {
        (Value::Map(map), Some(face), _) if face.relationship == Relationship::Granular && !map.is_empty() => {
            let kept = map.iter().filter_map(|(name, value)| {
                let kind = face.field(name);
                Some((name.clone(), keep(kind, PathElement::Field(name.clone()), value, set)?))
            });
            let kept: Map = kept.collect();
            (!kept.is_empty()).then_some(Value::Map(kept))
        }
        (Value::List(items), _, Some(face)) if face.relationship == Relationship::Granular && !items.is_empty() => {
            let kept = items.iter().filter_map(|item| match item_element(face, item) {
                Ok(element) => keep(Some(face.element()), element, item, set),
                Err(_) => Some(item.clone()),
            });
            let kept: Vec<Value> = kept.collect();
            (!kept.is_empty()).then(|| kept.into())
        }
        _ => Some(value.clone()),
    }
}

fn keep(kind: Option<&Type>, element: PathElement, value: &Value, set: &Set) -> Option<Value> {
    if set.contains_element(&element) {
        return None;
    }
    match (set.below(&element), kind) {
        (Some(below), Some(kind)) => walk(kind, value, below),
        _ => Some(value.clone()),
    }
}
