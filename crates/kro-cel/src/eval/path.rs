//! Walking from a variable into its fields, without copying anything on the way.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use kro_value::{List, Map, Str, Value};

use super::plan::Node;
use super::{ErrorKind, EvalError};
use crate::value::{CelList, CelMap, CelValue, MapKey, Opaque, exact_i64};
use crate::view::{ValueSchema, field, typed};

/// A variable, or the value of another node, and steps into it.
#[derive(Debug)]
pub(super) struct Path {
    pub root: Root,
    pub steps: Box<[Step]>,
}

impl Path {
    /// This path with more steps, where it starts at a variable.
    pub fn with(&self, more: impl IntoIterator<Item = Step>) -> Option<Self> {
        let root = match &self.root {
            Root::Variable(index) => Root::Variable(*index),
            Root::Local(slot, origin) => Root::Local(*slot, Arc::clone(origin)),
            Root::Candidates(candidates) => Root::Candidates(candidates.clone()),
            Root::Node(_) => return None,
        };
        let steps = self.steps.iter().cloned().chain(more).collect();
        Some(Self { root, steps })
    }
}

/// Where a path starts.
#[derive(Debug)]
pub(super) enum Root {
    /// A variable of the activation, by its place in the program's list.
    Variable(u32),
    /// A variable of a comprehension, by its slot.
    Local(u32, Arc<Origin>),
    /// Any expression.
    Node(Node),
    /// The first of several variables that exists; each with the number of steps its dotted name takes up.
    Candidates(Box<[(u32, usize)]>),
}

/// What a variable of a comprehension is called, and the list that it is an item of, where that is a path.
#[derive(Debug)]
pub(super) struct Origin {
    pub name: Str,
    pub range: Option<Path>,
}

/// One step of a path.
#[derive(Debug)]
pub(super) struct Step {
    pub key: CelValue,
    pub optional: bool,
    /// Where the key was in the last object: most objects of a kind have the same fields.
    guess: AtomicUsize,
}

impl Step {
    pub fn new(key: CelValue, optional: bool) -> Self {
        Self { key, optional, guess: AtomicUsize::new(0) }
    }

    /// The entry of a map.
    #[inline]
    pub fn find<'a>(&self, map: &'a Map, name: &str) -> Option<&'a Value> {
        let guess = self.guess.load(Relaxed);
        let (index, value) = map.get_near(name, guess)?;
        if index != guess {
            self.guess.store(index, Relaxed);
        }
        Some(value)
    }
}

impl Clone for Step {
    fn clone(&self) -> Self {
        Self::new(self.key.clone(), self.optional)
    }
}

/// A value on the way, by reference wherever it is part of something that stays.
#[derive(Clone)]
pub(super) enum Cursor<'a> {
    Json(&'a Value),
    Typed(&'a Value, &'a dyn ValueSchema),
    Cel(&'a CelValue),
    Owned(CelValue),
}

impl<'a> Cursor<'a> {
    /// The value itself.
    pub fn finish(self) -> Result<CelValue, EvalError> {
        match self {
            Self::Json(value) => Ok(CelValue::from_json(value.clone())),
            Self::Typed(value, schema) => typed(value, schema),
            Self::Cel(value) => Ok(value.clone()),
            Self::Owned(value) => Ok(value),
        }
    }

    /// The value under a key; `None` when it is not there.
    pub fn step(self, key: &CelValue) -> Result<Option<Cursor<'a>>, EvalError> {
        match self {
            Self::Json(Value::Map(map)) => json_entry(map, key),
            Self::Json(Value::List(items)) => Ok(item(items, list_index(key)?).map(Cursor::Json)),
            Self::Json(_) => missing(key),
            Self::Typed(value, schema) => step_typed(value, schema, key),
            Self::Cel(value) => step_cel(value, key),
            Self::Owned(value) => match step_cel(&value, key)? {
                Some(found) => Ok(Some(Cursor::Owned(found.finish()?))),
                None => Ok(None),
            },
        }
    }

    /// The value inside of an optional where that is gone into; otherwise the value itself.
    pub fn enter(self, open: bool) -> (Option<Cursor<'a>>, bool) {
        if open { self.unwrap_optional() } else { (Some(self), false) }
    }

    /// The value inside of an optional, and whether this was one.
    pub fn unwrap_optional(self) -> (Option<Cursor<'a>>, bool) {
        match self {
            Self::Cel(CelValue::Optional(inner)) => (inner.as_deref().map(Cursor::Cel), true),
            Self::Owned(CelValue::Optional(inner)) => (inner.map(|inner| Cursor::Owned((*inner).clone())), true),
            other => (Some(other), false),
        }
    }

    /// Whether a field is there, for `has`.
    pub fn has(self, name: &Str) -> Result<bool, EvalError> {
        if let Self::Cel(CelValue::Opaque(Opaque::Condition(condition))) = &self {
            let value = condition.field(name);
            return Ok(value.is_some_and(|value| value.as_str() != Some("")));
        }
        Ok(self.step(&CelValue::String(name.clone()))?.is_some())
    }
}

