use std::fmt;
use std::sync::{Arc, OnceLock};

use kro_schema::builtin;
use kro_schema::structural::{AdditionalProperties, ListType, MapType, Schema, SchemaType};
use kro_value::{Str, Value};

const QUANTITY: &str = "io.k8s.apimachinery.pkg.api.resource.Quantity";
const RAW_EXTENSION: &str = "io.k8s.apimachinery.pkg.runtime.RawExtension";
const OBJECT_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/// Scalars a type allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scalar {
    /// Numbers.
    Numeric,
    /// Strings.
    String,
    /// Booleans.
    Boolean,
    /// Any of them.
    Untyped,
}

/// Whether a container is one value or many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relationship {
    /// Owned and replaced as a whole.
    Atomic,
    /// Owned and merged item by item.
    Granular,
}

/// A key field of a list.
#[derive(Debug, Clone)]
pub struct KeyField {
    /// Its name.
    pub name: Str,
    /// Stands for an absent key field.
    pub default: Option<Value>,
}

/// How a type treats lists.
#[derive(Debug)]
pub struct ListFace {
    /// Atomic, or a set or keyed list.
    pub relationship: Relationship,
    keys: KeySource,
    element: Lazy,
}

#[derive(Debug)]
enum KeySource {
    None,
    Names(Vec<Str>, OnceLock<Vec<KeyField>>),
}

/// How a type treats maps.
#[derive(Debug)]
pub struct MapFace {
    /// Atomic or merged key by key.
    pub relationship: Relationship,
    /// Sorted by name.
    fields: Vec<Field>,
    other: Option<Lazy>,
}

#[derive(Debug)]
struct Field {
    name: Str,
    default: Option<Value>,
    lazy: Lazy,
}

/// A type that is made when first needed, because types may contain themselves.
#[derive(Debug)]
struct Lazy {
    source: Source,
    cell: OnceLock<Type>,
}

#[derive(Debug)]
enum Source {
    Deduced,
    Atomic,
    Text,
    ObjectMeta,
    Schema { schema: Schema, preserve: bool },
}

/// The structure of a value: up to three faces, one for each JSON kind it may have. Null fits every type.
/// Cheap to clone.
#[derive(Clone)]
pub struct Type {
    faces: Arc<Faces>,
}

#[derive(Debug)]
struct Faces {
    scalar: Option<Scalar>,
    list: Option<ListFace>,
    map: Option<MapFace>,
}

impl Type {
    /// The type of free-form values: maps are merged key by key, lists and scalars replaced.
    pub fn deduced() -> Self {
        static TYPE: OnceLock<Type> = OnceLock::new();
        let make = || Self::new(Some(Scalar::Untyped), Some(atomic_list()), Some(free_map(Relationship::Granular)));
        TYPE.get_or_init(make).clone()
    }

    /// The type of values that are replaced as a whole.
    pub fn atomic() -> Self {
        static TYPE: OnceLock<Type> = OnceLock::new();
        let make = || Self::new(Some(Scalar::Untyped), Some(atomic_list()), Some(free_map(Relationship::Atomic)));
        TYPE.get_or_init(make).clone()
    }

    /// The type that a schema describes.
    pub fn from_schema(schema: &Schema) -> Self {
        Self::build(schema, false, false)
    }

    /// The type of a custom resource with this schema, with `apiVersion`, `kind` and `metadata` as every object has them.
    pub fn from_custom_resource_schema(schema: &Schema) -> Self {
        Self::build(schema, false, true)
    }

    /// The type of a built-in kind.
    pub fn builtin(group: &str, version: &str, kind: &str) -> Option<Self> {
        builtin::resolve(group, version, kind).map(|schema| Self::from_schema(&schema))
    }

    /// The scalars it allows.
    pub fn scalar(&self) -> Option<Scalar> {
        self.faces.scalar
    }

    /// How it treats lists, if it allows them.
    pub fn list(&self) -> Option<&ListFace> {
        self.faces.list.as_ref()
    }

    /// How it treats maps, if it allows them.
    pub fn map(&self) -> Option<&MapFace> {
        self.faces.map.as_ref()
    }

    fn new(scalar: Option<Scalar>, list: Option<ListFace>, map: Option<MapFace>) -> Self {
        Self { faces: Arc::new(Faces { scalar, list, map }) }
    }

    fn text() -> Self {
        Self::new(Some(Scalar::String), None, None)
    }

    fn build(schema: &Schema, preserve: bool, object: bool) -> Self {
        match schema.reference() {
            Some(QUANTITY) => return Self::new(Some(Scalar::Untyped), None, None),
            Some(RAW_EXTENSION) => return Self::atomic(),
            _ => {}
        }
        let preserve = preserve || schema.preserve_unknown_fields();
        let object = object || schema.embedded_resource();
        match schema.schema_type() {
            None => Self::new(
                Some(Scalar::Untyped),
                Some(list_face(schema, preserve)),
                Some(map_face(schema, preserve, object)),
            ),
            Some(SchemaType::Object) => Self::new(None, None, Some(map_face(schema, preserve, object))),
            Some(SchemaType::Array) => Self::new(None, Some(list_face(schema, preserve)), None),
            Some(SchemaType::Integer | SchemaType::Number) => Self::new(Some(Scalar::Numeric), None, None),
            Some(SchemaType::Boolean) => Self::new(Some(Scalar::Boolean), None, None),
            Some(SchemaType::String) => match schema.format() {
                None | Some("" | "byte") => Self::text(),
                Some(_) => Self::new(Some(Scalar::Untyped), None, None),
            },
        }
    }
}

