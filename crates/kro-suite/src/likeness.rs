//! Whole clusters side by side, without what differs from run to run: UIDs, times, resource versions, drawn numbers.

use std::collections::BTreeMap;

use kro_value::{Str, Value};

/// Every object by kind, namespace and name, in the form that is the same in every run.
pub type Picture = BTreeMap<String, Value>;

/// Takes the picture of these objects.
pub fn picture(objects: &[Value]) -> Picture {
    let uids: BTreeMap<&str, String> = objects
        .iter()
        .filter_map(|object| Some((object.str_at(&["metadata", "uid"])?, format!("uid of {}", key(object)))))
        .collect();
    let is_drawn = |object: &Value| matches!(object.str_at(&["kind"]), Some("Event" | "Lease"));
    let normal = |object: &Value| (key(object), normalise(object, &uids, ""));
    objects.iter().filter(|object| !is_drawn(object)).map(normal).collect()
}

fn key(object: &Value) -> String {
    let text = |keys: &[&str]| object.str_at(keys).unwrap_or_default();
    let (namespace, name) = (text(&["metadata", "namespace"]), text(&["metadata", "name"]));
    format!("{} {} {namespace}/{name}", text(&["apiVersion"]), text(&["kind"]))
}

fn normalise(value: &Value, uids: &BTreeMap<&str, String>, place: &str) -> Value {
    const DRAWN: [&str; 5] = ["resourceVersion", "time", "clusterIP", "clusterIPs", "nodePort"];
    match value {
        Value::Map(map) => Value::map(
            map.iter()
                .filter(|(key, _)| !DRAWN.contains(&key.as_str()))
                .map(|(key, value)| (key.clone(), normalise(value, uids, key))),
        ),
        Value::List(items) => {
            let mut items: Vec<Value> = items.iter().map(|item| normalise(item, uids, place)).collect();
            // Their order follows times.
            match place {
                "conditions" => items.sort_by_key(|item| item.str_at(&["type"]).unwrap_or_default().to_owned()),
                "managedFields" => items.sort_by_key(ToString::to_string),
                _ => {}
            }
            Value::from(items)
        }
        Value::String(text) => match uids.get(text.as_str()) {
            Some(name) => Value::from(name.as_str()),
            None if is_time(text) => Value::from("a time"),
            None => value.clone(),
        },
        other => other.clone(),
    }
}

fn is_time(text: &Str) -> bool {
    kro_engine::Timestamp::parse(text).is_some()
}

/// The first object that differs, and how; `None` when the pictures are the same.
pub fn first_difference(expected: &Picture, found: &Picture) -> Option<String> {
    let keys = expected.keys().chain(found.keys());
    keys.into_iter().find_map(|key| match (expected.get(key), found.get(key)) {
        (Some(expected), Some(found)) if expected == found => None,
        (Some(expected), Some(found)) => Some(format!("{key}: {}", differing_part(expected, found, ""))),
        (Some(_), None) => Some(format!("{key} is missing")),
        _ => Some(format!("{key} is left over")),
    })
}

fn differing_part(expected: &Value, found: &Value, path: &str) -> String {
    if let (Value::Map(left), Value::Map(right)) = (expected, found) {
        let keys = left.keys().chain(right.keys());
        for key in keys {
            let (left, right) = (left.get(key).cloned(), right.get(key).cloned());
            if left != right {
                let path = format!("{path}.{key}");
                return differing_part(&left.unwrap_or_default(), &right.unwrap_or_default(), &path);
            }
        }
    }
    format!("{path} is {found}, not {expected}")
}
