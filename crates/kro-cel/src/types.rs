//! Types of expressions.
//!
//! Types are small and shared: cloning one costs at most a reference count. They print as cel-go prints them in messages.

mod interner;

use std::fmt;
use std::sync::Arc;

pub(crate) use interner::Interner;

/// A type. Equal addresses are looked at first when types are compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Type {
    /// `dyn`: anything, checked when evaluated.
    Dyn,
    /// `any`: like `dyn`, but declared as a protobuf `Any`.
    Any,
    /// The type of an expression with an error; it agrees with everything, so that one mistake is reported once.
    Error,
    /// The type of `null`.
    Null,
    /// `bool`
    Bool,
    /// `int`
    Int,
    /// `uint`
    Uint,
    /// `double`
    Double,
    /// `string`
    String,
    /// `bytes`
    Bytes,
    /// `timestamp`
    Timestamp,
    /// `duration`
    Duration,
    /// `list(T)`
    List(Arc<Type>),
    /// `map(K, V)`
    Map(Arc<(Type, Type)>),
    /// `type(T)`, or plain `type` for a type that is not known.
    Type(Option<Arc<Type>>),
    /// A scalar that may be null: `wrapper(int)`.
    Wrapper(Arc<Type>),
    /// A type parameter of a declaration: the `T` of `list(T)`.
    Param(Arc<str>),
    /// A variable of the checker, for a type that is not determined yet. Never in the result of a check.
    Variable(u32),
    /// A type of a library, without fields: `net.IP`, `optional_type(T)`.
    Opaque(Arc<Opaque>),
    /// A type with fields that a [`crate::TypeProvider`] knows, or one of a library that is declared so.
    Object(Arc<str>),
}

/// Name and parameters of an opaque type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Opaque {
    /// The full name.
    pub name: Arc<str>,
    /// The parameters.
    pub params: Vec<Type>,
}

/// The name of the optional type.
pub const OPTIONAL: &str = "optional_type";

impl Type {
    /// `list(element)`
    pub fn list(element: Type) -> Self {
        Self::List(Arc::new(element))
    }

    /// `map(key, value)`
    pub fn map(key: Type, value: Type) -> Self {
        Self::Map(Arc::new((key, value)))
    }

    /// `optional_type(inner)`
    pub fn optional(inner: Type) -> Self {
        Self::opaque(OPTIONAL, [inner])
    }

    /// `type(inner)`
    pub fn type_of(inner: Type) -> Self {
        Self::Type(Some(Arc::new(inner)))
    }

    /// `wrapper(scalar)`
    pub fn wrapper(scalar: Type) -> Self {
        Self::Wrapper(Arc::new(scalar))
    }

    /// An opaque type.
    pub fn opaque(name: &str, params: impl IntoIterator<Item = Type>) -> Self {
        Self::Opaque(Arc::new(Opaque { name: name.into(), params: params.into_iter().collect() }))
    }

    /// An object type.
    pub fn object(name: impl Into<Arc<str>>) -> Self {
        Self::Object(name.into())
    }

    /// A type parameter of a declaration.
    pub fn param(name: &str) -> Self {
        Self::Param(name.into())
    }