fn json_entry<'a>(map: &'a Map, key: &CelValue) -> Result<Option<Cursor<'a>>, EvalError> {
    match key {
        CelValue::String(name) => Ok(map.get(name).map(Cursor::Json)),
        _ => missing(key),
    }
}

fn item(items: &List, index: Option<usize>) -> Option<&Value> {
    items.get(index?)
}

/// Selecting from something without fields finds nothing, but the key has to be one.
fn missing<'a>(key: &CelValue) -> Result<Option<Cursor<'a>>, EvalError> {
    check_key(key).map(|()| None)
}

fn check_key(key: &CelValue) -> Result<(), EvalError> {
    let valid = matches!(
        key,
        CelValue::String(_) | CelValue::Int(_) | CelValue::Uint(_) | CelValue::Double(_) | CelValue::Bool(_)
    );
    if valid { Ok(()) } else { Err(invalid_key(key)) }
}

/// The error for a value that is no key of anything.
#[cold]
pub(super) fn invalid_key(key: &CelValue) -> EvalError {
    EvalError::invalid(format!("invalid qualifier type: {}", go_type(key)))
}

fn step_typed<'a>(
    value: &'a Value,
    schema: &'a dyn ValueSchema,
    key: &CelValue,
) -> Result<Option<Cursor<'a>>, EvalError> {
    use crate::view::SchemaForm;
    match (value, schema.form()) {
        (_, SchemaForm::Dynamic) => Cursor::Json(value).step(key),
        (Value::Map(map), SchemaForm::Object | SchemaForm::Map) => typed_entry(map, schema, key),
        (Value::List(items), SchemaForm::Array(_)) => {
            let found = item(items, list_index(key)?);
            Ok(found.map(|value| schema.items().map_or(Cursor::Json(value), |items| Cursor::Typed(value, items))))
        }
        (Value::Null, _) => missing(key),
        // the data does not fit, which `typed` words
        _ => Cursor::Owned(typed(value, schema)?).step(key),
    }
}

fn typed_entry<'a>(map: &'a Map, schema: &'a dyn ValueSchema, key: &CelValue) -> Result<Option<Cursor<'a>>, EvalError> {
    let CelValue::String(name) = key else { return missing(key) };
    let found = field(map, schema, name);
    Ok(found.map(|(value, schema)| schema.map_or(Cursor::Json(value), |schema| Cursor::Typed(value, schema))))
}

