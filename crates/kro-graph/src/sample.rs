//! A sample instance: the smallest object that says everything its API asks for.

use kro_schema::structural::{Schema, SchemaType};
use kro_value::{Map, Value, format_smolstr};

use crate::InstanceApi;

/// How deep samples go; schemas may be recursive.
const DEPTH_MAX: usize = 32;

/// An instance of an API that is valid by its schema as far as that can be told without solving patterns: required
/// fields have values within their bounds, fields with defaults show them, other optional fields are left out.
pub fn sample_instance(api: &InstanceApi) -> Value {
    let name = format_smolstr!("my-{}", api.kind.to_ascii_lowercase());
    let mut metadata = Map::new();
    metadata.insert("name", name.into());
    if api.namespaced {
        metadata.insert("namespace", "default".into());
    }
    let mut object = Map::new();
    object.insert("apiVersion", api.gvk().api_version().into());
    object.insert("kind", api.kind.clone().into());
    object.insert("metadata", metadata.into());
    if let Some(spec) = api.schema.property("spec") {
        object.insert("spec", sample(&spec, "spec", DEPTH_MAX));
    }
    object.into()
}

fn sample(schema: &Schema, name: &str, depth: usize) -> Value {
    let is_given = |default: &&Value| default.as_map().is_none_or(|map| !map.is_empty());
    if let Some(default) = schema.default_value().filter(is_given) {
        return default.clone();
    }
    if let Some(first) = schema.enum_values().first() {
        return first.clone();
    }
    match schema.schema_type() {
        _ if depth == 0 => Value::Null,
        Some(SchemaType::Object) => object(schema, depth),
        Some(SchemaType::Array) => list(schema, name, depth),
        Some(SchemaType::String) => text(schema, name).into(),
        Some(SchemaType::Integer) => integer(schema).into(),
        Some(SchemaType::Number) => schema.minimum().cloned().unwrap_or_else(|| 0.into()),
        Some(SchemaType::Boolean) => false.into(),
        None if schema.has_properties() => object(schema, depth),
        None if schema.int_or_string() => 1.into(),
        None => Map::new().into(),
    }
}

/// Required fields, and those that a default shows.
fn object(schema: &Schema, depth: usize) -> Value {
    let mut map = Map::new();
    for (name, field) in schema.properties() {
        if schema.is_required(name) || field.default_value().is_some() {
            map.insert(name.clone(), sample(&field, name, depth - 1));
        }
    }
    map.into()
}

fn list(schema: &Schema, name: &str, depth: usize) -> Value {
    let count = schema.min_items().unwrap_or(0).clamp(0, 16);
    let Some(items) = schema.items() else { return Vec::new().into() };
    (0..count).map(|_| sample(&items, name, depth - 1)).collect()
}

/// The field's own name, made as long or short as the schema wants.
fn text(schema: &Schema, name: &str) -> String {
    let bound = |bound: Option<i64>| bound.and_then(|bound| usize::try_from(bound).ok());
    let mut text = match schema.format() {
        Some("date-time") => "2026-01-01T00:00:00Z".to_owned(),
        Some("date") => "2026-01-01".to_owned(),
        Some("duration") => "1h".to_owned(),
        Some("byte") => String::new(),
        _ => name.to_ascii_lowercase(),
    };
    let min = bound(schema.min_length()).unwrap_or(0).min(1024);
    while text.chars().count() < min {
        text.push('x');
    }
    match bound(schema.max_length()) {
        Some(max) => text.chars().take(max).collect(),
        None => text,
    }
}

fn integer(schema: &Schema) -> i64 {
    #[allow(clippy::cast_possible_truncation)] // saturates
    let bound =
        |bound: Option<&Value>, round: fn(f64) -> f64| bound.and_then(Value::as_f64).map(|bound| round(bound) as i64);
    let min = bound(schema.minimum(), f64::ceil).map(|min| min.saturating_add(i64::from(schema.exclusive_minimum())));
    let max = bound(schema.maximum(), f64::floor).map(|max| max.saturating_sub(i64::from(schema.exclusive_maximum())));
    match (min, max) {
        (Some(min), _) => min,
        (None, Some(max)) => max.min(0),
        (None, None) => 0,
    }
}
