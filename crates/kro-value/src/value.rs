use std::fmt;
use std::sync::Arc;

use crate::{FieldPath, Map, Segment, Str};

/// A shared list of values.
pub type List = Arc<Vec<Value>>;

/// A JSON value.
///
/// Integers that fit a signed 64-bit integer are [`Value::Int`]; every other number is a [`Value::Float`], which is
/// how Kubernetes itself reads JSON. Equality compares numbers by value: `3` equals `3.0`.
#[derive(Clone, Default)]
pub enum Value {
    /// `null`
    #[default]
    Null,
    /// `true`, `false`
    Bool(bool),
    /// An integer number.
    Int(i64),
    /// A number with a fraction or an exponent, or one outside the range of `i64`.
    Float(f64),
    /// A string.
    String(Str),
    /// An array.
    List(List),
    /// An object; keys are sorted and unique.
    Map(Map),
}

impl Value {
    /// A string value.
    pub fn string(text: impl Into<Str>) -> Self {
        Self::String(text.into())
    }

    /// A list value.
    pub fn list(items: impl IntoIterator<Item = Value>) -> Self {
        Self::List(Arc::new(items.into_iter().collect()))
    }

    /// A map value; a later entry with the same key wins.
    pub fn map<K: Into<Str>>(entries: impl IntoIterator<Item = (K, Value)>) -> Self {
        Self::Map(entries.into_iter().map(|(key, value)| (key.into(), value)).collect())
    }

