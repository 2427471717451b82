use std::collections::{BTreeMap, BTreeSet};

use kro_schema::structural::Schema;
use kro_value::{Map, Str, Value};

use crate::Status;
use crate::fieldset::PathElement;
use crate::go_print::go_value;

const DIRECTIVE: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const SET_ELEMENT_ORDER: &str = "$setElementOrder/";
const DELETE_FROM_PRIMITIVE_LIST: &str = "$deleteFromPrimitiveList/";

/// Applies a strategic merge patch: maps merge, lists merge by the merge keys of the schema, directives say more.
///
/// # Errors
/// 400 for malformed directives, 500 for list elements without their merge key and the like, in the reference's words.
pub fn apply_strategic_merge_patch(schema: &Schema, object: &Value, patch: &Value) -> Result<Value, Status> {
    let Value::Map(patch) = patch else {
        return Err(Status::bad_request("invalid JSON document"));
    };
    let object = object.as_map().cloned().unwrap_or_default();
    Ok(Value::Map(merge_maps(Some(schema), object, patch)?))
}

fn malformed<T>(what: &str) -> Result<T, Status> {
    Err(Status::bad_request(format!("invalid patch format of {what}")))
}

fn merge_maps(schema: Option<&Schema>, object: Map, patch: &Map) -> Result<Map, Status> {
    match patch.get(DIRECTIVE) {
        None => {}
        Some(Value::String(directive)) if directive == "replace" => return Ok(without_directives_map(patch)),
        Some(Value::String(directive)) if directive == "delete" => return Ok(Map::new()),
        Some(other) => {
            let (kind, map) = (go_value(other), go_value(&Value::Map(patch.clone())));
            return Err(Status::plain(format!("unknown patch type: {kind} in map: {map}")));
        }
    }
    let mut object = object;
    let mut patch = patch.clone();
    retain_keys(&mut object, &mut patch)?;
    order_lists(schema, &mut object, &mut patch)?;
    for (key, change) in &patch {
        if let Some(name) = key.strip_prefix(DELETE_FROM_PRIMITIVE_LIST) {
            delete_from_list(&mut object, name, change);
        } else {
            merge_field(schema, &mut object, key, change)?;
        }
    }
    Ok(object)
}

fn merge_field(schema: Option<&Schema>, object: &mut Map, key: &Str, change: &Value) -> Result<(), Status> {
    let child = schema.and_then(|schema| schema.field(key));
    let merged = match (object.get(key), change) {
        (_, Value::Null) => {
            object.remove(key);
            return Ok(());
        }
        (Some(Value::Map(_)), Value::Map(change))
            if child.as_ref().is_some_and(|child| child.has_patch_strategy("replace")) =>
        {
            Value::Map(without_directives_map(change))
        }
        (Some(Value::Map(known)), Value::Map(change)) => Value::Map(merge_maps(child.as_ref(), known.clone(), change)?),
        (Some(Value::List(known)), Value::List(change)) => merge_lists(child.as_ref(), known, change)?.into(),
        (_, change) => without_directives(change),
    };
    object.insert(key.clone(), merged);
    Ok(())
}

/// `$retainKeys`: keys of the object that are not listed go; the patch may only set listed ones.
fn retain_keys(object: &mut Map, patch: &mut Map) -> Result<(), Status> {
    let Some(retained) = patch.remove(RETAIN_KEYS) else { return Ok(()) };
    let Some(retained) = retained.as_list() else { return malformed("retainKeys") };
    let is_retained = |key: &Str| retained.iter().any(|name| name.as_str() == Some(key));
    let is_directive = |key: &Str| key.starts_with('$');
    if patch.iter().any(|(key, value)| !is_directive(key) && !value.is_null() && !is_retained(key)) {
        return malformed("retainKeys");
    }
    object.retain(|key, _| is_retained(key));
    Ok(())
}

/// `$deleteFromPrimitiveList/name`: these values leave the list.
fn delete_from_list(object: &mut Map, name: &str, values: &Value) {
    // What is no list says nothing.
    let Some(values) = values.as_list() else { return };
    if let Some(Value::List(items)) = object.get(name) {
        let gone: BTreeSet<PathElement> = values.iter().cloned().map(PathElement::Value).collect();
        let stays = |item: &&Value| !gone.contains(&PathElement::Value((*item).clone()));
        let kept: Value = items.iter().filter(stays).cloned().collect();
        object.insert(name, kept);
    }
}

