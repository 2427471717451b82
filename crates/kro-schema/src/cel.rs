//! Structural schemas as the checker of expressions sees them: types of variables and fields. [`crate::view`] is the other
//! half, for the evaluator.
//!
//! Nothing is converted ahead: a type name says where in a schema the type is, and fields are looked up when asked for.
//! So an environment over large or recursive schemas costs nothing until an expression uses them. Names of types follow
//! the API server: `__type_` and the variable, then `.field` for properties, `.@idx` for list items and `.@elem` for the
//! values of maps.

mod escaping;
mod sizes;

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use foldhash::{HashMap, HashMapExt};

use kro_cel::{Type, TypeProvider};
use kro_value::{Str, Value};

use crate::structural::{AdditionalProperties, Schema, SchemaType};

pub use escaping::{escape, is_reserved, unescape};
pub use sizes::SchemaSizes;

/// What the names of all types of schemas start with.
pub const TYPE_PREFIX: &str = "__type_";
const ITEM: &str = "@idx";
const ELEMENT: &str = "@elem";

/// The types of the schemas of variables.
#[derive(Debug, Default)]
pub struct SchemaTypes {
    roots: HashMap<Str, Root>,
    /// What was asked for before; checking asks the same again and again.
    known: Mutex<HashMap<Arc<str>, Known>>,
}

/// A copy knows nothing yet.
impl Clone for SchemaTypes {
    fn clone(&self) -> Self {
        Self { roots: self.roots.clone(), known: Mutex::new(HashMap::new()) }
    }
}

/// An object type that was asked for; without a schema it is none.
#[derive(Debug)]
struct Known {
    schema: Option<Schema>,
    /// Sorted by name.
    fields: Vec<(Str, Option<Type>)>,
}

#[derive(Clone, Debug)]
struct Root {
    schema: Schema,
    /// True for a variable that is a list of such objects.
    list: bool,
}

/// How many lists and maps may hold each other before an object does.
const CONTAINERS_MAX: usize = 32;

impl SchemaTypes {
    /// An empty table.
    pub fn new() -> Self {
        Self::default()
    }

    /// Declares the schema of a variable and returns the variable's type; `None` if expressions cannot use such a value.
    pub fn declare(&mut self, variable: &str, schema: &Schema) -> Option<Type> {
        let ty = declaration_within(schema, Name::new(TYPE_PREFIX).glued(variable), CONTAINERS_MAX)?;
        self.roots.insert(Str::new(variable), Root { schema: schema.clone(), list: false });
        Some(ty)
    }

    /// Declares a variable that is a list of objects of one schema, and returns its type.
    pub fn declare_list(&mut self, variable: &str, item: &Schema) -> Option<Type> {
        let ty = declaration_within(item, Name::new(TYPE_PREFIX).glued(variable).then(ITEM), CONTAINERS_MAX)?;
        self.roots.insert(Str::new(variable), Root { schema: item.clone(), list: true });
        Some(Type::list(ty))
    }

    /// The schema behind the name of an object type.
    pub fn schema_of(&self, object: &str) -> Option<Schema> {
        let path = object.strip_prefix(TYPE_PREFIX)?;
        let mut steps = path.split('.');
        let root = self.roots.get(steps.next()?)?;
        if root.list && steps.next()? != ITEM {
            return None;
        }
        steps.try_fold(root.schema.clone(), |schema, step| match step {
            ITEM => embedded(schema.items()?),
            ELEMENT => match schema.additional_properties() {
                AdditionalProperties::Schema(values) => embedded(values),
                _ => None,
            },
            field => embedded(schema.property(&unescape(field)?)?),
        })
    }

    fn object(&self, name: &str) -> Option<Schema> {
        self.known(name, |known| known.schema.clone())
    }

    /// Looks at what is known of an object type.
    fn known<R>(&self, name: &str, look: impl FnOnce(&mut Known) -> R) -> R {
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.get_mut(name) {
            return look(known);
        }
        let is_object = |schema: &Schema| matches!(declaration(schema, name), Some(Type::Object(_)));
        let known = Known { schema: self.schema_of(name).filter(is_object), fields: Vec::new() };
        look(all.entry(name.into()).or_insert(known))
    }