fn step_cel<'a>(value: &'a CelValue, key: &CelValue) -> Result<Option<Cursor<'a>>, EvalError> {
    match value {
        CelValue::Map(CelMap::Json(map)) => json_entry(map, key),
        CelValue::Map(CelMap::View(view)) => typed_entry(&view.map, &*view.schema, key),
        CelValue::Map(map) => {
            check_key(key)?;
            map.get(key).transpose().map(|found| found.map(Cursor::Owned))
        }
        CelValue::List(CelList::Json(items)) => Ok(item(items, list_index(key)?).map(Cursor::Json)),
        CelValue::List(CelList::Built(items)) => {
            Ok(list_index(key)?.and_then(|index| items.get(index)).map(Cursor::Cel))
        }
        CelValue::List(list) => match list_index(key)? {
            Some(index) => list.get(index).transpose().map(|found| found.map(Cursor::Owned)),
            None => Ok(None),
        },
        CelValue::Opaque(Opaque::Condition(condition)) => match condition.field(key.as_str().unwrap_or_default()) {
            Some(value) => Ok(Some(Cursor::Owned(value))),
            None => Err(EvalError::new(ErrorKind::NoSuchField, format!("no such field '{}'", key_text(key)))),
        },
        _ => missing(key),
    }
}

/// A key as a position in a list; `None` for numbers outside of any list.
fn list_index(key: &CelValue) -> Result<Option<usize>, EvalError> {
    match key {
        CelValue::Int(index) => Ok(usize::try_from(*index).ok()),
        CelValue::Uint(index) if i64::try_from(*index).is_err() => {
            Err(EvalError::invalid(format!("unsupported index value {index} in list")))
        }
        CelValue::Uint(index) => Ok(usize::try_from(*index).ok()),
        // the reference counts the smallest integer among those that do not fit
        CelValue::Double(index) => match exact_i64(*index).filter(|index| *index != i64::MIN) {
            Some(index) => Ok(usize::try_from(index).ok()),
            None => {
                let shown = crate::library::double_text(*index);
                Err(EvalError::invalid(format!("unsupported index value {shown} in list")))
            }
        },
        CelValue::String(_) | CelValue::Bool(_) => {
            Err(EvalError::invalid(format!("unsupported index type '{}' in list", key.type_name())))
        }
        _ => check_key(key).map(|()| None),
    }
}

/// The error for a key that is not there.
#[cold]
pub(super) fn not_found(key: &CelValue, in_list: bool) -> EvalError {
    let shown = key_text(key);
    if in_list { EvalError::index_out_of_bounds(shown) } else { EvalError::no_such_key(shown) }
}

/// True when a value is a list, so that what is missing is an index.
pub(super) fn is_list(cursor: &Cursor<'_>) -> bool {
    matches!(
        cursor,
        Cursor::Json(Value::List(_))
            | Cursor::Typed(Value::List(_), _)
            | Cursor::Cel(CelValue::List(_))
            | Cursor::Owned(CelValue::List(_))
    )
}

/// A key as messages show it.
pub(super) fn key_text(key: &CelValue) -> String {
    match key {
        CelValue::Double(value) => crate::library::double_text(*value),
        other => MapKey::new(other).map_or_else(|| format!("{other:?}"), |key| key.to_string()),
    }
}

/// The name of a value's type in the reference implementation, which some messages show.
pub(crate) fn go_type(value: &CelValue) -> &'static str {
    match value {
        CelValue::Null => "types.Null",
        CelValue::Bool(_) => "types.Bool",
        CelValue::Int(_) => "types.Int",
        CelValue::Uint(_) => "types.Uint",
        CelValue::Double(_) => "types.Double",
        CelValue::String(_) => "types.String",
        CelValue::Bytes(_) => "types.Bytes",
        CelValue::List(_) => "*types.baseList",
        CelValue::Map(_) => "*types.baseMap",
        CelValue::Timestamp(_) => "types.Timestamp",
        CelValue::Duration(_) => "types.Duration",
        CelValue::Type(_) => "*types.Type",
        CelValue::Optional(_) => "*types.Optional",
        CelValue::Opaque(Opaque::Quantity(_)) => "cel.Quantity",
        CelValue::Opaque(Opaque::Url(_)) => "cel.URL",
        CelValue::Opaque(Opaque::Ip(_)) => "cel.IP",
        CelValue::Opaque(Opaque::Cidr(_)) => "cel.CIDR",
        CelValue::Opaque(Opaque::Semver(_)) => "cel.Semver",
        CelValue::Opaque(opaque) => opaque.type_name(),
    }
}
