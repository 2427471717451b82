use kro_value::{Str, Value};

use crate::Status;

const OPERATIONS_MAX: usize = 10_000;

/// Applies a JSON patch (RFC 6902), with the liberties of the reference: `replace` adds a missing key, `test` of a missing
/// place succeeds for null, a negative index counts from the end, and the text before the first `/` of a path is ignored.
///
/// # Errors
/// 400 for what is no list of operations, 413 for too many, 422 (without saying why) for one that cannot be done.
pub fn apply_json_patch(object: &Value, patch: &Value) -> Result<Value, Status> {
    let operations = decode(patch)?;
    let mut object = object.clone();
    for operation in &operations {
        operation.run(&mut object).ok_or_else(refused)?;
    }
    Ok(object)
}

fn refused() -> Status {
    Status::failure(422, "Invalid", "the server rejected our request due to an error in our request")
        .with_empty_details()
}

struct Operation<'a> {
    op: &'a str,
    path: Option<Vec<Str>>,
    from: Option<Vec<Str>>,
    value: Value,
}

fn decode(patch: &Value) -> Result<Vec<Operation<'_>>, Status> {
    let items = match patch {
        Value::Null => &[],
        Value::List(items) => items.as_slice(),
        other => return Err(malformed(other, "value of type []handlers.jsonPatchOp")),
    };
    if items.len() > OPERATIONS_MAX {
        let message = format!(
            "Request entity too large: The allowed maximum operations in a JSON patch is {OPERATIONS_MAX}, got {}",
            items.len()
        );
        return Err(Status::failure(413, "RequestEntityTooLarge", message));
    }
    items.iter().map(decode_operation).collect()
}

fn malformed(what: &Value, place: &str) -> Status {
    let kind = go_json_kind(what);
    Status::bad_request(format!("error decoding patch: json: cannot unmarshal {kind} into Go {place}"))
}

fn decode_operation(item: &Value) -> Result<Operation<'_>, Status> {
    let Value::Map(map) = item else { return Err(malformed(item, "value of type handlers.jsonPatchOp")) };
    let text = |key: &str| match map.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(other) => Err(malformed(other, &format!("struct field jsonPatchOp.{key} of type string"))),
    };
    Ok(Operation {
        op: text("op")?.unwrap_or_default(),
        path: text("path")?.map(pointer),
        from: text("from")?.map(pointer),
        value: map.get("value").cloned().unwrap_or_default(),
    })
}

fn go_json_kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Int(_) | Value::Float(_) => "number",
        Value::String(_) => "string",
        Value::List(_) => "array",
        Value::Map(_) => "object",
    }
}

fn pointer(text: &str) -> Vec<Str> {
    text.split('/').skip(1).map(|part| Str::new(part.replace("~1", "/").replace("~0", "~"))).collect()
}

impl Operation<'_> {
    /// Changes the object; `None` when it cannot be done.
    fn run(&self, object: &mut Value) -> Option<()> {
        let path = self.path.as_deref()?;
        match self.op {
            "add" => add(object, path, self.value.clone()),
            "remove" => remove(object, path).map(drop),
            "replace" => replace(object, path, self.value.clone()),
            "move" => {
                let value = remove(object, self.from.as_deref()?)?;
                add(object, path, value)
            }
            "copy" => {
                let value = get(object, self.from.as_deref()?)?.clone();
                add(object, path, value)
            }
            "test" => match get(object, path) {
                Some(value) => (*value == self.value).then_some(()),
                None => self.value.is_null().then_some(()),
            },
            _ => None,
        }
    }
}

fn get<'a>(object: &'a Value, path: &[Str]) -> Option<&'a Value> {
    path.first()?;
    path.iter().try_fold(object, |value, part| match value {
        Value::Map(map) => map.get(part),
        Value::List(items) => items.get(index(part, items.len())?),
        _ => None,
    })
}

/// An index from 0, or from the end when negative.
fn index(part: &str, len: usize) -> Option<usize> {
    let index: i64 = part.parse().ok()?;
    let len = i64::try_from(len).ok()?;
    let index = if index < 0 { index + len } else { index };
    usize::try_from(index).ok()
}

fn parent<'a>(object: &'a mut Value, path: &[Str]) -> Option<&'a mut Value> {
    path.iter().try_fold(object, |value, part| match value {
        Value::Map(map) => map.get_mut(part),
        Value::List(_) => {
            let items = value.as_list_mut()?;
            let index = index(part, items.len())?;
            items.get_mut(index)
        }
        _ => None,
    })
}