    /// Keeps the type of a field, and the schema of that type if it is an object: it is asked for next.
    fn remember(&self, object: &str, field: &str, declared: Option<&(Type, Schema)>) {
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((Type::Object(name), schema)) = declared
            && !all.contains_key(name)
        {
            all.insert(Arc::clone(name), Known { schema: Some(schema.clone()), fields: Vec::new() });
        }
        if let Some(known) = all.get_mut(object)
            && let Err(at) = known.position(field)
        {
            let undeclared = || if known.is_open() { Some(Type::Dyn) } else { None };
            let ty = declared.map(|(ty, _)| ty.clone()).or_else(undeclared);
            known.fields.insert(at, (field.into(), ty));
        }
    }
}

impl TypeProvider for SchemaTypes {
    fn has_type(&self, name: &str) -> bool {
        name.starts_with(TYPE_PREFIX) && self.known(name, |known| known.schema.is_some())
    }

    fn has_namespace(&self, first: &str) -> bool {
        first.starts_with(TYPE_PREFIX)
    }

    fn field_type(&self, object: &str, field: &str) -> Option<Type> {
        let found = self.known(object, |known| match known.position(field) {
            Ok(at) => Ok(known.fields[at].1.clone()),
            Err(_) => Err(known.schema.clone()),
        });
        found.unwrap_or_else(|schema| {
            let schema = schema?;
            let declared = declare_field(&schema, object, field);
            self.remember(object, field, declared.as_ref());
            let undeclared = || if schema.preserve_unknown_fields() { Some(Type::Dyn) } else { None };
            declared.map(|(ty, _)| ty).or_else(undeclared)
        })
    }

    fn data_field_type(&self, object: &str, field: &str) -> Option<Type> {
        let schema = self.object(object)?;
        match schema.property(field).and_then(embedded) {
            // a field that expressions cannot read can still be written
            Some(property) => {
                let name = escape(field).unwrap_or(field.into());
                Some(declaration_within(&property, Name::new(object).then(&name), CONTAINERS_MAX).unwrap_or(Type::Dyn))
            }
            None => schema.preserve_unknown_fields().then_some(Type::Dyn),
        }
    }

    fn field_names(&self, object: &str) -> Option<Vec<Str>> {
        let schema = self.object(object)?;
        let usable = |name: &&Str| {
            let property = schema.property(name).and_then(embedded);
            escape(name).is_some() && property.is_some_and(|property| declaration(&property, "").is_some())
        };
        Some(schema.property_names().filter(usable).map(field_name).collect())
    }

    fn is_open(&self, object: &str) -> bool {
        self.known(object, |known| known.is_open())
    }

    fn definition(&self, object: &str) -> Option<Str> {
        self.schema_of(object)?.reference().map(Str::new)
    }
}

impl Known {
    fn position(&self, field: &str) -> Result<usize, usize> {
        self.fields.binary_search_by(|(name, _)| name.as_str().cmp(field))
    }

    fn is_open(&self) -> bool {
        self.schema.as_ref().is_some_and(Schema::preserve_unknown_fields)
    }
}

/// The type of a declared field by its name in expressions, and its schema.
fn declare_field(schema: &Schema, object: &str, field: &str) -> Option<(Type, Schema)> {
    let (escaped, property) = field_schema(schema, field)?;
    // an object that is embedded has more fields than its schema says
    let property = embedded(property)?;
    Some((declaration_within(&property, Name::new(object).then(&escaped), CONTAINERS_MAX)?, property))
}

/// How a property is written in an expression: reserved words as they are (but for the four that are tokens), other names
/// escaped.
fn field_name(property: &Str) -> Str {
    let is_token = matches!(property.as_str(), "true" | "false" | "null" | "in");
    if is_reserved(property) && !is_token {
        return property.clone();
    }
    escape(property).map_or_else(|| property.clone(), |name| Str::new(&name))
}

