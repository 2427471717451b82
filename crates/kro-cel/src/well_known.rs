//! The messages of the protobuf library that expressions can write: `google.protobuf.Int64Value{value: 1}`.
//!
//! The reference implementation knows them in every environment. None of them stays a message: what they say becomes a
//! plain value (an `int`, a list, a timestamp), so they need no values of their own.

use crate::types::Type;

/// A message that expressions can write.
#[derive(Debug)]
pub(crate) struct Message {
    /// The full name.
    pub name: &'static str,
    /// What it becomes.
    pub form: Form,
    /// The fields it takes.
    pub fields: &'static [Field],
}

/// A field of a message.
#[derive(Debug)]
pub(crate) struct Field {
    pub name: &'static str,
    pub kind: FieldKind,
}

/// What a message becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// The value of its only field, or that kind's zero.
    Scalar,
    /// A map with string keys.
    Struct,
    /// A list.
    List,
    /// Whichever field was set last, or `null`.
    Value,
    Duration,
    Timestamp,
    /// A message inside a message, which nothing can read.
    Any,
    Empty,
}

/// What a field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldKind {
    Bool,
    Bytes,
    Double,
    Float,
    Int32,
    Int64,
    String,
    Uint32,
    Uint64,
    /// The number of `NullValue`; whatever it is, it means null.
    Null,
    /// A map of JSON values.
    Map,
    /// A list of JSON values.
    List,
}

const fn field(name: &'static str, kind: FieldKind) -> Field {
    Field { name, kind }
}

const fn message(name: &'static str, form: Form, fields: &'static [Field]) -> Message {
    Message { name, form, fields }
}

const MOMENT: &[Field] = &[field("seconds", FieldKind::Int64), field("nanos", FieldKind::Int32)];

/// All messages, sorted by name.
pub(crate) static MESSAGES: [Message; 16] = [
    message(
        "google.protobuf.Any",
        Form::Any,
        &[field("type_url", FieldKind::String), field("value", FieldKind::Bytes)],
    ),
    message("google.protobuf.BoolValue", Form::Scalar, &[field("value", FieldKind::Bool)]),
    message("google.protobuf.BytesValue", Form::Scalar, &[field("value", FieldKind::Bytes)]),
    message("google.protobuf.DoubleValue", Form::Scalar, &[field("value", FieldKind::Double)]),
    message("google.protobuf.Duration", Form::Duration, MOMENT),
    message("google.protobuf.Empty", Form::Empty, &[]),
    message("google.protobuf.FloatValue", Form::Scalar, &[field("value", FieldKind::Float)]),
    message("google.protobuf.Int32Value", Form::Scalar, &[field("value", FieldKind::Int32)]),
    message("google.protobuf.Int64Value", Form::Scalar, &[field("value", FieldKind::Int64)]),
    message("google.protobuf.ListValue", Form::List, &[field("values", FieldKind::List)]),
    message("google.protobuf.StringValue", Form::Scalar, &[field("value", FieldKind::String)]),
    message("google.protobuf.Struct", Form::Struct, &[field("fields", FieldKind::Map)]),
    message("google.protobuf.Timestamp", Form::Timestamp, MOMENT),
    message("google.protobuf.UInt32Value", Form::Scalar, &[field("value", FieldKind::Uint32)]),
    message("google.protobuf.UInt64Value", Form::Scalar, &[field("value", FieldKind::Uint64)]),
    message(
        "google.protobuf.Value",
        Form::Value,
        &[
            field("null_value", FieldKind::Null),
            field("number_value", FieldKind::Double),
            field("string_value", FieldKind::String),
            field("bool_value", FieldKind::Bool),
            field("struct_value", FieldKind::Map),
            field("list_value", FieldKind::List),
        ],
    ),
];

/// The message of a full name.
pub(crate) fn find(name: &str) -> Option<&'static Message> {
    name.starts_with("google.protobuf.").then(|| MESSAGES.iter().find(|message| message.name == name))?
}

impl Message {
    /// The field of a name.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The type of what it becomes.
    pub fn ty(&self) -> Type {
        match self.form {
            Form::Scalar => Type::wrapper(self.fields.first().map_or(Type::Dyn, |field| field.kind.ty())),
            Form::Struct => FieldKind::Map.ty(),
            Form::List => FieldKind::List.ty(),
            Form::Value => Type::Dyn,
            Form::Duration => Type::Duration,
            Form::Timestamp => Type::Timestamp,
            Form::Any => Type::Any,
            Form::Empty => Type::object(self.name),
        }
    }

    /// Whether the name is that of a type of values, so that `type(x) == NAME` can hold.
    pub fn names_a_type(&self) -> bool {
        matches!(self.form, Form::Duration | Form::Timestamp | Form::Empty)
    }
}

impl FieldKind {
    /// The type of the values it takes.
    pub fn ty(self) -> Type {
        match self {
            Self::Bool => Type::Bool,
            Self::Bytes => Type::Bytes,
            Self::Double | Self::Float => Type::Double,
            Self::Int32 | Self::Int64 | Self::Null => Type::Int,
            Self::String => Type::String,
            Self::Uint32 | Self::Uint64 => Type::Uint,
            Self::Map => Type::map(Type::String, Type::Dyn),
            Self::List => Type::list(Type::Dyn),
        }
    }

    /// The name of the kind in messages of the reference implementation.
    pub fn go_name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Bytes => "[]uint8",
            Self::Double => "float64",
            Self::Float => "float32",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::String => "string",
            Self::Uint32 => "uint32",
            Self::Uint64 => "uint64",
            Self::Null => "protoreflect.EnumNumber",
            Self::Map => "*structpb.Struct",
            Self::List => "*structpb.ListValue",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_found_by_their_full_names() {
        assert!(MESSAGES.is_sorted_by(|left, right| left.name < right.name));
        assert_eq!(find("google.protobuf.Int64Value").unwrap().ty().to_string(), "wrapper(int)");
        assert!(find("Int64Value").is_none() && find("google.protobuf.Nope").is_none());
    }
}
