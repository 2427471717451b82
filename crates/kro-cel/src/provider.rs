use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use kro_value::Str;

use crate::types::Type;

/// Tells the checker about types with fields.
pub trait TypeProvider: Debug + Send + Sync {
    /// Whether there is an object type of this name.
    fn has_type(&self, name: &str) -> bool;
    /// Whether some object type has a dotted name that begins with `first`. May say yes without being sure.
    fn has_namespace(&self, _first: &str) -> bool {
        true
    }
    /// The type of a field; `None` if the object has no such field.
    fn field_type(&self, object: &str, field: &str) -> Option<Type>;
    /// The type of a field by the name that it has in data. Differs from the name in expressions where that is escaped.
    fn data_field_type(&self, object: &str, field: &str) -> Option<Type> {
        self.field_type(object, field)
    }
    /// The names of the declared fields in order; `None` for an unknown type.
    fn field_names(&self, object: &str) -> Option<Vec<Str>>;
    /// Whether the object takes fields that are not declared, with type `dyn`.
    fn is_open(&self, object: &str) -> bool;
    /// The name of the definition that the object type was made from: two types of one definition have the same fields.
    /// `None` where there is no such name.
    fn definition(&self, _object: &str) -> Option<Str> {
        None
    }
}

/// A table of object types.
#[derive(Clone, Debug, Default)]
pub struct ObjectTypes {
    objects: BTreeMap<Arc<str>, Object>,
}

#[derive(Clone, Debug, Default)]
struct Object {
    fields: BTreeMap<Str, Type>,
    /// Names under which fields are also accepted but not listed.
    aliases: BTreeMap<Str, Str>,
    open: bool,
}

impl ObjectTypes {
    /// An empty table.
    pub fn new() -> Self {
        Self::default()
    }

    /// True without any type.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// Declares an object type, in place of an older one of that name.
    pub fn insert(&mut self, name: &str, fields: impl IntoIterator<Item = (Str, Type)>, open: bool) {
        let object = Object { fields: fields.into_iter().collect(), aliases: BTreeMap::new(), open };
        self.objects.insert(name.into(), object);
    }

    /// Accepts `alias` as another name of a field.
    pub fn alias(&mut self, object: &str, alias: impl Into<Str>, field: impl Into<Str>) {
        if let Some(object) = self.objects.get_mut(object) {
            object.aliases.insert(alias.into(), field.into());
        }
    }

    /// Takes in the types of another table.
    pub fn extend(&mut self, other: &Self) {
        self.objects.extend(other.objects.iter().map(|(name, object)| (name.clone(), object.clone())));
    }
}

impl TypeProvider for ObjectTypes {
    fn has_type(&self, name: &str) -> bool {
        self.objects.contains_key(name)
    }

    fn has_namespace(&self, first: &str) -> bool {
        self.objects.keys().any(|name| name.strip_prefix(first).is_some_and(|rest| rest.starts_with('.')))
    }

    fn field_type(&self, object: &str, field: &str) -> Option<Type> {
        let object = self.objects.get(object)?;
        let declared = object.fields.get(field).or_else(|| object.fields.get(object.aliases.get(field)?));
        declared.cloned().or(if object.open { Some(Type::Dyn) } else { None })
    }

    fn field_names(&self, object: &str) -> Option<Vec<Str>> {
        Some(self.objects.get(object)?.fields.keys().cloned().collect())
    }

    fn is_open(&self, object: &str) -> bool {
        self.objects.get(object).is_some_and(|object| object.open)
    }
}

/// Several providers, asked in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Providers(pub Vec<Arc<dyn TypeProvider>>);

impl Providers {
    pub fn of(&self, object: &str) -> Option<&Arc<dyn TypeProvider>> {
        self.0.iter().find(|provider| provider.has_type(object))
    }
}
