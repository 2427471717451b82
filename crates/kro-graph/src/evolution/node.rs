use kro_value::{Map, Str, Value};

use super::bounds;
use super::change::{Change, ChangeType, Class};

/// Keywords that the comparison looks at in detail.
const KNOWN: &[&str] = &[
    "type",
    "description",
    "default",
    "pattern",
    "properties",
    "required",
    "enum",
    "items",
    "additionalProperties",
    "format",
    "nullable",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "uniqueItems",
    "multipleOf",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "x-kubernetes-validations",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-map-type",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-embedded-resource",
    "x-kubernetes-int-or-string",
];

/// Compares two schemas; `path` is that of the schema, empty for the root.
pub(super) fn compare(changes: &mut Vec<Change>, old: Option<&Value>, new: Option<&Value>, path: &str) {
    let (Some(old), Some(new)) = (old, new) else {
        match (old, new) {
            (Some(_), None) => changes.push(Change::breaking(path, ChangeType::PropertyRemoved)),
            (None, Some(_)) => changes.push(Change::compatible(path, ChangeType::PropertyAdded)),
            _ => {}
        }
        return;
    };
    compare_value(changes, old, new, path, "description", ChangeType::DescriptionChanged, |_, _| Class::Compatible);
    compare_value(changes, old, new, path, "default", ChangeType::DefaultChanged, |_, _| Class::Compatible);
    let type_of = |schema: &Value| schema.get("type").cloned().unwrap_or_default();
    if type_of(old) != type_of(new) {
        changes
            .push(Change::breaking(format!("{path}.type"), ChangeType::TypeChanged).values(type_of(old), type_of(new)));
        return;
    }
    compare_pattern(changes, old, new, path);
    bounds::compare(changes, old, new, path);
    compare_enum(changes, old, new, path);
    compare_keywords(changes, old, new, path);
    compare_validations(changes, old, new, path);
    compare_properties(changes, old, new, path);
    compare_values_of_map(changes, old, new, path);
    let (old_items, new_items) = (old.get("items"), new.get("items"));
    compare(changes, old_items, new_items, &format!("{path}.items"));
}

type Judge = fn(&Value, &Value) -> Class;

fn compare_value(
    changes: &mut Vec<Change>,
    old: &Value,
    new: &Value,
    path: &str,
    keyword: &str,
    change_type: ChangeType,
    judge: Judge,
) {
    let at = |schema: &Value| schema.get(keyword).cloned().unwrap_or_default();
    let (old, new) = (at(old), at(new));
    if old != new {
        changes.push(Change::new(judge(&old, &new), format!("{path}.{keyword}"), change_type).values(old, new));
    }
}

fn compare_pattern(changes: &mut Vec<Change>, old: &Value, new: &Value, path: &str) {
    let text = |schema: &Value| schema.get("pattern").filter(|text| text.as_str() != Some("")).cloned();
    let (class, change_type) = match (text(old), text(new)) {
        (None, Some(_)) => (Class::Breaking, ChangeType::PatternAdded),
        (Some(_), None) => (Class::Compatible, ChangeType::PatternRemoved),
        (Some(old), Some(new)) if old != new => (Class::Breaking, ChangeType::PatternChanged),
        _ => return,
    };
    let values = (text(old).unwrap_or_default(), text(new).unwrap_or_default());
    changes.push(Change::new(class, format!("{path}.pattern"), change_type).values(values.0, values.1));
}

fn compare_enum(changes: &mut Vec<Change>, old: &Value, new: &Value, path: &str) {
    let values = |schema: &Value| schema.get("enum").and_then(Value::as_list).unwrap_or_default().to_vec();
    let (old, new) = (values(old), values(new));
    let path = format!("{path}.enum");
    match (old.is_empty(), new.is_empty()) {
        (true, true) => {}
        (true, false) => {
            changes.push(Change::breaking(path, ChangeType::EnumAdded).values(Value::Null, new.into()));
        }
        (false, true) => {
            changes.push(Change::compatible(path, ChangeType::EnumRemoved).values(old.into(), Value::Null));
        }
        (false, false) => {
            for value in old.iter().filter(|value| !new.contains(value)) {
                let change = Change::breaking(path.clone(), ChangeType::EnumRestricted);
                changes.push(change.values(value.clone(), Value::Null));
            }
            for value in new.iter().filter(|value| !old.contains(value)) {
                let change = Change::compatible(path.clone(), ChangeType::EnumExpanded);
                changes.push(change.values(Value::Null, value.clone()));
            }
        }
    }
}