/// `$setElementOrder/name`: merges the lists and puts the items in this order; others keep their neighbours.
fn order_lists(schema: Option<&Schema>, object: &mut Map, patch: &mut Map) -> Result<(), Status> {
    let names: Vec<Str> = patch.keys().filter_map(|key| key.strip_prefix(SET_ELEMENT_ORDER)).map(Str::new).collect();
    for name in names {
        let order = patch.remove(&format!("{SET_ELEMENT_ORDER}{name}")).unwrap_or_default();
        let Value::List(order) = order else { return malformed("setElementOrder list") };
        let child = schema.and_then(|schema| schema.field(&name));
        let identity = Identity::of(child.as_ref());
        if let Some(delete) = patch.remove(&format!("{DELETE_FROM_PRIMITIVE_LIST}{name}")) {
            delete_from_list(object, &name, &delete);
        }
        let known = object.get(&name).and_then(Value::as_list).map(<[Value]>::to_vec);
        let merged = match (&known, patch.get(&name)) {
            (None, None) => continue,
            (Some(known), None) => known.clone(),
            (known, Some(Value::List(change))) => {
                check_order(&identity, change, &order)?;
                let known = known.clone().unwrap_or_default();
                merge_lists(child.as_ref(), &known, change)?
            }
            (_, Some(_)) => continue, // no list: replaced or removed by the walk over the patch
        };
        patch.remove(&name);
        let ordered = arrange(&identity, merged, &order, &known.unwrap_or_default());
        object.insert(name, ordered.into());
    }
    Ok(())
}

/// Every item of the patch list that stays must be in the order list, in that order.
fn check_order(identity: &Identity, change: &[Value], order: &[Value]) -> Result<(), Status> {
    let mut places = order.iter();
    let stays = |item: &&Value| item.get(DIRECTIVE).is_none();
    for item in change.iter().filter(stays) {
        if !places.any(|place| identity.same(place, item)) {
            let print = |items: &[Value]| go_value(&Value::list(items.to_vec()));
            return Err(Status::plain(format!(
                "The order in patch list:\n{}\n doesn't match $setElementOrder list:\n{}\n",
                print(change),
                print(order)
            )));
        }
    }
    Ok(())
}

/// What makes two items of a list the same: the value of the merge key, or the whole item.
struct Identity {
    merge_key: Option<Str>,
}

/// The first position of each item.
type Positions = BTreeMap<PathElement, usize>;

impl Identity {
    fn of(schema: Option<&Schema>) -> Self {
        Self { merge_key: schema.and_then(Schema::patch_merge_key).map(Str::new) }
    }

    /// The identity of an item; one without its merge key is like no other.
    fn id(&self, item: &Value) -> Option<PathElement> {
        let value = match &self.merge_key {
            Some(key) => item.get(key)?,
            None => item,
        };
        Some(PathElement::Value(value.clone()))
    }

    fn same(&self, left: &Value, right: &Value) -> bool {
        self.id(left).is_some_and(|id| Some(id) == self.id(right))
    }

    fn positions(&self, items: &[Value]) -> Positions {
        let mut positions = Positions::new();
        for (index, item) in items.iter().enumerate() {
            if let Some(id) = self.id(item) {
                positions.entry(id).or_insert(index);
            }
        }
        positions
    }

    fn position(&self, positions: &Positions, item: &Value) -> Option<usize> {
        positions.get(&self.id(item)?).copied()
    }
}

fn merge_lists(schema: Option<&Schema>, known: &[Value], change: &[Value]) -> Result<Vec<Value>, Status> {
    if !schema.is_some_and(|schema| schema.has_patch_strategy("merge")) {
        return Ok(change.iter().map(without_directives).collect());
    }
    let identity = Identity::of(schema);
    if known.iter().chain(change).all(|item| item.as_map().is_none()) {
        let both: Vec<Value> = known.iter().chain(change).cloned().collect();
        let first = identity.positions(&both);
        let is_first = |(index, item): &(usize, &Value)| identity.position(&first, item) == Some(*index);
        let merged = both.iter().enumerate().filter(is_first).map(|(_, item)| item.clone()).collect();
        return Ok(arrange(&identity, merged, change, known));
    }
    let Some(merge_key) = &identity.merge_key else {
        return Err(Status::plain("cannot merge lists without merge key for "));
    };
    let (mut merged, change) = run_directives(&identity, merge_key, known, change)?;
    let items = schema.and_then(Schema::items);
    let server_order = merged.clone();
    let mut positions = identity.positions(&merged);
    for item in &change {
        let Value::Map(map) = item else { return Err(Status::plain("lists of lists are not supported")) };
        if !map.contains_key(merge_key) {
            return Err(no_merge_key(item, merge_key));
        }
        match identity.position(&positions, item) {
            Some(index) => {
                let known = merged[index].as_map().cloned().unwrap_or_default();
                merged[index] = Value::Map(merge_maps(items.as_ref(), known, map)?);
            }
            None => {
                positions.extend(identity.id(item).map(|id| (id, merged.len())));
                merged.push(without_directives(item));
            }
        }
    }
    Ok(arrange(&identity, merged, &change, &server_order))
}

