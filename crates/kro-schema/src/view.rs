//! Live objects as expressions see them: structural schemas behind the interface of [`kro_cel::view`].

use std::fmt;
use std::sync::{Arc, OnceLock};

use kro_cel::view::{ListKind, SchemaForm, ValueSchema};
use kro_value::{Str, Value};

use crate::structural::{AdditionalProperties, ListType, Schema, SchemaType};

/// A structural schema for reading values. What is below a place is prepared when it is first read, and kept: share one
/// view of a kind between all its objects.
#[derive(Clone)]
pub struct SchemaView(Arc<Inner>);

struct Inner {
    schema: Option<Schema>,
    form: SchemaForm,
    nullable: bool,
    properties: Vec<(Str, OnceLock<SchemaView>)>,
    values: OnceLock<Option<SchemaView>>,
    items: OnceLock<Option<SchemaView>>,
}

impl SchemaView {
    /// The view of a schema.
    pub fn new(schema: Schema) -> Self {
        let properties = schema.property_names().map(|name| (name.clone(), OnceLock::new())).collect();
        Self(Arc::new(Inner {
            form: form(&schema),
            nullable: schema.nullable(),
            properties,
            schema: Some(schema),
            values: OnceLock::new(),
            items: OnceLock::new(),
        }))
    }

    /// The view of a list of objects of this schema, as collections are.
    #[must_use]
    pub fn list_of(self) -> Self {
        Self(Arc::new(Inner {
            schema: None,
            form: SchemaForm::Array(ListKind::Atomic),
            nullable: false,
            properties: Vec::new(),
            values: OnceLock::new(),
            items: OnceLock::from(Some(self)),
        }))
    }
}

impl fmt::Debug for SchemaView {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SchemaView").field("form", &self.0.form).finish_non_exhaustive()
    }
}

fn form(schema: &Schema) -> SchemaForm {
    if schema.int_or_string() || schema.format() == Some("int-or-string") {
        return SchemaForm::IntOrString;
    }
    let Some(schema_type) = schema.schema_type() else {
        let dynamic = schema.preserve_unknown_fields() || is_quantity(schema);
        return if dynamic { SchemaForm::Dynamic } else { SchemaForm::Unsupported };
    };
    match schema_type {
        SchemaType::Object if schema.has_properties() => SchemaForm::Object,
        SchemaType::Object => match schema.additional_properties() {
            AdditionalProperties::Schema(_) => SchemaForm::Map,
            _ => SchemaForm::Object,
        },
        SchemaType::Array => SchemaForm::Array(match schema.list_type() {
            Some(ListType::Set) => ListKind::Set,
            Some(ListType::Map) => ListKind::Map,
            _ => ListKind::Atomic,
        }),
        SchemaType::Boolean => SchemaForm::Boolean,
        SchemaType::Number => SchemaForm::Number,
        SchemaType::Integer => SchemaForm::Integer,
        SchemaType::String => match schema.format() {
            Some("duration") => SchemaForm::Duration,
            Some("date") => SchemaForm::Date,
            Some("date-time") => SchemaForm::DateTime,
            Some("byte") => SchemaForm::Bytes,
            _ => SchemaForm::String,
        },
    }
}

/// A choice between a text and a number, without a type of its own.
fn is_quantity(schema: &Schema) -> bool {
    let mut types: Vec<_> = schema.one_of().filter_map(|choice| choice.schema_type()).map(SchemaType::as_str).collect();
    types.sort_unstable();
    types == ["number", "string"]
}

impl ValueSchema for SchemaView {
    fn form(&self) -> SchemaForm {
        self.0.form
    }

    fn nullable(&self) -> bool {
        self.0.nullable
    }

    fn property(&self, name: &str) -> Option<&dyn ValueSchema> {
        let index = self.0.properties.binary_search_by(|(known, _)| known.as_str().cmp(name)).ok()?;
        let schema = self.0.schema.as_ref()?;
        let view = || schema.property(name).map_or_else(|| SchemaView::new(Schema::from_json(&Value::Null)), Self::new);
        Some(self.0.properties[index].1.get_or_init(view))
    }

    fn values(&self) -> Option<&dyn ValueSchema> {
        let schema = self.0.schema.as_ref()?;
        let view = || match schema.additional_properties() {
            AdditionalProperties::Schema(values) => Some(Self::new(values)),
            _ => None,
        };
        self.0.values.get_or_init(view).as_ref().map(|view| view as &dyn ValueSchema)
    }

    fn items(&self) -> Option<&dyn ValueSchema> {
        let view = || self.0.schema.as_ref().and_then(Schema::items).map(Self::new);
        self.0.items.get_or_init(view).as_ref().map(|view| view as &dyn ValueSchema)
    }

    fn list_keys(&self) -> &[Str] {
        self.0.schema.as_ref().map_or(&[], |schema| schema.list_map_keys())
    }

    fn share(&self) -> Arc<dyn ValueSchema> {
        Arc::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use kro_cel::value::CelValue;
    use kro_cel::view::typed;

    use super::*;

    #[test]
    fn bundled_kinds_give_their_fields_types() {
        let schema = crate::builtin::resolve("apps", "v1", "Deployment").expect("a bundled kind");
        let text = r#"{"metadata":{"creationTimestamp":"2026-03-01T10:20:30Z","labels":{"a":"b"}},
            "spec":{"replicas":3,"strategy":{"rollingUpdate":{"maxSurge":"25%"}}}}"#;
        let object = typed(&kro_value::from_json(text).unwrap(), &SchemaView::new(schema)).unwrap();
        let at = |path: &[&str]| {
            path.iter().fold(object.clone(), |value, name| value.as_map().unwrap().get_str(name).unwrap().unwrap())
        };
        assert_eq!(at(&["spec", "replicas"]), CelValue::Int(3));
        assert_eq!(at(&["metadata", "labels", "a"]), CelValue::from("b"));
        assert_eq!(at(&["metadata", "creationTimestamp"]).type_name(), "google.protobuf.Timestamp");
        assert_eq!(at(&["spec", "strategy", "rollingUpdate", "maxSurge"]), CelValue::from("25%"));
    }
}
