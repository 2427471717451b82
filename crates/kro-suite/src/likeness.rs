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
    // A dot marks who made a map in managed fields: whoever was first.
    const DRAWN: [&str; 6] = ["resourceVersion", "time", "clusterIP", "clusterIPs", "nodePort", "."];
    match value {
        Value::Map(map) => Value::map(
            map.iter()
                .filter(|(key, _)| !DRAWN.contains(&key.as_str()))
                .map(|(key, value)| (without_uids(key, uids), normalise(value, uids, key))),
        ),
        Value::List(items) => {
            // What the server notes when an object gets its first managed fields.
            let is_noise = |item: &&Value| item.str_at(&["manager"]) == Some("before-first-apply");
            let items = items.iter().filter(|item| place != "managedFields" || !is_noise(item));
            let mut items: Vec<Value> = items.map(|item| normalise(item, uids, place)).collect();
            // Their order follows times.
            match place {
                "conditions" => items.sort_by_key(|item| item.str_at(&["type"]).unwrap_or_default().to_owned()),
                "managedFields" => items.sort_by_key(ToString::to_string),
                _ => {}
            }
            Value::from(items)
        }
        Value::String(text) if is_time(text) => Value::from("a time"),
        // Status fields show drawn addresses too.
        Value::String(text) if is_service_address(text) => Value::from("an address"),
        Value::String(text) => Value::String(without_uids(text, uids)),
        other => other.clone(),
    }
}

/// UIDs of live objects become their names, others are all the same.
fn without_uids(text: &Str, uids: &BTreeMap<&str, String>) -> Str {
    let mut result = String::new();
    let mut rest = text.as_str();
    while let Some((before, uid, after)) = split_at_uid(rest) {
        result.push_str(before);
        result.push_str(uids.get(uid).map_or("a uid", String::as_str));
        rest = after;
    }
    result.push_str(rest);
    result.into()
}

fn split_at_uid(text: &str) -> Option<(&str, &str, &str)> {
    const LENGTH: usize = 36;
    let is_uid = |part: &str| {
        let is_dash = |at| matches!(at, 8 | 13 | 18 | 23);
        part.bytes().enumerate().all(|(at, byte)| if is_dash(at) { byte == b'-' } else { byte.is_ascii_hexdigit() })
    };
    let at = (0..(text.len() + 1).saturating_sub(LENGTH)).find(|at| text.get(*at..at + LENGTH).is_some_and(is_uid))?;
    Some((&text[..at], &text[at..at + LENGTH], &text[at + LENGTH..]))
}

fn is_service_address(text: &Str) -> bool {
    text.starts_with("10.96.") && text.parse::<std::net::Ipv4Addr>().is_ok()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_from_run_to_run_plays_no_part() {
        let object = |uid: &str, version: &str, time: &str| {
            let text = format!(
                r#"{{"apiVersion":"v1","kind":"A","metadata":{{"name":"a","uid":"{uid}","resourceVersion":"{version}",
                "creationTimestamp":"{time}"}},"of":"k:{{\"uid\":\"{uid}\"}}","b":1}}"#
            );
            kro_value::from_json(&text).unwrap()
        };
        let one = object("96a573e9-b482-46e8-86a9-fdac40bf0048", "1", "2026-01-01T00:00:00Z");
        let two = object("df82012d-0555-46df-a925-66ff72403c08", "2", "2026-01-01T00:01:00Z");
        assert_eq!(first_difference(&picture(std::slice::from_ref(&one)), &picture(std::slice::from_ref(&two))), None);
        let mut other = two;
        other.set_at(&["b"], Value::Int(2));
        let difference = first_difference(&picture(&[one]), &picture(&[other]));
        assert_eq!(difference.as_deref(), Some("v1 A /a: .b is 2, not 1"));
    }
}
