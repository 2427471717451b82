use kro_value::{FieldPath, Value};

use crate::{Cluster, Expectation, ObjectRef};

/// What of an expectation does not hold at the moment; `None` when all of it does.
pub(crate) fn find_miss(expectation: &Expectation, cluster: &mut dyn Cluster) -> Option<String> {
    match expectation {
        Expectation::Names { kind, selector, names } => find_other_names(kind, selector, names, cluster),
        Expectation::Absent(object) => object.get(cluster).map(|_| format!("{object} is there")),
        Expectation::Object { object, has, lacks, conditions } => {
            let Some(live) = object.get(cluster) else { return Some(format!("{object} is not there")) };
            let miss = find_difference(has, &live, "")
                .or_else(|| find_present(lacks, &live))
                .or_else(|| find_condition(conditions, &live));
            miss.map(|miss| format!("{object}: {miss}\n{}", describe(&live)))
        }
    }
}

/// An object for people: without managed fields.
pub(crate) fn describe(object: &Value) -> String {
    let mut object = object.clone();
    object.remove_at(&["metadata", "managedFields"]);
    object.to_string()
}

fn find_other_names(kind: &ObjectRef, selector: &str, wanted: &[String], cluster: &mut dyn Cluster) -> Option<String> {
    let Some(path) = kind.collection_path(cluster) else { return Some(format!("{} is not served", kind.kind)) };
    let selector = selector.replace('=', "%3D").replace('/', "%2F").replace(',', "%2C");
    let answer = cluster.request("GET", &format!("{path}?labelSelector={selector}"), "", None);
    let items = answer.body.get("items").and_then(Value::as_list).unwrap_or_default();
    let mut names: Vec<&str> = items.iter().filter_map(|item| item.str_at(&["metadata", "name"])).collect();
    names.sort_unstable();
    (names != wanted).then(|| format!("{} with {selector}: {names:?}, not {wanted:?}", kind.kind))
}

/// The first place where `live` does not have what `wanted` has. Maps may have more keys; lists must be as long.
/// Of a wanted text of the form `*one*two*` the parts are to be contained in their order.
pub(crate) fn find_difference(wanted: &Value, live: &Value, path: &str) -> Option<String> {
    match (wanted, live) {
        (Value::Map(wanted), Value::Map(live)) => wanted.iter().find_map(|(key, value)| {
            let path = format!("{path}.{key}");
            match live.get(key) {
                Some(live) => find_difference(value, live, &path),
                None if value.is_null() => None,
                None => Some(format!("{path} is absent, not {value}")),
            }
        }),
        (Value::List(wanted), Value::List(live)) if wanted.len() == live.len() => {
            let pairs = wanted.iter().zip(live.iter()).enumerate();
            pairs.into_iter().find_map(|(at, (wanted, live))| find_difference(wanted, live, &format!("{path}[{at}]")))
        }
        (Value::String(wanted), Value::String(live)) if is_pattern(wanted) => {
            let missing = find_missing_part(wanted, live);
            missing.map(|part| format!("{path} is {live:?}, which does not contain {part:?} (in its place)"))
        }
        _ => (wanted != live).then(|| format!("{path} is {live}, not {wanted}")),
    }
}

/// The first part of a pattern that does not follow the one before it.
fn find_missing_part<'a>(pattern: &'a str, text: &str) -> Option<&'a str> {
    let mut rest = text;
    pattern.split('*').filter(|part| !part.is_empty()).find(|part| match rest.split_once(part) {
        Some((_, after)) => {
            rest = after;
            false
        }
        None => true,
    })
}

fn is_pattern(text: &str) -> bool {
    text.len() > 2 && text.starts_with('*') && text.ends_with('*')
}

fn find_present(lacks: &[FieldPath], live: &Value) -> Option<String> {
    lacks.iter().find(|path| live.at_path(path).is_some()).map(|path| format!("{path} is there"))
}

/// Wanted: type to status, or to a map with any of status, reason, message.
fn find_condition(wanted: &Value, live: &Value) -> Option<String> {
    let conditions = live.at(&["status", "conditions"]).and_then(Value::as_list).unwrap_or_default();
    wanted.as_map()?.iter().find_map(|(kind, wanted)| {
        let found = conditions.iter().find(|condition| condition.str_at(&["type"]) == Some(kind));
        let Some(found) = found else { return Some(format!("condition {kind} is absent")) };
        let wanted = match wanted {
            Value::String(status) => Value::map([("status", Value::from(status.clone()))]),
            other => other.clone(),
        };
        find_difference(&wanted, found, &format!("condition {kind}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use kro_value::from_json;

    #[test]
    fn differences_are_named() {
        for (wanted, live, expected) in [
            (r#"{"a":1}"#, r#"{"a":1,"b":2}"#, None),
            (r#"{"a":{"b":2}}"#, r#"{"a":{"b":3}}"#, Some(".a.b is 3, not 2")),
            (r#"{"a":[1,2]}"#, r#"{"a":[1]}"#, Some(".a is [1], not [1,2]")),
            (r#"{"a":"*ell*"}"#, r#"{"a":"hello"}"#, None),
            (r#"{"a":"*e*lo*"}"#, r#"{"a":"hello"}"#, None),
            (
                r#"{"a":"*lo*e*"}"#,
                r#"{"a":"hello"}"#,
                Some(r#".a is "hello", which does not contain "e" (in its place)"#),
            ),
            (r#"{"a":null}"#, r#"{}"#, None),
            (r#"{"a":1}"#, r#"{}"#, Some(".a is absent, not 1")),
        ] {
            let found = find_difference(&from_json(wanted).unwrap(), &from_json(live).unwrap(), "");
            assert_eq!(found.as_deref(), expected, "{wanted} {live}");
        }
    }

    #[test]
    fn conditions_go_by_type() {
        let live = from_json(r#"{"status":{"conditions":[{"type":"Ready","status":"False","reason":"X"}]}}"#).unwrap();
        let find = |wanted: &str| find_condition(&from_json(wanted).unwrap(), &live);
        assert_eq!(find(r#"{"Ready":"False"}"#), None);
        assert_eq!(find(r#"{"Ready":{"status":"False","reason":"X"}}"#), None);
        assert!(find(r#"{"Ready":"True"}"#).is_some());
        assert!(find(r#"{"Other":"True"}"#).is_some());
    }
}
