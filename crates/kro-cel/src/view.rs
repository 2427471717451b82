//! Live objects seen through their schema.
//!
//! A view gives the fields of a JSON object the types that its OpenAPI schema declares: a `byte` string is `bytes`, a
//! `date-time` a timestamp, a whole number of type `number` a double. Every field is converted when it is read, so an
//! object costs nothing until then.

mod properties;
mod shape;

use std::fmt;
use std::sync::{Arc, OnceLock};

use kro_value::{List, Map, Str, Value};

pub use properties::Properties;
pub use shape::Shape;

use crate::eval::{EvalContext, EvalError};
use crate::value::{CelList, CelMap, CelValue};

/// How the values of one place of a schema are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaForm {
    /// As plain JSON: unknown fields, quantities.
    Dynamic,
    /// An integer or a string, as it is.
    IntOrString,
    /// Fields with schemas of their own.
    Object,
    /// Any keys, with one schema for all values.
    Map,
    /// A list; the kind decides how two of them compare.
    Array(ListKind),
    /// Text.
    String,
    /// Text that is a duration of Go.
    Duration,
    /// Text that is a date.
    Date,
    /// Text that is a moment in RFC 3339.
    DateTime,
    /// Text that is base64 of bytes.
    Bytes,
    /// A boolean.
    Boolean,
    /// A floating-point number, also when it is written without a fraction.
    Number,
    /// An integer, also when it is written with a zero fraction.
    Integer,
    /// A schema that says nothing about its values: reading one is an error.
    Unsupported,
}

/// `x-kubernetes-list-type`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ListKind {
    /// Order matters.
    #[default]
    Atomic,
    /// Order does not matter.
    Set,
    /// Order does not matter; items are told apart by the keys of [`ValueSchema::list_keys`].
    Map,
}

/// The part of a structural schema that reading values needs.
pub trait ValueSchema: Send + Sync + fmt::Debug {
    /// How values are read here.
    fn form(&self) -> SchemaForm;
    /// True when `null` is a value here.
    fn nullable(&self) -> bool {
        false
    }
    /// The schema of a declared property.
    fn property(&self, name: &str) -> Option<&dyn ValueSchema>;
    /// The schema of all values of a map.
    fn values(&self) -> Option<&dyn ValueSchema>;
    /// The schema of the items of a list.
    fn items(&self) -> Option<&dyn ValueSchema>;
    /// `x-kubernetes-list-map-keys`
    fn list_keys(&self) -> &[Str] {
        &[]
    }
    /// The name of the object type as expressions see it.
    fn type_name(&self) -> &str {
        "object"
    }
    /// A handle on this very place.
    fn share(&self) -> Arc<dyn ValueSchema>;
}

/// A JSON object with its schema.
#[derive(Debug, Clone)]
pub struct ObjectView {
    /// The data.
    pub map: Map,
    /// The schema of the object.
    pub schema: Arc<dyn ValueSchema>,
}

/// A JSON array with its schema.
#[derive(Debug, Clone)]
pub struct ListView {
    /// The data.
    pub items: List,
    /// The schema of the array.
    pub schema: Arc<dyn ValueSchema>,
    /// The handle that all items share, made when it is first needed.
    item: OnceLock<Arc<dyn ValueSchema>>,
}

impl ObjectView {
    /// The value of a field or key by its plain or its escaped name; `None` when it is not there, or null where the
    /// schema declares the field.
    ///
    /// # Errors
    /// When the value does not fit the schema.
    pub fn get(&self, name: &str) -> Option<Result<CelValue, EvalError>> {
        let (value, schema) = field(&self.map, &*self.schema, name)?;
        Some(match schema {
            Some(schema) => typed(value, schema),
            None => Ok(CelValue::from_json(value.clone())),
        })
    }

    /// The names of the fields that are there.
    pub fn keys(&self) -> impl Iterator<Item = Str> + '_ {
        let declared = self.schema.form() == SchemaForm::Object;
        self.map.iter().filter(move |(_, value)| !(declared && value.is_null())).map(|(key, _)| key.clone())
    }

    /// How many fields are there.
    pub fn len(&self) -> usize {
        self.keys().count()
    }

    /// True without fields.
    pub fn is_empty(&self) -> bool {
        self.keys().next().is_none()
    }

    /// The name of the type for `type(x)`: that of all maps.
    pub fn type_name(&self) -> &str {
        "map"
    }
}

