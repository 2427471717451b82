//! A sample instance: the smallest object that says everything its API asks for.

mod pattern;

use kro_schema::structural::{AdditionalProperties, Schema, SchemaType};
use kro_value::{Map, Value, format_smolstr};

use crate::InstanceApi;

/// How deep samples go; schemas may be recursive.
const DEPTH_MAX: usize = 32;

/// Longest list, map or text that is made up.
const SIZE_MAX: usize = 1024;

/// An instance of an API that is valid by its schema, as far as that can be told without solving rules in CEL: required
/// fields have values within their bounds that match their patterns, fields with defaults show them, other optional
/// fields are left out.
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
        object.insert("spec", sample(&spec, "spec", 0, DEPTH_MAX));
    }
    object.into()
}

/// A value for a field. Of several values for one list, the `nth` differs from the others.
fn sample(schema: &Schema, name: &str, nth: usize, depth: usize) -> Value {
    let is_given = |default: &&Value| default.as_map().is_none_or(|map| !map.is_empty());
    if let Some(default) = schema.default_value().filter(is_given) {
        return default.clone();
    }
    let choices = schema.enum_values();
    if let Some(choice) = choices.get(nth % choices.len().max(1)) {
        return choice.clone();
    }
    match schema.schema_type() {
        _ if depth == 0 => Value::Null,
        Some(SchemaType::Object) => object(schema, nth, depth),
        Some(SchemaType::Array) => list(schema, name, depth),
        Some(SchemaType::String) => text(schema, name, nth).into(),
        Some(SchemaType::Integer) => integer(schema, nth).into(),
        Some(SchemaType::Number) => number(schema, nth),
        Some(SchemaType::Boolean) => (nth % 2 == 1).into(),
        None if schema.has_properties() => object(schema, nth, depth),
        None if schema.int_or_string() => integer(schema, nth.max(1)).into(),
        None => Map::new().into(),
    }
}

/// Required fields, and those that a default shows; of maps as many entries as they must have.
fn object(schema: &Schema, nth: usize, depth: usize) -> Value {
    let mut map = Map::new();
    for (name, field) in schema.properties() {
        if schema.is_required(name) || field.default_value().is_some() {
            map.insert(name.clone(), sample(&field, name, nth, depth - 1));
        }
    }
    let min = usize::try_from(schema.min_properties().unwrap_or(0)).unwrap_or(0).min(SIZE_MAX);
    for (name, field) in schema.properties() {
        if map.len() < min && map.get(name).is_none() {
            map.insert(name.clone(), sample(&field, name, nth, depth - 1));
        }
    }
    if let AdditionalProperties::Schema(values) = schema.additional_properties() {
        for number in map.len()..min {
            map.insert(format_smolstr!("key{}", number + 1), sample(&values, "value", number, depth - 1));
        }
    }
    map.into()
}

fn list(schema: &Schema, name: &str, depth: usize) -> Value {
    let count = usize::try_from(schema.min_items().unwrap_or(0)).unwrap_or(0).min(SIZE_MAX);
    let Some(items) = schema.items() else { return Vec::new().into() };
    (0..count).map(|nth| sample(&items, name, nth, depth - 1)).collect()
}

/// The field's own name, or something of its format or pattern, made as long or short as the schema wants.
fn text(schema: &Schema, name: &str, nth: usize) -> String {
    let bound = |bound: Option<i64>| bound.and_then(|bound| usize::try_from(bound).ok());
    let min = bound(schema.min_length()).unwrap_or(0).min(SIZE_MAX);
    let max = bound(schema.max_length()).unwrap_or(SIZE_MAX);
    let mut text = match schema.format().and_then(formatted) {
        Some(example) => return example.to_owned(),
        None => name.to_ascii_lowercase(),
    };
    if nth > 0 {
        text.push_str(&(nth + 1).to_string());
    }
    while text.chars().count() < min {
        text.push('x');
    }
    // The end tells values of a list apart.
    let text: String = text.chars().skip(text.chars().count().saturating_sub(max)).collect();
    let Some(wanted) = schema.pattern_regex().filter(|wanted| !wanted.is_match(&text)) else { return text };
    let fits = |made: &String| made.chars().count() <= max && wanted.is_match(made);
    let made = (min + nth..=min + nth + 64).find_map(|min| pattern::find_match(wanted.as_str(), min).filter(fits));
    made.unwrap_or(text)
}

/// An example of a format that the API server checks.
fn formatted(format: &str) -> Option<&'static str> {
    Some(match format {
        "date-time" | "datetime" => "2026-01-01T00:00:00Z",
        "date" => "2026-01-01",
        "duration" => "1h",
        "byte" => "",
        "email" => "someone@example.org",
        "uri" => "https://example.org",
        "hostname" => "example.org",
        "ipv4" => "192.0.2.1",
        "ipv6" => "2001:db8::1",
        "cidr" => "192.0.2.0/24",
        "mac" => "00:00:5e:00:53:01",
        "uuid" | "uuid4" => "6ba7b810-9dad-41d1-80b4-00c04fd430c8",
        "uuid3" => "6ba7b810-9dad-31d1-80b4-00c04fd430c8",
        "uuid5" => "6ba7b810-9dad-51d1-80b4-00c04fd430c8",
        "bsonobjectid" => "507f1f77bcf86cd799439011",
        "isbn" | "isbn13" => "9780306406157",
        "isbn10" => "0306406152",
        "creditcard" => "4111111111111111",
        "ssn" => "078-05-1120",
        "hexcolor" => "#0072b2",
        "rgbcolor" => "rgb(0,114,178)",
        _ => return None,
    })
}

fn integer(schema: &Schema, nth: usize) -> i64 {
    #[allow(clippy::cast_possible_truncation)] // saturates
    let bound =
        |bound: Option<&Value>, round: fn(f64) -> f64| bound.and_then(Value::as_f64).map(|bound| round(bound) as i64);
    let min = bound(schema.minimum(), f64::ceil).map(|min| min.saturating_add(i64::from(schema.exclusive_minimum())));
    let max = bound(schema.maximum(), f64::floor).map(|max| max.saturating_sub(i64::from(schema.exclusive_maximum())));
    let least = match (min, max) {
        (Some(min), _) => min,
        (None, Some(max)) => max.min(0),
        (None, None) => 0,
    };
    let step = schema.multiple_of().and_then(Value::as_i64).unwrap_or(1).max(1);
    let first = least.saturating_add((step - least.rem_euclid(step)) % step);
    let nth = i64::try_from(nth).unwrap_or(0).saturating_mul(step);
    let up = first.saturating_add(nth);
    // Below an upper bound alone, the values go down.
    if max.is_some_and(|max| up > max) { first.saturating_sub(nth) } else { up }
}

#[allow(clippy::cast_precision_loss)] // compared with bounds only
fn number(schema: &Schema, nth: usize) -> Value {
    let bound = |bound: Option<&Value>| bound.and_then(Value::as_f64);
    let whole = integer(schema, nth);
    match (bound(schema.minimum()), bound(schema.maximum())) {
        // No whole number fits between the bounds.
        (Some(min), Some(max)) if max <= whole as f64 && max - min <= 1.0 => ((min + max) / 2.0).into(),
        _ => whole.into(),
    }
}
