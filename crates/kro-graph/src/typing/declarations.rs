use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use kro_cel::{Type, TypeProvider};
use kro_schema::structural::{AdditionalProperties, Schema, SchemaType};
use kro_value::{Str, format_smolstr};

use crate::schemas;

/// Object types made of schemas. A type is registered when an expression first gets to it, under the name of its
/// schema (`io.k8s.api.core.v1.PodSpec`), or under the name of its parent and its field.
#[derive(Debug, Default)]
pub(crate) struct SchemaTypes {
    objects: Mutex<BTreeMap<Arc<str>, Schema>>,
}

impl SchemaTypes {
    /// The type of a schema. `name` is for objects whose schema has no name of its own.
    pub fn declare(&self, name: &str, schema: &Schema) -> Type {
        if schema.int_or_string() {
            return Type::Dyn;
        }
        match schema.schema_type() {
            Some(SchemaType::Array) => match schema.items() {
                Some(items) => Type::list(self.declare(&format!("{name}[]"), &items)),
                None => Type::list(Type::Dyn),
            },
            Some(SchemaType::Object) => self.declare_object(name, schema),
            None if schema.has_properties() => self.declare_object(name, schema),
            Some(SchemaType::String) => match schema.format() {
                Some("byte") => Type::Bytes,
                Some("duration") => Type::Duration,
                Some("date" | "date-time") => Type::Timestamp,
                _ => Type::String,
            },
            Some(SchemaType::Boolean) => Type::Bool,
            Some(SchemaType::Number) => Type::Double,
            Some(SchemaType::Integer) => Type::Int,
            None => Type::Dyn,
        }
    }

    fn declare_object(&self, name: &str, schema: &Schema) -> Type {
        if !schema.has_properties() {
            match schema.additional_properties() {
                AdditionalProperties::Schema(values) => {
                    return Type::map(Type::String, self.declare(&format!("{name}{{}}"), &values));
                }
                AdditionalProperties::Allowed(true) => return Type::map(Type::String, Type::Dyn),
                _ if schema.preserve_unknown_fields() => return Type::Dyn,
                _ => {}
            }
        }
        let name: Arc<str> = schema.reference().unwrap_or(name).into();
        let mut objects = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        objects.entry(Arc::clone(&name)).or_insert_with(|| schema.clone());
        Type::object(name)
    }

    fn schema(&self, object: &str) -> Option<Schema> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner).get(object).cloned()
    }
}

impl TypeProvider for SchemaTypes {
    fn has_type(&self, name: &str) -> bool {
        self.schema(name).is_some()
    }

    fn field_type(&self, object: &str, field: &str) -> Option<Type> {
        let schema = self.schema(object)?;
        let declare = |name: &str| Some(self.declare(&format!("{object}.{name}"), &schema.property(name)?));
        if let Some(declared) = declare(field).or_else(|| declare(&unescape(field)?)) {
            return Some(declared);
        }
        if schema.embedded_resource() {
            match field {
                "apiVersion" | "kind" => return Some(Type::String),
                "metadata" => return Some(self.declare("ObjectMeta", &schemas::object_meta()?)),
                _ => {}
            }
        }
        schema.preserve_unknown_fields().then_some(Type::Dyn)
    }

    fn field_names(&self, object: &str) -> Option<Vec<Str>> {
        Some(self.schema(object)?.property_names().cloned().collect())
    }

    fn is_open(&self, object: &str) -> bool {
        self.schema(object).is_some_and(|schema| schema.preserve_unknown_fields())
    }
}

/// Undoes Kubernetes' escaping of field names; `None` when nothing is escaped.
pub(super) fn unescape(name: &str) -> Option<Str> {
    if !name.contains("__") {
        return None;
    }
    // A reserved word as a whole: `__namespace__`.
    if let Some(word) = name.strip_prefix("__").and_then(|rest| rest.strip_suffix("__"))
        && word.bytes().all(|byte| byte.is_ascii_lowercase())
        && !["dot", "dash", "slash", "underscores"].contains(&word)
    {
        return Some(Str::new(word));
    }
    let replaced = name.replace("__dot__", ".").replace("__dash__", "-").replace("__slash__", "/");
    Some(format_smolstr!("{}", replaced.replace("__underscores__", "__")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn undoes_escapes() {
        for (name, expected) in [
            ("a__dash__b", Some("a-b")),
            ("a__dot__b__slash__c", Some("a.b/c")),
            ("__namespace__", Some("namespace")),
            ("a__underscores__b", Some("a__b")),
            ("plain", None),
        ] {
            assert_eq!(unescape(name).as_deref(), expected, "{name}");
        }
    }
}