/// The property that a field name stands for, and the escaped name.
fn field_schema<'f>(schema: &Schema, field: &'f str) -> Option<(Cow<'f, str>, Schema)> {
    let escaped: Cow<'f, str> = if is_reserved(field) { format!("__{field}__").into() } else { field.into() };
    let plain = unescape(&escaped)?;
    // a name that has to be escaped is no field when it is not
    if escape(&plain)? != escaped {
        return None;
    }
    let property = schema.property(&plain)?;
    Some((escaped, property))
}

/// The type of the values of a schema, where `name` is the name for it if it is an object; `None` if expressions cannot use
/// such values.
pub fn declaration(schema: &Schema, name: &str) -> Option<Type> {
    declaration_within(schema, Name::new(name), CONTAINERS_MAX)
}

/// The name of a type, in the parts it is made of: the text is put together only for an object.
#[derive(Clone, Copy)]
struct Name<'n> {
    before: Option<&'n Name<'n>>,
    /// Between the part before and this one.
    dot: &'static str,
    part: &'n str,
}

impl<'n> Name<'n> {
    fn new(part: &'n str) -> Self {
        Self { before: None, dot: "", part }
    }

    fn glued(&'n self, part: &'n str) -> Self {
        Self { before: Some(self), dot: "", part }
    }

    fn then(&'n self, step: &'n str) -> Self {
        Self { before: Some(self), dot: ".", part: step }
    }

    fn len(&self) -> usize {
        self.before.map_or(0, Name::len) + self.dot.len() + self.part.len()
    }

    fn write(&self, out: &mut String) {
        if let Some(before) = self.before {
            before.write(out);
        }
        out.push_str(self.dot);
        out.push_str(self.part);
    }

    fn text(&self) -> Arc<str> {
        let mut text = String::with_capacity(self.len());
        self.write(&mut text);
        text.into()
    }
}

fn declaration_within(schema: &Schema, name: Name<'_>, containers: usize) -> Option<Type> {
    let inside = |schema: &Schema, step| declaration_within(schema, name.then(step), containers.checked_sub(1)?);
    if schema.int_or_string() {
        return Some(Type::Dyn);
    }
    match schema.schema_type()? {
        SchemaType::Array => Some(Type::list(inside(&schema.items()?, ITEM)?)),
        SchemaType::Object => Some(match schema.additional_properties() {
            AdditionalProperties::Schema(values) => {
                Type::map(Type::String, inside(&values, ELEMENT).unwrap_or(Type::Dyn))
            }
            _ => Type::Object(name.text()),
        }),
        SchemaType::String => Some(match schema.format() {
            Some("byte") => Type::Bytes,
            Some("duration") => Type::Duration,
            Some("date" | "date-time") => Type::Timestamp,
            _ => Type::String,
        }),
        SchemaType::Boolean => Some(Type::Bool),
        SchemaType::Number => Some(Type::Double),
        SchemaType::Integer => Some(Type::Int),
    }
}

/// An object that is a Kubernetes resource has `apiVersion`, `kind` and two fields of `metadata`, declared or not.
#[allow(clippy::unnecessary_wraps)] // used at the end of chains of options
fn embedded(schema: Schema) -> Option<Schema> {
    if !schema.embedded_resource() || schema.property("kind").is_some() {
        return Some(schema);
    }
    let string = || Value::map([("type", Value::from("string"))]);
    let metadata = Value::map([
        ("type", Value::from("object")),
        ("properties", Value::map([("name", string()), ("generateName", string())])),
    ]);
    let mut json = schema.to_json();
    json.set_at(&["type"], Value::from("object"));
    json.set_at(&["properties", "apiVersion"], string());
    json.set_at(&["properties", "kind"], string());
    json.set_at(&["properties", "metadata"], metadata);
    Some(Schema::from_json(&json))
}

/// A text with the internal names of types replaced by what a user of Kubernetes knows: `deployment.spec.template`,
/// `pods[]`.
pub fn readable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(TYPE_PREFIX) {
        out.push_str(&rest[..at]);
        let path = &rest[at + TYPE_PREFIX.len()..];
        let end = path.find(|char: char| !(char.is_ascii_alphanumeric() || "_.@".contains(char))).unwrap_or(path.len());
        path[..end].split('.').enumerate().for_each(|(index, step)| push_step(step, index == 0, &mut out));
        rest = &path[end..];
    }
    out.push_str(rest);
    out
}

