use std::fmt;

use kro_schema::structural::{AdditionalProperties, Schema, SchemaType};
use kro_value::Value;

/// The JSON types that a schema takes; empty means any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Expected {
    types: Vec<SchemaType>,
}

/// 2^63: greater ones are read as floats.
const INTEGER_MAX: f64 = 9_223_372_036_854_775_808.0;

impl Expected {
    pub fn of(schema: &Schema) -> Self {
        if schema.preserve_unknown_fields() && schema.schema_type().is_none() {
            return Self { types: Vec::new() };
        }
        if schema.int_or_string() {
            return Self { types: vec![SchemaType::String, SchemaType::Integer] };
        }
        let members = |members: Vec<Schema>| -> Vec<SchemaType> {
            let mut types: Vec<SchemaType> = members.iter().filter_map(Schema::schema_type).collect();
            types.dedup();
            types
        };
        let alternatives = [members(schema.one_of().collect()), members(schema.any_of().collect())];
        let types = alternatives.into_iter().find(|types| !types.is_empty());
        let declared = || schema.schema_type().into_iter().collect();
        Self { types: types.unwrap_or_else(declared) }.or_map(schema)
    }

    /// A schema without a type that has properties or map values takes objects.
    fn or_map(mut self, schema: &Schema) -> Self {
        let is_map =
            schema.has_properties() || matches!(schema.additional_properties(), AdditionalProperties::Schema(_));
        if self.types.is_empty() && is_map {
            self.types.push(SchemaType::Object);
        }
        self
    }

    pub fn takes(&self, value: &Value) -> bool {
        let takes = |expected: &SchemaType| match (expected, value) {
            (SchemaType::Integer, Value::Float(number)) => number.fract() == 0.0 && number.abs() < INTEGER_MAX,
            (SchemaType::Integer | SchemaType::Number, Value::Int(_))
            | (SchemaType::Number, Value::Float(_))
            | (SchemaType::Boolean, Value::Bool(_))
            | (SchemaType::String, Value::String(_))
            | (SchemaType::Array, Value::List(_))
            | (SchemaType::Object, Value::Map(_)) => true,
            _ => value.is_null(),
        };
        self.types.is_empty() || self.types.iter().any(takes)
    }
}

/// True where the declared type alone says that a value is right, which is nearly always.
pub(super) fn is_plainly(value: &Value, schema: &Schema) -> bool {
    let is_type = matches!(
        (schema.schema_type(), value),
        (Some(SchemaType::Object), Value::Map(_))
            | (Some(SchemaType::Array), Value::List(_))
            | (Some(SchemaType::String), Value::String(_))
            | (Some(SchemaType::Integer | SchemaType::Number), Value::Int(_))
            | (Some(SchemaType::Boolean), Value::Bool(_))
    );
    is_type && schema.one_of().len() == 0 && schema.any_of().len() == 0 && !schema.int_or_string()
}

impl fmt::Display for Expected {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.types.iter().map(|expected| expected.as_str()).collect();
        formatter.write_str(&names.join(" or "))
    }
}
