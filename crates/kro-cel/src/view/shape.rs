use std::sync::{Arc, Weak};

use kro_value::{Str, Value};

use super::{ListKind, Properties, SchemaForm, ValueSchema};

/// A schema read from OpenAPI v3, as far as reading values needs it. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Shape(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Itself, so that a handle costs no memory of its own.
    this: Weak<Self>,
    form: SchemaForm,
    nullable: bool,
    properties: Properties<Shape>,
    values: Option<Shape>,
    items: Option<Shape>,
    list_keys: Vec<Str>,
}

impl Shape {
    /// Reads a schema; what it says beyond the types of values is ignored. References are not followed.
    pub fn from_openapi(schema: &Value) -> Self {
        let values = schema.get("additionalProperties").filter(|values| values.as_map().is_some());
        let properties = schema.get("properties").and_then(Value::as_map);
        Self(Arc::new_cyclic(|this| Inner {
            this: this.clone(),
            form: form(schema, values.is_some(), properties.is_some()),
            nullable: schema.get("nullable").and_then(Value::as_bool) == Some(true),
            properties: properties
                .map(|map| map.iter().map(|(name, schema)| (name.clone(), Self::from_openapi(schema))).collect())
                .unwrap_or_default(),
            values: values.map(Self::from_openapi),
            items: schema.get("items").map(Self::from_openapi),
            list_keys: strings(schema.get("x-kubernetes-list-map-keys")),
        }))
    }

    /// The schema of a list of values of this one.
    #[must_use]
    pub fn list_of(self) -> Self {
        Self(Arc::new_cyclic(|this| Inner {
            this: this.clone(),
            form: SchemaForm::Array(ListKind::Atomic),
            nullable: false,
            properties: Properties::default(),
            values: None,
            items: Some(self),
            list_keys: Vec::new(),
        }))
    }
}

fn strings(value: Option<&Value>) -> Vec<Str> {
    let items = value.and_then(Value::as_list).unwrap_or_default();
    items.iter().filter_map(|item| item.as_str().map(Str::new)).collect()
}

fn flag(schema: &Value, name: &str) -> bool {
    schema.get(name).and_then(Value::as_bool) == Some(true)
}

fn form(schema: &Value, has_values: bool, has_properties: bool) -> SchemaForm {
    let text = |name: &str| schema.get(name).and_then(Value::as_str).unwrap_or_default();
    let int_or_string = flag(schema, "x-kubernetes-int-or-string") || text("format") == "int-or-string";
    match (text("type"), text("format")) {
        _ if int_or_string => SchemaForm::IntOrString,
        ("object", _) if has_values && !has_properties => SchemaForm::Map,
        ("object", _) => SchemaForm::Object,
        ("array", _) => SchemaForm::Array(match text("x-kubernetes-list-type") {
            "set" => ListKind::Set,
            "map" => ListKind::Map,
            _ => ListKind::Atomic,
        }),
        ("string", "duration") => SchemaForm::Duration,
        ("string", "date") => SchemaForm::Date,
        ("string", "date-time") => SchemaForm::DateTime,
        ("string", "byte") => SchemaForm::Bytes,
        ("string", _) => SchemaForm::String,
        ("boolean", _) => SchemaForm::Boolean,
        ("number", _) => SchemaForm::Number,
        ("integer", _) => SchemaForm::Integer,
        _ if flag(schema, "x-kubernetes-preserve-unknown-fields") || is_quantity(schema) => SchemaForm::Dynamic,
        _ => SchemaForm::Unsupported,
    }
}

/// A choice between a text and a number, without a type of its own.
fn is_quantity(schema: &Value) -> bool {
    let choices = schema.get("oneOf").and_then(Value::as_list).unwrap_or_default();
    let mut types: Vec<&str> = choices.iter().filter_map(|choice| choice.get("type")?.as_str()).collect();
    types.sort_unstable();
    types == ["number", "string"]
}