    /// The name of this value's JSON type: `null`, `boolean`, `integer`, `number`, `string`, `array` or `object`.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Int(_) => "integer",
            Self::Float(_) => "number",
            Self::String(_) => "string",
            Self::List(_) => "array",
            Self::Map(_) => "object",
        }
    }

    /// True for `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The boolean, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(*value) } else { None }
    }

    /// The integer, if this is one (a float never is, even if whole).
    pub fn as_i64(&self) -> Option<i64> {
        if let Self::Int(value) = self { Some(*value) } else { None }
    }

    /// The number as a float, if this is a number.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            #[allow(clippy::cast_precision_loss)]
            Self::Int(value) => Some(*value as f64),
            Self::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// The text, if this is a string.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(value) = self { Some(value) } else { None }
    }

    /// The items, if this is a list.
    pub fn as_list(&self) -> Option<&[Value]> {
        if let Self::List(items) = self { Some(items) } else { None }
    }

    /// The map, if this is one.
    pub fn as_map(&self) -> Option<&Map> {
        if let Self::Map(map) = self { Some(map) } else { None }
    }

    /// The map for changing, if this is one; shared content is copied one level deep.
    pub fn as_map_mut(&mut self) -> Option<&mut Map> {
        if let Self::Map(map) = self { Some(map) } else { None }
    }

    /// The list for changing, if this is one; shared content is copied one level deep.
    pub fn as_list_mut(&mut self) -> Option<&mut Vec<Value>> {
        if let Self::List(items) = self { Some(Arc::make_mut(items)) } else { None }
    }

    /// The value of a key; `None` when this is no map or has no such key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_map()?.get(key)
    }

    /// The value at a chain of keys: `object.at(&["metadata", "name"])`.
    pub fn at(&self, keys: &[&str]) -> Option<&Value> {
        keys.iter().try_fold(self, |value, key| value.get(key))
    }

    /// The text at a chain of keys; `None` where it is absent or no string.
    pub fn str_at(&self, keys: &[&str]) -> Option<&str> {
        self.at(keys)?.as_str()
    }

    /// The value at a path.
    pub fn at_path(&self, path: &FieldPath) -> Option<&Value> {
        path.segments().iter().try_fold(self, |value, segment| match segment {
            Segment::Field(name) => value.get(name),
            Segment::Index(index) => value.as_list()?.get(*index),
        })
    }

    /// Writes a value at a chain of keys, making maps (in place of anything that is no map) along the way.
    pub fn set_at(&mut self, keys: &[&str], value: Value) {
        let Some((last, parents)) = keys.split_last() else {
            *self = value;
            return;
        };
        let mut here = self;
        for key in parents {
            here = here.ensure_map().entry_or_null(key);
        }
        here.ensure_map().insert(Str::new(last), value);
    }

    /// Gives back memory that this value reserved and does not use. Shared parts stay as they are.
    pub fn shrink(&mut self) {
        match self {
            Self::List(items) => {
                if let Some(items) = Arc::get_mut(items) {
                    items.shrink_to_fit();
                    items.iter_mut().for_each(Self::shrink);
                }
            }
            Self::Map(map) => map.shrink(),
            _ => {}
        }
    }

    /// Removes the value at a chain of keys and returns it.
    pub fn remove_at(&mut self, keys: &[&str]) -> Option<Value> {
        let (last, parents) = keys.split_last()?;
        self.at(keys)?; // never copy a shared container for nothing
        let mut here = self;
        for key in parents {
            here = here.as_map_mut()?.get_mut(key)?;
        }
        here.as_map_mut()?.remove(last)
    }

    /// The value at a path for changing; `None` where it does not exist.
    pub fn at_path_mut(&mut self, path: &FieldPath) -> Option<&mut Value> {
        path.segments().iter().try_fold(self, |value, segment| match segment {
            Segment::Field(name) => value.as_map_mut()?.get_mut(name),
            Segment::Index(index) => value.as_list_mut()?.get_mut(*index),
        })
    }

    /// This value as a map, replacing anything else by an empty one.
    pub fn ensure_map(&mut self) -> &mut Map {
        if !matches!(self, Self::Map(_)) {
            *self = Self::Map(Map::new());
        }
        match self {
            Self::Map(map) => map,
            _ => unreachable!("just made a map"),
        }
    }

    /// True when both are the very same memory, or equal scalars: a cheap, sufficient test for equality.
    pub fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::List(left), Self::List(right)) => Arc::ptr_eq(left, right),
            (Self::Map(left), Self::Map(right)) => left.same(right),
            (Self::List(_) | Self::Map(_), _) | (_, Self::List(_) | Self::Map(_)) => false,
            (left, right) => left == right,
        }
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(left), Self::Bool(right)) => left == right,
            (Self::Int(left), Self::Int(right)) => left == right,
            (Self::Float(left), Self::Float(right)) => left == right,
            (Self::Int(int), Self::Float(float)) | (Self::Float(float), Self::Int(int)) => {
                int_equals_float(*int, *float)
            }
            (Self::String(left), Self::String(right)) => left == right,
            (Self::List(left), Self::List(right)) => Arc::ptr_eq(left, right) || left == right,
            (Self::Map(left), Self::Map(right)) => left == right,
            _ => false,
        }
    }
}

/// Exact: no integer is rounded on the way.
fn int_equals_float(int: i64, float: f64) -> bool {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0; // 2^63
    #[allow(clippy::cast_possible_truncation)]
    let whole = float.fract() == 0.0 && (-LIMIT..LIMIT).contains(&float) && float as i64 == int;
    whole
}

impl fmt::Debug for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&crate::to_json(self))
    }
}

/// The compact, canonical JSON text.
impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&crate::to_json(self))
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}
impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}
impl From<i32> for Value {
    fn from(value: i32) -> Self {
        Self::Int(value.into())
    }
}
impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}
impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::String(Str::new(value))
    }
}
impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::String(value.into())
    }
}
impl From<Str> for Value {
    fn from(value: Str) -> Self {
        Self::String(value)
    }
}
impl From<Map> for Value {
    fn from(value: Map) -> Self {
        Self::Map(value)
    }
}
impl From<Vec<Value>> for Value {
    fn from(value: Vec<Value>) -> Self {
        Self::List(Arc::new(value))
    }
}
impl FromIterator<Value> for Value {
    fn from_iter<I: IntoIterator<Item = Value>>(items: I) -> Self {
        Self::list(items)
    }
}
