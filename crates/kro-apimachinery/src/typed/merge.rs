use std::collections::BTreeMap;

use kro_value::{Map, Str, Value};

use super::items::{Face, faces_of_pair, identified, is_hollow};
use super::{ListFace, MapFace, Relationship, Type};
use crate::fieldset::PathElement;

/// Lays an applied object over the live one. Nothing is removed.
///
/// Items that both lists have keep the order of the applied one; those of the live list only stay near their neighbours.
pub fn merge(kind: &Type, live: &Value, applied: &Value) -> Value {
    pair(kind, Some(live), Some(applied)).unwrap_or_default()
}

fn pair(kind: &Type, live: Option<&Value>, applied: Option<&Value>) -> Option<Value> {
    if let (Some(live), Some(applied)) = (live, applied)
        && live.same(applied)
    {
        return Some(applied.clone());
    }
    // Where the two are of different kinds the part of the applied one decides, for it is walked last.
    match faces_of_pair(kind, live, applied).pop()? {
        Face::Map => maps(kind.map()?, live, applied),
        Face::List => lists(kind.list()?, live, applied),
        Face::Scalar => leaf(live, applied),
    }
}

fn leaf(live: Option<&Value>, applied: Option<&Value>) -> Option<Value> {
    applied.or(live).cloned()
}

fn maps(face: &MapFace, live: Option<&Value>, applied: Option<&Value>) -> Option<Value> {
    let (live_map, applied_map) = (live.and_then(Value::as_map), applied.and_then(Value::as_map));
    let hollow = [live_map, applied_map].iter().all(|map| map.is_none_or(Map::is_empty));
    if hollow || face.relationship == Relationship::Atomic {
        return leaf(live, applied);
    }
    let Some(applied_map) = applied_map.filter(|map| !map.is_empty()) else { return live.cloned() };
    let mut merged = live_map.cloned().unwrap_or_default();
    for (name, value) in applied_map {
        merge_entry(face, &mut merged, name, value);
    }
    (!merged.is_empty()).then_some(Value::Map(merged))
}

fn merge_entry(face: &MapFace, merged: &mut Map, name: &Str, applied: &Value) {
    let Some(kind) = face.field(name) else { return };
    let live = merged.get(name);
    if live.is_some_and(|live| live.same(applied)) {
        return;
    }
    if let Some(value) = pair(kind, live, Some(applied)) {
        merged.insert(name.clone(), value);
    }
}

fn lists(face: &ListFace, live: Option<&Value>, applied: Option<&Value>) -> Option<Value> {
    let (live_list, applied_list) = (live.and_then(Value::as_list), applied.and_then(Value::as_list));
    let empty = |list: Option<&[Value]>| list.is_none_or(<[Value]>::is_empty);
    if (empty(live_list) && empty(applied_list)) || face.relationship == Relationship::Atomic {
        return leaf(live, applied);
    }
    debug_assert!(!is_hollow(live) || !is_hollow(applied));
    let live = identified(face, live_list.unwrap_or_default());
    let applied = identified(face, applied_list.unwrap_or_default());
    let merged = interleave(face.element(), &live, &applied);
    (!merged.is_empty()).then(|| merged.into())
}

type Items<'a> = [(PathElement, &'a Value)];

/// The item of each identity; none where there are several, for they count as one value and are replaced.
fn index<'a>(items: &'a Items<'a>) -> BTreeMap<&'a PathElement, Option<&'a Value>> {
    let mut index = BTreeMap::new();
    for (element, item) in items {
        index.entry(element).and_modify(|known| *known = None).or_insert(Some(*item));
    }
    index
}

fn interleave(kind: &Type, live: &Items<'_>, applied: &Items<'_>) -> Vec<Value> {
    let (in_live, in_applied) = (index(live), index(applied));
    let shared = applied.iter().map(|(element, _)| element).filter(|element| in_live.contains_key(element));
    let mut shared = shared.peekable();
    let mut merged = Vec::with_capacity(live.len() + applied.len());
    let (mut at_live, mut at_applied) = (0, 0);
    loop {
        match (live.get(at_live), applied.get(at_applied)) {
            (None, None) => return merged,
            (Some((left, _)), Some((right, item))) if left == right => {
                merged.extend(pair(kind, in_live.get(left).copied().flatten(), Some(*item)));
                at_live += 1;
                at_applied += 1;
                shared.next_if_eq(&left);
            }
            (Some((element, item)), _) if !in_applied.contains_key(element) => {
                merged.extend(pair(kind, Some(*item), None));
                at_live += 1;
            }
            (Some((element, _)), next) if next.is_none() || shared.peek().is_some_and(|one| *one != element) => {
                at_live += 1; // its place is where the applied list has it
            }
            (_, Some((element, item))) => {
                merged.extend(pair(kind, in_live.get(element).copied().flatten(), Some(*item)));
                at_applied += 1;
                shared.next_if_eq(&element);
            }
            (Some(_), None) => at_live += 1,
        }
    }
}