impl ValueSchema for Shape {
    fn form(&self) -> SchemaForm {
        self.0.form
    }

    fn nullable(&self) -> bool {
        self.0.nullable
    }

    fn property(&self, name: &str) -> Option<&dyn ValueSchema> {
        self.0.property(name)
    }

    fn values(&self) -> Option<&dyn ValueSchema> {
        self.0.values()
    }

    fn items(&self) -> Option<&dyn ValueSchema> {
        self.0.items()
    }

    fn list_keys(&self) -> &[Str] {
        &self.0.list_keys
    }

    fn share(&self) -> Arc<dyn ValueSchema> {
        Arc::clone(&self.0) as _
    }
}

impl ValueSchema for Inner {
    fn form(&self) -> SchemaForm {
        self.form
    }

    fn nullable(&self) -> bool {
        self.nullable
    }

    fn property(&self, name: &str) -> Option<&dyn ValueSchema> {
        self.properties.get(name).map(|shape| shape as &dyn ValueSchema)
    }

    fn values(&self) -> Option<&dyn ValueSchema> {
        self.values.as_ref().map(|shape| shape as &dyn ValueSchema)
    }

    fn items(&self) -> Option<&dyn ValueSchema> {
        self.items.as_ref().map(|shape| shape as &dyn ValueSchema)
    }

    fn list_keys(&self) -> &[Str] {
        &self.list_keys
    }

    fn share(&self) -> Arc<dyn ValueSchema> {
        match self.this.upgrade() {
            Some(this) => this,
            // only while it is being made, when nobody can ask
            None => Arc::new(Shape::from_openapi(&Value::Null)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::typed;
    use super::*;
    use crate::value::CelValue;

    fn field(schema: &str, object: &str, name: &str) -> String {
        let schema = Shape::from_openapi(&kro_value::from_json(schema).unwrap());
        let object = typed(&kro_value::from_json(object).unwrap(), &schema).unwrap();
        match object.as_map().and_then(|map| map.get_str(name)) {
            None => "absent".to_owned(),
            Some(Err(error)) => error.to_string(),
            Some(Ok(CelValue::Bytes(bytes))) => format!("bytes {}", String::from_utf8_lossy(&bytes)),
            Some(Ok(value)) => format!("{} {}", value.type_name(), value.to_json().unwrap()),
        }
    }

    #[test]
    fn fields_have_the_types_of_their_schemas() {
        let schema = r#"{"type":"object","properties":{"n":{"type":"number"},"i":{"type":"integer"},
            "d":{"type":"string","format":"duration"},"t":{"type":"string","format":"date-time"},
            "b":{"type":"string","format":"byte"},"p":{"x-kubernetes-int-or-string":true},
            "q":{"oneOf":[{"type":"string"},{"type":"number"}]},"a-b":{"type":"string"},"s":{"type":"string"}}}"#;
        for (object, name, shown) in [
            (r#"{"n":3}"#, "n", "double 3"),
            (r#"{"i":3.0}"#, "i", "int 3"),
            (r#"{"i":3.5}"#, "i", "invalid data, expected int, got number"),
            (r#"{"d":"1h30m"}"#, "d", "google.protobuf.Duration \"1h30m0s\""),
            (r#"{"t":"2026-01-01T00:00:00Z"}"#, "t", "google.protobuf.Timestamp \"2026-01-01T00:00:00Z\""),
            (r#"{"t":"x"}"#, "t", "Invalid date-time formatted string x"),
            (r#"{"b":"aGk="}"#, "b", "bytes hi"),
            (r#"{"p":"25%"}"#, "p", "string \"25%\""),
            (r#"{"q":0.5}"#, "q", "double 0.5"),
            (r#"{"a-b":"x"}"#, "a__dash__b", "string \"x\""),
            (r#"{"s":null}"#, "s", "absent"),
            (r#"{"other":[1]}"#, "other", "list [1]"),
        ] {
            assert_eq!(field(schema, object, name), shown, "{object}");
        }
    }
}