fn no_merge_key(item: &Value, merge_key: &str) -> Status {
    Status::plain(format!("map: {} does not contain declared merge key: {merge_key}", go_value(item)))
}

/// Runs the elements of a patch list that are directives; the list they leave, and the other elements.
fn run_directives(
    identity: &Identity,
    merge_key: &str,
    known: &[Value],
    change: &[Value],
) -> Result<(Vec<Value>, Vec<Value>), Status> {
    let mut deleted = BTreeSet::new();
    let mut rest = Vec::with_capacity(change.len());
    let mut is_replaced = false;
    for item in change {
        match item.get(DIRECTIVE) {
            None => rest.push(item.clone()),
            Some(Value::String(directive)) if directive == "delete" => {
                if item.get(merge_key).is_none() {
                    return Err(no_merge_key(item, merge_key));
                }
                deleted.extend(identity.id(item));
            }
            Some(Value::String(directive)) if directive == "replace" => is_replaced = true,
            Some(Value::String(directive)) if directive == "merge" => {
                return Err(Status::plain("merging lists cannot yet be specified in the patch"));
            }
            Some(other) => {
                let text = format!("unknown patch type: {} in map: {}", go_value(other), go_value(item));
                return Err(Status::plain(text));
            }
        }
    }
    if is_replaced {
        return Ok((rest, Vec::new()));
    }
    let stays = |item: &&Value| identity.id(item).is_none_or(|id| !deleted.contains(&id));
    Ok((known.iter().filter(stays).cloned().collect(), rest))
}

/// Puts the items that `order` names in its order, and the others in between where the old list had them in front.
fn arrange(identity: &Identity, merged: Vec<Value>, order: &[Value], old: &[Value]) -> Vec<Value> {
    let (places, old_places) = (identity.positions(order), identity.positions(old));
    let old_place = |item: &Value| identity.position(&old_places, item);
    let (mut named, mut others): (Vec<Value>, Vec<Value>) =
        merged.into_iter().partition(|item| identity.position(&places, item).is_some());
    named.sort_by_key(|item| identity.position(&places, item));
    others.sort_by_key(|item| old_place(item).unwrap_or(usize::MAX));
    let mut arranged = Vec::with_capacity(named.len() + others.len());
    let mut others = others.into_iter().peekable();
    for item in named {
        let place = old_place(&item);
        let is_in_front =
            |other: &Value| matches!((old_place(other), place), (Some(other), Some(item)) if other < item);
        while let Some(other) = others.next_if(is_in_front) {
            arranged.push(other);
        }
        arranged.push(item);
    }
    arranged.extend(others);
    arranged
}

fn without_directives(value: &Value) -> Value {
    match value {
        Value::Map(map) => Value::Map(without_directives_map(map)),
        Value::List(items) => {
            let is_deleted = |item: &&Value| item.get(DIRECTIVE).is_some();
            items.iter().filter(|item| !is_deleted(item)).map(without_directives).collect()
        }
        scalar => scalar.clone(),
    }
}

fn without_directives_map(map: &Map) -> Map {
    let is_directive = |key: &str| {
        matches!(key, DIRECTIVE | RETAIN_KEYS)
            || key.starts_with(SET_ELEMENT_ORDER)
            || key.starts_with(DELETE_FROM_PRIMITIVE_LIST)
    };
    let kept = map.iter().filter(|(key, value)| !is_directive(key) && !value.is_null());
    kept.map(|(key, value)| (key.clone(), without_directives(value))).collect()
}

