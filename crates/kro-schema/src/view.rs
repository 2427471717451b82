//! Live objects as expressions see them: structural schemas behind the interface of [`kro_cel::view`].

use std::fmt;
use std::sync::{Arc, OnceLock, Weak};

use kro_cel::view::{ListKind, Properties, SchemaForm, ValueSchema};
use kro_value::{Str, Value};

use crate::structural::{AdditionalProperties, ListType, Schema, SchemaType};

/// A structural schema for reading values. What is below a place is prepared when it is first read, and kept: share one
/// view of a kind between all its objects.
#[derive(Clone)]
pub struct SchemaView(Arc<Inner>);

struct Inner {
    /// Itself, so that a handle costs no memory of its own.
    this: Weak<Self>,
    schema: Option<Schema>,
    form: SchemaForm,
    nullable: bool,
    properties: Properties<OnceLock<SchemaView>>,
    values: OnceLock<Option<SchemaView>>,
    items: OnceLock<Option<SchemaView>>,
}

impl SchemaView {
    /// The view of a schema.
    pub fn new(schema: Schema) -> Self {
        let properties = schema.property_names().map(|name| (name.clone(), OnceLock::new())).collect();
        Self(Arc::new_cyclic(|this| Inner {
            this: this.clone(),
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
        Self(Arc::new_cyclic(|this| Inner {
            this: this.clone(),
            schema: None,
            form: SchemaForm::Array(ListKind::Atomic),
            nullable: false,
            properties: Properties::default(),
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
        self.0.property(name)
    }

    fn values(&self) -> Option<&dyn ValueSchema> {
        self.0.values()
    }

    fn items(&self) -> Option<&dyn ValueSchema> {
        self.0.items()
    }

    fn list_keys(&self) -> &[Str] {
        self.0.list_keys()
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
        let place = self.properties.get(name)?;
        let schema = self.schema.as_ref()?;
        let read = || schema.property(name).unwrap_or_else(|| Schema::from_json(&Value::Null));
        Some(place.get_or_init(|| SchemaView::new(read())))
    }

    fn values(&self) -> Option<&dyn ValueSchema> {
        let view = || match self.schema.as_ref()?.additional_properties() {
            AdditionalProperties::Schema(values) => Some(SchemaView::new(values)),
            _ => None,
        };
        self.values.get_or_init(view).as_ref().map(|view| view as &dyn ValueSchema)
    }

    fn items(&self) -> Option<&dyn ValueSchema> {
        let view = || self.schema.as_ref().and_then(Schema::items).map(SchemaView::new);
        self.items.get_or_init(view).as_ref().map(|view| view as &dyn ValueSchema)
    }

    fn list_keys(&self) -> &[Str] {
        self.schema.as_ref().map_or(&[], |schema| schema.list_map_keys())
    }

    fn share(&self) -> Arc<dyn ValueSchema> {
        match self.this.upgrade() {
            Some(this) => this,
            // only while it is being made, when nobody can ask
            None => Arc::new(SchemaView::new(Schema::from_json(&Value::Null))),
        }
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SchemaView").field("form", &self.form).finish_non_exhaustive()
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
