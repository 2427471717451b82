//! The values that expressions work on.
//!
//! JSON containers of [`kro_value::Value`] are wrapped as they are: an expression walks a live object without any
//! conversion, and what it returns of it is the same shared memory. Lists and maps that expressions build have a shape of
//! their own, because CEL keeps signed, unsigned and floating numbers, timestamps and so on apart.

mod equality;
mod list;
mod map;
mod network;
mod opaque;
mod semver;
mod time;
mod url;

use std::sync::Arc;

use kro_value::{Str, Value};

pub use equality::{compare, equal};
pub(crate) use equality::{exact_i64, exact_u64, try_equal};
pub use list::CelList;
pub(crate) use map::unsupported_key;
pub use map::{CelMap, MapBuilder, MapKey};
pub use network::{Cidr, Ip};
pub use opaque::{Condition, NamedFormat, Opaque};
pub use semver::{Identifier, Semver};
pub use time::{CelDuration, CelTimestamp, TimestampError};
pub use url::Url;

/// A value of an expression. Cloning costs at most one reference count.
#[derive(Clone, Debug, Default)]
pub enum CelValue {
    /// `null`
    #[default]
    Null,
    /// `bool`
    Bool(bool),
    /// `int`: 64 bits with sign.
    Int(i64),
    /// `uint`: 64 bits without sign.
    Uint(u64),
    /// `double`
    Double(f64),
    /// `string`
    String(Str),
    /// `bytes`
    Bytes(Arc<[u8]>),
    /// `list(T)`
    List(CelList),
    /// `map(K, V)`, and objects whose fields have declared types.
    Map(CelMap),
    /// `google.protobuf.Timestamp`
    Timestamp(CelTimestamp),
    /// `google.protobuf.Duration`
    Duration(CelDuration),
    /// A type as a value, by its run-time name without parameters: `int`, `list`, `kubernetes.Quantity`.
    Type(Arc<str>),
    /// `optional_type(T)`
    Optional(Option<Arc<CelValue>>),
    /// A value of a library's own type.
    Opaque(Opaque),
}

impl CelValue {
    /// The CEL view of a JSON value: integers are `int`, other numbers `double`, containers are shared.
    pub fn from_json(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(value),
            Value::Int(value) => Self::Int(value),
            Value::Float(value) => Self::Double(value),
            Value::String(text) => Self::String(text),
            Value::List(items) => Self::List(CelList::Json(items)),
            Value::Map(map) => Self::Map(CelMap::Json(map)),
        }
    }

    /// A string value.
    pub fn string(text: impl Into<Str>) -> Self {
        Self::String(text.into())
    }

    /// A list of values.
    pub fn list(items: impl IntoIterator<Item = CelValue>) -> Self {
        Self::List(CelList::Built(Arc::new(items.into_iter().collect())))
    }

    /// An optional that holds a value.
    pub fn some(value: CelValue) -> Self {
        Self::Optional(Some(Arc::new(value)))
    }

    /// The optional without a value.
    pub fn none() -> Self {
        Self::Optional(None)
    }

    /// The run-time name of this value's type, as `type(x)` shows it.
    pub fn type_name(&self) -> &str {
        match self {
            Self::Null => "null_type",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Uint(_) => "uint",
            Self::Double(_) => "double",
            Self::String(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::List(_) => "list",
            Self::Map(map) => map.type_name(),
            Self::Timestamp(_) => "google.protobuf.Timestamp",
            Self::Duration(_) => "google.protobuf.Duration",
            Self::Type(_) => "type",
            Self::Optional(_) => "optional_type",
            Self::Opaque(opaque) => opaque.type_name(),
        }
    }

    /// The boolean, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(*value) } else { None }
    }

    /// The integer, if this is a signed one.
    pub fn as_int(&self) -> Option<i64> {
        if let Self::Int(value) = self { Some(*value) } else { None }
    }

    /// The text, if this is a string.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    /// The list, if this is one.
    pub fn as_list(&self) -> Option<&CelList> {
        if let Self::List(list) = self { Some(list) } else { None }
    }

    /// The map, if this is one.
    pub fn as_map(&self) -> Option<&CelMap> {
        if let Self::Map(map) = self { Some(map) } else { None }
    }
}

/// Equality as the language has it: numbers by value across types, lists and maps element by element. The `omit()`
/// sentinel, which expressions cannot compare, equals nothing.
impl PartialEq for CelValue {
    fn eq(&self, other: &Self) -> bool {
        equal(self, other)
    }
}

impl From<bool> for CelValue {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}
impl From<i64> for CelValue {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}
impl From<u64> for CelValue {
    fn from(value: u64) -> Self {
        Self::Uint(value)
    }
}
impl From<f64> for CelValue {
    fn from(value: f64) -> Self {
        Self::Double(value)
    }
}
impl From<&str> for CelValue {
    fn from(value: &str) -> Self {
        Self::String(Str::new(value))
    }
}
impl From<String> for CelValue {
    fn from(value: String) -> Self {
        Self::String(value.into())
    }
}
impl From<Value> for CelValue {
    fn from(value: Value) -> Self {
        Self::from_json(value)
    }
}
impl From<Opaque> for CelValue {
    fn from(value: Opaque) -> Self {
        Self::Opaque(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stays_as_small_as_a_string() {
        assert_eq!(size_of::<CelValue>(), size_of::<Str>());
        assert_eq!(size_of::<Result<CelValue, crate::eval::EvalError>>(), size_of::<Str>());
    }
}
