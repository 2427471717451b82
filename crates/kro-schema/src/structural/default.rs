use kro_value::{Map, Str, Value};

use super::{AdditionalProperties, Schema};

/// Puts the defaults of a structural schema where they belong.
///
/// A declared property that is absent, or null though it is not nullable, becomes its default, if it has one; such a
/// null without a default goes. A default brings no parents: what is inside an absent object stays absent.
pub fn default(schema: &Schema, value: &mut Value) {
    match value {
        Value::Map(map) if needs_change(schema, map) => default_map(schema, map),
        Value::Map(map) => default_children(schema, map),
        Value::List(_) => {
            let Some(items) = schema.items() else { return };
            let Some(list) = value.as_list_mut() else { return };
            for item in list {
                if let Some(value) = replacement(&items, Some(item)) {
                    *item = value;
                }
                default(&items, item);
            }
        }
        _ => {}
    }
}

/// True when an entry of the map itself comes or goes, so that a map that fits is not copied.
fn needs_change(schema: &Schema, map: &Map) -> bool {
    let is_missing = |(name, child): (&Str, Schema)| replacement(&child, map.get(name)).is_some();
    let is_stale =
        |(name, value): (&Str, &Value)| value.is_null() && schema.field(name).is_some_and(|it| !it.nullable());
    schema.properties().any(is_missing) || map.iter().any(is_stale)
}

fn default_map(schema: &Schema, map: &mut Map) {
    for (name, child) in schema.properties() {
        if let Some(default) = replacement(&child, map.get(name)) {
            map.insert(name.clone(), default);
        }
    }
    if let AdditionalProperties::Schema(values) = schema.additional_properties() {
        for (name, value) in map.iter_mut() {
            if schema.property(name).is_none()
                && let Some(default) = replacement(&values, Some(value))
            {
                *value = default;
            }
        }
    }
    map.retain(|name, value| !value.is_null() || schema.field(name).is_none_or(|child| child.nullable()));
    default_children(schema, map);
}

fn default_children(schema: &Schema, map: &mut Map) {
    let names: Vec<Str> = map
        .iter()
        .filter(|(_, value)| value.as_map().is_some() || value.as_list().is_some())
        .map(|(name, _)| name.clone())
        .collect();
    for name in names {
        let Some(child) = schema.field(&name) else { continue };
        let mut value = map.get(&name).cloned().unwrap_or_default();
        default(&child, &mut value);
        if map.get(&name).is_some_and(|before| !before.same(&value)) {
            map.insert(name, value);
        }
    }
}

/// The default that takes the place of an absent or illegally null value.
fn replacement(schema: &Schema, value: Option<&Value>) -> Option<Value> {
    match value {
        None => schema.default_value().cloned(),
        Some(Value::Null) if !schema.nullable() => schema.default_value().cloned(),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use kro_value::from_json;

    use super::*;

    #[test]
    fn fills_what_is_absent() {
        let schema = Schema::from_json(
            &from_json(
                r#"{"type":"object","properties":{
                "a":{"type":"integer","default":1},
                "n":{"type":"integer","nullable":true,"default":2},
                "gone":{"type":"string"},
                "parent":{"type":"object","properties":{"child":{"type":"string","default":"c"}}},
                "made":{"type":"object","default":{},"properties":{"child":{"type":"string","default":"c"}}},
                "list":{"type":"array","items":{"type":"object","default":{},"properties":{"x":{"type":"integer","default":3}}}},
                "map":{"type":"object","additionalProperties":{"type":"object","properties":{"x":{"type":"integer","default":4}}}}}}"#,
            )
            .unwrap(),
        );
        for (value, result) in [
            ("{}", r#"{"a":1,"made":{"child":"c"},"n":2}"#),
            (r#"{"a":null,"n":null,"gone":null}"#, r#"{"a":1,"made":{"child":"c"},"n":null}"#),
            (r#"{"parent":{},"a":5}"#, r#"{"a":5,"made":{"child":"c"},"n":2,"parent":{"child":"c"}}"#),
            (r#"{"list":[null,{"x":1},{}]}"#, r#"{"a":1,"list":[{"x":3},{"x":1},{"x":3}],"made":{"child":"c"},"n":2}"#),
            (r#"{"map":{"k":{},"z":null}}"#, r#"{"a":1,"made":{"child":"c"},"map":{"k":{"x":4}},"n":2}"#),
        ] {
            let mut value = from_json(value).unwrap();
            default(&schema, &mut value);
            assert_eq!(value.to_string(), result);
            let again = value.clone();
            default(&schema, &mut value);
            assert_eq!(value, again);
        }
    }

    #[test]
    fn what_fits_keeps_its_memory() {
        let schema = Schema::from_json(
            &from_json(r#"{"type":"object","properties":{"p":{"type":"object","properties":{"a":{"default":1}}}}}"#)
                .unwrap(),
        );
        let original = from_json(r#"{"p":{"a":2}}"#).unwrap();
        let mut value = original.clone();
        default(&schema, &mut value);
        assert!(value.same(&original));
    }
}