fn add(object: &mut Value, path: &[Str], value: Value) -> Option<()> {
    let (last, parents) = path.split_last()?;
    match parent(object, parents)? {
        Value::Map(map) => {
            map.insert(last.clone(), value);
        }
        list => {
            let items = list.as_list_mut()?;
            let at = if last == "-" { items.len() } else { index(last, items.len() + 1)? };
            if at > items.len() {
                return None;
            }
            items.insert(at, value);
        }
    }
    Some(())
}

fn replace(object: &mut Value, path: &[Str], value: Value) -> Option<()> {
    let (last, parents) = path.split_last()?;
    match parent(object, parents)? {
        Value::Map(map) => {
            map.insert(last.clone(), value);
        }
        list => {
            let items = list.as_list_mut()?;
            let at = index(last, items.len())?;
            *items.get_mut(at)? = value;
        }
    }
    Some(())
}

fn remove(object: &mut Value, path: &[Str]) -> Option<Value> {
    let (last, parents) = path.split_last()?;
    match parent(object, parents)? {
        Value::Map(map) => map.remove(last),
        list => {
            let items = list.as_list_mut()?;
            let at = index(last, items.len())?;
            (at < items.len()).then(|| items.remove(at))
        }
    }
}

#[cfg(test)]
mod tests {
    use kro_value::from_json;

    use super::*;

    fn run(object: &str, patch: &str) -> String {
        match apply_json_patch(&from_json(object).unwrap(), &from_json(patch).unwrap()) {
            Ok(object) => object.to_string(),
            Err(status) => format!("{} {}", status.code, status.message),
        }
    }

    #[test]
    fn does_what_the_reference_does() {
        let refused = "422 the server rejected our request due to an error in our request";
        for (object, patch, result) in [
            (r#"{"a":1}"#, r#"[{"op":"add","path":"/b","value":2}]"#, r#"{"a":1,"b":2}"#),
            (r#"{"a":1}"#, r#"[{"op":"add","path":"/b"}]"#, r#"{"a":1,"b":null}"#),
            (r#"{"a":[1]}"#, r#"[{"op":"add","path":"/a/-","value":2}]"#, r#"{"a":[1,2]}"#),
            (r#"{"a":[1]}"#, r#"[{"op":"add","path":"/a/-1","value":2}]"#, r#"{"a":[1,2]}"#),
            (r#"{"a":[1]}"#, r#"[{"op":"add","path":"/a/0","value":2}]"#, r#"{"a":[2,1]}"#),
            (r#"{"a":[1]}"#, r#"[{"op":"add","path":"/a/2","value":2}]"#, refused),
            (r#"{"a":1}"#, r#"[{"op":"add","path":"/b/c","value":2}]"#, refused),
            (r#"{"a":1}"#, r#"[{"op":"replace","path":"/b","value":2}]"#, r#"{"a":1,"b":2}"#),
            (r#"{"a":[1]}"#, r#"[{"op":"replace","path":"/a/1","value":2}]"#, refused),
            (r#"{"a":{"b/c~d":1}}"#, r#"[{"op":"remove","path":"/a/b~1c~0d"}]"#, r#"{"a":{}}"#),
            (r#"{"a":1}"#, r#"[{"op":"remove","path":"/b"}]"#, refused),
            (r#"{"a":1}"#, r#"[{"op":"move","from":"/a","path":"/b"}]"#, r#"{"b":1}"#),
            (r#"{"a":1}"#, r#"[{"op":"copy","from":"/a","path":"/b"}]"#, r#"{"a":1,"b":1}"#),
            (r#"{"a":1}"#, r#"[{"op":"test","path":"/a","value":1}]"#, r#"{"a":1}"#),
            (r#"{"a":1}"#, r#"[{"op":"test","path":"/a","value":2}]"#, refused),
            (r#"{"a":1}"#, r#"[{"op":"test","path":"/b","value":null}]"#, r#"{"a":1}"#),
            (r#"{"a":1}"#, r#"[{"op":"frob","path":"/a"}]"#, refused),
            (r#"{"a":1}"#, r#"[{"op":"add","value":1}]"#, refused),
            (r#"{"a":1}"#, r#"[{"op":"replace","path":"","value":{}}]"#, refused),
            (
                "{}",
                r#"{"op":"add"}"#,
                "400 error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp",
            ),
        ] {
            assert_eq!(run(object, patch), result, "{patch}");
        }
    }

    #[test]
    fn a_failing_patch_changes_nothing() {
        let object = from_json(r#"{"a":1}"#).unwrap();
        let patch = from_json(r#"[{"op":"remove","path":"/a"},{"op":"remove","path":"/a"}]"#).unwrap();
        assert!(apply_json_patch(&object, &patch).is_err());
        assert_eq!(object.to_string(), r#"{"a":1}"#);
    }
}