impl ListView {
    /// The item at a position; `None` outside of the list.
    ///
    /// # Errors
    /// When the item does not fit the schema.
    pub fn get(&self, index: usize) -> Option<Result<CelValue, EvalError>> {
        let item = self.items.get(index)?;
        let Some(schema) = self.schema.items() else { return Some(Ok(CelValue::from_json(item.clone()))) };
        if let (Value::Map(map), SchemaForm::Object | SchemaForm::Map) = (item, schema.form()) {
            let schema = Arc::clone(self.item.get_or_init(|| schema.share()));
            return Some(Ok(CelValue::Map(CelMap::View(Arc::new(ObjectView { map: map.clone(), schema })))));
        }
        Some(typed(item, schema))
    }
}

/// A live object as its schema declares it.
///
/// # Errors
/// When the value itself (not something deeper in it) does not fit the schema.
pub fn typed(value: &Value, schema: &dyn ValueSchema) -> Result<CelValue, EvalError> {
    use SchemaForm as Form;
    if value.is_null() {
        return match schema.form() {
            Form::Dynamic => Ok(CelValue::Null),
            _ if schema.nullable() => Ok(CelValue::Null),
            _ => Err(EvalError::invalid("invalid data, got null for schema with nullable=false")),
        };
    }
    match (schema.form(), value) {
        (Form::Dynamic, _) => Ok(CelValue::from_json(value.clone())),
        (Form::IntOrString, Value::Int(_) | Value::String(_)) => Ok(CelValue::from_json(value.clone())),
        (Form::Object | Form::Map, Value::Map(map)) => {
            Ok(CelValue::Map(CelMap::View(Arc::new(ObjectView { map: map.clone(), schema: schema.share() }))))
        }
        (Form::Array(_), Value::List(items)) => {
            let (items, schema) = (items.clone(), schema.share());
            Ok(CelValue::List(CelList::View(Arc::new(ListView { items, schema, item: OnceLock::new() }))))
        }
        (Form::Boolean, Value::Bool(value)) => Ok(CelValue::Bool(*value)),
        (Form::Number | Form::Integer, Value::Int(_) | Value::Float(_)) => typed_number(value, schema.form()),
        (form, Value::String(text)) => typed_text(text, form),
        (form, _) => Err(misfit(form, value)),
    }
}

fn typed_number(value: &Value, form: SchemaForm) -> Result<CelValue, EvalError> {
    let whole = match value {
        Value::Int(value) => Some(*value),
        Value::Float(value) => crate::value::exact_i64(*value),
        _ => None,
    };
    match (form, whole) {
        (SchemaForm::Number, _) => Ok(CelValue::Double(value.as_f64().unwrap_or_default())),
        (_, Some(whole)) => Ok(CelValue::Int(whole)),
        (form, None) => Err(misfit(form, value)),
    }
}

fn typed_text(text: &Str, form: SchemaForm) -> Result<CelValue, EvalError> {
    use crate::value::{CelDuration, CelTimestamp};
    let converted = match form {
        SchemaForm::String => Some(CelValue::String(text.clone())),
        SchemaForm::Duration => CelDuration::parse_lenient(text).map(CelValue::Duration),
        SchemaForm::Date => CelTimestamp::parse(&format!("{text}T00:00:00Z")).ok().map(CelValue::Timestamp),
        SchemaForm::DateTime => CelTimestamp::parse(text).ok().map(CelValue::Timestamp),
        SchemaForm::Bytes => decode_base64(text).map(|bytes| CelValue::Bytes(bytes.into())),
        form => return Err(misfit(form, &Value::String(text.clone()))),
    };
    converted.ok_or_else(|| {
        let what = match form {
            SchemaForm::Duration => "duration",
            SchemaForm::Date => "date formatted string",
            SchemaForm::DateTime => "date-time formatted string",
            _ => "byte formatted string",
        };
        EvalError::invalid(format!("Invalid {what} {text}"))
    })
}

/// Base64 with the standard alphabet; line breaks are skipped.
fn decode_base64(text: &str) -> Option<Vec<u8>> {
    use base64::Engine;
    let engine = base64::engine::general_purpose::STANDARD;
    if text.contains(['\n', '\r']) {
        return engine.decode(text.replace(['\n', '\r'], "")).ok();
    }
    engine.decode(text).ok()
}

#[cold]
fn misfit(form: SchemaForm, value: &Value) -> EvalError {
    let wanted = match form {
        SchemaForm::IntOrString => "XIntOrString value to be either a string or integer",
        SchemaForm::Object | SchemaForm::Map => "a map for the provided schema with type=object",
        SchemaForm::Array(_) => "an array for the provided schema with type=array",
        SchemaForm::Boolean => "bool",
        SchemaForm::Number => "float",
        SchemaForm::Integer => "int",
        SchemaForm::Unsupported | SchemaForm::Dynamic => "a schema with a type",
        _ => "string",
    };
    EvalError::invalid(format!("invalid data, expected {wanted}, got {}", value.type_name()))
}

