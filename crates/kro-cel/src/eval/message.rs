//! Literals of well-known messages: `google.protobuf.Struct{fields: {'a': 1}}`.

use std::sync::Arc;

use super::frame::{Frame, Outcome};
use super::plan::MessageLiteral;
use super::{EvalContext, EvalError};
use crate::library::{self, native_problem, to_json_value};
use crate::value::{CelDuration, CelMap, CelTimestamp, CelValue, Opaque};
use crate::well_known::{Field, FieldKind, Form, Message};

const NANOSECONDS: i128 = 1_000_000_000;

impl<'a> Frame<'a> {
    /// The value that a message literal stands for.
    pub(super) fn message(&mut self, literal: &'a MessageLiteral) -> Outcome {
        let message = literal.message;
        let mut values: Vec<(&Field, CelValue)> = Vec::with_capacity(literal.fields.len());
        for entry in &literal.fields {
            let value = match (entry.optional, self.evaluate(&entry.value)?) {
                (false, value) => value,
                (true, CelValue::Optional(Some(inner))) => (*inner).clone(),
                (true, CelValue::Optional(None)) => continue,
                (true, value) => {
                    let (name, shown) = (entry.field.name, library::display(&value));
                    let text = format!("cannot initialize optional entry '{name}' from non-optional value {shown}");
                    return Err(EvalError::invalid(text));
                }
            };
            values.push((entry.field, convert(self.context, message, entry.field, &value)?));
        }
        build(message, &values)
    }
}

/// What the fields of a message make together; of one that is set twice the last counts.
fn build(message: &Message, values: &[(&Field, CelValue)]) -> Outcome {
    let set = |name: &str| values.iter().rev().find(|(field, _)| field.name == name).map(|(_, value)| value.clone());
    let number = |name: &str| set(name).and_then(|value| value.as_int()).map_or(0, i128::from);
    let nanoseconds = number("seconds") * NANOSECONDS + number("nanos");
    Ok(match message.form {
        Form::Scalar | Form::Struct | Form::List => {
            let last = values.last().map(|(_, value)| value.clone());
            last.unwrap_or_else(|| message.fields.first().map_or(CelValue::Null, |field| zero(field.kind)))
        }
        Form::Value => values.last().map_or(CelValue::Null, |(_, value)| value.clone()),
        Form::Duration => {
            let clamped = nanoseconds.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
            CelValue::Duration(CelDuration(i64::try_from(clamped).unwrap_or_default()))
        }
        Form::Timestamp => CelTimestamp::from_total_nanoseconds(nanoseconds)
            .map(CelValue::Timestamp)
            .ok_or_else(|| EvalError::invalid("timestamp overflow"))?,
        Form::Any => return Err(EvalError::invalid("unsupported conversion to ref.Val: (*dynamicpb.Message)")),
        Form::Empty => CelValue::Opaque(Opaque::Empty),
    })
}

/// The value of a field that is not set.
fn zero(kind: FieldKind) -> CelValue {
    match kind {
        FieldKind::Bool => CelValue::Bool(false),
        FieldKind::Bytes => CelValue::Bytes(Arc::from([])),
        FieldKind::Double | FieldKind::Float => CelValue::Double(0.0),
        FieldKind::Int32 | FieldKind::Int64 => CelValue::Int(0),
        FieldKind::String => "".into(),
        FieldKind::Uint32 | FieldKind::Uint64 => CelValue::Uint(0),
        FieldKind::Null => CelValue::Null,
        FieldKind::Map => CelValue::Map(CelMap::from_iter([])),
        FieldKind::List => CelValue::list([]),
    }
}

/// A value as a field takes it.
fn convert(context: &mut EvalContext, message: &Message, field: &Field, value: &CelValue) -> Outcome {
    context.charge(1)?;
    let name = format!("{}.{}", message.name, field.name);
    // the only field of a struct or of a list takes no other value for one
    let whole = matches!(message.form, Form::Struct | Form::List);
    if whole
        && !matches!((field.kind, value), (FieldKind::Map, CelValue::Map(_)) | (FieldKind::List, CelValue::List(_)))
    {
        let given = general_type(value);
        return Err(EvalError::invalid(format!("unsupported field type for {name}: {given}")));
    }
    field_value(context, field.kind, value).map_err(|error| {
        EvalError::new(error.kind(), format!("field type conversion error for {name} value type: {}", error.message()))
    })
}

fn field_value(context: &mut EvalContext, kind: FieldKind, value: &CelValue) -> Outcome {
    let unsupported = || EvalError::invalid(native_problem(value, kind.go_name()));
    Ok(match (kind, value) {
        (_, CelValue::Optional(Some(inner))) => return field_value(context, kind, inner),
        (_, CelValue::Optional(None)) => return Err(EvalError::invalid("optional.none() dereference")),
        (FieldKind::Bool, CelValue::Bool(_))
        | (FieldKind::Bytes, CelValue::Bytes(_))
        | (FieldKind::Double, CelValue::Double(_))
        | (FieldKind::Int64, CelValue::Int(_))
        | (FieldKind::String, CelValue::String(_))
        | (FieldKind::Uint64, CelValue::Uint(_)) => value.clone(),
        #[allow(clippy::cast_possible_truncation)] // that is what the field does
        (FieldKind::Float, CelValue::Double(value)) => CelValue::Double(f64::from(*value as f32)),
        (FieldKind::Int32, CelValue::Int(number)) if i32::try_from(*number).is_ok() => value.clone(),
        (FieldKind::Int32, CelValue::Int(_)) => return Err(EvalError::invalid("integer overflow")),
        (FieldKind::Uint32, CelValue::Uint(number)) if u32::try_from(*number).is_ok() => value.clone(),
        (FieldKind::Uint32, CelValue::Uint(_)) => return Err(EvalError::invalid("unsigned integer overflow")),
        (FieldKind::Null, CelValue::Int(_)) => CelValue::Null,
        (FieldKind::Map, CelValue::Map(_)) | (FieldKind::List, CelValue::List(_)) => to_json_value(context, value)?,
        (FieldKind::Bytes, CelValue::List(list)) if list.is_empty() => CelValue::Bytes(Arc::from([])),
        _ => return Err(unsupported()),
    })
}

/// The type of a value where nothing is known of what it holds.
fn general_type(value: &CelValue) -> String {
    match value {
        CelValue::List(_) => "list(dyn)".to_owned(),
        CelValue::Map(_) => "map(dyn, dyn)".to_owned(),
        CelValue::Optional(_) => "optional_type(dyn)".to_owned(),
        other => other.type_name().to_owned(),
    }
}
