use std::collections::BTreeMap;

use kro_schema::structural::{ListType, Schema};
use kro_value::{Map, Value};

use super::value::join;
use crate::FieldError;
use crate::fieldset::PathElement;

/// The key fields of an item of a keyed list, as a value; `None` for one without any.
fn key_fields(list: &Schema, items: &Schema, item: &Value) -> Option<Value> {
    let map = item.as_map()?;
    let fields = list.list_map_keys().iter().filter_map(|name| {
        let default = || items.property(name).and_then(|property| property.default_value().cloned());
        Some((name.clone(), map.get(name).cloned().or_else(default)?))
    });
    let fields: Map = fields.collect();
    (!fields.is_empty()).then_some(Value::Map(fields))
}

/// What tells the items of a set or keyed list apart.
pub(super) fn key_of(list: &Schema, items: &Schema, item: &Value) -> Option<PathElement> {
    match list.list_type()? {
        ListType::Map => key_fields(list, items, item).map(PathElement::Value),
        ListType::Set => Some(PathElement::Value(item.clone())),
        ListType::Atomic => None,
    }
}

/// The items of a list by their keys.
pub(super) fn index_by_key<'a>(list: &Schema, items: &Schema, values: &'a [Value]) -> BTreeMap<PathElement, &'a Value> {
    values.iter().filter_map(|item| Some((key_of(list, items, item)?, item))).collect()
}

/// Reports equal items of sets and keyed lists. A list whose old value had some is let through as a whole.
pub(super) fn duplicates(
    schema: &Schema,
    path: &str,
    value: &Value,
    old: Option<&Value>,
    errors: &mut Vec<FieldError>,
) {
    match value {
        Value::Map(map) => {
            for (name, value) in map.iter().filter(|(_, value)| value.as_map().is_some() || value.as_list().is_some()) {
                if let Some(child) = schema.field(name) {
                    duplicates(&child, &join(path, name), value, old.and_then(|old| old.get(name)), errors);
                }
            }
        }
        Value::List(items) => {
            let Some(item_schema) = schema.items() else { return };
            let old_items = old.and_then(Value::as_list).unwrap_or_default();
            let had_some = !repeated(schema, &item_schema, old_items).is_empty();
            if !had_some {
                let repeated = repeated(schema, &item_schema, items).into_iter();
                errors.extend(repeated.map(|(index, value)| FieldError::duplicate(format!("{path}[{index}]"), &value)));
            }
            let olds = index_by_key(schema, &item_schema, old_items);
            for (index, item) in items.iter().enumerate() {
                let old = key_of(schema, &item_schema, item).and_then(|key| olds.get(&key).copied());
                duplicates(&item_schema, &format!("{path}[{index}]"), item, old, errors);
            }
        }
        _ => {}
    }
}

/// Items whose key came before, with what is printed of them.
fn repeated(list: &Schema, items: &Schema, values: &[Value]) -> Vec<(usize, Value)> {
    let mut seen = BTreeMap::new();
    let mut repeated = Vec::new();
    for (index, item) in values.iter().enumerate() {
        let Some(key) = key_of(list, items, item) else { continue };
        if seen.insert(key, ()).is_some() {
            let printed = if list.list_type() == Some(ListType::Map) { key_fields(list, items, item) } else { None };
            repeated.push((index, printed.unwrap_or_else(|| item.clone())));
        }
    }
    repeated
}