/// A field with the schema it is read through: none for what the schema does not declare.
pub(crate) fn field<'a>(
    map: &'a Map,
    schema: &'a dyn ValueSchema,
    name: &str,
) -> Option<(&'a Value, Option<&'a dyn ValueSchema>)> {
    if schema.form() == SchemaForm::Map {
        return map.get(name).map(|value| (value, schema.values()));
    }
    let Some(value) = map.get(name) else { return if name.contains("__") { escaped(map, schema, name) } else { None } };
    present(value, schema.property(name))
}

#[cold]
fn escaped<'a>(
    map: &'a Map,
    schema: &'a dyn ValueSchema,
    name: &str,
) -> Option<(&'a Value, Option<&'a dyn ValueSchema>)> {
    let plain = unescape(name)?;
    present(map.get(&plain)?, schema.property(&plain))
}

/// Null is no value where the schema declares the field.
#[inline]
fn present<'a>(
    value: &'a Value,
    schema: Option<&'a dyn ValueSchema>,
) -> Option<(&'a Value, Option<&'a dyn ValueSchema>)> {
    (schema.is_none() || !value.is_null()).then_some((value, schema))
}

/// The property that an escaped field name stands for: `a__dash__b` is `a-b`. `None` when nothing is escaped.
pub fn unescape(name: &str) -> Option<String> {
    let reserved = name.strip_prefix("__").and_then(|rest| rest.strip_suffix("__"));
    if let Some(word) = reserved
        && !word.is_empty()
        && word.bytes().all(|byte| byte.is_ascii_lowercase())
        && !matches!(word, "underscores" | "dot" | "dash" | "slash")
    {
        return Some(word.to_owned());
    }
    let mut plain = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(at) = rest.find("__") {
        let tail = &rest[at + 2..];
        let (character, length) = match tail {
            _ if tail.starts_with("underscores__") => ("__", 13),
            _ if tail.starts_with("dot__") => (".", 5),
            _ if tail.starts_with("dash__") => ("-", 6),
            _ if tail.starts_with("slash__") => ("/", 7),
            _ => return None,
        };
        plain.push_str(&rest[..at]);
        plain.push_str(character);
        rest = &tail[length..];
    }
    if plain.is_empty() && rest.len() == name.len() {
        return None;
    }
    plain.push_str(rest);
    Some(plain)
}

/// The verdict on two lists of which one has a kind that ignores order; `None` if neither has.
pub(crate) fn unordered_equal(
    context: &mut EvalContext,
    left: &CelList,
    right: &CelList,
) -> Option<Result<bool, EvalError>> {
    let kind = |list: &CelList| match list {
        CelList::View(view) => match view.schema.form() {
            SchemaForm::Array(ListKind::Atomic) => None,
            SchemaForm::Array(_) => Some(()),
            _ => None,
        },
        _ => None,
    };
    kind(left)?;
    Some(same_items(context, left, right))
}

/// True when every item of one list equals an item of the other; the lists are of one length.
fn same_items(context: &mut EvalContext, left: &CelList, right: &CelList) -> Result<bool, EvalError> {
    let mut open = right.to_vec()?;
    for item in left.iter() {
        let item = item?;
        let mut found = None;
        for (index, other) in open.iter().enumerate() {
            context.charge(1)?;
            if crate::value::try_equal(context, &item, other)? {
                found = Some(index);
                break;
            }
        }
        let Some(index) = found else { return Ok(false) };
        open.swap_remove(index);
    }
    Ok(true)
}

/// `left + right` for lists whose kind merges: a union, or items replaced by key. `None` for ordinary lists.
pub(crate) fn merged(context: &mut EvalContext, left: &CelList, right: &CelList) -> Option<Result<CelList, EvalError>> {
    let CelList::View(view) = left else { return None };
    let SchemaForm::Array(kind @ (ListKind::Set | ListKind::Map)) = view.schema.form() else { return None };
    Some(merge_items(context, view, kind, right))
}

fn merge_items(
    context: &mut EvalContext,
    view: &ListView,
    kind: ListKind,
    right: &CelList,
) -> Result<CelList, EvalError> {
    let mut items = CelList::View(Arc::new(view.clone())).to_vec()?;
    for item in right.iter() {
        let item = item?;
        context.charge(items.len() as u64)?;
        let same = |other: &CelValue| match kind {
            ListKind::Map => view.schema.list_keys().iter().all(|key| member(other, key) == member(&item, key)),
            _ => *other == item,
        };
        match items.iter().position(same) {
            Some(index) if kind == ListKind::Map => items[index] = item,
            Some(_) => {}
            None => items.push(item),
        }
    }
    Ok(items.into())
}

fn member(value: &CelValue, key: &str) -> Option<CelValue> {
    value.as_map()?.get_str(key)?.ok()
}
