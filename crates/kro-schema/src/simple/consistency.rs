//! Markers that are fine one by one but contradict each other, or that the Kubernetes API refuses.

use std::ops::Range;

use kro_diagnostics::codes::simple;
use kro_value::{Map, Value};

use super::apply::{LIST_MAP_KEYS, LIST_TYPE, kind};
use super::default::violations;
use super::marker::Marker;
use super::report::Problem;
use crate::structural::Schema;

/// A lower and an upper bound and the type they have an effect on.
const BOUNDS: [(&str, &str, &[&str]); 3] = [
    ("minimum", "maximum", &["integer", "number"]),
    ("minLength", "maxLength", &["string"]),
    ("minItems", "maxItems", &["array"]),
];

/// Looks at the finished schema of a field that has markers.
pub(super) fn check(schema: &Map, markers: &[Marker]) -> Vec<Problem> {
    let place = |key: &str| markers.iter().rfind(|marker| marker.key == key).map(|marker| marker.value_range.clone());
    let mut problems = check_schema(schema, &place);
    problems.extend(without_effect(schema, markers));
    problems
}

/// Looks at one schema, not below it. `place` says where in the text a marker is.
pub(super) fn check_schema(schema: &Map, place: &dyn Fn(&str) -> Option<Range<usize>>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (low, high, _) in BOUNDS {
        problems.extend(bounds(schema, low, high, place));
    }
    problems.extend(sets(schema, place));
    problems.extend(list_maps(schema, place));
    if let Some(default) = schema.get("default").filter(|default| !fits_plainly(schema, default)) {
        let mut judged = schema.clone();
        judged.remove("default");
        for violation in violations(&Schema::from_json(&Value::Map(judged)), default) {
            let range = place("default").unwrap_or_default();
            problems.push(Problem::error(simple::DEFAULT, format!("default value {violation}"), range));
        }
    }
    problems
}

/// True for a default of which its type alone says that it is right: most are.
fn fits_plainly(schema: &Map, default: &Value) -> bool {
    let is_of_type = matches!(
        (kind(schema), default),
        ("string", Value::String(_)) | ("integer", Value::Int(_)) | ("boolean", Value::Bool(_))
    );
    is_of_type && schema.keys().all(|key| matches!(key.as_str(), "default" | "description" | "type"))
}

fn bounds(schema: &Map, low: &str, high: &str, place: &dyn Fn(&str) -> Option<Range<usize>>) -> Vec<Problem> {
    let number = |key: &str| schema.get(key).and_then(Value::as_f64);
    let mut problems = Vec::new();
    for key in [low, high].into_iter().filter(|key| *key != "minimum" && *key != "maximum") {
        if let Some(negative) = number(key).filter(|size| *size < 0.0) {
            let message = format!("{key} must not be negative, got {}", Value::Float(negative));
            problems.push(Problem::error(simple::MARKER_VALUE, message, place(key).unwrap_or_default()));
        }
    }
    if let (Some(least), Some(most)) = (number(low), number(high))
        && least > most
    {
        let (least, most) = (Value::Float(least), Value::Float(most));
        let message = format!("{low} {least} is greater than {high} {most}, so no value fits");
        let (low, high) = (place(low), place(high));
        let problem = Problem::error(simple::CONTRADICTION, message, low.clone().or(high.clone()).unwrap_or_default());
        problems.push(match (low, high) {
            (Some(_), Some(high)) => problem.also(high, "the upper bound"),
            _ => problem,
        });
    }
    problems
}

/// The items of a set are compared as a whole, which the Kubernetes API does for scalars only.
fn sets(schema: &Map, place: &dyn Fn(&str) -> Option<Range<usize>>) -> Option<Problem> {
    let items = schema.get("items")?.as_map()?;
    let atomic = items.get("x-kubernetes-map-type").and_then(Value::as_str) == Some("atomic");
    if schema.get(LIST_TYPE)?.as_str()? != "set" || kind(items) != "object" || atomic {
        return None;
    }
    let range = place("uniqueItems").or_else(|| place("listType")).unwrap_or_default();
    let message = "a list of objects cannot be a set; the Kubernetes API refuses it";
    Some(
        Problem::error(simple::CONTRADICTION, message, range)
            .help("use listType=map listMapKey=... for objects with a key"),
    )
}

/// The keys of a list of the type `map` must be there in every item.
fn list_maps(schema: &Map, place: &dyn Fn(&str) -> Option<Range<usize>>) -> Vec<Problem> {
    if schema.get(LIST_TYPE).and_then(Value::as_str) != Some("map") {
        return Vec::new();
    }
    let range = place("listMapKey").or_else(|| place("listType")).unwrap_or_default();
    let error = |message: String| Problem::error(simple::LIST_MAP, message, range.clone());
    let Some(items) = schema.get("items").and_then(Value::as_map) else { return Vec::new() };
    if items.contains_key("x-kubernetes-preserve-unknown-fields") && !items.contains_key("type") {
        return Vec::new(); // a type that is not known
    }
    if kind(items) != "object" {
        let message = format!("listType=map needs a list of objects, got items of type {}", kind(items));
        return vec![error(message).help("use listType=set for scalars")];
    }
    let keys = schema.get(LIST_MAP_KEYS).and_then(Value::as_list).unwrap_or_default();
    if keys.is_empty() {
        return vec![error("listType=map needs at least one listMapKey".to_owned()).help("add listMapKey=NAME")];
    }
    keys.iter().filter_map(Value::as_str).filter_map(|key| Some(error(list_key(items, key)?))).collect()
}

/// What is wrong with a key of list items.
fn list_key(items: &Map, key: &str) -> Option<String> {
    let properties = items.get("properties").and_then(Value::as_map);
    let Some(field) = properties.and_then(|properties| properties.get(key)).and_then(Value::as_map) else {
        let names = properties.into_iter().flat_map(|properties| properties.keys().map(kro_value::Str::as_str));
        let near = kro_diagnostics::did_you_mean(key, names).map(|near| format!("; {near}")).unwrap_or_default();
        return Some(format!("listMapKey {key}: the items have no such field{near}"));
    };
    if matches!(kind(field), "array" | "object") {
        return Some(format!("listMapKey {key}: the field must be a scalar, got type {}", kind(field)));
    }
    let required = items.get("required").and_then(Value::as_list).unwrap_or_default();
    if !required.contains(&Value::from(key)) && !field.contains_key("default") {
        return Some(format!("listMapKey {key}: the field must be required or have a default"));
    }
    None
}

/// Bounds on numbers are allowed on every type and ignored on most.
fn without_effect(schema: &Map, markers: &[Marker]) -> Vec<Problem> {
    let (low, high, kinds) = BOUNDS[0];
    let idle = |marker: &&Marker| (marker.key == low || marker.key == high) && !kinds.contains(&kind(schema));
    let warning = |marker: &Marker| {
        let message = format!("{} has no effect on type {}", marker.key, kind(schema));
        let problem = Problem::warning(simple::NO_EFFECT, message, marker.key_range.clone());
        match kind(schema) {
            "string" => problem.help("use minLength and maxLength for strings"),
            "array" => problem.help("use minItems and maxItems for lists"),
            _ => problem,
        }
    };
    markers.iter().filter(idle).map(warning).collect()
}
