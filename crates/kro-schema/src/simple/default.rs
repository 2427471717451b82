//! Default values: from text to canonical JSON, and whether they fit their schema.

use kro_value::{FieldPath, Value, from_json};

use super::go;
use crate::structural::{AdditionalProperties, Schema, SchemaType};

/// The default of a field of this type as JSON.
///
/// # Errors
/// With a message and perhaps a help line, when the text is no such value.
pub(super) fn read(kind: &str, text: &str) -> Result<Value, (String, Option<&'static str>)> {
    match kind {
        "string" => Ok(Value::from(text)),
        "integer" => go::integer(text).map(Value::Int).map_err(|_| expected("integer", text)),
        "number" => go::number(text).map_err(|_| expected("number", text)),
        "boolean" => go::boolean(text).map(Value::Bool).map_err(|_| expected("boolean", text)),
        _ => from_json(text).map_err(|error| {
            let help = "arrays and objects are written as JSON: default=[\"a\",\"b\"], default={\"a\":1}";
            (format!("default value must be valid JSON, got: {text} ({error})"), Some(help))
        }),
    }
}

fn expected(kind: &str, text: &str) -> (String, Option<&'static str>) {
    (format!("default value must be a valid {kind}, got: {text}"), None)
}

/// What of a value its schema refuses, as `must be ...` with the path in front where it is not the value itself.
pub(super) fn violations(schema: &Schema, value: &Value) -> Vec<String> {
    let mut checker = Checker { path: FieldPath::root(), found: Vec::new() };
    checker.check(schema, value);
    checker.found
}

struct Checker {
    path: FieldPath,
    found: Vec<String>,
}

impl Checker {
    fn refuse(&mut self, text: String) {
        let at = if self.path.is_root() { String::new() } else { format!("{}: ", self.path) };
        self.found.push(format!("{at}{text}"));
    }

    fn check(&mut self, schema: &Schema, value: &Value) {
        if value.is_null() && schema.nullable() {
            return;
        }
        if let Some(expected) = schema.schema_type()
            && !is_of(value, expected)
        {
            return self.refuse(format!("must be of type {}, got {}", expected.as_str(), value.type_name()));
        }
        if !schema.enum_values().is_empty() && !schema.enum_values().contains(value) {
            let known: Vec<String> = schema.enum_values().iter().map(ToString::to_string).collect();
            self.refuse(format!("must be one of {}, got {value}", known.join(", ")));
        }
        match value {
            Value::Int(_) | Value::Float(_) => self.check_number(schema, value),
            Value::String(text) => self.check_string(schema, text),
            Value::List(items) => self.check_list(schema, items),
            Value::Map(map) => self.check_map(schema, map),
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn check_number(&mut self, schema: &Schema, value: &Value) {
        let number = value.as_f64().unwrap_or_default();
        if let Some(least) = schema.minimum().and_then(Value::as_f64).filter(|least| number < *least) {
            self.refuse(format!("must be at least {}, got {value}", Value::Float(least)));
        }
        if let Some(most) = schema.maximum().and_then(Value::as_f64).filter(|most| number > *most) {
            self.refuse(format!("must be at most {}, got {value}", Value::Float(most)));
        }
    }

    fn check_string(&mut self, schema: &Schema, text: &str) {
        if let (Some(pattern), Some(regex)) = (schema.pattern(), schema.pattern_regex())
            && !regex.is_match(text)
        {
            self.refuse(format!("must match the pattern {pattern:?}, got {text:?}"));
        }
        self.check_size(text.chars().count(), schema.min_length(), schema.max_length(), "characters");
    }

    fn check_size(&mut self, size: usize, least: Option<i64>, most: Option<i64>, unit: &str) {
        let size = i64::try_from(size).unwrap_or(i64::MAX);
        if let Some(least) = least.filter(|least| size < *least) {
            self.refuse(format!("must have at least {least} {unit}, got {size}"));
        }
        if let Some(most) = most.filter(|most| size > *most) {
            self.refuse(format!("must have at most {most} {unit}, got {size}"));
        }
    }

    fn check_list(&mut self, schema: &Schema, items: &[Value]) {
        self.check_size(items.len(), schema.min_items(), schema.max_items(), "items");
        let Some(item_schema) = schema.items() else { return };
        for (index, item) in items.iter().enumerate() {
            self.path.push(kro_value::Segment::Index(index));
            self.check(&item_schema, item);
            self.path.pop();
        }
    }

    fn check_map(&mut self, schema: &Schema, map: &kro_value::Map) {
        for (key, value) in map {
            let field = schema.property(key).or_else(|| match schema.additional_properties() {
                AdditionalProperties::Schema(schema) => Some(schema),
                _ => None,
            });
            self.path.push(kro_value::Segment::Field(key.clone()));
            match field {
                Some(field) => self.check(&field, value),
                None if is_open(schema) => {}
                None => self.refuse("is not a field of the type".to_owned()),
            }
            self.path.pop();
        }
        for name in schema.required() {
            let given = |name: &str| schema.property(name).is_some_and(|field| field.default_value().is_some());
            if !map.contains_key(name) && !given(name) {
                self.refuse(format!("must have the required field {name:?}"));
            }
        }
    }
}

fn is_open(schema: &Schema) -> bool {
    let additional =
        matches!(schema.additional_properties(), AdditionalProperties::Allowed(true) | AdditionalProperties::Schema(_));
    schema.preserve_unknown_fields() || additional
}

fn is_of(value: &Value, expected: SchemaType) -> bool {
    match (expected, value) {
        (SchemaType::Array, Value::List(_))
        | (SchemaType::Boolean, Value::Bool(_))
        | (SchemaType::Integer, Value::Int(_))
        | (SchemaType::Number, Value::Int(_) | Value::Float(_))
        | (SchemaType::Object, Value::Map(_))
        | (SchemaType::String, Value::String(_)) => true,
        (SchemaType::Integer, Value::Float(float)) => float.fract() == 0.0,
        _ => false,
    }
}