impl fmt::Debug for Type {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.faces.fmt(formatter)
    }
}

fn list_face(schema: &Schema, preserve: bool) -> ListFace {
    let (relationship, names) = match (schema.list_type(), schema.has_patch_strategy("merge")) {
        (Some(ListType::Set), _) => (Relationship::Granular, Vec::new()),
        (Some(ListType::Map), _) => (Relationship::Granular, schema.list_map_keys().to_vec()),
        (None, true) => (Relationship::Granular, schema.patch_merge_key().map(Str::new).into_iter().collect()),
        (Some(ListType::Atomic), _) | (None, false) => (Relationship::Atomic, Vec::new()),
    };
    let keys = if names.is_empty() { KeySource::None } else { KeySource::Names(names, OnceLock::new()) };
    ListFace {
        relationship,
        keys,
        element: schema.items().map_or(Lazy::of(Source::Atomic), |items| child(items, preserve)),
    }
}

fn map_face(schema: &Schema, preserve: bool, object: bool) -> MapFace {
    let relationship = match schema.map_type() {
        Some(MapType::Atomic) => Relationship::Atomic,
        Some(MapType::Granular) | None => Relationship::Granular,
    };
    let properties = schema.properties().map(|(name, property)| Field {
        name: name.clone(),
        default: property.default_value().cloned(),
        lazy: child(property, preserve),
    });
    let mut fields: Vec<Field> = properties.collect();
    let other = match schema.additional_properties() {
        AdditionalProperties::Schema(values) => Some(child(values, preserve)),
        AdditionalProperties::Allowed(true) => Some(Lazy::of(Source::Deduced)),
        AdditionalProperties::Allowed(false) => None,
        AdditionalProperties::Absent => (preserve || fields.is_empty()).then(|| Lazy::of(Source::Deduced)),
    };
    if object {
        fields.retain(|field| !matches!(field.name.as_str(), "apiVersion" | "kind" | "metadata"));
        for (name, source) in [("apiVersion", Source::Text), ("kind", Source::Text), ("metadata", Source::ObjectMeta)] {
            fields.push(Field { name: Str::new(name), default: None, lazy: Lazy::of(source) });
        }
        fields.sort_by(|left, right| left.name.cmp(&right.name));
    }
    MapFace { relationship, fields, other }
}

/// Unknown fields are kept below a node that says so, but not across a reference.
fn child(schema: Schema, preserve: bool) -> Lazy {
    let preserve = preserve && schema.reference().is_none();
    Lazy::of(Source::Schema { schema, preserve })
}

fn atomic_list() -> ListFace {
    ListFace { relationship: Relationship::Atomic, keys: KeySource::None, element: Lazy::of(Source::Atomic) }
}

fn free_map(relationship: Relationship) -> MapFace {
    let values = if relationship == Relationship::Atomic { Source::Atomic } else { Source::Deduced };
    MapFace { relationship, fields: Vec::new(), other: Some(Lazy::of(values)) }
}

impl Lazy {
    fn of(source: Source) -> Self {
        Self { source, cell: OnceLock::new() }
    }

    fn get(&self) -> &Type {
        self.cell.get_or_init(|| match &self.source {
            Source::Deduced => Type::deduced(),
            Source::Atomic => Type::atomic(),
            Source::Text => Type::text(),
            Source::ObjectMeta => {
                builtin::definition(OBJECT_META).map_or_else(Type::deduced, |schema| Type::from_schema(&schema))
            }
            Source::Schema { schema, preserve } => Type::build(schema, *preserve, false),
        })
    }
}

impl ListFace {
    /// The type of the elements.
    pub fn element(&self) -> &Type {
        self.element.get()
    }

    /// The key fields in their declared order; empty for atomic lists and sets.
    pub fn keys(&self) -> &[KeyField] {
        let KeySource::Names(names, cell) = &self.keys else { return &[] };
        cell.get_or_init(|| {
            let default = |name: &Str| self.element().map().and_then(|map| map.default(name)).cloned();
            names.iter().map(|name| KeyField { name: name.clone(), default: default(name) }).collect()
        })
    }

    /// True for lists that are merged by key fields.
    pub fn is_keyed(&self) -> bool {
        matches!(self.keys, KeySource::Names(..))
    }
}

impl MapFace {
    /// The type of a key's value; `None` when the key is not allowed.
    pub fn field(&self, name: &str) -> Option<&Type> {
        self.position(name).map(|index| &self.fields[index].lazy).or(self.other.as_ref()).map(Lazy::get)
    }

    /// True when the key is declared by name.
    pub fn declares(&self, name: &str) -> bool {
        self.position(name).is_some()
    }

    fn default(&self, name: &str) -> Option<&Value> {
        self.fields[self.position(name)?].default.as_ref()
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.fields.binary_search_by(|field| field.name.as_str().cmp(name)).ok()
    }
}