    /// The type that a name without parameters stands for, be it a word of the language (`int`) or an object of a library
    /// (`kubernetes.URL`).
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "bool" => Self::Bool,
            "int" => Self::Int,
            "uint" => Self::Uint,
            "double" => Self::Double,
            "string" => Self::String,
            "bytes" => Self::Bytes,
            "null" | "null_type" => Self::Null,
            "dyn" => Self::Dyn,
            "any" => Self::Any,
            "timestamp" => Self::Timestamp,
            "duration" => Self::Duration,
            "type" => Self::Type(None),
            "kubernetes.Quantity"
            | "kubernetes.URL"
            | "kubernetes.Semver"
            | "kubernetes.NamedFormat"
            | "kro.run.Condition" => Self::object(name),
            _ => return None,
        })
    }

    /// The type that a word of the language with parameters stands for: `list`, `map`, `optional_type`, `wrapper`, `type`.
    pub fn compound(name: &str, params: &[Type]) -> Option<Self> {
        let first = params.first()?.clone();
        Some(match name {
            "list" => Self::list(first),
            "map" => Self::map(first, params.get(1)?.clone()),
            "optional_type" => Self::optional(first),
            "wrapper" => Self::wrapper(first),
            "type" => Self::type_of(first),
            _ => return None,
        })
    }

    /// True for `dyn` and `any`.
    pub fn is_dyn(&self) -> bool {
        matches!(self, Self::Dyn | Self::Any)
    }

    /// True for the type of an expression with an error.
    pub fn is_error(&self) -> bool {
        matches!(self, Self::Error)
    }

    /// The `T` of `optional_type(T)`.
    pub fn optional_inner(&self) -> Option<&Type> {
        match self {
            Self::Opaque(opaque) if &*opaque.name == OPTIONAL => opaque.params.first(),
            _ => None,
        }
    }

    /// The `T` of `list(T)`.
    pub fn list_element(&self) -> Option<&Type> {
        if let Self::List(element) = self { Some(element) } else { None }
    }

    /// The `K` and `V` of `map(K, V)`.
    pub fn map_entry(&self) -> Option<(&Type, &Type)> {
        if let Self::Map(entry) = self { Some((&entry.0, &entry.1)) } else { None }
    }

    /// The name of an object type.
    pub fn object_name(&self) -> Option<&str> {
        if let Self::Object(name) = self { Some(name) } else { None }
    }

    /// True for a type made of types.
    pub(crate) fn is_compound(&self) -> bool {
        matches!(self, Self::List(_) | Self::Map(_) | Self::Type(Some(_)) | Self::Wrapper(_) | Self::Opaque(_))
    }

    /// True for a type with type parameters of a declaration in it.
    pub(crate) fn has_param(&self) -> bool {
        match self {
            Self::Param(_) => true,
            Self::Map(entry) => entry.0.has_param() || entry.1.has_param(),
            other => other.params().iter().any(Self::has_param),
        }
    }

    /// The types inside: elements, keys and values, parameters.
    pub fn params(&self) -> &[Type] {
        match self {
            Self::List(inner) | Self::Wrapper(inner) | Self::Type(Some(inner)) => std::slice::from_ref(inner),
            Self::Opaque(opaque) => &opaque.params,
            // a pair has no slice; callers that need maps use `map_entry`
            _ => &[],
        }
    }

    /// The name of the type's values at run time, as `type(x)` shows it; `None` for types without one of their own
    /// (`dyn`, parameters, errors).
    pub fn runtime_name(&self) -> Option<&str> {
        Some(match self {
            Self::Dyn | Self::Any | Self::Error | Self::Param(_) | Self::Variable(_) => return None,
            Self::Null => "null_type",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Uint => "uint",
            Self::Double => "double",
            Self::String => "string",
            Self::Bytes => "bytes",
            Self::Timestamp => "google.protobuf.Timestamp",
            Self::Duration => "google.protobuf.Duration",
            Self::List(_) => "list",
            Self::Map(_) => "map",
            Self::Type(_) => "type",
            Self::Wrapper(scalar) => return scalar.runtime_name(),
            Self::Opaque(opaque) => &opaque.name,
            Self::Object(name) => name,
        })
    }
}

/// The text that cel-go prints in messages: `map(string, list(int))`.
impl fmt::Display for Type {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dyn => out.write_str("dyn"),
            Self::Any => out.write_str("any"),
            Self::Error => out.write_str("!error!"),
            Self::Null => out.write_str("null"),
            Self::Timestamp => out.write_str("timestamp"),
            Self::Duration => out.write_str("duration"),
            Self::List(element) => write!(out, "list({element})"),
            Self::Map(entry) => write!(out, "map({}, {})", entry.0, entry.1),
            Self::Type(Some(inner)) => write!(out, "type({inner})"),
            Self::Wrapper(scalar) => write!(out, "wrapper({scalar})"),
            Self::Param(name) => out.write_str(name),
            Self::Variable(number) => write!(out, "_var{number}"),
            Self::Opaque(opaque) => write_opaque(opaque, out),
            other => out.write_str(other.runtime_name().unwrap_or_default()),
        }
    }
}

fn write_opaque(opaque: &Opaque, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    out.write_str(&opaque.name)?;
    for (index, param) in opaque.params.iter().enumerate() {
        write!(out, "{}{param}", if index == 0 { "(" } else { ", " })?;
    }
    if opaque.params.is_empty() { Ok(()) } else { out.write_str(")") }
}

#[cfg(test)]
mod tests {
    use super::Type;

    #[test]
    fn prints_as_the_reference_does() {
        let rows = [
            (Type::map(Type::String, Type::list(Type::Dyn)), "map(string, list(dyn))"),
            (Type::optional(Type::Int), "optional_type(int)"),
            (Type::type_of(Type::Timestamp), "type(timestamp)"),
            (Type::Type(None), "type"),
            (Type::wrapper(Type::Int), "wrapper(int)"),
            (Type::opaque("net.IP", []), "net.IP"),
            (Type::object("kubernetes.Quantity"), "kubernetes.Quantity"),
            (Type::Null, "null"),
        ];
        for (ty, text) in rows {
            assert_eq!(ty.to_string(), text);
        }
    }
}
