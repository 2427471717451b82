use kro_value::{Map, Str, Value, format_smolstr};

use super::{AdditionalProperties, Schema};

/// Drops the fields that a structural schema does not specify, and returns their paths in order, as `spec.a[0].b`.
///
/// The root is a whole object: its `apiVersion`, `kind` and `metadata` stay, as they do in embedded resources. Below
/// `x-kubernetes-preserve-unknown-fields` only what is specified is looked into.
pub fn prune(schema: &Schema, object: &mut Value) -> Vec<Str> {
    let mut dropped = Vec::new();
    walk(schema, object, "", true, &mut dropped);
    dropped.sort();
    dropped
}

/// Drops the fields that a schema does not specify from a value that is no whole object, such as a default.
pub fn prune_value(schema: &Schema, value: &mut Value) -> Vec<Str> {
    let mut dropped = Vec::new();
    walk(schema, value, "", false, &mut dropped);
    dropped.sort();
    dropped
}

fn walk(schema: &Schema, value: &mut Value, path: &str, is_object: bool, dropped: &mut Vec<Str>) {
    match value {
        Value::Map(map) => prune_map(schema, map, path, is_object || schema.embedded_resource(), dropped),
        Value::List(_) => {
            let (Some(items), Some(list)) = (schema.items(), value.as_list_mut()) else { return };
            for (index, item) in list.iter_mut().enumerate() {
                walk(&items, item, &format!("{path}[{index}]"), false, dropped);
            }
        }
        _ => {}
    }
}

fn prune_map(schema: &Schema, map: &mut Map, path: &str, is_object: bool, dropped: &mut Vec<Str>) {
    let is_identity = |name: &str| is_object && matches!(name, "apiVersion" | "kind" | "metadata");
    let child_path = |name: &str| if path.is_empty() { Str::new(name) } else { format_smolstr!("{path}.{name}") };
    let keeps_unknown = schema.preserve_unknown_fields()
        || matches!(schema.additional_properties(), AdditionalProperties::Allowed(true));
    let unknown = |name: &Str| !is_identity(name) && schema.field(name).is_none();
    if !keeps_unknown {
        dropped.extend(map.keys().filter(|name| unknown(name)).map(|name| child_path(name)));
        map.retain(|name, _| !unknown(name));
    }
    let names: Vec<Str> = map.iter().filter(|(_, value)| is_container(value)).map(|(name, _)| name.clone()).collect();
    for name in names.iter().filter(|name| !is_identity(name)) {
        if let (Some(child), Some(value)) = (schema.field(name), map.get_mut(name)) {
            walk(&child, value, &child_path(name), false, dropped);
        }
    }
}

fn is_container(value: &Value) -> bool {
    matches!(value, Value::Map(_) | Value::List(_))
}

#[cfg(test)]
mod tests {
    use kro_value::from_json;

    use super::*;

    #[test]
    fn keeps_what_is_specified() {
        let schema = Schema::from_json(
            &from_json(
                r#"{"type":"object","properties":{
                "spec":{"type":"object","properties":{"a":{"type":"string"},
                    "list":{"type":"array","items":{"type":"object","properties":{"b":{"type":"string"}}}},
                    "map":{"type":"object","additionalProperties":{"type":"object","properties":{"c":{"type":"string"}}}},
                    "free":{"type":"object","x-kubernetes-preserve-unknown-fields":true,
                        "properties":{"known":{"type":"object","properties":{"d":{"type":"string"}}}}},
                    "empty":{"type":"object"},
                    "pod":{"type":"object","x-kubernetes-embedded-resource":true,"properties":{"spec":{"type":"object"}}}}}}}"#,
            )
            .unwrap(),
        );
        let mut object = from_json(
            r#"{"apiVersion":"v1","kind":"K","metadata":{"x":1},"extra":1,"spec":{"a":"1","z":1,"list":[{"b":"1","y":1}],
            "map":{"k":{"c":"1","x":1}},"free":{"w":1,"known":{"d":"1","v":1}},"empty":{"u":1},
            "pod":{"apiVersion":"v1","kind":"Pod","metadata":{},"spec":{"t":1},"status":{}}}}"#,
        )
        .unwrap();
        let dropped = prune(&schema, &mut object);
        assert_eq!(
            dropped,
            [
                "extra",
                "spec.empty.u",
                "spec.free.known.v",
                "spec.list[0].y",
                "spec.map.k.x",
                "spec.pod.spec.t",
                "spec.pod.status",
                "spec.z",
            ]
        );
        assert_eq!(
            object,
            from_json(
                r#"{"apiVersion":"v1","kind":"K","metadata":{"x":1},"spec":{"a":"1","list":[{"b":"1"}],
                "map":{"k":{"c":"1"}},"free":{"w":1,"known":{"d":"1"}},"empty":{},
                "pod":{"apiVersion":"v1","kind":"Pod","metadata":{},"spec":{}}}}"#
            )
            .unwrap()
        );
        assert!(prune(&schema, &mut object).is_empty());
    }
}
