use kro_cel::{Type, TypeProvider};
use kro_schema::cel::SchemaTypes;
use kro_schema::structural::{AdditionalProperties, Schema};
use kro_value::{Map, Value};

/// The OpenAPI schema of an expression's result.
pub(super) fn schema_of(types: &SchemaTypes, result: &Type) -> Value {
    Inference { types, open: Vec::new() }.schema(result, false)
}

struct Inference<'i> {
    types: &'i SchemaTypes,
    /// Schemas of the objects that are being written, outer ones first.
    open: Vec<Schema>,
}

impl Inference<'_> {
    fn schema(&mut self, result: &Type, in_object: bool) -> Value {
        match result {
            Type::Bool => typed("boolean"),
            Type::Int | Type::Uint => typed("integer"),
            Type::Double => typed("number"),
            Type::String => typed("string"),
            Type::Bytes => with(typed("string"), "format", "byte".into()),
            Type::Timestamp if !in_object => {
                let schema = with(typed("string"), "format", "date-time".into());
                with(schema, "description", "Timestamp representing a creation time".into())
            }
            Type::Null => with(free_form(), "description", "null type - any value allowed".into()),
            Type::List(element) => with(typed("array"), "items", self.schema(element, in_object)),
            Type::Map(pair) => with(typed("object"), "additionalProperties", self.schema(&pair.1, in_object)),
            Type::Object(name) => self.object(name),
            Type::Dyn | Type::Any | Type::Error => free_form(),
            Type::Timestamp | Type::Duration if in_object => free_form(),
            other => with(free_form(), "description", format!("unknown CEL type: {}", name_of(other)).into()),
        }
    }

    fn object(&mut self, name: &str) -> Value {
        let Some(schema) = self.types.schema_of(name) else {
            return with(typed("object"), "additionalProperties", true.into());
        };
        if self.open.iter().any(|open| open.same(&schema)) {
            return free_form(); // a schema that contains itself has no end
        }
        self.open.push(schema.clone());
        let mut properties = Map::new();
        for field in schema.property_names() {
            let ty = self.types.data_field_type(name, field).unwrap_or(Type::Dyn);
            properties.insert(field.clone(), self.schema(&ty, true));
        }
        self.open.pop();
        let takes_any = matches!(schema.additional_properties(), AdditionalProperties::Allowed(true));
        let inferred = with(typed("object"), "properties", properties.into());
        if self.types.is_open(name) || takes_any {
            return with(inferred, "x-kubernetes-preserve-unknown-fields", true.into());
        }
        inferred
    }
}

fn typed(name: &str) -> Value {
    Value::map([("type", Value::from(name))])
}

fn free_form() -> Value {
    Value::map([("x-kubernetes-preserve-unknown-fields", Value::from(true))])
}

fn with(mut schema: Value, key: &str, value: Value) -> Value {
    schema.ensure_map().insert(key, value);
    schema
}

fn name_of(result: &Type) -> String {
    match result {
        Type::Duration => "google.protobuf.Duration".to_owned(),
        Type::Opaque(opaque) => opaque.name.to_string(),
        other => other.to_string(),
    }
}