/// Keywords that are compared as a whole.
fn compare_keywords(changes: &mut Vec<Change>, old: &Value, new: &Value, path: &str) {
    let restricts: Judge = |_, new| if new.is_null() { Class::Compatible } else { Class::Breaking };
    let allows: Judge = |_, new| if new.as_bool() == Some(true) { Class::Compatible } else { Class::Breaking };
    let list_type: Judge = |_, new| match new.as_str() {
        None | Some("atomic") => Class::Compatible,
        Some(_) => Class::Breaking,
    };
    for (keyword, change_type, judge) in [
        ("format", ChangeType::FormatChanged, restricts),
        ("nullable", ChangeType::NullableChanged, allows),
        ("x-kubernetes-preserve-unknown-fields", ChangeType::PreserveUnknownFieldsChanged, allows),
        ("x-kubernetes-int-or-string", ChangeType::TypeChanged, allows),
        ("x-kubernetes-embedded-resource", ChangeType::EmbeddedResourceChanged, restricts),
        ("x-kubernetes-list-type", ChangeType::ListTypeChanged, list_type),
        ("x-kubernetes-list-map-keys", ChangeType::ListMapKeysChanged, restricts),
        ("x-kubernetes-map-type", ChangeType::MapTypeChanged, |_, _| Class::Compatible),
        ("allOf", ChangeType::CombinatorChanged, restricts),
        ("anyOf", ChangeType::CombinatorChanged, restricts),
        ("oneOf", ChangeType::CombinatorChanged, restricts),
        ("not", ChangeType::CombinatorChanged, restricts),
    ] {
        compare_value(changes, old, new, path, keyword, change_type, judge);
    }
    let keys = |schema: &Value| schema.as_map().map(|map| map.keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
    let mut rest: Vec<Str> = keys(old).into_iter().chain(keys(new)).collect();
    rest.retain(|keyword| !KNOWN.contains(&keyword.as_str()));
    rest.sort();
    rest.dedup();
    for keyword in rest {
        compare_value(changes, old, new, path, &keyword, ChangeType::KeywordChanged, |_, _| Class::Ignored);
    }
}

fn compare_validations(changes: &mut Vec<Change>, old: &Value, new: &Value, path: &str) {
    let rules = |schema: &Value| -> Vec<Value> {
        schema.get("x-kubernetes-validations").and_then(Value::as_list).unwrap_or_default().to_vec()
    };
    let (old, new) = (rules(old), rules(new));
    let text = |rule: &Value| rule.get("rule").cloned().unwrap_or_default();
    let path = format!("{path}.x-kubernetes-validations");
    for rule in old.iter().filter(|rule| !new.iter().any(|other| text(other) == text(rule))) {
        let change = Change::compatible(path.clone(), ChangeType::ValidationRemoved);
        changes.push(change.values(text(rule), Value::Null));
    }
    for rule in &new {
        match old.iter().find(|other| text(other) == text(rule)) {
            None => {
                let change = Change::breaking(path.clone(), ChangeType::ValidationAdded);
                changes.push(change.values(Value::Null, text(rule)));
            }
            Some(other) if other != rule => {
                let message = |rule: &Value| rule.get("message").cloned().unwrap_or_default();
                let change = Change::compatible(path.clone(), ChangeType::ValidationMessageChanged);
                changes.push(change.values(message(other), message(rule)));
            }
            Some(_) => {}
        }
    }
}

fn compare_properties(changes: &mut Vec<Change>, old: &Value, new: &Value, path: &str) {
    let (old_properties, new_properties) = (properties(old), properties(new));
    for (name, old_property) in &old_properties {
        let path = format!("{path}.properties.{name}");
        match new_properties.get(name) {
            None => changes.push(Change::breaking(path, ChangeType::PropertyRemoved)),
            Some(new_property) => {
                compare_required(changes, (old, new), name, (old_property, new_property), &path);
                compare(changes, Some(old_property), Some(new_property), &path);
            }
        }
    }
    for (name, property) in new_properties.iter().filter(|(name, _)| !old_properties.contains_key(name)) {
        let breaks = is_required(new, name) && property.get("default").is_none();
        let class = if breaks { Class::Breaking } else { Class::Compatible };
        changes.push(Change::new(class, format!("{path}.properties.{name}"), ChangeType::PropertyAdded));
    }
}

fn compare_required(
    changes: &mut Vec<Change>,
    (old, new): (&Value, &Value),
    name: &str,
    (old_property, new_property): (&Value, &Value),
    path: &str,
) {
    let change = match (is_required(old, name), is_required(new, name)) {
        (false, true) => Change::breaking(path, ChangeType::RequiredAdded),
        (true, false) => Change::compatible(path, ChangeType::RequiredRemoved),
        (true, true) if old_property.get("default").is_some() && new_property.get("default").is_none() => {
            Change::breaking(path, ChangeType::RequiredDefaultRemoved)
        }
        _ => return,
    };
    changes.push(change);
}

/// `additionalProperties`: a schema, `true`, or nothing.
fn compare_values_of_map(changes: &mut Vec<Change>, old: &Value, new: &Value, path: &str) {
    let values = |schema: &Value| {
        schema.get("additionalProperties").filter(|additional| additional.as_bool() != Some(false)).cloned()
    };
    let path = format!("{path}.additionalProperties");
    match (values(old), values(new)) {
        (Some(old @ Value::Map(_)), Some(new @ Value::Map(_))) => compare(changes, Some(&old), Some(&new), &path),
        (None, Some(new)) => {
            let change = Change::compatible(path, ChangeType::AdditionalPropertiesAdded);
            changes.push(change.values(Value::Null, new));
        }
        (Some(old), None) => {
            let change = Change::breaking(path, ChangeType::AdditionalPropertiesRemoved);
            changes.push(change.values(old, Value::Null));
        }
        (Some(old), Some(new)) if old != new => {
            let class = if new.as_bool() == Some(true) { Class::Compatible } else { Class::Breaking };
            changes.push(Change::new(class, path, ChangeType::TypeChanged).values(old, new));
        }
        _ => {}
    }
}

fn properties(schema: &Value) -> Map {
    schema.get("properties").and_then(Value::as_map).cloned().unwrap_or_default()
}

fn is_required(schema: &Value, name: &str) -> bool {
    let names = schema.get("required").and_then(Value::as_list).unwrap_or_default();
    names.iter().any(|required| required.as_str() == Some(name))
}