#[cfg(test)]
mod tests {
    use kro_schema::builtin;
    use kro_value::from_json;

    use super::*;

    fn run(object: &str, patch: &str) -> String {
        let schema = builtin::definition("io.k8s.api.core.v1.PodSpec").unwrap();
        match apply_strategic_merge_patch(&schema, &from_json(object).unwrap(), &from_json(patch).unwrap()) {
            Ok(object) => object.to_string(),
            Err(status) => format!("{} {}", status.code, status.message),
        }
    }

    #[test]
    fn merges_lists_by_their_keys() {
        let two = r#"{"containers":[{"name":"a","image":"x"},{"name":"b","image":"y"}]}"#;
        for (object, patch, result) in [
            (
                two,
                r#"{"containers":[{"name":"b","image":"z"}]}"#,
                r#"{"containers":[{"image":"x","name":"a"},{"image":"z","name":"b"}]}"#,
            ),
            (two, r#"{"containers":[{"name":"a","$patch":"delete"}]}"#, r#"{"containers":[{"image":"y","name":"b"}]}"#),
            (two, r#"{"containers":[{"$patch":"replace"},{"name":"c"}]}"#, r#"{"containers":[{"name":"c"}]}"#),
            // As observed: an item that is new goes before those that the patch does not name.
            (
                r#"{"containers":[{"name":"c","env":[{"name":"A"},{"name":"B"}]}]}"#,
                r#"{"containers":[{"name":"c","env":[{"name":"B","$patch":"delete"},{"name":"C"}]}]}"#,
                r#"{"containers":[{"env":[{"name":"C"},{"name":"A"}],"name":"c"}]}"#,
            ),
            (
                two,
                r#"{"$setElementOrder/containers":[{"name":"b"},{"name":"c"},{"name":"a"}],"containers":[{"name":"c"}]}"#,
                r#"{"containers":[{"image":"y","name":"b"},{"name":"c"},{"image":"x","name":"a"}]}"#,
            ),
            (
                r#"{"tolerations":[{"key":"a"}]}"#,
                r#"{"tolerations":[{"key":"b"}]}"#,
                r#"{"tolerations":[{"key":"b"}]}"#,
            ),
            (
                r#"{"volumes":[{"name":"v","emptyDir":{}}]}"#,
                r#"{"volumes":[{"name":"v","$retainKeys":["name","secret"],"secret":{"secretName":"s"}}]}"#,
                r#"{"volumes":[{"name":"v","secret":{"secretName":"s"}}]}"#,
            ),
            (
                r#"{"nodeSelector":{"a":"1","b":"2"}}"#,
                r#"{"nodeSelector":{"a":null}}"#,
                r#"{"nodeSelector":{"b":"2"}}"#,
            ),
            (
                r#"{"nodeSelector":{"a":"1"}}"#,
                r#"{"nodeSelector":{"$patch":"replace","b":"2"}}"#,
                r#"{"nodeSelector":{"b":"2"}}"#,
            ),
            (
                two,
                r#"{"containers":[{"image":"z"}]}"#,
                "500 map: map[image:z] does not contain declared merge key: name",
            ),
            (
                two,
                r#"{"$setElementOrder/containers":[{"name":"a"}],"containers":[{"name":"c"}]}"#,
                "500 The order in patch list:\n[map[name:c]]\n doesn't match $setElementOrder list:\n[map[name:a]]\n",
            ),
        ] {
            assert_eq!(run(object, patch), result, "{patch}");
        }
    }

    #[test]
    fn primitive_lists_are_united_and_emptied() {
        let schema = builtin::definition("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta").unwrap();
        let object = from_json(r#"{"finalizers":["a","b"]}"#).unwrap();
        for (patch, result) in [
            (r#"{"finalizers":["b","c"]}"#, r#"{"finalizers":["a","b","c"]}"#),
            (r#"{"$deleteFromPrimitiveList/finalizers":["a"]}"#, r#"{"finalizers":["b"]}"#),
            (
                r#"{"$setElementOrder/finalizers":["c","b"],"$deleteFromPrimitiveList/finalizers":["a"],"finalizers":["c"]}"#,
                r#"{"finalizers":["c","b"]}"#,
            ),
        ] {
            let merged = apply_strategic_merge_patch(&schema, &object, &from_json(patch).unwrap()).unwrap();
            assert_eq!(merged.to_string(), result, "{patch}");
        }
    }
}
