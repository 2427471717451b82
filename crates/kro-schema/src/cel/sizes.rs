//! How large the values of schemas may be, for estimates of the cost of expressions. The rules are those of the API server:
//! what has no limit is as large as fits into a request.

use std::collections::BTreeMap;

use kro_cel::Type;
use kro_cel::cost::{Bounds, SizeHints, Step};
use kro_value::{Str, Value};

use super::{embedded, field_schema};
use crate::structural::{AdditionalProperties, Schema, SchemaType};

/// Bytes of the largest request that an API server takes.
const REQUEST_MAX: u64 = 3 << 20;
/// Bytes of `""`, `[]` and `{}`.
const EMPTY: u64 = 2;
/// How deep required properties are followed; schemas may contain themselves.
const DEPTH_MAX: usize = 8;

/// The sizes of variables with schemas.
#[derive(Clone, Debug, Default)]
pub struct SchemaSizes {
    roots: BTreeMap<Str, Schema>,
}

impl SchemaSizes {
    /// An empty table.
    pub fn new() -> Self {
        Self::default()
    }

    /// Declares the schema of a variable.
    pub fn declare(&mut self, variable: &str, schema: &Schema) {
        self.roots.insert(Str::new(variable), schema.clone());
    }
}

impl SizeHints for SchemaSizes {
    fn size(&self, variable: &str, steps: &[Step], _ty: &Type) -> Option<Bounds> {
        let mut schema = embedded(self.roots.get(variable)?.clone())?;
        for (at, step) in steps.iter().enumerate() {
            let next = match step {
                Step::Field(name) => field_schema(&schema, name)?.1,
                Step::Items => schema.items()?,
                Step::Values => values(&schema)?,
                Step::Keys if at + 1 == steps.len() => return Some(Bounds::up_to(REQUEST_MAX - EMPTY)),
                Step::Indices if at + 1 == steps.len() => return Some(Bounds::exactly(1)),
                Step::Keys | Step::Indices => return None,
            };
            schema = embedded(next)?;
        }
        size_max(&schema).map(Bounds::up_to)
    }
}

fn values(schema: &Schema) -> Option<Schema> {
    match schema.additional_properties() {
        AdditionalProperties::Schema(values) => Some(values),
        _ => None,
    }
}

/// The greatest size of a value: characters, items, entries. One for scalars.
fn size_max(schema: &Schema) -> Option<u64> {
    let limit = |limit: Option<i64>| limit.map(|limit| u64::try_from(limit).unwrap_or(0));
    // a character may take four bytes, and the API server counts bytes
    let characters = limit(schema.max_length()).map(|length| length.saturating_mul(4));
    if schema.int_or_string() {
        return Some(characters.unwrap_or(REQUEST_MAX - EMPTY).max(1));
    }
    Some(match schema.schema_type()? {
        SchemaType::Array => {
            let fits = || (REQUEST_MAX - EMPTY) / (schema.items().map_or(0, |items| size_min(&items, DEPTH_MAX)) + 1);
            limit(schema.max_items()).unwrap_or_else(fits)
        }
        SchemaType::Object => match values(schema) {
            Some(values) => {
                let fits = (REQUEST_MAX - EMPTY) / (size_min(&values, DEPTH_MAX) + 6);
                limit(schema.max_properties()).unwrap_or(fits)
            }
            None if schema.preserve_unknown_fields() => (REQUEST_MAX - EMPTY) / 6,
            None => schema.property_names().len() as u64,
        },
        SchemaType::String => match schema.format() {
            Some("date" | "date-time" | "duration") => 1,
            Some("byte") => limit(schema.max_length()).unwrap_or(REQUEST_MAX - EMPTY),
            _ => characters.or_else(|| longest(schema.enum_values())).unwrap_or(REQUEST_MAX - EMPTY),
        },
        SchemaType::Boolean | SchemaType::Number | SchemaType::Integer => 1,
    })
}

fn longest(values: &[Value]) -> Option<u64> {
    values.iter().filter_map(Value::as_str).map(|text| text.len() as u64).max()
}

/// The least bytes that a value takes in JSON.
fn size_min(schema: &Schema, depth: usize) -> u64 {
    let Some(depth) = depth.checked_sub(1) else { return EMPTY };
    match schema.schema_type() {
        _ if schema.int_or_string() => 1,
        Some(SchemaType::Object) if values(schema).is_none() => {
            let required = schema.required().iter().filter_map(|name| Some((name, schema.property(name)?)));
            let filled = required.filter(|(_, property)| property.default_value().is_none());
            filled
                .map(|(name, property)| name.len() as u64 + size_min(&property, depth) + 4)
                .fold(EMPTY, u64::saturating_add)
        }
        Some(SchemaType::String) => match schema.format() {
            Some("duration") => 3,
            Some("date") => 12,
            Some("date-time") => 21,
            _ => EMPTY,
        },
        Some(SchemaType::Boolean) => 4,
        Some(SchemaType::Number | SchemaType::Integer) => 1,
        Some(SchemaType::Object | SchemaType::Array) | None => EMPTY,
    }
}

#[cfg(test)]
mod tests {
    use kro_value::from_json;

    use super::*;

    #[test]
    fn takes_limits_from_schemas_and_from_requests() {
        let schema = r#"{"type":"object","properties":{
            "short":{"type":"string","maxLength":10},"any":{"type":"string"},"kind":{"enum":["a","bcd"],"type":"string"},
            "when":{"type":"string","format":"date-time"},"few":{"type":"array","maxItems":3,"items":{"type":"integer"}},
            "many":{"type":"array","items":{"type":"boolean"}},
            "labels":{"type":"object","additionalProperties":{"type":"string","maxLength":2}},
            "items":{"type":"array","items":{"type":"object","required":["name"],"properties":{"name":{"type":"string"}}}}}}"#;
        let mut sizes = SchemaSizes::new();
        sizes.declare("self", &Schema::from_json(&from_json(schema).unwrap()));
        let field = |name: &'static str| Step::Field(Str::new_static(name));
        for (steps, size) in [
            (vec![], 8),
            (vec![field("short")], 40),
            (vec![field("any")], 3_145_726),
            (vec![field("kind")], 3),
            (vec![field("when")], 1),
            (vec![field("few")], 3),
            (vec![field("few"), Step::Items], 1),
            (vec![field("many")], 629_145),
            (vec![field("labels")], 393_215),
            (vec![field("labels"), Step::Values], 8),
            (vec![field("items")], 241_978),
        ] {
            assert_eq!(sizes.size("self", &steps, &Type::Dyn), Some(Bounds::up_to(size)), "{steps:?}");
        }
        assert_eq!(sizes.size("self", &[field("missing")], &Type::Dyn), None);
    }
}