fn push_step(step: &str, first: bool, out: &mut String) {
    match step {
        ITEM => out.push_str("[]"),
        ELEMENT => out.push_str(".*"),
        field => {
            if !first {
                out.push('.');
            }
            out.push_str(&unescape(field).unwrap_or(field.into()));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use kro_cel::{Environment, library};
    use kro_value::from_json;

    use super::*;

    const DEPLOYMENT: &str = r#"{"type":"object","properties":{
        "metadata":{"type":"object","properties":{
            "namespace":{"type":"string"},"creationTimestamp":{"type":"string","format":"date-time"},
            "labels":{"type":"object","additionalProperties":{"type":"string"}}}},
        "spec":{"type":"object","properties":{
            "replicas":{"type":"integer"},"a-b":{"type":"string"},"x__y":{"type":"boolean"},
            "port":{"x-kubernetes-int-or-string":true},"free":{"x-kubernetes-preserve-unknown-fields":true},
            "ratio":{"type":"number"},"secret":{"type":"string","format":"byte"},
            "values":{"type":"object","x-kubernetes-preserve-unknown-fields":true},
            "limits":{"type":"object","additionalProperties":{"oneOf":[{"type":"string"},{"type":"number"}]}},
            "items":{"type":"array","items":{"type":"object","properties":{"in":{"type":"string"}}}},
            "embedded":{"type":"object","x-kubernetes-embedded-resource":true,"x-kubernetes-preserve-unknown-fields":true}}}}}"#;

    fn checked(expression: &str) -> String {
        let mut types = SchemaTypes::new();
        let ty = types.declare("d", &Schema::from_json(&from_json(DEPLOYMENT).unwrap())).unwrap();
        let mut builder = Environment::builder().variable("d", ty).types(Arc::new(types));
        builder = library::kro().iter().fold(builder, |builder, library| builder.library(library));
        let environment = builder.build();
        let parsed = environment.parse(expression);
        assert_eq!(parsed.errors, [], "{expression}");
        let checked = environment.check(&parsed.ast);
        match checked.errors.first() {
            None => checked.result_type().to_string(),
            Some(issue) => match &issue.suggestion {
                Some(suggestion) => format!("{} ({suggestion})", issue.message),
                None => issue.message.clone(),
            },
        }
    }

    #[test]
    fn gives_fields_the_types_of_their_schemas() {
        let rows = [
            ("d", "__type_d"),
            ("d.metadata.namespace", "string"),
            ("d.metadata.creationTimestamp", "timestamp"),
            ("d.metadata.labels", "map(string, string)"),
            ("d.spec.replicas", "int"),
            ("d.spec.a__dash__b", "string"),
            ("d.spec.x__underscores__y", "bool"),
            ("d.spec.x__y", "undefined field 'x__y'"),
            ("d.spec.port", "dyn"),
            ("d.spec.free", "undefined field 'free'"),
            ("d.spec.ratio", "double"),
            ("d.spec.secret", "bytes"),
            ("d.spec.values", "__type_d.spec.values"),
            ("d.spec.values.anything.deep", "dyn"),
            ("d.spec.limits", "map(string, dyn)"),
            ("d.spec.items", "list(__type_d.spec.items.@idx)"),
            ("d.spec.items[0].__in__", "string"),
            ("d.spec.embedded.metadata.name", "string"),
            ("d.spec.embedded.kind", "string"),
            ("d.spec.replica", "undefined field 'replica' (replicas)"),
            ("d.spec.?replicas", "optional_type(int)"),
        ];
        for (expression, want) in rows {
            assert_eq!(checked(expression), want, "{expression}");
        }
    }

    #[test]
    fn names_types_as_users_know_them() {
        assert_eq!(
            readable("got \"list(__type_d.spec.items.@idx)\", expected map(string, __type_d.m.@elem.a__dash__b)"),
            "got \"list(d.spec.items[])\", expected map(string, d.m.*.a-b)"
        );
    }
}
