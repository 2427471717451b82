use std::fmt;
use std::sync::{Arc, OnceLock, Weak};

use kro_cel::view::{ListKind, SchemaForm, ValueSchema};
use kro_value::Str;

use crate::structural::{AdditionalProperties, ListType, Schema, SchemaType};

/// A schema by which the evaluator reads live objects. Schemas below are made when first used, so recursive ones are fine.
pub struct SchemaView {
    schema: Schema,
    form: SchemaForm,
    list_keys: Vec<Str>,
    /// In the order of [`Schema::property_names`].
    properties: Vec<(Str, OnceLock<Arc<SchemaView>>)>,
    inner: OnceLock<Option<Arc<SchemaView>>>,
    this: Weak<SchemaView>,
}

impl SchemaView {
    /// A view by a schema. Keep and share it: the evaluator asks for it with every object.
    pub fn new(schema: &Schema) -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            schema: schema.clone(),
            form: form(schema),
            list_keys: schema.list_map_keys().to_vec(),
            properties: schema.property_names().map(|name| (name.clone(), OnceLock::new())).collect(),
            inner: OnceLock::new(),
            this: this.clone(),
        })
    }

    /// The schema of this view.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The schema of items, or of the values of a map.
    fn inner(&self) -> Option<&dyn ValueSchema> {
        let make = || {
            let inner = match self.schema.additional_properties() {
                AdditionalProperties::Schema(values) if self.form == SchemaForm::Map => Some(values),
                _ => self.schema.items(),
            };
            inner.map(|schema| Self::new(&schema))
        };
        self.inner.get_or_init(make).as_ref().map(|view| &**view as &dyn ValueSchema)
    }
}

impl fmt::Debug for SchemaView {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SchemaView({:?})", self.form)
    }
}

impl ValueSchema for SchemaView {
    fn form(&self) -> SchemaForm {
        self.form
    }

    fn nullable(&self) -> bool {
        self.schema.nullable()
    }

    fn property(&self, name: &str) -> Option<&dyn ValueSchema> {
        let index = self.properties.binary_search_by(|(known, _)| known.as_str().cmp(name)).ok()?;
        let (name, cell) = &self.properties[index];
        if cell.get().is_none() {
            let property = self.schema.property(name)?;
            let _ = cell.set(Self::new(&property)); // another thread may have been faster with the same
        }
        cell.get().map(|view| &**view as &dyn ValueSchema)
    }

    fn values(&self) -> Option<&dyn ValueSchema> {
        self.inner().filter(|_| self.form == SchemaForm::Map)
    }

    fn items(&self) -> Option<&dyn ValueSchema> {
        self.inner().filter(|_| matches!(self.form, SchemaForm::Array(_)))
    }

    fn list_keys(&self) -> &[Str] {
        &self.list_keys
    }

    fn share(&self) -> Arc<dyn ValueSchema> {
        match self.this.upgrade() {
            Some(view) => view,
            // only while the view is being dropped, when nobody can call this
            None => Self::new(&self.schema),
        }
    }
}

fn form(schema: &Schema) -> SchemaForm {
    if schema.int_or_string() {
        return SchemaForm::IntOrString;
    }
    let Some(schema_type) = schema.schema_type() else { return untyped(schema) };
    match schema_type {
        SchemaType::Array if schema.items().is_none() => SchemaForm::Dynamic,
        SchemaType::Array => SchemaForm::Array(match schema.list_type() {
            Some(ListType::Set) => ListKind::Set,
            Some(ListType::Map) => ListKind::Map,
            Some(ListType::Atomic) | None => ListKind::Atomic,
        }),
        SchemaType::Object => match schema.additional_properties() {
            AdditionalProperties::Schema(_) => SchemaForm::Map,
            _ => SchemaForm::Object,
        },
        SchemaType::String => match schema.format() {
            Some("byte") => SchemaForm::Bytes,
            Some("duration") => SchemaForm::Duration,
            Some("date") => SchemaForm::Date,
            Some("date-time") => SchemaForm::DateTime,
            _ => SchemaForm::String,
        },
        SchemaType::Boolean => SchemaForm::Boolean,
        SchemaType::Number => SchemaForm::Number,
        SchemaType::Integer => SchemaForm::Integer,
    }
}

/// Free-form values, and quantities, which are a string or a number.
fn untyped(schema: &Schema) -> SchemaForm {
    let mut alternatives = schema.one_of().filter_map(|one| one.schema_type());
    let is_quantity =
        schema.one_of().len() == 2 && alternatives.all(|one| matches!(one, SchemaType::String | SchemaType::Number));
    if schema.preserve_unknown_fields() || is_quantity { SchemaForm::Dynamic } else { SchemaForm::Unsupported }
}
