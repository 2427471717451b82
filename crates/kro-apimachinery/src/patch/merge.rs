use kro_value::{Map, Value};

use crate::Status;

/// Applies a merge patch (RFC 7386): null removes a key, maps merge, everything else replaces.
///
/// As in the reference, nulls vanish from the maps of a list that is new, too.
///
/// # Errors
/// 400 for a patch that is no object.
pub fn apply_merge_patch(object: &Value, patch: &Value) -> Result<Value, Status> {
    match patch {
        Value::Map(patch) => Ok(merge(Some(object), patch)),
        Value::Null => Err(Status::bad_request("Invalid JSON Patch")),
        other => {
            let kind = if other.as_list().is_some() { "array" } else { other.type_name() };
            let message = format!(
                "error decoding patch: json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"
            );
            Err(Status::bad_request(message))
        }
    }
}

fn merge(object: Option<&Value>, patch: &Map) -> Value {
    let mut merged = object.and_then(Value::as_map).cloned().unwrap_or_default();
    for (key, change) in patch {
        match change {
            Value::Null => {
                merged.remove(key);
            }
            Value::Map(change) => {
                let value = merge(merged.get(key), change);
                merged.insert(key.clone(), value);
            }
            Value::List(_) if merged.get(key).is_none_or(|value| value.as_map().is_none()) => {
                merged.insert(key.clone(), without_nulls(change));
            }
            other => {
                merged.insert(key.clone(), other.clone());
            }
        }
    }
    Value::Map(merged)
}

/// A value whose maps, at any depth, have no nulls.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Map(map) => {
            let kept = map.iter().filter(|(_, value)| !value.is_null());
            Value::Map(kept.map(|(key, value)| (key.clone(), without_nulls(value))).collect())
        }
        Value::List(items) => items.iter().map(without_nulls).collect(),
        scalar => scalar.clone(),
    }
}

#[cfg(test)]
mod tests {
    use kro_value::from_json;

    use super::*;

    #[test]
    fn merges_as_the_standard_says() {
        for (object, patch, result) in [
            (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"b"}"#, r#"{"a":null}"#, "{}"),
            (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
            (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
            (r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#),
            (r#"{"a":{"b":"c"}}"#, r#"{"a":{"b":"d","c":null}}"#, r#"{"a":{"b":"d"}}"#),
            (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
            (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"a":1,"e":null}"#),
            ("{}", r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
            (r#"{"a":[]}"#, r#"{"a":[{"b":null,"c":1}]}"#, r#"{"a":[{"c":1}]}"#),
        ] {
            let merged = apply_merge_patch(&from_json(object).unwrap(), &from_json(patch).unwrap()).unwrap();
            assert_eq!(merged.to_string(), result, "{object} {patch}");
        }
    }

    #[test]
    fn refuses_what_is_no_object() {
        for (patch, message) in [
            ("null", "Invalid JSON Patch"),
            ("[]", "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}"),
        ] {
            let status = apply_merge_patch(&Value::default(), &from_json(patch).unwrap()).unwrap_err();
            assert_eq!((status.code, status.message.as_str()), (400, message));
        }
    }
}
